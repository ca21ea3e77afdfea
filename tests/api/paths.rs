//! The public endpoint's paths and methods: what is there, what is not, and what is tolerated in a path.

use reqwest::Method;

use crate::support::{
    Reply, TestApp, hello,
    provider::{FakeProvider, answer},
    store_fault::Fault,
};

const CHAT: &str = "/public/openai/v1/chat/completions";

async fn app() -> TestApp {
    TestApp::start(FakeProvider::always(answer(&["Hi"])).await).await
}

#[tokio::test]
async fn paths_and_methods_that_are_not_there_are_errors_in_openais_format() {
    let app = app().await;
    for (method, path, status, code) in [
        (Method::GET, "/", 404, "unknown_url"),
        (Method::POST, "/v1/chat/completions", 404, "unknown_url"),
        (Method::POST, "/public/openai/v1/embeddings", 404, "unknown_url"),
        (Method::GET, CHAT, 405, "method_not_allowed"),
        (Method::DELETE, "/public/openai/v1/models", 405, "method_not_allowed"),
    ] {
        let reply = Reply::of(app.request(method, path)).await;
        let message = reply.error(status, code);
        // The router knows what would have been right.
        if status == 404 {
            assert!(message.contains("POST /public/openai/v1/chat/completions"), "{message}");
        } else {
            let allowed = reply.header("allow").unwrap();
            assert!(
                message.ends_with(&format!("Use {}.", allowed.replace(',', ", "))),
                "{message}"
            );
        }
    }
}

#[tokio::test]
async fn slashes_too_many_are_tolerated() {
    let app = app().await;
    let token = app.assistant().await;
    for path in [
        "//public/openai/v1//chat/completions",
        "/public/openai/v1/chat/completions/",
    ] {
        let reply = Reply::of(app.request(Method::POST, path).bearer_auth(&token).json(&hello(false))).await;
        assert_eq!(reply.status, 200, "{path}: {}", reply.text);
    }
}

#[tokio::test]
async fn health_needs_no_token_and_no_store() {
    let provider = FakeProvider::refusing();
    let app = TestApp::with_store_fault(provider, Fault::Down).await;
    let reply = Reply::of(app.request(Method::GET, "/health")).await;
    assert_eq!(
        (reply.status.as_u16(), reply.text.as_str()),
        (200, r#"{"status":"ok"}"#)
    );
    assert!(reply.header("x-request-id").is_some());
}
