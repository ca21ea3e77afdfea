//! The management API: owners create, read, change and delete their assistants.

use std::{collections::HashMap, sync::Arc};

use aws_config::SdkConfig;
use axum::{
    Json, Router,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
    routing::get,
};
use serde_json::{Value, json};
use url::form_urlencoded;

pub mod change;
pub mod jwt;
pub(crate) mod shapes;
pub mod validate;

use crate::{
    assistant::{
        Record,
        store::{Store, claims::Grace, list::MAX_PAGE, transaction::WriteError},
    },
    config::ManageConfig,
    error::Error,
    http::{ErrorReply, read_body},
    token::Token,
};
use change::Patch;
use jwt::Verifier;

/// Largest request body, in bytes: an item of `DynamoDB` has at most 400 KB.
const MAX_BODY: usize = 256 * 1024;
/// How often a change without `If-Match` is made again on top of somebody else's.
const MAX_ATTEMPTS: u32 = 5;

/// What all requests share.
#[derive(Debug)]
pub struct Manage {
    /// Where assistants are kept.
    pub store: Store,
    /// Who the caller is.
    pub verifier: Verifier,
    /// Whether `base_url` may be plain http or a private address.
    pub allow_private_providers: bool,
}

/// The routes without what surrounds them, to be merged with others.
pub fn routes(manage: Arc<Manage>) -> Router {
    Router::new()
        .route("/assistants", get(list).post(create))
        .route("/assistants/{id}", get(show).patch(update).delete(delete))
        .with_state(manage)
}

impl Manage {
    /// Builds the clients; with `JWT_SECRET_ID` the secret is read.
    ///
    /// # Errors
    /// One line that names the setting.
    pub async fn new(config: &ManageConfig, aws: &SdkConfig) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        Ok(Self {
            store: Store::new(aws, config.tables.clone()),
            verifier: Verifier::new(&config.jwt, aws).await?,
            allow_private_providers: config.allow_private_providers,
        })
    }

    /// The caller's own assistant; anybody else's is not there.
    async fn own(&self, headers: &HeaderMap, id: &Id) -> Result<Record, Error> {
        let owner = self.verifier.owner(headers).await?;
        let Ok(Path(id)) = id else {
            return Err(Error::NoSuchAssistant);
        };
        let record = self.store.get(id).await?;
        record
            .filter(|record| record.owner_id == owner)
            .ok_or(Error::NoSuchAssistant)
    }
}

/// Creates an assistant. One that is public and has no token gets a generated one, shown this once.
#[utoipa::path(
    post,
    path = "/assistants",
    tag = "management",
    security(("jwt" = [])),
    request_body = shapes::AssistantPatch,
    responses(
        (status = 201, description = "It", body = shapes::AssistantReply),
        (status = "4XX", description = "The request's fault", body = ErrorReply),
        (status = "5XX", description = "The provider's, the assistant's or the service's fault", body = ErrorReply),
    )
)]
pub(crate) async fn create(State(manage): State<Arc<Manage>>, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let body = read_body(body, MAX_BODY).await;
    let owner_id = manage.verifier.owner(&parts.headers).await?;
    let patched = Patch::read(&body?)?.apply(&Record::default(), manage.allow_private_providers)?;
    let (new, generated) = patched.into_new(owner_id);
    let record = manage.store.create(new).await?;
    let location = format!("/assistants/{}", record.assistant_id);
    let mut response = (StatusCode::CREATED, representation(&record, generated.as_ref(), None)).into_response();
    if let Ok(location) = HeaderValue::try_from(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// An id in the path, unless it is none: decoded it has to be UTF-8.
type Id = Result<Path<String>, PathRejection>;

/// The caller's assistants, oldest first.
#[utoipa::path(
    get,
    path = "/assistants",
    tag = "management",
    security(("jwt" = [])),
    params(
        ("limit" = Option<i32>, Query, description = "1 to 100, 20 unless given"),
        ("after" = Option<String>, Query, description = "`next` of the page before")
    ),
    responses(
        (status = 200, description = "A page", body = shapes::AssistantList),
        (status = "4XX", description = "The request's fault", body = ErrorReply),
        (status = "5XX", description = "The provider's, the assistant's or the service's fault", body = ErrorReply),
    )
)]
pub(crate) async fn list(State(manage): State<Arc<Manage>>, uri: Uri, headers: HeaderMap) -> Result<Response, Error> {
    let owner = manage.verifier.owner(&headers).await?;
    let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    let query: HashMap<_, _> = query.into_owned().collect();
    let limit = match query.get("limit") {
        None => 20,
        Some(limit) => limit
            .parse()
            .ok()
            .filter(|limit| (1..=MAX_PAGE).contains(limit))
            .ok_or_else(|| Error::invalid("limit", format!("'limit' must be a number from 1 to {MAX_PAGE}.")))?,
    };
    let (records, next) = manage
        .store
        .page(&owner, limit, query.get("after").map(String::as_str))
        .await?;
    let data: Vec<_> = records.iter().map(to_json).collect();
    Ok(Json(json!({"object": "list", "data": data, "has_more": next.is_some(), "next": next})).into_response())
}

/// One of the caller's assistants.
#[utoipa::path(
    get,
    path = "/assistants/{id}",
    tag = "management",
    security(("jwt" = [])),
    params(("id" = String, Path, description = "The assistant's id")),
    responses(
        (status = 200, description = "It", body = shapes::AssistantReply),
        (status = "4XX", description = "The request's fault", body = ErrorReply),
        (status = "5XX", description = "The provider's, the assistant's or the service's fault", body = ErrorReply),
    )
)]
pub(crate) async fn show(State(manage): State<Arc<Manage>>, id: Id, headers: HeaderMap) -> Result<Response, Error> {
    Ok(representation(&manage.own(&headers, &id).await?, None, None))
}

/// Changes an assistant by a JSON Merge Patch (RFC 7396).
#[utoipa::path(
    patch,
    path = "/assistants/{id}",
    tag = "management",
    security(("jwt" = [])),
    params(("id" = String, Path, description = "The assistant's id"),
        ("if-match" = Option<String>, Header, description = "The version it must have")),
    request_body = shapes::AssistantPatch,
    responses(
        (status = 200, description = "It, changed", body = shapes::AssistantReply),
        (status = "4XX", description = "The request's fault", body = ErrorReply),
        (status = "5XX", description = "The provider's, the assistant's or the service's fault", body = ErrorReply),
    )
)]
pub(crate) async fn update(State(manage): State<Arc<Manage>>, id: Id, request: Request) -> Result<Response, Error> {
    let (parts, body) = request.into_parts();
    let body = read_body(body, MAX_BODY).await;
    let mut record = manage.own(&parts.headers, &id).await?;
    let patch = Patch::read(&body?)?;
    for attempt in 1.. {
        check_version(&parts.headers, &record)?;
        let change = patch.clone().apply(&record, manage.allow_private_providers)?;
        let (generated, grace) = (change.generated.clone(), change.grace);
        match manage.store.update(&record, change.into()).await {
            Ok(record) => return Ok(representation(&record, generated.as_ref(), grace)),
            // Somebody else was faster: the patch goes on top of theirs, or with If-Match fails.
            Err(WriteError::Changed) if attempt < MAX_ATTEMPTS => record = manage.own(&parts.headers, &id).await?,
            Err(error) => return Err(error.into()),
        }
    }
    Err(Error::NoSuchAssistant)
}

/// Deletes an assistant; its token is a 404 for its callers from then on.
#[utoipa::path(
    delete,
    path = "/assistants/{id}",
    tag = "management",
    security(("jwt" = [])),
    params(("id" = String, Path, description = "The assistant's id"),
        ("if-match" = Option<String>, Header, description = "The version it must have")),
    responses(
        (status = 204, description = "It is gone"),
        (status = "4XX", description = "The request's fault", body = ErrorReply),
        (status = "5XX", description = "The provider's, the assistant's or the service's fault", body = ErrorReply),
    )
)]
pub(crate) async fn delete(State(manage): State<Arc<Manage>>, id: Id, headers: HeaderMap) -> Result<Response, Error> {
    for attempt in 1.. {
        let record = manage.own(&headers, &id).await?;
        check_version(&headers, &record)?;
        match manage.store.delete(&record).await {
            Ok(()) => break,
            Err(WriteError::Changed) if attempt < MAX_ATTEMPTS => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(StatusCode::NO_CONTENT.into_response())
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

/// `token` is one that was generated just now, and `grace` the old one's: both are shown this once.
fn representation(record: &Record, token: Option<&Token>, grace: Option<Grace>) -> Response {
    let mut shown = to_json(record);
    if let Some(token) = token {
        shown["public_token"] = json!(token.reveal());
    }
    if let Some(grace) = grace {
        shown["old_token_valid_until"] = json!(grace.valid_until());
    }
    let mut response = Json(shown).into_response();
    if let Ok(etag) = HeaderValue::try_from(etag(record)) {
        response.headers_mut().insert(header::ETAG, etag);
    }
    response
}

/// An assistant as its owner sees it.
fn to_json(record: &Record) -> Value {
    let mut config = record.config.clone();
    if let Some(Value::Object(configurable)) = config.get_mut("configurable") {
        // Not by this API, but an item may have been written by another.
        configurable.retain(|key, _| !key.ends_with("public_token"));
    }
    json!({
        "assistant_id": record.assistant_id,
        "owner_id": record.owner_id,
        "name": record.name,
        "token_hint": record.token_hint,
        "config": config,
        "version": record.version,
        "created_at": record.created_at,
        "updated_at": record.updated_at,
    })
}

impl From<WriteError> for Error {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::TokenTaken => Self::TokenTaken,
            WriteError::NothingToKeep => {
                Self::invalid_with_code("token_grace_seconds", "invalid_value", error.to_string())
            }
            WriteError::Changed => Self::Unavailable {
                cause: "an assistant is being changed too often at once".into(),
            },
            WriteError::Store(error) => error,
        }
    }
}
