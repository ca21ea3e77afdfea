//! The one place that talks to providers: sends a prompt, checks the status, retries, watches the time, and turns
//! bytes into deltas.

use std::{
    collections::{HashMap, HashSet},
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use async_stream::stream;
use futures_util::{Stream, StreamExt};

pub mod call;
pub mod deadline;
pub mod frames;
pub mod guard;

pub use frames::Frame;

use crate::{
    chat::{delta::Delta, prompt::Prompt},
    config::Config,
    error::{Error, ProviderError},
    provider::{Provider, keys::ProviderKeys},
};
use deadline::Deadline;

/// How often a call is made at most while nothing of its answer has arrived.
const MAX_ATTEMPTS: u32 = 3;
/// Pause before the second attempt; doubled before each further one, and varied by half.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// How long to wait for usage or an end marker once the finish reason is there.
const AFTER_FINISH: Duration = Duration::from_secs(3);

/// Turns one provider's frames into deltas.
///
/// There are only three things to say: deltas, the end, an error. Input that stops without the end is an error, so
/// that cut-off text cannot look complete.
pub trait Decode: Send {
    /// Takes the next frame.
    ///
    /// # Errors
    /// What the provider reported within its stream, or that the frame is malformed.
    fn decode(&mut self, frame: &Frame) -> Result<Decoded, ProviderError>;

    /// Whether the answer is complete if the input ends here.
    fn may_end(&self) -> bool;
}

/// What a frame means.
#[derive(Debug, PartialEq)]
pub enum Decoded {
    /// Any number of steps of the answer.
    Deltas(Vec<Delta>),
    /// The provider's own end marker.
    End,
}

/// The steps of an answer. The first is text, a refusal or the finish; after an error comes nothing.
pub type Deltas = Pin<Box<dyn Stream<Item = Result<Delta, Error>> + Send>>;

/// Clients and keys, made once at the cold start.
#[derive(Debug)]
pub struct Upstream {
    /// For the operator's endpoints.
    platform: reqwest::Client,
    /// For assistants' own servers: connects to public addresses only.
    /// Made at its first use: most assistants have none, and each client reads the root certificates at the start.
    guarded: OnceLock<reqwest::Client>,
    connect_timeout: Duration,
    keys: ProviderKeys,
    base_urls: HashMap<Provider, String>,
    allow_private: bool,
    idle: Duration,
    /// Parameters that a model turned down, by [`call::Endpoint::model_key`].
    refused_parameters: Mutex<HashMap<String, HashSet<String>>>,
}

impl Upstream {
    /// Builds the clients.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn new(config: &Config, keys: ProviderKeys) -> Result<Self, reqwest::Error> {
        Ok(Self {
            platform: client(config.timeouts.provider_connect).build()?,
            guarded: OnceLock::new(),
            connect_timeout: config.timeouts.provider_connect,
            keys,
            base_urls: config.provider_base_urls.clone(),
            allow_private: config.allow_private_providers,
            idle: config.timeouts.provider_idle,
            refused_parameters: Mutex::default(),
        })
    }

    /// The client for an assistant's own server.
    fn guarded(&self) -> Result<&reqwest::Client, reqwest::Error> {
        if self.allow_private {
            return Ok(&self.platform);
        }
        if let Some(client) = self.guarded.get() {
            return Ok(client);
        }
        let built = client(self.connect_timeout)
            .dns_resolver(Arc::new(guard::PublicOnly))
            .build()?;
        Ok(self.guarded.get_or_init(|| built))
    }

    /// Asks the model. Nothing is sent before the stream is polled.
    pub fn answer(self: Arc<Self>, prompt: Prompt, deadline: Deadline) -> Deltas {
        Box::pin(stream! {
            let mut attempt = 1;
            loop {
                let mut started = false;
                let failure = match self.open(&prompt, deadline).await {
                    Err(failure) => failure,
                    Ok(mut deltas) => loop {
                        match deltas.next().await {
                            None => return,
                            Some(Err(failure)) => break failure.into(),
                            Some(Ok(delta)) => {
                                started = true;
                                yield Ok(delta);
                            }
                        }
                    },
                };
                let pause = pause_before_next(attempt);
                let hopeless = !matches!(&failure, Error::Provider(error) if error.is_transient());
                if started || hopeless || attempt == MAX_ATTEMPTS || deadline.remaining() <= pause {
                    yield Err(failure);
                    return;
                }
                tokio::time::sleep(pause).await;
                attempt += 1;
            }
        })
    }

    fn omitted(&self, model_key: &str) -> HashSet<String> {
        let refused = self.refused_parameters.lock().unwrap_or_else(PoisonError::into_inner);
        refused.get(model_key).cloned().unwrap_or_default()
    }

    /// Remembers, for the life of this environment, that a model turned a parameter down.
    fn remember(&self, model_key: String, parameter: &str) {
        let mut refused = self.refused_parameters.lock().unwrap_or_else(PoisonError::into_inner);
        refused.entry(model_key).or_default().insert(parameter.to_owned());
    }
}

fn client(connect_timeout: Duration) -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .connect_timeout(connect_timeout)
        // A redirect could lead a key to another host or past the address check.
        .redirect(reqwest::redirect::Policy::none())
        .tcp_nodelay(true)
        .user_agent(concat!("assistant-endpoint/", env!("CARGO_PKG_VERSION")))
}

fn pause_before_next(attempt: u32) -> Duration {
    FIRST_PAUSE * 2_u32.pow(attempt - 1) * fastrand::u32(50..150) / 100
}

/// The steps of an answer from a successful response, up to the answer's end or the first error.
pub fn read_answer(
    response: reqwest::Response,
    mut decoder: Box<dyn Decode>,
    idle: Duration,
    deadline: Deadline,
) -> impl Stream<Item = Result<Delta, ProviderError>> + Send {
    let mut frames = frames::read(response, idle, deadline);
    stream! {
        loop {
            let next = if decoder.may_end() {
                // The answer is whole. Usage may follow, and whatever else happens takes nothing from it.
                match tokio::time::timeout(AFTER_FINISH, frames.next()).await {
                    Ok(Some(Ok(frame))) => Some(Ok(frame)),
                    _ => return,
                }
            } else {
                frames.next().await
            };
            let decoded = match next {
                None => Err(ProviderError::failed("the stream ended before the answer did")),
                Some(frame) => frame.and_then(|frame| decoder.decode(&frame)),
            };
            match decoded {
                Err(error) => {
                    yield Err(error);
                    return;
                }
                Ok(Decoded::End) => return,
                Ok(Decoded::Deltas(deltas)) => {
                    for delta in deltas {
                        yield Ok(delta);
                    }
                }
            }
        }
    }
}
