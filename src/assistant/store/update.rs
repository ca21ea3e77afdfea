//! Changing an assistant.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{Store, unavailable};
use crate::{assistant::Record, error::Error};

impl Store {
    /// Writes a new config, if the assistant is still in the version that was read.
    ///
    /// # Errors
    /// [`Error::Unavailable`] where the store does not answer or the assistant has changed meanwhile.
    pub async fn replace_config(&self, read: &Record, config: Value) -> Result<(), Error> {
        let config: AttributeValue = serde_dynamo::to_attribute_value(config)
            .map_err(|error| Error::Misconfigured(format!("its settings cannot be stored ({error}).")))?;
        let now = OffsetDateTime::now_utc().format(&Rfc3339).unwrap_or_default();
        self.client
            .update_item()
            .table_name(&self.tables.assistants)
            .key("assistant_id", AttributeValue::S(read.assistant_id.clone()))
            .update_expression("SET #config = :config, #version = :next, updated_at = :now")
            .condition_expression("#version = :read")
            .expression_attribute_names("#config", "config")
            .expression_attribute_names("#version", "version")
            .expression_attribute_values(":config", config)
            .expression_attribute_values(":read", AttributeValue::N(read.version.to_string()))
            .expression_attribute_values(":next", AttributeValue::N((read.version + 1).to_string()))
            .expression_attribute_values(":now", AttributeValue::S(now))
            .send()
            .await
            .map_err(unavailable)?;
        Ok(())
    }
}
