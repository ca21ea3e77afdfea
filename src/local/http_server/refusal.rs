//! What the server answers by itself, in the form of every other error.

use axum::{
    body::to_bytes,
    http::{HeaderValue, StatusCode, header},
    response::Response,
};

use super::Limits;
use crate::error::Error;

impl Error {
    /// Why a request could not be read, after the status that says so.
    pub(super) fn unreadable(status: StatusCode, limits: &Limits) -> Self {
        let (code, message) = match status {
            StatusCode::REQUEST_TIMEOUT => (
                "request_timeout",
                format!(
                    "The request did not come to its end: its head may take {:?} and its body may be silent for {:?}. \
                     Send it again.",
                    limits.head, limits.body_silence
                ),
            ),
            StatusCode::URI_TOO_LONG => ("uri_too_long", "The request's URL is too long. Shorten it.".into()),
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => (
                "headers_too_large",
                "The request has too many headers, or too long ones. Send fewer.".into(),
            ),
            _ => (
                "invalid_http",
                "The request is not HTTP/1.1: its first line or a header cannot be read. Check the program that sent \
                 it, and that it uses http, not https, and HTTP/1.1."
                    .into(),
            ),
        };
        Self::Unreadable { status, code, message }
    }
}

/// The response to a request that no route has seen or can answer, with a line in the log.
pub(super) fn refusal(error: Error) -> Response {
    let id = uuid::Uuid::new_v4().to_string();
    tracing::info!(
        request_id = id,
        status = error.status().as_u16(),
        code = error.closed_code(),
        "refused"
    );
    let mut response = error.into_logged_response();
    let headers = response.headers_mut();
    if let Ok(id) = HeaderValue::try_from(id) {
        headers.insert("x-request-id", id);
    }
    // As on every other response: any page may read it, and no cache may keep it.
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// The response's bytes, as the last ones of their connection.
pub(super) async fn bytes(response: Response) -> Vec<u8> {
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    parts.headers.insert(header::CONTENT_LENGTH, body.len().into());
    let mut bytes = format!("HTTP/1.1 {}\r\n", parts.status).into_bytes();
    for (name, value) in &parts.headers {
        bytes.extend_from_slice(&[name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"].concat());
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(&body);
    bytes
}
