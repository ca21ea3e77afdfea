//! A prompt as a request to a server that speaks OpenAI's API.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::dialect::Dialect;
use crate::{
    chat::{
        message::{Message, Part},
        prompt::Prompt,
    },
    error::Error,
    protocol::encode::{at_most, check_left_out},
    provider::{
        Model,
        capabilities::{Capabilities, Sampling},
    },
};

/// The body of `POST <base URL>/chat/completions`. A stream is asked for unless the model has none. Sampling parameters and hints that
/// the server does not take, or that are `omitted`, are left out; an omitted `max_tokens` goes by its newer name.
///
/// # Errors
/// A 400 naming a parameter that would change the answer's form and cannot be honoured.
pub fn encode(prompt: &Prompt, model: &Model, omitted: &HashSet<String>) -> Result<Value, Error> {
    let dialect = Dialect::of(model);
    let messages: Vec<_> = prompt
        .messages
        .iter()
        .map(|message| encode_message(message, &dialect))
        .collect();
    let mut body = Map::new();
    body.insert("model".into(), json!(model.name));
    body.insert("messages".into(), json!(messages));
    body.insert("stream".into(), json!(model.streams));
    if model.streams && !omitted.contains("stream_options") {
        body.insert("stream_options".into(), json!({"include_usage": true}));
    }
    let capabilities = Capabilities::of(model);
    let better = model.overrides;
    let accepts = |name: &str| better.accepts(name).unwrap_or_else(|| dialect.accepts.contains(&name));
    for (name, value) in prompt.parameters.iter() {
        let value = match name {
            "max_tokens" => json!(capabilities.token_limit(&prompt.parameters)),
            _ => value.clone(),
        };
        match encode_parameter(name, value, &dialect, accepts(name), omitted)? {
            Some((field, value)) if !omitted.contains(field) => {
                body.insert(field.to_owned(), value);
            }
            _ => {}
        }
    }
    let both = body.contains_key("temperature") && body.contains_key("top_p");
    let lesser = prompt
        .parameters
        .lesser_sampling()
        .filter(|_| both && capabilities.sampling == Sampling::One);
    if let Some(lesser) = lesser {
        body.shift_remove(lesser);
    }
    Ok(Value::Object(body))
}

fn encode_parameter<'a>(
    name: &'a str,
    value: Value,
    dialect: &Dialect,
    accepted: bool,
    omitted: &HashSet<String>,
) -> Result<Option<(&'a str, Value)>, Error> {
    Ok(match name {
        "max_tokens" if omitted.contains("max_tokens") => Some(("max_completion_tokens", value)),
        "max_tokens" => Some((dialect.token_limit, value)),
        "seed" => Some((dialect.seed, value)),
        "stop" => Some((name, value)),
        "temperature" if accepted => Some((name, at_most(&value, dialect.max_temperature))),
        name if accepted => Some((name, value)),
        name => {
            check_left_out(name, &value)?;
            None
        }
    })
}

fn encode_message(message: &Message, dialect: &Dialect) -> Value {
    // Text alone goes as a plain string: many servers take content parts in users' messages only, or not at all.
    let content = match message.parts.as_slice() {
        [Part::Text(text)] => json!(text),
        parts => match all_text(parts) {
            Some(text) => json!(text),
            None => parts.iter().map(encode_part).collect(),
        },
    };
    let mut encoded = json!({"role": message.role.as_str(), "content": content});
    if let Some(name) = message.name.as_ref().filter(|_| dialect.names) {
        encoded["name"] = json!(name);
    }
    encoded
}

fn all_text(parts: &[Part]) -> Option<String> {
    let texts: Option<Vec<_>> = parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Image { .. } => None,
        })
        .collect();
    texts.map(|texts| texts.join("\n"))
}

fn encode_part(part: &Part) -> Value {
    match part {
        Part::Text(text) => json!({"type": "text", "text": text}),
        Part::Image { url, detail: None } => json!({"type": "image_url", "image_url": {"url": url}}),
        Part::Image {
            url,
            detail: Some(detail),
        } => json!({"type": "image_url", "image_url": {"url": url, "detail": detail}}),
    }
}
