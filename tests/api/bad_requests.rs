//! Requests that are a 4xx of the endpoint's own: no provider is asked.

use serde_json::{Value, json};

use crate::support::{
    Reply, TestApp, hello,
    management::{Management, SECRET, jwt},
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
    // curl calls everything form-encoded: the body tells, and its mistake is named.
    let mistake = app
        .request(reqwest::Method::POST, path)
        .bearer_auth(&token)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(r#"{"messages": [{"role": "user", "content": "Hi"},]}"#);
    let message = Reply::of(mistake).await.error(400, "null");
    assert!(message.contains("trailing comma at line 1 column"), "{message}");
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

#[tokio::test]
async fn a_compressed_body_is_415() {
    let app = TestApp::start(FakeProvider::always(answer(&["Hi"])).await).await;
    let management = Management::beside(&app, &[("JWT_SECRET", SECRET)]).await;
    let token = app.assistant().await;
    for stream in [false, true] {
        let send = |coding: &str| {
            app.chat_request(&token, &hello(stream))
                .header("content-encoding", coding)
        };
        for coding in ["gzip", "BR", "identity, gzip", "x-unknown"] {
            let message = Reply::of(send(coding)).await.error(415, "unsupported_content_encoding");
            assert!(message.contains("without a Content-Encoding"), "{message}");
        }
        for coding in ["identity", "Identity", "", " "] {
            assert_eq!(Reply::of(send(coding)).await.status, 200, "{coding:?}");
        }
    }
    // Who asks comes first.
    let unknown = app
        .chat_request("pubkey_of_nobody_at_all", &hello(false))
        .header("content-encoding", "gzip");
    Reply::of(unknown).await.error(401, "invalid_api_key");
    let create = reqwest::Client::new()
        .post(format!("{}/assistants", management.url))
        .bearer_auth(jwt("owner-1"))
        .header("content-encoding", "gzip")
        .body("{}");
    Reply::of(create).await.error(415, "unsupported_content_encoding");
}

/// What no-code tools and SDKs send for "not set", and what their histories hold.
#[tokio::test]
async fn what_tools_send_loses_nothing() {
    let app = TestApp::start(FakeProvider::always(answer(&["Hi"])).await).await;
    let token = app.assistant().await;
    for stream in [false, true] {
        let body = format!(
            r#"{{"messages": [{{"role": "user", "content": "a\ud83d"}}, {{"role": "assistant", "content": null}},
                {{"role": "assistant"}}, {{"role": "user", "content": "\ud83d\ude00"}}],
                "stop": "[\"\"]", "modalities": [""], "temperature": "", "tools": [], "user": "first", "user": "last", "stream": {stream}}}"#
        );
        let reply = Reply::of(app.chat_request(&token, &Value::Null).body(body)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(reply.header("x-accel-buffering"), stream.then_some("no"));
        let sent = app.provider.received().pop().unwrap().body;
        assert_eq!(sent["messages"][0]["content"], "a\u{fffd}");
        assert_eq!(sent["messages"][3]["content"], "😀");
        assert_eq!(
            (sent.get("stop"), sent.get("temperature"), sent["user"].as_str()),
            (None, None, Some("last"))
        );
    }
}
