//! OpenAI's own API, and every provider or server that speaks it.

pub mod decode;
pub mod encode;
