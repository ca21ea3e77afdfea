//! What a reply looks like on the wire.

use bytes::{BufMut, Bytes, BytesMut};
use serde::Serialize;

use crate::{
    answer::{Ended, Whole},
    chat::delta::Delta,
    error::Error,
    provider::Model,
    record::EndTask,
};

/// A wire form of replies, one value for each reply.
///
/// For a stream the methods write server-sent events to `out`, as many as the form has for each step, or none. They are
/// called in this order: `begin`, `delta` for each delta, `finish`, `end`. Where the answer fails, `error` is called in
/// place of all that is left, `begin` included. For a buffered reply `complete` and then `whole` are called.
pub(crate) trait Form: Send + 'static {
    /// The answer begins; `model` gives it.
    fn begin(&mut self, model: &Model, out: &mut BytesMut);

    /// A step of the answer. A finish or a usage needs no event yet: a later one may replace it, and `finish` and `end`
    /// are given the last.
    ///
    /// # Errors
    /// Where the form cannot go on. It is called with that error next.
    fn delta(&mut self, delta: &Delta, out: &mut BytesMut) -> Result<(), Error>;

    /// The answer is complete. Writes what need not wait for the work at the reply's end, and returns what belongs to
    /// that work.
    fn finish(&mut self, ended: Ended, out: &mut BytesMut) -> Option<EndTask>;

    /// The last events of a complete reply, after the work at its end.
    fn end(&mut self, ended: Ended, out: &mut BytesMut);

    /// The last events of a reply that failed.
    fn error(&mut self, error: &Error, out: &mut BytesMut);

    /// The answer of a buffered reply is complete. Returns what belongs to the work at the reply's end.
    fn complete(&mut self, model: &Model, whole: &Whole) -> Option<EndTask>;

    /// The body of a buffered reply, JSON, after the work at its end.
    fn whole(self, model: &Model, whole: Whole) -> Bytes;
}

/// Writes JSON. It cannot fail: the buffer grows, and every key of a form's objects is a text.
pub(crate) fn write(json: &impl Serialize, out: &mut BytesMut) {
    let written = serde_json::to_writer(out.writer(), json);
    debug_assert!(written.is_ok(), "{written:?}");
}
