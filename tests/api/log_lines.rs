//! The log of the real binary: no text of a conversation, no line of more than 4 kB, and whose request each line is of.

use assistant_endpoint::{assistant::store::Store, local::embedded_store, token::Token};
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{
    PLATFORM_KEY,
    function::{self, SYSTEM_MESSAGE, TIMEOUT, event, invoke},
    log::{Log, lines},
    provider::{Answer, FakeProvider, answer, error, events_head, finish, piece, response, stream_end, text},
    start_store,
    store_fault::{Fault, in_front_of},
};

/// What the user says in every sample event's place here.
const QUESTION: &str = "My name is Anna Seebald and I owe my aunt forty florins.";
const ANSWER: &str = "Then pay her on Sunday, when the boats are back in the harbour.";

/// The log of an assistant's replies in both forms, and the ids that the responses have.
async fn log_of(level: &str, provider: FakeProvider, configurable: Value) -> (String, Vec<Value>) {
    let log = Log::new();
    let function = function::start(&provider, configurable, &[("RUST_LOG", level)], log.stdio()).await;
    let mut ids = Vec::new();
    for name in ["chat.json", "chat-stream.json"] {
        let mut event = event(name);
        let mut body: Value = serde_json::from_str(event["body"].as_str().unwrap()).unwrap();
        body["messages"] = json!([{"role": "user", "content": QUESTION}]);
        event["body"] = json!(body.to_string());
        let reply = invoke(&function, event, TIMEOUT).await;
        ids.push(reply.headers["x-request-id"].clone());
    }
    (log.text(), ids)
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
    let cases = [
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
    ];
    // Side by side: each waits for the pauses that the binary makes before it asks again.
    join_all(cases.map(|(name, answer)| check_log(name, answer))).await;
}

/// An assistant whose model gives this answer: its log has a line for each of two replies, and no line that is long or
/// quotes a conversation.
async fn check_log(name: &str, answer: Answer) {
    let provider = FakeProvider::always(answer).await;
    let (log, _) = log_of("trace", provider, json!({})).await;
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

#[tokio::test]
async fn each_line_of_a_request_has_its_id_and_the_replys_counts_what_was_tried() {
    let cases = [
        ("info", answer(&["Hi"]), "stop"),
        ("info", error(503, "overloaded"), "error"),
        ("warn", answer(&["Hi"]), "stop"),
    ];
    join_all(cases.map(|(level, last, outcome)| check_counts(level, last, outcome))).await;
}

/// What the log at `level` says where the last of three models gives this answer.
async fn check_counts(level: &str, last: Answer, outcome: &str) {
    // One that is down, one that knows no `top_p`, and the last.
    let provider = FakeProvider::choosing(move |body| match body["model"].as_str() {
        Some("gpt-4o") => error(503, "overloaded"),
        Some("gpt-4.1") if body.get("top_p").is_some() => {
            let refused = json!({"error": {"message": "Unsupported parameter: 'top_p'", "param": "top_p",
                "type": "invalid_request_error", "code": "unsupported_parameter"}});
            response(400, "", &refused.to_string())
        }
        Some("gpt-4.1") => error(429, "rate_limit_exceeded"),
        _ => last.clone(),
    })
    .await;
    let configurable = json!({"top_p": 0.5, "fallback_models": ["gpt-4.1", "gpt-4.1-mini"]});
    let (log, ids) = log_of(level, provider, configurable).await;
    let fallbacks = lines(&log, "falling back to another model");
    let of_fallbacks: Vec<_> = fallbacks.iter().map(|line| &line["request_id"]).collect();
    assert_eq!(of_fallbacks, [&ids[0], &ids[0], &ids[1], &ids[1]], "{log}");
    let replies = lines(&log, "reply");
    assert_eq!(replies.len(), 2, "{log}");
    for (reply, id) in replies.iter().zip(&ids) {
        assert_eq!(&reply["request_id"], id);
        assert_eq!(reply["outcome"], outcome);
        // Two further calls to the first, one to the second, and two to the last one where that is down too.
        let retries = if outcome == "stop" { 3 } else { 5 };
        assert_eq!((&reply["retries"], &reply["fallbacks"]), (&json!(retries), &json!(2)));
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

/// Neither an id of a response, which opens a conversation beside its token, nor what is kept, nor that it could not be.
#[tokio::test]
async fn no_id_of_a_response_is_in_the_log() {
    for (table, kept) in [("Responses", true), ("NoSuchTable", false)] {
        let provider = FakeProvider::always(answer(&[ANSWER])).await;
        let log = Log::new();
        let settings = [("RUST_LOG", "debug"), ("RESPONSES_TABLE", table)];
        let function = function::start(&provider, json!({}), &settings, log.stdio()).await;
        let send = async |method: &str, path: String, body: Value| {
            let mut event = event("chat.json");
            event["rawPath"] = json!(path);
            event["requestContext"]["http"]["path"] = json!(path);
            event["requestContext"]["http"]["method"] = json!(method);
            event["body"] = json!(body.to_string());
            invoke(&function, event, TIMEOUT).await
        };
        let path = "/public/openai/v1/responses";
        let response = send("POST", path.into(), json!({"input": QUESTION})).await.json();
        assert_eq!(response["store"], kept, "{response}");
        let id = response["id"].as_str().unwrap();
        send(
            "POST",
            path.into(),
            json!({"input": QUESTION, "previous_response_id": id}),
        )
        .await;
        for method in ["GET", "DELETE", "GET", "PUT"] {
            send(method, format!("{path}/{id}"), json!({})).await;
        }
        let log = log.text();
        assert!(!log.contains(&id["resp_".len()..]), "{log}");
        for text in [QUESTION, ANSWER, SYSTEM_MESSAGE] {
            assert!(!log.contains(text), "{log}");
        }
        assert_eq!(log.contains("a response was not kept"), !kept, "{log}");
    }
}

/// One warning a window and environment, and a metric for each refusal, whatever the log's level.
#[tokio::test]
async fn a_limit_that_is_reached_is_told_once_and_counted_each_time() {
    let provider = FakeProvider::always(answer(&["Hi"])).await;
    let log = Log::new();
    let settings = [("RUST_LOG", "warn"), ("USAGE_TABLE", "Usage")];
    let function = function::start(&provider, json!({"requests_per_day": 1}), &settings, log.stdio()).await;
    for status in [200, 429, 429, 429] {
        assert_eq!(invoke(&function, event("chat.json"), TIMEOUT).await.status, status);
    }
    let reached = log.lines("a limit is reached");
    assert_eq!(reached.len(), 1, "{}", log.text());
    assert_eq!(
        (&reached[0]["level"], &reached[0]["limit"], &reached[0]["value"]),
        (&json!("WARN"), &json!("requests_per_day"), &json!(1))
    );
    assert!(reached[0]["assistant_id"].is_string());
    let refused = log.lines("refused");
    assert_eq!(refused.len(), 3, "{}", log.text());
    for line in refused {
        assert_eq!((&line["code"], &line["Refused"]), (&json!("quota_exceeded"), &json!(1)));
    }
}
