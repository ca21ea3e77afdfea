//! A token to try an assistant with, before it is public.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{Id, Manage};
use crate::{
    audit::{self, Action, By},
    error::Error,
    http::document::Failures,
    token::Token,
};

/// A token for one assistant and a short time.
#[derive(Serialize, ToSchema)]
pub(crate) struct TrialToken {
    /// Opens the assistant whatever its access mode and origins, and counts against its limits.
    token: String,
    /// RFC 3339, 15 minutes from now.
    expires_at: String,
}

/// Makes a token to try one of the caller's assistants with, whatever its access mode.
#[utoipa::path(
    post,
    path = "/assistants/{id}/trial",
    tag = "management",
    security(("jwt" = [])),
    params(("id" = String, Path, description = "The assistant's id")),
    responses(
        (status = 201, description = "The token", body = TrialToken),
        Failures,
    )
)]
pub(super) async fn create(State(manage): State<Arc<Manage>>, id: Id, headers: HeaderMap) -> Result<Response, Error> {
    let record = manage.own(&headers, &id).await?;
    let token = Token::generate_trial().map_err(|error| Error::Unavailable {
        cause: error.to_string(),
    })?;
    let until = manage.store.put_trial(&token.digest(), &record).await?;
    audit::written(By::Owner(&record.owner_id), Action::CreateTrial, &record);
    let trial = TrialToken {
        token: token.reveal().to_owned(),
        expires_at: until.valid_until(),
    };
    Ok((StatusCode::CREATED, Json(trial)).into_response())
}
