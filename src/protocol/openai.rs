//! OpenAI's own API, and every provider or server that speaks it.

pub(crate) mod decode;
pub(crate) mod encode;
