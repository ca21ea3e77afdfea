//! OpenAI's `reasoning_effort`, for providers that have another word for it.

use serde_json::Value;

/// How much a model is asked to think.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(super) enum Effort {
    None,
    Minimal,
    Low,
    Medium,
    High,
    XHigh,
    Max,
}

impl Effort {
    /// `None` for a word that is not known: a hint that says nothing is left out.
    pub(super) fn read(value: Option<&Value>) -> Option<Self> {
        Some(match value?.as_str()?.trim().to_ascii_lowercase().as_str() {
            "none" => Self::None,
            "minimal" => Self::Minimal,
            "low" => Self::Low,
            "medium" => Self::Medium,
            "high" => Self::High,
            "xhigh" => Self::XHigh,
            "max" => Self::Max,
            _ => return None,
        })
    }

    /// Tokens to think with: what Google's own OpenAI-compatible API takes the levels for ("OpenAI compatibility").
    pub(super) const fn budget(self) -> u64 {
        match self {
            Self::None => 0,
            Self::Minimal | Self::Low => 1024,
            Self::Medium => 8192,
            Self::High | Self::XHigh | Self::Max => 24_576,
        }
    }
}
