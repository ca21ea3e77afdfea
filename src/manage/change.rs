//! A JSON Merge Patch (RFC 7396) of an assistant: `name` and `config`, with the public token taken out of it.

use serde_json::{Map, Value, json};

use super::validate;
use crate::{
    assistant::{
        Record,
        settings::keys::{Keys, path},
        store::{
            claims::{Grace, MAX_GRACE},
            write::{Change, NewAssistant, TokenChange},
        },
    },
    chat::lenient,
    config::Rules,
    error::{Error, Problem},
    token::Token,
};

/// What a representation has beside what can be changed; sent back, it is ignored.
const READ_ONLY: [&str; 8] = [
    "assistant_id",
    "owner_id",
    "token_hint",
    "old_token_valid_until",
    "version",
    "created_at",
    "updated_at",
    "object",
];
const TOKEN: &str = "public_token";
/// Longest name, in characters.
const MAX_NAME: usize = 256;
/// How long the token that a patch replaces keeps working.
const GRACE: &str = "token_grace_seconds";

/// A patch whose own form is right; what it makes of an assistant is another question.
#[derive(Debug, Clone)]
pub struct Patch {
    name: Option<String>,
    config: Option<Value>,
    grace: Option<Grace>,
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
    /// A 400 that names everything that is wrong with its form.
    pub fn read(body: &[u8]) -> Result<Self, Error> {
        let body = match lenient::parse(body) {
            Ok(Value::Object(body)) => body,
            Ok(_) => return Err(no_object("it is JSON of another kind")),
            Err(why) => return Err(no_object(&why)),
        };
        let mut problems = Vec::new();
        let mut add = |param: &str, message: String| {
            problems.push(Problem {
                param: param.to_owned(),
                message,
            });
        };
        for (key, value) in &body {
            match key.as_str() {
                "name" if !value.is_string() && !value.is_null() => add("name", "must be a string".into()),
                "config" if !value.is_object() && !value.is_null() => add("config", "must be an object".into()),
                "name" if value.as_str().is_some_and(|name| name.chars().count() > MAX_NAME) => {
                    add("name", format!("must have at most {MAX_NAME} characters"));
                }
                "name" | "config" | GRACE => {}
                // As a reply has it, where a token was generated. To pass over it would lose a token that is meant to be set.
                TOKEN if !value.is_null() => add(TOKEN, format!("belongs into `config`: set `{}`", path(TOKEN))),
                TOKEN => {}
                key if READ_ONLY.contains(&key) => {}
                key => add(key, "is unknown: use `name` and `config`".into()),
            }
        }
        let grace = body
            .get(GRACE)
            .map(|seconds| seconds.as_u64().and_then(Grace::from_now));
        if grace.is_some_and(|grace| grace.is_none()) {
            add(
                GRACE,
                format!("must be a whole number of seconds from 1 to {MAX_GRACE}"),
            );
        }
        if !problems.is_empty() {
            return Err(Error::InvalidSettings(problems));
        }
        Ok(Self {
            name: body
                .get("name")
                .map(|name| name.as_str().unwrap_or_default().to_owned()),
            config: body.get("config").cloned(),
            grace: grace.flatten(),
        })
    }

    /// What an assistant is with the patch. One that becomes public and has no token gets a generated one.
    ///
    /// # Errors
    /// A 400 that names every setting of the patch that cannot be used; [`Error::Unavailable`] where the system has no
    /// randomness.
    pub fn apply(self, record: &Record, rules: &Rules) -> Result<Patched, Error> {
        if record.assistant_id.is_empty() && self.grace.is_some() {
            return Err(Error::invalid_with_code(
                GRACE,
                "invalid_value",
                format!("`{GRACE}` is for a change of the token: a new assistant has no old one. Leave it out."),
            ));
        }
        let (config, wish) = self.merge(&record.config, rules)?;
        let (token, generated) = wish.decide(record, self.grace)?;
        Ok(Patched {
            name: self.name,
            config,
            token,
            grace: self.grace,
            generated,
        })
    }

    /// The whole new config, and what the patch wants of the token, which is not a part of it.
    fn merge(&self, before: &Value, rules: &Rules) -> Result<(Value, TokenWish), Error> {
        let mut config = match (before, &self.config) {
            (Value::Object(_), Some(Value::Object(_)) | None) => before.clone(),
            // There was none, or it is taken away.
            _ => json!({"configurable": {}}),
        };
        let Some(patch) = self.config.as_ref().filter(|patch| patch.is_object()) else {
            return Ok((config, TokenWish::default()));
        };
        json_patch::merge(&mut config, patch);
        if config["configurable"].is_null() {
            config["configurable"] = json!({});
        }
        let (keys, _) = Keys::of(config["configurable"].as_object());
        let nothing = Map::new();
        let written = patch["configurable"].as_object().unwrap_or(&nothing);
        let mut wish = TokenWish::default();
        if let Some(configurable) = config["configurable"].as_object_mut() {
            drop_other_spellings(configurable, written, keys);
            wish = TokenWish::take(configurable, written, keys);
        }
        let mut problems = validate::problems(&config, patch, keys, rules);
        problems.extend(wish.problem.take());
        if !problems.is_empty() {
            return Err(Error::InvalidSettings(problems));
        }
        Ok((config, wish))
    }
}

fn no_object(why: &str) -> Error {
    Error::InvalidRequest {
        message: format!("The body must be a JSON object with `name` and `config`: {why}."),
        param: None,
        code: None,
    }
}

/// What a patch wants of the public token.
#[derive(Debug, Default)]
struct TokenWish {
    token: Option<TokenChange>,
    /// Whether the patch sets `access_mode` to `public_token`. Merely to be public is no wish: whoever revoked a token
    /// gets none with the next change of something else.
    becomes_public: bool,
    problem: Option<Problem>,
}

impl TokenWish {
    /// Takes the token out of the settings, where it is never stored.
    fn take(configurable: &mut Map<String, Value>, written: &Map<String, Value>, keys: Keys) -> Self {
        let mode = keys.find(written, "access_mode").map(|(_, mode)| mode);
        let mut wish = Self {
            becomes_public: mode.is_some_and(|mode| mode == "public_token"),
            ..Self::default()
        };
        let mut found = None;
        for key in keys.spellings(TOKEN) {
            configurable.shift_remove(&key);
            found = found.or(written.get_key_value(&key));
        }
        let read = match found {
            None => return wish,
            Some((_, Value::Null)) => Ok(TokenChange::Revoke),
            Some((_, Value::String(token))) => Token::chosen(token).map(TokenChange::Set),
            Some(_) => Err("must be a string"),
        };
        match (read, found) {
            (Err(problem), Some((key, _))) => {
                wish.problem = Some(Problem {
                    param: path(key),
                    message: problem.to_owned(),
                });
            }
            (read, _) => wish.token = read.ok(),
        }
        wish
    }

    /// What becomes of the token, and the new one where it is generated.
    fn decide(self, record: &Record, grace: Option<Grace>) -> Result<(Option<TokenChange>, Option<Token>), Error> {
        let is_new = record.assistant_id.is_empty();
        let needs_token = self.becomes_public && record.token_digest.is_none();
        // With a grace period `null` cannot mean to revoke, which ends all of them: it asks for a generated token.
        let replaces_token = self.becomes_public && grace.is_some() && matches!(self.token, Some(TokenChange::Revoke));
        Ok(match self.token {
            Some(TokenChange::Set(token)) => (Some(TokenChange::Set(token)), None),
            // A new assistant has none to revoke.
            Some(TokenChange::Revoke) if !is_new && !replaces_token => (Some(TokenChange::Revoke), None),
            _ if needs_token || replaces_token => {
                let token = Token::generate().map_err(|error| Error::Unavailable {
                    cause: error.to_string(),
                })?;
                (Some(TokenChange::Set(token.clone())), Some(token))
            }
            _ => (None, None),
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

/// A setting may stand under several keys: those that the patch wrote replace the others.
fn drop_other_spellings(configurable: &mut Map<String, Value>, written: &Map<String, Value>, keys: Keys) {
    for name in written.keys().filter_map(|key| keys.name_of(key)) {
        for other in keys.spellings(name) {
            if !written.contains_key(&other) {
                configurable.shift_remove(&other);
            }
        }
    }
}
