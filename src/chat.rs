//! Chat completions as OpenAI defines them: what comes in, what goes out, and the two forms between.

pub mod delta;
pub mod image;
pub(crate) mod lenient;
pub mod message;
pub mod parameters;
pub mod prompt;
pub(crate) mod surrogates;
