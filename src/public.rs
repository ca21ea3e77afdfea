//! The public function: its routes, and who may use them.

use std::sync::Arc;

use aws_config::SdkConfig;
use axum::{
    extract::Request,
    http::{HeaderMap, header, request::Parts},
    routing::get,
};
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

pub mod chat_completions;
mod models;

use crate::{
    assistant::{
        Assistant,
        store::{Lookup, Store},
    },
    config::{Config, Timeouts},
    deadline::Deadline,
    error::Error,
    http::document::with_bearer,
    limit::{Limits, RateLimit},
    secrets::secrets_client,
    token::Token,
    upstream::{Upstream, keys::ProviderKeys, role::ServiceRole},
    usage::{
        UsageTable,
        limiter::{Asking, Limiter},
    },
    way_in::Caller,
};

/// What all requests share.
#[derive(Debug)]
pub struct App {
    /// Where assistants are found.
    pub store: Store,
    /// What calls their models.
    pub upstream: Arc<Upstream>,
    /// Where replies are counted, if anywhere.
    pub usage: Option<UsageTable>,
    /// Time limits.
    pub timeouts: Timeouts,
    limiter: Limiter,
    /// The operator's.
    ceilings: Limits,
}

/// The routes without what surrounds them, to be merged with others.
pub fn routes(app: Arc<App>) -> OpenApiRouter {
    with_bearer("public_token", "public token", "An assistant's own public token.")
        .routes(routes!(chat_completions::chat_completions))
        .routes(routes!(models::list_models))
        // Axum's word for any id, slashes included, is not the document's.
        .route("/public/openai/v1/models/{*id}", get(models::show_model))
        .merge(OpenApiRouter::with_openapi(models::ShowModel::openapi()))
        .with_state(app)
}

impl App {
    /// Builds the clients; nothing is sent yet. `role` calls Bedrock.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn new(config: &Config, aws: &SdkConfig, role: ServiceRole) -> Result<Self, reqwest::Error> {
        let secret = config.provider_keys_secret.clone().map(|id| (id, secrets_client(aws)));
        let keys = ProviderKeys::new(config.provider_keys.clone(), secret);
        let store = Store::new(aws, config.tables.clone());
        let usage = UsageTable::of(&store);
        Ok(Self {
            limiter: Limiter::new(usage.clone()),
            ceilings: config.rules.ceilings.clone(),
            usage,
            store,
            upstream: Arc::new(Upstream::new(config, role, keys)?),
            timeouts: config.timeouts.clone(),
        })
    }

    async fn assistant_of(&self, request: Request) -> Result<Assistant, Error> {
        let (parts, _) = request.into_parts();
        self.authorize(&parts.headers, function_deadline(&parts)).await
    }

    /// The assistant of the request's token, if it may be called from where the request comes from.
    async fn authorize(&self, headers: &HeaderMap, deadline: Deadline) -> Result<Assistant, Error> {
        let digest = Token::from_headers(headers)?.digest();
        let found = tokio::time::timeout(deadline.remaining(), self.store.find(&digest)).await;
        match found.unwrap_or_else(|_| Err(out_of_time()))? {
            Lookup::Unknown => Err(Error::InvalidToken),
            Lookup::Deleted => Err(Error::AssistantNotFound),
            Lookup::Found(assistant) => {
                // An origin that is no text is in no list.
                let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or("?"));
                assistant.check_access(origin)?;
                Ok(*assistant)
            }
        }
    }

    /// Lets a request in, counted against the assistant's limits; the last step before a model is called.
    async fn admit(
        &self,
        assistant: &Assistant,
        limits: &Limits,
        caller: Caller,
        deadline: Deadline,
    ) -> Result<Option<RateLimit>, Error> {
        let asking = Asking {
            assistant_id: assistant.id(),
            limits,
            fail_closed: assistant.limits_fail_closed(),
            caller,
        };
        let admitted = tokio::time::timeout(deadline.remaining(), self.limiter.admit(&asking)).await;
        admitted.unwrap_or_else(|_| Err(out_of_time()))
    }
}

fn out_of_time() -> Error {
    Error::Unavailable {
        cause: "DynamoDB: the function's time is up".into(),
    }
}

fn function_deadline(parts: &Parts) -> Deadline {
    let context = parts.extensions.get::<lambda_runtime::Context>();
    Deadline::new(context.map(lambda_runtime::Context::deadline))
}
