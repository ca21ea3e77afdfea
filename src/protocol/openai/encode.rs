//! A prompt as a request to a server that speaks OpenAI's API.

use serde_json::{Map, Value, json};

use crate::{
    chat::{
        message::{Message, Role},
        parameters::Parameter,
        prompt::Prompt,
    },
    error::Error,
    protocol::{
        conversation::{Conversation, Piece},
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
    let messages = messages(&prompt.messages, &capabilities);
    let mut body = Map::new();
    body.insert("model".into(), json!(model.name));
    body.insert("messages".into(), json!(messages));
    body.insert("stream".into(), json!(model.streams));
    if model.streams && !learned.omits_stream_options {
        body.insert("stream_options".into(), json!({"include_usage": true}));
    }
    let parameters = &prompt.parameters;
    for (parameter, value) in parameters.iter() {
        if !capabilities.accepts.contains(parameter) || capabilities.prefers_another(parameter, parameters) {
            check_left_out(parameter, value)?;
            continue;
        }
        let (field, value) = match parameter {
            Parameter::MaxTokens => (
                capabilities.token_limit_field,
                json!(capabilities.token_limit(parameters)),
            ),
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

/// The messages as they are, or in the order that the server takes.
fn messages(messages: &[Message], capabilities: &Capabilities) -> Vec<Value> {
    let encode = |role: Role, pieces: &[Piece], name: Option<&str>| {
        let mut encoded = json!({"role": role.as_str(), "content": content(pieces)});
        if let Some(name) = name.filter(|_| capabilities.names) {
            encoded["name"] = json!(name);
        }
        encoded
    };
    if capabilities.keeps_messages() {
        let as_it_is = |message: &Message| {
            let pieces: Vec<_> = message.parts.iter().map(Piece::of).collect();
            encode(message.role, &pieces, message.name.as_deref())
        };
        return messages.iter().map(as_it_is).collect();
    }
    let Conversation { system, turns } = Conversation::of(messages, capabilities);
    let system = (!system.is_empty()).then(|| encode(Role::System, &[Piece::Text(&system.join("\n\n"))], None));
    let turns = turns.iter().map(|turn| encode(turn.role, &turn.pieces, turn.name));
    system.into_iter().chain(turns).collect()
}

/// Text alone goes as a plain string: many servers take content parts in users' messages only, or not at all.
fn content(pieces: &[Piece]) -> Value {
    let text = |piece: &Piece<'_>| match piece {
        Piece::Text(text) => Some((*text).to_owned()),
        Piece::Image { .. } => None,
    };
    let all_text: Option<Vec<_>> = pieces.iter().map(text).collect();
    all_text.map_or_else(
        || pieces.iter().map(encode_piece).collect(),
        |texts| json!(texts.join("\n")),
    )
}

fn encode_piece(piece: &Piece) -> Value {
    match piece {
        Piece::Text(text) => json!({"type": "text", "text": text}),
        Piece::Image { url, detail: None } => json!({"type": "image_url", "image_url": {"url": url}}),
        Piece::Image {
            url,
            detail: Some(detail),
        } => json!({"type": "image_url", "image_url": {"url": url, "detail": detail}}),
    }
}
