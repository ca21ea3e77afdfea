//! The management API: owners create, read, change and delete their assistants.

use std::sync::Arc;

use aws_config::SdkConfig;
use axum::{Json, extract::Path, extract::rejection::PathRejection, http::HeaderMap, routing::get};
use serde_json::Value;
use utoipa_axum::{router::OpenApiRouter, routes};

mod assistants;
mod bodies;
pub mod change;
mod issuer_document;
pub mod jwt;
mod page;
mod responses;
mod trial;
mod usage;
mod validate;

use crate::{
    assistant::{Record, settings, store::Store},
    config::{ManageConfig, Rules},
    error::Error,
    http::document::with_bearer,
    kept_responses::ResponsesTable,
    usage::UsageTable,
};
use jwt::Verifier;
pub use page::Page;

/// What all requests share.
#[derive(Debug)]
pub struct Manage {
    /// Where assistants are kept.
    pub store: Store,
    /// Where replies are counted, if anywhere.
    pub usage: Option<UsageTable>,
    /// Where responses are kept, if anywhere.
    responses: Option<ResponsesTable>,
    /// Who the caller is.
    pub verifier: Verifier,
    /// What the operator allows assistants.
    pub rules: Rules,
    /// The settings page.
    pub page: Page,
}

/// An id in the path. It is decoded, and has to be UTF-8 then.
type Id = Result<Path<String>, PathRejection>;

/// The routes without what surrounds them, to be merged with others.
pub fn routes(manage: Arc<Manage>) -> OpenApiRouter {
    with_bearer("jwt", "JWT", "The owner's JWT; its `sub` is the owner.")
        .routes(routes!(assistants::list, assistants::create))
        .routes(routes!(assistants::show, assistants::update, assistants::delete))
        .routes(routes!(usage::show))
        .routes(routes!(responses::erase))
        .routes(routes!(trial::create))
        .routes(routes!(settings_schema))
        // Not in the document: these are for browsers.
        .route("/", get(page::index))
        .route("/ui/{folder}/{file}", get(page::file))
        .with_state(manage)
}

/// The settings of an assistant, as a JSON Schema of `config.configurable`.
#[utoipa::path(
    get,
    path = "/settings-schema.json",
    tag = "management",
    responses((status = 200, description = "A JSON Schema (draft 2020-12)", body = Object))
)]
async fn settings_schema() -> Json<Value> {
    Json(settings::schema())
}

impl Manage {
    /// Builds the clients; with `JWT_SECRET_ID` the secret is read.
    ///
    /// # Errors
    /// One line that names the setting.
    pub async fn new(config: &ManageConfig, aws: &SdkConfig) -> Result<Self, Box<dyn std::error::Error + Send + Sync>> {
        let store = Store::new(aws, config.tables.clone());
        Ok(Self {
            usage: UsageTable::of(&store),
            // This function keeps none itself.
            responses: ResponsesTable::of(&store, 0),
            store,
            verifier: Verifier::new(&config.jwt, aws).await?,
            rules: config.rules.clone(),
            page: Page::new(&config.page)?,
        })
    }

    /// The caller's own assistant; anybody else's is not there.
    async fn own(&self, headers: &HeaderMap, id: &Id) -> Result<Record, Error> {
        let owner = self.verifier.owner(headers).await?;
        let Ok(Path(id)) = id else {
            return Err(Error::NoSuchAssistant);
        };
        let record = self.store.get(id).await?;
        record
            .filter(|record| record.owner_id == owner)
            .ok_or(Error::NoSuchAssistant)
    }
}
