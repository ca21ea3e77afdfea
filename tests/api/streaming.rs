//! What can happen to a stream after its first byte: cut-off text must never look complete.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::support::{
    TestApp, error_message, events,
    failures::{QUICK, failures, keeps_alive, slow},
    hello,
    provider::{Answer, FakeProvider, Step, events_head, finish, piece, stream_end, text},
    text_of,
};

#[tokio::test]
async fn every_failure_becomes_one_error_event_and_the_end() {
    for (what, answer, code) in failures() {
        let app = TestApp::with(FakeProvider::always(answer).await, QUICK).await;
        let reply = app.chat(&app.assistant().await, &hello(true)).await;
        assert_eq!(reply.status, 200, "{what}");
        let events = reply.events();
        assert_eq!(text_of(&events), "Once upon", "{what}");
        let (last, before) = events.split_last().unwrap();
        error_message(last, code);
        assert!(
            before
                .iter()
                .all(|event| event["choices"][0]["finish_reason"].is_null() && event.get("error").is_none()),
            "{what}"
        );
        assert!(
            !reply.text.contains("[DONE]") && !reply.text.contains("sk-secret"),
            "{what}"
        );
        assert_eq!(
            app.provider.received().len(),
            1,
            "{what}: never tried again after the first text"
        );
    }
}

#[tokio::test]
async fn a_buffered_reply_shows_no_part_of_a_cut_off_answer() {
    for (what, answer, code) in failures() {
        let app = TestApp::with(FakeProvider::always(answer).await, QUICK).await;
        let reply = app.chat(&app.assistant().await, &hello(false)).await;
        assert!(reply.status.is_server_error(), "{what}");
        error_message(&reply.body(), code);
        assert!(!reply.text.contains("Once"), "{what}");
    }
}

#[tokio::test]
async fn the_deadline_ends_a_stream_with_an_error() {
    let endless: Answer = std::iter::once(events_head())
        .chain((0..100).flat_map(|_| [text("a"), Step::Pause(Duration::from_millis(50))]))
        .collect();
    let app = TestApp::with(FakeProvider::always(endless).await, &[("MAX_STREAM_SECONDS", "0.5")]).await;
    let reply = app.chat(&app.assistant().await, &hello(true)).await;
    error_message(reply.events().last().unwrap(), "provider_timeout");
    assert!(!reply.is_done());
}

#[tokio::test]
async fn a_reply_that_waits_commits_to_200_and_keeps_alive() {
    let settings = &[("COMMIT_AFTER_SECONDS", "0.1"), ("KEEP_ALIVE_SECONDS", "0.1")];
    let app = TestApp::with(FakeProvider::always(slow()).await, settings).await;
    let reply = app.chat(&app.assistant().await, &hello(true)).await;
    keeps_alive(&reply);
    assert_eq!(text_of(&reply.events()), "At last");
    assert!(reply.is_done());
}

#[tokio::test]
async fn after_the_commit_an_error_is_the_streams_event() {
    let late = vec![
        Step::Pause(Duration::from_millis(300)),
        crate::support::provider::error(401, "invalid_api_key")[0].clone(),
    ];
    let app = TestApp::with(FakeProvider::always(late).await, &[("COMMIT_AFTER_SECONDS", "0.1")]).await;
    let reply = app.chat(&app.assistant().await, &hello(true)).await;
    assert_eq!(reply.status, 200);
    let events = reply.events();
    assert_eq!(events.len(), 1);
    error_message(&events[0], "provider_authentication_failed");
    assert!(!reply.is_done());
}

#[tokio::test]
async fn each_delta_leaves_as_it_arrives() {
    let pause = Step::Pause(Duration::from_millis(200));
    let slow = vec![
        events_head(),
        text("one"),
        pause.clone(),
        text("two"),
        pause.clone(),
        text("three"),
        pause,
        finish("stop"),
        stream_end(),
    ];
    let app = TestApp::start(FakeProvider::always(slow).await).await;
    let token = app.assistant().await;
    let response = app.chat_request(&token, &hello(true)).send().await.unwrap();
    let mut arrivals: Vec<(Instant, String)> = Vec::new();
    let mut body = response.bytes_stream();
    while let Some(bytes) = body.next().await {
        arrivals.push((Instant::now(), String::from_utf8(bytes.unwrap().to_vec()).unwrap()));
    }
    let texts: Vec<_> = arrivals.iter().map(|(_, bytes)| text_of(&events(bytes))).collect();
    assert_eq!(texts, ["one", "two", "three", ""]);
    // Far apart, since the provider was; held back, they would come together.
    assert!(arrivals[2].0 - arrivals[0].0 > Duration::from_millis(300));
}

#[tokio::test]
async fn reasoning_is_no_part_of_the_answer() {
    let thinking = json!({"choices": [{"index": 0, "delta": {"reasoning_content": "Hmm", "content": Value::Null}}]});
    let parts = json!({"choices": [{"index": 0, "delta": {"content": [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hmm"}]}, {"type": "text", "text": "Four"}]}}]});
    let steps = vec![
        events_head(),
        piece(format!("data: {thinking}\n\n")),
        piece(format!("data: {parts}\n\n")),
        finish("stop"),
        stream_end(),
    ];
    let app = TestApp::start(FakeProvider::always(steps).await).await;
    let reply = app.chat(&app.assistant().await, &hello(true)).await;
    assert_eq!(text_of(&reply.events()), "Four");
    assert!(!reply.text.contains("Hmm"));

    // Beside it, where the assistant asks for it.
    let token = app.assistant_with(json!({"type==agent/reasoning_content": true})).await;
    let message = app.chat(&token, &hello(false)).await.json()["choices"][0]["message"].take();
    assert_eq!(
        (&message["content"], &message["reasoning_content"]),
        (&json!("Four"), &json!("HmmHmm"))
    );
}
