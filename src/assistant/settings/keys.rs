//! Where a setting stands in `config.configurable`: behind the prefix of the assistant's own type, else bare. Keys with
//! another type's prefix mean nothing.

use serde_json::{Map, Value};

use crate::error::Problem;

/// The types of assistants. The first one is an assistant's where `configurable.type` names none.
pub const TYPES: [&str; 3] = ["agent", "chatbot", "chat_retrieval"];
/// The setting that names the type. It has no prefix itself.
pub const TYPE: &str = "type";

/// The keys of an assistant's `configurable`.
#[derive(Debug, Clone, Copy)]
pub struct Keys {
    /// `None` where `type` cannot be read: no prefix counts then.
    own_type: Option<&'static str>,
}

impl Keys {
    /// The keys that count, by the setting `type`.
    ///
    /// # Errors
    /// What is wrong with `type`; bare keys count then.
    pub fn of(configurable: Option<&Map<String, Value>>) -> (Self, Option<Problem>) {
        let named = configurable
            .and_then(|configurable| configurable.get(TYPE))
            .filter(|named| !named.is_null());
        let own_type = match named {
            None => Some(TYPES[0]),
            Some(named) => TYPES.into_iter().find(|known| named == known),
        };
        let problem = own_type.is_none().then(|| Problem {
            param: path(TYPE),
            message: format!("must be one of {}", TYPES.join(", ")),
        });
        (Self { own_type }, problem)
    }

    /// The keys that a setting may stand under, the winning one first.
    pub fn spellings(self, name: &str) -> impl Iterator<Item = String> {
        let prefixed = self.own_type.map(|own_type| format!("type=={own_type}/{name}"));
        prefixed.into_iter().chain([name.to_owned()])
    }

    /// A setting's key and value; `null` counts as unset.
    pub fn find<'a>(self, configurable: &'a Map<String, Value>, name: &str) -> Option<(&'a str, &'a Value)> {
        self.spellings(name)
            .filter_map(|key| configurable.get_key_value(&key))
            .find(|(_, value)| !value.is_null())
            .map(|(key, value)| (key.as_str(), value))
    }

    /// The setting that stands under a key, `None` where the key has another type's prefix.
    pub fn name_of(self, key: &str) -> Option<&str> {
        match split(key) {
            Some((kind, name)) => (Some(kind) == self.own_type).then_some(name),
            None => Some(key),
        }
    }

    /// The key that a setting is written under.
    pub fn written(self, name: &str) -> String {
        match self.own_type {
            Some(own_type) if name != TYPE => format!("type=={own_type}/{name}"),
            _ => name.to_owned(),
        }
    }
}

/// A key without the prefix of a type.
pub fn bare(key: &str) -> &str {
    split(key).map_or(key, |(_, name)| name)
}

/// The path of a key in an assistant's representation.
pub fn path(key: &str) -> String {
    format!("config.configurable.{key}")
}

fn split(key: &str) -> Option<(&str, &str)> {
    let (kind, name) = key.strip_prefix("type==")?.split_once('/')?;
    TYPES.contains(&kind).then_some((kind, name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_own_types_key_wins_then_the_bare_one_and_nothing_else() {
        for (configurable, expected) in [
            (
                json!({"model": "bare", "type==chatbot/model": "chatbot", "type==agent/model": "agent"}),
                Some("agent"),
            ),
            (
                json!({"type": "chatbot", "type==chatbot/model": "chatbot", "type==agent/model": "agent"}),
                Some("chatbot"),
            ),
            (
                json!({"model": "bare", "type==chat_retrieval/model": "other"}),
                Some("bare"),
            ),
            (json!({"model": "bare", "type==agent/model": null}), Some("bare")),
            (json!({"type": null, "type==agent/model": "agent"}), Some("agent")),
            (json!({"type==chatbot/model": "other"}), None),
            (json!({"type": "unknown", "type==agent/model": "agent"}), None),
            (json!({"type": "unknown", "model": "bare"}), Some("bare")),
        ] {
            let map = configurable.as_object();
            let found = Keys::of(map).0.find(map.unwrap(), "model");
            assert_eq!(found.and_then(|(_, value)| value.as_str()), expected, "{configurable}");
        }
    }

    #[test]
    fn a_type_that_is_not_known_is_a_problem() {
        for (named, is_problem) in [
            (json!("agent"), false),
            (json!("chat_retrieval"), false),
            (json!(null), false),
            (json!("Agent"), true),
            (json!(""), true),
            (json!(["agent"]), true),
        ] {
            let configurable = json!({"type": named});
            assert_eq!(Keys::of(configurable.as_object()).1.is_some(), is_problem, "{named}");
        }
    }

    #[test]
    fn keys_are_named_and_written_by_the_own_type() {
        let chatbot = json!({"type": "chatbot"});
        let keys = Keys::of(chatbot.as_object()).0;
        assert_eq!(keys.name_of("type==chatbot/model"), Some("model"));
        assert_eq!(keys.name_of("model"), Some("model"));
        assert_eq!(keys.name_of("type==agent/model"), None);
        assert_eq!(keys.name_of("type==other/model"), Some("type==other/model"));
        assert_eq!(keys.written("model"), "type==chatbot/model");
        assert_eq!(keys.written("type"), "type");
        assert_eq!(bare("type==chat_retrieval/model"), "model");
    }
}
