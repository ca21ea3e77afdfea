//! The platform's keys: from the environment, else from a Secrets Manager secret.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use aws_config::{SdkConfig, timeout::TimeoutConfig};
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::Mutex;
use url::Url;

use crate::error::Error;

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
    secret: Option<Secret>,
}

#[derive(Debug)]
struct Secret {
    id: String,
    client: aws_sdk_secretsmanager::Client,
    cache: Mutex<Option<Reading>>,
}

#[derive(Debug)]
struct Reading {
    /// `None` for the first one, which may be followed by another at once.
    repeated_at: Option<Instant>,
    keys: HashMap<KeyName, SecretString>,
    /// Whether a later attempt failed: what is missing may be there by now.
    stale: bool,
}

/// What a reading says of a key.
struct Found {
    key: Option<SecretString>,
    stale: bool,
}

impl Reading {
    fn found(&self, name: &str) -> Found {
        Found {
            key: self.keys.get(name).cloned(),
            stale: self.stale,
        }
    }
}

/// A client with time limits that suit a request that waits for it.
pub fn secrets_client(aws: &SdkConfig) -> aws_sdk_secretsmanager::Client {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(1))
        .operation_attempt_timeout(Duration::from_secs(2))
        .operation_timeout(Duration::from_secs(5))
        .build();
    let config = aws_sdk_secretsmanager::config::Builder::from(aws)
        .timeout_config(timeouts)
        .build();
    aws_sdk_secretsmanager::Client::from_conf(config)
}

/// A variable's name, or an origin in its normal form.
type KeyName = String;

impl ProviderKeys {
    /// `environment` wins over the secret.
    pub fn new(
        environment: HashMap<&'static str, SecretString>,
        secret: Option<(String, aws_sdk_secretsmanager::Client)>,
    ) -> Self {
        let secret = secret.map(|(id, client)| Secret {
            id,
            client,
            cache: Mutex::new(None),
        });
        Self { environment, secret }
    }

    /// The key, `None` where there is none. `required` says that nothing can be called without it.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the secret could not be read.
    pub async fn find(&self, id: &KeyId, required: bool) -> Result<Option<SecretString>, Error> {
        if let KeyId::Platform(name) = id
            && let Some(key) = self.environment.get(name)
        {
            return Ok(Some(key.clone()));
        }
        match &self.secret {
            Some(secret) => match secret.find(id.name(), |_| false).await? {
                // It may be in the secret by now, which cannot be read.
                Found { key: None, stale: true } if required => Err(unread("the keys secret cannot be read again")),
                found => Ok(found.key),
            },
            None => Ok(None),
        }
    }

    /// Another value for a key that the provider refused, where the secret holds one by now.
    pub async fn find_newer(&self, id: &KeyId, refused: &SecretString) -> Option<SecretString> {
        let is_refused = |key: &SecretString| key.expose_secret() == refused.expose_secret();
        let newer = self.secret.as_ref()?.find(id.name(), is_refused).await.ok()?.key?;
        let from_environment = matches!(id, KeyId::Platform(name) if self.environment.contains_key(name));
        (!from_environment && !is_refused(&newer)).then_some(newer)
    }
}

fn unread(cause: &str) -> Error {
    Error::Unavailable { cause: cause.into() }
}

/// What is wrong where a provider's key is nowhere.
pub fn missing(name: &str) -> Error {
    Error::Misconfigured(format!(
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

impl Secret {
    /// A key from the last reading, or from a new one where the last one lacks it or it `is_refused`.
    async fn find(&self, name: &str, is_refused: impl Fn(&SecretString) -> bool) -> Result<Found, Error> {
        let mut cache = self.cache.lock().await;
        if let Some(reading) = cache.as_ref() {
            let known = reading.keys.get(name);
            let too_soon = reading.repeated_at.is_some_and(|at| at.elapsed() < REREAD_AFTER);
            if known.is_some_and(|key| !is_refused(key)) || too_soon {
                return Ok(reading.found(name));
            }
        }
        let repeated_at = cache.is_some().then(Instant::now);
        let (keys, stale) = match (self.read().await, cache.take()) {
            (Ok(keys), _) => (keys, false),
            // What was read before still holds, and is not asked for again at once either.
            (Err(error), Some(before)) => {
                tracing::warn!(cause = error.cause(), "the keys secret could not be read again");
                (before.keys, true)
            }
            (Err(error), None) => return Err(error),
        };
        let reading = Reading {
            repeated_at,
            keys,
            stale,
        };
        Ok(cache.insert(reading).found(name))
    }

    async fn read(&self) -> Result<HashMap<KeyName, SecretString>, Error> {
        let output = self.client.get_secret_value().secret_id(&self.id).send().await;
        let output = output.map_err(|error| {
            let error = error.into_service_error();
            unread(&format!("the keys secret could not be read: {:?}", error.meta().code()))
        })?;
        // Neither the text nor the parser's error, which quotes it, may reach a log.
        let keys: HashMap<String, serde_json::Value> = serde_json::from_str(output.secret_string().unwrap_or_default())
            .map_err(|_| unread("the keys secret is not a JSON object"))?;
        Ok(keys
            .into_iter()
            .filter_map(|(name, key)| {
                let key = key.as_str().map(str::trim).filter(|key| !key.is_empty())?;
                Some((normal_name(&name), SecretString::from(key)))
            })
            .collect())
    }
}

/// Origins may be written with a trailing slash, a default port or capitals.
fn normal_name(name: &str) -> KeyName {
    match Url::parse(name) {
        Ok(url) if url.has_host() => url.origin().ascii_serialization(),
        _ => name.to_owned(),
    }
}
