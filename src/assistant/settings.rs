//! Settings by name within `config.configurable`, where a key may stand bare or behind the prefix of a type.

use serde_json::{Map, Value, json};

/// The prefix type where `configurable.type` does not say another.
const DEFAULT_TYPE: &str = "agent";
/// All prefix types that are in use.
const TYPES: [&str; 3] = [DEFAULT_TYPE, "chatbot", "chat_retrieval"];

/// A setting; the key prefixed with the assistant's own type wins, then the other types' keys, then the bare one.
/// `null` counts as unset.
pub fn get<'a>(config: &'a Value, name: &str) -> Option<&'a Value> {
    let configurable = config.get("configurable")?.as_object()?;
    keys(configurable, name)
        .into_iter()
        .find_map(|key| configurable.get(&key).filter(|value| !value.is_null()))
}

/// Writes a setting behind the prefix of the assistant's type, or removes it, and removes every other key for it.
pub fn set(config: &mut Value, name: &str, value: Option<Value>) {
    if !config["configurable"].is_object() {
        *config = json!({"configurable": {}});
    }
    let Some(configurable) = config["configurable"].as_object_mut() else {
        return;
    };
    let keys = keys(configurable, name);
    for key in &keys {
        configurable.shift_remove(key);
    }
    if let (Some(value), Some(key)) = (value, keys.into_iter().next()) {
        configurable.insert(key, value);
    }
}

/// A key without the prefix of a type.
pub fn bare(key: &str) -> &str {
    let unprefixed = key.strip_prefix("type==").and_then(|rest| rest.split_once('/'));
    match unprefixed {
        Some((kind, name)) if TYPES.contains(&kind) => name,
        _ => key,
    }
}

/// The keys that a setting may stand under, the winning one first.
pub fn keys(configurable: &Map<String, Value>, name: &str) -> Vec<String> {
    let own_type = configurable.get("type").and_then(Value::as_str).unwrap_or(DEFAULT_TYPE);
    let others = TYPES.into_iter().filter(|kind| *kind != own_type);
    let mut keys: Vec<_> = std::iter::once(own_type)
        .chain(others)
        .map(|kind| format!("type=={kind}/{name}"))
        .collect();
    keys.push(name.to_owned());
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_replaces_every_key_of_the_setting() {
        let mut config = json!({"configurable": {"model": "gpt-4", "type==chatbot/model": "gpt-4", "top_p": 1}});
        set(&mut config, "model", Some(json!("gpt-4o")));
        assert_eq!(
            config,
            json!({"configurable": {"top_p": 1, "type==agent/model": "gpt-4o"}})
        );
        set(&mut config, "model", None);
        assert_eq!(get(&config, "model"), None);

        let mut config = json!({"configurable": {"type": "chatbot"}});
        set(&mut config, "model", Some(json!("gpt-4o")));
        assert_eq!(config["configurable"]["type==chatbot/model"], "gpt-4o");
        let mut nothing = Value::Null;
        set(&mut nothing, "model", Some(json!("gpt-4o")));
        assert_eq!(get(&nothing, "model"), Some(&json!("gpt-4o")));
    }
}
