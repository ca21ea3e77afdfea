//! What encoders share.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde_json::{Value, json};

use super::conversation::{Piece, Turn};
use crate::{chat::parameters::Parameter, error::Error};

/// What a path's segment may hold as it is: RFC 3986's unreserved characters.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A name as one segment of a path, its `/` and `:` encoded. `.` and `..` are left out: they would lead elsewhere, encoded
/// too (<https://url.spec.whatwg.org/#double-dot-path-segment>, read 2026-11), and no model has such a name.
pub(super) fn segment(name: &str) -> PercentEncode<'_> {
    let name = if matches!(name, "." | "..") { "" } else { name };
    utf8_percent_encode(name, UNRESERVED)
}

/// Checks a parameter that is about to be left out, because the model does not take it. A hint may be left out, but not
/// what would change the answer's form.
///
/// # Errors
/// A 400 that names it.
pub(super) fn check_left_out(parameter: Parameter, value: &Value) -> Result<(), Error> {
    let changes_the_answers_form = match parameter {
        Parameter::Logprobs => value == &Value::Bool(true),
        Parameter::ResponseFormat => value["type"] != "text",
        Parameter::Temperature
        | Parameter::TopP
        | Parameter::MaxTokens
        | Parameter::PresencePenalty
        | Parameter::FrequencyPenalty
        | Parameter::Seed
        | Parameter::Stop
        | Parameter::ReasoningEffort
        | Parameter::Verbosity
        | Parameter::User
        | Parameter::SafetyIdentifier
        | Parameter::PromptCacheKey
        | Parameter::LogitBias
        | Parameter::TopLogprobs => false,
    };
    let name = parameter.name();
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
pub(super) fn at_most(value: &Value, most: f64) -> Value {
    if value.as_f64() > Some(most) {
        json!(most)
    } else {
        value.clone()
    }
}

/// `stop` as a list, whichever of its two forms it has.
pub(super) fn stop_sequences(stop: &Value) -> Value {
    match stop {
        Value::Array(_) => stop.clone(),
        one => json!([one]),
    }
}

/// A turn with its content as a list of blocks, as Anthropic's API and Bedrock have it.
pub(super) fn turn(turn: &Turn, block: fn(&Piece) -> Result<Value, Error>) -> Result<Value, Error> {
    let content: Result<Vec<_>, _> = turn.pieces.iter().map(block).collect();
    Ok(json!({"role": turn.role.as_str(), "content": content?}))
}

#[cfg(test)]
mod tests {
    use crate::{protocol::Protocol, provider::choose};

    #[test]
    fn a_models_name_stays_in_its_place_of_the_path() {
        for (name, path) in [
            ("bedrock/a/b:0", "/model/a%2Fb%3A0/converse-stream"),
            ("bedrock/..", "/model//converse-stream"),
            ("bedrock/.", "/model//converse-stream"),
            ("bedrock/%2e%2e", "/model/%252e%252e/converse-stream"),
            ("gemini/a", "/v1beta/models/a:streamGenerateContent?alt=sse"),
            ("gemini/..", "/v1beta/models/:streamGenerateContent?alt=sse"),
            ("gemini/a/../b", "/v1beta/a//b:streamGenerateContent?alt=sse"),
        ] {
            let model = choose(name, None, None).unwrap();
            assert_eq!(Protocol::of(&model).path(&model), path, "{name}");
        }
    }
}
