//! Writing assistants: each change of an item and of its token's claims is one transaction.

use std::time::Duration;

use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata,
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, CancellationReason, Delete, Put, TransactWriteItem},
};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Item, Store, claims::Grace, unavailable};
use crate::{assistant::Record, error::Error, token::Token};

/// How often a transaction that ran into another one is tried.
const MAX_ATTEMPTS: u32 = 5;

/// A new assistant, before it has an id.
#[derive(Debug)]
pub struct NewAssistant {
    /// Who may manage it.
    pub owner_id: String,
    /// For its owner.
    pub name: String,
    /// `{"configurable": {…}}`, without the token.
    pub config: Value,
    /// Its public token.
    pub token: Option<Token>,
}

/// What is to be different about an assistant; `None` leaves a thing as it is.
#[derive(Debug, Default)]
pub struct Change {
    /// For its owner.
    pub name: Option<String>,
    /// The whole new config.
    pub config: Option<Value>,
    /// Its public token.
    pub token: Option<TokenChange>,
    /// How long the token that is replaced keeps working; without it, it stops at once.
    pub grace: Option<Grace>,
}

/// What becomes of the public token.
#[derive(Debug)]
pub enum TokenChange {
    /// This one replaces whatever there was.
    Set(Token),
    /// There is none from now on, and earlier ones that were still in a grace period are out too.
    Revoke,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The token is another assistant's, or another owner's.
    #[error("This public token is already in use. Choose another.")]
    TokenTaken,
    /// A grace period without an old token and a new one.
    #[error(
        "A grace period needs an old token and a new one: the assistant has none, or keeps the one that it has. Set \
         another token, or leave the grace period out; nothing was changed."
    )]
    NothingToKeep,
    /// The assistant is not in the version that was read.
    #[error("The assistant has changed meanwhile. Read it again and repeat the change.")]
    Changed,
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] Error),
}

/// One write of a transaction, and what it means where its condition fails.
pub(super) type Step = (TransactWriteItem, fn() -> WriteError);

/// Why a transaction was not made.
pub(super) struct Refused {
    error: WriteError,
    /// The item that failed a step's condition, where the step asks for it.
    pub(super) found: Option<Item>,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Self {
            error: error.into(),
            found: None,
        }
    }
}

impl From<Refused> for WriteError {
    fn from(refused: Refused) -> Self {
        refused.error
    }
}

impl Store {
    /// Writes a new assistant under a fresh id.
    ///
    /// # Errors
    /// [`WriteError`]; nothing is written then.
    pub async fn create(&self, new: NewAssistant) -> Result<Record, WriteError> {
        let now = now();
        let record = Record {
            assistant_id: uuid::Uuid::new_v4().to_string(),
            owner_id: new.owner_id,
            name: new.name,
            token_digest: new.token.as_ref().map(|token| token.digest().as_str().to_owned()),
            token_hint: new.token.as_ref().map(Token::hint),
            config: new.config,
            version: 1,
            revocations: 0,
            created_at: now.clone(),
            updated_at: now,
        };
        let steps = vec![self.put_assistant(&record, None)?];
        self.commit_with_claim(steps, &record, record.token_digest.as_deref())
            .await?;
        Ok(record)
    }

    /// Writes a change, if the assistant is still in the version that was read. The claim of a token that it no longer
    /// carries stays.
    ///
    /// # Errors
    /// [`WriteError`]; nothing is written then.
    pub async fn update(&self, read: &Record, change: Change) -> Result<Record, WriteError> {
        let mut record = Record {
            version: read.version + 1,
            updated_at: now(),
            name: change.name.unwrap_or_else(|| read.name.clone()),
            config: change.config.unwrap_or_else(|| read.config.clone()),
            ..read.clone()
        };
        match &change.token {
            None => {}
            Some(TokenChange::Revoke) => {
                (record.token_digest, record.token_hint) = (None, None);
                record.revocations += 1;
            }
            Some(TokenChange::Set(token)) => {
                record.token_digest = Some(token.digest().as_str().to_owned());
                record.token_hint = Some(token.hint());
            }
        }
        let differs = record.token_digest != read.token_digest;
        let (old, new) = (
            read.token_digest.as_deref().filter(|_| differs),
            record.token_digest.as_deref().filter(|_| differs),
        );
        if change.grace.is_some() && (old.is_none() || new.is_none()) {
            return Err(WriteError::NothingToKeep);
        }
        let mut steps = vec![self.put_assistant(&record, Some(read.version))?];
        if let Some(digest) = old {
            steps.push(self.keep_claim(digest, &record, change.grace)?);
        }
        self.commit_with_claim(steps, &record, new).await?;
        Ok(record)
    }

    /// Deletes an assistant, if it is still in the version that was read. Its token's claim stays: callers with the
    /// token get a stable 404, and no other owner can take it.
    ///
    /// # Errors
    /// [`WriteError`]; nothing is deleted then.
    pub async fn delete(&self, read: &Record) -> Result<(), WriteError> {
        let delete = Delete::builder()
            .table_name(&self.tables.assistants)
            .key("assistant_id", AttributeValue::S(read.assistant_id.clone()))
            .condition_expression("#version = :read")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":read", AttributeValue::N(read.version.to_string()))
            .build()
            .map_err(cannot_encode)?;
        let mut steps: Vec<Step> = vec![(TransactWriteItem::builder().delete(delete).build(), || {
            WriteError::Changed
        })];
        if let Some(digest) = &read.token_digest {
            steps.push(self.keep_claim(digest, read, None)?);
        }
        Ok(self.commit(steps).await?)
    }

    /// `read` is the version that is replaced, `None` for a new item.
    fn put_assistant(&self, record: &Record, read: Option<u64>) -> Result<Step, Error> {
        let put = Put::builder()
            .table_name(&self.tables.assistants)
            .set_item(Some(serde_dynamo::to_item(record).map_err(cannot_encode)?));
        let put = match read {
            None => put.condition_expression("attribute_not_exists(assistant_id)"),
            Some(read) => put
                .condition_expression("#version = :read")
                .expression_attribute_names("#version", "version")
                .expression_attribute_values(":read", AttributeValue::N(read.to_string())),
        };
        let put = put.build().map_err(cannot_encode)?;
        Ok((TransactWriteItem::builder().put(put).build(), || WriteError::Changed))
    }

    /// All steps or none.
    pub(super) async fn commit(&self, steps: Vec<Step>) -> Result<(), Refused> {
        let (items, meanings): (Vec<_>, Vec<_>) = steps.into_iter().unzip();
        for attempt in 1.. {
            let transaction = self
                .client
                .transact_write_items()
                .set_transact_items(Some(items.clone()));
            let Err(error) = transaction.send().await else {
                return Ok(());
            };
            let reasons = error.as_service_error().map(cancellation_reasons).unwrap_or_default();
            let mut of_steps = meanings.iter().zip(reasons);
            if let Some((meaning, reason)) =
                of_steps.find(|(_, reason)| reason.code() == Some("ConditionalCheckFailed"))
            {
                return Err(Refused {
                    error: meaning(),
                    found: reason.item().cloned(),
                });
            }
            if error.as_service_error().is_some_and(is_about_the_item) {
                return Err(cannot_be_stored().into());
            }
            if attempt == MAX_ATTEMPTS
                || !reasons
                    .iter()
                    .any(|reason| reason.code() == Some("TransactionConflict"))
            {
                return Err(unavailable(error).into());
            }
            tokio::time::sleep(Duration::from_millis(fastrand::u64(10..50) << attempt)).await;
        }
        Ok(())
    }
}

fn now() -> String {
    OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default()
}

pub(super) fn cannot_encode(error: impl std::fmt::Display) -> Error {
    Error::Misconfigured(format!("its settings cannot be stored ({error})."))
}

/// What `DynamoDB` turns an item down for ("Constraints"): nobody but the owner writes into it.
fn cannot_be_stored() -> Error {
    Error::invalid(
        "config",
        "The assistant cannot be stored: with all of its settings it takes more than 400 KB, one of them is nested deeper \
         than 32 levels, or has a number that is larger than 10^125 or has more than 38 digits. Nothing was changed.",
    )
}

/// Size, nesting, numbers, in `DynamoDB`'s words, which stand with the transaction or with one of its steps.
fn is_about_the_item(error: &TransactWriteItemsError) -> bool {
    let says = |message: Option<&str>| {
        let phrases = [
            "Item size",
            "Attribute name is too large",
            "Nesting Levels",
            "Number overflow",
            "Number underflow",
            "significant digits",
            "numeric value",
        ];
        message.is_some_and(|message| phrases.iter().any(|phrase| message.contains(phrase)))
    };
    match error {
        TransactWriteItemsError::TransactionCanceledException(canceled) => canceled
            .cancellation_reasons()
            .iter()
            .any(|reason| says(reason.message())),
        error => error.code() == Some("ValidationException") && says(error.message()),
    }
}

/// One for each step, in their order.
fn cancellation_reasons(error: &TransactWriteItemsError) -> &[CancellationReason] {
    match error {
        TransactWriteItemsError::TransactionCanceledException(canceled) => canceled.cancellation_reasons(),
        _ => &[],
    }
}
