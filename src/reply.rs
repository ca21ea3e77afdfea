//! The two forms of a reply, both made from one stream of deltas.

pub mod buffered;
pub mod record;
pub mod streamed;
