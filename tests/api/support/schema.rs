//! OpenAI's own schemas, as judges of our replies.

use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Value, json};

static SPEC: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(include_str!("../../fixtures/openai-chat-schema.json")).unwrap());

static COMPLETION: LazyLock<Validator> = LazyLock::new(|| validator("CreateChatCompletionResponse"));
static CHUNK: LazyLock<Validator> = LazyLock::new(|| validator("CreateChatCompletionStreamResponse"));

fn validator(name: &str) -> Validator {
    let schema = json!({"$ref": format!("#/components/schemas/{name}"), "components": SPEC["components"]});
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

#[test]
fn the_schemas_can_say_no() {
    assert!(!COMPLETION.is_valid(&json!({"id": "x", "object": "chat.completion", "choices": []})));
    assert!(
        !CHUNK.is_valid(&json!({"id": "x", "object": "chat.completion", "choices": [], "created": 1, "model": "m"}))
    );
}
