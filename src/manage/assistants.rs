//! An owner's assistants: created, listed, shown, changed, deleted.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};

use super::{
    Id, Manage,
    bodies::{AssistantList, AssistantPatch, AssistantReply, NewAssistant},
    change::Patch,
};
use crate::{
    assistant::{
        Record,
        store::{claims::Grace, list::MAX_PAGE, transaction::WriteError},
    },
    audit::{self, Action, By},
    error::Error,
    http::{document::Failures, query::Query, read_body},
    token::Token,
};

/// Largest request body, in bytes: an item of `DynamoDB` has at most 400 KB.
const MAX_BODY: usize = 256 * 1024;
/// How often a change without `If-Match` is made again on top of somebody else's.
const MAX_CHANGES: u32 = 6;

/// Creates an assistant. One that is public and has no token gets a generated one, shown this once.
#[utoipa::path(
    post,
    path = "/assistants",
    tag = "management",
    security(("jwt" = [])),
    request_body = NewAssistant,
    responses(
        (status = 201, description = "The new assistant", body = AssistantReply),
        Failures,
    )
)]
pub(super) async fn create(State(manage): State<Arc<Manage>>, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let body = read_body(&parts.headers, body, MAX_BODY).await;
    let owner_id = manage.verifier.owner(&parts.headers).await?;
    let patched = Patch::read(&body?)?.apply(&Record::default(), &manage.rules)?;
    let (new, generated) = patched.into_new(owner_id);
    let unknown = Record {
        owner_id: new.owner_id.clone(),
        ..Record::default()
    };
    let created = manage
        .store
        .create_within(new, manage.rules.max_assistants_per_owner)
        .await;
    let record = noted(created, Action::Create, &unknown)?;
    audit::written(By::Owner(&record.owner_id), Action::Create, &record);
    let location = format!("/assistants/{}", record.assistant_id);
    let mut response = (StatusCode::CREATED, representation(&record, generated.as_ref(), None)).into_response();
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// The caller's assistants, oldest first.
#[utoipa::path(
    get,
    path = "/assistants",
    tag = "management",
    security(("jwt" = [])),
    params(
        ("limit" = Option<i32>, Query, minimum = 1, maximum = 100, description = "How many assistants a page has at most; 20 unless given"),
        ("after" = Option<String>, Query, description = "The `next` of the page before")
    ),
    responses(
        (status = 200, description = "A page of assistants", body = AssistantList),
        Failures,
    )
)]
pub(super) async fn list(State(manage): State<Arc<Manage>>, uri: Uri, headers: HeaderMap) -> Result<Response, Error> {
    let owner = manage.verifier.owner(&headers).await?;
    let query = Query::of(&uri);
    let (records, next) = manage
        .store
        .page(&owner, query.limit(MAX_PAGE)?, query.get("after"))
        .await?;
    Ok(Json(AssistantList::new(&records, next)).into_response())
}

/// One of the caller's assistants.
#[utoipa::path(
    get,
    path = "/assistants/{id}",
    tag = "management",
    security(("jwt" = [])),
    params(("id" = String, Path, description = "The assistant's id")),
    responses(
        (status = 200, description = "The assistant", body = AssistantReply),
        Failures,
    )
)]
pub(super) async fn show(State(manage): State<Arc<Manage>>, id: Id, headers: HeaderMap) -> Result<Response, Error> {
    Ok(representation(&manage.own(&headers, &id).await?, None, None))
}

/// Changes an assistant by a JSON Merge Patch (RFC 7396).
#[utoipa::path(
    patch,
    path = "/assistants/{id}",
    tag = "management",
    security(("jwt" = [])),
    params(("id" = String, Path, description = "The assistant's id"),
        ("if-match" = Option<String>, Header, description = "The `ETag` of the version that the change is made for; another version is a 412")),
    request_body = AssistantPatch,
    responses(
        (status = 200, description = "The changed assistant", body = AssistantReply),
        Failures,
    )
)]
pub(super) async fn update(State(manage): State<Arc<Manage>>, id: Id, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let body = read_body(&parts.headers, body, MAX_BODY).await;
    let mut record = manage.own(&parts.headers, &id).await?;
    let patch = Patch::read(&body?)?;
    for attempt in 1.. {
        check_version(&parts.headers, &record)?;
        let change = patch.clone().apply(&record, &manage.rules)?;
        let (generated, grace) = (change.generated.clone(), change.grace);
        let updated = manage.store.update(&record, change.into()).await;
        match noted(updated, Action::Update(&record), &record) {
            Ok(changed) => {
                audit::written(By::Owner(&changed.owner_id), Action::Update(&record), &changed);
                return Ok(representation(&changed, generated.as_ref(), grace));
            }
            // Somebody else was faster: the patch goes on top of theirs, or with If-Match fails.
            Err(WriteError::Changed) if attempt < MAX_CHANGES => {
                pause(attempt).await;
                record = manage.own(&parts.headers, &id).await?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::NoSuchAssistant)
}

/// Deletes an assistant, and erases what is kept of its conversations; its token is a 404 for its callers from then on.
/// Where a 503 says that not all is erased, the same request goes on with it.
#[utoipa::path(
    delete,
    path = "/assistants/{id}",
    tag = "management",
    security(("jwt" = [])),
    params(("id" = String, Path, description = "The assistant's id"),
        ("if-match" = Option<String>, Header, description = "The `ETag` of the version that the change is made for; another version is a 412")),
    responses(
        (status = 204, description = "The assistant is deleted"),
        Failures,
    )
)]
pub(super) async fn delete(State(manage): State<Arc<Manage>>, id: Id, headers: HeaderMap) -> Result<StatusCode, Error> {
    for attempt in 1.. {
        let record = match manage.own(&headers, &id).await {
            Err(Error::NoSuchAssistant) => return manage.erase_remains(&headers, &id).await,
            record => record?,
        };
        check_version(&headers, &record)?;
        match noted(manage.store.delete(&record).await, Action::Delete, &record) {
            Ok(()) => {
                audit::written(By::Owner(&record.owner_id), Action::Delete, &record);
                // Only now, since until now its callers could add to it.
                manage.erase_deleted(&record).await?;
                break;
            }
            Err(WriteError::Changed) if attempt < MAX_CHANGES => pause(attempt).await,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Notes a write of an owner's that may have been made all the same.
fn noted<T>(written: Result<T, WriteError>, action: Action<'_>, record: &Record) -> Result<T, WriteError> {
    if let Err(WriteError::Unsettled(_)) = &written {
        audit::perhaps_written(By::Owner(&record.owner_id), action, record);
    }
    written
}

/// Lets those who are changing the same assistant get ahead of each other.
async fn pause(attempt: u32) {
    tokio::time::sleep(Duration::from_millis(fastrand::u64(5..25) << attempt)).await;
}

/// `If-Match` holds the version that the caller has seen, `*` for any.
fn check_version(headers: &HeaderMap, record: &Record) -> Result<(), Error> {
    let Some(expected) = headers.get(header::IF_MATCH) else {
        return Ok(());
    };
    let current = etag(record);
    let expected = expected.to_str().unwrap_or_default();
    let fits = expected
        .split(',')
        .map(|tag| tag.trim().trim_start_matches("W/"))
        .any(|tag| tag == "*" || tag == current);
    fits.then_some(()).ok_or(Error::VersionMismatch)
}

fn etag(record: &Record) -> String {
    format!("\"{}\"", record.version)
}

/// `token` is one that was generated just now, and `grace` the old one's.
fn representation(record: &Record, token: Option<&Token>, grace: Option<Grace>) -> Response {
    let mut response = Json(AssistantReply::new(record).with_token(token, grace)).into_response();
    if let Ok(etag) = HeaderValue::try_from(etag(record)) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

impl From<WriteError> for Error {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::TokenTaken => Self::TokenTaken,
            WriteError::TooManyAssistants => Self::TooManyAssistants(error.to_string()),
            WriteError::NothingToKeep => {
                Self::invalid_with_code("token_grace_seconds", "invalid_value", error.to_string())
            }
            WriteError::Changed => Self::Unavailable {
                cause: "an assistant is being changed too often at once".into(),
            },
            WriteError::Store(error) | WriteError::Unsettled(error) => error,
        }
    }
}
