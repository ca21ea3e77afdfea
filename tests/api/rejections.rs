//! What callers and the log learn of a provider's errors: our own words. What an owner learns with a trial token: the provider's.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    PLATFORM_KEY, Reply, TestApp,
    function::{self, TIMEOUT, event, invoke},
    hello,
    log::Log,
    management::{Management, SECRET, id, jwt},
    provider::{Answer, FakeProvider, Step, answer, events_head, piece, response, stream_end, text},
    responses::ask,
    wire::{KEY, Wire},
};

const SYSTEM: &str = "You are Bob, a pirate. The discount code is CANARY.";

/// A text as a provider may quote it: as it is, escaped, reversed, in parts, as numbers.
fn quotations() -> Vec<String> {
    let reversed: String = SYSTEM.chars().rev().collect();
    let escaped: Vec<_> = SYSTEM.bytes().map(|byte| format!("%{byte:02x}")).collect();
    let numbers: Vec<_> = SYSTEM.bytes().map(|byte| byte.to_string()).collect();
    vec![
        SYSTEM.to_owned(),
        "CANARY".to_owned(),
        "code_is_CANARY".to_owned(),
        reversed,
        escaped.concat(),
        numbers.join(","),
        KEY.to_owned(),
    ]
}

/// Errors with a quotation in every field that any provider's errors have.
fn errors(quotation: &str) -> Vec<Value> {
    let error = json!({
        "message": quotation, "type": quotation, "code": quotation, "param": quotation, "status": quotation,
        "details": [{"reason": quotation, "message": quotation}], "metadata": {"raw": quotation, "reasons": [quotation]},
    });
    vec![
        json!({"error": error}),
        json!({"error": error, "type": "error", "request_id": quotation}),
        json!({"message": quotation, "__type": quotation, "Message": quotation}),
        json!({"detail": [{"loc": ["body", quotation], "msg": quotation, "input": quotation}]}),
        json!({"errors": {quotation: [quotation]}, "title": quotation}),
        json!({"error": {"message": quotation, "type": "invalid_request_error", "param": format!("messages[0].{quotation}")}}),
        json!(quotation),
    ]
}

/// The provider's answers with an error: as a status, before the first text and after it.
fn answers(wire: Wire, error: &Value, quotation: &str) -> Vec<Answer> {
    let headers = format!("x-amzn-errortype: {quotation}\r\nx-request-id: {quotation}\r\n");
    let event = piece(format!("event: error\ndata: {error}\n\n"));
    let mut answers: Vec<_> = [400, 403, 413, 422, 429, 500]
        .map(|status| response(status, &headers, &error.to_string()))
        .into();
    if wire != Wire::Bedrock {
        answers.push(vec![events_head(), event.clone(), stream_end()]);
        answers.push([wire.start(), vec![wire.text("Once"), event, stream_end()]].concat());
    }
    answers
}

/// A provider that gives one of the answers, however often it is asked, until the number is another.
async fn in_turn(all: Vec<Answer>) -> (FakeProvider, Arc<AtomicUsize>) {
    let next = Arc::new(AtomicUsize::new(0));
    let chosen = Arc::clone(&next);
    let provider = FakeProvider::seeing(move |_| all[chosen.load(Ordering::Relaxed)].clone()).await;
    (provider, next)
}

/// A trial token of an assistant.
async fn trial_of(app: &TestApp) -> String {
    let management = Management::beside(app, &[("JWT_SECRET", SECRET)]).await;
    let id = id(&management.create(json!({"model": "gpt-4o"})).await).to_owned();
    let trial = management.request(Method::POST, &format!("/assistants/{id}/trial"), &jwt("owner-1"));
    Reply::of(trial).await.body()["token"].as_str().unwrap().to_owned()
}

fn check_silent(what: &str, seen: &str, quotation: &str) {
    assert!(!seen.contains(quotation), "{what}: {quotation} in {seen}");
    assert!(!seen.contains("CANARY"), "{what}: {seen}");
}

#[tokio::test]
async fn no_word_of_a_provider_reaches_a_caller() {
    for wire in Wire::ALL {
        for quotation in quotations() {
            let all: Vec<_> = errors(&quotation)
                .iter()
                .flat_map(|error| answers(wire, error, &quotation))
                .collect();
            let count = all.len();
            let (provider, next) = in_turn(all).await;
            let app = wire.in_front_of(provider, &[]).await;
            let token = app
                .assistant_with(json!({"model": wire.model(), "system_message": SYSTEM, "temperature": 0.5}))
                .await;
            for at in 0..count {
                next.store(at, Ordering::Relaxed);
                for stream in [false, true] {
                    let chat = app.chat(&token, &hello(stream)).await;
                    let responses = app.respond(&token, &ask(stream)).await;
                    for reply in [chat, responses] {
                        let what = format!("{wire:?} {at} {stream}");
                        check_silent(&what, &reply.text, &quotation);
                        check_silent(&what, &format!("{:?}", reply.headers), &quotation);
                    }
                }
            }
        }
    }
}

#[tokio::test]
async fn no_word_of_a_provider_reaches_the_log() {
    // The real binary waits between its calls: the first forms are enough.
    for quotation in quotations().into_iter().take(2) {
        let all: Vec<_> = errors(&quotation)
            .iter()
            .take(4)
            .flat_map(|error| answers(Wire::OpenAi, error, &quotation))
            .collect();
        let count = all.len();
        let (provider, next) = in_turn(all).await;
        let log = Log::new();
        let settings = [("RUST_LOG", "trace")];
        let function = function::start(&provider, json!({"system_message": SYSTEM}), &settings, log.stdio()).await;
        for at in 0..count {
            next.store(at, Ordering::Relaxed);
            for name in ["chat.json", "chat-stream.json"] {
                invoke(&function, event(name), TIMEOUT).await;
            }
        }
        assert_eq!(log.lines("reply").len(), 2 * count);
        check_silent("the log", &log.text(), &quotation);
    }
}

#[tokio::test]
async fn an_owner_reads_the_providers_words_with_a_trial_token() {
    let words = format!("Blorp: 'You are Bob' is too blue for {PLATFORM_KEY}.");
    let body = json!({"error": {"message": words, "code": "invalid_value"}}).to_string();
    let late = vec![
        events_head(),
        text("Once"),
        piece(format!(
            "data: {}\n\n",
            json!({"error": {"message": words, "code": 400}})
        )),
        stream_end(),
    ];
    for answer in [response(400, "", &body), late] {
        let app = TestApp::start(FakeProvider::always(answer).await).await;
        let trial = trial_of(&app).await;
        let public = app.assistant().await;
        for stream in [false, true] {
            for (token, shown) in [(&trial, true), (&public, false)] {
                let chat = app.chat(token, &hello(stream)).await;
                let responses = app.respond(token, &ask(stream)).await;
                for reply in [chat, responses] {
                    let has_words = reply.text.contains("Blorp: 'You are Bob' is too blue for [key].");
                    assert_eq!(has_words, shown, "{}", reply.text);
                    let points = reply
                        .text
                        .contains("can see the provider's own words with a trial token");
                    assert_eq!(points, !shown, "{}", reply.text);
                    assert!(!reply.text.contains(PLATFORM_KEY), "{}", reply.text);
                }
            }
        }
    }
}

/// A server whose errors say nothing that anybody could read: it rejects one hint, then another.
async fn gibberish() -> FakeProvider {
    FakeProvider::choosing(|request| {
        let rejected = ["seed", "presence_penalty", "user"]
            .iter()
            .find(|field| request.get(**field).is_some());
        match rejected {
            Some(_) => response(422, "", r#"{"zorp": "glib frang"}"#),
            None => answer(&["Hi"]),
        }
    })
    .await
}

#[tokio::test]
async fn a_hint_never_costs_an_answer_whatever_the_error_says() {
    let app = TestApp::start(gibberish().await).await;
    let token = app.assistant_with(json!({"model": "gpt-4o", "seed": 3})).await;
    for stream in [false, true] {
        let hints = [
            ("presence_penalty", json!(1)),
            ("user", json!("u")),
            ("temperature", json!(0.5)),
        ];
        let (mut chat, mut responses) = (hello(stream), ask(stream));
        for (name, value) in hints {
            chat[name] = value.clone();
            responses[name] = value;
        }
        let before = app.provider.received().len();
        for reply in [app.chat(&token, &chat).await, app.respond(&token, &responses).await] {
            assert_eq!(reply.status, 200, "{}", reply.text);
            let omitted = reply.header("x-omitted-parameters");
            assert_eq!(
                omitted,
                Some("temperature, presence_penalty, seed, user"),
                "{}",
                reply.text
            );
        }
        // Twice each: nothing is learned from what nobody can read.
        assert_eq!(app.provider.received().len() - before, 4);
    }
    // Nothing was left out: no header.
    let reply = app.chat(&app.assistant().await, &hello(false)).await;
    assert_eq!(reply.header("x-omitted-parameters"), None);
}

#[tokio::test]
async fn hints_that_are_named_go_one_by_one_and_by_the_apis_own_names() {
    let app = TestApp::start(
        FakeProvider::choosing(|request| match request.get("reasoning_effort") {
            Some(_) => response(
                400,
                "",
                r#"{"error": {"message": "Unsupported parameter: 'reasoning_effort'"}}"#,
            ),
            None => answer(&["Hi"]),
        })
        .await,
    )
    .await;
    let token = app.assistant_with(json!({"type==agent/model": "openai/gpt-7"})).await;
    for (asked, stream) in [(2, false), (3, true)] {
        let mut body = ask(stream);
        body["reasoning"] = json!({"effort": "low"});
        body["temperature"] = json!(0.5);
        let reply = app.respond(&token, &body).await;
        assert_eq!(
            reply.header("x-omitted-parameters"),
            Some("reasoning.effort"),
            "{}",
            reply.text
        );
        // The environment remembers.
        assert_eq!(app.provider.received().len(), asked);
        assert_eq!(app.provider.received().pop().unwrap().body["temperature"], 0.5);
    }
}

#[tokio::test]
async fn a_late_stream_names_what_was_left_out_to_the_owner_alone() {
    let provider = FakeProvider::choosing(|request| match request.get("seed") {
        Some(_) => [
            vec![Step::Pause(Duration::from_millis(300))],
            response(400, "", r#"{"error": "glib frang"}"#),
        ]
        .concat(),
        None => answer(&["Hi"]),
    })
    .await;
    let app = TestApp::with(provider, &[("COMMIT_AFTER_SECONDS", "0.1")]).await;
    let trial = trial_of(&app).await;
    let mut body = hello(true);
    body["seed"] = json!(7);
    for (token, is_named) in [(trial, true), (app.assistant().await, false)] {
        let reply = app.chat(&token, &body).await;
        assert_eq!(
            reply.text.contains(": omitted [\"seed\"]\n\n"),
            is_named,
            "{}",
            reply.text
        );
        assert!(reply.text.ends_with("data: [DONE]\n\n"), "{}", reply.text);
    }
}

#[tokio::test]
async fn a_model_that_may_not_be_streamed_answers_all_the_same() {
    let error = r#"{"error": {"message": "Your organization must be verified to stream this model.", "type": "invalid_request_error", "param": "stream", "code": "unsupported_value"}}"#;
    let whole = json!({"choices": [{"message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}]});
    let provider = FakeProvider::choosing(move |request| {
        if request["stream"] == true {
            response(400, "", error)
        } else {
            response(200, "", &whole.to_string())
        }
    })
    .await;
    let app = TestApp::start(provider).await;
    let token = app.assistant().await;
    for stream in [false, true] {
        let chat = app.chat(&token, &hello(stream)).await;
        let responses = app.respond(&token, &ask(stream)).await;
        for reply in [chat, responses] {
            assert!(reply.status == 200 && reply.text.contains("Hi"), "{}", reply.text);
            // Our own making: the log alone names it.
            assert_eq!(reply.header("x-omitted-parameters"), None);
        }
    }
}

#[tokio::test]
async fn the_log_names_what_was_left_out() {
    let provider = FakeProvider::choosing(|request| match request.get("seed").or(request.get("stream_options")) {
        Some(_) => response(400, "", r#"{"error": "Unknown fields: 'seed', stream_options"}"#),
        None => answer(&["Hi"]),
    })
    .await;
    let log = Log::new();
    let function = function::start(&provider, json!({"seed": 7}), &[], log.stdio()).await;
    invoke(&function, event("chat.json"), TIMEOUT).await;
    assert_eq!(
        log.lines("reply")[0]["omitted"],
        "seed,stream_options",
        "{}",
        log.text()
    );
}
