//! Writing assistants: each change of an item and of its token's claims is one transaction.

use aws_sdk_dynamodb::types::{AttributeValue, Delete, Put, TransactWriteItem};
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{
    Store,
    claims::Grace,
    transaction::{Step, WriteError, cannot_encode},
};
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

/// How often a creation is tried.
const MAX_CREATIONS: u32 = 3;

impl Store {
    /// Writes a new assistant under a fresh id.
    ///
    /// # Errors
    /// [`WriteError`]; nothing is written then.
    pub async fn create(&self, new: NewAssistant) -> Result<Record, WriteError> {
        self.create_within(new, None).await
    }

    /// The same where an owner may have at most `max` assistants.
    ///
    /// # Errors
    /// [`WriteError`]; nothing is written then.
    pub async fn create_within(&self, new: NewAssistant, max: Option<u64>) -> Result<Record, WriteError> {
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
        for attempt in 1.. {
            let mut steps = vec![self.put_assistant(&record, None)?];
            steps.extend(self.count_new(&record.owner_id, max).await?);
            let written = self
                .commit_with_claim(steps, &record, record.token_digest.as_deref())
                .await;
            match written {
                // Somebody else has begun the count meanwhile.
                Err(WriteError::Changed) if attempt < MAX_CREATIONS => {}
                written => return written.map(|()| record),
            }
        }
        Err(WriteError::Changed)
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
        steps.extend(self.count_deleted(&read.owner_id).await?);
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
}

fn now() -> String {
    OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default()
}
