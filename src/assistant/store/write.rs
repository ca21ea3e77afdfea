//! Writing assistants: each change of an item and of its token's claims is one transaction.

use std::time::Duration;

use aws_sdk_dynamodb::{
    error::ProvideErrorMetadata,
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, Delete, Put, TransactWriteItem},
};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Store, unavailable};
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
}

/// What becomes of the public token.
#[derive(Debug)]
pub enum TokenChange {
    /// This one replaces whatever there was.
    Set(Token),
    /// There is none from now on.
    Revoke,
}

/// Why nothing was written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// Another assistant has, or once had, the token.
    #[error("This public token is already in use. Choose another.")]
    TokenTaken,
    /// The assistant is not in the version that was read.
    #[error("The assistant has changed meanwhile. Read it again and repeat the change.")]
    Changed,
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] Error),
}

/// One write of a transaction, and what it means where its condition fails.
type Step = (TransactWriteItem, fn() -> WriteError);

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
            created_at: now.clone(),
            updated_at: now,
        };
        let mut steps = vec![self.put_assistant(&record, None)?];
        if let Some(digest) = &record.token_digest {
            steps.push(self.put_claim(digest, &record.assistant_id)?);
        }
        self.commit(steps).await?;
        Ok(record)
    }

    /// Writes a change, if the assistant is still in the version that was read. With a new token the claim of the old
    /// one is deleted.
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
            Some(TokenChange::Revoke) => (record.token_digest, record.token_hint) = (None, None),
            Some(TokenChange::Set(token)) => {
                record.token_digest = Some(token.digest().as_str().to_owned());
                record.token_hint = Some(token.hint());
            }
        }
        let mut steps = vec![self.put_assistant(&record, Some(read.version))?];
        if record.token_digest != read.token_digest {
            if let Some(digest) = &record.token_digest {
                steps.push(self.put_claim(digest, &record.assistant_id)?);
            }
            if let Some(digest) = &read.token_digest {
                steps.push(self.delete_claim(digest, &record.assistant_id)?);
            }
        }
        self.commit(steps).await?;
        Ok(record)
    }

    /// Deletes an assistant, if it is still in the version that was read. Its token's claim stays: callers with the
    /// token get a stable 404, and nobody else can take it.
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
        let step: Step = (TransactWriteItem::builder().delete(delete).build(), || {
            WriteError::Changed
        });
        self.commit(vec![step]).await
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

    fn put_claim(&self, digest: &str, assistant_id: &str) -> Result<Step, Error> {
        let put = Put::builder()
            .table_name(&self.tables.token_claims)
            .item("token_digest", AttributeValue::S(digest.to_owned()))
            .item("assistant_id", AttributeValue::S(assistant_id.to_owned()))
            .condition_expression("attribute_not_exists(token_digest)")
            .build()
            .map_err(cannot_encode)?;
        Ok((TransactWriteItem::builder().put(put).build(), || WriteError::TokenTaken))
    }

    fn delete_claim(&self, digest: &str, assistant_id: &str) -> Result<Step, Error> {
        let delete = Delete::builder()
            .table_name(&self.tables.token_claims)
            .key("token_digest", AttributeValue::S(digest.to_owned()))
            .condition_expression("attribute_not_exists(token_digest) OR assistant_id = :own")
            .expression_attribute_values(":own", AttributeValue::S(assistant_id.to_owned()))
            .build()
            .map_err(cannot_encode)?;
        Ok((TransactWriteItem::builder().delete(delete).build(), || {
            WriteError::Changed
        }))
    }

    /// All steps or none.
    async fn commit(&self, steps: Vec<Step>) -> Result<(), WriteError> {
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
            let failed = reasons.iter().position(|reason| reason == "ConditionalCheckFailed");
            if let Some(meaning) = failed.and_then(|at| meanings.get(at)) {
                return Err(meaning());
            }
            if error.as_service_error().is_some_and(is_about_the_item) {
                return Err(cannot_be_stored().into());
            }
            if attempt == MAX_ATTEMPTS || !reasons.iter().any(|reason| reason == "TransactionConflict") {
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

fn cannot_encode(error: impl std::fmt::Display) -> Error {
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
fn cancellation_reasons(error: &TransactWriteItemsError) -> Vec<String> {
    let TransactWriteItemsError::TransactionCanceledException(canceled) = error else {
        return Vec::new();
    };
    let reasons = canceled.cancellation_reasons().iter();
    reasons
        .map(|reason| reason.code().unwrap_or_default().to_owned())
        .collect()
}
