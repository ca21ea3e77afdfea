//! Anthropic's Messages behind the endpoint.

use std::collections::HashSet;

use assistant_endpoint::{
    chat::{
        message::{Message, Part, Role},
        parameters::Parameters,
        prompt::Prompt,
    },
    provider::{anthropic::encode::encode, choose},
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::{
    schema::{check_chunk, check_completion},
    support::{
        TestApp, error_message, hello,
        provider::{Answer, FakeProvider, Step, error, piece, response, stream_end, stream_head},
        text_of,
    },
};

const KEY: &str = "sk-ant-key-of-the-tests";

fn stream(fixture: &str) -> Answer {
    let path = format!(
        "{}/tests/fixtures/streams/anthropic/{fixture}.sse",
        env!("CARGO_MANIFEST_DIR")
    );
    let events = std::fs::read_to_string(path).unwrap();
    let pieces = events.split_inclusive("\n\n").map(piece);
    std::iter::once(stream_head())
        .chain(pieces)
        .chain([stream_end()])
        .collect()
}

async fn start(answer: Answer) -> (TestApp, String) {
    let provider = FakeProvider::always(answer).await;
    let base_url = provider.base_url();
    let app = TestApp::with(
        provider,
        &[("ANTHROPIC_BASE_URL", &base_url), ("ANTHROPIC_API_KEY", KEY)],
    )
    .await;
    let token = app
        .assistant_with(json!({"type==agent/model": "claude-sonnet-4-5"}))
        .await;
    (app, token)
}

#[tokio::test]
async fn both_forms_of_an_answer() {
    let (app, token) = start(stream("anthropic-thinking")).await;
    let completion = app.chat(&token, &hello(false)).await.json();
    check_completion(&completion);
    assert_eq!(completion["choices"][0]["message"]["content"], "Four");
    assert_eq!(completion["choices"][0]["finish_reason"], "stop");
    assert_eq!(
        completion["usage"],
        json!({"prompt_tokens": 135, "completion_tokens": 15, "total_tokens": 150, "prompt_tokens_details": {"cached_tokens": 100}})
    );
    let streamed = app.chat(&token, &hello(true)).await;
    streamed.events().iter().for_each(check_chunk);
    assert_eq!(text_of(&streamed.events()), "Four");
    assert!(streamed.is_done());
    for request in app.provider.received() {
        assert!(
            request.head.starts_with("POST /v1/messages HTTP/1.1"),
            "{}",
            request.head
        );
        for header in ["anthropic-version: 2023-06-01", &format!("x-api-key: {KEY}")] {
            assert!(request.head.contains(header), "{}", request.head);
        }
    }
}

#[tokio::test]
async fn a_cut_off_answer_never_looks_complete() {
    for (fixture, code) in [
        ("anthropic-overloaded", "provider_overloaded"),
        ("anthropic-cut-off", "provider_error"),
        ("anthropic-tool-use", "provider_error"),
    ] {
        let (app, token) = start(stream(fixture)).await;
        let streamed = app.chat(&token, &hello(true)).await;
        assert_eq!(text_of(&streamed.events()), "Once", "{fixture}");
        error_message(streamed.events().last().unwrap(), code);
        assert!(
            !streamed.text.contains("[DONE]") && !streamed.text.contains("\"stop\""),
            "{fixture}"
        );
        let buffered = app.chat(&token, &hello(false)).await;
        assert!(buffered.status.is_server_error());
        error_message(&buffered.json(), code);
    }
}

#[tokio::test]
async fn an_error_before_the_first_text_is_a_status() {
    // Anthropic can send `message_start` and then an error.
    let early: Answer = stream("anthropic-overloaded")
        .into_iter()
        .enumerate()
        .filter(|(at, _)| *at != 3)
        .map(|(_, step)| step)
        .collect();
    let anthropic = |status: u16, kind: &str| -> Vec<Step> {
        response(
            status,
            "",
            &json!({"type": "error", "error": {"type": kind, "message": "the provider's words"}}).to_string(),
        )
    };
    for (answer, status, code) in [
        (early, 503, "provider_overloaded"),
        (anthropic(400, "invalid_request_error"), 400, "null"),
        (
            anthropic(401, "authentication_error"),
            502,
            "provider_authentication_failed",
        ),
        (anthropic(404, "not_found_error"), 502, "provider_model_not_found"),
        (anthropic(413, "request_too_large"), 413, "null"),
        (anthropic(429, "rate_limit_error"), 429, "rate_limit_exceeded"),
        (anthropic(529, "overloaded_error"), 503, "provider_overloaded"),
        (error(500, "api_error"), 502, "provider_error"),
    ] {
        let (app, token) = start(answer).await;
        for stream in [false, true] {
            let reply = app.chat(&token, &hello(stream)).await;
            reply.error(status, code);
            assert!(!reply.text.contains(KEY));
        }
    }
}

#[tokio::test]
async fn what_cannot_be_honoured_is_a_400() {
    let (app, token) = start(stream("anthropic-text")).await;
    for (field, value) in [
        ("response_format", json!({"type": "json_object"})),
        ("logprobs", json!(true)),
    ] {
        let mut body = hello(false);
        body[field] = value;
        let reply = app.chat(&token, &body).await;
        reply.error(400, "unsupported_parameter");
        assert_eq!(reply.json()["error"]["param"], field);
    }
    let image = json!([{"type": "image_url", "image_url": {"url": "http://example.com/cat.png"}}]);
    let body = json!({"messages": [{"role": "user", "content": image}]});
    app.chat(&token, &body).await.error(400, "null");
    assert_eq!(app.provider.received().len(), 0);
}

fn part() -> impl Strategy<Value = Part> {
    let image = Part::Image {
        url: "data:image/jpg;base64,AA==".into(),
        detail: None,
    };
    prop_oneof![3 => "[a ]{0,3}".prop_map(Part::Text), 1 => Just(image)]
}

fn message() -> impl Strategy<Value = Message> {
    let role = prop_oneof![Just(Role::System), Just(Role::User), Just(Role::Assistant)];
    (role, prop::collection::vec(part(), 1..3)).prop_map(|(role, mut parts)| {
        if role != Role::User {
            parts.retain(|part| matches!(part, Part::Text(_)));
            parts.push(Part::Text(String::new()));
        }
        Message {
            role,
            parts,
            name: None,
        }
    })
}

proptest! {
    /// "Messages" API reference: a user's turn first, turns in alternation, no blank text; and no model takes an
    /// assistant's turn at the end from Claude 4.6 on.
    #[test]
    fn any_conversation_is_within_the_documented_constraints(messages in prop::collection::vec(message(), 1..8)) {
        let prompt = Prompt {
            model: choose("claude-sonnet-4-5", None, None).unwrap(),
            messages,
            parameters: Parameters::default(),
        };
        let body = encode(&prompt, &HashSet::new()).unwrap();
        let turns = body["messages"].as_array().unwrap();
        let role = |turn: &Value| turn["role"].as_str().unwrap().to_owned();
        prop_assert!(role(&turns[0]) == "user" && role(turns.last().unwrap()) == "user");
        prop_assert!(turns.windows(2).all(|pair| role(&pair[0]) != role(&pair[1])));
        for block in turns.iter().flat_map(|turn| turn["content"].as_array().unwrap()) {
            prop_assert!(block["type"] == "image" || !block["text"].as_str().unwrap().trim().is_empty());
        }
        prop_assert!(turns.iter().all(|turn| !turn["content"].as_array().unwrap().is_empty()));
        prop_assert!(body.get("system").is_none_or(|system| !system.as_str().unwrap().trim().is_empty()));
    }
}
