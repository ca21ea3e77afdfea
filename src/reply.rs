//! The two forms of a reply, both made from one stream of deltas.

pub mod buffered;
pub mod streamed;
