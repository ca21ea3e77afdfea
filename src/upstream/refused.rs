//! What models turned down: learned from their 400s, for the life of the environment.

use std::{
    collections::{HashMap, HashSet},
    sync::{Mutex, PoisonError},
};

use serde_json::Value;

use crate::error::ProviderError;

/// Left out after a 400 that names one of them; the rest would change what the client gets. By OpenAI's name, with
/// the names that it has with providers, in requests and in their errors.
const DROPPABLE: [(&str, &[&str]); 12] = [
    ("temperature", &["temperature"]),
    ("top_p", &["top_p", "topP"]),
    ("presence_penalty", &["presence_penalty", "presencePenalty"]),
    ("frequency_penalty", &["frequency_penalty", "frequencyPenalty"]),
    ("seed", &["seed", "random_seed"]),
    ("user", &["user", "metadata"]),
    ("logit_bias", &["logit_bias"]),
    (
        "reasoning_effort",
        &[
            "reasoning_effort",
            "thinking",
            "thinking.type.enabled",
            "thinking.type.disabled",
            "thinking.type.adaptive",
            "thinking.type.between_tools",
            "effort",
            "output_config",
            "thinkingConfig",
            "thinking_config",
            "thinkingBudget",
            "thinking_budget",
            "thinkingLevel",
            "thinking_level",
            "reasoningConfig",
        ],
    ),
    ("verbosity", &["verbosity"]),
    ("safety_identifier", &["safety_identifier"]),
    ("prompt_cache_key", &["prompt_cache_key"]),
    ("stream_options", &["stream_options"]),
];

/// Phrases that say it without the parameter's name, or with two names: Anthropic's first, then Google's.
const PHRASES: [(&str, &str); 6] = [
    ("cannot both be specified", "top_p"),
    ("Penalty is not enabled", "presence_penalty"),
    ("Penalty is not enabled", "frequency_penalty"),
    ("Thinking level is not supported", "reasoning_effort"),
    ("Thinking budget is not supported", "reasoning_effort"),
    ("only works in thinking mode", "reasoning_effort"),
];

/// Words about a value: first OpenAI's, Pydantic's (vLLM, SGLang, Mistral) and Serde's (DeepSeek).
const WRONG_VALUE: [&str; 13] = [
    "Supported values are",
    "Input should be",
    "unknown variant",
    "expected one of",
    "literal_error",
    "greater than",
    "less than",
    "must be between",
    "must be one of",
    // Google's, Anthropic's and Bedrock's
    "must be in the range",
    "range: ",
    "is not less",
    "is not greater",
];

/// Parameters by OpenAI's names, by model.
#[derive(Debug, Default)]
pub struct Refused(Mutex<HashMap<String, HashSet<String>>>);

impl Refused {
    /// What a model turned down so far.
    pub fn of(&self, model_key: &str) -> HashSet<String> {
        let refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        refused.get(model_key).cloned().unwrap_or_default()
    }

    /// Remembers that a model turned parameters down.
    pub fn remember(&self, model_key: &str, parameters: &[&str]) {
        if parameters.is_empty() {
            return;
        }
        let mut refused = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = refused.entry(model_key.to_owned()).or_default();
        known.extend(parameters.iter().map(|name| (*name).to_owned()));
    }
}

/// The droppable parameter that a rejection names, if it was sent: in `param`, or where there is none in its message. A
/// message of which `quotes_request` holds names nothing: its words are the request's.
pub fn parameter_named(
    refused: &ProviderError,
    quotes_request: impl Fn(&str) -> bool,
    sent: &Value,
) -> Option<&'static str> {
    let ProviderError::Rejected { message, param, .. } = refused else {
        return None;
    };
    let message = if quotes_request(message) { "" } else { message };
    let param = param.as_deref().map(|path| path.rsplit('.').next().unwrap_or(path));
    // A URL is the caller's, who may write anything into it.
    let message: Vec<_> = message.split(' ').filter(|word| !word.contains("://")).collect();
    let message = message.join(" ");
    // Not left out but renamed: Azure's deployments do not tell by their names which models want the newer one.
    let asks_for_newer = message.contains("'max_completion_tokens'") && param.is_none_or(|param| param == "max_tokens");
    if asks_for_newer && sent.get("max_tokens").is_some() {
        return Some("max_tokens");
    }
    let by_phrase = |name: &str| {
        let mut phrases = PHRASES.iter().filter(|(_, parameter)| *parameter == name);
        phrases.any(|(phrase, _)| message.contains(phrase))
    };
    let by_name = |name: &&str| param.map_or_else(|| names(&message, name), |param| param == *name);
    let sent = || DROPPABLE.iter().filter(|(_, aliases)| is_sent(sent, aliases));
    let found = sent().find(|(name, _)| by_phrase(name));
    found
        .or_else(|| sent().find(|(_, aliases)| aliases.iter().any(by_name)))
        .map(|(name, _)| *name)
}

/// Whether a rejection is about a parameter as such, not about the value that a caller chose: another's may do.
pub fn teaches(refused: &ProviderError) -> bool {
    let ProviderError::Rejected { message, code, .. } = refused else {
        return false;
    };
    let code = code.as_deref().unwrap_or_default();
    let by_code =
        matches!(code, "invalid_value" | "invalid_type") || code.contains("_above_") || code.contains("_below_");
    !by_code
        && !WRONG_VALUE.iter().any(|words| message.contains(words))
        && !["Invalid value", "Invalid type", "Invalid '"]
            .iter()
            .any(|words| message.starts_with(words))
}

/// In quotes, before a colon, or as Bedrock says it ("This model doesn't support the topP field.") and xAI ("Argument not
/// supported on this model: presencePenalty").
fn names(message: &str, name: &str) -> bool {
    ['\'', '"', '`']
        .iter()
        .any(|quote| message.contains(&format!("{quote}{name}{quote}")))
        || message.contains(&format!("{name}:"))
        || ["field", "parameter"]
            .iter()
            .any(|noun| message.contains(&format!("the {name} {noun}")))
        || message.contains(&format!("[{name}]"))
        || message.contains(&format!(".{name}'"))
        || message.contains(&format!("{name} is not supported"))
        || message.contains(&format!("arameter: {name} "))
        || message.starts_with(&format!("{name} is not"))
        || message.ends_with(&format!(": {name}"))
}

/// Whether a request has one of these fields, at its top or within an object there (Google's `generationConfig`,
/// Bedrock's `inferenceConfig`).
fn is_sent(sent: &Value, names: &[&str]) -> bool {
    let has = |object: &Value| names.iter().any(|name| object.get(name).is_some());
    let objects = sent.as_object().into_iter().flat_map(serde_json::Map::values);
    has(sent) || objects.filter(|value| value.is_object()).any(has)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;
    use serde_json::json;

    #[test]
    fn a_wrong_value_teaches_nothing() {
        let teaches = |message: &str, code: Option<&str>| {
            teaches(&ProviderError::Rejected {
                status: StatusCode::BAD_REQUEST,
                message: message.into(),
                param: None,
                code: code.map(str::to_owned),
            })
        };
        for message in [
            "Invalid value: 'bogus'. Supported values are: 'low'.",
            "1 validation error: {'type': 'literal_error', 'loc': ('body', 'reasoning_effort'), 'msg': \"Input should be 'low'\"}",
            "reasoning_effort: unknown variant `none`, expected one of `low`, `high`",
            "* GenerateContentRequest.generation_config.top_p: top_p must be in the range (0.0, 1.0].",
            "temperature: range: 0..1",
            "Malformed input request: #/temperature: 1.0 is not less or equal to 0.9, please reformat your input",
            "random_seed: Input should be greater than or equal to 0",
        ] {
            assert!(!teaches(message, None), "{message}");
        }
        assert!(!teaches("too long", Some("string_above_max_length")));
        for code in [None, Some("unsupported_value"), Some("invalid_request_error")] {
            assert!(teaches("'temperature' is not supported with this model.", code));
        }
        assert!(teaches("Invalid JSON payload received. Unknown name \"seed\".", None));
    }

    #[test]
    fn where_a_rejection_has_a_param_its_message_names_nothing() {
        let sent = json!({"temperature": 1, "top_p": 1, "max_tokens": 5});
        let named = |message: &str, param: Option<&str>| {
            let rejected = ProviderError::Rejected {
                status: StatusCode::BAD_REQUEST,
                message: message.into(),
                param: param.map(str::to_owned),
                code: None,
            };
            parameter_named(&rejected, |_| false, &sent)
        };
        let url = "Error while downloading https://x.invalid/temperature:top_p:'max_completion_tokens'.";
        assert_eq!(named(url, Some("url")), None);
        assert_eq!(named(url, None), None);
        assert_eq!(named("'temperature' and 'top_p'", Some("top_p")), Some("top_p"));
        assert_eq!(
            named("not here", Some("generation_config.temperature")),
            Some("temperature")
        );
        assert_eq!(named("Use 'max_completion_tokens'", Some("messages")), None);
        assert_eq!(
            named("Use 'max_completion_tokens'", Some("max_tokens")),
            Some("max_tokens")
        );
    }

    /// Message, what was sent, and the parameter that it names.
    const REJECTIONS: &[(&str, &str, Option<&str>)] = &[
        (
            "`temperature` is deprecated for this model.",
            r#"{"temperature": 1}"#,
            Some("temperature"),
        ),
        ("`temperature` is deprecated for this model.", "{}", None),
        (
            "This model doesn't support the topP field. Remove topP and try again.",
            r#"{"inferenceConfig": {"topP": 0.5}}"#,
            Some("top_p"),
        ),
        (
            "\"thinking.type.enabled\" is not supported for this model.",
            r#"{"thinking": {"type": "enabled"}}"#,
            Some("reasoning_effort"),
        ),
        (
            "Penalty is not enabled for models/gemini-2.5-pro",
            r#"{"generationConfig": {"frequencyPenalty": 1}}"#,
            Some("frequency_penalty"),
        ),
        (
            "The model returned the following errors: `temperature` and `top_p` cannot both be specified.",
            r#"{"inferenceConfig": {"temperature": 1, "topP": 0.5}}"#,
            Some("top_p"),
        ),
        (
            "Invalid JSON payload received. Unknown name \"seed\" at 'generation_config': Cannot find field.",
            r#"{"generationConfig": {"seed": 1}}"#,
            Some("seed"),
        ),
        (
            "Unsupported parameter: seed is not supported with this model.",
            r#"{"seed": 1}"#,
            Some("seed"),
        ),
        (
            "top_p is not supported with this model.",
            r#"{"top_p": 1}"#,
            Some("top_p"),
        ),
        (
            "This model does not support the effort parameter.",
            r#"{"output_config": {"effort": "low"}}"#,
            Some("reasoning_effort"),
        ),
        (
            "adaptive thinking is not supported on this model",
            r#"{"thinking": {"type": "adaptive"}}"#,
            Some("reasoning_effort"),
        ),
        (
            "Malformed input request: #: extraneous key [temperature] is not permitted, please reformat your input",
            r#"{"inferenceConfig": {"temperature": 1}}"#,
            Some("temperature"),
        ),
        (
            "Invalid value at 'generation_config.seed' (TYPE_INT32), -5",
            r#"{"generationConfig": {"seed": -5}}"#,
            Some("seed"),
        ),
        (
            "Argument not supported on this model: presence_penalty",
            r#"{"presence_penalty": 1}"#,
            Some("presence_penalty"),
        ),
        (
            "messages.0: text is blank, temperature aside",
            r#"{"temperature": 1}"#,
            None,
        ),
    ];

    #[test]
    fn a_rejection_names_what_was_sent() {
        for (message, sent, expected) in REJECTIONS {
            let sent: Value = serde_json::from_str(sent).unwrap();
            let rejected = ProviderError::Rejected {
                status: StatusCode::BAD_REQUEST,
                message: (*message).into(),
                param: None,
                code: None,
            };
            assert_eq!(parameter_named(&rejected, |_| false, &sent), *expected, "{message}");
        }
    }
}
