//! Reading JSON as no-code tools send it: numbers, booleans, lists and objects may come as the string that spells
//! them, and a blank string stands for "not set".

use serde_json::{Map, Value};

use super::surrogates;
use crate::error::Error;

/// OpenAI's code for a value of the wrong type.
const INVALID_TYPE: &str = "invalid_type";

/// Most values in one JSON text. Each takes up to some 450 bytes of memory and as little as two of a text, so that a body
/// within its limit could fill a function's memory.
const MAX_VALUES: usize = 100_000;

/// Parses untrusted JSON. Of a duplicate key the last value counts, and a lone surrogate is U+FFFD.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse(json: &[u8]) -> Result<Value, String> {
    let json = without_mark(json);
    if values(json) > MAX_VALUES {
        return Err(format!("it holds more than {MAX_VALUES} values"));
    }
    let parsed = serde_json::from_slice(json).or_else(|error| match surrogates::without_lone(json) {
        Some(mended) => serde_json::from_slice(&mended),
        None => Err(error),
    });
    parsed.map_err(|error| format!("it is not valid JSON ({error})"))
}

/// A text without its byte order mark, which some programs write (RFC 8259, section 8.1, lets a reader pass over it).
pub(crate) fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// An upper bound of the number of values: each follows a comma, a bracket or a brace, but for the first.
fn values(json: &[u8]) -> usize {
    let mut count = 1;
    let mut within_text = false;
    let mut bytes = json.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' if within_text => {
                bytes.next();
            }
            b'"' => within_text = !within_text,
            b',' | b'[' | b'{' if !within_text => count += 1,
            _ => {}
        }
    }
    count
}

/// A field of an object; `None` where it is absent, `null`, a blank string or a list of nothing.
pub(crate) fn field<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object
        .get(name)
        .filter(|value| !is_unset(value) && !is_empty_list(value))
}

/// Whether a value is a list of nothing (`[]`, `[""]`, `[null]`), which stands for "not set" in a request.
pub(crate) fn is_empty_list(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().all(is_empty_item))
}

/// Whether an item of a list says nothing. A blank one may: a line break is a place to stop at.
pub(crate) fn is_empty_item(item: &Value) -> bool {
    item.is_null() || item == ""
}

/// Whether a value stands for "not set".
pub(crate) fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        _ => false,
    }
}

/// `true`, or a string that spells it.
pub(crate) fn boolean(value: &Value, param: &str) -> Result<bool, Error> {
    match value {
        Value::Bool(value) => Ok(*value),
        Value::String(text) if text.trim().eq_ignore_ascii_case("true") => Ok(true),
        Value::String(text) if text.trim().eq_ignore_ascii_case("false") => Ok(false),
        other => Err(wrong_type(param, "a boolean", other)),
    }
}

/// A finite number, kept in the form it was written in (`1` stays `1`, not `1.0`).
pub(crate) fn number(value: &Value, param: &str) -> Result<serde_json::Number, Error> {
    match value {
        Value::Number(number) => Ok(number.clone()),
        Value::String(text) => spelled(text.trim()).ok_or_else(|| wrong_type(param, "a number", value)),
        other => Err(wrong_type(param, "a number", other)),
    }
}

/// A number as JSON writes it, or with a bare point or a plus.
fn spelled(text: &str) -> Option<serde_json::Number> {
    let plain = || text.parse::<f64>().ok().and_then(serde_json::Number::from_f64);
    serde_json::from_str(text).ok().or_else(plain)
}

/// A whole number; `100.0` is one.
pub(crate) fn integer(value: &Value, param: &str) -> Result<i64, Error> {
    let number = number(value, param).map_err(|_| wrong_type(param, "an integer", value))?;
    let whole = number.as_i64().or_else(|| {
        let float = number.as_f64().filter(|float| float.fract() == 0.0)?;
        format!("{float:.0}").parse().ok()
    });
    whole.ok_or_else(|| wrong_type(param, "an integer", value))
}

/// An array, or a string that holds one.
pub(crate) fn array(value: &Value, param: &str) -> Result<Vec<Value>, Error> {
    match parsed(value) {
        Value::Array(items) => Ok(items),
        _ => Err(wrong_type(param, "an array", value)),
    }
}

/// An object, or a string that holds one.
pub(crate) fn object(value: &Value, param: &str) -> Result<Map<String, Value>, Error> {
    match parsed(value) {
        Value::Object(object) => Ok(object),
        _ => Err(wrong_type(param, "an object", value)),
    }
}

/// A string.
pub(crate) fn string(value: &Value, param: &str) -> Result<String, Error> {
    match value {
        Value::String(text) => Ok(text.clone()),
        other => Err(wrong_type(param, "a string", other)),
    }
}

fn parsed(value: &Value) -> Value {
    match value {
        Value::String(text) => parse(text.as_bytes()).unwrap_or(Value::Null),
        other => other.clone(),
    }
}

/// A 400 in OpenAI's words.
pub(crate) fn wrong_type(param: &str, expected: &str, got: &Value) -> Error {
    let got = match got {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    Error::invalid_with_code(
        param,
        INVALID_TYPE,
        format!("Invalid type for '{param}': expected {expected}, but got {got} instead."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn strings_are_read_as_what_they_spell() {
        assert!(boolean(&json!("True"), "stream").unwrap());
        assert!(!boolean(&json!(" false "), "stream").unwrap());
        assert_eq!(number(&json!("0.7"), "t").unwrap().as_f64(), Some(0.7));
        for (text, half) in [(".5", 0.5), ("+0.5", 0.5), ("1.", 1.0)] {
            assert_eq!(number(&json!(text), "t").unwrap().as_f64(), Some(half));
        }
        assert_eq!(integer(&json!("100"), "m").unwrap(), 100);
        assert_eq!(integer(&json!(100.0), "m").unwrap(), 100);
        assert_eq!(array(&json!("[1]"), "a").unwrap(), [json!(1)]);
        assert_eq!(object(&json!("{\"a\":1}"), "o").unwrap()["a"], 1);
    }

    #[test]
    fn values_are_counted_where_they_are_some() {
        for (json, count) in [
            ("1", 1),
            ("[1, 2]", 3),
            (r#"{"a": [{"b": 1}, 2]}"#, 5),
            (r#"["[,{\\\", ,", "\\\\", 1]"#, 4),
        ] {
            assert_eq!(values(json.as_bytes()), count, "{json}");
        }
        let many = format!("[{}0]", "0,".repeat(MAX_VALUES));
        let why = parse(many.as_bytes()).unwrap_err();
        assert_eq!(why, "it holds more than 100000 values");
        assert_eq!(parse(b"{\"a\": \"[0]\"}"), Ok(json!({"a": "[0]"})));
        assert_eq!(parse("\u{feff}[0]".as_bytes()), Ok(json!([0])));
        assert_eq!(
            parse(br#"{"a": 1, "a\ud83d": 2, "a": 3}"#),
            Ok(json!({"a": 3, "a\u{fffd}": 2}))
        );
        for number in ["NaN", "Infinity", "-Infinity", "1e999"] {
            let why = parse(format!("{{\"temperature\": {number}}}").as_bytes()).unwrap_err();
            assert!(why.contains("line 1 column"), "{why}");
        }
        assert!(array(&json!(many), "messages").is_err());
    }

    #[test]
    fn what_spells_nothing_is_named() {
        for result in [
            boolean(&json!("yes"), "p").map(|_| ()),
            boolean(&json!(1), "p").map(|_| ()),
            number(&json!("warm"), "p").map(|_| ()),
            number(&json!("NaN"), "p").map(|_| ()),
            integer(&json!(1.5), "p").map(|_| ()),
            integer(&json!(1e300), "p").map(|_| ()),
            array(&json!("hello"), "p").map(|_| ()),
            object(&json!([]), "p").map(|_| ()),
        ] {
            let error = result.unwrap_err();
            assert_eq!(error.code().as_deref(), Some("invalid_type"));
            assert!(error.to_string().starts_with("Invalid type for 'p': expected a"));
        }
    }
}
