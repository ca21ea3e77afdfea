//! What is kept of the conversations with an owner's assistant.

use std::sync::Arc;

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode},
};

use super::{Id, Manage};
use crate::{
    audit::{self, Action, By},
    error::Error,
    http::document::Failures,
};

/// Erases all responses that are kept of one of the caller's assistants. The assistant stays.
#[utoipa::path(
    delete,
    path = "/assistants/{id}/responses",
    tag = "management",
    security(("jwt" = [])),
    params(("id" = String, Path, description = "The assistant's id")),
    responses(
        (status = 204, description = "The responses are erased"),
        Failures,
    )
)]
pub(super) async fn erase(State(manage): State<Arc<Manage>>, id: Id, headers: HeaderMap) -> Result<StatusCode, Error> {
    let record = manage.own(&headers, &id).await?;
    let responses = manage.responses.as_ref().ok_or(Error::ResponsesNotKept)?;
    responses.erase(&record.assistant_id).await?;
    audit::written(By::Owner(&record.owner_id), Action::EraseResponses, &record);
    Ok(StatusCode::NO_CONTENT)
}
