//! Anthropic's Messages API, version 2023-06-01.

pub(crate) mod decode;
pub(crate) mod encode;

/// The value of the header `anthropic-version`.
pub(super) const VERSION: &str = "2023-06-01";
