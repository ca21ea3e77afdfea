//! An assistant's settings: read once, for whoever needs them. Callers get the first problem, owners all of them.

use serde_json::{Map, Value};

pub mod keys;
mod origins;
mod table;
mod words;

use crate::{
    chat::{
        lenient,
        parameters::{Parameter, Parameters},
    },
    error::{Error, Problem},
    limit::{Limit, Limits},
    provider::{self, Model},
};
use keys::{Keys, path};
use table::{ModelChoice, SETTINGS};

pub use table::{Described, described};
pub use words::{code, in_words};

/// The settings that choose the model together.
pub const CHOOSING: [&str; 5] = ["model", "llm_type", "agent_type", "provider", "base_url"];

/// What an assistant is set to.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Settings {
    /// Whether `access_mode` is `public_token`.
    pub is_public: bool,
    /// The origins of the pages that may call it; none is listed where any may.
    pub allowed_origins: Vec<String>,
    /// `None` where none is set.
    pub model: Option<Model>,
    /// The models that are asked in turn where the first one fails.
    pub fallback_models: Vec<Model>,
    /// The system prompt, never blank.
    pub system_message: Option<String>,
    /// Defaults for a request's parameters.
    pub parameters: Parameters,
    /// What callers may use of it.
    pub limits: Limits,
    /// Whether requests are refused where their limits cannot be checked, since the Usage table cannot be reached.
    pub limits_fail_closed: bool,
    /// Whether replies show the model's thinking, as `reasoning_content` (DeepSeek's name for it, which clients know).
    pub show_reasoning: bool,
    /// Whether no response is kept.
    pub refuses_storing: bool,
}

impl Settings {
    /// Reads an assistant's `config`, and says what of it cannot be used. A setting that cannot be read is left out.
    pub fn read(config: &Value) -> (Self, Vec<Problem>) {
        let configurable = config.get("configurable").filter(|map| !map.is_null());
        let (keys, type_problem) = Keys::of(configurable.and_then(Value::as_object));
        let mut problems = Vec::from_iter(type_problem);
        if configurable.is_some_and(|map| !map.is_object()) {
            problems.push(problem("config.configurable", "must be an object"));
        }
        let empty = Map::new();
        let configurable = configurable.and_then(Value::as_object).unwrap_or(&empty);

        let (mut settings, mut choice) = (Self::default(), ModelChoice::default());
        for setting in &SETTINGS {
            if let Some((key, value)) = keys.find(configurable, setting.name)
                && let Err(message) = (setting.read)(value, &mut settings, &mut choice)
            {
                problems.push(problem(path(key), message));
            }
        }
        for parameter in Parameter::ALL {
            for name in [Some(parameter.name()), parameter.newer_name()].into_iter().flatten() {
                if let Some((key, value)) = keys.find(configurable, name)
                    && let Err(error) = settings.parameters.set(parameter, name, value)
                {
                    problems.push(problem(path(key), unusable(parameter, &error)));
                }
            }
        }
        for limit in Limit::ALL {
            if let Some((key, value)) = keys.find(configurable, limit.name()) {
                match read_limit(value) {
                    Ok(None) => {}
                    Ok(Some(value)) => settings.limits.set(limit, value, limit.name()),
                    Err(message) => problems.push(problem(path(key), message)),
                }
            }
        }
        settings.read_beside(config, &mut choice, &mut problems);
        if let Some((key, model)) = choice.configured(keys, configurable) {
            match provider::choose(model, choice.provider, choice.base_url.clone()) {
                Ok(model) => settings.model = Some(choice.refine(model)),
                Err(message) => problems.push(problem(key, message)),
            }
        }
        settings.ask_each_model_once();
        (settings, problems)
    }

    /// Drops the fallbacks that are the first model or another fallback once more: asked again, they would fail again.
    fn ask_each_model_once(&mut self) {
        let mut asked: Vec<_> = self.model.iter().cloned().collect();
        self.fallback_models.retain(|model| {
            let is_new = !asked
                .iter()
                .any(|one| one.name == model.name && one.server == model.server);
            asked.extend(is_new.then(|| model.clone()));
            is_new
        });
    }

    /// What may stand in `config` itself, for assistants that were made by older tools.
    fn read_beside(&mut self, config: &Value, choice: &mut ModelChoice, problems: &mut Vec<Problem>) {
        for name in ["model", "instructions"] {
            match config.get(name) {
                None | Some(Value::Null) => {}
                Some(Value::String(text)) if text.trim().is_empty() => {}
                Some(Value::String(text)) if name == "model" => choice.beside = Some(text.trim().to_owned()),
                Some(Value::String(text)) => {
                    self.system_message.get_or_insert_with(|| text.clone());
                }
                Some(_) => problems.push(problem(format!("config.{name}"), "must be a string")),
            }
        }
    }
}

/// A whole number above 0, or a string that spells one; blanks set nothing.
fn read_limit(value: &Value) -> Result<Option<u64>, String> {
    if lenient::is_unset(value) {
        return Ok(None);
    }
    let number = lenient::integer(value, "")
        .ok()
        .filter(|number| (1..=Limit::MAX).contains(number));
    let number = number.and_then(|number| u64::try_from(number).ok());
    number.map(Some).ok_or_else(|| "must be a whole number above 0".into())
}

/// A JSON Schema (draft 2020-12) of `config.configurable`, without the prefixes of types.
pub fn schema() -> Value {
    let mut properties = Map::new();
    for Described {
        name,
        about,
        mut schema,
    } in described()
    {
        schema["description"] = about.into();
        properties.insert(name.to_owned(), schema);
    }
    serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "An assistant's settings",
        "description": "A name may stand bare or behind the prefix of the assistant's type, as in `type==agent/model`; the \
                        prefixed one wins.",
        "type": "object",
        "properties": properties,
    })
}

fn problem(param: impl Into<String>, message: impl Into<String>) -> Problem {
    Problem {
        param: param.into(),
        message: message.into(),
    }
}

/// What is wrong with a parameter's value, to stand behind the setting's name. Where the schema says all that a value has to be,
/// so does the problem.
fn unusable(parameter: Parameter, error: &Error) -> String {
    let schema = parameter.schema();
    if matches!(schema["type"].as_str(), Some("number" | "integer" | "boolean")) {
        return format!("must be {}", in_words(&schema));
    }
    format!("cannot be used: {}", error.to_string().trim_end_matches('.'))
}

#[cfg(test)]
mod tests;
