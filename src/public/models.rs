//! `GET …/models`: the one model that an assistant has, for clients that test their connection so.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
};
use serde::Serialize;
use utoipa::{OpenApi, ToSchema};

use super::App;
use crate::{assistant::Assistant, error::Error, http::document::Failures};

/// The assistant's one model, as a list.
#[utoipa::path(
    get,
    path = "/public/openai/v1/models",
    tag = "public",
    security(("public_token" = [])),
    responses(
        (status = 200, description = "A list of one model", body = ModelList),
        Failures,
    )
)]
pub(super) async fn list_models(State(app): State<Arc<App>>, request: Request) -> Result<Json<ModelList>, Error> {
    let assistant = app.assistant_of(&request.into_parts().0).await?;
    Ok(Json(ModelList {
        object: "list",
        data: [ModelObject::of(&assistant)?],
    }))
}

/// The assistant's one model, whatever the id.
#[utoipa::path(
    get,
    path = "/public/openai/v1/models/{id}",
    tag = "public",
    params(("id" = String, Path, description = "Any id, slashes included")),
    security(("public_token" = [])),
    responses(
        (status = 200, description = "The model", body = ModelObject),
        Failures,
    )
)]
pub(super) async fn show_model(State(app): State<Arc<App>>, request: Request) -> Result<Json<ModelObject>, Error> {
    let assistant = app.assistant_of(&request.into_parts().0).await?;
    Ok(Json(ModelObject::of(&assistant)?))
}

/// The document of [`show_model`], whose path the router has in words of its own.
#[derive(OpenApi)]
#[openapi(paths(show_model))]
pub(super) struct ShowModel;

/// OpenAI's list of models: the assistant's one.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModelList {
    /// `list`.
    object: &'static str,
    data: [ModelObject; 1],
}

/// OpenAI's model object, for the one model that an assistant has.
#[derive(Serialize, ToSchema)]
pub(crate) struct ModelObject {
    /// The model's name, as it is set.
    id: String,
    /// `model`.
    object: &'static str,
    /// When the assistant was created, in seconds since the epoch.
    created: i64,
    /// Who serves the model: a provider's name, or `own`.
    owned_by: &'static str,
    /// The paths below the base URL at which the assistant answers. OpenAI's own object has no such field; GitHub Copilot's has, and
    /// clients choose by it.
    supported_endpoints: [&'static str; 2],
}

impl ModelObject {
    fn of(assistant: &Assistant) -> Result<Self, Error> {
        let model = assistant.model()?;
        Ok(Self {
            owned_by: model.provider_name(),
            id: model.name,
            object: "model",
            created: assistant.created(),
            supported_endpoints: ["/chat/completions", "/responses"],
        })
    }
}
