//! Writing a new assistant: its item and its token's claim in one transaction.

use aws_sdk_dynamodb::{
    operation::transact_write_items::TransactWriteItemsError,
    types::{AttributeValue, Put, TransactWriteItem},
};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Store, unavailable};
use crate::{assistant::Record, error::Error, token::Token};

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

/// Why an assistant was not written.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// Another assistant has, or once had, the token.
    #[error("This public token is already in use. Choose another.")]
    TokenTaken,
    /// The store does not answer.
    #[error(transparent)]
    Store(#[from] Error),
}

impl Store {
    /// Writes a new assistant under a fresh id.
    ///
    /// # Errors
    /// [`CreateError`]; nothing is written then.
    pub async fn create(&self, new: NewAssistant) -> Result<Record, CreateError> {
        let now = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
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
        let mut transaction = self
            .client
            .transact_write_items()
            .transact_items(self.put_assistant(&record)?);
        if let Some(digest) = &record.token_digest {
            transaction = transaction.transact_items(self.put_claim(digest, &record.assistant_id)?);
        }
        match transaction.send().await {
            Ok(_) => Ok(record),
            Err(error) if error.as_service_error().is_some_and(is_condition_failed) => Err(CreateError::TokenTaken),
            Err(error) => Err(unavailable(error).into()),
        }
    }

    fn put_assistant(&self, record: &Record) -> Result<TransactWriteItem, Error> {
        let item = serde_dynamo::to_item(record).map_err(cannot_encode)?;
        let put = Put::builder()
            .table_name(&self.tables.assistants)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(assistant_id)")
            .build()
            .map_err(cannot_encode)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }

    fn put_claim(&self, digest: &str, assistant_id: &str) -> Result<TransactWriteItem, Error> {
        let put = Put::builder()
            .table_name(&self.tables.token_claims)
            .item("token_digest", AttributeValue::S(digest.to_owned()))
            .item("assistant_id", AttributeValue::S(assistant_id.to_owned()))
            .condition_expression("attribute_not_exists(token_digest)")
            .build()
            .map_err(cannot_encode)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

fn cannot_encode(error: impl std::fmt::Display) -> Error {
    Error::Misconfigured(format!("its settings cannot be stored ({error})."))
}

fn is_condition_failed(error: &TransactWriteItemsError) -> bool {
    let TransactWriteItemsError::TransactionCanceledException(canceled) = error else {
        return false;
    };
    canceled
        .cancellation_reasons()
        .iter()
        .any(|reason| reason.code() == Some("ConditionalCheckFailed"))
}
