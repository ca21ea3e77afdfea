//! What is called in the Usage table: a proxy that notes each call, and that can make trouble of the kinds that a table has.

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

/// What happens to a call of the Usage table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Happens {
    /// The table answers.
    Answer,
    Throttled,
    /// A transaction is at the item.
    Conflict,
    ServerError,
    /// No answer comes, and nothing was done.
    Lost,
    /// No answer comes, although it was done.
    DoneAndLost,
    /// The table is not there.
    NoTable,
}

/// What happens to each of the calls: the list begins anew at its end.
pub type Trouble = &'static [Happens];

pub const NONE: Trouble = &[Happens::Answer];

/// The calls so far: the operation and the item's `period`.
#[derive(Debug, Clone, Default)]
pub struct UsageCalls(Arc<Mutex<Vec<String>>>);

impl UsageCalls {
    /// The calls since the last time, as in `UpdateItem live`.
    pub fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A proxy in front of the store, and the calls that it sees.
pub async fn in_front_of(store: SocketAddr, trouble: Trouble) -> (SocketAddr, UsageCalls) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let calls = UsageCalls::default();
    let noted = calls.clone();
    let count = Arc::new(Mutex::new(0));
    let proxy = Router::new().fallback(move |headers: HeaderMap, body: Bytes| {
        let request: Value = serde_json::from_slice(&body).unwrap_or_default();
        let mut happens = Happens::Answer;
        if request["TableName"] == "Usage" {
            let operation = headers["x-amz-target"].to_str().unwrap().rsplit('.').next().unwrap();
            let period = request["Key"]["period"]["S"].as_str().unwrap_or_default();
            noted.0.lock().unwrap().push(format!("{operation} {period}"));
            let mut count = count.lock().unwrap();
            happens = trouble[*count % trouble.len()];
            *count += 1;
        }
        answer(store, happens, headers, body)
    });
    tokio::spawn(async move { axum::serve(listener, proxy).await });
    (address, calls)
}

async fn answer(store: SocketAddr, happens: Happens, headers: HeaderMap, body: Bytes) -> Response {
    let error = |status: StatusCode, kind: &str| {
        let kind = format!("com.amazonaws.dynamodb.v20120810#{kind}");
        (status, json!({"__type": kind, "message": "as documented"}).to_string()).into_response()
    };
    match happens {
        Happens::Answer => forward(store, headers, body).await,
        Happens::Throttled => error(StatusCode::BAD_REQUEST, "ProvisionedThroughputExceededException"),
        Happens::Conflict => error(StatusCode::BAD_REQUEST, "TransactionConflictException"),
        Happens::ServerError => error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError"),
        Happens::NoTable => error(StatusCode::BAD_REQUEST, "ResourceNotFoundException"),
        Happens::Lost => std::future::pending().await,
        Happens::DoneAndLost => {
            forward(store, headers, body).await;
            std::future::pending().await
        }
    }
}
