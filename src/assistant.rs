//! An assistant: what its item in the store says, resolved to what a request needs.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

pub mod settings;
pub mod store;

use crate::{
    chat::{
        message::{Message, Role},
        parameters::Parameters,
        prompt::Prompt,
    },
    error::Error,
    provider::{self, Model, capabilities::Overrides},
};

/// An item of the Assistants table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// UUID.
    pub assistant_id: String,
    /// Who may manage it.
    #[serde(default)]
    pub owner_id: String,
    /// For its owner.
    #[serde(default)]
    pub name: String,
    /// Digest of its public token, absent without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_digest: Option<String>,
    /// Last four characters of the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_hint: Option<String>,
    /// `{"configurable": {…}}`.
    #[serde(default)]
    pub config: Value,
    /// One more with each write.
    #[serde(default)]
    pub version: u64,
    /// One more each time that its public token is revoked: grace periods that began before are over.
    #[serde(default)]
    pub revocations: u64,
    /// RFC 3339.
    #[serde(default)]
    pub created_at: String,
    /// RFC 3339.
    #[serde(default)]
    pub updated_at: String,
}

/// A record whose settings are looked up by name.
#[derive(Debug, Clone)]
pub struct Assistant {
    record: Record,
}

impl Assistant {
    /// Wraps a record.
    pub fn new(record: Record) -> Self {
        Self { record }
    }

    /// As it is stored.
    pub fn record(&self) -> &Record {
        &self.record
    }

    /// UUID.
    pub fn id(&self) -> &str {
        &self.record.assistant_id
    }

    /// Seconds since the epoch, 0 where the record does not say.
    pub fn created(&self) -> i64 {
        use time::{OffsetDateTime, format_description::well_known::Rfc3339};
        OffsetDateTime::parse(&self.record.created_at, &Rfc3339).map_or(0, OffsetDateTime::unix_timestamp)
    }

    /// Whether the assistant may be called with its token, from the page that the request says it comes from.
    ///
    /// # Errors
    /// [`Error::AccessDisabled`] for any `access_mode` but `public_token`; [`Error::OriginNotAllowed`].
    pub fn check_access(&self, origin: Option<&str>) -> Result<(), Error> {
        if self.setting("access_mode").is_none_or(|mode| mode != "public_token") {
            return Err(Error::AccessDisabled);
        }
        let (Some(origin), Some(allowed)) = (origin, self.setting("allowed_origins")) else {
            return Ok(());
        };
        // Anything but a list of strings allows no page: unknown values fail closed.
        let same = |entry: &Value| {
            entry
                .as_str()
                .is_some_and(|entry| entry.trim_end_matches('/').eq_ignore_ascii_case(origin))
        };
        match allowed.as_array() {
            Some(entries) if entries.is_empty() || entries.iter().any(same) => Ok(()),
            _ => Err(Error::OriginNotAllowed),
        }
    }

    /// The model that answers.
    ///
    /// # Errors
    /// [`Error::Misconfigured`] naming the setting.
    pub fn model(&self) -> Result<Model, Error> {
        let configured = self
            .text("model")
            .or_else(|| self.text("llm_type"))
            .or_else(|| non_blank(self.record.config.get("model")?))
            .or_else(|| self.text("agent_type").filter(|name| *name != "agent"))
            .ok_or_else(|| Error::Misconfigured("no model is set. Set `model` in its `config.configurable`.".into()))?;
        let mut model = provider::choose(
            configured,
            self.required_text("provider")?,
            self.required_text("base_url")?,
        )?;
        model.streams = self
            .setting("streaming")
            .is_none_or(|streaming| streaming != &Value::Bool(false));
        model.overrides = self
            .setting("capabilities")
            .map_or(Ok(Overrides::default()), |better| {
                Overrides::read(better)
                    .map_err(|problem| Error::Misconfigured(format!("its `capabilities` cannot be used: {problem}.")))
            })?;
        Ok(model)
    }

    /// The models that answer where [`Assistant::model`] fails before its first text, in their order.
    ///
    /// # Errors
    /// [`Error::Misconfigured`] naming the setting.
    pub fn fallback_models(&self) -> Result<Vec<Model>, Error> {
        let Some(names) = self.setting("fallback_models") else {
            return Ok(Vec::new());
        };
        let malformed = || Error::Misconfigured("`fallback_models` must be a list of models' names.".into());
        let names = names.as_array().ok_or_else(malformed)?;
        names
            .iter()
            .map(|name| provider::choose(non_blank(name).ok_or_else(malformed)?, None, None))
            .collect()
    }

    /// What its models are asked: its own system message, which always comes first and is never replaced, then the
    /// client's messages, with the request's parameters or else its own.
    ///
    /// # Errors
    /// [`Error::Misconfigured`] where a setting cannot be used; a 400 where the parameters do not go together.
    pub fn prompt(&self, messages: Vec<Message>, parameters: Parameters) -> Result<Prompt, Error> {
        let system = self.system_message().map(|text| Message::text(Role::System, text));
        Ok(Prompt {
            messages: Arc::new(system.into_iter().chain(messages).collect()),
            parameters: parameters.or(self.parameters()?)?,
            show_reasoning: self.shows_reasoning(),
        })
    }

    /// Whether replies show the model's thinking, as `reasoning_content` (DeepSeek's name for it, which clients know).
    fn shows_reasoning(&self) -> bool {
        self.setting("reasoning_content") == Some(&Value::Bool(true))
    }

    /// The system prompt.
    fn system_message(&self) -> Option<String> {
        let written = |value: &'_ Value| value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned);
        self.setting("system_message")
            .and_then(written)
            .or_else(|| written(self.record.config.get("instructions")?))
    }

    /// Defaults for a request's parameters.
    ///
    /// # Errors
    /// [`Error::Misconfigured`] naming a setting that is out of range or of the wrong type.
    fn parameters(&self) -> Result<Parameters, Error> {
        Parameters::read(|name| self.setting(name))
            .map_err(|error| Error::Misconfigured(format!("its default parameters cannot be used. {error}")))
    }

    fn setting(&self, name: &str) -> Option<&Value> {
        settings::get(&self.record.config, name)
    }

    /// A setting that says where a conversation goes: one that cannot be read is not passed over.
    fn required_text(&self, name: &str) -> Result<Option<&str>, Error> {
        match self.setting(name) {
            None => Ok(None),
            Some(value) => non_blank(value)
                .map(Some)
                .ok_or_else(|| Error::Misconfigured(format!("`{name}` must be a string that is not blank."))),
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        non_blank(self.setting(name)?)
    }
}

fn non_blank(value: &Value) -> Option<&str> {
    Some(value.as_str()?.trim()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn assistant(config: Value) -> Assistant {
        let record = json!({"assistant_id": "a", "config": config});
        Assistant::new(serde_json::from_value(record).unwrap())
    }

    fn model_name(config: Value) -> Option<String> {
        assistant(config).model().ok().map(|model| model.name)
    }

    #[test]
    fn the_model_is_found_in_every_place_it_may_stand() {
        for (config, expected) in [
            (
                json!({"configurable": {"type==agent/model": "gpt-4o", "model": "gpt-4"}}),
                Some("gpt-4o"),
            ),
            (
                json!({"configurable": {"model": "gpt-4o", "llm_type": "GPT 4"}}),
                Some("gpt-4o"),
            ),
            (
                json!({"configurable": {"type==chatbot/llm_type": "GPT 4o Mini"}}),
                Some("gpt-4o-mini"),
            ),
            (
                json!({"configurable": {"type": "chat_retrieval", "type==chat_retrieval/model": "o3", "type==agent/model": "gpt-4"}}),
                Some("o3"),
            ),
            (
                json!({"configurable": {"type==agent/model": null, "model": "gpt-4"}}),
                Some("gpt-4"),
            ),
            (
                json!({"model": "gpt-4o", "configurable": {"agent_type": "GPT 4"}}),
                Some("gpt-4o"),
            ),
            (
                json!({"configurable": {"type==agent/agent_type": "GPT 4o"}}),
                Some("gpt-4o"),
            ),
            (json!({"configurable": {"type==agent/agent_type": "agent"}}), None),
            (json!({"configurable": {"model": "  "}}), None),
            (json!({}), None),
        ] {
            assert_eq!(model_name(config.clone()).as_deref(), expected, "{config}");
        }
    }

    #[test]
    fn any_access_mode_but_public_token_is_closed() {
        for mode in [
            json!("authenticated"),
            json!("public"),
            json!("PUBLIC_TOKEN"),
            json!("public_token "),
            json!(true),
            json!(null),
        ] {
            let assistant = assistant(json!({"configurable": {"type==agent/access_mode": mode}}));
            assert!(
                matches!(assistant.check_access(None), Err(Error::AccessDisabled)),
                "{mode}"
            );
        }
        let open = assistant(json!({"configurable": {"type==agent/access_mode": "public_token"}}));
        open.check_access(Some("https://any.example")).unwrap();
    }

    #[test]
    fn listed_origins_keep_other_pages_out() {
        let with = |origins: Value| {
            assistant(json!({"configurable": {"access_mode": "public_token", "allowed_origins": origins}}))
        };
        let listed = with(json!(["https://shop.example", "https://www.shop.example/"]));
        listed.check_access(None).unwrap();
        listed.check_access(Some("https://shop.example")).unwrap();
        listed.check_access(Some("https://www.shop.example")).unwrap();
        for origin in ["https://shop.example.evil.com", "http://shop.example", "null"] {
            assert!(
                matches!(listed.check_access(Some(origin)), Err(Error::OriginNotAllowed)),
                "{origin}"
            );
        }
        with(json!([])).check_access(Some("https://any.example")).unwrap();
        assert!(
            with(json!("https://shop.example"))
                .check_access(Some("https://shop.example"))
                .is_err()
        );
    }
}
