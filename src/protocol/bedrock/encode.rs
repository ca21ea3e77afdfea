//! A prompt as a request to Converse.

use serde_json::{Map, Value, json};

use crate::{
    chat::{
        image::{self, InlineImage},
        parameters::{Parameter, Parameters},
        prompt::Prompt,
    },
    error::Error,
    protocol::{
        claude::{
            schema::conforming,
            thinking::{self, ThinkingPlan},
        },
        conversation::{Conversation, Piece},
        effort::Effort,
        encode::{at_most, check_left_out, stop_sequences, turn},
    },
    provider::capabilities::{Capabilities, Maker, Thinking},
};

/// The body of `ConverseStream` and of `Converse`.
///
/// # Errors
/// A 400 naming what would change the answer's form and cannot be honoured.
pub(crate) fn encode(prompt: &Prompt, capabilities: Capabilities) -> Result<Value, Error> {
    let conversation = Conversation::of(&prompt.messages, &capabilities);
    let parameters = &prompt.parameters;
    let reasoning = reasoning(parameters, capabilities, prompt.show_reasoning);
    let mut body = Map::new();
    let turns: Result<Vec<_>, _> = conversation.turns.iter().map(|one| turn(one, block)).collect();
    body.insert("messages".into(), json!(turns?));
    if !conversation.system.is_empty() {
        let texts: Vec<_> = conversation.system.iter().map(|text| json!({"text": text})).collect();
        body.insert("system".into(), json!(texts));
    }
    let mut inference = Map::new();
    if let Some(limit) = reasoning.max_tokens {
        inference.insert("maxTokens".into(), json!(limit));
    }
    for (parameter, value) in parameters.iter() {
        let samples = || reasoning.takes_sampling && capabilities.samples(parameter, parameters);
        let (field, value) = match parameter {
            Parameter::Temperature if samples() => ("temperature", at_most(value, capabilities.max_temperature)),
            Parameter::TopP if samples() => ("topP", value.clone()),
            Parameter::Stop => ("stopSequences", stop_sequences(value)),
            // They are written above and below.
            Parameter::MaxTokens | Parameter::ReasoningEffort => continue,
            Parameter::ResponseFormat if capabilities.json_schema && value["type"] == "json_schema" => continue,
            Parameter::Temperature
            | Parameter::TopP
            | Parameter::PresencePenalty
            | Parameter::FrequencyPenalty
            | Parameter::Seed
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
        inference.insert(field.into(), value);
    }
    if !inference.is_empty() {
        body.insert("inferenceConfig".into(), Value::Object(inference));
    }
    if !reasoning.fields.is_empty() {
        body.insert("additionalModelRequestFields".into(), Value::Object(reasoning.fields));
    }
    if let Some(format) = text_format(parameters, capabilities)? {
        body.insert("outputConfig".into(), json!({"textFormat": format}));
    }
    Ok(Value::Object(body))
}

/// The answer's form where it has a schema, which goes as text.
fn text_format(parameters: &Parameters, capabilities: Capabilities) -> Result<Option<Value>, Error> {
    let Some((schema, about)) = parameters.json_schema()? else {
        return Ok(None);
    };
    let schema = if capabilities.maker == Maker::Anthropic {
        conforming(schema)?
    } else {
        schema.clone()
    };
    let mut definition = json!({"schema": schema.to_string(), "name": about["name"].as_str().unwrap_or("answer")});
    if let Some(description) = about["description"].as_str() {
        definition["description"] = json!(description);
    }
    let structure = json!({"jsonSchema": definition});
    Ok(Some(json!({"type": "json_schema", "structure": structure})))
}

/// What `reasoning_effort` comes to: fields of the model's own, which Converse passes on.
struct Reasoning {
    max_tokens: Option<u64>,
    fields: Map<String, Value>,
    takes_sampling: bool,
}

fn reasoning(parameters: &Parameters, capabilities: Capabilities, show: bool) -> Reasoning {
    let limit = capabilities.token_limit(parameters);
    let effort = Effort::read(parameters.get(Parameter::ReasoningEffort));
    let plain = |fields| Reasoning {
        max_tokens: limit,
        fields,
        takes_sampling: true,
    };
    if capabilities.maker == Maker::OpenAi {
        let level = effort
            .filter(|_| capabilities.thinking == Thinking::Effort)
            .map(gpt_oss_level);
        return plain(
            level
                .map(|level| ("reasoning_effort".to_owned(), json!(level)))
                .into_iter()
                .collect(),
        );
    }
    if capabilities.maker == Maker::Amazon {
        let effort = effort.filter(|effort| *effort != Effort::None && capabilities.thinking == Thinking::Effort);
        let fields = effort.map(|effort| ("reasoningConfig".to_owned(), nova_reasoning(effort, parameters)));
        return plain(fields.into_iter().collect());
    }
    let plan = ThinkingPlan::decide(parameters, capabilities, show);
    // Without thinking, a model's own limit is the default.
    let default = || thinking::max_tokens(parameters, capabilities);
    Reasoning {
        max_tokens: limit.or_else(|| plan.thinks().then(default)),
        fields: plan.fields(),
        takes_sampling: plan.takes_sampling(),
    }
}

const fn gpt_oss_level(effort: Effort) -> &'static str {
    match effort {
        Effort::None | Effort::Minimal | Effort::Low => "low",
        Effort::Medium => "medium",
        Effort::High | Effort::XHigh | Effort::Max => "high",
    }
}

/// Nova's `high` forbids `maxTokens` and sampling parameters beside it: it becomes `medium` where there is one.
fn nova_reasoning(effort: Effort, parameters: &Parameters) -> Value {
    let beside = [Parameter::MaxTokens, Parameter::Temperature, Parameter::TopP]
        .into_iter()
        .any(|parameter| parameters.get(parameter).is_some());
    let level = match effort {
        Effort::None | Effort::Minimal | Effort::Low => "low",
        Effort::High | Effort::XHigh | Effort::Max if !beside => "high",
        _ => "medium",
    };
    json!({"type": "enabled", "maxReasoningEffort": level})
}

fn block(piece: &Piece) -> Result<Value, Error> {
    let url = match piece {
        Piece::Text(text) => return Ok(json!({"text": text})),
        Piece::Image { url, .. } => url,
    };
    let InlineImage { media_type, data } = InlineImage::read(url).ok_or_else(image::not_inline)?;
    let format = media_type.strip_prefix("image/").unwrap_or(media_type);
    if !matches!(format, "png" | "jpeg" | "gif" | "webp") {
        return Err(image::unsupported(media_type, "PNG, JPEG, GIF or WebP"));
    }
    Ok(json!({"image": {"format": format, "source": {"bytes": data}}}))
}
