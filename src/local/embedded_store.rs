//! A real `DynamoDB` API over `SQLite` (dynoxide), in memory or in a file, with the project's two tables.

use std::{io, net::SocketAddr, path::Path};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_dynamodb::{
    Client,
    config::Credentials,
    types::{
        AttributeDefinition, BillingMode, GlobalSecondaryIndex, KeySchemaElement, KeyType, Projection, ProjectionType,
        ScalarAttributeType, TimeToLiveSpecification,
    },
};
use tokio::net::TcpListener;

use crate::{
    assistant::store::{TOKEN_DIGEST_INDEX, list::OWNER_INDEX},
    config::Tables,
};

/// Why the store could not be opened.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// Starts the store on `listener`, over `file` or in memory, and makes the tables where they are missing.
///
/// # Errors
/// Where the file cannot be used.
pub async fn start(listener: TcpListener, file: Option<&Path>) -> Result<SdkConfig, Error> {
    let database = match file {
        Some(file) => {
            if let Some(folder) = file.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let path = file.to_str().ok_or_else(|| io::Error::other("the path is not UTF-8"))?;
            dynoxide::Database::new(path).map_err(|error| {
                format!("{path} cannot be opened as a store ({error}). Choose another file with --data.")
            })?
        }
        None => dynoxide::Database::memory()?,
    };
    let aws = client_config(listener.local_addr()?).await;
    tokio::spawn(dynoxide::server::serve_on(listener, database));
    create_tables(&Client::new(&aws)).await?;
    Ok(aws)
}

/// Where everything local is said to be.
pub const REGION: &str = "us-east-1";

/// How the AWS SDK reaches a store on this machine. The credentials are dummies.
pub async fn client_config(address: SocketAddr) -> SdkConfig {
    aws_config::defaults(BehaviorVersion::latest())
        .region(Region::from_static(REGION))
        .credentials_provider(Credentials::new("local", "local", None, None, "local"))
        .endpoint_url(format!("http://{address}"))
        .load()
        .await
}

/// The tables' names on this machine.
pub fn tables() -> Tables {
    Tables {
        assistants: "Assistants".into(),
        token_claims: "TokenClaims".into(),
        usage: Some("Usage".into()),
        responses: Some("Responses".into()),
    }
}

async fn create_tables(client: &Client) -> Result<(), Error> {
    let existing = client.list_tables().send().await?.table_names.unwrap_or_default();
    let tables = tables();
    if !existing.contains(&tables.assistants) {
        create_assistants_table(client, &tables.assistants).await?;
    }
    if !existing.contains(&tables.token_claims) {
        create_claims_table(client, &tables.token_claims).await?;
    }
    // Twins of `UsageTable` and `ResponsesTable` in `template.yaml`.
    for (table, sort_key) in [(tables.usage, "period"), (tables.responses, "response_id")] {
        if let Some(table) = table.filter(|table| !existing.contains(table)) {
            create_table_by_assistant(client, &table, sort_key).await?;
        }
    }
    Ok(())
}

/// The twin of `TokenClaimsTable` in `template.yaml`.
async fn create_claims_table(client: &Client, name: &str) -> Result<(), Error> {
    client
        .create_table()
        .table_name(name)
        .attribute_definitions(string_attribute("token_digest")?)
        .key_schema(key("token_digest", KeyType::Hash)?)
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await?;
    expire(client, name).await
}

/// A table of what belongs to an assistant, which expires.
async fn create_table_by_assistant(client: &Client, name: &str, sort_key: &str) -> Result<(), Error> {
    client
        .create_table()
        .table_name(name)
        .attribute_definitions(string_attribute("assistant_id")?)
        .attribute_definitions(string_attribute(sort_key)?)
        .key_schema(key("assistant_id", KeyType::Hash)?)
        .key_schema(key(sort_key, KeyType::Range)?)
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await?;
    expire(client, name).await
}

/// Has the table's items deleted some time after their `expires_at`.
async fn expire(client: &Client, name: &str) -> Result<(), Error> {
    let expiry = TimeToLiveSpecification::builder()
        .attribute_name("expires_at")
        .enabled(true)
        .build()?;
    client
        .update_time_to_live()
        .table_name(name)
        .time_to_live_specification(expiry)
        .send()
        .await?;
    Ok(())
}

/// The twin of `AssistantsTable` in `template.yaml`.
async fn create_assistants_table(client: &Client, name: &str) -> Result<(), Error> {
    let by_token_digest = GlobalSecondaryIndex::builder()
        .index_name(TOKEN_DIGEST_INDEX)
        .key_schema(key("token_digest", KeyType::Hash)?)
        .projection(projection(ProjectionType::KeysOnly))
        .build()?;
    let by_owner = GlobalSecondaryIndex::builder()
        .index_name(OWNER_INDEX)
        .key_schema(key("owner_id", KeyType::Hash)?)
        .key_schema(key("created_at", KeyType::Range)?)
        .projection(projection(ProjectionType::All))
        .build()?;
    client
        .create_table()
        .table_name(name)
        .attribute_definitions(string_attribute("assistant_id")?)
        .attribute_definitions(string_attribute("token_digest")?)
        .attribute_definitions(string_attribute("owner_id")?)
        .attribute_definitions(string_attribute("created_at")?)
        .key_schema(key("assistant_id", KeyType::Hash)?)
        .global_secondary_indexes(by_token_digest)
        .global_secondary_indexes(by_owner)
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await?;
    Ok(())
}

fn key(name: &str, kind: KeyType) -> Result<KeySchemaElement, Error> {
    Ok(KeySchemaElement::builder()
        .attribute_name(name)
        .key_type(kind)
        .build()?)
}

fn string_attribute(name: &str) -> Result<AttributeDefinition, Error> {
    Ok(AttributeDefinition::builder()
        .attribute_name(name)
        .attribute_type(ScalarAttributeType::S)
        .build()?)
}

fn projection(kind: ProjectionType) -> Projection {
    Projection::builder().projection_type(kind).build()
}
