//! What an owner may set: all that is wrong with a patch is said at once. Unknown keys are kept.

use serde_json::{Map, Value};
use url::Url;

use crate::{
    assistant::settings::{
        CHOOSING, Settings,
        keys::{Keys, TYPE, bare, path},
    },
    config::Rules,
    error::Problem,
    guard,
    limit::Limit,
};

/// What is wrong with a config because of what the patch wrote into it. What was wrong before stays the owner's: a change
/// of something else is not refused for it.
pub(super) fn problems(config: &Value, patch: &Value, keys: Keys, rules: &Rules) -> Vec<Problem> {
    let nothing = Map::new();
    let written = patch["configurable"].as_object().unwrap_or(&nothing);
    let (settings, mut problems) = Settings::read(config);
    let configurable = config["configurable"].as_object().unwrap_or(&nothing);
    if let Some((key, url)) = keys.find(configurable, "base_url")
        && !rules.allow_private_providers
        && is_private(url)
    {
        problems.push(Problem {
            param: path(key),
            message: "must be an https URL at a public address, e.g. https://llm.example.com/v1".into(),
        });
    }
    problems.extend(above_ceilings(&settings, configurable, keys, rules));
    problems.retain(|problem| is_touched(&problem.param, patch, written, keys));
    problems.extend(stray_tokens(patch, keys));
    problems.extend(empty_name(patch).then(|| Problem {
        param: "config".into(),
        message: "has a setting with an empty name".into(),
    }));
    problems
}

/// The limits that are higher than the operator allows.
fn above_ceilings(settings: &Settings, configurable: &Map<String, Value>, keys: Keys, rules: &Rules) -> Vec<Problem> {
    let above = Limit::ALL.into_iter().filter_map(|limit| {
        let ceiling = rules.ceilings.get(limit)?;
        let is_above = settings.limits.get(limit)?.value > ceiling.value;
        let (key, _) = keys.find(configurable, limit.name())?;
        is_above.then(|| Problem {
            param: path(key),
            message: format!("must be at most {}, which the operator allows", ceiling.value),
        })
    });
    above.collect()
}

/// What is no URL has a problem of its own.
fn is_private(url: &Value) -> bool {
    let url = url.as_str().and_then(|url| Url::parse(url.trim()).ok());
    url.is_some_and(|url| !guard::allows(&url))
}

/// Whether the patch wrote the setting of this path, or one that decides what it means.
fn is_touched(param: &str, patch: &Value, written: &Map<String, Value>, keys: Keys) -> bool {
    let writes = |name: &str| keys.spellings(name).any(|key| written.contains_key(&key));
    let Some(key) = param.strip_prefix("config.configurable.") else {
        return patch.get(param.trim_start_matches("config.")).is_some();
    };
    let name = bare(key);
    let chooses = CHOOSING.contains(&name) && (CHOOSING.into_iter().any(writes) || patch.get("model").is_some());
    writes(name) || chooses || written.contains_key(TYPE)
}

/// Whatever else looks like the token would be stored as it is, however it is spelled and wherever it stands.
fn stray_tokens(patch: &Value, keys: Keys) -> Vec<Problem> {
    let own = keys.written("public_token");
    let mut strays = Vec::new();
    for (name, value) in patch.as_object().into_iter().flatten() {
        let settings = value.as_object().filter(|_| name == "configurable");
        let Some(settings) = settings else {
            find_tokens("config", name, value, &mut strays);
            continue;
        };
        for (key, value) in settings {
            if !keys.spellings("public_token").any(|own| own == *key) {
                find_tokens("config.configurable", key, value, &mut strays);
            }
        }
    }
    let problem = |param| Problem {
        param,
        message: format!("is no setting of this assistant: write `{own}` or `public_token` in `config.configurable`"),
    };
    strays.into_iter().map(problem).collect()
}

/// The paths of fields that look like the token, at any depth. `parent` is the path of the object that holds this one.
fn find_tokens(parent: &str, key: &str, value: &Value, found: &mut Vec<String>) {
    if value.is_null() {
        return;
    }
    let path = format!("{parent}.{key}");
    let letters: String = key.chars().filter(char::is_ascii_alphabetic).collect();
    if letters.to_ascii_lowercase().contains("publictoken") {
        found.push(path);
        return;
    }
    find_tokens_in(&path, value, found);
}

fn find_tokens_in(path: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(fields) => fields
            .iter()
            .for_each(|(key, value)| find_tokens(path, key, value, found)),
        Value::Array(values) => values.iter().for_each(|value| find_tokens_in(path, value, found)),
        _ => {}
    }
}

/// `DynamoDB` takes no attribute without a name, at any depth.
fn empty_name(value: &Value) -> bool {
    match value {
        Value::Object(map) => map
            .iter()
            .any(|(name, value)| !value.is_null() && (name.is_empty() || empty_name(value))),
        Value::Array(values) => values.iter().any(empty_name),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
