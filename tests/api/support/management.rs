//! The management API over an app's store, and JWTs for it.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use assistant_endpoint::{
    config::ManageConfig,
    http::finish,
    local::embedded_store,
    manage::{Manage, routes},
};
use aws_config::SdkConfig;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::{
    Reply, TestApp, http_client,
    provider::{FakeProvider, answer},
    secret::Secret,
};

pub const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub const SPECS_TOKEN: &str = "pubkey_mybot_abc123";

pub struct Management {
    pub url: String,
    client: reqwest::Client,
}

impl Management {
    /// The management function over an app's store.
    pub async fn beside(app: &TestApp, settings: &[(&str, &str)]) -> Self {
        Self::over(&embedded_store::client_config(app.store_address).await, settings).await
    }

    /// The same where Secrets Manager holds the JWT secret.
    pub async fn with_secret(app: &TestApp, secret: &Secret, settings: &[(&str, &str)]) -> Self {
        Self::over(&secret.beside(app.store_address).await, settings).await
    }

    /// The same over a store, as AWS's SDK finds it.
    pub async fn over(aws: &SdkConfig, settings: &[(&str, &str)]) -> Self {
        let tables = embedded_store::tables();
        let config = ManageConfig::read(|name| match name {
            "ASSISTANTS_TABLE" => Some(tables.assistants.clone()),
            "TOKEN_CLAIMS_TABLE" => Some(tables.token_claims.clone()),
            name => settings
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned()),
        })
        .unwrap();
        let manage = Manage::new(&config, aws).await.unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = finish(routes(Arc::new(manage)), config.way_in);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self {
            url,
            client: http_client(),
        }
    }

    pub fn request(&self, method: Method, path: &str, jwt: &str) -> reqwest::RequestBuilder {
        self.client
            .request(method, format!("{}{path}", self.url))
            .bearer_auth(jwt)
    }

    pub async fn send(&self, method: Method, path: &str, jwt: &str, body: &Value) -> Reply {
        Reply::of(self.request(method, path, jwt).json(body)).await
    }

    pub async fn patch(&self, id: &str, settings: Value) -> Reply {
        let body = json!({"config": {"configurable": settings}});
        self.send(Method::PATCH, &format!("/assistants/{id}"), &jwt("owner-1"), &body)
            .await
    }

    pub async fn get(&self, path: &str) -> Value {
        let reply = Reply::of(self.request(Method::GET, path, &jwt("owner-1"))).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        reply.json()
    }

    /// Creates an assistant of owner-1 and returns it.
    pub async fn create(&self, settings: Value) -> Value {
        let body = json!({"name": "Test", "config": {"configurable": settings}});
        let reply = self.send(Method::POST, "/assistants", &jwt("owner-1"), &body).await;
        assert_eq!(reply.status, 201, "{}", reply.text);
        reply.json()
    }
}

pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

pub fn sign(claims: &Value) -> String {
    let key = EncodingKey::from_secret(SECRET.as_bytes());
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &key).unwrap()
}

pub fn jwt(owner: &str) -> String {
    sign(&json!({"sub": owner, "exp": now() + 600}))
}

pub async fn start() -> (TestApp, Management) {
    let app = TestApp::start(FakeProvider::always(answer(&["Hi"])).await).await;
    let management = Management::beside(&app, &[("JWT_SECRET", SECRET)]).await;
    (app, management)
}

pub fn id(assistant: &Value) -> &str {
    assistant["assistant_id"].as_str().unwrap()
}
