//! The APIs that providers have: each is an `encode` and a `decode`, and all go through the one upstream.

use std::collections::HashSet;

use axum::http::header::AUTHORIZATION;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde_json::Value;

use super::{Model, anthropic, bedrock, gemini, openai};
use crate::{chat::prompt::Prompt, error::Error, upstream::Decode};

/// What a path's segment may hold as it is: RFC 3986's unreserved characters.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A name as one segment of a path, its `/` and `:` encoded.
pub(super) fn segment(name: &str) -> PercentEncode<'_> {
    utf8_percent_encode(name, UNRESERVED)
}

const EVENTS: (&str, &str) = ("accept", "text/event-stream");

/// The API that a server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// OpenAI's chat completions.
    OpenAi,
    /// Anthropic's Messages.
    Anthropic,
    /// Amazon Bedrock's `ConverseStream`.
    Bedrock,
    /// Google's `streamGenerateContent`.
    Gemini,
}

impl Protocol {
    /// The path, and the query if there is one, below a base URL.
    pub fn path(self, model: &Model) -> String {
        match self {
            Self::OpenAi => "/chat/completions".into(),
            Self::Anthropic => "/v1/messages".into(),
            Self::Bedrock => bedrock::path(model),
            Self::Gemini => gemini::path(model),
        }
    }

    /// The header that carries the key: `authorization` as a bearer token, any other as it is.
    pub fn key_header(self, model: &Model) -> &'static str {
        match self {
            Self::OpenAi => openai::dialect::Dialect::of(model).key_header,
            Self::Anthropic => "x-api-key",
            Self::Bedrock => AUTHORIZATION.as_str(),
            Self::Gemini => "x-goog-api-key",
        }
    }

    /// Headers beside the key and the content type.
    pub const fn headers(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Anthropic => &[EVENTS, ("anthropic-version", anthropic::VERSION)],
            Self::OpenAi | Self::Gemini => &[EVENTS],
            Self::Bedrock => &[("accept", "application/vnd.amazon.eventstream")],
        }
    }

    /// A prompt as a request's body, without the parameters (by OpenAI's names) that the model turned down before.
    ///
    /// # Errors
    /// A 400 naming what would change the answer's form and cannot be honoured.
    pub fn encode(self, prompt: &Prompt, omitted: &HashSet<String>) -> Result<Value, Error> {
        match self {
            Self::OpenAi => openai::encode::encode(prompt, omitted),
            Self::Anthropic => anthropic::encode::encode(prompt, omitted),
            Self::Bedrock => bedrock::encode::encode(prompt, omitted),
            Self::Gemini => gemini::encode::encode(prompt, omitted),
        }
    }

    /// A decoder for one answer.
    pub fn decoder(self) -> Box<dyn Decode> {
        match self {
            Self::OpenAi => Box::new(openai::decode::Decoder::default()),
            Self::Anthropic => Box::new(anthropic::decode::Decoder::default()),
            Self::Bedrock => Box::new(bedrock::decode::Decoder::default()),
            Self::Gemini => Box::new(gemini::decode::Decoder::default()),
        }
    }
}
