//! What encoders share.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde_json::{Value, json};

use super::conversation::{Piece, Turn};
use crate::error::Error;

/// What a path's segment may hold as it is: RFC 3986's unreserved characters.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A name as one segment of a path, its `/` and `:` encoded.
pub fn segment(name: &str) -> PercentEncode<'_> {
    utf8_percent_encode(name, UNRESERVED)
}

/// Checks a parameter that a model does not take: a hint may be left out, but not what would change the answer's form.
///
/// # Errors
/// A 400 that names it.
pub fn check_left_out(name: &str, value: &Value) -> Result<(), Error> {
    let changes_the_answers_form = match name {
        "logprobs" => value == &Value::Bool(true),
        "response_format" => value["type"] != "text",
        _ => false,
    };
    if changes_the_answers_form {
        return Err(Error::invalid_with_code(
            name,
            "unsupported_parameter",
            format!("Unsupported parameter: '{name}' is not supported with this assistant's model. Remove it."),
        ));
    }
    Ok(())
}

/// A number, or the most that a provider takes.
pub fn at_most(value: &Value, most: f64) -> Value {
    if value.as_f64() > Some(most) {
        json!(most)
    } else {
        value.clone()
    }
}

/// `stop` as a list, whichever of its two forms it has.
pub fn stop_sequences(stop: &Value) -> Value {
    match stop {
        Value::Array(_) => stop.clone(),
        one => json!([one]),
    }
}

/// A turn with its content as a list of blocks, as Anthropic's API and Bedrock have it.
pub fn turn(turn: &Turn, block: fn(&Piece) -> Result<Value, Error>) -> Result<Value, Error> {
    let content: Result<Vec<_>, _> = turn.pieces.iter().map(block).collect();
    Ok(json!({"role": turn.role.as_str(), "content": content?}))
}
