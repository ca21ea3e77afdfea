//! `fallback_models`: who answers where the first model does not.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    TestApp, hello,
    provider::{
        Answer, FakeProvider, Received, Step, answer, error, events_head, finish, piece, response, stream_end, text,
    },
    schema::{check_chunk, check_completion},
    streams, text_of,
};

/// OpenAI's `gpt-4o` does as it is told; `gpt-4o-mini` is down; Claude, Nova and Gemini answer.
fn provide(request: &Received, first: &Answer) -> Answer {
    let path = request.head.split(' ').nth(1).unwrap();
    match (path, request.body["model"].as_str()) {
        ("/v1/chat/completions", Some("gpt-4o")) => first.clone(),
        ("/v1/chat/completions", Some("gpt-4o-mini")) => error(503, "overloaded"),
        ("/v1/chat/completions", Some("gpt-4.1")) => error(400, "context_length_exceeded"),
        ("/v1/chat/completions", _) => answer(&["Mini"]),
        ("/v1/messages", _) => streams::answer("anthropic-text"),
        _ if path.contains("converse-stream") => streams::answer("bedrock-text"),
        _ => streams::answer("gemini-text"),
    }
}

async fn start(first: Answer, fallbacks: Value) -> (TestApp, String) {
    let provider = FakeProvider::seeing(move |request| provide(request, &first)).await;
    let origin = provider.origin();
    let settings = [
        ("PROVIDER_IDLE_TIMEOUT_SECONDS", "0.3"),
        ("ANTHROPIC_BASE_URL", &origin),
        ("ANTHROPIC_API_KEY", "sk-ant-of-the-tests"),
        ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &origin),
        ("GEMINI_BASE_URL", &origin),
        ("GEMINI_API_KEY", "key-of-the-tests"),
    ];
    let app = TestApp::with(provider, &settings).await;
    let token = app
        .assistant_with(json!({"type==agent/model": "gpt-4o", "type==agent/fallback_models": fallbacks}))
        .await;
    (app, token)
}

/// How often each path was called.
fn calls(app: &TestApp) -> Vec<String> {
    let received = app.provider.received();
    let call = |request: &Received| {
        let path = request.head.split(' ').nth(1).unwrap().to_owned();
        request.body["model"].as_str().map_or(path, str::to_owned)
    };
    let mut calls: Vec<_> = received.iter().map(call).collect();
    calls.dedup();
    calls
}

#[tokio::test]
async fn another_model_answers_across_providers_and_is_named() {
    let cut = |steps: Vec<Step>| [vec![events_head()], steps].concat();
    for (first, fallback, model) in [
        (error(500, "server_error"), "claude-sonnet-4-5", "claude-sonnet-4-5"),
        (
            error(503, "overloaded"),
            "bedrock/amazon.nova-lite-v1:0",
            "amazon.nova-lite-v1:0",
        ),
        (
            response(429, "retry-after: 30\r\n", "{}"),
            "gemini-2.5-flash",
            "gemini-2.5-flash",
        ),
        (error(429, "insufficient_quota"), "openai/gpt-4.1-mini", "gpt-4.1-mini"),
        (vec![Step::Hang], "gemini-2.5-flash", "gemini-2.5-flash"),
        (cut(vec![]), "claude-sonnet-4-5", "claude-sonnet-4-5"),
        // A stream that has begun, but not with text.
        (
            cut(vec![piece(": ping\n\n"), Step::Hang]),
            "claude-sonnet-4-5",
            "claude-sonnet-4-5",
        ),
    ] {
        let (app, token) = start(first, json!([fallback])).await;
        let completion = app.chat(&token, &hello(false)).await.json();
        check_completion(&completion);
        assert_eq!(completion["model"], model);
        let streamed = app.chat(&token, &hello(true)).await;
        let events = streamed.events();
        events.iter().for_each(check_chunk);
        assert!(events.iter().all(|event| event["model"] == model), "{}", streamed.text);
        assert!(streamed.is_done() && !text_of(&events).is_empty());
    }
}

#[tokio::test]
async fn they_are_tried_in_order_until_one_answers() {
    let (app, token) = start(
        error(500, "server_error"),
        // Down, not for this request, without a key, and then one that can.
        json!([
            "gpt-4o-mini",
            "gpt-4.1",
            "mistral/mistral-large-latest",
            "gemini-2.5-flash",
            "claude-sonnet-4-5"
        ]),
    )
    .await;
    let completion = app.chat(&token, &hello(false)).await.json();
    assert_eq!(completion["model"], "gemini-2.5-flash", "{completion}");
    let gemini = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse";
    assert_eq!(calls(&app), ["gpt-4o", "gpt-4o-mini", "gpt-4.1", gemini]);

    // Where none can, the first one's failure is the answer.
    let limited = response(429, "retry-after: 30\r\n", "{}");
    let (app, token) = start(limited, json!(["gpt-4o-mini", "gpt-4.1"])).await;
    for stream in [false, true] {
        let reply = app.chat(&token, &hello(stream)).await;
        reply.error(429, "rate_limit_exceeded");
        assert_eq!(reply.header("retry-after"), Some("30"));
    }
}

#[tokio::test]
async fn what_is_not_the_models_failure_is_not_handed_on() {
    for (first, status, code) in [
        (error(400, "context_length_exceeded"), 400, "context_length_exceeded"),
        (error(401, "invalid_api_key"), 502, "provider_authentication_failed"),
        (error(404, "model_not_found"), 502, "provider_model_not_found"),
    ] {
        let (app, token) = start(first, json!(["claude-sonnet-4-5"])).await;
        app.chat(&token, &hello(false)).await.error(status, code);
        assert_eq!(calls(&app), ["gpt-4o"]);
    }
    // Nor what fails after the first text: it has been sent.
    let begun = vec![events_head(), text("Once"), Step::Pause(Duration::from_millis(10))];
    let (app, token) = start(begun, json!(["claude-sonnet-4-5"])).await;
    let streamed = app.chat(&token, &hello(true)).await;
    assert_eq!(text_of(&streamed.events()), "Once");
    assert!(!streamed.text.contains("[DONE]") && streamed.events().last().unwrap()["error"].is_object());
    app.chat(&token, &hello(false)).await.error(502, "provider_error");
    assert_eq!(calls(&app), ["gpt-4o"]);
}

#[tokio::test]
async fn a_silent_model_leaves_time_for_the_next_within_the_replys_own_limit() {
    let provider = FakeProvider::seeing(|request| provide(request, &vec![Step::Hang])).await;
    let origin = provider.origin();
    let settings = [
        ("BUFFERED_TIMEOUT_SECONDS", "1.5"),
        ("GEMINI_BASE_URL", origin.as_str()),
        ("GEMINI_API_KEY", "key-of-the-tests"),
    ];
    let app = TestApp::with(provider, &settings).await;
    let token = app
        .assistant_with(json!({"fallback_models": ["gemini-2.5-flash"]}))
        .await;
    let completion = app.chat(&token, &hello(false)).await.json();
    assert_eq!(completion["model"], "gemini-2.5-flash", "{completion}");
}

#[tokio::test]
async fn the_setting_is_checked() {
    for bad in [
        json!("gpt-4o"),
        json!([1]),
        json!(["my-model"]),
        json!(vec!["gpt-4.1"; 6]),
    ] {
        let (app, token) = start(answer(&["Hi"]), bad).await;
        app.chat(&token, &hello(false))
            .await
            .error(500, "assistant_misconfigured");
        assert!(app.provider.received().is_empty());
    }
    let (app, token) = start(vec![events_head(), text("Hi"), finish("stop"), stream_end()], json!([])).await;
    assert_eq!(app.chat(&token, &hello(false)).await.json()["model"], "gpt-4o");
}

#[tokio::test]
async fn a_model_that_is_listed_again_is_not_asked_again() {
    let again = json!(["gpt-4o", "gpt-4o-mini", "openai/gpt-4o-mini", "gpt-4o"]);
    let (app, token) = start(error(503, "overloaded"), again).await;
    for stream in [false, true] {
        app.chat(&token, &hello(stream)).await.error(503, "provider_overloaded");
    }
    assert_eq!(calls(&app), ["gpt-4o", "gpt-4o-mini", "gpt-4o", "gpt-4o-mini"]);
}
