//! A reply is the same whichever API the provider has: its form, its thinking, its end, and what is cut off.

use serde_json::json;

use crate::support::{
    error_message, hello,
    schema::{check_chunk, check_completion},
    text_of,
    wire::{KEY, Wire},
};

#[tokio::test]
async fn both_forms_of_an_answer() {
    for wire in Wire::TRANSLATED {
        let (app, token) = wire.streaming("thinking").await;
        let completion = app.chat(&token, &hello(false)).await.json();
        check_completion(&completion);
        assert_eq!(completion["model"], wire.model());
        let choice = &completion["choices"][0];
        assert_eq!(
            choice["message"],
            json!({"role": "assistant", "content": "Four", "refusal": null})
        );
        assert_eq!(choice["finish_reason"], "stop");
        let usage = &completion["usage"];
        assert_eq!(usage["prompt_tokens"], 135, "{}", wire.provider());
        assert_eq!(usage["completion_tokens"], 15, "{}", wire.provider());
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
            assert!(request.head.starts_with(wire.request_line()), "{}", request.head);
            assert!(request.head.contains(&wire.key_header()), "{}", request.head);
            assert!(!request.text.contains(KEY));
        }
    }
}

#[tokio::test]
async fn thinking_is_shown_where_the_assistant_asks_for_it() {
    for wire in Wire::TRANSLATED {
        let (app, token) = wire
            .answering(wire.stream("thinking"), json!({"reasoning_content": true}))
            .await;
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
    for (wire, fixture, reason) in [
        (Wire::Anthropic, "max-tokens", "length"),
        (Wire::Anthropic, "context-window", "length"),
        (Wire::Anthropic, "pause-turn", "length"),
        (Wire::Anthropic, "refusal", "content_filter"),
        (Wire::Bedrock, "max-tokens", "length"),
        (Wire::Bedrock, "context-window", "length"),
        (Wire::Bedrock, "guardrail", "content_filter"),
        (Wire::Bedrock, "content-filtered", "content_filter"),
        (Wire::Bedrock, "without-usage", "stop"),
        (Wire::Gemini, "max-tokens", "length"),
        (Wire::Gemini, "safety", "content_filter"),
        (Wire::Gemini, "recitation", "content_filter"),
        (Wire::Gemini, "blocked-prompt", "content_filter"),
    ] {
        let (app, token) = wire.streaming(fixture).await;
        let completion = app.chat(&token, &hello(false)).await.json();
        check_completion(&completion);
        assert_eq!(completion["choices"][0]["finish_reason"], reason, "{wire:?} {fixture}");
        assert!(
            completion["choices"][0]["message"]["content"].is_string(),
            "{wire:?} {fixture}"
        );
        let streamed = app.chat(&token, &hello(true)).await;
        let events = streamed.events();
        events.iter().for_each(check_chunk);
        assert_eq!(
            events.last().unwrap()["choices"][0]["finish_reason"],
            reason,
            "{wire:?} {fixture}"
        );
        assert!(streamed.is_done());
    }
}

#[tokio::test]
async fn a_cut_off_answer_never_looks_complete() {
    for (wire, fixture, code) in [
        (Wire::Anthropic, "overloaded", "provider_overloaded"),
        (Wire::Anthropic, "cut-off", "provider_error"),
        (Wire::Anthropic, "tool-use", "provider_error"),
        (Wire::Bedrock, "overloaded", "provider_overloaded"),
        (Wire::Bedrock, "throttled", "rate_limit_exceeded"),
        (Wire::Bedrock, "model-error", "provider_error"),
        (Wire::Bedrock, "cut-off", "provider_error"),
        (Wire::Bedrock, "tool-use", "provider_error"),
        (Wire::Bedrock, "unknown-reason", "provider_error"),
        (Wire::Gemini, "overloaded", "provider_overloaded"),
        (Wire::Gemini, "error-event", "provider_overloaded"),
        (Wire::Gemini, "cut-off", "provider_error"),
        (Wire::Gemini, "tool-call", "provider_error"),
        (Wire::Gemini, "unknown-reason", "provider_error"),
    ] {
        let (app, token) = wire.streaming(fixture).await;
        let streamed = app.chat(&token, &hello(true)).await;
        assert!(text_of(&streamed.events()).starts_with("Once"), "{wire:?} {fixture}");
        error_message(streamed.events().last().unwrap(), code);
        let whole = streamed.text.contains("[DONE]") || streamed.text.contains("\"stop\"");
        assert!(!whole, "{wire:?} {fixture}: {}", streamed.text);
        let buffered = app.chat(&token, &hello(false)).await;
        assert!(
            !buffered.status.is_success() && !buffered.text.contains("Once"),
            "{wire:?} {fixture}"
        );
        error_message(&buffered.body(), code);
    }
}
