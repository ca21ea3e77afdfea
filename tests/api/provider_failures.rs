//! The contract's table of what happens at the provider before the reply's first byte, for both reply forms.

use std::time::Duration;

use serde_json::json;

use crate::support::{
    PLATFORM_KEY, TestApp, hello,
    provider::{Answer, FakeProvider, Step, answer, error, events_head, piece, response, stream_end},
};

/// Asks in both forms and checks the error; returns how often the provider was asked for each.
async fn fails_with(answer: Answer, status: u16, code: &str) -> usize {
    let app = TestApp::start(FakeProvider::always(answer).await).await;
    let token = app.assistant().await;
    for stream in [false, true] {
        let reply = app.chat(&token, &hello(stream)).await;
        reply.error(status, code);
        assert!(!reply.text.contains(PLATFORM_KEY));
        let never = [
            "provider_authentication_failed",
            "provider_model_not_found",
            "insufficient_quota",
        ];
        if never.contains(&code) {
            assert_eq!(reply.header("x-should-retry"), Some("false"), "{code}");
        }
    }
    app.provider.received().len() / 2
}

#[tokio::test]
async fn what_is_wrong_with_the_request_is_the_same_4xx() {
    // A conversation that is too long is a 400, whatever the provider makes of it.
    for (status, code, ours) in [
        (400, "invalid_image_url", 400),
        (413, "request_too_large", 413),
        (422, "invalid_value", 422),
        (400, "context_length_exceeded", 400),
        (413, "context_length_exceeded", 400),
        (403, "context_length_exceeded", 400),
    ] {
        let app = TestApp::start(FakeProvider::always(error(status, code)).await).await;
        let token = app.assistant().await;
        for stream in [false, true] {
            let reply = app.chat(&token, &hello(stream)).await;
            let message = reply.error(ours, code);
            assert!(!message.contains("the provider's words on"), "{message}");
            assert_eq!(reply.header("x-should-retry"), Some("false"));
        }
        assert_eq!(app.provider.received().len(), 2, "{status} {code}");
    }
}

#[tokio::test]
async fn our_own_faults_are_502_and_not_to_be_tried_again() {
    assert_eq!(
        fails_with(error(401, "invalid_api_key"), 502, "provider_authentication_failed").await,
        1
    );
    assert_eq!(
        fails_with(error(403, "forbidden"), 502, "provider_authentication_failed").await,
        1
    );
    assert_eq!(
        fails_with(error(404, "model_not_found"), 502, "provider_model_not_found").await,
        1
    );
}

#[tokio::test]
async fn rate_limits_are_passed_on_with_retry_after() {
    for (header, expected) in [
        ("retry-after: 7\r\n", Some("7")),
        ("retry-after: 3600\r\n", Some("59")),
        ("retry-after: 0\r\n", None),
        ("retry-after: -7\r\n", None),
        ("retry-after: inf\r\n", None),
        ("", None),
    ] {
        let limited = response(
            429,
            header,
            r#"{"error":{"message":"slow down","type":"tokens","code":"rate_limit_exceeded"}}"#,
        );
        let app = TestApp::start(FakeProvider::always(limited).await).await;
        let token = app.assistant().await;
        let reply = app.chat(&token, &hello(true)).await;
        reply.error(429, "rate_limit_exceeded");
        assert_eq!(reply.header("retry-after"), expected);
        assert_eq!(reply.header("x-should-retry"), None);
    }
    assert_eq!(
        fails_with(error(429, "insufficient_quota"), 429, "insufficient_quota").await,
        1
    );
}

#[tokio::test]
async fn outages_are_tried_again_within_bounds() {
    assert_eq!(fails_with(error(500, "server_error"), 502, "provider_error").await, 3);
    assert_eq!(
        fails_with(error(503, "overloaded"), 503, "provider_overloaded").await,
        3
    );
    assert_eq!(fails_with(response(529, "", "{}"), 503, "provider_overloaded").await, 3);
    assert_eq!(
        fails_with(response(502, "", "<html>Bad gateway</html>"), 502, "provider_error").await,
        3
    );
    let malformed = vec![events_head(), piece("data: {\"choices\": [\n\n"), stream_end()];
    // Once a call has begun with a 200, it may be paid for.
    assert_eq!(fails_with(malformed, 502, "provider_error").await, 2);
    // A connection closed before the response's head.
    assert_eq!(fails_with(vec![], 502, "provider_error").await, 3);
    let early_error = "data: {\"error\": {\"message\": \"internal\", \"type\": \"server_error\"}}\n\n";
    assert_eq!(
        fails_with(
            vec![events_head(), piece(early_error), stream_end()],
            502,
            "provider_error"
        )
        .await,
        2
    );
}

#[tokio::test]
async fn an_outage_may_say_when_to_come_back() {
    let app = TestApp::start(FakeProvider::always(response(500, "retry-after: 600\r\n", "{}")).await).await;
    let token = app.assistant().await;
    for stream in [false, true] {
        let reply = app.chat(&token, &hello(stream)).await;
        reply.error(502, "provider_error");
        assert_eq!(reply.header("retry-after"), Some("59"));
    }
}

#[tokio::test]
async fn a_refused_connection_is_502() {
    let app = TestApp::start(FakeProvider::refusing()).await;
    app.chat(&app.assistant().await, &hello(false))
        .await
        .error(502, "provider_error");
}

#[tokio::test]
async fn an_outage_that_passes_goes_unnoticed() {
    for stream in [false, true] {
        let provider = FakeProvider::new(vec![error(500, "server_error"), vec![], answer(&["Hi"])]).await;
        let app = TestApp::start(provider).await;
        let reply = app.chat(&app.assistant().await, &hello(stream)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        assert_eq!(app.provider.received().len(), 3);
    }
}

#[tokio::test]
async fn silence_is_504() {
    let silent = [vec![Step::Hang], vec![events_head(), Step::Hang]];
    for answer in silent {
        let provider = FakeProvider::always(answer).await;
        let app = TestApp::with(provider, &[("PROVIDER_IDLE_TIMEOUT_SECONDS", "0.2")]).await;
        let token = app.assistant().await;
        for stream in [false, true] {
            app.chat(&token, &hello(stream)).await.error(504, "provider_timeout");
        }
    }
}

#[tokio::test]
async fn a_buffered_reply_has_a_time_limit_of_its_own() {
    let slow = vec![
        events_head(),
        piece(": working\n\n"),
        Step::Pause(Duration::from_secs(30)),
    ];
    let app = TestApp::with(FakeProvider::always(slow).await, &[("BUFFERED_TIMEOUT_SECONDS", "0.3")]).await;
    app.chat(&app.assistant().await, &hello(false))
        .await
        .error(504, "provider_timeout");
}

#[tokio::test]
async fn a_parameter_that_the_model_turns_down_is_left_out_from_then_on() {
    let refusal = r#"{"error":{"message":"Unsupported parameter: 'temperature' is not supported with this model.","type":"invalid_request_error","param":"temperature","code":"unsupported_parameter"}}"#;
    let app = TestApp::start(FakeProvider::new(vec![response(400, "", refusal), answer(&["Hi"])]).await).await;
    let token = app.assistant().await;
    let mut body = hello(false);
    body["temperature"] = json!(0.5);
    for _ in 0..2 {
        assert_eq!(app.chat(&token, &body).await.status, 200);
    }
    let sent: Vec<_> = app
        .provider
        .received()
        .iter()
        .map(|request| request.body.get("temperature").is_some())
        .collect();
    assert_eq!(sent, [true, false, false]);
}

#[tokio::test]
async fn where_a_gateway_writes_no_param_its_message_names_the_parameter() {
    for param in [json!(""), json!("None"), json!(null)] {
        let error = json!({"error": {"message": "Unsupported parameter: 'temperature' is not supported with this model.",
            "type": "invalid_request_error", "param": param, "code": null}});
        let refusal = response(400, "", &error.to_string());
        let app = TestApp::start(FakeProvider::new(vec![refusal, answer(&["Hi"])]).await).await;
        let mut body = hello(false);
        body["temperature"] = json!(0.5);
        assert_eq!(app.chat(&app.assistant().await, &body).await.status, 200);
    }
}

#[tokio::test]
async fn requests_that_learn_at_the_same_time_all_go_through() {
    let refusal = r#"{"error":{"message":"Unsupported value","type":"invalid_request_error","param":"temperature","code":"unsupported_value"}}"#;
    let provider = FakeProvider::choosing(move |body| match body.get("temperature") {
        Some(_) => [
            vec![Step::Pause(Duration::from_millis(100))],
            response(400, "", refusal),
        ]
        .concat(),
        None => answer(&["Hi"]),
    })
    .await;
    let app = TestApp::start(provider).await;
    let token = app.assistant().await;
    let mut body = hello(false);
    body["temperature"] = json!(0.5);
    let replies = futures_util::future::join_all((0..4).map(|_| app.chat(&token, &body))).await;
    assert!(replies.iter().all(|reply| reply.status == 200));
}

#[tokio::test]
async fn a_model_that_wants_the_newer_name_of_the_token_limit_gets_it() {
    let refusal = r#"{"error":{"message":"Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.","type":"invalid_request_error","param":"max_tokens","code":"unsupported_parameter"}}"#;
    let app = TestApp::start(FakeProvider::new(vec![response(400, "", refusal), answer(&["Hi"])]).await).await;
    let token = app.assistant().await;
    let mut body = hello(false);
    body["max_tokens"] = json!(5);
    assert_eq!(app.chat(&token, &body).await.status, 200);
    let sent = app.provider.received();
    assert_eq!(
        (&sent[0].body["max_tokens"], sent[1].body.get("max_tokens")),
        (&json!(5), None)
    );
    assert_eq!(sent[1].body["max_completion_tokens"], 5);
}

#[tokio::test]
async fn a_server_that_knows_no_stream_options_is_asked_without() {
    let refusal = r#"{"detail":[{"type":"extra_forbidden","loc":["body","stream_options"],"msg":"Extra inputs are not permitted"}]}"#;
    let app = TestApp::start(FakeProvider::new(vec![response(422, "", refusal), answer(&["Hi"])]).await).await;
    let token = app.assistant().await;
    assert_eq!(app.chat(&token, &hello(false)).await.status, 200);
    let sent = app.provider.received();
    assert!(sent[0].body.get("stream_options").is_some() && sent[1].body.get("stream_options").is_none());
}

#[tokio::test]
async fn what_would_change_the_answer_is_never_left_out() {
    for name in ["max_tokens", "stop", "response_format"] {
        let refusal = json!({"error": {"message": format!("Unsupported parameter: '{name}'"), "type": "invalid_request_error",
            "param": name, "code": "unsupported_parameter"}});
        let app = TestApp::start(FakeProvider::always(response(400, "", &refusal.to_string())).await).await;
        let mut body = hello(false);
        body["max_tokens"] = json!(5);
        body["stop"] = json!("x");
        body["response_format"] = json!({"type": "json_object"});
        app.chat(&app.assistant().await, &body)
            .await
            .error(400, "unsupported_parameter");
        assert_eq!(app.provider.received().len(), 1);
    }
}

#[tokio::test]
async fn a_config_that_cannot_be_used_says_which_setting() {
    let app = TestApp::start(FakeProvider::refusing()).await;
    for (settings, setting) in [
        (json!({"type==agent/model": null}), "`model`"),
        (json!({"provider": "openia"}), "`provider`"),
        (json!({"type==agent/model": "my-model"}), "`provider`"),
        (json!({"base_url": "llm.example.com"}), "`base_url`"),
        (json!({"base_url": 5}), "`base_url`"),
        (json!({"base_url": " "}), "`base_url`"),
        (json!({"provider": ["openai"]}), "`provider`"),
        (json!({"temperature": 9}), "temperature"),
        (json!({"type==agent/model": "groq/llama"}), "`GROQ_API_KEY`"),
        (json!({"provider": "azure"}), "`AZURE_OPENAI_ENDPOINT`"),
    ] {
        let token = app.assistant_with(settings.clone()).await;
        for stream in [false, true] {
            let reply = app.chat(&token, &hello(stream)).await;
            let message = reply.error(500, "assistant_misconfigured");
            assert!(message.contains(setting), "{settings}: {message}");
            assert_eq!(reply.header("x-should-retry"), Some("false"));
        }
    }
}
