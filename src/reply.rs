//! How a reply is delivered: at once or as a stream, both made from one stream of deltas.
//!
//! Delivery keeps the time, commits, keeps alive, and waits for what is written at the reply's end. What the bytes
//! look like is the [`form`]'s.

pub(crate) mod buffered;
pub(crate) mod form;
pub(crate) mod streamed;

#[cfg(test)]
mod tests;
