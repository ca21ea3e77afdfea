//! What is called in the Responses table: a proxy that notes each call, and that can make trouble of the kinds that a table has.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::store_proxy::{self, Call, Calls, error, throttled};

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
    /// The first deletion is answered by a 500, although it is done.
    FirstDeletionLost,
    /// Nothing can be erased.
    ErasingThrottled,
}

/// A proxy in front of the store, and the calls that it sees, as in `GetItem`.
pub async fn in_front_of(store: SocketAddr, trouble: Trouble) -> (SocketAddr, Calls) {
    let calls = Calls::default();
    let noted = calls.clone();
    let deletions = Arc::new(AtomicUsize::new(0));
    let address = store_proxy::in_front_of(store, move |call| {
        let request = &call.request;
        let is_ours = request["TableName"] == "Responses" || request["RequestItems"]["Responses"] != Value::Null;
        if is_ours {
            noted.note(call.operation.clone());
        }
        let is_deletion = is_ours && call.operation == "DeleteItem";
        let is_first = is_deletion && deletions.fetch_add(1, Ordering::SeqCst) == 0;
        let is_well = !is_ours || trouble == Trouble::FirstDeletionLost && !is_first;
        answer(call, if is_well { Trouble::None } else { trouble })
    });
    (address.await, calls)
}

async fn answer(mut call: Call, trouble: Trouble) -> Response {
    match (trouble, call.operation.as_str()) {
        (Trouble::WritesThrottled, "PutItem")
        | (Trouble::ReadsThrottled, "GetItem" | "BatchGetItem")
        | (Trouble::ErasingThrottled, "BatchWriteItem") => throttled(),
        (Trouble::WritesLost, "PutItem") => {
            call.forward().await;
            std::future::pending().await
        }
        (Trouble::FirstDeletionLost, "DeleteItem") => {
            call.forward().await;
            error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError")
        }
        (Trouble::SmallBatches, "BatchGetItem") => {
            let mut request = call.request.take();
            let keys = request["RequestItems"]["Responses"]["Keys"].as_array_mut().unwrap();
            let left = Value::Array(keys.split_off(1));
            let reply = call.forward_as(&request).await;
            let reply = axum::body::to_bytes(reply.into_body(), usize::MAX).await.unwrap();
            let mut reply: Value = serde_json::from_slice(&reply).unwrap();
            if left != json!([]) {
                reply["UnprocessedKeys"] = json!({"Responses": {"Keys": left}});
            }
            reply.to_string().into_response()
        }
        _ => call.forward().await,
    }
}
