//! Settings by name within `config.configurable`, where a key may stand bare or behind the prefix of a type.

use serde_json::{Map, Value};

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
    let own_type = configurable.get("type").and_then(Value::as_str);
    let own_type = own_type.filter(|kind| TYPES.contains(kind)).unwrap_or(DEFAULT_TYPE);
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
    use serde_json::json;

    #[test]
    fn the_assistants_own_type_wins_then_the_others_then_the_bare_key() {
        let config = |settings: Value| json!({"configurable": settings});
        for (settings, expected) in [
            (
                json!({"model": "bare", "type==chatbot/model": "chatbot", "type==agent/model": "agent"}),
                json!("agent"),
            ),
            (
                json!({"type": "chatbot", "type==chatbot/model": "chatbot", "type==agent/model": "agent"}),
                json!("chatbot"),
            ),
            (
                json!({"model": "bare", "type==chat_retrieval/model": "retrieval"}),
                json!("retrieval"),
            ),
            (json!({"model": "bare", "type==agent/model": null}), json!("bare")),
        ] {
            assert_eq!(get(&config(settings.clone()), "model"), Some(&expected), "{settings}");
        }
        assert_eq!(get(&Value::Null, "model"), None);
    }

    #[test]
    fn only_a_types_prefix_is_taken_off() {
        assert_eq!(bare("type==chat_retrieval/model"), "model");
        assert_eq!(bare("model"), "model");
        assert_eq!(bare("type==other/model"), "type==other/model");
    }
}
