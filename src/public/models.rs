//! `GET …/models`: the one model that an assistant has, for clients that test their connection so.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::App;
use crate::{assistant::Assistant, error::Error, http::ErrorReply, provider::Model};

/// The assistant's one model, as a list.
#[utoipa::path(
    get,
    path = "/public/openai/v1/models",
    tag = "public",
    security(("public_token" = [])),
    responses(
        (status = 200, description = "A list of one", body = ModelList),
        (status = "4XX", description = "The request's fault", body = ErrorReply),
        (status = "5XX", description = "The provider's, the assistant's or the service's fault", body = ErrorReply),
    )
)]
pub(crate) async fn list_models(State(app): State<Arc<App>>, request: Request) -> Result<Response, Error> {
    let assistant = app.assistant_of(request).await?;
    let model = model_object(&assistant, &assistant.model()?);
    Ok(Json(json!({"object": "list", "data": [model]})).into_response())
}

/// The assistant's one model, whatever the id.
#[utoipa::path(
    get,
    path = "/public/openai/v1/models/{id}",
    tag = "public",
    params(("id" = String, Path, description = "Any, slashes included")),
    security(("public_token" = [])),
    responses(
        (status = 200, description = "The model", body = ModelObject),
        (status = "4XX", description = "The request's fault", body = ErrorReply),
        (status = "5XX", description = "The provider's, the assistant's or the service's fault", body = ErrorReply),
    )
)]
pub(crate) async fn show_model(State(app): State<Arc<App>>, request: Request) -> Result<Response, Error> {
    let assistant = app.assistant_of(request).await?;
    Ok(Json(model_object(&assistant, &assistant.model()?)).into_response())
}

/// OpenAI's model object for the one model that an assistant has.
fn model_object(assistant: &Assistant, model: &Model) -> Value {
    json!({
        "id": model.name,
        "object": "model",
        "created": assistant.created(),
        "owned_by": model.provider_name(),
    })
}

/// OpenAI's list of models: the assistant's one.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the document")]
pub(crate) struct ModelList {
    object: String,
    data: Vec<ModelObject>,
}

/// OpenAI's `model`.
#[derive(ToSchema)]
#[expect(dead_code, reason = "a shape for the document")]
pub(crate) struct ModelObject {
    id: String,
    object: String,
    created: i64,
    owned_by: String,
}
