//! A JSON Merge Patch (RFC 7396) of an assistant: `name` and `config`, with the public token taken out of it.

use serde_json::{Map, Value, json};

use super::validate;
use crate::{
    assistant::{
        Record, settings,
        store::{
            claims::{Grace, MAX_GRACE},
            write::{Change, NewAssistant, TokenChange},
        },
    },
    error::Error,
    token::Token,
};

/// What a representation has beside what can be changed; sent back, it is ignored.
const READ_ONLY: [&str; 9] = [
    "assistant_id",
    "owner_id",
    "token_hint",
    "public_token",
    "old_token_valid_until",
    "version",
    "created_at",
    "updated_at",
    "object",
];
const TOKEN: &str = "public_token";
/// How long the token that a patch replaces keeps working.
const GRACE: &str = "token_grace_seconds";

/// A patch, read and checked.
#[derive(Debug)]
pub struct Patch {
    name: Option<String>,
    config: Option<Value>,
    token: Option<TokenPatch>,
    grace: Option<Grace>,
}

#[derive(Debug)]
enum TokenPatch {
    Set(String),
    Revoke,
}

/// What a patch makes of an assistant.
#[derive(Debug)]
pub struct Patched {
    /// A new name.
    pub name: Option<String>,
    /// The whole new config.
    pub config: Value,
    /// What becomes of the token.
    pub token: Option<TokenChange>,
    /// How long the old token keeps working beside the new one.
    pub grace: Option<Grace>,
    /// The new token where it was generated, to be shown this once.
    pub generated: Option<Token>,
}

impl Patch {
    /// Reads a request's body.
    ///
    /// # Errors
    /// A 400 that names everything that is wrong with it.
    pub fn read(body: &[u8], allow_private_providers: bool) -> Result<Self, Error> {
        let body: Map<String, Value> = serde_json::from_slice(body).map_err(|error| Error::InvalidRequest {
            message: format!("The body must be a JSON object with `name` and `config` ({error})."),
            param: None,
            code: None,
        })?;
        let mut problems = validate::Problems::default();
        for (key, value) in &body {
            match key.as_str() {
                "name" if !value.is_string() && !value.is_null() => problems.add("name", "must be a string"),
                "config" if !value.is_object() && !value.is_null() => problems.add("config", "must be an object"),
                "name" | "config" | GRACE => {}
                key if READ_ONLY.contains(&key) => {}
                key => problems.add(key, "is unknown: use `name` and `config`"),
            }
        }
        let mut config = body.get("config").cloned();
        let token = config.as_mut().and_then(take_token);
        if let Some(config) = config.as_ref().filter(|config| config.is_object()) {
            validate::config(config, allow_private_providers, &mut problems);
        }
        if let Some(Value::String(token)) = &token
            && let Err(problem) = Token::chosen(token)
        {
            problems.add("config.configurable.public_token", problem);
        }
        let token = match token {
            None => None,
            Some(Value::Null) => Some(TokenPatch::Revoke),
            Some(Value::String(token)) => Some(TokenPatch::Set(token)),
            Some(_) => {
                problems.add("config.configurable.public_token", "must be a string");
                None
            }
        };
        let grace = body
            .get(GRACE)
            .map(|seconds| seconds.as_u64().and_then(Grace::from_now));
        if grace.is_some_and(|grace| grace.is_none()) {
            problems.add(
                GRACE,
                format!("must be a whole number of seconds from 1 to {MAX_GRACE}"),
            );
        }
        problems.into_result()?;
        Ok(Self {
            name: body
                .get("name")
                .map(|name| name.as_str().unwrap_or_default().to_owned()),
            config,
            token,
            grace: grace.flatten(),
        })
    }

    /// What an assistant is with the patch. One that becomes public and has no token gets a generated one.
    ///
    /// # Errors
    /// A 400 where the settings as a whole cannot be used; [`Error::Unavailable`] where the system has no randomness.
    pub fn apply(self, record: &Record) -> Result<Patched, Error> {
        let is_new = record.assistant_id.is_empty();
        if is_new && self.grace.is_some() {
            return Err(Error::invalid_with_code(
                GRACE,
                "invalid_value",
                format!("`{GRACE}` is for a change of the token: a new assistant has no old one. Leave it out."),
            ));
        }
        let mut config = match (&record.config, &self.config) {
            (Value::Object(_), Some(Value::Object(_)) | None) => record.config.clone(),
            // There was none, or it is taken away.
            _ => json!({"configurable": {}}),
        };
        if let Some(patch) = self.config.as_ref().filter(|patch| patch.is_object()) {
            json_patch::merge(&mut config, patch);
            drop_other_spellings(&mut config, patch);
            if !config["configurable"].is_object() {
                config["configurable"] = json!({});
            }
            validate::model(&config, patch)?;
        }
        // Asked for, not merely so: who revoked a token gets none with the next change of something else.
        let becomes_public = self
            .config
            .as_ref()
            .is_some_and(|patch| settings::get(patch, "access_mode").is_some())
            && settings::get(&config, "access_mode").is_some_and(|mode| mode == "public_token");
        let needs_token = becomes_public && record.token_digest.is_none();
        // With a grace period `null` cannot mean to revoke, which ends all of them: it asks for a generated token.
        let replaces_token = becomes_public && self.grace.is_some() && matches!(self.token, Some(TokenPatch::Revoke));
        let (token, generated) = match self.token {
            Some(TokenPatch::Set(token)) => (Some(TokenChange::Set(Token::new(&token))), None),
            // A new assistant has none to revoke.
            Some(TokenPatch::Revoke) if !is_new && !replaces_token => (Some(TokenChange::Revoke), None),
            None | Some(TokenPatch::Revoke) if needs_token || replaces_token => {
                let token = Token::generate().map_err(|error| Error::Unavailable {
                    cause: error.to_string(),
                })?;
                (Some(TokenChange::Set(token.clone())), Some(token))
            }
            _ => (None, None),
        };
        Ok(Patched {
            name: self.name,
            config,
            token,
            grace: self.grace,
            generated,
        })
    }
}

impl Patched {
    /// A new assistant made of a patch of nothing, and its token where that was generated.
    pub fn into_new(self, owner_id: String) -> (NewAssistant, Option<Token>) {
        let new = NewAssistant {
            owner_id,
            name: self.name.unwrap_or_default(),
            config: self.config,
            token: match self.token {
                Some(TokenChange::Set(token)) => Some(token),
                Some(TokenChange::Revoke) | None => None,
            },
        };
        (new, self.generated)
    }
}

impl From<Patched> for Change {
    fn from(patched: Patched) -> Self {
        Self {
            name: patched.name,
            config: Some(patched.config),
            token: patched.token,
            grace: patched.grace,
        }
    }
}

/// Takes the token's keys out of a patch: a token is never stored. The winning one counts.
fn take_token(config: &mut Value) -> Option<Value> {
    let configurable = config.get_mut("configurable")?.as_object_mut()?;
    let keys = settings::keys(configurable, TOKEN);
    let values: Vec<_> = keys.iter().filter_map(|key| configurable.shift_remove(key)).collect();
    values.into_iter().next()
}

/// A setting may stand under several keys: those that the patch wrote replace the others.
fn drop_other_spellings(config: &mut Value, patch: &Value) {
    let (Some(configurable), Some(patch)) = (
        config["configurable"].as_object_mut(),
        patch["configurable"].as_object(),
    ) else {
        return;
    };
    for key in patch.keys() {
        for other in settings::keys(configurable, settings::bare(key)) {
            if !patch.contains_key(&other) {
                configurable.shift_remove(&other);
            }
        }
    }
}
