//! Listing assistants.

use aws_sdk_dynamodb::types::AttributeValue;

use super::{Item, Store, record, unavailable};
use crate::{assistant::Record, error::Error};

/// The index of the Assistants table by owner, in the order of creation.
pub const OWNER_INDEX: &str = "by_owner";

impl Store {
    /// All assistants, or all of one owner. An item that cannot be read is left out.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store does not answer.
    pub async fn list(&self, owner_id: Option<&str>) -> Result<Vec<Record>, Error> {
        let items: Vec<Item> = match owner_id {
            Some(owner_id) => {
                let pages = self
                    .client
                    .query()
                    .table_name(&self.tables.assistants)
                    .index_name(OWNER_INDEX)
                    .key_condition_expression("owner_id = :owner")
                    .expression_attribute_values(":owner", AttributeValue::S(owner_id.to_owned()))
                    .into_paginator()
                    .items();
                pages.send().collect::<Result<_, _>>().await.map_err(unavailable)?
            }
            None => {
                let pages = self
                    .client
                    .scan()
                    .table_name(&self.tables.assistants)
                    .into_paginator()
                    .items();
                pages.send().collect::<Result<_, _>>().await.map_err(unavailable)?
            }
        };
        Ok(items.into_iter().filter_map(|item| record(item).ok()).collect())
    }
}
