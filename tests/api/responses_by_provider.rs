//! The Responses API with every provider: it says what chat completions says.

use serde_json::{Value, json};

use crate::support::{
    Reply, TestApp, hello,
    provider::FakeProvider,
    responses::{ask, failed, output_text, streamed_text},
    streams, text_of,
    wire::Wire,
};

#[tokio::test]
async fn each_ends_as_it_did_at_the_provider() {
    for wire in Wire::ALL {
        for (reason, status) in [
            ("stop", "completed"),
            ("length", "incomplete"),
            ("content_filter", "incomplete"),
        ] {
            let steps = [
                wire.start(),
                vec![wire.text("Once"), wire.text(" upon")],
                wire.end(reason, 12),
            ]
            .concat();
            let (app, token) = wire.answering(steps, json!({})).await;
            let response = app.respond(&token, &ask(false)).await.response();
            let events = app.respond(&token, &ask(true)).await.response_events();
            let last = events.last().unwrap();
            assert_eq!(last["type"], format!("response.{status}"), "{wire:?}");
            let details = match reason {
                "stop" => json!(null),
                "length" => json!({"reason": "max_output_tokens"}),
                other => json!({"reason": other}),
            };
            for response in [&response, &last["response"]] {
                assert_eq!(response["status"], status, "{wire:?}");
                assert_eq!(response["incomplete_details"], details, "{wire:?}");
                assert_eq!(response["model"], wire.model());
                assert_eq!(output_text(response), "Once upon", "{wire:?}");
                assert_eq!(response["usage"]["output_tokens"], 12, "{wire:?}");
            }
            assert_eq!(streamed_text(&events), "Once upon", "{wire:?}");
        }
    }
}

/// The text of a chat completion and the code of its error.
fn of_chat(reply: &Reply) -> (String, Option<String>) {
    let events = reply.events();
    let error = events.last().and_then(|event| event["error"]["code"].as_str());
    (text_of(&events), error.map(str::to_owned))
}

/// The events, a line each, without what is another in each reply.
fn as_written(events: &[Value]) -> String {
    let digits = events[0]["response"]["id"]
        .as_str()
        .unwrap()
        .trim_start_matches("resp_")
        .to_owned();
    let lines = events.iter().map(|event| {
        let mut event = event.clone();
        if let Some(response) = event["response"].as_object_mut() {
            for name in ["created_at", "completed_at"] {
                response.entry(name).and_modify(|time| *time = json!(time.is_number()));
            }
        }
        event.to_string().replace(&digits, "DIGITS")
    });
    lines.collect::<Vec<_>>().join("\n")
}

#[tokio::test]
async fn every_recorded_stream_says_the_same_by_both_apis() {
    let mut count = 0;
    for wire in Wire::ALL {
        for entry in std::fs::read_dir(streams::folder(wire.provider())).unwrap() {
            let fixture = entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
            let answer = streams::answer_of(wire.provider(), &fixture);
            let (app, token) = wire.answering(answer, json!({"reasoning_content": true})).await;
            let (chat, reply) = (
                app.chat(&token, &hello(true)).await,
                app.respond(&token, &ask(true)).await,
            );
            assert_eq!(chat.status, reply.status, "{fixture}");
            if !chat.status.is_success() {
                assert_eq!(chat.text, reply.text, "{fixture}");
                continue;
            }
            let (text, code) = of_chat(&chat);
            let events = reply.response_events();
            assert_eq!(streamed_text(&events), text, "{fixture}");
            insta::assert_snapshot!(format!("{}-{fixture}", wire.provider()), as_written(&events));
            if let Some(code) = code {
                failed(&events, &code);
            } else {
                let response = &events.last().unwrap()["response"];
                assert_eq!(output_text(response), text, "{fixture}");
                let whole = app.respond(&token, &ask(false)).await.response();
                assert_eq!(output_text(&whole), text, "{fixture}");
                for name in ["status", "usage", "incomplete_details", "model"] {
                    assert_eq!(whole[name], response[name], "{fixture}");
                }
            }
            count += 1;
        }
    }
    assert!(count >= 25, "{count} streams");
}

#[tokio::test]
async fn a_failure_in_mid_stream_is_told_and_nothing_looks_complete() {
    for wire in Wire::ALL {
        let steps = [wire.start(), vec![wire.text("Once"), wire.failure()]].concat();
        let app = wire.in_front_of(FakeProvider::always(steps).await, &[]).await;
        let token = wire.assistant(&app).await;
        let events = app.respond(&token, &ask(true)).await.response_events();
        let before = failed(&events, "provider_error");
        assert_eq!(streamed_text(before), "Once", "{wire:?}");
        app.respond(&token, &ask(false)).await.error(502, "provider_error");
    }
}

#[tokio::test]
async fn an_error_before_the_first_text_is_a_status() {
    for (wire, kind) in [
        (Wire::OpenAi, "rate_limit_exceeded"),
        (Wire::Anthropic, "rate_limit_error"),
        (Wire::Bedrock, "ThrottlingException"),
        (Wire::Gemini, "RESOURCE_EXHAUSTED"),
    ] {
        let answer = wire.error(429, kind, "Slow down.", "retry-after: 7\r\n");
        let (app, token): (TestApp, _) = wire.answering(answer, json!({})).await;
        for stream in [false, true] {
            let reply = app.respond(&token, &ask(stream)).await;
            reply.error(429, "rate_limit_exceeded");
            assert_eq!(reply.header("retry-after"), Some("7"), "{wire:?}");
        }
    }
}
