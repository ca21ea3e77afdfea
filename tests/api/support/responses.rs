//! The Responses API as a caller sees it.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    Reply, TestApp, error_message,
    schema::{check_event, check_response},
};

pub const PATH: &str = "/public/openai/v1/responses";

pub fn ask(stream: bool) -> Value {
    json!({"model": "gpt-4o", "input": "Hello", "stream": stream})
}

impl TestApp {
    pub async fn respond(&self, token: &str, body: &Value) -> Reply {
        Reply::of(self.request(Method::POST, PATH).bearer_auth(token).json(body)).await
    }
}

impl Reply {
    /// A response that succeeded, valid by OpenAI's schema.
    #[track_caller]
    pub fn response(&self) -> Value {
        let response = self.json();
        check_response(&response);
        response
    }

    /// The events of a stream, comments left out. Checks that each is valid by OpenAI's schema and named by its type, and
    /// that their numbers have no gap.
    #[track_caller]
    pub fn response_events(&self) -> Vec<Value> {
        assert_eq!(self.status, 200, "{}", self.text);
        let blocks = self
            .text
            .split_terminator("\n\n")
            .filter(|block| !block.starts_with(": "));
        let events = blocks.enumerate().map(|(number, block)| {
            let (name, data) = block.split_once("\ndata: ").unwrap_or_else(|| panic!("{block:?}"));
            let event: Value = serde_json::from_str(data).unwrap();
            assert_eq!(name.strip_prefix("event: "), event["type"].as_str());
            assert_eq!(event["sequence_number"], number);
            check_event(&event);
            event
        });
        events.collect()
    }
}

/// The deltas of a kind, joined.
pub fn joined(events: &[Value], kind: &str) -> String {
    let deltas = events.iter().filter(|event| event["type"] == kind);
    deltas.map(|event| event["delta"].as_str().unwrap()).collect()
}

/// The text of all deltas.
pub fn streamed_text(events: &[Value]) -> String {
    joined(events, "response.output_text.delta")
}

/// The text of all messages, as the SDKs' `output_text`.
pub fn output_text(response: &Value) -> String {
    let messages = response["output"].as_array().unwrap().iter();
    let parts = messages.filter_map(|item| item["content"].as_array()).flatten();
    parts.filter_map(|part| part["text"].as_str()).collect()
}

/// Checks that a stream ends with a response that failed and then the error, and returns the events before.
#[track_caller]
pub fn failed<'a>(events: &'a [Value], code: &str) -> &'a [Value] {
    let [before @ .., error, failed] = events else {
        panic!("{events:?}");
    };
    assert_eq!(failed["type"], "response.failed");
    let response = &failed["response"];
    assert_eq!(
        (&response["status"], &response["output"]),
        (&json!("failed"), &json!([]))
    );
    assert!(response["error"]["code"].is_string(), "{response}");
    assert_eq!(error["type"], "error");
    let message = error_message(error, code);
    assert_eq!(
        (&error["message"], &error["code"]),
        (&json!(message), &error["error"]["code"])
    );
    let is_last = |event: &Value| {
        ["completed", "incomplete", "failed"]
            .map(|last| format!("response.{last}"))
            .contains(&event["type"].as_str().unwrap().to_owned())
    };
    assert!(
        !before
            .iter()
            .any(|event| is_last(event) || event["type"] == "error" || event["type"] == "response.output_item.done")
    );
    before
}
