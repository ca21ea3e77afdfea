//! What Claude wants, by Anthropic's own API and by Bedrock.

pub(crate) mod schema;
pub(crate) mod thinking;
