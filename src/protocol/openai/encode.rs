//! A prompt as a request to a server that speaks OpenAI's API.

use serde_json::{Map, Value, json};

use crate::{
    chat::{
        message::{Message, Part},
        parameters::Parameter,
        prompt::Prompt,
    },
    error::Error,
    protocol::{
        encode::{at_most, check_left_out},
        learned::Learned,
    },
    provider::{Model, capabilities::Capabilities},
};

/// The body of `POST <base URL>/chat/completions`. A stream is asked for unless the model has none. Sampling parameters
/// and hints that the server does not take are left out.
///
/// # Errors
/// A 400 naming a parameter that would change the answer's form and cannot be honoured.
pub(crate) fn encode(
    prompt: &Prompt,
    model: &Model,
    capabilities: Capabilities,
    learned: Learned,
) -> Result<Value, Error> {
    let messages: Vec<_> = prompt
        .messages
        .iter()
        .map(|message| encode_message(message, capabilities.names))
        .collect();
    let mut body = Map::new();
    body.insert("model".into(), json!(model.name));
    body.insert("messages".into(), json!(messages));
    body.insert("stream".into(), json!(model.streams));
    if model.streams && !learned.omits_stream_options {
        body.insert("stream_options".into(), json!({"include_usage": true}));
    }
    let parameters = &prompt.parameters;
    let token_limit = if learned.newer_token_limit {
        "max_completion_tokens"
    } else {
        capabilities.token_limit_field
    };
    for (parameter, value) in parameters.iter() {
        if !capabilities.accepts.contains(parameter) || capabilities.prefers_another(parameter, parameters) {
            check_left_out(parameter, value)?;
            continue;
        }
        let (field, value) = match parameter {
            Parameter::MaxTokens => (token_limit, json!(capabilities.token_limit(parameters))),
            Parameter::Seed => (capabilities.seed_field, value.clone()),
            Parameter::Temperature => (parameter.name(), at_most(value, capabilities.max_temperature)),
            Parameter::TopP
            | Parameter::PresencePenalty
            | Parameter::FrequencyPenalty
            | Parameter::Stop
            | Parameter::ResponseFormat
            | Parameter::ReasoningEffort
            | Parameter::Verbosity
            | Parameter::User
            | Parameter::SafetyIdentifier
            | Parameter::PromptCacheKey
            | Parameter::LogitBias
            | Parameter::Logprobs
            | Parameter::TopLogprobs => (parameter.name(), value.clone()),
        };
        body.insert(field.into(), value);
    }
    Ok(Value::Object(body))
}

fn encode_message(message: &Message, names: bool) -> Value {
    // Text alone goes as a plain string: many servers take content parts in users' messages only, or not at all.
    let content = match message.parts.as_slice() {
        [Part::Text(text)] => json!(text),
        parts => match all_text(parts) {
            Some(text) => json!(text),
            None => parts.iter().map(encode_part).collect(),
        },
    };
    let mut encoded = json!({"role": message.role.as_str(), "content": content});
    if let Some(name) = message.name.as_ref().filter(|_| names) {
        encoded["name"] = json!(name);
    }
    encoded
}

fn all_text(parts: &[Part]) -> Option<String> {
    let texts: Option<Vec<_>> = parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            Part::Image { .. } => None,
        })
        .collect();
    texts.map(|texts| texts.join("\n"))
}

fn encode_part(part: &Part) -> Value {
    match part {
        Part::Text(text) => json!({"type": "text", "text": text}),
        Part::Image { url, detail: None } => json!({"type": "image_url", "image_url": {"url": url}}),
        Part::Image {
            url,
            detail: Some(detail),
        } => json!({"type": "image_url", "image_url": {"url": url, "detail": detail}}),
    }
}
