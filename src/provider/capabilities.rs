//! What models take, as tables of facts. An assistant's setting `capabilities` wins over them, and what a model rejects
//! all the same is learned from its 400.
//!
//! A model of a server that speaks OpenAI's API is known by its provider (`openai`), another by its own name (`claude`,
//! `gemini`, `bedrock`).

mod bedrock;
mod claude;
mod gemini;
mod openai;
mod overrides;

pub(crate) use overrides::Overrides;

use super::{Model, Provider, Server};
use crate::chat::parameters::{Parameter, ParameterSet, Parameters};

/// Which of `temperature` and `top_p` a model takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sampling {
    /// Both together.
    Both,
    /// Either; where both are set, the request's own, else `temperature`.
    One,
    /// Neither, nor penalties.
    None,
}

/// How a model is told how much to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thinking {
    /// Not at all: it does not think, or does not let itself be told.
    None,
    /// By a number of tokens.
    Budget,
    /// By a level such as `low`.
    Effort,
}

/// How to turn thinking off for a Claude whose thinking is controlled by [`Thinking::Effort`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TurningOff {
    /// It is off unless it is asked for.
    Unneeded,
    /// By `thinking` of this type.
    ByType(&'static str),
    /// The model always thinks.
    Impossible,
}

/// Who made a model, where that says how it is asked to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Maker {
    /// Anthropic.
    Anthropic,
    /// Amazon.
    Amazon,
    /// `OpenAI`.
    OpenAi,
    /// Anyone else, or nobody knows.
    Other,
}

/// Which order of messages a model's server takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Any, with system messages anywhere: OpenAI's models.
    Free,
    /// One system message, at the beginning; then user and assistant take turns, the user first and last. Every server takes
    /// messages in this order: chat templates and validators of many take no other.
    Alternating,
}

/// What a model takes.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own in a table")]
pub struct Capabilities {
    /// Sampling parameters.
    pub sampling: Sampling,
    /// The way of `reasoning_effort`.
    pub thinking: Thinking,
    /// The way of `reasoning_effort: none`.
    pub turning_off: TurningOff,
    /// Whether there is an effort `xhigh`, above `high`, where thinking goes by [`Thinking::Effort`].
    pub has_xhigh: bool,
    /// `response_format` with a schema.
    pub json_schema: bool,
    /// A system prompt.
    pub system: bool,
    /// The order of the conversation's messages.
    pub order: Order,
    /// Images by their https URLs; else they are fetched.
    pub image_urls: bool,
    /// The most tokens of one answer, where the tables know it.
    pub max_output: Option<u64>,
    /// The highest temperature.
    pub max_temperature: f64,
    /// Who made it.
    pub maker: Maker,
    /// The parameters that are sent to a server that speaks OpenAI's API. (The encoders of the other APIs have fields for
    /// some only.)
    pub accepts: ParameterSet,
    /// The field for the token limit, in OpenAI's API.
    pub token_limit_field: &'static str,
    /// The field for the seed, in OpenAI's API.
    pub seed_field: &'static str,
    /// Whether a message may carry its participant's `name`, in OpenAI's API.
    pub names: bool,
}

/// What a model that no table knows is taken for: new ones can more than old ones.
const MODERN: Capabilities = Capabilities {
    sampling: Sampling::Both,
    thinking: Thinking::None,
    turning_off: TurningOff::Unneeded,
    has_xhigh: false,
    json_schema: true,
    system: true,
    order: Order::Alternating,
    image_urls: false,
    max_output: None,
    max_temperature: 2.0,
    maker: Maker::Other,
    accepts: openai::USUAL,
    token_limit_field: "max_tokens",
    seed_field: "seed",
    names: false,
};

impl Capabilities {
    /// What is known of a model.
    pub fn of(model: &Model) -> Self {
        let name = model.name.to_ascii_lowercase();
        let known = match &model.server {
            Server::Own(_) => openai::OWN_SERVER,
            Server::Platform(provider) => match provider {
                Provider::Anthropic => claude::at_anthropic(&name),
                Provider::Bedrock => bedrock::facts(&name),
                Provider::Gemini => gemini::facts(&name),
                Provider::OpenAi | Provider::Azure => openai::facts(&model.name),
                Provider::Mistral => openai::MISTRAL,
                Provider::Groq => openai::GROQ,
                Provider::OpenRouter => openai::OPENROUTER,
                Provider::Together => openai::TOGETHER,
                Provider::Fireworks => openai::FIREWORKS,
                Provider::DeepSeek => openai::DEEPSEEK,
                Provider::Xai => openai::XAI,
                Provider::Ollama => openai::OLLAMA,
            },
        };
        model.overrides.over(known)
    }

    /// Whether messages go to a server that speaks OpenAI's API as they come, one for one.
    pub fn keeps_messages(&self) -> bool {
        self.order == Order::Free && self.system
    }

    /// Tokens, or the model's own limit where that is lower: more it cannot answer, and many turn that down.
    pub fn at_most(&self, tokens: u64) -> u64 {
        self.max_output.map_or(tokens, |most| tokens.min(most))
    }

    /// The limit that a request or the assistant sets, or the model's own where that is lower.
    pub fn token_limit(&self, parameters: &Parameters) -> Option<u64> {
        let limit = parameters.get(Parameter::MaxTokens)?.as_u64()?;
        Some(self.at_most(limit))
    }

    /// Whether a sampling parameter is sent, beside what else is set.
    pub fn samples(&self, parameter: Parameter, parameters: &Parameters) -> bool {
        self.sampling != Sampling::None && !self.prefers_another(parameter, parameters)
    }

    /// Whether a parameter is one of two of which the model takes only the other.
    pub fn prefers_another(&self, parameter: Parameter, parameters: &Parameters) -> bool {
        self.sampling == Sampling::One && parameters.lesser_sampling() == Some(parameter)
    }
}

fn first(table: &[(&str, Capabilities)], fits: impl Fn(&str) -> bool) -> Option<Capabilities> {
    table
        .iter()
        .find(|(part, _)| fits(part))
        .map(|(_, capabilities)| *capabilities)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::choose;

    fn facts(model: &str) -> Capabilities {
        Capabilities::of(&choose(model, None, None).unwrap())
    }

    #[test]
    fn what_differs_between_models() {
        use Sampling::{Both, One};
        use Thinking::{Budget, Effort};
        for (model, sampling, thinking, json_schema, max_output) in [
            ("claude-2.1", Both, Thinking::None, false, Some(4096)),
            ("claude-3-5-sonnet-20241022", Both, Thinking::None, false, Some(8192)),
            ("claude-3-7-sonnet-20250219", Both, Budget, false, Some(64_000)),
            ("claude-sonnet-4-20250514", Both, Budget, false, Some(64_000)),
            ("claude-opus-4-20250514", Both, Budget, false, Some(32_000)),
            ("claude-opus-4-1", One, Budget, true, Some(32_000)),
            ("claude-sonnet-4-5", One, Budget, true, Some(64_000)),
            ("claude-opus-4-6", One, Effort, true, Some(128_000)),
            ("claude-opus-4-7", Sampling::None, Effort, true, Some(128_000)),
            ("claude-that-is-new", Sampling::None, Effort, true, Some(128_000)),
            ("anthropic/not-of-anthropic-4-5", Both, Thinking::None, true, None),
            (
                "us.anthropic.claude-opus-4-7",
                Sampling::None,
                Effort,
                false,
                Some(128_000),
            ),
            ("us.amazon.nova-2-lite-v1:0", Both, Effort, false, None),
            ("us.meta.llama3-3-70b-instruct-v1:0", Both, Thinking::None, false, None),
            ("openai.gpt-oss-20b-1:0", Both, Effort, true, None),
            ("gemini-2.0-flash", Both, Thinking::None, true, Some(8192)),
            ("models/gemini-2.5-pro", Both, Budget, true, Some(65_536)),
            ("gemini-3.6-flash", Sampling::None, Effort, true, Some(65_536)),
            ("gemini-flash-latest", Both, Effort, true, None),
            ("gemma-3-27b-it", Both, Thinking::None, false, None),
            ("gpt-4o", Both, Thinking::None, true, None),
            ("gpt-5-mini", Sampling::None, Effort, true, None),
            ("gpt-5-chat-latest", Both, Thinking::None, true, None),
        ] {
            let model_name = model
                .strip_prefix("models/")
                .map_or(model.to_owned(), |_| format!("gemini/{model}"));
            let facts = facts(&model_name);
            let found = (facts.sampling, facts.thinking, facts.json_schema, facts.max_output);
            assert_eq!(found, (sampling, thinking, json_schema, max_output), "{model}");
        }
    }

    #[test]
    fn what_differs_between_servers() {
        use Parameter::{LogitBias, Logprobs, PresencePenalty, ReasoningEffort, User, Verbosity};
        for (model, accepted, refused) in [
            ("gpt-4o", vec![LogitBias, User], vec![ReasoningEffort, Verbosity]),
            ("ft:gpt-4.1-mini:acme", vec![LogitBias], vec![ReasoningEffort]),
            ("gpt-5-chat-latest", vec![LogitBias], vec![ReasoningEffort]),
            // What nobody knows yet is sent, and learned from the 400 where it is rejected.
            (
                "azure/our-deployment",
                vec![LogitBias, ReasoningEffort, Verbosity],
                vec![],
            ),
            ("openai/gpt-7", vec![LogitBias, ReasoningEffort, Verbosity], vec![]),
            (
                "o3",
                vec![ReasoningEffort, Verbosity],
                vec![Parameter::Temperature, LogitBias],
            ),
            ("mistral/any", vec![PresencePenalty], vec![User, Logprobs]),
            ("groq/any", vec![PresencePenalty, User], vec![Logprobs, LogitBias]),
            ("openrouter/any", vec![LogitBias, ReasoningEffort], vec![Verbosity]),
            (
                "grok-4",
                vec![ReasoningEffort, Logprobs],
                vec![PresencePenalty, LogitBias],
            ),
            ("deepseek-chat", vec![Logprobs], vec![User, ReasoningEffort]),
        ] {
            let accepts = facts(model).accepts;
            assert!(accepted.iter().all(|parameter| accepts.contains(*parameter)), "{model}");
            assert!(!refused.iter().any(|parameter| accepts.contains(*parameter)), "{model}");
        }
        // All servers take these.
        for provider in Provider::ALL {
            let facts = facts(&format!("{}/any", provider.name()));
            for parameter in [Parameter::MaxTokens, Parameter::Seed, Parameter::Stop] {
                assert!(facts.accepts.contains(parameter), "{provider:?}");
            }
        }
        assert_eq!(facts("mistral/any").seed_field, "random_seed");
        assert_eq!(facts("azure/o3").token_limit_field, "max_completion_tokens");
    }

    #[test]
    fn the_makers_on_bedrock() {
        for (model, maker) in [
            ("bedrock/us.anthropic.claude-sonnet-4-6", Maker::Anthropic),
            ("bedrock/us.amazon.nova-lite-v1:0", Maker::Amazon),
            ("bedrock/openai.gpt-oss-20b-1:0", Maker::OpenAi),
            ("bedrock/meta.llama3-8b", Maker::Other),
        ] {
            assert_eq!(facts(model).maker, maker, "{model}");
        }
    }
}
