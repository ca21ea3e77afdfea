//! A response's bytes as frames: server-sent events, AWS's event stream, or one JSON body.

use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_stream::stream;
use axum::{
    body::HttpBody,
    http::{Response, Version},
};
use bytes::Bytes;
use futures_util::{
    Stream, StreamExt,
    future::ready,
    stream::{empty, once},
};
use http_body_util::BodyExt;

use super::{encoding, event_stream, server_sent_events};
use crate::{
    deadline::Deadline,
    error::{ProviderError, root_cause},
    protocol::decode::Frame,
};

/// Largest frame and largest whole body, in bytes: no provider sends nearly as much, and memory is shared.
pub(super) const MAX_FRAME: usize = 8 * 1024 * 1024;

/// Frames as they arrive; ends at the end of input or after the first error.
pub type Frames = Pin<Box<dyn Stream<Item = Result<Frame, ProviderError>> + Send>>;

/// Reads a successful response. Its first byte tells what the body is, not its content type: servers send events as
/// `application/json` and whole answers as `text/event-stream`. A JSON body, from a model that its provider won't stream,
/// is one frame.
pub fn read(response: reqwest::Response, idle: Duration, deadline: Deadline) -> Frames {
    let since_frame = Arc::new(AtomicUsize::new(0));
    let mut bytes = Box::pin(watched(response, idle, deadline, Arc::clone(&since_frame)));
    let arrived = move || since_frame.store(0, Ordering::Relaxed);
    let judged = async move {
        let head = loop {
            let piece = match bytes.next().await {
                Some(Ok(piece)) => piece,
                Some(Err(error)) => return Box::pin(once(ready(Err(error)))) as Frames,
                None => return Box::pin(empty()) as Frames,
            };
            if let Some(first) = piece.iter().position(|byte| !is_before_the_first(*byte)) {
                break piece.slice(first..);
            }
        };
        let first = head[0];
        let bytes = once(ready(Ok(head))).chain(bytes);
        match first {
            event_stream::FIRST_BYTE => Box::pin(event_stream::read(bytes, arrived)) as Frames,
            b'{' | b'[' => Box::pin(once(whole(bytes))),
            _ => Box::pin(server_sent_events::read(bytes, arrived)),
        }
    };
    Box::pin(once(judged).flatten())
}

/// White space and the three bytes of a byte order mark.
fn is_before_the_first(byte: u8) -> bool {
    byte.is_ascii_whitespace() || [0xEF, 0xBB, 0xBF].contains(&byte)
}

/// The body's bytes, each piece within the idle time. Any byte is a sign of life, comments too.
///
/// hyper takes a stream of HTTP/2 that is reset without an error for one that has ended: the difference is whether the
/// server has said that it ends. (<https://www.rfc-editor.org/rfc/rfc9113#section-8.1>)
fn watched(
    response: reqwest::Response,
    idle: Duration,
    deadline: Deadline,
    since_frame: Arc<AtomicUsize>,
) -> impl Stream<Item = Result<Bytes, ProviderError>> + Send {
    let is_http2 = response.version() == Version::HTTP_2;
    let decoder = encoding::Decoder::of(response.headers());
    let mut body = Response::<reqwest::Body>::from(response).into_body();
    stream! {
        let mut decoder = match decoder {
            Ok(decoder) => decoder,
            Err(error) => {
                yield Err(error);
                return;
            }
        };
        loop {
            let piece = match deadline.within(idle, body.frame()).await {
                Ok(None) if is_http2 && !body.is_end_stream() => Err(ProviderError::failed("the stream was reset")),
                Ok(None) => {
                    yield decoder.finish();
                    return;
                }
                // Trailers are not a part of the body.
                Ok(Some(Ok(frame))) => decoder.decode(frame.into_data().unwrap_or_default(), MAX_FRAME),
                Ok(Some(Err(error))) => Err(ProviderError::failed(format!("the connection broke: {}", root_cause(&error)))),
                Err(timeout) => Err(timeout),
            };
            let size = piece.as_ref().map_or(0, Bytes::len);
            let piece = match since_frame.fetch_add(size, Ordering::Relaxed) + size {
                too_large if too_large > MAX_FRAME => Err(ProviderError::failed("a frame is too large")),
                _ => piece,
            };
            let broken = piece.is_err();
            yield piece;
            if broken {
                return;
            }
        }
    }
}

async fn whole(mut bytes: impl Stream<Item = Result<Bytes, ProviderError>> + Unpin) -> Result<Frame, ProviderError> {
    let mut body = Vec::new();
    while let Some(piece) = bytes.next().await {
        body.extend_from_slice(&piece?);
    }
    let data = String::from_utf8_lossy(&body).into_owned();
    Ok(Frame { event: None, data })
}
