//! The providers that do not speak OpenAI's API, behind the endpoint: what holds for one holds for all.

use serde_json::{Value, json};

use crate::{
    schema::{check_chunk, check_completion},
    support::{
        TestApp, error_message, hello,
        provider::{Answer, FakeProvider, response},
        streams, text_of,
    },
};

/// A provider as the endpoint reaches it.
pub struct Native {
    pub name: &'static str,
    pub model: &'static str,
    pub base_url: &'static str,
    pub key: &'static str,
    key_header: &'static str,
    /// How a request for a stream begins.
    request: &'static str,
}

pub const NATIVES: [Native; 3] = [
    Native {
        name: "anthropic",
        model: "claude-sonnet-4-5",
        base_url: "ANTHROPIC_BASE_URL",
        key: "ANTHROPIC_API_KEY",
        key_header: "x-api-key: the-key-of-the-tests",
        request: "POST /v1/messages HTTP/1.1",
    },
    Native {
        name: "bedrock",
        model: "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        base_url: "AWS_ENDPOINT_URL_BEDROCK_RUNTIME",
        key: "AWS_BEARER_TOKEN_BEDROCK",
        key_header: "authorization: Bearer the-key-of-the-tests",
        request: "POST /model/us.anthropic.claude-sonnet-4-5-20250929-v1%3A0/converse-stream HTTP/1.1",
    },
    Native {
        name: "gemini",
        model: "gemini-2.5-flash",
        base_url: "GEMINI_BASE_URL",
        key: "GEMINI_API_KEY",
        key_header: "x-goog-api-key: the-key-of-the-tests",
        request: "POST /v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse HTTP/1.1",
    },
];

pub const KEY: &str = "the-key-of-the-tests";

impl Native {
    /// An endpoint and an assistant whose model gives one of this provider's streams.
    pub async fn start(&self, fixture: &str) -> (TestApp, String) {
        self.answering(streams::answer(&format!("{}-{fixture}", self.name)), json!({}))
            .await
    }

    pub async fn answering(&self, answer: Answer, settings: Value) -> (TestApp, String) {
        let provider = FakeProvider::always(answer).await;
        let origin = provider.origin();
        let app = TestApp::with(provider, &[(self.base_url, &origin), (self.key, KEY)]).await;
        let mut all = json!({"type==agent/model": self.model});
        all.as_object_mut()
            .unwrap()
            .extend(settings.as_object().unwrap().clone());
        let token = app.assistant_with(all).await;
        (app, token)
    }

    /// An error in the provider's own words.
    fn error(&self, status: u16, kind: &str) -> Answer {
        let message = format!("the provider's words, not the key: {KEY}");
        match self.name {
            "anthropic" => {
                let error = json!({"type": "error", "error": {"type": kind, "message": message}});
                response(status, "", &error.to_string())
            }
            "bedrock" => {
                let kind = format!("x-amzn-errortype: {kind}:http://internal.amazon.com/coral/com.amazon.bedrock/\r\n");
                response(status, &kind, &json!({"message": message}).to_string())
            }
            _ => {
                let error = json!({"error": {"code": status, "message": message, "status": kind}});
                response(status, "", &error.to_string())
            }
        }
    }
}

#[tokio::test]
async fn both_forms_of_an_answer() {
    for native in NATIVES {
        let (app, token) = native.start("thinking").await;
        let completion = app.chat(&token, &hello(false)).await.json();
        check_completion(&completion);
        assert_eq!(completion["model"], native.model);
        let choice = &completion["choices"][0];
        assert_eq!(
            choice["message"],
            json!({"role": "assistant", "content": "Four", "refusal": null})
        );
        assert_eq!(choice["finish_reason"], "stop");
        let usage = &completion["usage"];
        assert_eq!(usage["prompt_tokens"], 135, "{}", native.name);
        assert_eq!(usage["completion_tokens"], 15, "{}", native.name);
        assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 100);

        let mut body = hello(true);
        body["stream_options"] = json!({"include_usage": true});
        let streamed = app.chat(&token, &body).await;
        let events = streamed.events();
        events.iter().for_each(check_chunk);
        assert_eq!(text_of(&events), "Four");
        assert_eq!(&events.last().unwrap()["usage"], usage);
        assert!(streamed.is_done());
        for request in app.provider.received() {
            assert!(request.head.starts_with(native.request), "{}", request.head);
            assert!(request.head.contains(native.key_header), "{}", request.head);
            assert!(!request.text.contains(KEY));
        }
    }
}

#[tokio::test]
async fn thinking_is_shown_where_the_assistant_asks_for_it() {
    for native in NATIVES {
        let stream = streams::answer(&format!("{}-thinking", native.name));
        let (app, token) = native.answering(stream, json!({"reasoning_content": true})).await;
        let completion = app.chat(&token, &hello(false)).await.json();
        check_completion(&completion);
        let message = &completion["choices"][0]["message"];
        assert_eq!(message["reasoning_content"], "Two and two");
        assert_eq!(message["content"], "Four");
        let streamed = app.chat(&token, &hello(true)).await;
        let events = streamed.events();
        events.iter().for_each(check_chunk);
        assert_eq!(
            events[0]["choices"][0]["delta"],
            json!({"role": "assistant", "reasoning_content": "Two and two"})
        );
        assert_eq!(text_of(&events), "Four");
        assert!(streamed.is_done());
    }
}

#[tokio::test]
async fn what_ended_early_says_so() {
    for (fixture, reason) in [
        ("anthropic-max-tokens", "length"),
        ("anthropic-context-window", "length"),
        ("anthropic-pause-turn", "length"),
        ("anthropic-refusal", "content_filter"),
        ("bedrock-max-tokens", "length"),
        ("bedrock-context-window", "length"),
        ("bedrock-guardrail", "content_filter"),
        ("bedrock-content-filtered", "content_filter"),
        ("bedrock-without-usage", "stop"),
        ("gemini-max-tokens", "length"),
        ("gemini-safety", "content_filter"),
        ("gemini-recitation", "content_filter"),
        ("gemini-blocked-prompt", "content_filter"),
    ] {
        let (name, stream) = fixture.split_once('-').unwrap();
        let native = NATIVES.iter().find(|native| native.name == name).unwrap();
        let (app, token) = native.start(stream).await;
        let completion = app.chat(&token, &hello(false)).await.json();
        check_completion(&completion);
        assert_eq!(completion["choices"][0]["finish_reason"], reason, "{fixture}");
        assert!(completion["choices"][0]["message"]["content"].is_string(), "{fixture}");
        let streamed = app.chat(&token, &hello(true)).await;
        let events = streamed.events();
        events.iter().for_each(check_chunk);
        assert_eq!(
            events.last().unwrap()["choices"][0]["finish_reason"],
            reason,
            "{fixture}"
        );
        assert!(streamed.is_done());
    }
}

#[tokio::test]
async fn a_cut_off_answer_never_looks_complete() {
    for (fixture, code) in [
        ("anthropic-overloaded", "provider_overloaded"),
        ("anthropic-cut-off", "provider_error"),
        ("anthropic-tool-use", "provider_error"),
        ("bedrock-overloaded", "provider_overloaded"),
        ("bedrock-throttled", "rate_limit_exceeded"),
        ("bedrock-model-error", "provider_error"),
        ("bedrock-cut-off", "provider_error"),
        ("bedrock-tool-use", "provider_error"),
        ("bedrock-unknown-reason", "provider_error"),
        ("gemini-overloaded", "provider_overloaded"),
        ("gemini-error-event", "provider_overloaded"),
        ("gemini-cut-off", "provider_error"),
        ("gemini-tool-call", "provider_error"),
        ("gemini-unknown-reason", "provider_error"),
    ] {
        let (name, stream) = fixture.split_once('-').unwrap();
        let native = NATIVES.iter().find(|native| native.name == name).unwrap();
        let (app, token) = native.start(stream).await;
        let streamed = app.chat(&token, &hello(true)).await;
        assert!(text_of(&streamed.events()).starts_with("Once"), "{fixture}");
        error_message(streamed.events().last().unwrap(), code);
        let whole = streamed.text.contains("[DONE]") || streamed.text.contains("\"stop\"");
        assert!(!whole, "{fixture}: {}", streamed.text);
        let buffered = app.chat(&token, &hello(false)).await;
        assert!(
            !buffered.status.is_success() && !buffered.text.contains("Once"),
            "{fixture}"
        );
        error_message(&buffered.body(), code);
    }
}

/// By provider: its status and kind of error, our status and code.
const ERRORS: [(&str, u16, &str, u16, &str); 23] = [
    ("anthropic", 400, "invalid_request_error", 400, "null"),
    (
        "anthropic",
        401,
        "authentication_error",
        502,
        "provider_authentication_failed",
    ),
    ("anthropic", 402, "billing_error", 429, "insufficient_quota"),
    ("anthropic", 404, "not_found_error", 502, "provider_model_not_found"),
    ("anthropic", 413, "request_too_large", 413, "null"),
    ("anthropic", 429, "rate_limit_error", 429, "rate_limit_exceeded"),
    ("anthropic", 500, "api_error", 502, "provider_error"),
    ("anthropic", 529, "overloaded_error", 503, "provider_overloaded"),
    ("bedrock", 400, "ValidationException", 400, "null"),
    (
        "bedrock",
        403,
        "AccessDeniedException",
        502,
        "provider_authentication_failed",
    ),
    (
        "bedrock",
        404,
        "ResourceNotFoundException",
        502,
        "provider_model_not_found",
    ),
    ("bedrock", 408, "ModelTimeoutException", 504, "provider_timeout"),
    ("bedrock", 424, "ModelErrorException", 502, "provider_error"),
    ("bedrock", 429, "ThrottlingException", 429, "rate_limit_exceeded"),
    ("bedrock", 429, "ModelNotReadyException", 503, "provider_overloaded"),
    (
        "bedrock",
        503,
        "ServiceUnavailableException",
        503,
        "provider_overloaded",
    ),
    ("gemini", 400, "INVALID_ARGUMENT", 400, "null"),
    (
        "gemini",
        400,
        "FAILED_PRECONDITION",
        502,
        "provider_authentication_failed",
    ),
    (
        "gemini",
        403,
        "PERMISSION_DENIED",
        502,
        "provider_authentication_failed",
    ),
    ("gemini", 404, "NOT_FOUND", 502, "provider_model_not_found"),
    ("gemini", 429, "RESOURCE_EXHAUSTED", 429, "rate_limit_exceeded"),
    ("gemini", 500, "INTERNAL", 502, "provider_error"),
    ("gemini", 503, "UNAVAILABLE", 503, "provider_overloaded"),
];

#[tokio::test]
async fn an_error_before_the_first_text_is_a_status() {
    let mut answers = Vec::new();
    for (name, theirs, kind, ours, code) in ERRORS {
        let native = NATIVES.iter().find(|native| native.name == name).unwrap();
        answers.push((native, native.error(theirs, kind), ours, code));
    }
    for native in &NATIVES {
        // Without its one piece of text, this stream is an error and nothing else.
        let mut overloaded = streams::answer(&format!("{}-overloaded", native.name));
        overloaded.retain(|step| !step.contains("Once"));
        answers.push((native, overloaded, 503, "provider_overloaded"));
    }
    for (native, answer, status, code) in answers {
        let (app, token) = native.answering(answer, json!({})).await;
        for stream in [false, true] {
            let reply = app.chat(&token, &hello(stream)).await;
            reply.error(status, code);
            assert!(!reply.text.contains(KEY), "{}: {}", native.name, reply.text);
        }
    }
}

#[tokio::test]
async fn a_model_that_is_not_streamed_answers_all_the_same() {
    let converse = json!({
        "output": {"message": {"role": "assistant", "content": [
            {"reasoningContent": {"reasoningText": {"text": "Two and two", "signature": "Eq"}}}, {"text": "Four"}]}},
        "stopReason": "end_turn", "usage": {"inputTokens": 9, "outputTokens": 12, "totalTokens": 21},
        "metrics": {"latencyMs": 1}});
    let gemini = json!({
        "candidates": [{"content": {"parts": [{"text": "Four"}], "role": "model"}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 12, "totalTokenCount": 21}});
    let claude = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": "Four"}], "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": 9, "output_tokens": 12}});
    for (native, whole, path) in [
        (&NATIVES[0], claude, "/v1/messages "),
        (&NATIVES[1], converse, "/converse "),
        (&NATIVES[2], gemini, "/v1beta/models/gemini-2.5-flash:generateContent "),
    ] {
        let answer = response(200, "", &whole.to_string());
        let (app, token) = native.answering(answer, json!({"streaming": false})).await;
        let completion = app.chat(&token, &hello(false)).await.json();
        check_completion(&completion);
        assert_eq!(completion["choices"][0]["message"]["content"], "Four");
        assert_eq!(completion["usage"]["total_tokens"], 21);
        let streamed = app.chat(&token, &hello(true)).await;
        assert_eq!(text_of(&streamed.events()), "Four");
        assert!(streamed.is_done());
        for request in app.provider.received() {
            assert!(request.head.lines().next().unwrap().contains(path), "{}", request.head);
        }
    }
}
