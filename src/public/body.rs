//! What the bodies of both of OpenAI's APIs have in common: how they are read, and what is refused in either.

use serde_json::{Map, Value};

use crate::{chat::lenient, error::Error};

/// Reads a request's body, as JSON whatever its content type says. `needed` is the field that it cannot do without.
pub(super) fn read(body: &[u8], needed: &str) -> Result<Map<String, Value>, Error> {
    let read = lenient::parse(body).map_err(|why| not_json(kind_of(body).unwrap_or(&why), needed))?;
    // A string that holds the object is read too.
    lenient::object(&read, "body").map_err(|_| not_json("it is not a JSON object", needed))
}

/// A boolean that is false where it is not set.
pub(super) fn flag(body: &Map<String, Value>, name: &str) -> Result<bool, Error> {
    lenient::field(body, name).map_or(Ok(false), |value| lenient::boolean(value, name))
}

/// Refuses tools, in the fields that have `names`, and a choice among them, in those that have `choices`.
pub(super) fn refuse_tools(body: &Map<String, Value>, names: &[&str], choices: &[&str]) -> Result<(), Error> {
    for name in names {
        if let Some(tools) = lenient::field(body, name)
            && !lenient::array(tools, name)?.is_empty()
        {
            return Err(unsupported(name, "tools are not offered by this endpoint. Remove it"));
        }
    }
    for name in choices {
        if let Some(choice) = lenient::field(body, name)
            && !matches!(choice.as_str(), Some("none" | "auto"))
        {
            return Err(unsupported(
                name,
                "only 'none' and 'auto' are possible, since there are no tools",
            ));
        }
    }
    Ok(())
}

/// Refuses more than one answer, and any that is not text.
pub(super) fn refuse_other_answers(body: &Map<String, Value>) -> Result<(), Error> {
    if let Some(n) = lenient::field(body, "n")
        && lenient::integer(n, "n")? != 1
    {
        return Err(unsupported(
            "n",
            "only one answer a request is possible. Send n: 1 or leave it out",
        ));
    }
    if let Some(modalities) = lenient::field(body, "modalities")
        && lenient::array(modalities, "modalities")?
            .iter()
            .any(|modality| modality.as_str() != Some("text"))
    {
        return Err(unsupported("modalities", "only ['text'] is possible"));
    }
    Ok(())
}

/// A 400 for a parameter that cannot be honoured with any provider.
pub(super) fn unsupported(param: &str, why: &str) -> Error {
    Error::invalid_with_code(
        param,
        "unsupported_parameter",
        format!("Unsupported parameter: '{param}': {why}."),
    )
}

/// A 400 for a list of nothing.
pub(super) fn empty_array(param: &str) -> Error {
    Error::invalid_with_code(
        param,
        "empty_array",
        format!(
            "Invalid '{param}': empty array. Expected an array with minimum length 1, but got an empty array instead."
        ),
    )
}

fn not_json(why: &str, needed: &str) -> Error {
    Error::InvalidRequest {
        message: format!(
            "We could not parse the JSON body of your request: {why}. Send a JSON object with `{needed}`."
        ),
        param: None,
        code: None,
    }
}

/// What a body is that is not JSON, and what to do. The body tells, not its content type: curl calls everything form-encoded.
fn kind_of(body: &[u8]) -> Option<&'static str> {
    let start = lenient::without_mark(body).trim_ascii_start();
    let before_equals = start.split(|byte| *byte == b'=').next().unwrap_or_default();
    let is_of_a_form = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-+%*[]".contains(byte);
    let is_form = start.contains(&b'=') && !before_equals.is_empty() && before_equals.iter().all(is_of_a_form);
    if start.is_empty() {
        Some("it is empty")
    } else if is_utf16(body) {
        Some("it is UTF-16. Send it as UTF-8")
    } else if is_multipart(start) {
        Some("it is multipart form data. Set the payload (data) type to JSON")
    } else if is_form || is_percent_encoded(start) {
        Some(
            "it is form-encoded. Set the payload (data) type to JSON, in Zapier with a 'Custom Request' or 'Payload Type: \
             json'",
        )
    } else {
        None
    }
}

/// By its byte order mark, else by the zeros beside its first two characters: a stray zero is a mistake in UTF-8.
fn is_utf16(body: &[u8]) -> bool {
    let marked = body.starts_with(b"\xff\xfe") || body.starts_with(b"\xfe\xff");
    marked || matches!(body, [0, _, 0, _, ..] | [_, 0, _, 0, ..])
}

/// Each part has a `Content-Disposition` (RFC 7578, section 4.2); dashes alone begin other texts too.
fn is_multipart(start: &[u8]) -> bool {
    const WITHIN: usize = 1024;
    let head = start[..start.len().min(WITHIN)].to_ascii_lowercase();
    head.starts_with(b"--") && String::from_utf8_lossy(&head).contains("content-disposition:")
}

fn is_percent_encoded(start: &[u8]) -> bool {
    matches!(start, [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}
