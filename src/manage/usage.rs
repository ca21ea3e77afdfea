//! What an owner's assistant uses.

use std::sync::Arc;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, Uri},
};

use super::{Id, Manage};
use crate::{
    error::Error,
    http::{document::Failures, query::Query},
    usage::{UsageReport, range},
};

/// What one of the caller's assistants used: replies, failures and tokens a day.
#[utoipa::path(
    get,
    path = "/assistants/{id}/usage",
    tag = "management",
    security(("jwt" = [])),
    params(
        ("id" = String, Path, description = "The assistant's id"),
        ("from" = Option<String>, Query, format = Date, description = "The first day, in UTC; 29 days before the last unless given"),
        ("to" = Option<String>, Query, format = Date, description = "The last day, in UTC; today unless given. A range has at most 92 days")
    ),
    responses(
        (status = 200, description = "The usage", body = UsageReport),
        Failures,
    )
)]
pub(super) async fn show(
    State(manage): State<Arc<Manage>>,
    id: Id,
    uri: Uri,
    headers: HeaderMap,
) -> Result<Json<UsageReport>, Error> {
    let record = manage.own(&headers, &id).await?;
    let usage = manage.usage.as_ref().ok_or(Error::UsageNotCounted)?;
    let query = Query::of(&uri);
    let days = range(query.get("from"), query.get("to")).map_err(|(param, why)| Error::invalid(param, why))?;
    Ok(Json(usage.report(record.assistant_id, days).await?))
}
