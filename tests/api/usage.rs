//! What an assistant uses is counted by the day, in one update a reply, whatever comes of it.

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Reply, TestApp, hello,
    management::{Management, SECRET, id, jwt},
    provider::{Answer, FakeProvider, Step, answer, error, events_head, finish, piece, response, stream_end, text},
    store_fault::Fault,
    wire::Wire,
};

const USAGE: [(&str, &str); 1] = [("USAGE_TABLE", "Usage")];

async fn management(app: &TestApp) -> Management {
    Management::beside(app, &[("JWT_SECRET", SECRET), ("USAGE_TABLE", "Usage")]).await
}

/// A public assistant, its id and token.
async fn create(management: &Management, model: &str) -> (String, String) {
    let settings = json!({"model": model, "access_mode": "public_token"});
    let created = management.create(settings).await;
    (
        id(&created).to_owned(),
        created["public_token"].as_str().unwrap().to_owned(),
    )
}

async fn usage(management: &Management, id: &str) -> Value {
    let path = format!("/assistants/{id}/usage");
    Reply::of(management.request(Method::GET, &path, &jwt("owner-1")))
        .await
        .json()
}

/// Waits until so many requests are counted: what a client sees of a reply may come before.
async fn counted(management: &Management, id: &str, requests: u64) -> Value {
    let mut total = Value::Null;
    for _ in 0..200 {
        total = usage(management, id).await["total"].clone();
        if total["requests"].as_u64() >= Some(requests) {
            return total;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("not {requests} requests: {total}")
}

#[tokio::test]
async fn every_reply_is_counted_whatever_comes_of_it() {
    let cut: Answer = vec![events_head(), text("Once upon")];
    for wire in Wire::ALL {
        let whole = [wire.start(), vec![wire.text("Once upon a time")], wire.end("stop", 12)].concat();
        let app = wire.in_front_of(FakeProvider::always(whole).await, &USAGE).await;
        let management = management(&app).await;
        let (id, token) = create(&management, wire.model()).await;
        for stream in [false, true] {
            app.chat(&token, &hello(stream)).await;
        }
        let expected = json!({"requests": 2, "failures": 0, "prompt_tokens": 18, "cached_tokens": 0, "completion_tokens": 24,
            "reasoning_tokens": 0, "estimated_requests": 0});
        assert_eq!(counted(&management, &id, 2).await, expected, "{wire:?}");
    }
    for (answer, failures, completion, estimated) in [
        // Nothing has come: nothing is taken to be used.
        (error(429, "rate_limit_exceeded"), 2, 0, 0),
        (response(400, "", "{}"), 2, 0, 0),
        // Cut off, and an answer without counts: estimated, four bytes a token.
        (cut, 2, 6, 2),
        (
            [
                vec![events_head(), text("Once upon")],
                vec![finish("stop"), piece("data: [DONE]\n\n"), stream_end()],
            ]
            .concat(),
            0,
            6,
            2,
        ),
    ] {
        let app = TestApp::with(FakeProvider::always(answer).await, &USAGE).await;
        let management = management(&app).await;
        let (id, token) = create(&management, "gpt-4o").await;
        for stream in [false, true] {
            app.chat(&token, &hello(stream)).await;
        }
        let total = counted(&management, &id, 2).await;
        assert_eq!(total["failures"], failures, "{total}");
        assert_eq!(total["completion_tokens"], completion, "{total}");
        assert_eq!(total["estimated_requests"], estimated, "{total}");
        assert_eq!(total["prompt_tokens"].as_u64().unwrap() > 0, estimated > 0, "{total}");
    }
}

#[tokio::test]
async fn a_reply_that_nobody_reads_to_its_end_is_counted() {
    let endless = vec![events_head(), text("Once upon"), Step::Hang];
    let app = TestApp::with(FakeProvider::always(endless).await, &USAGE).await;
    let management = management(&app).await;
    let (id, token) = create(&management, "gpt-4o").await;
    let mut reply = app.chat_request(&token, &hello(true)).send().await.unwrap();
    reply.chunk().await.unwrap();
    drop(reply);
    let total = counted(&management, &id, 1).await;
    assert_eq!(
        (&total["failures"], &total["completion_tokens"]),
        (&json!(0), &json!(3)),
        "{total}"
    );
}

#[tokio::test]
async fn replies_at_once_are_all_counted() {
    let app = Arc::new(TestApp::with(FakeProvider::always(answer(&["Hi"])).await, &USAGE).await);
    let management = management(&app).await;
    let (id, token) = create(&management, "gpt-4o").await;
    let asked = (0..60).map(|at| {
        let (app, token) = (Arc::clone(&app), token.clone());
        async move { assert_eq!(app.chat(&token, &hello(at % 2 == 0)).await.status, 200) }
    });
    // More at once take the embedded store longer than an update may take.
    stream::iter(asked).buffer_unordered(6).collect::<Vec<()>>().await;
    let total = counted(&management, &id, 60).await;
    assert_eq!(
        (&total["requests"], &total["completion_tokens"]),
        (&json!(60), &json!(60 * 12)),
        "{total}"
    );
    let shown = usage(&management, &id).await;
    assert_eq!(shown["days"].as_array().unwrap().len(), 1);
    assert_eq!(shown["days"][0]["day"], shown["to"]);
}

/// A table that cannot be reached costs no reply; the log says so.
#[tokio::test]
async fn a_lost_count_loses_no_reply() {
    let provider = FakeProvider::always(answer(&["Hi"])).await;
    let app = TestApp::with(provider, &[("USAGE_TABLE", "NoSuchTable")]).await;
    let token = app.assistant().await;
    for stream in [false, true] {
        let reply = app.chat(&token, &hello(stream)).await;
        assert_eq!(reply.status, 200);
        assert!(reply.is_done() || !stream);
    }
    // One that hangs is waited for for half a second at most.
    let provider = FakeProvider::always(answer(&["Hi"])).await;
    let app = TestApp::with_faulty_usage(provider, Fault::HangsOnUpdates).await;
    let token = app.assistant().await;
    for stream in [false, true] {
        let reply = app.chat(&token, &hello(stream)).await;
        assert!(reply.status == 200 && (reply.is_done() || !stream));
    }
}

#[tokio::test]
async fn an_owner_sees_their_own_usage_only() {
    let app = TestApp::with(FakeProvider::always(answer(&["Hi"])).await, &USAGE).await;
    let management = management(&app).await;
    let (id, _) = create(&management, "gpt-4o").await;
    let get = |query: &str, owner: &str| {
        let path = format!("/assistants/{id}/usage{query}");
        Reply::of(management.request(Method::GET, &path, &jwt(owner)))
    };
    assert_eq!(
        get("?from=2026-11-01&to=2026-11-30", "owner-1").await.json()["days"],
        json!([])
    );
    get("", "owner-2").await.error(404, "assistant_not_found");
    for (query, param) in [
        ("?from=today", "from"),
        ("?to=2026-13-01", "to"),
        ("?from=2026-01-01&to=2026-11-30", "from"),
    ] {
        let reply = get(query, "owner-1").await;
        reply.error(400, "null");
        assert_eq!(reply.body()["error"]["param"], param);
    }
    let elsewhere = Management::beside(&app, &[("JWT_SECRET", SECRET)]).await;
    let path = format!("/assistants/{id}/usage");
    Reply::of(elsewhere.request(Method::GET, &path, &jwt("owner-1")))
        .await
        .error(404, "usage_not_counted");
}

/// Claude's first event, which states the prompt's tokens.
fn message_start() -> Step {
    event(&json!({"type": "message_start", "message": {"usage": {"input_tokens": 12345, "output_tokens": 1}}}))
}

fn event(event: &Value) -> Step {
    piece(format!("data: {event}\n\n"))
}

/// Tokens that a provider has stated are paid for: of calls that fail before their first text, that are tried again, and of
/// thinking that nobody sees.
#[tokio::test]
async fn what_a_provider_has_stated_counts_whatever_became_of_the_call() {
    let thinking =
        json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}});
    let thinks_for_ever = vec![events_head(), message_start(), event(&thinking), Step::Hang];
    let fails_early = vec![
        events_head(),
        message_start(),
        event(&json!({"type": "error", "error": {"type": "api_error"}})),
        stream_end(),
    ];
    let too_long = vec![
        events_head(),
        message_start(),
        event(&json!({"type": "error", "error": {"type": "invalid_request_error"}})),
        stream_end(),
    ];
    // Each with the calls that it takes.
    for (answer, calls) in [(thinks_for_ever, 1), (fails_early, 2), (too_long, 1)] {
        let settings = [
            USAGE[0],
            ("BUFFERED_TIMEOUT_SECONDS", "0.4"),
            ("MAX_STREAM_SECONDS", "0.4"),
        ];
        let app = Wire::Anthropic
            .in_front_of(FakeProvider::always(answer).await, &settings)
            .await;
        let management = management(&app).await;
        let (id, token) = create(&management, Wire::Anthropic.model()).await;
        let mut asked = 0;
        for stream in [false, true] {
            app.chat(&token, &hello(stream)).await;
            app.respond(&token, &json!({"input": "Hello", "stream": stream})).await;
            asked += 2;
        }
        let total = counted(&management, &id, asked).await;
        assert_eq!(total["prompt_tokens"], 12345 * calls * asked, "{total}");
        assert_eq!(total["failures"], asked, "{total}");
        // So a limit of tokens ends it.
        let limit = json!({"config": {"configurable": {"tokens_per_day": 1000}}});
        let path = format!("/assistants/{id}");
        Reply::of(management.request(Method::PATCH, &path, &jwt("owner-1")).json(&limit))
            .await
            .json();
        app.chat(&token, &hello(false)).await.error(429, "quota_exceeded");
    }
}

/// The reply itself says what answered, the day has all.
#[tokio::test]
async fn a_call_that_is_tried_again_counts_beside_the_one_that_answers() {
    let whole = [
        Wire::Anthropic.start(),
        vec![Wire::Anthropic.text("Hi")],
        Wire::Anthropic.end("end_turn", 12),
    ]
    .concat();
    let cut = vec![events_head(), message_start(), stream_end()];
    let app = Wire::Anthropic
        .in_front_of(FakeProvider::new(vec![cut, whole]).await, &USAGE)
        .await;
    let management = management(&app).await;
    let (id, token) = create(&management, Wire::Anthropic.model()).await;
    let reply = app.chat(&token, &hello(false)).await.json();
    assert_eq!(reply["usage"]["prompt_tokens"], 9, "{reply}");
    assert_eq!(counted(&management, &id, 1).await["prompt_tokens"], 12345 + 9);
}
