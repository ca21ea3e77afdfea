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

/// Fields of which at least one stands in each message that is a part of an answer, whatever the protocol.
const OF_AN_ANSWER: [&str; 8] = [
    "choices",
    "usage",
    "delta",
    "content",
    "content_block",
    "output",
    "candidates",
    "usageMetadata",
];

/// Fields that hold the words of an error without `error` around them.
const BARE_WORDS: [&str; 7] = [
    "message",
    "Message",
    "msg",
    "detail",
    "errors",
    "error_message",
    "error_msg",
];

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
    all.iter_mut().for_each(leave_out_empty);
    Ok(Messages { all, marked })
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
fn mended(data: &str) -> String {
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

/// Whether a message says that the answer failed.
///
/// It is an error by its event's name, by its `type` or `object`, or by an `error` that says something. What holds an
/// error's words and no part of an answer is one too, unless the answer before it `is_complete`.
pub(super) fn is_error(event: Option<&str>, message: &Value, is_complete: bool) -> bool {
    if event == Some("error") {
        return true;
    }
    let Value::Object(fields) = message else {
        return false;
    };
    let is = |name: &str| fields.get(name).and_then(Value::as_str) == Some("error");
    let has = |name: &&str| fields.contains_key(*name);
    let has_bare_words = BARE_WORDS.iter().any(|name| fields.get(*name).is_some_and(is_words));
    is("type")
        || is("object")
        || fields.get("error").is_some_and(says_error)
        || groq_error(fields)
        || (has_bare_words && !OF_AN_ANSWER.iter().any(has) && !is_complete && !is_sign_of_life(event, message))
}

/// Whether the value of `error` is one: some servers have the field in each chunk.
pub(super) fn says_error(error: &Value) -> bool {
    match error {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::Bool(true) => true,
        Value::Array(list) => list.iter().any(says_error),
        Value::Object(fields) => fields.values().any(says_error),
    }
}

/// Groq says in `x_groq.error` why it stopped early.
/// <https://github.com/groq/groq-python/blob/main/src/groq/types/chat/chat_completion_chunk.py>, read 2026-11.
fn groq_error(fields: &Map<String, Value>) -> bool {
    fields
        .get("x_groq")
        .and_then(|groq| groq.get("error"))
        .is_some_and(says_error)
}

fn is_words(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        _ => false,
    }
}

/// Whether a message only shows that the connection is alive.
pub(super) fn is_sign_of_life(event: Option<&str>, message: &Value) -> bool {
    let is = |name: Option<&str>| name.is_some_and(|name| SIGNS_OF_LIFE.contains(&name));
    is(event) || is(message["type"].as_str())
}

#[cfg(test)]
mod tests;
