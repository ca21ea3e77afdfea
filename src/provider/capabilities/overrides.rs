//! An assistant's setting `capabilities`.

use serde_json::{Value, json};

use super::{Capabilities, Sampling, Thinking};
use crate::chat::parameters::{Parameter, ParameterSet};

/// What an owner knows better of a model than the tables: the setting `capabilities`, an object with any of its fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Overrides {
    sampling: Option<Sampling>,
    thinking: Option<Thinking>,
    json_schema: Option<bool>,
    system: Option<bool>,
    image_urls: Option<bool>,
    max_output: Option<u64>,
}

const SAMPLING: [(&str, Sampling); 3] = [
    ("both", Sampling::Both),
    ("one", Sampling::One),
    ("none", Sampling::None),
];
const THINKING: [(&str, Thinking); 3] = [
    ("none", Thinking::None),
    ("budget", Thinking::Budget),
    ("effort", Thinking::Effort),
];

impl Overrides {
    /// Reads the setting; a field that is null is not set.
    ///
    /// # Errors
    /// What is wrong and what it must be, naming the field, to stand after the setting's name.
    pub fn read(setting: &Value) -> Result<Self, String> {
        let fields = setting.as_object().ok_or_else(|| {
            "it must be an object with any of `sampling`, `thinking`, `json_schema`, `system`, `image_urls` and `max_output`"
                .to_owned()
        })?;
        let mut overrides = Self::default();
        for (name, value) in fields {
            match name.as_str() {
                "sampling" => overrides.sampling = word(name, value, &SAMPLING)?,
                "thinking" => overrides.thinking = word(name, value, &THINKING)?,
                "json_schema" => overrides.json_schema = boolean(name, value)?,
                "system" => overrides.system = boolean(name, value)?,
                "image_urls" => overrides.image_urls = boolean(name, value)?,
                "max_output" => overrides.max_output = tokens(name, value)?,
                unknown => {
                    return Err(format!(
                        "it has no field `{unknown}`: use any of `sampling`, `thinking`, `json_schema`, `system`, \
                         `image_urls` and `max_output`"
                    ));
                }
            }
        }
        Ok(overrides)
    }

    /// A JSON Schema of the setting.
    pub fn schema() -> Value {
        let words = |words: Vec<&str>, about: &str| json!({"type": "string", "enum": words, "description": about});
        let boolean = |about: &str| json!({"type": "boolean", "description": about});
        json!({
            "type": "object",
            "additionalProperties": false,
            "properties": {
                "sampling": words(SAMPLING.map(|(word, _)| word).to_vec(),
                    "Which of `temperature` and `top_p` the model takes: both, one at a time, or none."),
                "thinking": words(THINKING.map(|(word, _)| word).to_vec(),
                    "How `reasoning_effort` is passed on: not at all, as a number of tokens, or as a level."),
                "json_schema": boolean("Whether the model takes a `response_format` with a JSON Schema."),
                "system": boolean("Whether the model takes a system prompt."),
                "image_urls": boolean("Whether the model fetches images from https URLs itself."),
                "max_output": {"type": "integer", "minimum": 1, "description": "The most tokens that one answer can have."},
            },
        })
    }

    /// Whether a parameter of OpenAI's is taken, where the setting says so.
    fn accepts(self, parameter: Parameter) -> Option<bool> {
        match parameter {
            Parameter::Temperature | Parameter::TopP | Parameter::PresencePenalty | Parameter::FrequencyPenalty => {
                self.sampling.map(|sampling| sampling != Sampling::None)
            }
            Parameter::ReasoningEffort => self.thinking.map(|thinking| thinking != Thinking::None),
            Parameter::ResponseFormat => self.json_schema,
            Parameter::MaxTokens
            | Parameter::Seed
            | Parameter::Stop
            | Parameter::Verbosity
            | Parameter::User
            | Parameter::SafetyIdentifier
            | Parameter::PromptCacheKey
            | Parameter::LogitBias
            | Parameter::Logprobs
            | Parameter::TopLogprobs => None,
        }
    }

    /// What the tables know, with what the setting says in its place.
    pub(super) fn over(self, known: Capabilities) -> Capabilities {
        let mut accepts = known.accepts;
        for parameter in Parameter::ALL {
            match self.accepts(parameter) {
                Some(true) => _ = accepts.insert(parameter),
                Some(false) => accepts = accepts.without(ParameterSet::of(&[parameter])),
                None => {}
            }
        }
        Capabilities {
            accepts,
            sampling: self.sampling.unwrap_or(known.sampling),
            thinking: self.thinking.unwrap_or(known.thinking),
            json_schema: self.json_schema.unwrap_or(known.json_schema),
            system: self.system.unwrap_or(known.system),
            image_urls: self.image_urls.unwrap_or(known.image_urls),
            max_output: self.max_output.or(known.max_output),
            ..known
        }
    }
}

fn word<T: Copy>(name: &str, value: &Value, words: &[(&str, T)]) -> Result<Option<T>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let found = value
        .as_str()
        .and_then(|text| words.iter().find(|(word, _)| *word == text));
    let found = found.ok_or_else(|| {
        let words: Vec<_> = words.iter().map(|(word, _)| format!("`{word}`")).collect();
        format!("its `{name}` must be one of {}", words.join(", "))
    })?;
    Ok(Some(found.1))
}

fn boolean(name: &str, value: &Value) -> Result<Option<bool>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Bool(value) => Ok(Some(*value)),
        _ => Err(format!("its `{name}` must be true or false")),
    }
}

fn tokens(name: &str, value: &Value) -> Result<Option<u64>, String> {
    if value.is_null() {
        return Ok(None);
    }
    let tokens = value.as_u64().filter(|tokens| *tokens >= 1);
    tokens
        .map(Some)
        .ok_or_else(|| format!("its `{name}` must be a number of tokens, an integer from 1 on"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_read() {
        let setting = json!({"sampling": "one", "thinking": "effort", "json_schema": true, "system": false,
            "image_urls": null, "max_output": 4096});
        let expected = Overrides {
            sampling: Some(Sampling::One),
            thinking: Some(Thinking::Effort),
            json_schema: Some(true),
            system: Some(false),
            image_urls: None,
            max_output: Some(4096),
        };
        assert_eq!(Overrides::read(&setting), Ok(expected));
        assert_eq!(Overrides::read(&json!({})), Ok(Overrides::default()));
        let fields = Overrides::schema()["properties"].as_object().unwrap().clone();
        assert!(fields.keys().eq(setting.as_object().unwrap().keys()));
    }

    #[test]
    fn what_is_wrong_is_said_with_the_fields_name() {
        for (setting, problem) in [
            (json!({"samplings": "none"}), "it has no field `samplings`"),
            (
                json!({"sampling": "some"}),
                "its `sampling` must be one of `both`, `one`, `none`",
            ),
            (
                json!({"thinking": true}),
                "its `thinking` must be one of `none`, `budget`, `effort`",
            ),
            (
                json!({"json_schema": "true"}),
                "its `json_schema` must be true or false",
            ),
            (json!({"max_output": 0}), "its `max_output` must be a number of tokens"),
            (
                json!({"max_output": 1.5}),
                "its `max_output` must be a number of tokens",
            ),
            (json!("none"), "it must be an object with any of `sampling`"),
            (json!([]), "it must be an object"),
        ] {
            let message = Overrides::read(&setting).unwrap_err();
            assert!(message.starts_with(problem), "{setting}: {message}");
        }
    }
}
