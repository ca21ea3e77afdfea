//! Assistants in `DynamoDB`: found by their token's digest, created, read.

use std::{
    collections::HashMap,
    str::FromStr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use aws_config::{SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    types::AttributeValue,
};

use super::{Assistant, Record};
use crate::{
    config::Tables,
    error::{Error, root_cause},
    token::TokenDigest,
};

pub mod claims;
pub(crate) mod list;
mod owners;
pub mod transaction;
pub mod write;

/// The sparse index of the Assistants table.
pub const TOKEN_DIGEST_INDEX: &str = "by_token_digest";

/// Longest id that is looked up, in bytes: `DynamoDB` turns down longer keys, and ours are UUIDs.
pub(crate) const MAX_ID: usize = 128;
/// The longest time for a write that the end of a reply waits for.
pub(crate) const LAST_WRITE_TIMEOUT: Duration = Duration::from_millis(450);
/// How many digests a warm environment remembers at most.
const MAX_HINTS: usize = 10_000;

/// What the store knows of a token's digest.
#[derive(Debug)]
pub enum Lookup {
    /// It opens this assistant, which carries it or did so until a grace period began.
    Found(Box<Assistant>),
    /// It is a token to try this assistant with, whatever its access mode and origins.
    Trial(Box<Assistant>),
    /// It was an assistant's that has been deleted.
    Deleted,
    /// No assistant carries it: none ever did, or it was rotated or revoked.
    Unknown,
}

/// The two tables.
#[derive(Debug)]
pub struct Store {
    client: Client,
    tables: Tables,
    /// Digest → `assistant_id`, as hints only: each is checked against a consistent read of the assistant.
    hints: Mutex<HashMap<TokenDigest, String>>,
}

/// An item of a table.
pub(crate) type Item = HashMap<String, AttributeValue>;

impl Store {
    /// A client with time limits that suit a request that waits for it.
    pub fn new(config: &SdkConfig, tables: Tables) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(Duration::from_secs(1))
            .operation_attempt_timeout(Duration::from_secs(1))
            .operation_timeout(Duration::from_secs(3))
            .build();
        Self::with_timeouts(config, tables, timeouts)
    }

    /// A client with time limits of its own.
    pub fn with_timeouts(config: &SdkConfig, tables: Tables, timeouts: TimeoutConfig) -> Self {
        let retries = RetryConfig::standard()
            .with_max_attempts(3)
            .with_initial_backoff(Duration::from_millis(25));
        let config = aws_sdk_dynamodb::config::Builder::from(config)
            .timeout_config(timeouts)
            .retry_config(retries)
            .build();
        Self {
            client: Client::from_conf(config),
            tables,
            hints: Mutex::default(),
        }
    }

    /// The client and the tables' names, for what else is kept beside assistants.
    pub(crate) fn parts(&self) -> (&Client, &Tables) {
        (&self.client, &self.tables)
    }

    /// Opens the connection during the cold start, while the CPU is not throttled. Failure is left to the first
    /// request, which reports it. The table is the one that both functions may read.
    pub async fn warm_up(&self) {
        let absent = self.get_item(&self.tables.assistants, "assistant_id", "-").await;
        if let Err(error) = absent {
            tracing::warn!(cause = error.cause(), "the store did not answer at the start");
        }
    }

    /// Finds the assistant that a digest opens now.
    ///
    /// The index lags behind new and moved tokens, so it and the hint only say where to look; the consistent read of
    /// the assistant decides, and where that says no, the consistent read of the claim, which alone knows of grace periods
    /// and of tokens to try an assistant with.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store does not answer.
    pub async fn find(&self, digest: &TokenDigest) -> Result<Lookup, Error> {
        if let Some(hint) = self.hint(digest) {
            if let Some(assistant) = self.carrier(&hint, digest).await? {
                return Ok(Lookup::Found(Box::new(assistant)));
            }
            self.hints().remove(digest);
        }
        for assistant_id in self.query_index(digest).await? {
            if let Some(assistant) = self.carrier(&assistant_id, digest).await? {
                return Ok(self.found(digest, assistant));
            }
        }
        let Some(claim) = self.claim(digest).await? else {
            return Ok(Lookup::Unknown);
        };
        match self.get(&claim.assistant_id).await? {
            None => Ok(Lookup::Deleted),
            Some(record) if carries(&record, digest) => Ok(self.found(digest, Assistant::new(record))),
            // Without a hint: the assistant does not carry the digest, so the hint would fail each time.
            Some(record) if claim.is_trial_now() => Ok(Lookup::Trial(Box::new(Assistant::new(record)))),
            Some(record) if claim.is_in_grace(&record) => Ok(Lookup::Found(Box::new(Assistant::new(record)))),
            Some(_) => Ok(Lookup::Unknown),
        }
    }

    /// Reads an assistant by its id.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store does not answer; [`Error::Misconfigured`] for an item that is no assistant.
    pub async fn get(&self, assistant_id: &str) -> Result<Option<Record>, Error> {
        if assistant_id.is_empty() || assistant_id.len() > MAX_ID {
            return Ok(None);
        }
        let item = self
            .get_item(&self.tables.assistants, "assistant_id", assistant_id)
            .await?;
        item.map(record).transpose()
    }

    async fn carrier(&self, assistant_id: &str, digest: &TokenDigest) -> Result<Option<Assistant>, Error> {
        let record = self.get(assistant_id).await?;
        Ok(record.filter(|record| carries(record, digest)).map(Assistant::new))
    }

    async fn query_index(&self, digest: &TokenDigest) -> Result<Vec<String>, Error> {
        let output = self
            .client
            .query()
            .table_name(&self.tables.assistants)
            .index_name(TOKEN_DIGEST_INDEX)
            .key_condition_expression("token_digest = :digest")
            .expression_attribute_values(":digest", AttributeValue::S(digest.as_str().to_owned()))
            .send()
            .await
            .map_err(unavailable)?;
        let ids = output.items.unwrap_or_default().into_iter();
        Ok(ids.filter_map(|mut item| string(&mut item, "assistant_id")).collect())
    }

    async fn get_item(&self, table: &str, key: &str, value: &str) -> Result<Option<Item>, Error> {
        let output = self
            .client
            .get_item()
            .table_name(table)
            .key(key, AttributeValue::S(value.to_owned()))
            .consistent_read(true)
            .send()
            .await
            .map_err(unavailable)?;
        Ok(output.item)
    }

    fn found(&self, digest: &TokenDigest, assistant: Assistant) -> Lookup {
        let mut hints = self.hints();
        if hints.len() >= MAX_HINTS {
            hints.clear();
        }
        hints.insert(digest.clone(), assistant.id().to_owned());
        Lookup::Found(Box::new(assistant))
    }

    fn hint(&self, digest: &TokenDigest) -> Option<String> {
        self.hints().get(digest).cloned()
    }

    fn hints(&self) -> std::sync::MutexGuard<'_, HashMap<TokenDigest, String>> {
        self.hints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn record(item: Item) -> Result<Record, Error> {
    serde_dynamo::from_item(item).map_err(unreadable)
}

/// Without the cause: it may quote the item.
fn unreadable(_: serde_dynamo::Error) -> Error {
    Error::Misconfigured("its stored item cannot be read.".into())
}

fn carries(record: &Record, digest: &TokenDigest) -> bool {
    record
        .token_digest
        .as_deref()
        .is_some_and(|stored| digest.matches(stored))
}

fn string(item: &mut Item, name: &str) -> Option<String> {
    match item.remove(name) {
        Some(AttributeValue::S(value)) => Some(value),
        _ => None,
    }
}

/// One attempt of at most `limit`: what may have been applied must not be repeated unseen.
pub(crate) fn once(limit: Duration) -> aws_sdk_dynamodb::config::Builder {
    let timeouts = TimeoutConfig::builder().operation_timeout(limit).build();
    aws_sdk_dynamodb::Config::builder()
        .timeout_config(timeouts)
        .retry_config(RetryConfig::disabled())
}

/// A number as an attribute.
pub(crate) fn number(number: impl std::fmt::Display) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// An item's attribute as a number, where it is one.
pub(crate) fn number_in<N: FromStr>(item: &Item, name: &str) -> Option<N> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// Throttled, down, or not permitted: the client can only try again; the operator reads why in the log.
pub(crate) fn unavailable<E, R>(error: SdkError<E, R>) -> Error
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
    R: std::fmt::Debug + 'static,
{
    let cause = match &error {
        SdkError::ServiceError(refused) => refused
            .err()
            .code()
            .unwrap_or("an answer that cannot be read")
            .to_owned(),
        SdkError::TimeoutError(_) => "no answer in time".into(),
        SdkError::DispatchFailure(failure) if failure.is_timeout() => "no connection in time".into(),
        SdkError::DispatchFailure(failure) => {
            let connector = failure.as_connector_error();
            let cause = connector.map_or_else(|| "no cause is known".into(), |error| root_cause(error));
            format!("not reached: {cause}")
        }
        // The SDK's own words would quote the whole answer.
        SdkError::ResponseError(_) => "an answer that cannot be read".into(),
        _ => "a request that cannot be made".into(),
    };
    Error::Unavailable {
        cause: format!("DynamoDB: {cause}"),
    }
}
