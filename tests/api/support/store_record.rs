//! What a function asks of the store, in the words of IAM.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::Value;

use super::store_proxy::{self, Call};

/// Actions and the tables or indexes that they were done on, e.g. `("dynamodb:PutItem", "TokenClaims")`.
pub type Actions = BTreeSet<(String, String)>;

/// Listens in front of the store at `store`, refuses what `granted` does not hold, and records the rest.
pub async fn in_front_of(store: SocketAddr, granted: Actions) -> (SocketAddr, Arc<Mutex<Actions>>) {
    let seen = Arc::new(Mutex::new(Actions::new()));
    let recorded = Arc::clone(&seen);
    let address = store_proxy::in_front_of(store, move |call| answer(call, granted.clone(), Arc::clone(&recorded)));
    (address.await, seen)
}

async fn answer(call: Call, granted: Actions, seen: Arc<Mutex<Actions>>) -> Response {
    let asked = actions(&call.operation, &call.request);
    let is_allowed = asked.is_subset(&granted);
    seen.lock().unwrap().extend(asked);
    if !is_allowed {
        let error = r#"{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"not authorized"}"#;
        return (StatusCode::BAD_REQUEST, error).into_response();
    }
    call.forward().await
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
