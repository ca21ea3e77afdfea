//! The streamed reply: each delta as a `chat.completion.chunk` in a server-sent event.
//!
//! Lines are `data: …` or `: comment` and nothing else. An error leaves as data, never as an error of the body: the
//! Lambda runtime would write that into the body as text and end it cleanly.

use std::{convert::Infallible, time::Duration};

use async_stream::stream;
use axum::{
    body::Body,
    http::header,
    response::{IntoResponse, Response},
};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    answer::{Answer, Awaited},
    chat::delta::{Delta, FinishReason, Usage},
    config::Timeouts,
    error::{Error, ProviderError},
    provider::Model,
    public::chat_completions::completion::{ChunkChoice, Head},
    record::Record,
};

const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";
const DONE: &[u8] = b"data: [DONE]\n\n";
/// How many events that are ready together share a write at most.
const SHARED_WRITE: usize = 64;

/// Waits until the answer has begun, up to `commit_after` since the request came in; then commits to 200 and sends each delta as it comes.
///
/// # Errors
/// What went wrong before the reply was committed.
pub async fn reply(
    mut awaited: Awaited,
    include_usage: bool,
    timeouts: &Timeouts,
    mut record: Record,
) -> Result<Response, Error> {
    let commit_after = timeouts.commit_after.saturating_sub(record.elapsed());
    let begun = match timeout(commit_after, &mut awaited).await {
        Ok(Ok(answer)) => Some(answer),
        Ok(Err(error)) => {
            record.failed(&error);
            return Err(error);
        }
        Err(_) => None,
    };
    let events = events(begun, awaited, include_usage, timeouts.keep_alive, record);
    let writes = events
        .ready_chunks(SHARED_WRITE)
        .map(|events| Ok::<_, Infallible>(joined(events)));
    let headers = [(header::CONTENT_TYPE, "text/event-stream; charset=utf-8")];
    Ok((headers, Body::from_stream(writes)).into_response())
}

/// `begun` is `None` where the reply was committed before the answer began.
fn events(
    mut begun: Option<Answer>,
    mut awaited: Awaited,
    include_usage: bool,
    keep_alive: Duration,
    mut record: Record,
) -> impl Stream<Item = Bytes> + Send {
    stream! {
        let Answer { model, mut deltas } = loop {
            if let Some(answer) = begun.take() {
                break answer;
            }
            yield Bytes::from_static(KEEP_ALIVE);
            match timeout(keep_alive, &mut awaited).await {
                Err(_) => {}
                Ok(Ok(answer)) => begun = Some(answer),
                Ok(Err(error)) => {
                    record.failed(&error);
                    yield data(&error.body());
                    return;
                }
            }
        };
        record.answering(&model);
        let mut chunks = Chunks::new(&model, include_usage);
        loop {
            match timeout(keep_alive, deltas.next()).await {
                Err(_) => yield Bytes::from_static(KEEP_ALIVE),
                Ok(Some(Ok(delta))) => {
                    if let Some(event) = chunks.delta(delta, &mut record) {
                        yield event;
                    }
                }
                Ok(end) => {
                    // The last piece of the body: the log comes before it.
                    yield chunks.end(end.and_then(Result::err), &mut record);
                    return;
                }
            }
        }
    }
}

/// By construction a decoder's answer has one.
fn without_finish() -> Error {
    ProviderError::failed("the answer has no finish reason").into()
}

/// Makes chunks of deltas.
struct Chunks {
    head: Head,
    include_usage: bool,
    role_sent: bool,
    finish: Option<FinishReason>,
    usage: Option<Usage>,
}

impl Chunks {
    fn new(model: &Model, include_usage: bool) -> Self {
        Self {
            head: Head::new(model),
            include_usage,
            role_sent: false,
            finish: None,
            usage: None,
        }
    }

    /// The event for a delta; finish and usage are kept for the end.
    fn delta(&mut self, delta: Delta, record: &mut Record) -> Option<Bytes> {
        let (field, text, logprobs) = match delta {
            Delta::Text { text, logprobs } => ("content", text, logprobs),
            Delta::Reasoning(text) => ("reasoning_content", text, None),
            Delta::Refusal(text) => ("refusal", text, None),
            Delta::Finish(reason) => {
                self.finish = Some(reason);
                return None;
            }
            Delta::Usage(usage) => {
                record.usage(usage);
                self.usage = Some(usage);
                return None;
            }
        };
        if field != "reasoning_content" {
            record.text();
        }
        Some(self.text(field, text, logprobs))
    }

    fn text(&mut self, field: &str, text: String, logprobs: Option<Value>) -> Bytes {
        let mut choice = ChunkChoice {
            logprobs,
            ..ChunkChoice::default()
        };
        if !std::mem::replace(&mut self.role_sent, true) {
            choice.delta.insert("role".into(), json!("assistant"));
        }
        choice.delta.insert(field.to_owned(), json!(text));
        self.event(Some(choice), Value::Null)
    }

    /// What ends the body: finish, usage and `[DONE]` of a complete answer, or one error.
    fn end(&mut self, failure: Option<Error>, record: &mut Record) -> Bytes {
        let outcome = match (failure, self.finish) {
            (None, Some(reason)) => Ok(reason),
            (None, None) => Err(without_finish()),
            (Some(error), _) => Err(error),
        };
        match outcome {
            Err(error) => {
                record.failed(&error);
                data(&error.body())
            }
            Ok(reason) => {
                record.finished(reason);
                self.complete(reason)
            }
        }
    }

    fn complete(&mut self, reason: FinishReason) -> Bytes {
        let mut events = Vec::new();
        if !self.role_sent {
            events.push(self.text("content", String::new(), None));
        }
        let finish = ChunkChoice {
            finish_reason: Some(reason),
            ..ChunkChoice::default()
        };
        events.push(self.event(Some(finish), Value::Null));
        if let (true, Some(usage)) = (self.include_usage, self.usage) {
            events.push(self.event(None, usage.to_json()));
        }
        events.push(Bytes::from_static(DONE));
        joined(events)
    }

    fn event(&self, choice: Option<ChunkChoice>, usage: Value) -> Bytes {
        data(&self.head.chunk(choice, self.include_usage.then_some(usage)))
    }
}

fn data(value: &Value) -> Bytes {
    Bytes::from(format!("data: {value}\n\n"))
}

fn joined(events: Vec<Bytes>) -> Bytes {
    match <[Bytes; 1]>::try_from(events) {
        Ok([event]) => event,
        Err(events) => events
            .into_iter()
            .fold(BytesMut::new(), |mut all, event| {
                all.extend_from_slice(&event);
                all
            })
            .freeze(),
    }
}
