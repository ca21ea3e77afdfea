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
    error::{Error, Problem},
    limit::{Limit, Limits},
    provider::Model,
};
use settings::Settings;

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

/// A record and its settings.
#[derive(Debug, Clone)]
pub struct Assistant {
    record: Record,
    settings: Settings,
    /// The first of the settings that cannot be used, and why.
    problem: Option<Problem>,
}

impl Assistant {
    /// Reads a record's settings.
    pub fn new(record: Record) -> Self {
        let (settings, problems) = Settings::read(&record.config);
        Self {
            record,
            settings,
            problem: problems.into_iter().next(),
        }
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
    /// [`Error::AccessDisabled`] for any `access_mode` but `public_token`, [`Error::Misconfigured`] where another setting
    /// cannot be read, [`Error::OriginNotAllowed`].
    pub fn check_access(&self, origin: Option<&str>) -> Result<(), Error> {
        if !self.settings.is_public {
            return Err(Error::AccessDisabled);
        }
        let allowed = &self.usable()?.allowed_origins;
        let may_call = |origin| {
            let mut allowed = allowed.iter();
            allowed.len() == 0 || allowed.any(|entry| entry.eq_ignore_ascii_case(origin))
        };
        if origin.is_none_or(may_call) {
            Ok(())
        } else {
            Err(Error::OriginNotAllowed)
        }
    }

    /// The model that answers.
    ///
    /// # Errors
    /// [`Error::Misconfigured`] naming the setting.
    pub fn model(&self) -> Result<Model, Error> {
        let model = self.usable()?.model.clone();
        model.ok_or_else(|| Error::Misconfigured("no model is set. Set `model` in its `config.configurable`.".into()))
    }

    /// The models that answer where [`Assistant::model`] fails before its first text, in their order.
    ///
    /// # Errors
    /// [`Error::Misconfigured`] naming a setting that cannot be used.
    pub fn fallback_models(&self) -> Result<Vec<Model>, Error> {
        Ok(self.usable()?.fallback_models.clone())
    }

    /// What callers may use of it, under the operator's ceilings.
    ///
    /// # Errors
    /// [`Error::Misconfigured`] naming a setting that cannot be used.
    pub(crate) fn limits(&self, ceilings: &Limits) -> Result<Limits, Error> {
        Ok(self.usable()?.limits.under(ceilings))
    }

    /// Whether requests are refused where their limits cannot be checked.
    pub(crate) fn limits_fail_closed(&self) -> bool {
        self.settings.limits_fail_closed
    }

    /// Whether its responses may be kept.
    pub(crate) fn stores_responses(&self) -> bool {
        !self.settings.refuses_storing
    }

    /// What its models are asked: its own system message, which always comes first and is never replaced, then the
    /// client's messages, with the request's parameters or else its own, all within `limits`.
    ///
    /// # Errors
    /// [`Error::Misconfigured`] where a setting cannot be used; a 400 where the parameters do not go together, or where the
    /// messages are over a limit.
    pub fn prompt(&self, messages: Vec<Message>, parameters: Parameters, limits: &Limits) -> Result<Prompt, Error> {
        let settings = self.usable()?;
        check_length(&messages, &parameters, limits)?;
        let mut parameters = parameters.or(settings.parameters.clone())?;
        if let Some(most) = limits.get(Limit::MaxOutputTokens) {
            parameters.lower_max_tokens(most.value);
        }
        let system = settings.system_message.clone();
        let system = system.map(|text| Message::text(Role::System, text));
        Ok(Prompt {
            own_messages: system.iter().len(),
            messages: Arc::new(system.into_iter().chain(messages).collect()),
            parameters,
            show_reasoning: settings.show_reasoning,
            for_owner: false,
        })
    }

    /// The settings, if all of them can be used: one that cannot be read is never passed over.
    fn usable(&self) -> Result<&Settings, Error> {
        let Some(Problem { param, message }) = &self.problem else {
            return Ok(&self.settings);
        };
        let key = param
            .rsplit_once("configurable.")
            .map_or(param.as_str(), |(_, key)| key);
        let name = settings::keys::bare(key);
        Err(Error::Misconfigured(format!("`{name}` {message}.")))
    }
}

/// Checks all text that a caller sends on to the provider: messages, names, and the texts of parameters such as a schema. The
/// system message is the owner's own, and not counted.
fn check_length(messages: &[Message], parameters: &Parameters, limits: &Limits) -> Result<(), Error> {
    let Some(most) = limits.get(Limit::MaxInputChars) else {
        return Ok(());
    };
    let names = messages.iter().filter_map(|message| message.name.as_deref());
    let texts = messages.iter().flat_map(Message::texts).chain(names);
    let of_messages: usize = texts.map(|text| text.chars().count()).sum();
    let of_parameters: usize = parameters.iter().map(|(_, value)| text_length(value)).sum();
    let length = of_messages + of_parameters;
    if u64::try_from(length).is_ok_and(|length| length <= most.value) {
        return Ok(());
    }
    Err(Error::invalid_with_code(
        "messages",
        "context_length_exceeded",
        format!(
            "This assistant takes at most {} characters of text in a request (`{}`), and this one has {length}. Shorten or \
             leave out earlier messages.",
            most.value, most.source
        ),
    ))
}

/// The characters of all texts and names within a value.
fn text_length(value: &Value) -> usize {
    match value {
        Value::String(text) => text.chars().count(),
        Value::Array(list) => list.iter().map(text_length).sum(),
        Value::Object(fields) => {
            let lengths = fields
                .iter()
                .map(|(name, value)| name.chars().count() + text_length(value));
            lengths.sum()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

#[cfg(test)]
mod tests;
