//! Where an answer ends: at its last finish reason, whatever comes after it.

use serde_json::json;

use crate::support::{
    TestApp, hello,
    provider::{FakeProvider, Step, events_head, finish, piece, stream_end, text},
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
    let (streamed, buffered) = (hello(true), hello(false));
    let (streamed, buffered) = tokio::join!(app.chat(token, &streamed), app.chat(token, &buffered));
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
async fn a_finish_reason_is_end_enough() {
    for end in [vec![stream_end()], vec![], vec![piece("data: {oops\n\n"), stream_end()]] {
        let answer = [vec![events_head(), text("Hi"), finish("stop")], end].concat();
        let app = TestApp::start(FakeProvider::always(answer).await).await;
        let reply = app.chat(&app.assistant().await, &hello(true)).await;
        assert!(reply.is_done(), "{}", reply.text);
    }
}

#[tokio::test]
async fn of_two_finish_reasons_the_graver_one_counts() {
    for (reasons, expected) in [
        (["length", "stop"], "length"),
        (["content_filter", "stop"], "content_filter"),
        (["stop", "length"], "length"),
    ] {
        let [first, second] = reasons.map(finish);
        let answer = vec![
            events_head(),
            text("Hi"),
            first,
            second,
            piece("data: [DONE]\n\n"),
            stream_end(),
        ];
        let app = TestApp::start(FakeProvider::always(answer).await).await;
        let token = app.assistant().await;
        let completion = app.chat(&token, &hello(false)).await.json();
        assert_eq!(completion["choices"][0]["finish_reason"], expected, "{reasons:?}");
        let streamed = app.chat(&token, &hello(true)).await;
        let events = streamed.events();
        let finishes: Vec<_> = events
            .iter()
            .map(|event| &event["choices"][0]["finish_reason"])
            .collect();
        assert_eq!(*finishes.last().unwrap(), expected, "{reasons:?}");
    }
}
