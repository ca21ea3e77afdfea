//! Listing assistants.

use aws_sdk_dynamodb::{operation::query::builders::QueryFluentBuilder, types::AttributeValue};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

use super::{Item, MAX_ID, Store, owners::is_count, record, string, unavailable};
use crate::{assistant::Record, error::Error};

/// The index of the Assistants table by owner, in the order of creation.
pub(crate) const OWNER_INDEX: &str = "by_owner";

/// Most assistants on a page.
pub(crate) const MAX_PAGE: i32 = 100;

impl Store {
    /// A page of an owner's assistants in the order of creation, and where the next one begins, if there is one.
    ///
    /// # Errors
    /// A 400 for an `after` that is none of ours; [`Error::Unavailable`] where the store does not answer.
    pub async fn page(
        &self,
        owner_id: &str,
        limit: i32,
        after: Option<&str>,
    ) -> Result<(Vec<Record>, Option<String>), Error> {
        let start = after.map(|after| start_key(owner_id, after)).transpose()?;
        let output = self
            .query_owner(owner_id)
            .limit(limit)
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(unavailable)?;
        let next = output.last_evaluated_key.and_then(|mut key| {
            let created_at = string(&mut key, "created_at")?;
            let assistant_id = string(&mut key, "assistant_id")?;
            Some(BASE64_URL_SAFE_NO_PAD.encode(format!("{created_at} {assistant_id}")))
        });
        Ok((readable(output.items.unwrap_or_default()), next))
    }

    /// All assistants, or all of one owner. An item that cannot be read is left out.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store does not answer.
    pub async fn list(&self, owner_id: Option<&str>) -> Result<Vec<Record>, Error> {
        let items: Vec<Item> = if let Some(owner_id) = owner_id {
            let pages = self.query_owner(owner_id).into_paginator().items();
            pages.send().collect::<Result<_, _>>().await.map_err(unavailable)?
        } else {
            let pages = self
                .client
                .scan()
                .table_name(&self.tables.assistants)
                .into_paginator()
                .items();
            pages.send().collect::<Result<_, _>>().await.map_err(unavailable)?
        };
        Ok(readable(items))
    }

    pub(super) fn query_owner(&self, owner_id: &str) -> QueryFluentBuilder {
        self.client
            .query()
            .table_name(&self.tables.assistants)
            .index_name(OWNER_INDEX)
            .key_condition_expression("owner_id = :owner")
            .expression_attribute_values(":owner", AttributeValue::S(owner_id.to_owned()))
    }
}

fn readable(items: Vec<Item>) -> Vec<Record> {
    let assistants = items.into_iter().filter(|item| !is_count(item));
    assistants.filter_map(|item| record(item).ok()).collect()
}

/// The key that a page's `next` stands for. The owner is the caller's own, whatever the text says.
fn start_key(owner_id: &str, after: &str) -> Result<Item, Error> {
    let text = BASE64_URL_SAFE_NO_PAD
        .decode(after)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let is_key = |part: &str| !part.is_empty() && part.len() <= MAX_ID;
    let key = text.as_deref().and_then(|text| text.split_once(' '));
    let key = key.filter(|(created_at, assistant_id)| is_key(created_at) && is_key(assistant_id));
    let (created_at, assistant_id) =
        key.ok_or_else(|| Error::invalid("after", "'after' must be the `next` of the page before."))?;
    let attribute = |name: &str, value: &str| (name.to_owned(), AttributeValue::S(value.to_owned()));
    Ok(Item::from([
        attribute("owner_id", owner_id),
        attribute("created_at", created_at),
        attribute("assistant_id", assistant_id),
    ]))
}
