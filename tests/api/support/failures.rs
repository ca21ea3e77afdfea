//! What can happen to a stream, whichever API it is asked by.

use std::time::Duration;

use super::{
    Reply,
    provider::{Answer, Step, events_head, finish, piece, stream_end, text},
};

/// Limits that make failures come soon.
pub const QUICK: &[(&str, &str)] = &[
    ("PROVIDER_IDLE_TIMEOUT_SECONDS", "0.3"),
    ("COMMIT_AFTER_SECONDS", "0.1"),
    ("KEEP_ALIVE_SECONDS", "0.1"),
];

/// All ways in which an upstream can fail after some text.
pub fn failures() -> Vec<(&'static str, Answer, &'static str)> {
    let start = || vec![events_head(), text("Once"), text(" upon")];
    let with = |more: Vec<Step>| [start(), more].concat();
    let error = r#"data: {"error": {"message": "boom sk-secret", "type": "server_error", "code": null}}"#;
    vec![
        (
            "an error event",
            with(vec![piece(format!("{error}\n\n")), stream_end()]),
            "provider_error",
        ),
        (
            "an overload event",
            with(vec![
                piece("event: error\ndata: {\"type\": \"overloaded_error\"}\n\n"),
                stream_end(),
            ]),
            "provider_overloaded",
        ),
        ("a connection cut", with(vec![]), "provider_error"),
        ("a stall", with(vec![Step::Hang]), "provider_timeout"),
        (
            "an end without a finish reason",
            with(vec![stream_end()]),
            "provider_error",
        ),
        (
            "[DONE] without a finish reason",
            with(vec![piece("data: [DONE]\n\n"), stream_end()]),
            "provider_error",
        ),
        (
            "a finish reason that nobody knows",
            with(vec![finish("banana"), stream_end()]),
            "provider_error",
        ),
        (
            "an error event behind the finish",
            with(vec![finish("stop"), piece(format!("{error}\n\n")), stream_end()]),
            "provider_error",
        ),
        (
            "a malformed chunk",
            with(vec![piece("data: {oops\n\n"), stream_end()]),
            "provider_error",
        ),
        (
            "an end within a chunk",
            with(vec![piece("data: {\"choices\": [{\"ind"), stream_end()]),
            "provider_error",
        ),
    ]
}

/// An answer that lets its client wait before its first text, and in its middle.
pub fn slow() -> Answer {
    let pause = Step::Pause(Duration::from_millis(250));
    vec![
        pause.clone(),
        events_head(),
        text("At"),
        pause,
        text(" last"),
        finish("stop"),
        stream_end(),
    ]
}

/// Checks that the stream of that answer has kept its client waiting with comments.
#[track_caller]
pub fn keeps_alive(reply: &Reply) {
    assert!(reply.text.starts_with(": keep-alive\n\n"), "{}", reply.text);
    let between = reply
        .text
        .split("\"At\"")
        .nth(1)
        .unwrap()
        .split(" last")
        .next()
        .unwrap();
    assert!(between.contains(": keep-alive"), "{}", reply.text);
}
