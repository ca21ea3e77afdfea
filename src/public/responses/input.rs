//! The `input` of a request: a text, or the items of a conversation.

use serde_json::{Map, Value};

/// A step of the input.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Entry {
    Message(Message, Spelling),
    /// A message that an earlier response kept.
    Reference {
        id: String,
        param: String,
    },
}

/// What a model is not told of a message: how its client spelled it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Spelling {
    /// Whether its role was `developer`, OpenAI's newer name of `system`.
    pub is_developer: bool,
    /// Which of its parts are refusals, in order.
    pub refusals: Vec<usize>,
}

use crate::{
    chat::{
        lenient,
        message::{Message, Part, Role, image_at, misplaced_image, read_role},
    },
    error::Error,
    public::body,
};

/// Reads the input; at least one message.
pub(super) fn read(body: &Map<String, Value>) -> Result<Vec<Entry>, Error> {
    let items = match body.get("input") {
        Some(Value::String(text)) if !text.trim().is_empty() => {
            let message = Message::text(Role::User, text);
            return Ok(vec![Entry::Message(message, Spelling::default())]);
        }
        None | Some(Value::Null | Value::String(_)) => return Err(Error::missing("input")),
        Some(Value::Array(items)) => items,
        Some(other) => return Err(lenient::wrong_type("input", "a string or an array of items", other)),
    };
    let mut entries = Vec::with_capacity(items.len());
    for (at, item) in items.iter().enumerate() {
        entries.extend(read_item(item, &format!("input[{at}]"))?);
    }
    if entries.is_empty() {
        return Err(body::empty_array("input"));
    }
    Ok(entries)
}

/// `None` for the thinking of earlier turns, which no model is shown again.
pub(super) fn read_item(item: &Value, path: &str) -> Result<Option<Entry>, Error> {
    let Value::Object(item) = item else {
        return Err(lenient::wrong_type(path, "an object", item));
    };
    // OpenAI's schema lets the type of a message and of a reference be absent.
    let has = |name: &str| lenient::field(item, name).is_some();
    let absent = if has("id") && !has("role") {
        "item_reference"
    } else {
        "message"
    };
    match lenient::field(item, "type").map_or(Some(absent), Value::as_str) {
        Some("message") => Ok(Some(Entry::Message(read_message(item, path)?, spelling(item)))),
        Some("reasoning") => Ok(None),
        Some("item_reference") => read_reference(item, path),
        other => Err(body::unsupported(
            &format!("{path}.type"),
            &format!(
                "items of the type '{}' are not offered by this endpoint, which has no tools. Send items of the type \
                 'message'",
                other.unwrap_or("")
            ),
        )),
    }
}

fn read_reference(item: &Map<String, Value>, path: &str) -> Result<Option<Entry>, Error> {
    let param = format!("{path}.id");
    let id = lenient::field(item, "id").ok_or_else(|| Error::missing(&param))?;
    let id = lenient::string(id, &param)?;
    Ok((!id.starts_with("rs_")).then_some(Entry::Reference { id, param }))
}

fn read_message(item: &Map<String, Value>, path: &str) -> Result<Message, Error> {
    let role = read_role(item, path)?;
    let param = format!("{path}.content");
    let parts = match item.get("content") {
        Some(Value::String(text)) => vec![Part::Text(text.clone())],
        Some(Value::Array(parts)) if !parts.is_empty() => parts
            .iter()
            .enumerate()
            .map(|(at, part)| read_part(part, role, &format!("{param}[{at}]")))
            .collect::<Result<_, _>>()?,
        // A turn in which the assistant said nothing.
        None | Some(Value::Null | Value::Array(_)) if role == Role::Assistant => vec![Part::Text(String::new())],
        Some(Value::Array(_)) => return Err(body::empty_array(&param)),
        other => {
            return Err(lenient::wrong_type(
                &param,
                "a string or an array of content parts",
                other.unwrap_or(&Value::Null),
            ));
        }
    };
    let name = None;
    Ok(Message { role, parts, name })
}

/// The spelling of a message that could be read.
fn spelling(item: &Map<String, Value>) -> Spelling {
    let parts = item.get("content").and_then(Value::as_array);
    let parts = parts.into_iter().flatten().enumerate();
    let refusals = parts.filter(|(_, part)| part["type"] == "refusal");
    Spelling {
        is_developer: item.get("role").is_some_and(|role| role == "developer"),
        refusals: refusals.map(|(at, _)| at).collect(),
    }
}

fn read_part(part: &Value, role: Role, path: &str) -> Result<Part, Error> {
    let Value::Object(part) = part else {
        return Err(lenient::wrong_type(path, "an object", part));
    };
    let text = |name: &str| {
        let value = part.get(name).unwrap_or(&Value::Null);
        lenient::string(value, &format!("{path}.{name}")).map(Part::Text)
    };
    match part.get("type").and_then(Value::as_str) {
        Some("input_text" | "output_text" | "text") => text("text"),
        Some("refusal") if role == Role::Assistant => text("refusal"),
        Some("input_image") if role == Role::User => read_image(part, path),
        Some("input_image") => Err(misplaced_image(path)),
        Some(kind @ ("input_file" | "input_audio")) => Err(body::unsupported(
            &format!("{path}.type"),
            &format!("parts of the type '{kind}' are not offered by this endpoint. Send text or images"),
        )),
        other => Err(Error::invalid_with_code(
            format!("{path}.type"),
            "invalid_value",
            format!(
                "Invalid value: '{}'. Supported content parts are: 'input_text', 'output_text' and, in messages of the \
                 user, 'input_image'.",
                other.unwrap_or("")
            ),
        )),
    }
}

fn read_image(part: &Map<String, Value>, path: &str) -> Result<Part, Error> {
    if lenient::field(part, "file_id").is_some() {
        return Err(body::unsupported(
            &format!("{path}.file_id"),
            "files are not offered by this endpoint. Send the image by 'image_url', as an https URL or a data URL",
        ));
    }
    let url = part.get("image_url").and_then(Value::as_str);
    image_at(url, part.get("detail"), &format!("{path}.image_url"))
}
