//! Providers' answers: bytes as frames, and frames as deltas.

use std::{io, time::Duration};

use assistant_endpoint::{
    chat::delta::Delta,
    deadline::Deadline,
    error::ProviderError,
    protocol::{Protocol, decode::Frame},
    upstream::{
        frames::{self, Frames},
        steps,
    },
};
use aws_smithy_eventstream::frame::write_message_to;
use aws_smithy_types::event_stream::{Header, HeaderValue, Message};
use axum::http::Response;
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use reqwest::Body;

use super::{block_on, choice};

/// Longer than any run: all input is there at once.
const NEVER: Duration = Duration::from_secs(3600);
/// Most small pieces that a body is split into: more of them take the time of many inputs.
const MANY: usize = 32;
/// Most characters of an error before what is confidential is taken out of it: the 8,000 of a provider's that are read, and
/// our own.
const MAX_MESSAGE: usize = 8_200;

/// Server-sent events, or one JSON body: the frames are the same however the bytes arrive, and a connection that breaks
/// leaves a part of them.
pub fn sse(data: &[u8]) {
    let whole = frames_of(&[data], true);
    for pieces in splits(data) {
        assert_eq!(frames_of(&pieces, true), whole, "{} pieces", pieces.len());
    }
    let cut = frames_of(&[&data[..choice(data, data.len() + 1)]], false);
    let cut = cut.split_last().map_or(&[][..], |(_, cut)| cut);
    assert!(whole.starts_with(cut), "{cut:?} is no beginning of {whole:?}");
}

/// AWS's event stream: raw where it begins with a zero byte, as each message does, else lines as in
/// `tests/fixtures/streams/bedrock`. The frames are the same however the bytes arrive, and a message with one wrong byte is
/// none.
pub fn event_stream(data: &[u8]) {
    if data.first() == Some(&0) {
        return sse(data);
    }
    let Some(messages) = messages(data) else {
        return;
    };
    let bytes = messages.concat();
    sse(&bytes);
    if bytes.is_empty() {
        return;
    }
    let mut spoilt = bytes.clone();
    // The first byte tells an event stream from other bodies.
    let at = choice(data, bytes.len() - 1) + 1;
    spoilt[at] ^= 1 << choice(data, 8);
    let whole_before = messages.iter().scan(0, |end, message| {
        *end += message.len();
        Some(*end)
    });
    let whole_before = whole_before.take_while(|end| *end <= at).count();
    let frames = frames_of(&[&spoilt], true);
    let read = frames.iter().filter(|frame| frame.is_ok()).count();
    assert!(read <= whole_before, "a message with a wrong byte {at} was read");
}

/// An answer of a server that speaks OpenAI's API.
pub fn openai(data: &[u8]) {
    answer(Protocol::OpenAi, data, &["finish_reason"]);
}

/// An answer of Anthropic's.
pub fn anthropic(data: &[u8]) {
    answer(Protocol::Anthropic, data, &["stop_reason"]);
}

/// An answer of Bedrock's, as lines as in `tests/fixtures/streams/bedrock`, or one JSON body.
pub fn bedrock(data: &[u8]) {
    let words = ["stopReason"];
    if data.first() == Some(&b'{') {
        answer(Protocol::Bedrock, data, &words);
    } else if let Some(messages) = messages(data) {
        answer(Protocol::Bedrock, &messages.concat(), &words);
    }
}

/// An answer of Gemini's.
pub fn gemini(data: &[u8]) {
    answer(Protocol::Gemini, data, &["finishReason", "blockReason"]);
}

/// What holds for every provider's answer:
///
/// - its deltas are the same however the bytes arrive;
/// - an answer without an error has a finish reason, and so has its stream: one of `end_words` is a field of it;
/// - where the connection breaks, a part of the answer is there, and it is an error unless it has ended;
/// - no text is empty, and no error is longer than its limit.
fn answer(protocol: Protocol, data: &[u8], end_words: &[&str]) {
    let whole = deltas_of(protocol, &[data], true);
    for pieces in splits(data) {
        assert_eq!(deltas_of(protocol, &pieces, true), whole, "{} pieces", pieces.len());
    }
    check_end(&whole, data, end_words);
    let cut_data = &data[..choice(data, data.len() + 1)];
    let cut = deltas_of(protocol, &[cut_data], false);
    check_end(&cut, cut_data, end_words);
    let steps = cut.iter().take_while(|step| step.is_ok()).count();
    assert!(whole.starts_with(&cut[..steps]), "{cut:?} is no beginning of {whole:?}");
    for step in &whole {
        match step {
            Ok(Delta::Text { text, .. } | Delta::Reasoning(text) | Delta::Refusal(text)) => assert_ne!(text, ""),
            Ok(Delta::Finish(_) | Delta::Usage(_)) => {}
            Err(error) => check_length(error),
        }
    }
}

fn check_end(steps: &[Result<Delta, ProviderError>], data: &[u8], end_words: &[&str]) {
    let is_error = steps.iter().any(Result::is_err);
    assert_eq!(
        steps.iter().position(Result::is_err),
        is_error.then(|| steps.len() - 1),
        "something follows an error"
    );
    if is_error {
        return;
    }
    let is_finish = |step: &Result<Delta, _>| matches!(step, Ok(Delta::Finish(_)));
    assert!(steps.iter().any(is_finish), "complete without a finish: {steps:?}");
    // A field's name may be spelled with escapes.
    let text = String::from_utf8_lossy(data);
    let says_end = text.contains('\\') || end_words.iter().any(|word| text.contains(word));
    assert!(says_end, "complete without {end_words:?}");
}

fn check_length(error: &ProviderError) {
    let longest = error.to_string().chars().count().max(error.cause.chars().count());
    assert!(longest <= MAX_MESSAGE, "an error of {longest} characters");
}

/// Ways in which bytes may arrive: in many small pieces, single bytes where there are few, and in two.
fn splits(data: &[u8]) -> [Vec<&[u8]>; 2] {
    let small = data.len().div_ceil(MANY).max(1);
    let (start, end) = data.split_at(choice(data, data.len() + 1));
    [data.chunks(small).collect(), vec![start, end]]
}

/// The frames of a body that ends well, or else by a connection that breaks. Signs of life are left
/// out: how many there are depends on how the bytes arrive.
fn frames_of(pieces: &[&[u8]], ends_well: bool) -> Vec<Result<Frame, ProviderError>> {
    let mut frames: Vec<_> = block_on(body(pieces, ends_well).collect());
    let is_sign_of_life = |frame: &Frame| frame.event.is_none() && frame.data.is_empty();
    frames.retain(|frame| !frame.as_ref().is_ok_and(is_sign_of_life));
    frames
}

fn deltas_of(protocol: Protocol, pieces: &[&[u8]], ends_well: bool) -> Vec<Result<Delta, ProviderError>> {
    block_on(steps::read(body(pieces, ends_well), protocol.reader(), NEVER).collect())
}

fn body(pieces: &[&[u8]], ends_well: bool) -> Frames {
    let pieces: Vec<_> = pieces.iter().map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
    let end = (!ends_well).then(|| Err(io::Error::from(io::ErrorKind::ConnectionReset)));
    let body = Body::wrap_stream(stream::iter(pieces.into_iter().chain(end)));
    frames::read(Response::new(body).into(), NEVER, Deadline::new(None))
}

/// Lines such as `contentBlockDelta {…}` and `exception:throttlingException {…}` as messages; `None` where they are none.
fn messages(lines: &[u8]) -> Option<Vec<Vec<u8>>> {
    let lines = std::str::from_utf8(lines).ok()?;
    lines.lines().map(message).collect()
}

fn message(line: &str) -> Option<Vec<u8>> {
    let (kind, payload) = line.split_once(' ')?;
    let header = |name: &'static str, value: &str| Header::new(name, HeaderValue::String(value.to_owned().into()));
    let message = Message::new(payload.as_bytes().to_vec());
    let message = match kind.split_once(':') {
        Some(("exception", kind)) => message
            .add_header(header(":exception-type", kind))
            .add_header(header(":message-type", "exception")),
        Some(("error", code)) => message
            .add_header(header(":error-code", code))
            .add_header(header(":error-message", payload))
            .add_header(header(":message-type", "error")),
        _ => message
            .add_header(header(":event-type", kind))
            .add_header(header(":message-type", "event")),
    };
    let mut bytes = Vec::new();
    write_message_to(&message, &mut bytes).ok()?;
    Some(bytes)
}
