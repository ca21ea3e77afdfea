//! What sets the speakers of OpenAI's API apart, as data.

use crate::provider::{Model, Provider, Server};

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
    /// Parameters it takes beside `max_tokens`, `stop` and `seed`, which all do.
    pub accepts: &'static [&'static str],
}

const COMMON: &[&str] = &[
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "response_format",
    "user",
];
const WITH_LOGPROBS: &[&str] = &[
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "response_format",
    "user",
    "logit_bias",
    "logprobs",
    "top_logprobs",
];
const OPENAI: &[&str] = &[
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "response_format",
    "user",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "safety_identifier",
    "prompt_cache_key",
];
/// Reasoning models take no sampling parameters (OpenAI's reasoning guide).
const OPENAI_REASONING: &[&str] = &[
    "response_format",
    "user",
    "reasoning_effort",
    "verbosity",
    "safety_identifier",
    "prompt_cache_key",
];
/// Servers of one's own (vLLM, llama.cpp, LiteLLM, …) and routers ignore what they do not know.
const OPEN: &[&str] = &[
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "response_format",
    "user",
    "logit_bias",
    "logprobs",
    "top_logprobs",
    "reasoning_effort",
];
/// Mistral answers 422 to any field it does not know.
const MISTRAL: &[&str] = &[
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "response_format",
];
/// xAI's reasoning models refuse penalties.
const XAI: &[&str] = &[
    "temperature",
    "top_p",
    "response_format",
    "user",
    "logprobs",
    "top_logprobs",
    "reasoning_effort",
];
const DEEPSEEK: &[&str] = &[
    "temperature",
    "top_p",
    "presence_penalty",
    "frequency_penalty",
    "response_format",
    "logprobs",
    "top_logprobs",
];

/// The most usual form.
const BASE: Dialect = Dialect {
    token_limit: "max_tokens",
    seed: "seed",
    max_temperature: 2.0,
    names: false,
    key_header: "authorization",
    accepts: COMMON,
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
