//! Erasing what is kept of an assistant's conversations.

use std::time::{Duration, Instant};

use aws_sdk_dynamodb::types::{AttributeValue, DeleteRequest, WriteRequest};

use super::{Item, ResponsesTable, unreadable};
use crate::{assistant::store::unavailable, error::Error};

/// Most items of one `BatchWriteItem`.
const MAX_BATCH: usize = 25;
/// The longest time for one request's erasing: the management function has 30 seconds.
const MAX_TIME: Duration = Duration::from_secs(20);
/// The pause before what `DynamoDB` had no time for is sent again.
const PAUSE: Duration = Duration::from_millis(50);

impl ResponsesTable {
    /// Erases all responses of an assistant, which may be deleted itself. Returns whether there were any. What is written
    /// meanwhile may stay.
    ///
    /// # Errors
    /// [`Error::NotAllErased`] where the table does not answer, or where time is up: the same request goes on then.
    pub async fn erase(&self, assistant_id: &str, is_deleted: bool) -> Result<bool, Error> {
        self.erase_pages(assistant_id)
            .await
            .map_err(|error| Error::NotAllErased {
                is_deleted,
                cause: error.cause().unwrap_or_default().to_owned(),
            })
    }

    async fn erase_pages(&self, assistant_id: &str) -> Result<bool, Error> {
        let started = Instant::now();
        let mut pages = self
            .client
            .query()
            .table_name(&self.table)
            .key_condition_expression("assistant_id = :id")
            .expression_attribute_values(":id", AttributeValue::S(assistant_id.to_owned()))
            .projection_expression("assistant_id, response_id")
            .consistent_read(true)
            .into_paginator()
            .send();
        let mut were_any = false;
        while let Some(page) = pages.next().await {
            let keys = page.map_err(unavailable)?.items.unwrap_or_default();
            were_any |= !keys.is_empty();
            for batch in keys.chunks(MAX_BATCH) {
                self.delete_batch(batch, started).await?;
            }
        }
        Ok(were_any)
    }

    async fn delete_batch(&self, keys: &[Item], started: Instant) -> Result<(), Error> {
        let mut left = Vec::with_capacity(keys.len());
        for key in keys {
            let delete = DeleteRequest::builder().set_key(Some(key.clone())).build();
            let delete = delete.map_err(|_| unreadable())?;
            left.push(WriteRequest::builder().delete_request(delete).build());
        }
        while !left.is_empty() {
            if started.elapsed() > MAX_TIME {
                return Err(Error::Unavailable {
                    cause: "DynamoDB: there was no time to erase all responses".into(),
                });
            }
            let output = self
                .client
                .batch_write_item()
                .request_items(&self.table, left)
                .send()
                .await
                .map_err(unavailable)?;
            let unprocessed = output.unprocessed_items.unwrap_or_default();
            left = unprocessed.into_values().flatten().collect();
            if !left.is_empty() {
                tokio::time::sleep(PAUSE).await;
            }
        }
        Ok(())
    }
}
