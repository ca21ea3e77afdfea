//! OpenAI's own schemas, as judges of our replies.

use std::{collections::HashMap, sync::LazyLock};

use jsonschema::Validator;
use serde_json::{Value, json};

static SPEC: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../fixtures/openai-chat-schema.json")).unwrap());

static RESPONSES_SPEC: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../fixtures/openai-responses-schema.json")).unwrap());

static COMPLETION: LazyLock<Validator> = LazyLock::new(|| validator(&SPEC, "CreateChatCompletionResponse"));
static CHUNK: LazyLock<Validator> = LazyLock::new(|| validator(&SPEC, "CreateChatCompletionStreamResponse"));
static RESPONSE: LazyLock<Validator> = LazyLock::new(|| validator(&RESPONSES_SPEC, "Response"));
/// By an event's type.
static EVENTS: LazyLock<HashMap<String, Validator>> = LazyLock::new(|| {
    const OURS: [&str; 7] = [
        "Created",
        "InProgress",
        "Output",
        "Content",
        "Text",
        "Refusal",
        "Reasoning",
    ];
    let schemas = &RESPONSES_SPEC["components"]["schemas"];
    let names = schemas["ResponseStreamEvent"]["anyOf"].as_array().unwrap().iter();
    let names = names.map(|schema| schema["$ref"].as_str().unwrap().rsplit('/').next().unwrap());
    let ours = names.filter(|name| {
        let name = name.strip_prefix("Response").unwrap_or(name);
        let last = ["CompletedEvent", "IncompleteEvent", "FailedEvent", "ErrorEvent"].contains(&name);
        last || OURS.iter().any(|ours| name.starts_with(ours))
    });
    ours.map(|name| {
        let kind = schemas[name]["properties"]["type"]["enum"][0].as_str().unwrap();
        (kind.to_owned(), validator(&RESPONSES_SPEC, name))
    })
    .collect()
});

fn validator(spec: &Value, name: &str) -> Validator {
    let schema = json!({"$ref": format!("#/components/schemas/{name}"), "components": spec["components"]});
    jsonschema::draft202012::new(&schema).unwrap()
}

#[track_caller]
fn check(validator: &Validator, value: &Value) {
    let problems: Vec<_> = validator.iter_errors(value).map(|error| error.to_string()).collect();
    assert!(problems.is_empty(), "{problems:?} in {value:#}");
}

#[track_caller]
pub fn check_completion(completion: &Value) {
    check(&COMPLETION, completion);
}

#[track_caller]
pub fn check_chunk(chunk: &Value) {
    check(&CHUNK, chunk);
}

#[track_caller]
pub fn check_response(response: &Value) {
    check(&RESPONSE, response);
}

#[track_caller]
pub fn check_event(event: &Value) {
    let kind = event["type"].as_str().unwrap();
    let validator = EVENTS.get(kind).unwrap_or_else(|| panic!("unknown: {event}"));
    check(validator, event);
}

#[test]
fn the_schemas_can_say_no() {
    assert!(!RESPONSE.is_valid(&json!({"id": "x", "object": "response"})));
    assert!(!EVENTS["error"].is_valid(&json!({"type": "error", "message": "No."})));
    assert!(!EVENTS["response.completed"].is_valid(&json!({"type": "response.completed", "sequence_number": 1})));
    assert!(!COMPLETION.is_valid(&json!({"id": "x", "object": "chat.completion", "choices": []})));
    assert!(
        !CHUNK.is_valid(&json!({"id": "x", "object": "chat.completion", "choices": [], "created": 1, "model": "m"}))
    );
}
