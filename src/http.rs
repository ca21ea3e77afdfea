//! The public function's routes, and the path of a request as one function.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use aws_config::SdkConfig;
use axum::{
    Extension, Json, Router,
    body::{Body, Bytes},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, Uri, header, request::Parts},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Value, json};
use tower::util::MapRequestLayer;
use tower_http::cors::{AllowHeaders, Any, CorsLayer};
use utoipa::OpenApi;

use crate::{
    assistant::{
        Assistant,
        store::{Lookup, Store},
    },
    chat::{completion::model_object, prompt::Prompt, request::ChatRequest},
    config::{Config, Timeouts},
    error::{Error, SHOULD_RETRY, Unlogged},
    openapi,
    provider::keys::ProviderKeys,
    reply::{self, record::Record},
    secrets::secrets_client,
    token::Token,
    upstream::{Upstream, deadline::Deadline, role::Role},
};

/// Largest request body, in bytes.
const MAX_BODY: usize = 4 * 1024 * 1024;
static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What all requests share.
#[derive(Debug)]
pub struct App {
    /// Where assistants are found.
    pub store: Store,
    /// What calls their models.
    pub upstream: Arc<Upstream>,
    /// Time limits.
    pub timeouts: Timeouts,
}

/// An id for a response's `x-request-id` and the log.
#[derive(Debug, Clone)]
pub(crate) struct RequestId(String);

/// All routes of the public function.
pub fn router(app: Arc<App>) -> Router {
    finish(routes(app))
}

/// The routes without what surrounds them, to be merged with others.
pub fn routes(app: Arc<App>) -> Router {
    Router::new()
        .route("/public/openai/v1/chat/completions", post(chat_completions))
        .route("/public/openai/v1/models", get(list_models))
        .route("/public/openai/v1/models/{*id}", get(show_model))
        .with_state(app)
}

/// What surrounds the routes of either function: health, the `OpenAPI` document, errors, tolerated paths, CORS, request ids.
pub fn finish(routes: Router) -> Router {
    let routes = routes
        .route("/health", get(health))
        .route("/openapi.json", get(document))
        .fallback(unknown_url)
        .method_not_allowed_fallback(method_not_allowed);
    // A layer sees a request before routing only from outside of the router that routes it.
    Router::new()
        .fallback_service(routes)
        .layer(MapRequestLayer::new(normalize_path))
        .layer(cors())
        .layer(middleware::from_fn(identify))
}

/// Answers a conversation: buffered JSON, or with `stream: true` server-sent events that `[DONE]` ends.
///
/// The path of a chat request. Each step is a module of this crate, in this order.
#[utoipa::path(
    post,
    path = "/public/openai/v1/chat/completions",
    tag = "public",
    security(("public_token" = [])),
    request_body = openapi::ChatCompletionRequest,
    responses(
        (status = 200, description = "The answer; with `stream: true` the type is `text/event-stream`", body = openapi::ChatCompletion),
        (status = "4XX", description = "The request's fault", body = openapi::ErrorReply),
        (status = "5XX", description = "The provider's, the assistant's or the service's fault", body = openapi::ErrorReply),
    )
)]
pub(crate) async fn chat_completions(
    State(app): State<Arc<App>>,
    Extension(RequestId(request_id)): Extension<RequestId>,
    request: Request,
) -> Result<Response, Error> {
    let started = Instant::now();
    let (parts, body) = request.into_parts();
    let deadline = function_deadline(&parts);
    // A server that answers before it has read the body has to close the connection, and SDKs use theirs again.
    let body = read_body(body, MAX_BODY).await;
    let assistant = app.authorize(&parts.headers, deadline).await?;
    let body = body?;
    let request = ChatRequest::read(&parts.headers, &body)?;
    let (stream, include_usage) = (request.stream, request.include_usage);
    let prompt = Prompt::new(&assistant, request)?;
    let record = Record::new(request_id, assistant.id().to_owned(), &prompt.model, stream, started);
    let limit = if stream {
        app.timeouts.max_stream
    } else {
        app.timeouts.buffered
    };
    let answer = Box::pin(Arc::clone(&app.upstream).answer(prompt, deadline.limited(started, limit)));
    let reply = if stream {
        reply::streamed::reply(answer, include_usage, &app.timeouts, record).await
    } else {
        reply::buffered::reply(answer, record).await
    };
    // The reply's own record says why there is none.
    Ok(reply.unwrap_or_else(Error::into_logged_response))
}

/// The assistant's one model, as a list.
#[utoipa::path(
    get,
    path = "/public/openai/v1/models",
    tag = "public",
    security(("public_token" = [])),
    responses(
        (status = 200, description = "A list of one", body = openapi::ModelList),
        (status = "4XX", description = "The request's fault", body = openapi::ErrorReply),
        (status = "5XX", description = "The provider's, the assistant's or the service's fault", body = openapi::ErrorReply),
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
        (status = 200, description = "The model", body = openapi::ModelObject),
        (status = "4XX", description = "The request's fault", body = openapi::ErrorReply),
        (status = "5XX", description = "The provider's, the assistant's or the service's fault", body = openapi::ErrorReply),
    )
)]
pub(crate) async fn show_model(State(app): State<Arc<App>>, request: Request) -> Result<Response, Error> {
    let assistant = app.assistant_of(request).await?;
    Ok(Json(model_object(&assistant, &assistant.model()?)).into_response())
}

/// Whether the function answers; touches nothing else.
#[utoipa::path(
    get,
    path = "/health",
    tag = "service",
    responses((status = 200, description = "It does", body = openapi::Health))
)]
pub(crate) async fn health() -> Json<Value> {
    Json(json!({"status": "ok"}))
}

async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(openapi::Document::openapi())
}

impl App {
    /// Builds the clients; nothing is sent yet. `role` calls Bedrock.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn new(config: &Config, aws: &SdkConfig, role: Role) -> Result<Self, reqwest::Error> {
        let secret = config.provider_keys_secret.clone().map(|id| (id, secrets_client(aws)));
        let keys = ProviderKeys::new(config.provider_keys.clone(), secret);
        Ok(Self {
            store: Store::new(aws, config.tables.clone()),
            upstream: Arc::new(Upstream::new(config, role, keys)?),
            timeouts: config.timeouts.clone(),
        })
    }

    async fn assistant_of(&self, request: Request) -> Result<Assistant, Error> {
        let (parts, _) = request.into_parts();
        self.authorize(&parts.headers, function_deadline(&parts)).await
    }

    /// The assistant of the request's token, if it may be called from where the request comes from.
    async fn authorize(&self, headers: &HeaderMap, deadline: Deadline) -> Result<Assistant, Error> {
        let digest = Token::from_headers(headers)?.digest();
        let found = tokio::time::timeout(deadline.remaining(), self.store.find(&digest)).await;
        match found.unwrap_or_else(|_| Err(out_of_time()))? {
            Lookup::Unknown => Err(Error::InvalidToken),
            Lookup::Deleted => Err(Error::AssistantNotFound),
            Lookup::Found(assistant) => {
                // An origin that is no text is in no list.
                let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or("?"));
                assistant.check_access(origin)?;
                Ok(*assistant)
            }
        }
    }
}

fn out_of_time() -> Error {
    Error::Unavailable {
        cause: "DynamoDB: the function's time is up".into(),
    }
}

/// A request's whole body of at most `limit` bytes.
///
/// # Errors
/// A 413 for a larger one, a 400 for one that breaks off.
pub async fn read_body(body: Body, limit: usize) -> Result<Bytes, Error> {
    match Limited::new(body, limit).collect().await {
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Error::BodyTooLarge { limit }),
        Err(_) => Err(Error::InvalidRequest {
            message: "The request's body ended too early. Send it again.".into(),
            param: None,
            code: None,
        }),
    }
}

fn function_deadline(parts: &Parts) -> Deadline {
    let context = parts.extensions.get::<lambda_runtime::Context>();
    Deadline::new(context.map(lambda_runtime::Context::deadline))
}

async fn unknown_url(method: Method, uri: Uri) -> Error {
    Error::UnknownUrl {
        method: method.to_string(),
        path: shortened(uri.path()),
    }
}

async fn method_not_allowed(method: Method, uri: Uri) -> Error {
    Error::MethodNotAllowed {
        method: method.to_string(),
        path: shortened(uri.path()),
    }
}

fn shortened(path: &str) -> String {
    path.chars().take(200).collect()
}

/// Any page may ask: which pages an assistant answers to is its own setting, and no cookie is involved.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([
            Method::GET,
            Method::POST,
            Method::PATCH,
            Method::DELETE,
            Method::OPTIONS,
        ])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([
            REQUEST_ID.clone(),
            SHOULD_RETRY.clone(),
            header::RETRY_AFTER,
            header::ETAG,
            header::LOCATION,
        ])
        .max_age(Duration::from_secs(3600))
}

/// Takes `//` and trailing slashes out of the path: n8n sends both.
fn normalize_path<B>(mut request: Request<B>) -> Request<B> {
    let path = request.uri().path();
    if path.len() > 1 && (path.contains("//") || path.ends_with('/')) {
        let segments: Vec<_> = path.split('/').filter(|segment| !segment.is_empty()).collect();
        let query = request
            .uri()
            .query()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        let normal = format!("/{}{query}", segments.join("/"));
        if let Ok(normal) = normal.parse() {
            let mut parts = request.uri().clone().into_parts();
            parts.path_and_query = Some(normal);
            if let Ok(uri) = Uri::from_parts(parts) {
                *request.uri_mut() = uri;
            }
        }
    }
    request
}

/// Gives the request an id: Lambda's own, so that the response leads to the platform's log lines too. And keeps every
/// cache on the way (CloudFront's, a proxy's) from giving one caller's response to another. What was refused without a
/// reply's record is logged here.
async fn identify(mut request: Request, next: Next) -> Response {
    let context = request.extensions().get::<lambda_runtime::Context>();
    let id = context.map_or_else(
        || uuid::Uuid::new_v4().to_string(),
        |context| context.request_id.clone(),
    );
    let value = HeaderValue::try_from(&id);
    request.extensions_mut().insert(RequestId(id.clone()));
    let mut response = next.run(request).await;
    if let Some(Unlogged { code, cause }) = response.extensions_mut().remove() {
        let status = response.status().as_u16();
        tracing::info!(request_id = id, status, code, cause, "refused");
    }
    if let Ok(value) = value {
        response.headers_mut().insert(REQUEST_ID.clone(), value);
    }
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, no_store);
    response
}
