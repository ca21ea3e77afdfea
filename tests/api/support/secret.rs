//! Secrets Manager's `GetSecretValue`, in the wire format of its API reference, for one secret.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use assistant_endpoint::local::embedded_store;
use aws_config::SdkConfig;
use axum::{
    Router,
    body::Bytes,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::store_fault::forward;

/// A secret that can be changed.
#[derive(Clone, Default)]
pub struct Secret(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    value: Option<String>,
    readings: usize,
    hangs: bool,
}

impl Secret {
    pub fn new(keys: Value) -> Self {
        let secret = Self::default();
        secret.set(keys);
        secret
    }

    pub fn set(&self, keys: Value) {
        self.set_text(&keys.to_string());
    }

    pub fn set_text(&self, value: &str) {
        self.0.lock().unwrap().value = Some(value.to_owned());
    }

    /// From now on no reading is answered.
    pub fn hang(&self) {
        self.0.lock().unwrap().hangs = true;
    }

    /// How often it was read.
    pub fn readings(&self) -> usize {
        self.0.lock().unwrap().readings
    }

    /// How a client reaches Secrets Manager with this secret, and the store, at one address.
    pub async fn beside(&self, store: SocketAddr) -> SdkConfig {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let secret = self.clone();
        let routes = Router::new().fallback(move |headers: HeaderMap, body: Bytes| async move {
            match headers["x-amz-target"].to_str().unwrap() {
                "secretsmanager.GetSecretValue" => secret.answer().await,
                _ => forward(store, headers, body).await,
            }
        });
        tokio::spawn(async move { axum::serve(listener, routes).await });
        embedded_store::client_config(address).await
    }

    async fn answer(&self) -> Response {
        let (value, hangs) = {
            let mut state = self.0.lock().unwrap();
            state.readings += 1;
            (state.value.clone(), state.hangs)
        };
        if hangs {
            std::future::pending::<()>().await;
        }
        let Some(value) = value else {
            let error = r#"{"__type":"ResourceNotFoundException","Message":"Secrets Manager can't find the specified secret."}"#;
            return (StatusCode::BAD_REQUEST, error).into_response();
        };
        let arn = "arn:aws:secretsmanager:us-east-1:000000000000:secret:the-keys-AbCdEf";
        let output = json!({"ARN": arn, "Name": "the-keys", "SecretString": value, "VersionId": "1"});
        output.to_string().into_response()
    }
}
