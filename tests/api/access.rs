//! Who gets an answer: every row of the spec's troubleshooting table, and the contract's beside it.

use std::time::Duration;

use assistant_endpoint::assistant::store::write::{Change, TokenChange};
use assistant_endpoint::token::Token;
use reqwest::Method;
use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::{
    Reply, TestApp, create, hello,
    provider::{FakeProvider, answer},
    store_fault::Fault,
};

const CHAT: &str = "/public/openai/v1/chat/completions";

async fn app() -> TestApp {
    TestApp::start(FakeProvider::always(answer(&["Hi"])).await).await
}

#[tokio::test]
async fn without_a_token_it_is_401_missing_authentication_token() {
    let app = app().await;
    for request in [
        app.request(Method::POST, CHAT),
        app.request(Method::POST, CHAT).header("authorization", "Bearer "),
        app.request(Method::POST, CHAT).basic_auth("user", Some("password")),
        app.request(Method::GET, "/public/openai/v1/models"),
    ] {
        let reply = Reply::of(request.json(&hello(false))).await;
        let message = reply.error(401, "missing_authentication_token");
        assert!(message.starts_with("Missing authentication token"), "{message}");
        assert_eq!(reply.header("x-should-retry"), Some("false"));
    }
}

#[tokio::test]
async fn with_an_unknown_token_it_is_401_invalid_token() {
    let app = app().await;
    let reply = app.chat("pubkey_nobodys_token_1", &hello(false)).await;
    let message = reply.error(401, "invalid_api_key");
    assert!(message.starts_with("Invalid token"), "{message}");
    assert!(!reply.text.contains("nobodys"));
}

#[tokio::test]
async fn with_access_mode_authenticated_it_is_403() {
    let app = app().await;
    for mode in [json!("authenticated"), json!("everyone"), json!(null)] {
        let (_, token) = create(&app.store, json!({"model": "gpt-4o", "type==agent/access_mode": mode})).await;
        let reply = app.chat(&token, &hello(false)).await;
        let message = reply.error(403, "public_access_disabled");
        assert!(message.starts_with("Not configured for public access"), "{message}");
    }
    assert_eq!(app.provider.received().len(), 0);
}

#[tokio::test]
async fn another_types_access_mode_opens_nothing() {
    let app = app().await;
    for closed in [
        json!({"type": "agent", "access_mode": "authenticated", "type==chatbot/access_mode": "public_token"}),
        json!({"type": "chatbot", "type==agent/access_mode": "public_token"}),
        json!({"type": "chat_retrieval", "access_mode": null, "type==agent/access_mode": "public_token"}),
    ] {
        let mut config = closed.clone();
        config["model"] = json!("gpt-4o");
        let (_, token) = create(&app.store, config).await;
        for stream in [false, true] {
            app.chat(&token, &hello(stream))
                .await
                .error(403, "public_access_disabled");
        }
    }
    assert!(app.provider.received().is_empty());
}

#[tokio::test]
async fn a_setting_that_cannot_be_read_is_500_and_no_provider_is_asked() {
    let app = app().await;
    for (name, value) in [
        ("system_message", json!(["You are Bob."])),
        ("streaming", json!("false")),
        ("temperature", json!(9)),
        ("allowed_origins", json!("https://shop.example")),
        ("type", json!("unknown")),
    ] {
        let mut config = json!({"access_mode": "public_token", "model": "gpt-4o"});
        config[name] = value;
        let (_, token) = create(&app.store, config).await;
        for stream in [false, true] {
            let message = app
                .chat(&token, &hello(stream))
                .await
                .error(500, "assistant_misconfigured");
            assert!(
                message.contains(&format!("`{name}`")) && !message.contains("Bob"),
                "{message}"
            );
        }
    }
    assert!(app.provider.received().is_empty());
}

#[tokio::test]
async fn with_the_token_of_a_deleted_assistant_it_is_404() {
    let app = app().await;
    let configurable = json!({"access_mode": "public_token", "model": "gpt-4o"});
    let (record, token) = create(&app.store, configurable).await;
    assert_eq!(app.chat(&token, &hello(false)).await.status, 200);
    app.store.delete(&record).await.unwrap();
    let message = app.chat(&token, &hello(false)).await.error(404, "assistant_not_found");
    assert!(message.starts_with("Assistant not found"), "{message}");
}

#[tokio::test]
async fn an_origin_that_is_not_listed_is_403_and_none_is_fine() {
    let app = app().await;
    let token = app
        .assistant_with(json!({"allowed_origins": ["https://shop.example"]}))
        .await;
    for (origin, status) in [
        (None, 200),
        (Some("https://shop.example"), 200),
        (Some("https://evil.example"), 403),
    ] {
        let mut request = app.chat_request(&token, &hello(false));
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let reply = Reply::of(request).await;
        assert_eq!(reply.status, status, "{origin:?}");
        // The page can read the error too.
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
        if status == 403 {
            reply.error(403, "origin_not_allowed");
        }
    }
}

#[tokio::test]
async fn a_rotated_or_disabled_token_is_out_on_the_next_request_and_a_new_one_in() {
    let app = app().await;
    let (record, old) = create(&app.store, json!({"access_mode": "public_token", "model": "gpt-4o"})).await;
    assert_eq!(app.chat(&old, &hello(false)).await.status, 200);

    // Written by a store that the endpoint does not know of, as another process would.
    let token = Token::generate().unwrap();
    let new = token.reveal().to_owned();
    let rotation = Change {
        token: Some(TokenChange::Set(token)),
        ..Change::default()
    };
    let record = app.store.update(&record, rotation).await.unwrap();
    app.chat(&old, &hello(false)).await.error(401, "invalid_api_key");
    assert_eq!(app.chat(&new, &hello(false)).await.status, 200);

    let closed = json!({"configurable": {"access_mode": "authenticated", "model": "gpt-4o"}});
    let change = Change {
        config: Some(closed),
        ..Change::default()
    };
    app.store.update(&record, change).await.unwrap();
    app.chat(&new, &hello(false)).await.error(403, "public_access_disabled");
}

#[tokio::test]
async fn where_the_index_lags_the_claim_decides() {
    let provider = FakeProvider::always(answer(&["Hi"])).await;
    let app = TestApp::with_store_fault(provider, Fault::EmptyIndex).await;
    let token = app.assistant().await;
    assert_eq!(app.chat(&token, &hello(false)).await.status, 200);
    app.chat("pubkey_nobodys_token_1", &hello(false))
        .await
        .error(401, "invalid_api_key");
}

#[tokio::test]
async fn a_caller_who_is_turned_away_may_use_the_connection_again() {
    let app = TestApp::start(FakeProvider::refusing()).await;
    let mut connection = TcpStream::connect(app.address).await.unwrap();
    let body = hello(false).to_string();
    for _ in 0..2 {
        let head = format!(
            "POST /public/openai/v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        // SDKs write head and body apart.
        connection.write_all(head.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
        connection.write_all(body.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        while !String::from_utf8_lossy(&answer).contains("\"missing_authentication_token\"}}") {
            let read = connection.read_buf(&mut answer).await.unwrap();
            assert!(read > 0, "closed after {:?}", String::from_utf8_lossy(&answer));
        }
    }
}
