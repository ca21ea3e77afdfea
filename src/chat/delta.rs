//! The one form between every provider's stream and both reply forms.

use serde::Serialize;
use serde_json::Value;

/// A step of an answer. A complete answer has a [`Delta::Finish`].
#[derive(Debug, Clone, PartialEq)]
pub enum Delta {
    /// Text of the answer, never empty.
    Text {
        /// As it arrived.
        text: String,
        /// OpenAI's `logprobs` object for this text, where it was asked for.
        logprobs: Option<Value>,
    },
    /// Text of the model's thinking, never empty. It is no part of the answer, and shown only where the assistant
    /// asks for it.
    Reasoning(String),
    /// Text of a refusal, never empty.
    Refusal(String),
    /// Why the answer ended; a later one replaces an earlier one.
    Finish(FinishReason),
    /// What it took; a later one replaces an earlier one.
    Usage(Usage),
}

/// Why an answer ended, in the words that chat completions without tools have for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FinishReason {
    /// At its natural end or a stop sequence.
    Stop,
    /// At the token limit or the context's end.
    Length,
    /// Left out or cut by a content filter.
    ContentFilter,
}

impl FinishReason {
    /// As OpenAI spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ContentFilter => "content_filter",
        }
    }
}

/// Tokens used, counted by the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// All of the prompt, cached tokens included.
    pub prompt: u64,
    /// All of the answer, reasoning included.
    pub completion: u64,
    /// Of the prompt, read from a cache.
    pub cached: Option<u64>,
    /// Of the answer, spent on reasoning.
    pub reasoning: Option<u64>,
}
