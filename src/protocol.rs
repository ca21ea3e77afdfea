//! The APIs that providers have: each is an `encode` and a `decode`, and all go through the one upstream.

use axum::http::header::AUTHORIZATION;
use serde_json::Value;

mod anthropic;
pub mod bedrock;
mod claude;
mod conversation;
pub mod decode;
mod effort;
mod encode;
pub(crate) mod failure;
mod finish_reason;
mod gemini;
pub mod learned;
pub(crate) mod names;
mod openai;
mod wire;

pub(crate) use wire::names_an_error;

use crate::{
    chat::prompt::Prompt,
    error::Error,
    provider::{Model, Provider, Server, capabilities::Capabilities},
};
use decode::Reader;
use learned::Learned;

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
    /// What a model's server speaks.
    pub const fn of(model: &Model) -> Self {
        match &model.server {
            Server::Platform(Provider::Anthropic) => Self::Anthropic,
            Server::Platform(Provider::Bedrock) => Self::Bedrock,
            Server::Platform(Provider::Gemini) => Self::Gemini,
            Server::Platform(
                Provider::OpenAi
                | Provider::Azure
                | Provider::Mistral
                | Provider::Groq
                | Provider::OpenRouter
                | Provider::Together
                | Provider::Fireworks
                | Provider::DeepSeek
                | Provider::Xai
                | Provider::Ollama,
            )
            | Server::Own(_) => Self::OpenAi,
        }
    }

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
            Self::OpenAi if model.server == Server::Platform(Provider::Azure) => "api-key",
            Self::OpenAi | Self::Bedrock => AUTHORIZATION.as_str(),
            Self::Anthropic => "x-api-key",
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

    /// A prompt as a request's body, without what the model rejected before.
    ///
    /// # Errors
    /// A 400 naming what would change the answer's form and cannot be honoured.
    pub fn encode(self, prompt: &Prompt, model: &Model, learned: Learned) -> Result<Value, Error> {
        let prompt = &learned.of_prompt(prompt);
        let capabilities = learned.of_capabilities(Capabilities::of(model));
        match self {
            Self::OpenAi => openai::encode::encode(prompt, model, capabilities, learned),
            Self::Anthropic => anthropic::encode::encode(prompt, model, capabilities),
            Self::Bedrock => bedrock::encode::encode(prompt, capabilities),
            Self::Gemini => gemini::encode::encode(prompt, model, capabilities),
        }
    }

    /// Reads the frames of one answer.
    pub fn reader(self) -> Reader {
        match self {
            Self::OpenAi => Reader::new(openai::decode::Decoder::default()),
            Self::Anthropic => Reader::new(anthropic::decode::Decoder::default()),
            Self::Bedrock => Reader::new(bedrock::decode::Decoder::default()),
            Self::Gemini => Reader::new(gemini::decode::Decoder::default()),
        }
    }
}
