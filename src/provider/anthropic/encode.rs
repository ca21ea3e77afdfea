//! A prompt as a request to the Messages API.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use crate::{
    chat::{
        message::{Message, Part, Role},
        parameters::check_left_out,
        prompt::Prompt,
    },
    error::Error,
};

/// `max_tokens` is required there; where nobody sets it, this much, with room for thinking, as the model allows
/// ("Models overview": 4096 for Claude 3, 8192 for 3.5, 32 000 and more from 4 on).
const DEFAULT_MAX_TOKENS: [(&str, u64); 3] = [("claude-3-5", 8192), ("claude-3-7", 16_000), ("claude-3", 4096)];
const DEFAULT_MAX_TOKENS_ELSE: u64 = 16_000;

/// What a user says where OpenAI needs no user's turn and the Messages API does: it begins with one, and models from
/// Claude 4.6 on turn down a conversation that ends with the assistant's.
const SILENT_TURN: &str = "Continue.";

/// The body of `POST <base URL>/v1/messages`. Parameters that are `omitted` are left out.
///
/// # Errors
/// A 400 naming what would change the answer's form and cannot be honoured.
pub fn encode(prompt: &Prompt, omitted: &HashSet<String>) -> Result<Value, Error> {
    let mut body = Map::new();
    body.insert("model".into(), json!(prompt.model.name));
    body.insert("max_tokens".into(), json!(default_max_tokens(&prompt.model.name)));
    if let Some(system) = system(&prompt.messages) {
        body.insert("system".into(), json!(system));
    }
    body.insert("messages".into(), json!(turns(&prompt.messages)?));
    body.insert("stream".into(), json!(prompt.model.streams));
    for (name, value) in prompt.parameters.iter() {
        if let Some((field, value)) = parameter(name, value)?
            && !omitted.contains(field)
        {
            body.insert(field.into(), value);
        }
    }
    // Newer models turn down both together; Anthropic recommends to set one only.
    if body.contains_key("temperature") {
        body.shift_remove("top_p");
    }
    Ok(Value::Object(body))
}

fn default_max_tokens(model: &str) -> u64 {
    DEFAULT_MAX_TOKENS
        .iter()
        .find(|(family, _)| model.starts_with(family))
        .map_or(DEFAULT_MAX_TOKENS_ELSE, |(_, tokens)| *tokens)
}

fn parameter(name: &str, value: &Value) -> Result<Option<(&'static str, Value)>, Error> {
    Ok(match name {
        "max_tokens" => Some(("max_tokens", value.clone())),
        "temperature" if value.as_f64() > Some(1.0) => Some(("temperature", json!(1.0))),
        "temperature" => Some(("temperature", value.clone())),
        "top_p" => Some(("top_p", value.clone())),
        "stop" if value.is_string() => Some(("stop_sequences", json!([value]))),
        "stop" => Some(("stop_sequences", value.clone())),
        "user" => Some(("metadata", json!({"user_id": value}))),
        _ => {
            check_left_out(name, value)?;
            None
        }
    })
}

/// All system messages, in their order, as one.
fn system(messages: &[Message]) -> Option<String> {
    let texts: Vec<_> = messages
        .iter()
        .filter(|message| message.role == Role::System)
        .flat_map(|message| &message.parts)
        .filter_map(|part| match part {
            Part::Text(text) if !text.trim().is_empty() => Some(text.as_str()),
            _ => None,
        })
        .collect();
    (!texts.is_empty()).then(|| texts.join("\n\n"))
}

/// Users' and assistants' turns in alternation, a user's first and last, none of them blank.
fn turns(messages: &[Message]) -> Result<Vec<Value>, Error> {
    let mut turns: Vec<(Role, Vec<Value>)> = Vec::new();
    for message in messages.iter().filter(|message| message.role != Role::System) {
        let mut blocks = Vec::new();
        for part in &message.parts {
            blocks.extend(block(part)?);
        }
        match turns.last_mut() {
            _ if blocks.is_empty() => {}
            Some((role, turn)) if *role == message.role => turn.append(&mut blocks),
            _ => turns.push((message.role, blocks)),
        }
    }
    let silent = || (Role::User, vec![json!({"type": "text", "text": SILENT_TURN})]);
    if turns.first().is_none_or(|(role, _)| *role == Role::Assistant) {
        turns.insert(0, silent());
    }
    if turns.last().is_some_and(|(role, _)| *role == Role::Assistant) {
        turns.push(silent());
    }
    let turn = |(role, content): (Role, Vec<Value>)| json!({"role": role.as_str(), "content": content});
    Ok(turns.into_iter().map(turn).collect())
}

/// `None` for blank text, which the Messages API turns down.
fn block(part: &Part) -> Result<Option<Value>, Error> {
    match part {
        Part::Text(text) if text.trim().is_empty() => Ok(None),
        Part::Text(text) => Ok(Some(json!({"type": "text", "text": text}))),
        Part::Image { url, .. } => image_source(url).map(|source| Some(json!({"type": "image", "source": source}))),
    }
}

fn image_source(url: &str) -> Result<Value, Error> {
    if url.starts_with("https:") {
        return Ok(json!({"type": "url", "url": url}));
    }
    let data = url
        .strip_prefix("data:")
        .and_then(|rest| rest.split_once(','))
        .and_then(|(kind, data)| Some((kind.strip_suffix(";base64")?, data)));
    let Some((media_type, data)) = data else {
        return Err(Error::invalid(
            "messages",
            "An image cannot be passed on: this assistant's model takes https URLs and base64 data URLs.",
        ));
    };
    let media_type = match media_type.to_ascii_lowercase().as_str() {
        "image/jpg" => "image/jpeg".to_owned(),
        other => other.to_owned(),
    };
    Ok(json!({"type": "base64", "media_type": media_type, "data": data}))
}
