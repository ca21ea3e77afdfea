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

/// Tokens used, as far as the provider has counted them.
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

impl Usage {
    /// Takes newer counts. A zero replaces no count: some servers end with zeros, or count in several messages.
    pub(crate) fn update(&mut self, newer: Self) {
        let Self {
            prompt,
            completion,
            cached,
            reasoning,
        } = newer;
        self.prompt = if prompt > 0 { prompt } else { self.prompt };
        self.completion = if completion > 0 { completion } else { self.completion };
        self.cached = newer_count(cached, self.cached);
        self.reasoning = newer_count(reasoning, self.reasoning);
    }

    /// Whether nothing was counted.
    pub(crate) fn is_empty(self) -> bool {
        let Self {
            prompt,
            completion,
            cached,
            reasoning,
        } = self;
        prompt == 0 && completion == 0 && cached.unwrap_or(0) == 0 && reasoning.unwrap_or(0) == 0
    }
}

/// A newer count, unless it is zero or absent and there is an older one.
pub(crate) fn newer_count(newer: Option<u64>, older: Option<u64>) -> Option<u64> {
    newer.filter(|count| *count > 0).or(older).or(newer)
}
