//! A prompt as a request to `streamGenerateContent`.

use serde_json::{Map, Value, json};

use crate::{
    chat::{
        image::{self, InlineImage},
        message::Role,
        parameters::{Parameter, Parameters},
        prompt::Prompt,
    },
    error::Error,
    protocol::{
        conversation::{Conversation, Piece, Turn},
        effort::Effort,
        encode::{at_most, check_left_out, stop_sequences},
    },
    provider::{
        Model,
        capabilities::{Capabilities, Thinking},
    },
};

/// Penalties are below 2 (`GenerationConfig`: "[-2.0, 2.0)").
const MAX_PENALTY: f64 = 1.99;

/// Smallest thinking budget of Gemini 2.5 Flash-Lite ("Thinking").
const MIN_LITE: u64 = 512;

/// The body of `streamGenerateContent` and of `generateContent`.
///
/// # Errors
/// A 400 naming what would change the answer's form and cannot be honoured.
pub(crate) fn encode(prompt: &Prompt, model: &Model, capabilities: Capabilities) -> Result<Value, Error> {
    let conversation = Conversation::of(&prompt.messages, &capabilities);
    let parameters = &prompt.parameters;
    let mut body = Map::new();
    if !conversation.system.is_empty() {
        let texts: Vec<_> = conversation.system.iter().map(|text| json!({"text": text})).collect();
        body.insert("systemInstruction".into(), json!({"parts": texts}));
    }
    let turns: Result<Vec<_>, _> = conversation.turns.iter().map(turn).collect();
    body.insert("contents".into(), json!(turns?));
    let mut config = config(parameters, capabilities)?;
    if capabilities.json_schema {
        config.append(&mut response_format(parameters)?);
    }
    let thinking = thinking(&model.name, parameters, capabilities, prompt.show_reasoning);
    if !thinking.is_empty() {
        config.insert("thinkingConfig".into(), Value::Object(thinking));
    }
    if !config.is_empty() {
        body.insert("generationConfig".into(), Value::Object(config));
    }
    Ok(Value::Object(body))
}

/// `generationConfig` less the fields for the answer's form and for thinking.
fn config(parameters: &Parameters, capabilities: Capabilities) -> Result<Map<String, Value>, Error> {
    let mut config = Map::new();
    for (parameter, value) in parameters.iter() {
        let samples = || capabilities.samples(parameter, parameters);
        let (field, value) = match parameter {
            Parameter::Temperature if samples() => ("temperature", value.clone()),
            Parameter::TopP if samples() => ("topP", value.clone()),
            Parameter::PresencePenalty if samples() => ("presencePenalty", at_most(value, MAX_PENALTY)),
            Parameter::FrequencyPenalty if samples() => ("frequencyPenalty", at_most(value, MAX_PENALTY)),
            Parameter::MaxTokens => ("maxOutputTokens", json!(capabilities.token_limit(parameters))),
            Parameter::Stop => ("stopSequences", stop_sequences(value)),
            Parameter::Seed => ("seed", seed(value)),
            // They are written by `encode`.
            Parameter::ReasoningEffort => continue,
            Parameter::ResponseFormat if capabilities.json_schema => continue,
            Parameter::Temperature
            | Parameter::TopP
            | Parameter::PresencePenalty
            | Parameter::FrequencyPenalty
            | Parameter::ResponseFormat
            | Parameter::Verbosity
            | Parameter::User
            | Parameter::SafetyIdentifier
            | Parameter::PromptCacheKey
            | Parameter::LogitBias
            | Parameter::Logprobs
            | Parameter::TopLogprobs => {
                check_left_out(parameter, value)?;
                continue;
            }
        };
        config.insert(field.into(), value);
    }
    Ok(config)
}

/// Google's has 32 bits.
fn seed(value: &Value) -> Value {
    let seed = value.as_i64().unwrap_or_default();
    json!(seed.clamp(i32::MIN.into(), i32::MAX.into()))
}

/// JSON with a schema or without one.
fn response_format(parameters: &Parameters) -> Result<Map<String, Value>, Error> {
    let mut fields = Map::new();
    let format = parameters.get(Parameter::ResponseFormat);
    if format.is_some_and(|format| format["type"] != "text") {
        fields.insert("responseMimeType".into(), json!("application/json"));
    }
    if let Some((schema, _)) = parameters.json_schema()? {
        fields.insert("responseJsonSchema".into(), schema.clone());
    }
    Ok(fields)
}

/// Gemini 2.5 is told a budget, from 3 on a level ("Thinking"). The Pro models cannot be kept from it.
fn thinking(model: &str, parameters: &Parameters, capabilities: Capabilities, show: bool) -> Map<String, Value> {
    let mut fields = Map::new();
    let name = model.to_ascii_lowercase();
    let name = name.strip_prefix("models/").unwrap_or(&name);
    match (
        capabilities.thinking,
        Effort::read(parameters.get(Parameter::ReasoningEffort)),
    ) {
        (Thinking::Budget, Some(effort)) => {
            let least = if name.contains("pro") { 128 } else { 0 };
            // The limit holds for both, and the answer is to have half of it.
            let most = capabilities.token_limit(parameters).map_or(u64::MAX, |limit| limit / 2);
            let budget = effort.budget().min(most).max(least);
            // Flash-Lite thinks with at least so many, or not at all.
            let budget = if name.contains("lite") && budget < MIN_LITE {
                0
            } else {
                budget
            };
            fields.insert("thinkingBudget".into(), json!(budget));
        }
        (Thinking::Effort, Some(effort)) => {
            fields.insert("thinkingLevel".into(), json!(level(effort, name)));
        }
        _ => {}
    }
    if show && capabilities.thinking != Thinking::None {
        fields.insert("includeThoughts".into(), json!(true));
    }
    fields
}

/// The Flash models that have `minimal` ("Thinking": supported levels), by the beginning of their names.
const WITH_MINIMAL: [&str; 4] = [
    "gemini-3-flash",
    "gemini-3.1-flash",
    "gemini-3.5-flash",
    "gemini-3.6-flash",
];

/// All have `low` and `high`; Gemini 3 Pro has no `medium`.
fn level(effort: Effort, model: &str) -> &'static str {
    match effort {
        Effort::None | Effort::Minimal if WITH_MINIMAL.iter().any(|name| model.starts_with(name)) => "minimal",
        Effort::None | Effort::Minimal | Effort::Low => "low",
        Effort::Medium if !model.starts_with("gemini-3-pro") => "medium",
        Effort::Medium | Effort::High | Effort::XHigh | Effort::Max => "high",
    }
}

fn turn(turn: &Turn) -> Result<Value, Error> {
    let parts: Result<Vec<_>, _> = turn.pieces.iter().map(part).collect();
    let role = if turn.role == Role::Assistant { "model" } else { "user" };
    Ok(json!({"role": role, "parts": parts?}))
}

fn part(piece: &Piece) -> Result<Value, Error> {
    match piece {
        Piece::Text(text) => Ok(json!({"text": text})),
        Piece::Image { url, .. } => {
            let InlineImage { media_type, data } = InlineImage::read(url).ok_or_else(image::not_inline)?;
            Ok(json!({"inlineData": {"mimeType": media_type, "data": data}}))
        }
    }
}
