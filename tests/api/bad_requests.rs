//! Requests that are a 4xx of the endpoint's own: no provider is asked.

use serde_json::{Value, json};

use crate::support::{
    Reply, TestApp, hello,
    provider::{FakeProvider, answer},
};

#[tokio::test]
async fn a_bad_request_is_400_before_the_provider_is_asked() {
    let app = TestApp::start(FakeProvider::refusing()).await;
    let token = app.assistant().await;
    let with = |field: &str, value: Value| {
        let mut body = hello(true);
        body[field] = value;
        body
    };
    for (body, code) in [
        (json!({}), "missing_required_parameter"),
        (with("temperature", json!("hot")), "invalid_type"),
        (with("n", json!(2)), "unsupported_parameter"),
        (with("tools", json!([{"type": "function"}])), "unsupported_parameter"),
    ] {
        app.chat(&token, &body).await.error(400, code);
    }
    let path = "/public/openai/v1/chat/completions";
    let form = app
        .request(reqwest::Method::POST, path)
        .bearer_auth(&token)
        .body("model=gpt-4o&messages=Hello");
    let message = Reply::of(form.header("content-type", "application/x-www-form-urlencoded"))
        .await
        .error(400, "null");
    assert!(message.contains("JSON"), "{message}");
    let large = "x".repeat(4 * 1024 * 1024 + 1);
    Reply::of(app.request(reqwest::Method::POST, path).bearer_auth(&token).body(large))
        .await
        .error(413, "request_too_large");
}

#[tokio::test]
async fn top_logprobs_without_logprobs_reaches_no_provider() {
    let app = TestApp::start(FakeProvider::always(answer(&["Hi"])).await).await;
    let token = app.assistant().await;
    for stream in [false, true] {
        let mut body = hello(stream);
        body["top_logprobs"] = json!(2);
        let reply = app.chat(&token, &body).await;
        reply.error(400, "null");
        assert_eq!(reply.body()["error"]["param"], "top_logprobs");
    }
    assert!(app.provider.received().is_empty());
}

#[tokio::test]
async fn a_small_body_of_very_many_values_is_a_400() {
    let app = TestApp::start(FakeProvider::refusing()).await;
    let token = app.assistant().await;
    let zeros = format!("[{}0]", "0,".repeat(1_000_000));
    for body in [
        format!(r#"{{"messages": {zeros}}}"#),
        format!(r#"{{"messages": "{zeros}"}}"#),
        format!(r#"{{"messages": [{{"role": "user", "content": "Hi"}}], "unknown": {zeros}}}"#),
    ] {
        let request = app.chat_request(&token, &Value::Null).body(body);
        let reply = Reply::of(request).await;
        assert_eq!(reply.status, 400, "{}", reply.text);
    }
}
