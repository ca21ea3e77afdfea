//! What surrounds the routes of both functions: health, the `OpenAPI` document, bodies, errors, paths, CORS, request ids.

use std::{sync::Arc, task::Context, time::Duration};

use axum::{
    Json, Router,
    body::{Body, Bytes, HttpBody},
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::get,
};
use futures_util::{StreamExt, stream::poll_fn};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Serialize;
use tower::util::MapRequestLayer;
use tower_http::cors::{AllowHeaders, AllowMethods, Any, CorsLayer};
use tracing::{Instrument, Span, field::Empty};
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(crate) mod document;
pub(crate) mod query;
mod trace;

use crate::{
    error::{Error, SHOULD_RETRY, Unlogged},
    limit::RATE_LIMIT_HEADERS,
    log,
    way_in::{ORIGIN_SECRET, WayIn},
};
use document::Known;
use trace::TraceIds;

/// The header with the names of parameters that were left out of a request.
pub(crate) static OMITTED_PARAMETERS: HeaderName = HeaderName::from_static("x-omitted-parameters");

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What surrounds the routes of either function, or of both: health, the document, errors, tolerated paths, CORS, request
/// ids.
pub fn finish(fronts: OpenApiRouter, way_in: WayIn) -> Router {
    let (routes, document) = document::base().routes(routes!(health)).merge(fronts).split_for_parts();
    let known = Arc::new(Known::of(&document));
    let cors = cors(known.methods.iter().cloned());
    let routes = routes
        .route("/openapi.json", get(async move || Json(document)))
        .fallback(move |method: Method, uri: Uri| std::future::ready(unknown_url(&method, &uri, &known)));
    // A layer sees a request before routing only from outside of the router that routes it.
    Router::new()
        .fallback_service(routes)
        .layer(middleware::from_fn(explain_method))
        .layer(MapRequestLayer::new(normalize_path))
        .layer(middleware::from_fn_with_state(Arc::new(way_in), check_way_in))
        .layer(cors)
        .layer(middleware::from_fn(identify))
}

/// Whether the function answers. Nothing else is asked.
#[utoipa::path(
    get,
    path = "/health",
    tag = "service",
    responses((status = 200, description = "The function answers", body = Health))
)]
async fn health() -> Json<Health> {
    Json(Health { status: "ok" })
}

#[derive(Serialize, ToSchema)]
struct Health {
    /// `ok`.
    status: &'static str,
}

/// A request's whole body of at most `limit` bytes.
///
/// # Errors
/// A 415 for one that is compressed, a 413 for a larger one, a 400 for one that breaks off.
pub(crate) async fn read_body(headers: &HeaderMap, body: Body, limit: usize) -> Result<Bytes, Error> {
    // Read in any case: a server that answers before it has read the body has to close the connection, and SDKs use theirs
    // again.
    match Limited::new(body, limit).collect().await {
        _ if let Some(coding) = content_coding(headers) => Err(Error::EncodedBody { coding }),
        Ok(body) => Ok(body.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(Error::BodyTooLarge { limit }),
        Err(_) => Err(Error::InvalidRequest {
            message: "The request's body ended too early. Send it again.".into(),
            param: None,
            code: None,
        }),
    }
}

/// What a body is encoded with, where it is: RFC 9110, section 8.4.
fn content_coding(headers: &HeaderMap) -> Option<String> {
    let codings = headers.get_all(header::CONTENT_ENCODING).into_iter();
    let codings = codings.map(|value| String::from_utf8_lossy(value.as_bytes()).trim().to_ascii_lowercase());
    codings
        .flat_map(|list| {
            list.split(',')
                .map(|coding| coding.trim().to_owned())
                .collect::<Vec<_>>()
        })
        .find(|coding| !coding.is_empty() && coding != "identity")
        .map(|coding| shortened(&coding))
}

fn unknown_url(method: &Method, uri: &Uri, known: &Known) -> Error {
    Error::UnknownUrl {
        method: method.to_string(),
        path: shortened(uri.path()),
        known: known.operations.clone(),
    }
}

/// Refuses what comes in by a way that is closed, and notes who calls. The secret goes no further.
async fn check_way_in(State(way_in): State<Arc<WayIn>>, mut request: Request, next: Next) -> Response {
    let peer = request.extensions().get().copied();
    let Some(caller) = way_in.caller(request.headers(), peer) else {
        return Error::DirectAccessClosed.into_response();
    };
    request.headers_mut().remove(&ORIGIN_SECRET);
    request.extensions_mut().insert(caller);
    next.run(request).await
}

/// Says why a method is not allowed. The router has set `Allow` to those that are.
async fn explain_method(request: Request, next: Next) -> Response {
    let (method, path) = (request.method().to_string(), shortened(request.uri().path()));
    let response = next.run(request).await;
    let Some(allowed) = response.headers().get(header::ALLOW).cloned() else {
        return response;
    };
    if response.status() != StatusCode::METHOD_NOT_ALLOWED {
        return response;
    }
    let error = Error::MethodNotAllowed {
        method,
        path,
        allowed: String::from_utf8_lossy(allowed.as_bytes()).replace(',', ", "),
    };
    let mut response = error.into_response();
    response.headers_mut().insert(header::ALLOW, allowed);
    response
}

fn shortened(path: &str) -> String {
    path.chars().take(200).collect()
}

/// Any page may ask: which pages an assistant answers to is its own setting, and no cookie is involved.
fn cors(methods: impl Iterator<Item = Method>) -> CorsLayer {
    let [limit_header, remaining_header, reset_header] = &RATE_LIMIT_HEADERS;
    CorsLayer::new()
        .allow_origin(Any)
        .allow_methods(AllowMethods::list(methods.chain([Method::OPTIONS])))
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers([
            REQUEST_ID.clone(),
            SHOULD_RETRY.clone(),
            OMITTED_PARAMETERS.clone(),
            header::RETRY_AFTER,
            header::ETAG,
            header::LOCATION,
            limit_header.clone(),
            remaining_header.clone(),
            reset_header.clone(),
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
async fn identify(request: Request, next: Next) -> Response {
    let context = request.extensions().get::<lambda_runtime::Context>();
    let id = context.map_or_else(
        || uuid::Uuid::new_v4().to_string(),
        |context| context.request_id.clone(),
    );
    let traced = TraceIds::of(&request);
    // Of the target and level that pass wherever a line does: each has to have its request's id.
    let span = tracing::error_span!(
        target: log::METRICS,
        "request",
        request_id = id,
        "x-amz-cf-id" = traced.cloudfront,
        traceparent = traced.traceparent,
        xray_trace_id = traced.xray,
        assistant_id = Empty,
    );
    let mut response = next.run(request).instrument(span.clone()).await;
    if let Some(unlogged) = response.extensions_mut().remove() {
        span.in_scope(|| refused(response.status(), &unlogged));
    }
    if let Ok(value) = HeaderValue::try_from(&id) {
        response.headers_mut().insert(REQUEST_ID.clone(), value);
    }
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(no_store);
    response.map(|body| within(span, body))
}

/// Logs a request that was refused. Whoever operates the service has to know of its own failures, and of callers that may not
/// do what they try.
fn refused(status: StatusCode, unlogged: &Unlogged) {
    let Unlogged { code, cause, fault } = unlogged;
    let is_grave = status.is_server_error() || status == StatusCode::FORBIDDEN || fault.is_some();
    let status = status.as_u16();
    log::metrics_line!(is_grave, status, code, cause, fault, Refused = 1, "refused");
}

/// The body, read and dropped within the span. One whose size is known is there already: nothing happens in it any more.
fn within(span: Span, body: Body) -> Body {
    if body.size_hint().exact().is_some() {
        return body;
    }
    // Instrumented for its drop: by then a client may be gone.
    let mut pieces = body.into_data_stream().instrument(span.clone());
    let read = move |context: &mut Context<'_>| span.in_scope(|| pieces.inner_mut().poll_next_unpin(context));
    Body::from_stream(poll_fn(read))
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;
    use std::sync::{Arc, Mutex};

    /// Notes the span that it is dropped in.
    struct Dropped(Arc<Mutex<Vec<Option<&'static str>>>>);

    impl Drop for Dropped {
        fn drop(&mut self) {
            self.0.lock().unwrap().push(span_name());
        }
    }

    fn span_name() -> Option<&'static str> {
        Span::current().metadata().map(tracing::Metadata::name)
    }

    #[tokio::test]
    async fn a_streamed_body_is_read_and_dropped_within_its_requests_span() {
        let _log = tracing::subscriber::set_default(tracing_subscriber::registry());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let dropped = Dropped(Arc::clone(&seen));
        let pieces = stream::repeat_with(move || {
            dropped.0.lock().unwrap().push(span_name());
            Ok::<_, std::convert::Infallible>("piece")
        });
        let body = within(tracing::error_span!("request"), Body::from_stream(pieces));
        let mut body = body.into_data_stream();
        assert_eq!(body.next().await.unwrap().unwrap(), "piece");
        assert_eq!(span_name(), None);
        drop(body);
        assert_eq!(*seen.lock().unwrap(), [Some("request"), Some("request")]);
    }
}
