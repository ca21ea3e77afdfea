//! What Claude wants, by Anthropic's own API and by Bedrock.

pub mod schema;
pub mod thinking;
