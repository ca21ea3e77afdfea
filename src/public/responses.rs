//! `POST …/responses`: OpenAI's Responses API, by which the same assistants answer. Nothing is kept of a response.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};

mod bodies;
mod events;
mod failure;
mod form;
mod input;
mod input_schema;
mod layout;
mod logprobs;
mod request;

use super::{App, Asked};
use crate::{assistant::Assistant, error::Error, http::document::Failures};
use form::ResponseForm;
use request::ResponseRequest;

/// Answers a conversation with a response, or with `stream: true` by its server-sent events.
#[utoipa::path(
    post,
    path = "/public/openai/v1/responses",
    tag = "public",
    security(("public_token" = [])),
    request_body = input_schema::CreateResponse,
    responses(
        (
            status = 200,
            description = "The answer. With `stream: true` it is a stream of events, each named by its data's `type`",
            content((bodies::ResponseObject = "application/json"), (events::StreamEvent = "text/event-stream"))
        ),
        Failures,
    )
)]
pub(crate) async fn create_response(State(app): State<Arc<App>>, request: Request) -> Result<Response, Error> {
    let read = |body: &[u8], assistant: &Assistant| {
        let request = ResponseRequest::read(body)?;
        Ok(Asked {
            messages: request.messages,
            parameters: request.parameters,
            stream: request.stream,
            renamed: &request::RENAMED,
            form: ResponseForm::new(request.echo, &assistant.model()?)?,
        })
    };
    app.answer(request, read).await
}
