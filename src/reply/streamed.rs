//! The streamed reply: each delta as server-sent events.
//!
//! An error leaves as data, never as an error of the body: the Lambda runtime would write that into the body as text and
//! end it cleanly.

use std::{convert::Infallible, future::ready, time::Duration};

use async_stream::stream;
use axum::{
    body::Body,
    http::{HeaderMap, HeaderName, header},
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use serde_json::json;
use tokio::time::timeout;

use super::form::Form;
use crate::{
    answer::{Answer, Awaited, Omitted, Progress},
    config::Timeouts,
    error::Error,
    record::ReplyRecord,
};

/// A comment, which every reader of events passes over.
const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";
/// How many pieces that are ready together share a write at most.
const SHARED_WRITE: usize = 64;

/// Waits until the answer has begun, up to `commit_after` since the request came in; then commits to 200 and sends each delta as it comes.
///
/// # Errors
/// What went wrong before the reply was committed.
pub(crate) async fn reply(
    mut awaited: Awaited,
    form: impl Form,
    timeouts: &Timeouts,
    mut record: ReplyRecord,
) -> Result<Response, Error> {
    let commit_after = timeouts.commit_after.saturating_sub(record.elapsed());
    let begun = match timeout(commit_after, &mut awaited).await {
        Ok(answer) => match record.begun(answer) {
            Ok(answer) => Some(answer),
            Err(error) => {
                record.failed(&error);
                record.end().await;
                return Err(error);
            }
        },
        Err(_) => None,
    };
    let mut omitted = HeaderMap::new();
    if let Some(answer) = &begun {
        answer.omitted.write(&mut omitted);
    }
    let writes = pieces(begun, awaited, form, timeouts.keep_alive, record)
        .filter(|piece| ready(!piece.is_empty()))
        .ready_chunks(SHARED_WRITE)
        .map(|pieces| Ok::<_, Infallible>(joined(pieces)));
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream; charset=utf-8"),
        // Else nginx holds the stream back until it ends.
        // <https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering>, read 2026-11
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((headers, omitted, Body::from_stream(writes)).into_response())
}

/// The body, some pieces of which may be empty. `begun` is `None` where the reply was committed before the answer began.
fn pieces(
    mut begun: Option<Answer>,
    mut awaited: Awaited,
    mut form: impl Form,
    keep_alive: Duration,
    mut record: ReplyRecord,
) -> impl Stream<Item = Bytes> + Send {
    stream! {
        let mut out = BytesMut::new();
        let mut progress = Progress::default();
        let failure = 'answer: {
            let mut is_late = false;
            let mut answer = loop {
                if let Some(answer) = begun.take() {
                    break answer;
                }
                is_late = true;
                yield Bytes::from_static(KEEP_ALIVE);
                if let Ok(answer) = timeout(keep_alive, &mut awaited).await {
                    match record.begun(answer) {
                        Ok(answer) => begun = Some(answer),
                        Err(error) => break 'answer Some(error),
                    }
                }
            };
            let Omitted { parameters, for_owner, .. } = &answer.omitted;
            if is_late && *for_owner && !parameters.is_empty() {
                out.extend_from_slice(format!(": omitted {}\n\n", json!(parameters)).as_bytes());
            }
            form.begin(&answer.model, &mut out);
            loop {
                yield out.split().freeze();
                match timeout(keep_alive, answer.deltas.next()).await {
                    Err(_) => yield Bytes::from_static(KEEP_ALIVE),
                    Ok(Some(Ok(delta))) => {
                        record.delta(&delta);
                        if let Err(error) = form.delta(&delta, &mut out) {
                            break Some(error);
                        }
                        progress.note(&delta);
                    }
                    Ok(end) => break end.and_then(Result::err),
                }
            }
        };
        match failure.map_or_else(|| progress.ended(), Err) {
            Ok(ended) => {
                record.finished(ended.finish);
                let at_end = form.finish(ended, &mut out);
                yield out.split().freeze();
                // Not where the client has gone away before.
                record.also_at_end(at_end);
                record.end().await;
                form.end(ended, &mut out);
            }
            Err(error) => {
                record.failed(&error);
                record.end().await;
                form.error(&error, &mut out);
            }
        }
        yield out.freeze();
    }
}

fn joined(pieces: Vec<Bytes>) -> Bytes {
    match <[Bytes; 1]>::try_from(pieces) {
        Ok([piece]) => piece,
        Err(pieces) => pieces.concat().into(),
    }
}
