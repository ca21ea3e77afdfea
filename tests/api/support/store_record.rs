//! What a function asks of the store, in the words of IAM.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use tokio::net::TcpListener;

use super::store_fault::forward;

/// Actions and the tables or indexes that they were done on, e.g. `("dynamodb:PutItem", "TokenClaims")`.
pub type Actions = BTreeSet<(String, String)>;

/// Listens in front of the store at `store`, refuses what `granted` does not hold, and records the rest.
pub async fn in_front_of(store: SocketAddr, granted: Actions) -> (SocketAddr, Arc<Mutex<Actions>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let seen = Arc::new(Mutex::new(Actions::new()));
    let recorded = Arc::clone(&seen);
    let proxy = Router::new().fallback(move |headers: HeaderMap, body: Bytes| {
        answer(store, granted.clone(), recorded.clone(), headers, body)
    });
    tokio::spawn(async move { axum::serve(listener, proxy).await });
    (address, seen)
}

async fn answer(
    store: SocketAddr,
    granted: Actions,
    seen: Arc<Mutex<Actions>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let operation = headers["x-amz-target"].to_str().unwrap().rsplit('.').next().unwrap();
    let asked = actions(operation, &serde_json::from_slice(&body).unwrap());
    let is_allowed = asked.is_subset(&granted);
    seen.lock().unwrap().extend(asked);
    if !is_allowed {
        let error = r#"{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"not authorized"}"#;
        return (StatusCode::BAD_REQUEST, error).into_response();
    }
    forward(store, headers, body).await
}

/// A transaction needs the rights of its steps ("Using IAM with DynamoDB transactions").
fn actions(operation: &str, request: &Value) -> Actions {
    let on = |operation: &str, request: &Value| {
        let table = request["TableName"].as_str().unwrap();
        let index = request["IndexName"].as_str();
        let resource = index.map_or_else(|| table.to_owned(), |index| format!("{table}/index/{index}"));
        (format!("dynamodb:{operation}"), resource)
    };
    if let Some(tables) = request["RequestItems"].as_object() {
        let batches = tables
            .keys()
            .map(|table| (format!("dynamodb:{operation}"), table.clone()));
        return batches.collect();
    }
    let Some(steps) = request["TransactItems"].as_array() else {
        return Actions::from([on(operation, request)]);
    };
    let steps = steps.iter().flat_map(|step| step.as_object().unwrap());
    steps.map(|(kind, step)| on(&format!("{kind}Item"), step)).collect()
}
