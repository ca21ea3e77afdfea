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
    /// Why the answer ended; of several, the graver one counts: a `stop` after a `length` takes nothing back.
    Finish(FinishReason),
    /// What it took; a later one replaces an earlier one.
    Usage(Usage),
}

/// Why an answer ended, in the words that chat completions without tools have for it. The later ones are graver.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
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
    /// The part of the prompt that was written to a cache.
    pub written_to_cache: Option<u64>,
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
            written_to_cache,
            reasoning,
        } = newer;
        self.prompt = if prompt > 0 { prompt } else { self.prompt };
        self.completion = if completion > 0 { completion } else { self.completion };
        self.cached = newer_count(cached, self.cached);
        self.written_to_cache = newer_count(written_to_cache, self.written_to_cache);
        self.reasoning = newer_count(reasoning, self.reasoning);
    }

    /// Whether nothing was counted.
    pub(crate) fn is_empty(self) -> bool {
        let Self {
            prompt,
            completion,
            cached,
            written_to_cache,
            reasoning,
        } = self;
        let parts = [cached, written_to_cache, reasoning];
        prompt == 0 && completion == 0 && parts.into_iter().flatten().sum::<u64>() == 0
    }
}

impl std::ops::Add for Usage {
    type Output = Self;

    /// The tokens of two calls together.
    fn add(self, other: Self) -> Self {
        let sum = |one: Option<u64>, other: Option<u64>| match (one, other) {
            (Some(one), Some(other)) => Some(one.saturating_add(other)),
            (one, other) => one.or(other),
        };
        Self {
            prompt: self.prompt.saturating_add(other.prompt),
            completion: self.completion.saturating_add(other.completion),
            cached: sum(self.cached, other.cached),
            written_to_cache: sum(self.written_to_cache, other.written_to_cache),
            reasoning: sum(self.reasoning, other.reasoning),
        }
    }
}

/// More tokens than any answer has, by far: the largest contexts have ten million. A number above it is no count.
const MAX_COUNT: u64 = 1_000_000_000;

/// A provider's count, however it is written: some servers have floats or texts. What is no count costs nobody an answer.
pub(crate) fn count(value: &Value) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is not negative, and saturates"
    )]
    let whole = |float: f64| (float >= 0.0).then_some(float as u64);
    let number = |value: &Value| value.as_u64().or_else(|| value.as_f64().and_then(whole));
    let spelled = || number(&value.as_str()?.trim().parse().ok()?);
    number(value).or_else(spelled).filter(|count| *count <= MAX_COUNT)
}

/// A newer count, unless it is zero or absent and there is an older one.
pub(crate) fn newer_count(newer: Option<u64>, older: Option<u64>) -> Option<u64> {
    newer.filter(|count| *count > 0).or(older).or(newer)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_count_is_read_however_it_is_written() {
        for (value, expected) in [
            (json!(3), Some(3)),
            (json!(0), Some(0)),
            (json!(3.0), Some(3)),
            (json!(3.7), Some(3)),
            (json!("3"), Some(3)),
            (json!(" 3.0 "), Some(3)),
            (json!(1_000_000_000), Some(1_000_000_000)),
            (json!(1_000_000_001), None),
            (json!(u64::MAX), None),
            (json!(1e300), None),
            (json!(-2), None),
            (json!(-0.5), None),
            (json!("-2"), None),
            (json!("three"), None),
            (json!("[3]"), None),
            (json!(true), None),
            (json!([3]), None),
            (json!({"count": 3}), None),
            (json!(null), None),
        ] {
            assert_eq!(count(&value), expected, "{value}");
        }
    }
}
