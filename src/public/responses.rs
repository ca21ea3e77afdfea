//! `POST …/responses`: OpenAI's Responses API, by which the same assistants answer, and what is kept of their responses.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    response::Response,
};
use serde_json::Value;

mod bodies;
mod events;
mod failure;
mod form;
mod ids;
mod input;
mod input_schema;
mod keeping;
pub(super) mod kept;
mod layout;
mod logprobs;
mod request;
mod state;

use super::{App, Asked};
use crate::{chat::parameters::Parameters, error::Error, http::document::Failures};
use form::ResponseForm;
use request::ResponseRequest;

/// What a request's body asks of the model, and what its response repeats, for tests that make bodies up.
///
/// # Errors
/// A 400 naming the field at fault.
pub fn read(body: &[u8]) -> Result<(Parameters, Value), Error> {
    let request = ResponseRequest::read(body)?;
    Ok((request.parameters, serde_json::json!(request.echo)))
}

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
    let (entered, body) = app.enter(request).await?;
    let request = ResponseRequest::read(&body)?;
    let model = entered.assistant.model()?;
    let conversation = app.conversation(&request, &entered).await?;
    let keeping = app.keeping(&request, &entered.assistant, &conversation);
    let digits = ids::fresh(entered.assistant.id())?;
    let asked = Asked {
        messages: conversation.messages,
        parameters: request.parameters,
        stream: request.stream,
        renamed: &request::RENAMED,
        form: ResponseForm::new(request.echo, digits, &model, keeping),
    };
    app.answer(entered, asked).await
}
