//! The public function: its routes, and who may use them.

use std::{sync::Arc, time::Instant};

use aws_config::SdkConfig;
use axum::{
    body::Bytes,
    extract::Request,
    http::{HeaderMap, header, request::Parts},
    response::Response,
    routing::get,
};
use futures_util::TryFutureExt;
use time::OffsetDateTime;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

mod body;
pub mod chat_completions;
mod models;
pub mod responses;

use crate::{
    answer::{self, Unanswered},
    assistant::{
        Assistant,
        store::{Lookup, Store},
    },
    chat::{message::Message, parameters::Parameters, prompt::Prompt},
    config::{Config, Timeouts},
    deadline::Deadline,
    error::Error,
    http::{document::with_bearer, read_body},
    kept_responses::ResponsesTable,
    limit::{Limits, RateLimit},
    record::ReplyRecord,
    reply::{self, form::Form},
    secrets::secrets_client,
    token::Token,
    upstream::{Upstream, keys::ProviderKeys, role::ServiceRole},
    usage::{
        UsageTable,
        limiter::{Asking, Limiter},
    },
    way_in::Caller,
};

/// Largest body of a request for an answer, in bytes.
const MAX_BODY: usize = 4 * 1024 * 1024;

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
    /// Where responses are kept, if anywhere.
    responses: Option<ResponsesTable>,
    limiter: Limiter,
    /// The operator's.
    ceilings: Limits,
}

/// A request for an answer that has been let in.
struct Entered {
    parts: Parts,
    started: Instant,
    /// The function's.
    deadline: Deadline,
    assistant: Assistant,
    /// Whether its owner tries it.
    is_trial: bool,
    limits: Limits,
    caller: Caller,
}

/// A request for an answer, as its front has read it.
struct Asked<F> {
    messages: Vec<Message>,
    parameters: Parameters,
    /// Whether the reply is a stream.
    stream: bool,
    /// Chat completions' names of fields, and those that this API has for them, for errors.
    renamed: &'static [(&'static str, &'static str)],
    /// What the reply looks like.
    form: F,
}

/// The routes without what surrounds them, to be merged with others.
pub fn routes(app: Arc<App>) -> OpenApiRouter {
    with_bearer("public_token", "public token", "An assistant's own public token.")
        .routes(routes!(chat_completions::chat_completions))
        .routes(routes!(responses::create_response))
        .routes(routes!(
            responses::kept::show_response,
            responses::kept::delete_response
        ))
        .routes(routes!(responses::kept::list_input_items))
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
            responses: ResponsesTable::of(&store, config.responses_ttl_days),
            store,
            upstream: Arc::new(Upstream::new(config, role, keys)?),
            timeouts: config.timeouts.clone(),
        })
    }

    /// The first half of the path of a request for an answer: whom it asks, and its body.
    async fn enter(&self, request: Request) -> Result<(Entered, Bytes), Error> {
        let started = Instant::now();
        let (parts, body) = request.into_parts();
        let deadline = function_deadline(&parts);
        let body = read_body(&parts.headers, body, MAX_BODY).await;
        let (assistant, is_trial) = self.authorize(&parts.headers, deadline).await?;
        let entered = Entered {
            started,
            is_trial,
            deadline,
            limits: assistant.limits(&self.ceilings)?,
            caller: parts.extensions.get().copied().unwrap_or_default(),
            parts,
            assistant,
        };
        // Before anything else is read for the request.
        self.limiter.recall(&entered.asking())?;
        Ok((entered, body?))
    }

    /// The second half of the path, once the front has read the body: each step is a module of this crate.
    async fn answer<F: Form>(&self, entered: Entered, asked: Asked<F>) -> Result<Response, Error> {
        let (stream, renamed, form) = (asked.stream, asked.renamed, asked.form);
        let assistant = &entered.assistant;
        let (model, fallbacks) = (assistant.model()?, assistant.fallback_models()?);
        let prompt = assistant.prompt(asked.messages, asked.parameters, &entered.limits);
        let prompt = Prompt {
            for_owner: entered.is_trial,
            ..prompt.map_err(|error| error.renamed(renamed))?
        };
        let limit = if stream {
            self.timeouts.max_stream
        } else {
            self.timeouts.buffered
        };
        let deadline = entered.deadline.limited(entered.started, limit);
        if entered.limits.counted().next().is_some() {
            // What is refused on its way to the model is not to be counted.
            let checked = self.upstream.check(&model, &prompt).await;
            checked.map_err(|error| error.renamed(renamed))?;
        }
        let left = self.admit(&entered.asking(), deadline).await?;
        let assistant_id = assistant.id().to_owned();
        let mut record = ReplyRecord::new(assistant_id.clone(), &model, stream, entered.started, deadline);
        if let Some(usage) = &self.usage {
            record.at_end(usage.settling(assistant_id, prompt.text_bytes()));
        }
        let answer = Arc::clone(&self.upstream).answer(model, fallbacks, prompt, deadline);
        let answer = answer.map_ok(move |mut answer| {
            rename(&mut answer.omitted.parameters, renamed);
            answer
        });
        let answer = Box::pin(answer.map_err(|unanswered| Unanswered {
            error: unanswered.error.renamed(renamed),
            ..unanswered
        }));
        let answer = answer::until(entered.parts.extensions.get().cloned(), answer);
        let reply = if stream {
            reply::streamed::reply(answer, form, &self.timeouts, record).await
        } else {
            reply::buffered::reply(answer, form, record).await
        };
        // The reply's own record says why there is none.
        let mut reply = reply.unwrap_or_else(Error::into_logged_response);
        if let Some(left) = left {
            left.write(reply.headers_mut());
        }
        Ok(reply)
    }

    async fn assistant_of(&self, parts: &Parts) -> Result<Assistant, Error> {
        let (assistant, _) = self.authorize(&parts.headers, function_deadline(parts)).await?;
        Ok(assistant)
    }

    /// The assistant of the request's token, if it may be called from where the request comes from, and whether the token is
    /// a trial's.
    async fn authorize(&self, headers: &HeaderMap, deadline: Deadline) -> Result<(Assistant, bool), Error> {
        let digest = Token::from_headers(headers)?.digest();
        let found = tokio::time::timeout(deadline.remaining(), self.store.find(&digest)).await;
        let found = found.unwrap_or_else(|_| Err(out_of_time()))?;
        if let Lookup::Trial(assistant) | Lookup::Found(assistant) = &found {
            // Whatever becomes of the request: its lines say whose it was.
            tracing::Span::current().record("assistant_id", assistant.id());
        }
        match found {
            Lookup::Unknown => Err(Error::InvalidToken),
            Lookup::Deleted => Err(Error::AssistantNotFound),
            Lookup::Trial(assistant) => Ok((*assistant, true)),
            Lookup::Found(assistant) => {
                // A non-ASCII `Origin` never matches the allowed origins.
                let origin = headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or("?"));
                assistant.check_access(origin)?;
                Ok((*assistant, false))
            }
        }
    }

    /// Lets a request in, counted against its limits; the last step before a model is called or a kept response is read.
    async fn admit(&self, asking: &Asking<'_>, deadline: Deadline) -> Result<Option<RateLimit>, Error> {
        let admitted = tokio::time::timeout(deadline.remaining(), self.limiter.admit(asking)).await;
        admitted.unwrap_or_else(|_| Err(out_of_time()))
    }
}

impl Entered {
    fn asking(&self) -> Asking<'_> {
        Asking {
            assistant_id: self.assistant.id(),
            limits: &self.limits,
            fail_closed: self.assistant.limits_fail_closed(),
            caller: self.caller,
        }
    }
}

/// Gives parameters the names that the caller's API has for them.
fn rename(parameters: &mut [&'static str], renamed: &[(&'static str, &'static str)]) {
    for name in parameters {
        if let Some((_, newer)) = renamed.iter().find(|(older, _)| older == name) {
            *name = newer;
        }
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

/// Seconds since the epoch.
fn now() -> i64 {
    OffsetDateTime::now_utc().unix_timestamp()
}
