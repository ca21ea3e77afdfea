//! `POST …/chat/completions`: the path of a request as one function.

use std::{sync::Arc, time::Instant};

use axum::{
    extract::{Request, State},
    response::Response,
};

mod bodies;
mod form;
mod message_schema;
pub mod request;

use super::{App, function_deadline};
use crate::{
    answer,
    error::Error,
    http::{document::Failures, read_body},
    record::ReplyRecord,
    reply,
};
use form::Completion;
use request::ChatRequest;

/// Largest request body, in bytes.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// Answers a conversation with JSON, or with `stream: true` by server-sent events that `[DONE]` ends.
// The path of a chat request: each step is a module of this crate, in this order.
#[utoipa::path(
    post,
    path = "/public/openai/v1/chat/completions",
    tag = "public",
    security(("public_token" = [])),
    request_body = bodies::ChatCompletionRequest,
    responses(
        (
            status = 200,
            description = "The answer. With `stream: true` it is a stream of events, each with a chunk as its data",
            content((bodies::ChatCompletion = "application/json"), (bodies::ChatCompletionChunk = "text/event-stream"))
        ),
        Failures,
    )
)]
pub(crate) async fn chat_completions(State(app): State<Arc<App>>, request: Request) -> Result<Response, Error> {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let deadline = function_deadline(&parts);
    let body = read_body(&parts.headers, body, MAX_BODY).await;
    let assistant = app.authorize(&parts.headers, deadline).await?;
    let body = body?;
    let request = ChatRequest::read(&body)?;
    let (stream, include_usage) = (request.stream, request.include_usage);
    let (model, fallbacks) = (assistant.model()?, assistant.fallback_models()?);
    let limits = assistant.limits(&app.ceilings)?;
    let prompt = assistant.prompt(request.messages, request.parameters, &limits)?;
    let limit = if stream {
        app.timeouts.max_stream
    } else {
        app.timeouts.buffered
    };
    let deadline = deadline.limited(started, limit);
    let caller = parts.extensions.get().copied().unwrap_or_default();
    let left = app.admit(&assistant, &limits, caller, deadline).await?;
    let mut record = ReplyRecord::new(assistant.id().to_owned(), &model, stream, started, deadline);
    if let Some(usage) = &app.usage {
        record.at_end(usage.settling(assistant.id().to_owned(), prompt.text_bytes()));
    }
    let answer = Box::pin(Arc::clone(&app.upstream).answer(model, fallbacks, prompt, deadline));
    let answer = answer::until(parts.extensions.get().cloned(), answer);
    let form = Completion::new(include_usage);
    let reply = if stream {
        reply::streamed::reply(answer, form, &app.timeouts, record).await
    } else {
        reply::buffered::reply(answer, form, record).await
    };
    // The reply's own record says why there is none.
    let mut reply = reply.unwrap_or_else(Error::into_logged_response);
    if let Some(left) = left {
        left.write(reply.headers_mut());
    }
    Ok(reply)
}
