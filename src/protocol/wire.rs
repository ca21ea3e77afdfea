//! Providers' JSON, read as leniently as what they send requires.
//!
//! The rules come from public bug reports of servers and gateways; each row of the tests names one.

use serde_json::{Deserializer, Map, Value};

use crate::chat::surrogates;

/// OpenAI's own log probability of a token that was as good as impossible: JSON has no `-Infinity`.
/// <https://platform.openai.com/docs/api-reference/chat/object>, read 2026-11.
const IMPOSSIBLE: &str = "-9999.0";

/// Numbers that JSON does not have and that Python writes all the same.
const NO_NUMBERS: [&str; 3] = ["-Infinity", "Infinity", "NaN"];

/// Events that only show that the connection is alive, by the event's name or the message's `type`.
const SIGNS_OF_LIFE: [&str; 5] = ["ping", "heartbeat", "keepalive", "keep-alive", "keep_alive"];

/// The messages of a frame.
pub(super) struct Messages {
    /// Mostly one, but some servers write several one under the other, or a list.
    pub all: Vec<Value>,
    /// Whether there are marks of [`surrogates`] in them.
    pub marked: bool,
}

/// Reads a frame's messages.
///
/// Of a duplicate key the last value counts. Fields that are null, `[]` or `{}` say nothing and are left out, but for
/// those within `logprobs`. A surrogate without its other half becomes a mark of [`surrogates`].
///
/// # Errors
/// Anything else that is not JSON.
pub(super) fn parse(data: &str) -> serde_json::Result<Messages> {
    let data = data.trim_start_matches('\u{feff}');
    let (mut all, marked) = match values(data) {
        Ok(all) => (all, false),
        Err(error) => (values(&mended(data)).map_err(|_| error)?, true),
    };
    for message in &mut all {
        leave_out_empty(message);
    }
    Ok(Messages { all, marked })
}

/// Reads one JSON value of an error's as leniently as a message, without marks.
///
/// # Errors
/// Anything else that is not JSON.
pub(super) fn parse_error(text: &str) -> serde_json::Result<Value> {
    serde_json::from_str(text).or_else(|error| {
        let mut value = serde_json::from_str(&mended(text)).map_err(|_| error)?;
        surrogates::replace(&mut value);
        Ok(value)
    })
}

fn values(data: &str) -> serde_json::Result<Vec<Value>> {
    let mut messages = Vec::with_capacity(1);
    for value in Deserializer::from_str(data).into_iter() {
        match value? {
            Value::Array(list) => messages.extend(list),
            value => messages.push(value),
        }
    }
    Ok(messages)
}

/// JSON with what Python and JavaScript write and serde does not read, in JSON's own terms: numbers that are none,
/// lone surrogates, bare control characters.
pub(super) fn mended(data: &str) -> String {
    let mut mended = String::with_capacity(data.len());
    let mut rest = data;
    let mut within_string = false;
    while let Some(char) = rest.chars().next() {
        let mut taken = char.len_utf8();
        match char {
            '"' => {
                within_string = !within_string;
                mended.push(char);
            }
            '\\' if within_string => taken = surrogates::mend_escape(rest, &mut mended),
            '\0'..' ' if within_string => mended.extend(json_escape(char)),
            _ if within_string => mended.push(char),
            _ => match NO_NUMBERS.iter().find(|word| rest.starts_with(**word)) {
                Some(word) => {
                    mended.push_str(IMPOSSIBLE);
                    taken = word.len();
                }
                None => mended.push(char),
            },
        }
        rest = &rest[taken..];
    }
    mended
}

/// A control character as JSON spells it: `\u0009`.
fn json_escape(control: char) -> impl Iterator<Item = char> {
    let digit = |shift: u32| char::from_digit((u32::from(control) >> shift) & 0xf, 16).unwrap_or('0');
    ['\\', 'u', '0', '0', digit(4), digit(0)].into_iter()
}

/// Leaves out the fields and items that are null or empty. Some servers write each field that they have, null where it
/// says nothing; PHP writes an empty object as `[]`.
fn leave_out_empty(value: &mut Value) {
    let says_nothing = |value: &Value| match value {
        Value::Null => true,
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    };
    match value {
        Value::Array(list) => {
            list.iter_mut().for_each(leave_out_empty);
            list.retain(|item| !says_nothing(item));
        }
        Value::Object(fields) => fields.retain(|name, field| {
            // Clients get these as they are: `"bytes": null` has a meaning there.
            if name != "logprobs" {
                leave_out_empty(field);
            }
            !says_nothing(field)
        }),
        _ => {}
    }
}

/// Whether a message says that the answer failed: by its event's name, by its `type` or `object`, or by an `error` that says
/// something. Text is an error if it begins with the word. Anything else is none, whatever words it has: an answer without its
/// finish is cut off all the same.
pub(super) fn says_failure(event: Option<&str>, message: &Value) -> bool {
    let is_error = |name: &str| {
        let value = message.get(name).and_then(Value::as_str);
        value.is_some_and(names_an_error)
    };
    event.is_some_and(names_an_error)
        || message.as_str().is_some_and(begins_with_error)
        || is_error("type")
        || is_error("object")
        || message.as_object().is_some_and(says_error_within)
}

/// Whether the name of an event or of a field says an error: `error`, `Error`, `exception`, `ValueError`.
pub(crate) fn names_an_error(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["error", "exception"].iter().any(|end| name.ends_with(end))
}

/// Whether a code, a status or a word says that all is well.
fn is_success(value: &Value) -> bool {
    let text = value.as_str().unwrap_or_default().trim().to_ascii_lowercase();
    match value.as_i64().or_else(|| text.parse().ok()) {
        Some(code) => matches!(code, 0 | 200..300),
        None => ["ok", "success", "succeeded"].contains(&text.as_str()),
    }
}

/// Whether a text's first word is `error`: `[ERROR] boom`, `error: {…}`, or JSON that is cut off.
fn begins_with_error(text: &str) -> bool {
    let text = text.trim_start_matches(|char: char| !char.is_alphanumeric());
    let word = text.split(|char: char| !char.is_alphanumeric()).next();
    word.is_some_and(|word| word.eq_ignore_ascii_case("error"))
}

/// Whether the value of `error` is one: some servers have the field in each chunk, and say in it that all is well.
pub(super) fn says_error(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty() && !is_success(error),
        Value::Number(number) => number.as_f64() != Some(0.0) && !is_success(error),
        Value::Bool(true) => true,
        Value::Array(list) => list.iter().any(says_error),
        Value::Object(fields) => fields.values().any(says_error),
    }
}

/// Whether one of a message's fields says an error. Groq says in `x_groq.error` why it stopped early, and `MiniMax` has in
/// `base_resp` of each message the number of its error, or zero.
/// <https://github.com/groq/groq-python/blob/main/src/groq/types/chat/chat_completion_chunk.py>, read 2026-11;
/// <https://platform.minimax.io/docs/api-reference/errorcode>.
fn says_error_within(fields: &Map<String, Value>) -> bool {
    let within = |field: &str, name: &str| {
        fields
            .get(field)
            .and_then(|field| field.get(name))
            .is_some_and(says_error)
    };
    ["error", "errors"]
        .iter()
        .any(|name| fields.get(*name).is_some_and(says_error))
        || within("x_groq", "error")
        || within("base_resp", "status_code")
}

/// Whether a message only shows that the connection is alive. Gateways wrap comments of their providers' into events.
/// <https://github.com/mnfst/llm-gateway/issues/2053>, read 2026-11.
pub(super) fn is_sign_of_life(event: Option<&str>, message: &Value) -> bool {
    let is = |name: Option<&str>| name.is_some_and(|name| SIGNS_OF_LIFE.contains(&name) || name.starts_with(':'));
    is(event) || is(message.as_str().or(message["type"].as_str()))
}

/// Whether a message has a call of a tool, in any protocol's terms.
pub(super) fn calls_a_tool(message: &Value) -> bool {
    let choice = &message["choices"][0];
    let parts = [
        &message["candidates"][0]["content"]["parts"],
        &message["output"]["message"]["content"],
        &message["content"],
    ];
    let is_call = |part: &Value| {
        part["type"] == "tool_use" || ["functionCall", "toolUse"].iter().any(|name| part.get(name).is_some())
    };
    let mut of_choice = [&choice["delta"], &choice["message"]].into_iter();
    of_choice.any(|turn| {
        ["tool_calls", "function_call"]
            .iter()
            .any(|name| turn.get(name).is_some())
    }) || is_call(&message["content_block"])
        || is_call(&message["start"])
        || parts.into_iter().filter_map(Value::as_array).flatten().any(is_call)
}

#[cfg(test)]
mod tests;
