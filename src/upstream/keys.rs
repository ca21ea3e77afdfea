//! The platform's keys: from the environment, else from a Secrets Manager secret.

use std::{collections::HashMap, time::Duration};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

use crate::{
    error::Error,
    secrets::{Reread, read_secret},
};

/// The shortest time between two readings after the first.
const REREAD_AFTER: Duration = Duration::from_secs(60);

/// Which key a request needs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum KeyId {
    /// One of the key variables.
    Platform(&'static str),
    /// The operator's entry for an origin such as `https://llm.example.com`; without one, no key is sent.
    Origin(String),
}

impl KeyId {
    /// The key for a server of an owner's own.
    pub fn origin_of(url: &Url) -> Self {
        Self::Origin(url.origin().ascii_serialization())
    }
}

/// Looks keys up. Values are kept for the life of the environment and read again when one is missing or refused.
#[derive(Debug)]
pub struct ProviderKeys {
    environment: HashMap<&'static str, SecretString>,
    secret: Option<Reread<HashMap<KeyName, SecretString>>>,
}

/// A variable's name, or an origin in its normal form.
type KeyName = String;

impl ProviderKeys {
    /// `environment` wins over the secret.
    pub fn new(
        environment: HashMap<&'static str, SecretString>,
        secret: Option<(String, aws_sdk_secretsmanager::Client)>,
    ) -> Self {
        let secret = secret.map(|(id, client)| {
            Reread::new("the keys secret", REREAD_AFTER, move || {
                read_keys(client.clone(), id.clone())
            })
        });
        Self { environment, secret }
    }

    /// The key, `None` where there is none. `required` says that nothing can be called without it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the secret could not be read.
    pub async fn find(&self, id: &KeyId, required: bool) -> Result<Option<SecretString>, Error> {
        if let Some(key) = self.in_environment(id) {
            return Ok(Some(key.clone()));
        }
        let Some(secret) = &self.secret else {
            return Ok(None);
        };
        let known = secret.get(|keys| keys.contains_key(id.name())).await?;
        match known.value.get(id.name()) {
            // It may be in the secret by now, which cannot be read.
            None if known.stale && required => Err(Error::Unavailable {
                cause: "the keys secret cannot be read again".into(),
            }),
            key => Ok(key.cloned()),
        }
    }

    /// Another value for a key that the provider refused, where the secret holds one by now.
    pub async fn find_newer(&self, id: &KeyId, refused: &SecretString) -> Option<SecretString> {
        if self.in_environment(id).is_some() {
            return None;
        }
        let newer = |keys: &HashMap<KeyName, SecretString>| {
            let key = keys.get(id.name())?;
            (key.expose_secret() != refused.expose_secret()).then(|| key.clone())
        };
        let known = self.secret.as_ref()?.get(|keys| newer(keys).is_some()).await.ok()?;
        newer(&known.value)
    }

    fn in_environment(&self, id: &KeyId) -> Option<&SecretString> {
        match id {
            KeyId::Platform(name) => self.environment.get(name),
            KeyId::Origin(_) => None,
        }
    }
}

/// What is wrong where a provider's key is nowhere.
pub(crate) fn missing(name: &str) -> Error {
    Error::NotSetUp(format!(
        "its provider's API key is missing. The operator has to set `{name}`."
    ))
}

impl KeyId {
    fn name(&self) -> &str {
        match self {
            Self::Platform(name) => name,
            Self::Origin(origin) => origin,
        }
    }
}

async fn read_keys(
    client: aws_sdk_secretsmanager::Client,
    id: String,
) -> Result<HashMap<KeyName, SecretString>, String> {
    let text = read_secret(client, id).await?;
    // Neither the text nor the parser's error, which quotes it, may reach a log.
    let keys: HashMap<String, serde_json::Value> =
        serde_json::from_str(text.expose_secret()).map_err(|_| "it is not a JSON object")?;
    Ok(keys
        .into_iter()
        .filter_map(|(name, key)| {
            let key = key.as_str().map(str::trim).filter(|key| !key.is_empty())?;
            Some((normal_name(&name), SecretString::from(key)))
        })
        .collect())
}

/// Origins may be written with a trailing slash, a default port or capitals.
fn normal_name(name: &str) -> KeyName {
    match Url::parse(name) {
        Ok(url) if url.has_host() => url.origin().ascii_serialization(),
        _ => name.to_owned(),
    }
}
