//! How many assistants an owner has. The index by owner lags behind, so that it cannot bound the number: each creation and
//! each deletion changes a count in its own transaction. The count is an item of the Assistants table beside those of the
//! assistants. It is begun once the operator bounds the number, and kept up from then on.

use aws_sdk_dynamodb::types::{AttributeValue, Select, TransactWriteItem, Update, builders::UpdateBuilder};

use super::{
    Item, Store, number,
    transaction::{Step, WriteError, cannot_encode},
    unavailable,
};
use crate::{error::Error, token::sha256};

/// What the key of a count begins with; an owner's digest follows, since a JWT's `sub` may be longer than a key.
const PREFIX: &str = "owner:";
const COUNT: &str = "assistants";

/// Whether an item of the Assistants table is a count.
pub(super) fn is_count(item: &Item) -> bool {
    let key = item.get("assistant_id").and_then(|key| key.as_s().ok());
    key.is_some_and(|key| key.starts_with(PREFIX))
}

impl Store {
    /// The write that counts one more, if the owner has fewer than `max`; none where nothing is bounded or counted yet.
    ///
    /// # Errors
    /// [`WriteError::TooManyAssistants`], or that the store does not answer.
    pub(super) async fn count_new(&self, owner_id: &str, max: Option<u64>) -> Result<Option<Step>, WriteError> {
        if self.count_of(owner_id).await?.is_none() {
            let Some(max) = max else { return Ok(None) };
            let counted = self.count_index(owner_id).await?;
            if counted >= max {
                return Err(WriteError::TooManyAssistants);
            }
            let first = self
                .update_count(owner_id)
                .update_expression("SET #count = :counted")
                .condition_expression("attribute_not_exists(#count)")
                .expression_attribute_values(":counted", number(counted + 1));
            return Ok(Some(step(first, || WriteError::Changed)?));
        }
        let more = self
            .update_count(owner_id)
            .update_expression("ADD #count :one")
            .expression_attribute_values(":one", number(1));
        let more = match max {
            None => more,
            Some(max) => more
                .condition_expression("#count < :max")
                .expression_attribute_values(":max", number(max)),
        };
        Ok(Some(step(more, || WriteError::TooManyAssistants)?))
    }

    /// The write that counts one less; none where the owner's assistants are not counted.
    pub(super) async fn count_deleted(&self, owner_id: &str) -> Result<Option<Step>, Error> {
        if self.count_of(owner_id).await?.is_none() {
            return Ok(None);
        }
        let less = self
            .update_count(owner_id)
            .update_expression("ADD #count :less")
            .expression_attribute_values(":less", number(-1));
        step(less, || WriteError::Changed).map(Some)
    }

    async fn count_of(&self, owner_id: &str) -> Result<Option<Item>, Error> {
        self.get_item(&self.tables.assistants, "assistant_id", &key(owner_id))
            .await
    }

    /// The number of an owner's assistants, as far as the index knows: for those who had some before they were counted.
    async fn count_index(&self, owner_id: &str) -> Result<u64, Error> {
        let mut pages = self.query_owner(owner_id).select(Select::Count).into_paginator().send();
        let mut counted = 0;
        while let Some(page) = pages.next().await {
            counted += u64::try_from(page.map_err(unavailable)?.count).unwrap_or(0);
        }
        Ok(counted)
    }

    fn update_count(&self, owner_id: &str) -> UpdateBuilder {
        Update::builder()
            .table_name(&self.tables.assistants)
            .key("assistant_id", AttributeValue::S(key(owner_id)))
            .expression_attribute_names("#count", COUNT)
    }
}

fn key(owner_id: &str) -> String {
    format!("{PREFIX}{}", sha256(owner_id))
}

fn step(update: UpdateBuilder, meaning: fn() -> WriteError) -> Result<Step, Error> {
    let update = update.build().map_err(cannot_encode)?;
    Ok((TransactWriteItem::builder().update(update).build(), meaning))
}
