//! A `max_tokens` above the model's own limit is lowered to it: one that is known, and one that the model's 400 states.

use serde_json::json;

use crate::support::{
    TestApp, hello,
    provider::{Answer, FakeProvider, answer, response},
    wire::Wire,
};

#[tokio::test]
async fn a_token_limit_above_the_models_own_is_lowered_to_it() {
    let app = TestApp::start(FakeProvider::always(answer(&["Hi"])).await).await;
    let mut body = hello(false);
    body["max_tokens"] = json!(100_000);
    for (model, field) in [("gpt-4o", "max_tokens"), ("o3", "max_completion_tokens")] {
        for (capabilities, limit) in [(json!({}), 100_000), (json!({"max_output": 4096}), 4096)] {
            let settings = json!({"type==agent/model": model, "capabilities": capabilities});
            let token = app.assistant_with(settings).await;
            app.chat(&token, &body).await.json();
            let received = app.provider.received().pop().unwrap().body;
            assert_eq!(received[field], limit, "{model}");
        }
    }
}

/// Where a provider is reached, the field of its token limit, a limit, and the words in which it is stated.
const STATED: [(Wire, &str, u64, &str); 9] = [
    (
        Wire::OpenAi,
        "/max_tokens",
        16_384,
        "Invalid 'max_tokens': integer above maximum value. Expected a value <= 16384, but got 60000 instead.",
    ),
    (
        Wire::OpenAi,
        "/max_tokens",
        4096,
        "too many tokens: max tokens must be less than or equal to 4096, the maximum output for this model - received 60000.",
    ),
    (
        Wire::OpenAi,
        "/max_tokens",
        16_384,
        "max_tokens is too large: 60000. This model supports at most 16384 completion tokens, whereas you provided 60000.",
    ),
    (
        Wire::OpenAi,
        "/max_tokens",
        8192,
        "Range of max_tokens should be [1, 8192]",
    ),
    (
        Wire::OpenAi,
        "/max_tokens",
        8192,
        "Invalid max_tokens value, the valid range of max_tokens is [1, 8192]",
    ),
    (
        Wire::OpenAi,
        "/max_tokens",
        8000,
        "max_tokens for `m` must be less than or equal to 8000",
    ),
    (
        Wire::Anthropic,
        "/max_tokens",
        32_000,
        "max_tokens: 60000 > 32000, which is the maximum allowed number of output tokens for m",
    ),
    (
        Wire::Bedrock,
        "/inferenceConfig/maxTokens",
        4096,
        "The maximum tokens you requested exceeds the model limit of 4096. Try again with a maximum tokens value that is lower than 4096.",
    ),
    (
        Wire::Gemini,
        "/generationConfig/maxOutputTokens",
        8192,
        "Unable to submit request because it has a maxOutputTokens value of 60000 but the supported range is from 1 (inclusive) to 8193 (exclusive).",
    ),
];

/// A provider that takes up to `limit` tokens in `field` and says so in `words` where more are asked for.
async fn limited_to(limit: u64, field: &'static str, words: &'static str, answer: Answer) -> FakeProvider {
    FakeProvider::choosing(move |body| {
        if body.pointer(field).and_then(serde_json::Value::as_u64) <= Some(limit) {
            return answer.clone();
        }
        let error = json!({"error": {"message": words, "type": "invalid_request_error"}, "message": words});
        response(400, "", &error.to_string())
    })
    .await
}

async fn start(wire: Wire, field: &'static str, limit: u64, words: &'static str) -> (TestApp, String) {
    let provider = limited_to(limit, field, words, wire.stream("text")).await;
    let app = wire.in_front_of(provider, &[]).await;
    let token = wire.assistant(&app).await;
    (app, token)
}

#[tokio::test]
async fn a_limit_that_the_model_states_is_kept_to_from_then_on() {
    for (wire, field, limit, words) in STATED {
        for stream in [false, true] {
            let (app, token) = start(wire, field, limit, words).await;
            let mut body = hello(stream);
            // A lower one than the model's is the request's own affair.
            for asked in [60_000, 60_000, 1000] {
                body["max_tokens"] = json!(asked);
                let reply = app.chat(&token, &body).await;
                assert_eq!(reply.status, 200, "{words}: {}", reply.text);
            }
            let received = app.provider.received();
            let sent: Vec<_> = received
                .iter()
                .map(|request| request.body.pointer(field).unwrap().as_u64().unwrap())
                .collect();
            assert_eq!(sent, [60_000, limit, limit, 1000], "{words}");
        }
    }
}

/// A limit is believed only where it is lower than what was sent, and remembered only where the model then answers.
#[tokio::test]
async fn a_stated_limit_that_does_not_help_is_not_remembered() {
    for (words, limits) in [
        (
            "max_tokens must be less than or equal to 100",
            vec![5000, 100, 5000, 100],
        ),
        ("max_tokens must be less than or equal to 9000", vec![5000, 5000]),
        ("max_tokens must be less than or equal to 0", vec![5000, 5000]),
        (
            "'max_tokens' is too large: 5000. This model's maximum context length is 4097 tokens and your request has 900 \
             input tokens (5000 > 4097 - 900).",
            vec![5000, 5000],
        ),
    ] {
        let error = json!({"error": {"message": words, "type": "invalid_request_error", "param": null, "code": null}});
        let app = TestApp::start(FakeProvider::always(response(400, "", &error.to_string())).await).await;
        let token = app.assistant().await;
        for stream in [false, true] {
            let mut body = hello(stream);
            body["max_tokens"] = json!(5000);
            assert_eq!(app.chat(&token, &body).await.status, 400);
        }
        let received = app.provider.received();
        let sent: Vec<_> = received
            .iter()
            .map(|request| request.body["max_tokens"].clone())
            .collect();
        assert_eq!(sent, limits, "{words}");
    }
}

/// Words that a caller wrote and that the server quotes in its error lower nobody else's limit.
#[tokio::test]
async fn a_caller_cannot_state_the_models_limit() {
    let choose = |body: &serde_json::Value| -> Answer {
        match body["reasoning_effort"].as_str() {
            None | Some("low") => answer(&["Hi"]),
            Some(effort) => {
                let message = format!("reasoning_effort: unknown variant `{effort}`, expected one of `low`");
                response(400, "", &json!({"error": {"message": message}}).to_string())
            }
        }
    };
    let app = TestApp::start(FakeProvider::choosing(choose).await).await;
    let token = app.assistant_with(json!({"type==agent/model": "gpt-5-mini"})).await;
    for effort in [
        "max_tokens should be [1, 7]",
        "max_tokens should be [1, 7] is [1, 3] is [1, 1]",
        "low",
    ] {
        let mut body = hello(false);
        body["max_tokens"] = json!(50);
        body["reasoning_effort"] = json!(effort);
        assert!(app.chat(&token, &body).await.status.as_u16() <= 400);
    }
    assert_eq!(app.provider.received().pop().unwrap().body["max_completion_tokens"], 50);
}
