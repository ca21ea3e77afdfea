//! Every parameter that is passed on to a model: its names, its range, and what it means.

use serde_json::{Value, json};

use super::kind::Kind;

/// Largest limit that any provider's integer fields take.
pub(super) const MAX_TOKENS: i64 = i32::MAX as i64;

/// A parameter of OpenAI's chat completions that is passed on to a model, in the order in which they are sent.
///
/// Left out on purpose: `service_tier` (a public caller must not choose what the owner pays) and `store`/`metadata`
/// (nor what is kept in the operator's account).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "`about` says what each means")]
pub enum Parameter {
    Temperature,
    TopP,
    MaxTokens,
    PresencePenalty,
    FrequencyPenalty,
    Seed,
    Stop,
    ResponseFormat,
    ReasoningEffort,
    Verbosity,
    User,
    SafetyIdentifier,
    PromptCacheKey,
    LogitBias,
    Logprobs,
    TopLogprobs,
}

impl Parameter {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::Temperature,
        Self::TopP,
        Self::MaxTokens,
        Self::PresencePenalty,
        Self::FrequencyPenalty,
        Self::Seed,
        Self::Stop,
        Self::ResponseFormat,
        Self::ReasoningEffort,
        Self::Verbosity,
        Self::User,
        Self::SafetyIdentifier,
        Self::PromptCacheKey,
        Self::LogitBias,
        Self::Logprobs,
        Self::TopLogprobs,
    ];

    /// OpenAI's name for it, in requests and in an assistant's settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Temperature => "temperature",
            Self::TopP => "top_p",
            Self::MaxTokens => "max_tokens",
            Self::PresencePenalty => "presence_penalty",
            Self::FrequencyPenalty => "frequency_penalty",
            Self::Seed => "seed",
            Self::Stop => "stop",
            Self::ResponseFormat => "response_format",
            Self::ReasoningEffort => "reasoning_effort",
            Self::Verbosity => "verbosity",
            Self::User => "user",
            Self::SafetyIdentifier => "safety_identifier",
            Self::PromptCacheKey => "prompt_cache_key",
            Self::LogitBias => "logit_bias",
            Self::Logprobs => "logprobs",
            Self::TopLogprobs => "top_logprobs",
        }
    }

    /// A second name that OpenAI has for it, which wins where both are set: the first is deprecated
    /// (<https://platform.openai.com/docs/api-reference/chat/create>).
    pub const fn newer_name(self) -> Option<&'static str> {
        match self {
            Self::MaxTokens => Some("max_completion_tokens"),
            _ => None,
        }
    }

    /// The parameter that has this name, the older or the newer one.
    pub fn from_name(name: &str) -> Option<Self> {
        let has_name = |parameter: &Self| parameter.name() == name || parameter.newer_name() == Some(name);
        Self::ALL.into_iter().find(has_name)
    }

    /// The values that it takes: the ranges are those of OpenAI's schema `CreateChatCompletionRequest`.
    pub(super) const fn kind(self) -> Kind {
        match self {
            Self::Temperature => Kind::Decimal { min: 0.0, max: 2.0 },
            Self::TopP => Kind::Decimal { min: 0.0, max: 1.0 },
            Self::MaxTokens => Kind::Integer {
                min: 1,
                max: MAX_TOKENS,
            },
            Self::PresencePenalty | Self::FrequencyPenalty => Kind::Decimal { min: -2.0, max: 2.0 },
            Self::Seed => Kind::Integer {
                min: i64::MIN,
                max: i64::MAX,
            },
            Self::Stop => Kind::Stop,
            Self::ResponseFormat => Kind::ResponseFormat,
            Self::ReasoningEffort => Kind::Word(&["none", "minimal", "low", "medium", "high", "xhigh", "max"]),
            Self::Verbosity => Kind::Word(&["low", "medium", "high"]),
            Self::User | Self::SafetyIdentifier | Self::PromptCacheKey => Kind::Text,
            Self::LogitBias => Kind::Biases,
            Self::Logprobs => Kind::Boolean,
            Self::TopLogprobs => Kind::Integer { min: 0, max: 20 },
        }
    }

    /// What it means, in one sentence for an assistant's owner.
    pub const fn about(self) -> &'static str {
        match self {
            Self::Temperature => "How varied the answers are, from 0 (the likeliest words) to 2 (very varied).",
            Self::TopP => "How many of the likeliest words are considered, as a share of probability from 0 to 1.",
            Self::MaxTokens => "The most tokens that one answer may have, thinking included, from 1 on.",
            Self::PresencePenalty => {
                "How much words that occurred already are avoided, from -2 (preferred) to 2 (avoided)."
            }
            Self::FrequencyPenalty => {
                "How much words are avoided that occurred often already, from -2 (preferred) to 2 (avoided)."
            }
            Self::Seed => "An integer that makes answers to the same request more alike.",
            Self::Stop => "The text before which an answer ends, or a list of up to four such texts.",
            Self::ResponseFormat => {
                "The form of the answer: an object whose `type` is `text`, `json_object` or `json_schema`."
            }
            Self::ReasoningEffort => {
                "How much the model thinks before it answers: `none`, `minimal`, `low`, `medium`, `high`, `xhigh` or `max`, as \
                 far as the model has them."
            }
            Self::Verbosity => "How long the answers are: `low`, `medium` or `high`.",
            Self::User => "An identifier of the person who asks, without personal data.",
            Self::SafetyIdentifier => {
                "An identifier by which the provider recognizes a person who breaks its rules, without personal data."
            }
            Self::PromptCacheKey => {
                "A text that requests with the same beginning share, so that the provider's cache serves them."
            }
            Self::LogitBias => {
                "An object with a number from -100 to 100 for each token that is to be less or more likely."
            }
            Self::Logprobs => "Whether the answer states how likely each of its tokens was: true or false.",
            Self::TopLogprobs => {
                "How many of the likeliest tokens are stated at each place, from 0 to 20; it needs `logprobs`."
            }
        }
    }

    /// A JSON Schema of its values, in their plain form: readers also take the strings that spell them.
    pub fn schema(self) -> Value {
        let mut schema = match self {
            // Its range is that of 64 bits, which says nothing to a reader.
            Self::Seed => json!({"type": "integer"}),
            parameter => parameter.kind().schema(),
        };
        schema["description"] = json!(self.about());
        schema
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_name_a_sentence_and_a_schema() {
        assert!(Parameter::ALL.is_sorted(), "in the order of the enum");
        for parameter in Parameter::ALL {
            assert_eq!(Parameter::from_name(parameter.name()), Some(parameter));
            let about = parameter.about();
            assert!(about.ends_with('.') && about.matches(". ").count() == 0, "{about}");
            let schema = parameter.schema();
            assert_eq!(schema["description"], about);
            assert!(schema["type"].is_string() || schema["oneOf"].is_array(), "{schema}");
        }
        assert_eq!(
            Parameter::from_name("max_completion_tokens"),
            Some(Parameter::MaxTokens)
        );
        for name in ["", "service_tier", "store", "metadata", "Temperature"] {
            assert_eq!(Parameter::from_name(name), None, "{name}");
        }
    }

    #[test]
    fn schemas_state_the_range() {
        for (parameter, expected) in [
            (
                Parameter::Temperature,
                json!({"type": "number", "minimum": 0.0, "maximum": 2.0}),
            ),
            (
                Parameter::MaxTokens,
                json!({"type": "integer", "minimum": 1, "maximum": i32::MAX}),
            ),
            (
                Parameter::TopLogprobs,
                json!({"type": "integer", "minimum": 0, "maximum": 20}),
            ),
            (Parameter::Logprobs, json!({"type": "boolean"})),
            (Parameter::Seed, json!({"type": "integer"})),
            (Parameter::User, json!({"type": "string"})),
        ] {
            let mut schema = parameter.schema();
            schema.as_object_mut().unwrap().shift_remove("description");
            assert_eq!(schema, expected);
        }
        let formats = &Parameter::ResponseFormat.schema()["properties"]["type"]["enum"];
        assert_eq!(*formats, json!(["text", "json_object", "json_schema"]));
        assert_eq!(Parameter::Stop.schema()["oneOf"][1]["maxItems"], 4);
    }
}
