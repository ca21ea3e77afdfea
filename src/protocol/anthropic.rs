//! Anthropic's Messages API, version 2023-06-01.

pub mod decode;
pub mod encode;

/// The value of the header `anthropic-version`.
pub const VERSION: &str = "2023-06-01";
