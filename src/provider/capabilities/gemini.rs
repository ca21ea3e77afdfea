//! Google's models.

use super::{Capabilities, MODERN, Sampling, Thinking, first};

/// Gemini from 3 on: thinking by level.
const GEMINI: Capabilities = Capabilities {
    thinking: Thinking::Effort,
    max_output: Some(65_536),
    ..MODERN
};
/// "What's new in Gemini 3.6 Flash": sampling parameters are deprecated and to be taken out.
const GEMINI_WITHOUT_SAMPLING: Capabilities = Capabilities {
    sampling: Sampling::None,
    ..GEMINI
};

/// Gemini by the beginning of the name ("Models", "Thinking", "Structured output", "What's new in …"); of any other it is
/// only known that it thinks by level. <https://ai.google.dev/gemini-api/docs/thinking>
#[rustfmt::skip]
const GEMINIS: &[(&str, Capabilities)] = &[
    ("gemini-1", Capabilities { max_output: Some(8192), ..MODERN }),
    ("gemini-2.0", Capabilities { max_output: Some(8192), ..MODERN }),
    ("gemini-2", Capabilities { thinking: Thinking::Budget, max_output: Some(65_536), ..MODERN }),
    ("gemini-3.5-flash-lite", GEMINI_WITHOUT_SAMPLING),
    ("gemini-3.6", GEMINI_WITHOUT_SAMPLING),
    ("gemini-3.7", GEMINI_WITHOUT_SAMPLING),
    ("gemini-3.8", GEMINI_WITHOUT_SAMPLING),
    ("gemini-3", GEMINI),
    ("gemma", Capabilities { json_schema: false, system: false, ..MODERN }),
    ("", Capabilities { max_output: None, ..GEMINI }),
];

/// A model at Google by its name in lower case.
pub(super) fn facts(name: &str) -> Capabilities {
    let bare = name.strip_prefix("models/").unwrap_or(name);
    first(GEMINIS, |beginning| bare.starts_with(beginning)).unwrap_or(MODERN)
}
