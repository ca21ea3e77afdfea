//! A prompt as a request to the Messages API.

use serde_json::{Map, Value, json};

use crate::protocol::{
    claude::{
        schema,
        thinking::{ThinkingPlan, max_tokens},
    },
    conversation::{Conversation, Piece},
    encode::{at_most, check_left_out, stop_sequences, turn},
};
use crate::{
    chat::{
        image::{self, InlineImage},
        parameters::{Parameter, Parameters},
        prompt::Prompt,
    },
    error::Error,
    provider::{Model, capabilities::Capabilities},
    token::sha256,
};

/// The body of `POST <base URL>/v1/messages`.
///
/// # Errors
/// A 400 naming what would change the answer's form and cannot be honoured.
pub(crate) fn encode(prompt: &Prompt, model: &Model, capabilities: Capabilities) -> Result<Value, Error> {
    let conversation = Conversation::of(&prompt.messages, &capabilities);
    let parameters = &prompt.parameters;
    let plan = ThinkingPlan::decide(parameters, capabilities, prompt.show_reasoning);
    let mut body = Map::new();
    body.insert("model".into(), json!(model.name));
    body.insert("max_tokens".into(), json!(max_tokens(parameters, capabilities)));
    if !conversation.system.is_empty() {
        body.insert("system".into(), json!(conversation.system.join("\n\n")));
    }
    let turns: Result<Vec<_>, _> = conversation.turns.iter().map(|one| turn(one, block)).collect();
    body.insert("messages".into(), json!(turns?));
    body.insert("stream".into(), json!(model.streams));
    for (parameter, value) in parameters.iter() {
        let samples = || plan.takes_sampling() && capabilities.samples(parameter, parameters);
        let (field, value) = match parameter {
            Parameter::Temperature if samples() => ("temperature", at_most(value, capabilities.max_temperature)),
            Parameter::TopP if samples() => ("top_p", value.clone()),
            Parameter::Stop => ("stop_sequences", stop_sequences(value)),
            Parameter::User => ("metadata", json!({"user_id": user_id(value)})),
            // They are written above and below.
            Parameter::MaxTokens | Parameter::ReasoningEffort => continue,
            Parameter::ResponseFormat if capabilities.json_schema => continue,
            Parameter::Temperature
            | Parameter::TopP
            | Parameter::PresencePenalty
            | Parameter::FrequencyPenalty
            | Parameter::Seed
            | Parameter::ResponseFormat
            | Parameter::Verbosity
            | Parameter::SafetyIdentifier
            | Parameter::PromptCacheKey
            | Parameter::LogitBias
            | Parameter::Logprobs
            | Parameter::TopLogprobs => {
                check_left_out(parameter, value)?;
                continue;
            }
        };
        body.insert(field.into(), value);
    }
    let mut thinking = plan.fields();
    if let Some(format) = output_format(parameters, capabilities)? {
        let config = thinking.entry("output_config").or_insert_with(|| json!({}));
        config["format"] = format;
    }
    body.append(&mut thinking);
    Ok(Value::Object(body))
}

/// Longest `metadata.user_id`, in characters.
const MAX_USER_ID: usize = 256;

/// Anthropic wants "an opaque identifier" and rejects what looks like an e-mail address or a telephone number. An id of
/// letters, digits, `-` and `_` goes as it is; the SHA-256 digest is sent in place of anything else.
fn user_id(user: &Value) -> String {
    let user = user.as_str().unwrap_or_default();
    let is_opaque = user.len() <= MAX_USER_ID
        && user.bytes().any(|byte| byte.is_ascii_alphabetic())
        && user
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if is_opaque { user.to_owned() } else { sha256(user) }
}

/// "Structured outputs": a schema, and nothing for JSON without one.
fn output_format(parameters: &Parameters, capabilities: Capabilities) -> Result<Option<Value>, Error> {
    match parameters.json_schema()? {
        Some((schema, _)) if capabilities.json_schema => Ok(Some(
            json!({"type": "json_schema", "schema": schema::conforming(schema)?}),
        )),
        _ => {
            let format = parameters.get(Parameter::ResponseFormat);
            format.map_or(Ok(()), |format| check_left_out(Parameter::ResponseFormat, format))?;
            Ok(None)
        }
    }
}

fn block(piece: &Piece) -> Result<Value, Error> {
    let source = match piece {
        Piece::Text(text) => return Ok(json!({"type": "text", "text": text})),
        Piece::Image { url, .. } if url.starts_with("https:") => json!({"type": "url", "url": url}),
        Piece::Image { url, .. } => {
            let InlineImage { media_type, data } = InlineImage::read(url).ok_or_else(image::not_inline)?;
            json!({"type": "base64", "media_type": media_type, "data": data})
        }
    };
    Ok(json!({"type": "image", "source": source}))
}
