//! What is called in the Responses table: a proxy that notes each call, and that can make trouble of the kinds that a table has.

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

/// What happens to the calls of the Responses table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Trouble {
    None,
    /// Writes are throttled.
    WritesThrottled,
    /// No write is answered, although it is done.
    WritesLost,
    /// Of a batch that is read, all but the first item is left for the next call.
    SmallBatches,
    /// Nothing can be read.
    ReadsThrottled,
}

/// The calls so far, as in `GetItem`.
#[derive(Debug, Clone, Default)]
pub struct ResponseCalls(Arc<Mutex<Vec<String>>>);

impl ResponseCalls {
    /// The calls since the last time.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A proxy in front of the store, and the calls that it sees.
pub async fn in_front_of(store: SocketAddr, trouble: Trouble) -> (SocketAddr, ResponseCalls) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let calls = ResponseCalls::default();
    let noted = calls.clone();
    let proxy = Router::new().fallback(move |headers: HeaderMap, body: Bytes| {
        let request: Value = serde_json::from_slice(&body).unwrap_or_default();
        let is_ours = request["TableName"] == "Responses" || request["RequestItems"]["Responses"].is_object();
        let operation = headers["x-amz-target"].to_str().unwrap().rsplit('.').next().unwrap();
        let operation = operation.to_owned();
        if is_ours {
            noted.0.lock().unwrap().push(operation.clone());
        }
        let trouble = if is_ours { trouble } else { Trouble::None };
        answer(store, trouble, operation, headers, body)
    });
    tokio::spawn(async move { axum::serve(listener, proxy).await });
    (address, calls)
}

async fn answer(store: SocketAddr, trouble: Trouble, operation: String, headers: HeaderMap, body: Bytes) -> Response {
    match (trouble, operation.as_str()) {
        (Trouble::WritesThrottled, "PutItem") | (Trouble::ReadsThrottled, "GetItem" | "BatchGetItem") => {
            let kind = "com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException";
            let error = json!({"__type": kind, "message": "as documented"}).to_string();
            (StatusCode::BAD_REQUEST, error).into_response()
        }
        (Trouble::WritesLost, "PutItem") => {
            forward(store, headers, body).await;
            std::future::pending().await
        }
        (Trouble::SmallBatches, "BatchGetItem") => {
            let mut request: Value = serde_json::from_slice(&body).unwrap();
            let keys = request["RequestItems"]["Responses"]["Keys"].as_array_mut().unwrap();
            let left = Value::Array(keys.split_off(1));
            let mut headers = headers;
            headers.remove("content-length");
            let reply = forward(store, headers, request.to_string().into()).await;
            let reply = axum::body::to_bytes(reply.into_body(), usize::MAX).await.unwrap();
            let mut reply: Value = serde_json::from_slice(&reply).unwrap();
            if left != json!([]) {
                reply["UnprocessedKeys"] = json!({"Responses": {"Keys": left}});
            }
            reply.to_string().into_response()
        }
        _ => forward(store, headers, body).await,
    }
}
