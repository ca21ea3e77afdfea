//! Server-sent events as frames, read as leniently as what servers write between them requires.
//!
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation>

use async_stream::stream;
use bytes::{Buf, Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use serde_json::json;

use crate::{
    error::ProviderError,
    protocol::{decode::Frame, names_an_error},
};

/// The fields that an event has. A line may be the name alone: the field is then empty.
const FIELDS: [&str; 4] = ["data", "event", "id", "retry"];

/// Frames as they arrive, up to the end of input or the first error. Bytes that say nothing are a frame without data: it
/// shows that the connection is alive. Calls `arrived` at each end of an event.
pub(super) fn read(
    mut bytes: impl Stream<Item = Result<Bytes, ProviderError>> + Send + Unpin,
    arrived: impl Fn() + Send,
) -> impl Stream<Item = Result<Frame, ProviderError>> + Send {
    stream! {
        let (mut lines, mut event) = (Lines::default(), Event::default());
        while let Some(piece) = bytes.next().await {
            // The end of the body may come as a piece too.
            let has_bytes = piece.as_ref().is_ok_and(|piece| !piece.is_empty());
            match piece {
                Ok(piece) => lines.buffer.extend_from_slice(&piece),
                Err(error) => {
                    yield Err(error);
                    return;
                }
            }
            let mut is_silent = has_bytes;
            while let Some(line) = lines.next() {
                if line.is_empty() {
                    arrived();
                    if let Some(frame) = event.take() {
                        is_silent = false;
                        yield Ok(frame);
                    }
                } else {
                    event.add(&line);
                }
            }
            if is_silent {
                yield Ok(Frame { event: None, data: String::new() });
            }
        }
        // The body has ended well: its last event counts without a blank line after it.
        event.add(&lines.rest());
        if let Some(frame) = event.take() {
            yield Ok(frame);
        }
    }
}

/// A body's lines, which end with `\n`, `\r` or both. What is not UTF-8 in them becomes U+FFFD: no byte costs an answer.
#[derive(Default)]
struct Lines {
    buffer: BytesMut,
    /// How many bytes of it have no line's end among them.
    searched: usize,
    /// Whether the last line ended with `\r`, so that a `\n` now belongs to it.
    after_return: bool,
}

impl Lines {
    /// The next line that is whole.
    fn next(&mut self) -> Option<String> {
        if self.after_return && !self.buffer.is_empty() {
            self.after_return = false;
            if self.buffer.starts_with(b"\n") {
                self.buffer.advance(1);
            }
        }
        let is_end = |byte: &u8| matches!(byte, b'\n' | b'\r');
        let Some(length) = self.buffer[self.searched..].iter().position(is_end) else {
            self.searched = self.buffer.len();
            return None;
        };
        let line = self.buffer.split_to(self.searched + length);
        self.searched = 0;
        self.after_return = self.buffer.get_u8() == b'\r';
        Some(String::from_utf8_lossy(&line).into_owned())
    }

    /// What stands after the last line's end.
    fn rest(self) -> String {
        String::from_utf8_lossy(&self.buffer).into_owned()
    }
}

/// An event's fields so far.
#[derive(Default)]
struct Event {
    name: Option<String>,
    data: Option<String>,
    /// A line in the form of a field that no event has.
    unknown: Option<String>,
}

impl Event {
    fn add(&mut self, line: &str) {
        match field(line) {
            Some(("event", name)) => self.name = Some(name.to_owned()).filter(|name| !name.is_empty()),
            Some(("data", data)) => self.add_data(data),
            Some((name, _)) if !name.is_empty() && !FIELDS.contains(&name) => self.unknown = Some(line.to_owned()),
            Some(_) => {}
            None => self.add_data(line),
        }
    }

    fn add_data(&mut self, more: &str) {
        match &mut self.data {
            Some(data) => data.extend(["\n", more]),
            None => self.data = Some(more.to_owned()),
        }
    }

    /// The event, now that it has ended. One without data says nothing, unless its name does. Beside data, a field that no
    /// event has is passed over, as the standard asks; a line that stands alone (`upstream: connect error`) is a message in
    /// words, which may be an error's.
    fn take(&mut self) -> Option<Frame> {
        let Self { name, data, unknown } = std::mem::take(self);
        let data = data.or_else(|| Some(json!({ "message": unknown? }).to_string()));
        let says_something = data.is_some() || name.as_deref().is_some_and(names_an_error);
        says_something.then(|| Frame {
            event: name,
            data: data.unwrap_or_default(),
        })
    }
}

/// A line's field and value; `None` for a line that is no field. Such a line counts as data, so that what it says is
/// judged like all other data: Google may break off with bare lines of JSON, and proxies with a sentence or a page.
///
/// A field whose name says an error is data too. A comment is a field without a name. Before a name that events have, and
/// before a comment, white space, a byte order mark and NUL say nothing.
fn field(line: &str) -> Option<(&str, &str)> {
    let trimmed = line.trim_start_matches(|char: char| char.is_whitespace() || ['\u{feff}', '\0'].contains(&char));
    let name = trimmed.split(':').next().unwrap_or_default();
    let line = if name.is_empty() || FIELDS.contains(&name) {
        trimmed
    } else {
        line
    };
    let Some((name, value)) = line.split_once(':') else {
        return (FIELDS.contains(&line) || line.is_empty()).then_some((line, ""));
    };
    let is_name = name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    (is_name && !names_an_error(name)).then(|| (name, value.strip_prefix(' ').unwrap_or(value)))
}

#[cfg(test)]
mod tests {
    use futures_util::stream::iter;

    use super::*;

    /// The frames of a body, however its bytes arrive.
    async fn frames(body: &[u8]) -> Vec<(Option<String>, String)> {
        let mut found = Vec::new();
        for size in [1, 2, 3, body.len().max(1)] {
            let pieces: Vec<_> = body
                .chunks(size)
                .map(|piece| Ok(Bytes::copy_from_slice(piece)))
                .collect();
            let read: Vec<_> = read(iter(pieces), || {}).collect().await;
            let read: Vec<_> = read
                .into_iter()
                .map(Result::unwrap)
                .map(|frame| (frame.event, frame.data))
                // Signs of life depend on how the bytes arrive.
                .filter(|(event, data)| event.is_some() || !data.is_empty())
                .collect();
            assert!(found.is_empty() || found == read, "{size}");
            found = read;
        }
        found
    }

    #[tokio::test]
    async fn events_as_the_standard_has_them() {
        for (body, expected) in [
            ("data: a\n\ndata:b\r\n\r\ndata:  c\r\r", &["a", "b", " c"][..]),
            ("data: a\ndata\ndata: b\n\n", &["a\n\nb"]),
            (": comment\n:\nid: 7\nid\nretry: 5\n\ndata: a\n\n", &["a"]),
            ("x-trace: 1\nfoo.bar_1:{\ndata: a\n   \n\n", &["a"]),
            ("\n\n\ndata: a", &["a"]),
            (
                "data: a\n\n\u{feff}data: b\n\n\0data: c\n\n\0\n\n\t data: d\n\n : ping\n",
                &["a", "b", "c", "d"],
            ),
            // Alone, a line is a message in words.
            (
                "upstream: connect error",
                &["{\"message\":\"upstream: connect error\"}"],
            ),
            (
                "event: ping\n\nx-trace: 1\n\ndata: a",
                &["{\"message\":\"x-trace: 1\"}", "a"],
            ),
            ("data: a\r", &["a"]),
            ("event: ping\n\ndata: a\n\n", &["a"]),
            ("", &[]),
        ] {
            let read: Vec<_> = frames(body.as_bytes())
                .await
                .into_iter()
                .map(|(_, data)| data)
                .collect();
            assert_eq!(read, expected, "{body:?}");
        }
        let named = frames(b"event: Error\n\nevent: x\ndata: a\n\nevent:\ndata: b\n\n").await;
        let named: Vec<_> = named
            .iter()
            .map(|(event, data)| (event.as_deref(), data.as_str()))
            .collect();
        assert_eq!(named, [(Some("Error"), ""), (Some("x"), "a"), (None, "b")]);
    }

    #[tokio::test]
    async fn bytes_that_say_nothing_show_that_the_connection_is_alive() {
        for (piece, count) in [
            (": ping\n", 1),
            ("\n", 1),
            ("event: ping\n\n", 1),
            ("data: {\"a", 2),
            ("", 0),
        ] {
            let pieces = iter([Ok(Bytes::from(piece))]);
            let read: Vec<_> = read(pieces, || {}).collect().await;
            assert_eq!(read.len(), count, "{piece:?}");
        }
    }

    #[tokio::test]
    async fn a_line_that_is_no_field_is_data() {
        for line in [
            "{\"error\": 1}",
            "[\n  {\n    \"error\": 1\n  }\n]",
            " {\"error\": 1}",
            "error: {\"code\": 503}",
            "Error: boom",
            "ValueError: bad",
            "error",
            "upstream connect error or disconnect/reset before headers. reset reason: overflow",
            "<html>504</html>",
            "Overloaded",
        ] {
            let read = frames(format!("data: a\n\n{line}").as_bytes()).await;
            assert_eq!(read, [(None, "a".into()), (None, line.into())]);
        }
    }

    #[tokio::test]
    async fn bytes_that_are_no_text_are_replaced() {
        let read = frames(b"data: a\xffb\xe2\x82\n\ndata: \xe2\x82\xac\n\n").await;
        assert_eq!(read, [(None, "a\u{fffd}b\u{fffd}".into()), (None, "\u{20ac}".into())]);
    }
}
