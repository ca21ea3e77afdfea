//! The APIs that providers have: each is an `encode` and a `decode`, and all go through the one upstream.

use std::collections::HashSet;

use serde_json::Value;

use super::{anthropic, openai};
use crate::{chat::prompt::Prompt, error::Error, upstream::Decode};

/// The API that a server has; each is an `encode` and a `decode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// OpenAI's chat completions.
    OpenAi,
    /// Anthropic's Messages.
    Anthropic,
}

impl Protocol {
    /// The path below a base URL.
    pub const fn path(self) -> &'static str {
        match self {
            Self::OpenAi => "/chat/completions",
            Self::Anthropic => "/v1/messages",
        }
    }

    /// A prompt as a request's body, without the parameters that the model turned down before.
    ///
    /// # Errors
    /// A 400 naming what would change the answer's form and cannot be honoured.
    pub fn encode(self, prompt: &Prompt, omitted: &HashSet<String>) -> Result<Value, Error> {
        match self {
            Self::OpenAi => openai::encode::encode(prompt, omitted),
            Self::Anthropic => anthropic::encode::encode(prompt, omitted),
        }
    }

    /// A decoder for one answer.
    pub fn decoder(self) -> Box<dyn Decode> {
        match self {
            Self::OpenAi => Box::new(openai::decode::Decoder::default()),
            Self::Anthropic => Box::new(anthropic::decode::Decoder::default()),
        }
    }
}
