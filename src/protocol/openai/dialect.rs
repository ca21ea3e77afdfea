//! What sets the speakers of OpenAI's API apart, as data.

use crate::{
    chat::parameters::{Parameter, ParameterSet},
    provider::{Model, Provider, Server},
};

/// How one server takes a chat completion request.
#[derive(Debug, Clone, PartialEq)]
pub struct Dialect {
    /// The field for the token limit.
    pub token_limit: &'static str,
    /// The field for the seed.
    pub seed: &'static str,
    /// The highest temperature.
    pub max_temperature: f64,
    /// Whether messages may carry the participant's `name`.
    pub names: bool,
    /// The header that carries the key: `authorization` as a bearer token, any other as it is.
    pub key_header: &'static str,
    /// The parameters that it takes.
    pub accepts: ParameterSet,
}

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

const USUAL: ParameterSet = COMMON.and(PENALTIES).and(USER);
const WITH_LOGPROBS: ParameterSet = USUAL.and(LOGIT_BIAS).and(LOGPROBS);
const OPENAI: ParameterSet = WITH_LOGPROBS.and(OPENAI_ONLY);
/// Reasoning models take no sampling parameters (OpenAI's reasoning guide).
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
/// Servers of one's own (vLLM, llama.cpp, LiteLLM, …) and routers ignore what they do not know.
const OPEN: ParameterSet = WITH_LOGPROBS.and(EFFORT);
/// Mistral answers 422 to any field it does not know.
const MISTRAL: ParameterSet = COMMON.and(PENALTIES);
/// xAI's reasoning models refuse penalties.
const XAI: ParameterSet = COMMON.and(USER).and(LOGPROBS).and(EFFORT);
const DEEPSEEK: ParameterSet = COMMON.and(PENALTIES).and(LOGPROBS);

/// The most usual form.
const BASE: Dialect = Dialect {
    token_limit: "max_tokens",
    seed: "seed",
    max_temperature: 2.0,
    names: false,
    key_header: "authorization",
    accepts: USUAL,
};

impl Dialect {
    /// How the server of this model takes requests.
    pub fn of(model: &Model) -> Self {
        let provider = match &model.server {
            Server::Own(_) => {
                return Self {
                    accepts: OPEN,
                    names: true,
                    ..BASE
                };
            }
            Server::Platform(provider) => *provider,
        };
        match provider {
            Provider::OpenAi => openai(&model.name),
            Provider::Azure => Self {
                key_header: "api-key",
                ..openai(&model.name)
            },
            Provider::Mistral => Self {
                seed: "random_seed",
                max_temperature: 1.5,
                accepts: MISTRAL,
                ..BASE
            },
            Provider::OpenRouter => Self {
                accepts: OPEN,
                names: true,
                ..BASE
            },
            Provider::Together | Provider::Fireworks => Self {
                accepts: WITH_LOGPROBS,
                ..BASE
            },
            Provider::Xai => Self { accepts: XAI, ..BASE },
            Provider::DeepSeek => Self {
                accepts: DEEPSEEK,
                names: true,
                ..BASE
            },
            _ => BASE,
        }
    }
}

fn openai(model: &str) -> Dialect {
    let reasoning = ["o1", "o3", "o4", "gpt-5"]
        .iter()
        .any(|family| model.starts_with(family))
        && !model.contains("-chat");
    let openai = Dialect { names: true, ..BASE };
    if reasoning {
        return Dialect {
            token_limit: "max_completion_tokens",
            accepts: OPENAI_REASONING,
            ..openai
        };
    }
    Dialect {
        accepts: OPENAI,
        ..openai
    }
}
