//! `POST …/chat/completions`: OpenAI's chat completions API.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};

mod bodies;
mod form;
mod message_schema;
pub mod request;

use super::{App, Asked};
use crate::{error::Error, http::document::Failures};
use form::Completion;
use request::ChatRequest;

/// Answers a conversation with JSON, or with `stream: true` by server-sent events that `[DONE]` ends.
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
    let (entered, body) = app.enter(request).await?;
    let request = ChatRequest::read(&body)?;
    let asked = Asked {
        messages: request.messages,
        parameters: request.parameters,
        stream: request.stream,
        renamed: &[],
        form: Completion::new(request.include_usage),
    };
    app.answer(entered, asked).await
}
