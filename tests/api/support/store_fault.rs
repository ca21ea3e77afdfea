//! Faults of the store that the embedded one does not have, put in front of it.

use std::net::SocketAddr;

use assistant_endpoint::local::embedded_store;
use aws_config::SdkConfig;
use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

use super::http_client;

/// What an unreadable answer consists of.
pub const UNREADABLE: &str = "the words of an item; ";

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Fault {
    /// The index has not caught up: queries find nothing.
    EmptyIndex,
    /// Every answer is half a megabyte that is no JSON.
    Unreadable,
    /// Every call is throttled.
    Throttled,
    /// Every transaction runs into another one.
    Conflict,
    /// Every transaction is rejected for what its items are.
    Invalid,
    /// Nobody listens.
    Down,
    /// Every call is a 500.
    ServerError,
    /// No call is answered.
    Hang,
    /// No update is answered.
    HangsOnUpdates,
    /// The tables are not there.
    NoTable,
    /// The role may do nothing.
    NotAllowed,
    /// The first connection answers once, and then is silent. Others are well.
    DeadConnection,
}

/// How a client reaches the store at `address` through the fault.
pub async fn in_front_of(address: SocketAddr, fault: Fault) -> SdkConfig {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let own_address = listener.local_addr().unwrap();
    if fault == Fault::DeadConnection {
        tokio::spawn(first_connection_dies(listener, address));
    } else if fault != Fault::Down {
        let proxy =
            Router::new().fallback(move |headers: HeaderMap, body: Bytes| answer(address, fault, headers, body));
        tokio::spawn(async move { axum::serve(listener, proxy).await });
    }
    embedded_store::client_config(own_address).await
}

async fn answer(store: SocketAddr, fault: Fault, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers["x-amz-target"].to_str().unwrap();
    if fault == Fault::Throttled {
        // As DynamoDB's developer guide, "Error handling", shows it.
        let error = r#"{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"The level of configured provisioned throughput for the table was exceeded."}"#;
        return (StatusCode::BAD_REQUEST, error).into_response();
    }
    let error = |status: StatusCode, kind: &str, message: &str| {
        let body = serde_json::json!({"__type": kind, "message": message}).to_string();
        (status, body).into_response()
    };
    match fault {
        // The API reference, "Common Errors" and "Error handling with DynamoDB".
        Fault::ServerError => {
            let kind = "com.amazonaws.dynamodb.v20120810#InternalServerError";
            return error(StatusCode::INTERNAL_SERVER_ERROR, kind, "Internal server error");
        }
        Fault::NoTable => {
            let kind = "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException";
            return error(StatusCode::BAD_REQUEST, kind, "Requested resource not found");
        }
        Fault::NotAllowed => {
            let kind = "com.amazon.coral.service#AccessDeniedException";
            return error(
                StatusCode::BAD_REQUEST,
                kind,
                "User: arn:aws:sts::000000000000:x is not authorized",
            );
        }
        Fault::Hang => std::future::pending().await,
        Fault::HangsOnUpdates if target.ends_with(".UpdateItem") => std::future::pending().await,
        Fault::HangsOnUpdates => return forward(store, headers, body).await,
        _ => {}
    }
    if fault == Fault::Unreadable {
        return UNREADABLE.repeat(20_000).into_response();
    }
    if target.ends_with(".Query") {
        return r#"{"Items":[],"Count":0,"ScannedCount":0}"#.into_response();
    }
    if fault == Fault::Conflict && target.ends_with(".TransactWriteItems") {
        // As the API reference, "TransactWriteItems > Errors", shows it.
        let error = r#"{"__type":"com.amazonaws.dynamodb.v20120810#TransactionCanceledException","Message":"Transaction cancelled, please refer cancellation reasons for specific reasons [TransactionConflict, None]","CancellationReasons":[{"Code":"TransactionConflict","Message":"Transaction is ongoing for the item"},{"Code":"None"}]}"#;
        return (StatusCode::BAD_REQUEST, error).into_response();
    }
    if fault == Fault::Invalid && target.ends_with(".TransactWriteItems") {
        // As DynamoDB rejects an attribute without a name.
        let error = r#"{"__type":"com.amazon.coral.validate#ValidationException","message":"One or more parameter values were invalid: Attribute name must not be empty"}"#;
        return (StatusCode::BAD_REQUEST, error).into_response();
    }
    forward(store, headers, body).await
}

/// Passes connections on to the store, the first one for one request only.
async fn first_connection_dies(listener: TcpListener, store: SocketAddr) {
    let mut is_first = true;
    while let Ok((mut near, _)) = listener.accept().await {
        let dies = std::mem::replace(&mut is_first, false);
        tokio::spawn(async move {
            let mut far = TcpStream::connect(store).await.unwrap();
            if !dies {
                let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
                return;
            }
            let mut bytes = vec![0; 64 * 1024];
            let request = near.read(&mut bytes).await.unwrap();
            far.write_all(&bytes[..request]).await.unwrap();
            let answer = far.read(&mut bytes).await.unwrap();
            near.write_all(&bytes[..answer]).await.unwrap();
            std::future::pending::<()>().await;
        });
    }
}

/// Lets a request through to the store.
pub async fn forward(store: SocketAddr, headers: HeaderMap, body: Bytes) -> Response {
    let request = http_client()
        .post(format!("http://{store}/"))
        .headers(headers)
        .body(body);
    let response = request.send().await.unwrap();
    (response.status(), response.bytes().await.unwrap()).into_response()
}
