//! What a reply looks like on the wire.

use bytes::BytesMut;
use serde_json::Value;

use crate::{answer::Whole, chat::delta::Delta, error::Error, provider::Model};

/// A wire form of replies, one value for each reply.
///
/// For a stream the methods write server-sent events to `out`, as many as the form has for each step, or none. They come
/// in this order: `begin`, `delta` for each delta, `finish`, `end`. An `error` may come after any of them but `end`, also
/// in place of `begin`, and nothing comes after it. A buffered reply takes `whole` alone.
pub trait Form: Send + 'static {
    /// The answer begins; `model` gives it.
    fn begin(&mut self, model: &Model, out: &mut BytesMut);

    /// A step of the answer. Finish and usage are steps too, but a later one replaces an earlier one: what they are in
    /// the end is in `finish` and `end`.
    fn delta(&mut self, delta: &Delta, out: &mut BytesMut);

    /// The answer is complete: what can be sent before the reply's end is written elsewhere.
    fn finish(&mut self, whole: &Whole, out: &mut BytesMut);

    /// The last events of a complete reply.
    fn end(&mut self, whole: &Whole, out: &mut BytesMut);

    /// The last events of a reply that failed.
    fn error(&mut self, error: &Error, out: &mut BytesMut);

    /// The body of a buffered reply.
    fn whole(self, model: &Model, whole: Whole) -> Value;
}
