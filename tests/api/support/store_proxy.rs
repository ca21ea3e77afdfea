//! A proxy in front of the store, whose answers a test chooses.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::store_fault::forward;

/// What a client asks of the store.
pub struct Call {
    /// As in `GetItem`.
    pub operation: String,
    pub request: Value,
    store: SocketAddr,
    headers: HeaderMap,
    body: Bytes,
}

/// What was noted of calls.
#[derive(Debug, Clone, Default)]
pub struct Calls(Arc<Mutex<Vec<String>>>);

impl Call {
    /// Lets it through to the store.
    pub async fn forward(self) -> Response {
        forward(self.store, self.headers, self.body).await
    }

    /// Lets another request through in its place.
    pub async fn forward_as(mut self, request: &Value) -> Response {
        self.headers.remove("content-length");
        forward(self.store, self.headers, request.to_string().into()).await
    }
}

impl Calls {
    pub fn note(&self, call: String) {
        self.0.lock().unwrap().push(call);
    }

    /// Those since the last time.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Listens in front of the store at `store`.
pub async fn in_front_of<F, A>(store: SocketAddr, answer: F) -> SocketAddr
where
    F: Fn(Call) -> A + Clone + Send + Sync + 'static,
    A: Future<Output = Response> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let proxy = Router::new().fallback(move |headers: HeaderMap, body: Bytes| {
        let operation = headers["x-amz-target"].to_str().unwrap().rsplit('.').next().unwrap();
        answer(Call {
            operation: operation.to_owned(),
            request: serde_json::from_slice(&body).unwrap_or_default(),
            store,
            headers,
            body,
        })
    });
    tokio::spawn(async move { axum::serve(listener, proxy).await });
    address
}

/// An error of `DynamoDB`'s.
pub fn error(status: StatusCode, kind: &str) -> Response {
    let kind = format!("com.amazonaws.dynamodb.v20120810#{kind}");
    (status, json!({"__type": kind, "message": "as documented"}).to_string()).into_response()
}

/// The error of a table that is asked for too much.
pub fn throttled() -> Response {
    error(StatusCode::BAD_REQUEST, "ProvisionedThroughputExceededException")
}
