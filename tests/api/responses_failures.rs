//! The Responses API where something is wrong: with the caller, the request, or the answer.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Reply, TestApp, create,
    failures::{QUICK, failures, keeps_alive, slow},
    hello,
    provider::{FakeProvider, Step, answer, error, response},
    responses::{PATH, ask, failed, streamed_text},
};

#[tokio::test]
async fn callers_are_told_apart_as_by_chat_completions() {
    let app = TestApp::start(FakeProvider::refusing()).await;
    for stream in [false, true] {
        let anonymous = app.request(Method::POST, PATH).json(&ask(stream));
        Reply::of(anonymous).await.error(401, "missing_authentication_token");
        app.respond("pubkey_nobodys_token_1", &ask(stream))
            .await
            .error(401, "invalid_api_key");
        let closed = create(&app.store, json!({"access_mode": "authenticated", "model": "gpt-4o"}))
            .await
            .1;
        app.respond(&closed, &ask(stream))
            .await
            .error(403, "public_access_disabled");
        let without_model = create(&app.store, json!({"access_mode": "public_token"})).await.1;
        app.respond(&without_model, &ask(stream))
            .await
            .error(500, "assistant_misconfigured");
        let pages = app
            .assistant_with(json!({"allowed_origins": ["https://shop.example"]}))
            .await;
        let elsewhere = app.request(Method::POST, PATH).bearer_auth(&pages).json(&ask(stream));
        let elsewhere = elsewhere.header("origin", "https://evil.example");
        Reply::of(elsewhere).await.error(403, "origin_not_allowed");
    }
    Reply::of(app.request(Method::GET, PATH))
        .await
        .error(405, "method_not_allowed");
}

#[tokio::test]
async fn what_is_refused_reaches_no_provider() {
    let app = TestApp::start(FakeProvider::always(answer(&["Hi"])).await).await;
    let token = app.assistant().await;
    for (field, value, param, code) in [
        (
            "tools",
            json!([{"type": "function", "name": "f"}]),
            "tools",
            "unsupported_parameter",
        ),
        ("background", json!(true), "background", "unsupported_parameter"),
        ("truncation", json!("auto"), "truncation", "unsupported_parameter"),
        (
            "previous_response_id",
            json!("resp_1"),
            "previous_response_id",
            "previous_response_not_found",
        ),
        (
            "input",
            json!([{"type": "item_reference", "id": "msg_1"}]),
            "input[0].id",
            "previous_response_not_found",
        ),
        (
            "input",
            json!([{"type": "function_call_output"}]),
            "input[0].type",
            "unsupported_parameter",
        ),
        ("input", Value::Null, "input", "missing_required_parameter"),
        ("temperature", json!(3), "temperature", "decimal_above_max_value"),
    ] {
        for stream in [false, true] {
            let mut body = ask(stream);
            body[field] = value.clone();
            let reply = app.respond(&token, &body).await;
            reply.error(400, code);
            assert_eq!(reply.body()["error"]["param"], param);
        }
    }
    assert_eq!(app.provider.received().len(), 0);
}

#[tokio::test]
async fn every_failure_in_mid_stream_is_a_failed_response_and_an_error() {
    for (what, answer, code) in failures() {
        let app = TestApp::with(FakeProvider::always(answer).await, QUICK).await;
        let token = app.assistant().await;
        let reply = app.respond(&token, &ask(true)).await;
        let events = reply.response_events();
        assert_eq!(streamed_text(failed(&events, code)), "Once upon", "{what}");
        assert!(!reply.text.contains("sk-secret"), "{what}");
        let buffered = app.respond(&token, &ask(false)).await;
        assert!(
            buffered.status.is_server_error() && !buffered.text.contains("Once"),
            "{what}"
        );
    }
}

#[tokio::test]
async fn after_the_commit_an_error_is_the_streams() {
    let late = vec![
        Step::Pause(Duration::from_millis(300)),
        error(401, "invalid_api_key")[0].clone(),
    ];
    let app = TestApp::with(FakeProvider::always(late).await, &[("COMMIT_AFTER_SECONDS", "0.1")]).await;
    let reply = app.respond(&app.assistant().await, &ask(true)).await;
    assert!(reply.text.starts_with(": keep-alive\n\n"), "{}", reply.text);
    let events = reply.response_events();
    // OpenAI's SDKs take no other event for the first, and would hide the error.
    let begun = failed(&events, "provider_authentication_failed");
    let kinds: Vec<_> = begun.iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["response.created", "response.in_progress"]);
    assert_eq!(events[0]["response"]["model"], "gpt-4o");
}

#[tokio::test]
async fn a_reply_that_waits_keeps_alive() {
    let settings = &[("COMMIT_AFTER_SECONDS", "0.1"), ("KEEP_ALIVE_SECONDS", "0.1")];
    let app = TestApp::with(FakeProvider::always(slow()).await, settings).await;
    let reply = app.respond(&app.assistant().await, &ask(true)).await;
    keeps_alive(&reply);
    let events = reply.response_events();
    assert_eq!(streamed_text(&events), "At last");
    assert_eq!(events.last().unwrap()["type"], "response.completed");
}

#[tokio::test]
async fn a_providers_name_for_a_field_is_the_one_that_this_api_has() {
    for (theirs, chat, responses) in [
        ("max_tokens", json!("max_tokens"), json!("max_output_tokens")),
        (
            "response_format.json_schema.schema",
            json!("response_format.json_schema.schema"),
            json!("text.format.schema"),
        ),
        ("response_format", json!("response_format"), json!("text.format")),
        ("messages[0].content", json!("messages[0].content"), json!("input")),
        ("messages.[0].content", json!("messages[0].content"), json!("input")),
        ("top_p", json!("top_p"), json!("top_p")),
        // What the request does not have.
        ("messages[3].content", Value::Null, Value::Null),
        ("messages_of_its_own", Value::Null, Value::Null),
    ] {
        let error = json!({"error": {"message": "It is wrong.", "param": theirs, "code": "invalid_value"}});
        let answer = response(400, "", &error.to_string());
        let app = TestApp::start(FakeProvider::always(answer).await).await;
        let token = app.assistant().await;
        let schema = json!({"type": "object"});
        let mut body = ask(false);
        body["max_output_tokens"] = json!(9);
        body["top_p"] = json!(0.5);
        body["text"] = json!({"format": {"type": "json_schema", "name": "n", "schema": schema}});
        let reply = app.respond(&token, &body).await;
        reply.error(400, "invalid_value");
        assert_eq!(reply.body()["error"]["param"], responses, "{theirs}");
        let mut body = hello(false);
        body["max_tokens"] = json!(9);
        body["top_p"] = json!(0.5);
        body["response_format"] = json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}});
        let reply = app.chat(&token, &body).await;
        assert_eq!(reply.body()["error"]["param"], chat, "{theirs}");
    }
}
