//! Servers and callers that do not keep to the letter of a protocol, some on purpose.

use serde_json::{Value, json};

use crate::support::{
    TestApp, error_message, hello,
    provider::{Answer, FakeProvider, Step, answer, events_head, piece, response, stream_end, text},
    secret::Secret,
    streams, text_of,
    wire::Wire,
};

/// A chunk of OpenAI's with text and a finish reason at once.
fn text_and_stop(text: &str) -> Step {
    let choice = json!({"index": 0, "delta": {"content": text}, "finish_reason": "stop"});
    piece(format!("data: {}\n\n", json!({"choices": [choice]})))
}

fn gemini_stop(text: &str) -> Step {
    let candidate = json!({"content": {"parts": [{"text": text}], "role": "model"}, "finishReason": "STOP"});
    piece(format!("data: {}\n\n", json!({"candidates": [candidate]})))
}

/// Some servers give a finish reason with every chunk, or with an empty one at first.
#[tokio::test]
async fn a_finish_reason_that_is_not_the_last_ends_nothing() {
    let openai = |steps: Vec<Step>| [vec![events_head()], steps].concat();
    let done = || vec![piece("data: [DONE]\n\n"), stream_end()];
    for (whole, stop) in [
        (vec![text_and_stop("Once"), text_and_stop(" upon")], true),
        (vec![text_and_stop(""), text("Once"), text_and_stop(" upon")], true),
        (vec![text_and_stop("Once"), text(" upon")], false),
        (vec![text_and_stop("Once"), Step::Hang], false),
        (vec![text_and_stop(""), Step::Hang], false),
        (vec![text_and_stop("Once"), text_and_stop(""), Step::Hang], false),
        (vec![text_and_stop("Once"), text_and_stop(" upon"), Step::Hang], false),
    ] {
        let app = TestApp::with(
            FakeProvider::always(openai([whole.clone(), done()].concat())).await,
            &[("PROVIDER_IDLE_TIMEOUT_SECONDS", "0.3")],
        )
        .await;
        check(&app, &app.assistant().await, stop).await;
    }
    for (steps, stop) in [
        (vec![gemini_stop("Once"), gemini_stop(" upon"), stream_end()], true),
        (vec![gemini_stop("Once"), gemini_stop(" upon")], false),
    ] {
        let (app, token) = Wire::Gemini.answering(openai(steps), json!({})).await;
        check(&app, &token, stop).await;
    }
}

async fn check(app: &TestApp, token: &str, whole: bool) {
    let streamed = app.chat(token, &hello(true)).await;
    let buffered = app.chat(token, &hello(false)).await;
    if whole {
        assert_eq!(text_of(&streamed.events()), "Once upon");
        assert!(streamed.is_done());
        assert_eq!(streamed.text.matches("\"finish_reason\":\"stop\"").count(), 1);
        assert_eq!(buffered.json()["choices"][0]["message"]["content"], "Once upon");
    } else {
        assert!(
            !streamed.text.contains("[DONE]") && !streamed.text.contains("\"stop\""),
            "{}",
            streamed.text
        );
        assert!(streamed.events().last().is_none_or(|last| last["error"].is_object()));
        assert!(buffered.status.is_server_error() && !buffered.text.contains("Once"));
    }
}

#[tokio::test]
async fn what_follows_an_answer_takes_nothing_from_it() {
    for (name, usage) in [("openai-odd-usage", json!([12, 2])), ("perplexity-text", json!([5, 8]))] {
        let provider = FakeProvider::always(streams::answer_of("openai", name)).await;
        let app = TestApp::start(provider).await;
        let token = app.assistant().await;
        let completion = app.chat(&token, &hello(false)).await.json();
        assert_eq!(completion["choices"][0]["message"]["content"], "Once upon", "{name}");
        let counts = json!([
            completion["usage"]["prompt_tokens"],
            completion["usage"]["completion_tokens"]
        ]);
        assert_eq!(counts, usage, "{name}");
        let streamed = app.chat(&token, &hello(true)).await;
        assert_eq!(text_of(&streamed.events()), "Once upon", "{name}");
        assert!(streamed.is_done(), "{name}: {}", streamed.text);
    }
}

#[tokio::test]
async fn a_whole_answer_beside_an_empty_delta_is_the_answer() {
    // Perplexity's "Chat completions" reference, not streamed.
    let whole = json!({"id": "p", "model": "sonar", "object": "chat.completion", "created": 1, "citations": [],
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Once upon"},
            "delta": {"role": "assistant", "content": ""}}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 8, "total_tokens": 13}});
    let app = TestApp::start(FakeProvider::always(response(200, "", &whole.to_string())).await).await;
    check(&app, &app.assistant_with(json!({"streaming": false})).await, true).await;
}

/// A 400 that quotes what a caller wrote is no reason to leave out what others send.
#[tokio::test]
async fn nobody_teaches_the_endpoint_for_others() {
    let quoting = |request: &crate::support::provider::Received| -> Answer {
        if request.text.contains("x.invalid") {
            // vLLM quotes the whole request.
            let error = json!({"object": "error", "message": format!("1 validation error: 'input': {}", request.text),
                "type": "BadRequestError", "param": null, "code": 400});
            return response(400, "", &error.to_string());
        }
        answer(&["Hi"])
    };
    let app = TestApp::start(FakeProvider::seeing(quoting).await).await;
    let token = app.assistant().await;
    let mut sane = hello(false);
    let mut poison = json!({"messages": [{"role": "user", "content": "x.invalid"}]});
    for body in [&mut sane, &mut poison] {
        body["temperature"] = json!(0.5);
        body["top_p"] = json!(0.9);
        body["seed"] = json!(7);
        body["max_tokens"] = json!(5);
    }
    app.chat(&token, &poison).await.error(400, "null");
    assert!(app.provider.received().len() < 10);
    app.chat(&token, &sane).await.json();
    let sent = app.provider.received().pop().unwrap().body;
    for name in ["temperature", "top_p", "seed", "max_tokens"] {
        assert_eq!(sent[name], sane[name], "{name}");
    }
}

/// Nor is one about the value that a caller chose.
#[tokio::test]
async fn a_value_that_is_wrong_is_left_out_once() {
    let choose = |body: &Value| -> Answer {
        if body["reasoning_effort"] == "bogus" {
            let error = json!({"error": {"message": "Invalid value: 'bogus'. Supported values are: 'low' and 'high'.",
                "type": "invalid_request_error", "param": "reasoning_effort", "code": "invalid_value"}});
            return response(400, "", &error.to_string());
        }
        answer(&["Hi"])
    };
    let app = TestApp::start(FakeProvider::choosing(choose).await).await;
    let token = app.assistant_with(json!({"type==agent/model": "gpt-5-mini"})).await;
    for effort in ["bogus", "low"] {
        let mut body = hello(false);
        body["reasoning_effort"] = json!(effort);
        app.chat(&token, &body).await.json();
    }
    let sent = app.provider.received();
    let efforts: Vec<_> = sent
        .iter()
        .map(|request| request.body["reasoning_effort"].clone())
        .collect();
    assert_eq!(efforts, [json!("bogus"), json!(null), json!("low")]);
}

/// What travels by another name is left out as well: Mistral calls `seed` `random_seed`.
#[tokio::test]
async fn a_parameter_is_left_out_whatever_the_provider_calls_it() {
    let choose = |body: &Value| -> Answer {
        if body.get("random_seed").is_some() {
            let detail = json!([{"type": "extra_forbidden", "loc": ["body", "random_seed"], "msg": "Extra inputs are not permitted"}]);
            let error = json!({"object": "error", "message": {"detail": detail}, "param": "random_seed"});
            return response(422, "", &error.to_string());
        }
        answer(&["Hi"])
    };
    for stream in [false, true] {
        let provider = FakeProvider::choosing(choose).await;
        let base_url = provider.base_url();
        let app = TestApp::with(
            provider,
            &[("MISTRAL_BASE_URL", &base_url), ("MISTRAL_API_KEY", "sk-mistral")],
        )
        .await;
        let token = app
            .assistant_with(json!({"type==agent/model": "mistral/mistral-small-latest"}))
            .await;
        let mut body = hello(stream);
        body["seed"] = json!(7);
        for _ in 0..2 {
            let reply = app.chat(&token, &body).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
        }
        let seeds: Vec<_> = app
            .provider
            .received()
            .iter()
            .map(|request| request.body["random_seed"].clone())
            .collect();
        assert_eq!(seeds, [json!(7), json!(null), json!(null)]);
    }
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
        let reply = crate::support::Reply::of(request).await;
        assert_eq!(reply.status, 400, "{}", reply.text);
    }
}

#[tokio::test]
async fn a_server_that_quotes_its_key_shows_it_to_nobody() {
    let quoting = |body: String| [vec![events_head(), text("Once")], vec![piece(body), stream_end()]].concat();
    let error = r#"{"error": {"message": "bad header 'Bearer sk-own'", "type": "invalid_request_error", "param": "sk-own", "code": "sk-own"}}"#;
    for (answer, code) in [
        (quoting(format!("data: {error}\n\n")), "[key]"),
        (response(400, "", error), "[key]"),
        (response(200, "", error), "[key]"),
    ] {
        let own = FakeProvider::always(answer).await;
        let secret = Secret::new(json!({own.origin(): "sk-own"}));
        let base_url = own.base_url();
        let app = TestApp::with_secret(own, &secret).await;
        let token = app.assistant_with(json!({"base_url": base_url})).await;
        for stream in [false, true] {
            let reply = app.chat(&token, &hello(stream)).await;
            assert!(!reply.text.contains("sk-own"), "{}", reply.text);
            let last = if stream && reply.status == 200 {
                reply.events().pop().unwrap()
            } else {
                reply.body()
            };
            let message = error_message(&last, code);
            assert!(message.contains("Bearer [key]"), "{message}");
        }
    }
}

#[tokio::test]
async fn a_dummy_for_a_key_is_a_word_like_any_other() {
    let own = FakeProvider::always(answer(&["There is none left"])).await;
    let secret = Secret::new(json!({own.origin(): "none"}));
    let base_url = own.base_url();
    let app = TestApp::with_secret(own, &secret).await;
    let token = app.assistant_with(json!({"base_url": base_url})).await;
    let streamed = app.chat(&token, &hello(true)).await;
    assert_eq!(text_of(&streamed.events()), "There is none left");
}
