//! A response's bytes as frames: server-sent events, or one JSON body.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_stream::stream;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use sse_stream::SseByteStream;

use super::deadline::Deadline;
use crate::error::ProviderError;

/// Largest frame and largest whole body, in bytes: no provider sends nearly as much, and memory is shared.
const MAX_FRAME: usize = 8 * 1024 * 1024;

/// One message of a provider's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Frame {
    /// The event's name, where it has one.
    pub event: Option<String>,
    /// The payload.
    pub data: String,
}

/// Frames as they arrive; ends at the end of input or after the first error.
pub type Frames = Pin<Box<dyn Stream<Item = Result<Frame, ProviderError>> + Send>>;

/// Reads a successful response. A body of JSON, from a model that its provider won't stream, is one frame.
pub fn read(response: reqwest::Response, idle: Duration, deadline: Deadline) -> Frames {
    let content_type = response.headers().get(CONTENT_TYPE);
    let is_json = content_type.is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let since_frame = Arc::new(AtomicUsize::new(0));
    let bytes = Box::pin(watched(response, idle, deadline, Arc::clone(&since_frame)));
    if is_json {
        return Box::pin(futures_util::stream::once(whole(bytes)));
    }
    let events = SseByteStream::new(bytes.map(|piece| piece.map_err(io::Error::other)));
    Box::pin(events.filter_map(move |event| {
        since_frame.store(0, Ordering::Relaxed);
        let frame = match event {
            Ok(sse_stream::Sse { data: None, .. }) => None,
            Ok(event) => Some(Ok(Frame {
                event: event.event,
                data: event.data.unwrap_or_default(),
            })),
            Err(error) => Some(Err(provider_error(error))),
        };
        std::future::ready(frame)
    }))
}

/// The body's bytes, each piece within the idle time. Any byte is a sign of life, comments too.
fn watched(
    mut response: reqwest::Response,
    idle: Duration,
    deadline: Deadline,
    since_frame: Arc<AtomicUsize>,
) -> impl Stream<Item = Result<Bytes, ProviderError>> + Send {
    stream! {
        loop {
            let piece = match deadline.within(idle, response.chunk()).await {
                Ok(Ok(None)) => return,
                Ok(Ok(Some(piece))) => Ok(piece),
                Ok(Err(error)) => Err(ProviderError::failed(format!("the connection broke: {}", root_cause(&error)))),
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
    let data = String::from_utf8(body).map_err(|_| ProviderError::failed("the body is not UTF-8"))?;
    Ok(Frame { event: None, data })
}

/// Gets our own error back out of the SSE decoder's.
fn provider_error(error: sse_stream::Error) -> ProviderError {
    let inner = match &error {
        sse_stream::Error::Body(source) => source
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
            .and_then(|source| source.downcast_ref::<ProviderError>()),
        _ => None,
    };
    inner
        .cloned()
        .unwrap_or_else(|| ProviderError::failed(error.to_string()))
}

/// The innermost message: the outer ones repeat the URL.
pub fn root_cause(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
