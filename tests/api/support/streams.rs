//! The streams in `tests/fixtures/streams`, as their providers' bytes.

use std::path::{Path, PathBuf};

use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};

use super::provider::{Answer, piece, stream_end, stream_head};

pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures/streams")
        .join(name)
}

/// The content type, and the body in the pieces that a provider would write.
pub fn pieces(path: &Path) -> (&'static str, Vec<Vec<u8>>) {
    let text = std::fs::read_to_string(path).unwrap();
    // The first line names the source, where the stream is not a recording.
    let (first, rest) = text.split_once('\n').unwrap();
    let text = if first.starts_with([':', '#']) { rest } else { &text };
    if path.extension().unwrap() == "events" {
        return ("application/vnd.amazon.eventstream", text.lines().map(frame).collect());
    }
    let events = text.split_inclusive("\n\n").map(|event| event.as_bytes().to_vec());
    ("text/event-stream", events.collect())
}

/// `contentBlockDelta {…}` or `exception:throttlingException {…}` as a message of AWS's event stream.
pub fn frame(line: &str) -> Vec<u8> {
    let (kind, payload) = line.split_once(' ').unwrap();
    let header = |name: &'static str, value: &str| Header::new(name, HeaderValue::String(value.to_owned().into()));
    let (message_type, type_header, kind) = match kind.strip_prefix("exception:") {
        Some(kind) => ("exception", ":exception-type", kind),
        None => ("event", ":event-type", kind),
    };
    let message = Message::new(payload.as_bytes().to_vec())
        .add_header(header(type_header, kind))
        .add_header(header(":content-type", "application/json"))
        .add_header(header(":message-type", message_type));
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).unwrap();
    bytes
}

/// An answer of a fake provider: `anthropic-text` of the folder `anthropic`, and so on.
pub fn answer(fixture: &str) -> Answer {
    let (folder_name, _) = fixture.split_once('-').unwrap();
    answer_of(folder_name, fixture)
}

/// An answer of a fake provider, from a folder.
pub fn answer_of(folder_name: &str, fixture: &str) -> Answer {
    let extension = if folder_name == "bedrock" { "events" } else { "sse" };
    let (content_type, pieces) = pieces(&folder(folder_name).join(format!("{fixture}.{extension}")));
    std::iter::once(stream_head(content_type))
        .chain(pieces.iter().map(piece))
        .chain([stream_end()])
        .collect()
}
