//! OpenAI's models, and the servers that speak its API: what they take is known by the server.

use super::{Capabilities, MODERN, Order, Sampling, Thinking};
use crate::chat::parameters::{Parameter, ParameterSet};

/// All servers take these.
const COMMON: ParameterSet = ParameterSet::of(&[
    Parameter::Temperature,
    Parameter::TopP,
    Parameter::MaxTokens,
    Parameter::Seed,
    Parameter::Stop,
    Parameter::ResponseFormat,
]);
const PENALTIES: ParameterSet = ParameterSet::of(&[Parameter::PresencePenalty, Parameter::FrequencyPenalty]);
const USER: ParameterSet = ParameterSet::of(&[Parameter::User]);
const LOGIT_BIAS: ParameterSet = ParameterSet::of(&[Parameter::LogitBias]);
const LOGPROBS: ParameterSet = ParameterSet::of(&[Parameter::Logprobs, Parameter::TopLogprobs]);
const EFFORT: ParameterSet = ParameterSet::of(&[Parameter::ReasoningEffort]);
/// What OpenAI itself has beside.
const OPENAI_ONLY: ParameterSet = ParameterSet::of(&[Parameter::SafetyIdentifier, Parameter::PromptCacheKey]);

/// What most servers take.
pub(super) const USUAL: ParameterSet = COMMON.and(PENALTIES).and(USER);
const WITH_LOGPROBS: ParameterSet = USUAL.and(LOGIT_BIAS).and(LOGPROBS);
const OPENAI_ALL: ParameterSet = WITH_LOGPROBS.and(OPENAI_ONLY);
/// Reasoning models take no sampling parameters
/// (<https://platform.openai.com/docs/guides/reasoning>).
const OPENAI_REASONING: ParameterSet = ParameterSet::of(&[
    Parameter::MaxTokens,
    Parameter::Seed,
    Parameter::Stop,
    Parameter::ResponseFormat,
    Parameter::Verbosity,
])
.and(USER)
.and(EFFORT)
.and(OPENAI_ONLY);

/// Most of them fetch images themselves.
const USUAL_SERVER: Capabilities = Capabilities {
    image_urls: true,
    ..MODERN
};
/// A server of an owner's own (vLLM, llama.cpp, LiteLLM, …): it ignores what it does not know.
pub(super) const OWN_SERVER: Capabilities = Capabilities {
    accepts: WITH_LOGPROBS.and(EFFORT),
    names: true,
    ..USUAL_SERVER
};
/// A router ignores what the model's provider does not know.
pub(super) const OPENROUTER: Capabilities = OWN_SERVER;
/// Mistral answers 422 to any field that it does not know (<https://docs.mistral.ai/api>).
pub(super) const MISTRAL: Capabilities = Capabilities {
    accepts: COMMON.and(PENALTIES),
    seed_field: "random_seed",
    max_temperature: 1.5,
    ..USUAL_SERVER
};
pub(super) const GROQ: Capabilities = USUAL_SERVER;
pub(super) const TOGETHER: Capabilities = Capabilities {
    accepts: WITH_LOGPROBS,
    ..USUAL_SERVER
};
pub(super) const FIREWORKS: Capabilities = TOGETHER;
pub(super) const DEEPSEEK: Capabilities = Capabilities {
    accepts: COMMON.and(PENALTIES).and(LOGPROBS),
    names: true,
    ..USUAL_SERVER
};
/// Its reasoning models refuse penalties. <https://docs.x.ai/docs/guides/reasoning>
pub(super) const XAI: Capabilities = Capabilities {
    accepts: COMMON.and(USER).and(LOGPROBS).and(EFFORT),
    ..USUAL_SERVER
};
/// It takes images as data only.
pub(super) const OLLAMA: Capabilities = Capabilities {
    image_urls: false,
    ..USUAL_SERVER
};

/// The beginnings of the names of models that reason; those with `-chat` in their names do not.
const REASONING_FAMILIES: &[&str] = &["o1", "o3", "o4", "gpt-5"];
/// The beginnings of the names of models that do not.
const PLAIN_FAMILIES: &[&str] = &["gpt-4", "gpt-3.5", "chatgpt-", "ft:gpt-4", "ft:gpt-3.5", "gpt-5"];

/// A model at OpenAI or Azure by its name. Azure's deployments have names of their own, and new models reason: where the name
/// says nothing, all parameters are sent, and what the model rejects is learned.
pub(super) fn facts(model: &str) -> Capabilities {
    let openai = Capabilities {
        accepts: OPENAI_ALL,
        names: true,
        order: Order::Free,
        ..USUAL_SERVER
    };
    let is_of = |families: &[&str]| families.iter().any(|family| model.starts_with(family));
    if is_of(REASONING_FAMILIES) && !model.contains("-chat") {
        return Capabilities {
            sampling: Sampling::None,
            thinking: Thinking::Effort,
            accepts: OPENAI_REASONING,
            token_limit_field: "max_completion_tokens",
            ..openai
        };
    }
    if is_of(PLAIN_FAMILIES) {
        return openai;
    }
    Capabilities {
        accepts: OPENAI_ALL.and(OPENAI_REASONING),
        ..openai
    }
}
