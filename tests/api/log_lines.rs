//! The log of the real binary: no text of a conversation, and no line of more than 4 kB.

use std::path::Path;

use assistant_endpoint::{assistant::store::Store, local::embedded_store, token::Token};
use serde_json::{Value, json};

use crate::{
    lambda::{SYSTEM_MESSAGE, TIMEOUT, event, invoke, start_with},
    support::{
        PLATFORM_KEY,
        provider::{Answer, events_head, finish, piece, response, stream_end, text},
        start_store,
        store_fault::{Fault, in_front_of},
    },
};

/// What the user says in every sample event's place here.
const QUESTION: &str = "My name is Anna Seebald and I owe my aunt forty florins.";
const ANSWER: &str = "Then pay her on Sunday, when the boats are back in the harbour.";

/// The lines that both reply forms leave in the log.
async fn log_of(name: &str, answer: Answer) -> String {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("log-{name}-{}", std::process::id()));
    let log = std::fs::File::create(&file).unwrap();
    let settings = [("RUST_LOG", "trace")];
    let (function, _provider) = start_with("gpt-4o", answer, &settings, log.into()).await;
    for name in ["chat.json", "chat-stream.json"] {
        let mut event = event(name);
        let mut body: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
        body["messages"] = json!([{"role": "user", "content": QUESTION}]);
        event["body"] = json!(body.to_string());
        invoke(&function, event, TIMEOUT).await;
    }
    let log = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    log
}

fn stream_of(piece_of_it: &str) -> Answer {
    vec![
        events_head(),
        text(ANSWER),
        piece(format!("data: {piece_of_it}\n\n")),
        stream_end(),
    ]
}

#[tokio::test]
async fn no_text_of_a_conversation_and_no_long_line_is_in_the_log() {
    let request =
        json!({"messages": [{"role": "system", "content": SYSTEM_MESSAGE}, {"role": "user", "content": QUESTION}]});
    let quoting = |message: &str| {
        json!({"error": {"message": message, "type": QUESTION, "param": message, "code": ANSWER}}).to_string()
    };
    let long = "x".repeat(1_000_000);
    for (name, answer) in [
        ("500", response(500, "", &quoting(&format!("cannot serve {request}")))),
        ("400", response(400, "", &quoting(&format!("cannot serve {request}")))),
        ("408", response(408, "", &quoting(&format!("cannot serve {request}")))),
        ("long-500", response(500, "", &quoting(&long))),
        ("event", stream_of(&quoting(&format!("cannot serve {request}")))),
        // A text where an object belongs: the parser's own words would quote it.
        ("malformed", stream_of(&json!({"choices": ANSWER}).to_string())),
        (
            "malformed-delta",
            stream_of(&json!({"choices": [{"delta": ANSWER}]}).to_string()),
        ),
        (
            "reason",
            vec![events_head(), text(ANSWER), finish(ANSWER), stream_end()],
        ),
        (
            "long-reason",
            vec![events_head(), text(ANSWER), finish(&long), stream_end()],
        ),
        (
            "no-events",
            vec![events_head(), piece(format!("{ANSWER}\n\n")), stream_end()],
        ),
        ("no-json", response(200, "", &format!("\"{ANSWER}\""))),
    ] {
        let log = log_of(name, answer).await;
        let replies = log
            .lines()
            .filter(|line| line.contains("\"message\":\"reply\""))
            .count();
        assert_eq!(replies, 2, "{name}: {log}");
        for line in log.lines() {
            assert!(line.len() < 4096, "{name}: {} bytes", line.len());
            for secret in [
                PLATFORM_KEY,
                "pirate",
                "ZEBRA",
                "Seebald",
                "florins",
                "Sunday",
                "harbour",
            ] {
                assert!(!line.contains(secret), "{name}: {line}");
            }
        }
    }
}

#[tokio::test]
async fn an_answer_of_the_stores_that_cannot_be_read_is_not_quoted() {
    let (_, store) = start_store().await;
    let store = Store::new(&in_front_of(store, Fault::Unreadable).await, embedded_store::tables());
    let error = store
        .find(&Token::new("pubkey_any_0123456789").digest())
        .await
        .unwrap_err();
    assert_eq!(error.cause(), Some("DynamoDB: an answer that cannot be read"));
}
