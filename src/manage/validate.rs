//! What an owner may set: every known key is checked, and all that is wrong is said at once. Unknown keys are kept.

use serde_json::{Map, Value, json};
use url::Url;

use crate::{
    assistant::{Assistant, Record, settings},
    chat::parameters::Parameters,
    error::Error,
    guard,
    provider::{self, Provider, capabilities::Overrides},
};

/// What is wrong, by key.
#[derive(Debug, Default)]
pub struct Problems(Vec<(String, String)>);

impl Problems {
    /// Adds `key` and what is wrong with it, e.g. "must be a string".
    pub fn add(&mut self, key: &str, problem: impl Into<String>) {
        self.0.push((key.to_owned(), problem.into()));
    }

    /// # Errors
    /// A 400 that names all of them; `param` is the first key.
    pub fn into_result(self) -> Result<(), Error> {
        let Some((first, _)) = self.0.first() else {
            return Ok(());
        };
        let all: Vec<_> = self
            .0
            .iter()
            .map(|(key, problem)| format!("`{key}` {problem}"))
            .collect();
        Err(Error::invalid_with_code(
            first.clone(),
            "invalid_value",
            format!("{}.", all.join("; ")),
        ))
    }
}

/// Checks a patch's config; `null` deletes a key and is always right.
pub fn config(config: &Value, allow_private_providers: bool, problems: &mut Problems) {
    for key in ["model", "instructions"] {
        if config
            .get(key)
            .is_some_and(|value| !value.is_string() && !value.is_null())
        {
            problems.add(&format!("config.{key}"), "must be a string");
        }
    }
    if config.get("public_token").is_some_and(|token| !token.is_null()) {
        problems.add("config.public_token", "must stand in `config.configurable`");
    }
    match config.get("configurable") {
        None | Some(Value::Null) => {}
        Some(Value::Object(configurable)) => check_settings(configurable, allow_private_providers, problems),
        Some(_) => problems.add("config.configurable", "must be an object"),
    }
}

fn check_settings(configurable: &Map<String, Value>, allow_private_providers: bool, problems: &mut Problems) {
    for (key, value) in configurable.iter().filter(|(_, value)| !value.is_null()) {
        let name = settings::bare(key);
        let problem = match name {
            // Its own spellings are taken out before: whatever else looks like it would be stored as it is.
            name if name.ends_with("public_token") => {
                Some("is no setting: write `type==agent/public_token` or `public_token`".into())
            }
            "access_mode" => one_of(value, &["public_token", "authenticated"]),
            "provider" => one_of(value, &Provider::ALL.map(Provider::name)),
            "base_url" => base_url(value, allow_private_providers),
            "allowed_origins" => origins(value),
            "model" | "llm_type" | "agent_type" => non_blank(value),
            "system_message" => value.as_str().map_or(Some("must be a string".into()), |_| None),
            "fallback_models" => fallback_models(value),
            "capabilities" => Overrides::read(value)
                .err()
                .map(|problem| format!("cannot be used: {problem}")),
            "streaming" | "reasoning_content" => value.as_bool().map_or(Some("must be true or false".into()), |_| None),
            name => Parameters::read(|known| (known == name).then_some(value))
                .err()
                .map(|error| {
                    let text = error.to_string();
                    format!("cannot be used: {}", text.trim_end_matches('.'))
                }),
        };
        if let Some(problem) = problem {
            problems.add(&format!("config.configurable.{key}"), problem);
        }
    }
}

fn fallback_models(value: &Value) -> Option<String> {
    let Some(names) = value.as_array() else {
        return Some("must be a list of models' names such as [\"mistral/mistral-large-latest\"]".into());
    };
    names.iter().find_map(|name| match name.as_str().map(str::trim) {
        Some(name) if !name.is_empty() => provider::choose(name, None, None).err().map(|error| {
            let text = error.to_string();
            format!("cannot be used: {}", text.trim_end_matches('.'))
        }),
        _ => Some("must hold nothing but names that are not blank".into()),
    })
}

fn one_of(value: &Value, allowed: &[&str]) -> Option<String> {
    let known = value.as_str().is_some_and(|value| allowed.contains(&value));
    (!known).then(|| format!("must be one of {}", allowed.join(", ")))
}

fn non_blank(value: &Value) -> Option<String> {
    let fine = value.as_str().is_some_and(|text| !text.trim().is_empty());
    (!fine).then(|| "must be a string that is not blank".into())
}

fn base_url(value: &Value, allow_private_providers: bool) -> Option<String> {
    let url = value.as_str().and_then(|url| Url::parse(url).ok());
    let fine = url.is_some_and(|url| {
        let plain = matches!(url.scheme(), "http" | "https") && url.has_host();
        let is_base = url.query().is_none() && url.fragment().is_none();
        plain && is_base && (allow_private_providers || guard::allows(&url))
    });
    (!fine).then(|| "must be an https URL at a public address, without a query, e.g. https://llm.example.com/v1".into())
}

fn origins(value: &Value) -> Option<String> {
    let is_origin = |value: &Value| {
        let url = value.as_str().and_then(|text| Some((text, Url::parse(text).ok()?)));
        url.is_some_and(|(text, url)| {
            matches!(url.scheme(), "http" | "https")
                && url
                    .origin()
                    .ascii_serialization()
                    .eq_ignore_ascii_case(text.trim_end_matches('/'))
        })
    };
    let fine = value.as_array().is_some_and(|origins| origins.iter().all(is_origin));
    (!fine).then(|| "must be a list of origins such as https://shop.example".into())
}

/// Where a patch touches what chooses the model, the whole must choose one.
///
/// # Errors
/// A 400 that says why none can be chosen.
pub fn model(config: &Value, patch: &Value) -> Result<(), Error> {
    const CHOOSING: [&str; 5] = ["model", "llm_type", "agent_type", "provider", "base_url"];
    let touched = CHOOSING.into_iter().find(|name| settings::get(patch, name).is_some());
    let configured = ["model", "llm_type"]
        .iter()
        .any(|name| settings::get(config, name).is_some());
    let Some(touched) = touched.filter(|_| configured) else {
        return Ok(());
    };
    let record = Record {
        config: json!(config),
        ..Record::default()
    };
    match Assistant::new(record).model() {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::invalid_with_code(
            format!("config.configurable.{touched}"),
            "invalid_value",
            error.to_string(),
        )),
    }
}
