//! A message of the conversation, read from OpenAI's form.

use serde_json::{Map, Value};

use super::{image, lenient};
use crate::error::Error;

/// Who speaks. OpenAI's `developer` is `system` under its newer name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Role {
    System,
    User,
    Assistant,
}

impl Role {
    /// As OpenAI spells it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Text; a refusal of the assistant's is text too.
    Text(String),
    /// An image, in a user's message only.
    Image {
        /// `https:` or `data:`.
        url: String,
        /// `low`, `high` or `auto`.
        detail: Option<String>,
    },
}

impl Part {
    /// Whether it is a text of blanks, which no provider is sent. Python's blanks, by which providers go, have some control
    /// characters among them.
    pub(crate) fn is_blank(&self) -> bool {
        matches!(self, Self::Text(text) if text.chars().all(|one| one.is_whitespace() || one.is_control()))
    }
}

/// One turn of the conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// Never empty, though its texts may be.
    pub parts: Vec<Part>,
    /// The participant's name, where one is given.
    pub name: Option<String>,
}

impl Message {
    /// A message of nothing but text.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Self {
            role,
            parts: vec![Part::Text(text.into())],
            name: None,
        }
    }

    /// Its texts, without its images.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Image { .. } => None,
        })
    }

    /// Reads one element of `messages`.
    ///
    /// # Errors
    /// A 400 whose `param` is the path to what is wrong.
    pub fn read(value: &Value, path: &str) -> Result<Self, Error> {
        let Value::Object(message) = value else {
            return Err(lenient::wrong_type(path, "an object", value));
        };
        let role = read_role(message, path)?;
        if role == Role::Assistant {
            refuse_calls(message, path)?;
        }
        let parts = read_content(message, role, path)?;
        let name = lenient::field(message, "name").and_then(Value::as_str);
        Ok(Self {
            role,
            parts,
            name: name.map(str::to_owned),
        })
    }
}

/// Who speaks, from a message's `role`.
pub(crate) fn read_role(message: &Map<String, Value>, path: &str) -> Result<Role, Error> {
    let param = format!("{path}.role");
    let Some(role) = lenient::field(message, "role") else {
        return Err(Error::missing(param));
    };
    match lenient::string(role, &param)?.as_str() {
        "system" | "developer" => Ok(Role::System),
        "user" => Ok(Role::User),
        "assistant" => Ok(Role::Assistant),
        role @ ("tool" | "function") => Err(Error::invalid_with_code(
            &param,
            "unsupported_parameter",
            format!(
                "Messages with the role '{role}' are not supported: this endpoint does not offer tools. Remove them."
            ),
        )),
        other => Err(Error::invalid_with_code(
            &param,
            "invalid_value",
            format!("Invalid value: '{other}'. Supported values are: 'system', 'developer', 'user' and 'assistant'."),
        )),
    }
}

fn refuse_calls(message: &Map<String, Value>, path: &str) -> Result<(), Error> {
    for name in ["tool_calls", "function_call"] {
        let used = lenient::field(message, name)
            .is_some_and(|calls| lenient::array(calls, name).map_or(true, |calls| !calls.is_empty()));
        if used {
            return Err(Error::invalid_with_code(
                format!("{path}.{name}"),
                "unsupported_parameter",
                format!("'{name}' is not supported: this endpoint does not offer tools. Remove it from the message."),
            ));
        }
    }
    Ok(())
}

fn read_content(message: &Map<String, Value>, role: Role, path: &str) -> Result<Vec<Part>, Error> {
    let param = format!("{path}.content");
    let refusal = message.get("refusal").and_then(Value::as_str);
    let refusal = refusal.filter(|_| role == Role::Assistant);
    let mut content = match message.get("content") {
        Some(Value::String(text)) if text.is_empty() && refusal.is_some() => Vec::new(),
        Some(Value::String(text)) => vec![Part::Text(text.clone())],
        Some(Value::Array(parts)) if !parts.is_empty() => parts
            .iter()
            .enumerate()
            .map(|(at, part)| read_part(part, role, &format!("{param}[{at}]")))
            .collect::<Result<_, _>>()?,
        // A turn in which the assistant said nothing, which tools keep in their history.
        None | Some(Value::Null | Value::Array(_)) if role == Role::Assistant => Vec::new(),
        Some(Value::Array(_)) => {
            return Err(Error::invalid_with_code(
                &param,
                "empty_array",
                format!("Invalid '{param}': empty array. Expected at least one content part, or a string."),
            ));
        }
        other => {
            return Err(lenient::wrong_type(
                &param,
                "a string or an array of content parts",
                other.unwrap_or(&Value::Null),
            ));
        }
    };
    if let Some(refusal) = refusal.filter(|refusal| !refusal.is_empty()) {
        content.push(Part::Text(refusal.to_owned()));
    }
    if content.is_empty() {
        content.push(Part::Text(String::new()));
    }
    Ok(content)
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
        Some("text") => text("text"),
        Some("refusal") if role == Role::Assistant => text("refusal"),
        Some("image_url") if role == Role::User => read_image(part, path),
        Some("image_url") => Err(misplaced_image(path)),
        other => Err(Error::invalid_with_code(
            format!("{path}.type"),
            "invalid_value",
            format!(
                "Invalid value: '{}'. Supported content parts are: 'text' and, in messages of the user, 'image_url'.",
                other.unwrap_or("")
            ),
        )),
    }
}

/// `{"image_url": {"url", "detail"}}`; the bare URL, which some tools send, is read too.
fn read_image(part: &Map<String, Value>, path: &str) -> Result<Part, Error> {
    let image = part.get("image_url").unwrap_or(&Value::Null);
    let url = image.as_str().or_else(|| image.get("url")?.as_str());
    image_at(url, image.get("detail"), &format!("{path}.image_url.url"))
}

/// An image at a URL, which stands at `param`.
pub(crate) fn image_at(url: Option<&str>, detail: Option<&Value>, param: &str) -> Result<Part, Error> {
    let url = url
        .map(str::trim)
        .ok_or_else(|| lenient::wrong_type(param, "a string", &Value::Null))?;
    let scheme = url.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    if !matches!(scheme.as_deref(), Some("https" | "http" | "data")) {
        return Err(Error::invalid_with_code(
            param,
            "invalid_value",
            format!("Invalid '{param}': expected an https URL or a data URL such as 'data:image/png;base64,…'."),
        ));
    }
    Ok(Part::Image {
        url: image::normal_url(url),
        detail: detail.and_then(Value::as_str).map(str::to_owned),
    })
}

/// A 400 for an image that somebody else than the user shows.
pub(crate) fn misplaced_image(path: &str) -> Error {
    Error::invalid(
        path,
        format!("Invalid '{path}': images are allowed in messages with the role 'user' only."),
    )
}
