//! What is called in the Usage table: a proxy that notes each call, and that can make trouble of the kinds that a table has.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use axum::{http::StatusCode, response::Response};

use super::store_proxy::{self, Call, Calls, error, throttled};

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

/// A proxy in front of the store, and the calls that it sees, as in `UpdateItem live`.
pub async fn in_front_of(store: SocketAddr, trouble: Trouble) -> (SocketAddr, Calls) {
    let calls = Calls::default();
    let noted = calls.clone();
    let count = Arc::new(Mutex::new(0));
    let address = store_proxy::in_front_of(store, move |call| {
        let mut happens = Happens::Answer;
        if call.request["TableName"] == "Usage" {
            let period = call.request["Key"]["period"]["S"].as_str().unwrap_or_default();
            noted.note(format!("{} {period}", call.operation));
            let mut count = count.lock().unwrap();
            happens = trouble[*count % trouble.len()];
            *count += 1;
        }
        answer(call, happens)
    });
    (address.await, calls)
}

async fn answer(call: Call, happens: Happens) -> Response {
    match happens {
        Happens::Answer => call.forward().await,
        Happens::Throttled => throttled(),
        Happens::Conflict => error(StatusCode::BAD_REQUEST, "TransactionConflictException"),
        Happens::ServerError => error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError"),
        Happens::NoTable => error(StatusCode::BAD_REQUEST, "ResourceNotFoundException"),
        Happens::Lost => std::future::pending().await,
        Happens::DoneAndLost => {
            call.forward().await;
            std::future::pending().await
        }
    }
}
