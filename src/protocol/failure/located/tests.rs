use std::sync::Arc;

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::*;
use crate::{
    chat::{message::Role, parameters::Parameters},
    protocol::failure::from_response,
    provider::choose,
};

/// What the caller of an assistant with a system message sent.
fn prompt(body: &Value) -> Prompt {
    let own = Message::text(Role::System, "You are Bob.");
    let messages = body["messages"].as_array().unwrap().iter();
    let messages = messages.map(|message| Message::read(message, "messages").unwrap());
    let defaults = json!({"seed": 7});
    Prompt {
        messages: Arc::new(std::iter::once(own).chain(messages).collect()),
        parameters: Parameters::read(|name| body.get(name))
            .unwrap()
            .or(Parameters::read(|name| defaults.get(name)).unwrap())
            .unwrap(),
        own_messages: 1,
        show_reasoning: false,
        for_owner: false,
    }
}

fn body() -> Value {
    json!({
        "messages": [
            {"role": "user", "content": "One"},
            {"role": "user", "content": "two"},
            {"role": "assistant", "content": "Three"},
            {"role": "user", "content": [
                {"type": "text", "text": " "},
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}},
            ]},
        ],
        "max_completion_tokens": 100,
        "temperature": 0.5,
        "stop": ["a", "b"],
        "response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema":
            {"type": "object", "properties": {"city": {"type": "string"}}}}},
    })
}

fn located(model: &str, error: &Value) -> (Option<String>, Reason) {
    let mut error = from_response(StatusCode::BAD_REQUEST, &HeaderMap::new(), error.to_string().as_bytes());
    let model = choose(model, None, None).unwrap();
    locate(
        &mut error,
        &prompt(&body()),
        Protocol::of(&model),
        &Capabilities::of(&model),
    );
    let rejected = error.rejected().unwrap();
    (rejected.field.clone(), rejected.reason)
}

fn param(param: &str) -> Value {
    json!({"error": {"message": "no", "param": param}})
}

fn text(text: &str) -> Value {
    json!({"error": {"message": text}})
}

fn check(rows: &[(&str, Value, Option<&str>, Reason)]) {
    for (model, error, field, reason) in rows {
        assert_eq!(
            located(model, error),
            (field.map(str::to_owned), *reason),
            "{model} {error}"
        );
    }
}

#[test]
fn a_field_is_named_as_the_caller_sent_it() {
    use Reason::{Image, Other, Value};
    check(&[
        ("gpt-4o", param("temperature"), Some("temperature"), Value),
        ("gpt-4o", param("max_tokens"), Some("max_completion_tokens"), Value),
        ("gpt-4o", param("stop[1]"), Some("stop[1]"), Value),
        ("gpt-4o", param("stop[7]"), Some("stop"), Value),
        ("gpt-4o", param("You are Bob"), None, Other),
        (
            "gpt-4o",
            param("messages[1].content"),
            Some("messages[0].content"),
            Value,
        ),
        (
            "gpt-4o",
            param("messages.[4].content.[2].type"),
            Some("messages[3].content[2].image_url"),
            Image,
        ),
        // The assistant's own.
        ("gpt-4o", param("messages[0].content"), None, Other),
        ("gpt-4o", param("seed"), None, Other),
        ("gpt-4o", param("messages[9]"), None, Other),
        (
            "gpt-4o",
            param("response_format.json_schema.schema.properties.city.pattern"),
            Some("response_format.json_schema.schema.properties.city"),
            Value,
        ),
    ]);
}

#[test]
fn other_providers_names_and_places_are_read_too() {
    use Reason::{Image, Other, Parameter, Value};
    check(&[
        (
            "gemini-2.5-flash",
            text("generation_config.response_schema.properties[city].type: no"),
            Some("response_format.json_schema.schema.properties.city.type"),
            Value,
        ),
        // One and two were merged, and the blank text was left out.
        ("claude-sonnet-4-5", text("messages.0.content: no"), None, Other),
        (
            "claude-sonnet-4-5",
            text("messages.1.content: no"),
            Some("messages[2].content"),
            Value,
        ),
        (
            "claude-sonnet-4-5",
            text("messages.2.content.1.image.source.base64: image exceeds 5 MB maximum"),
            Some("messages[3].content[2].image_url"),
            Image,
        ),
        (
            "mistral/any",
            param("messages[2].content"),
            Some("messages[2].content"),
            Value,
        ),
        (
            "bedrock/amazon.nova-lite-v1:0",
            text("This model doesn't support the stopSequences field. Remove stopSequences and try again."),
            Some("stop"),
            Parameter,
        ),
        ("gpt-4o", text("temperature and stop_sequences are blue"), None, Other),
        ("gpt-4o", text("frobnicate"), None, Other),
    ]);
}
