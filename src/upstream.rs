//! The one place that talks to providers: sends a prompt, checks the status, retries, watches the time, and turns
//! bytes into deltas.

use std::{
    collections::HashMap,
    pin::Pin,
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_stream::stream;
use futures_util::{Stream, StreamExt};

pub mod call;
pub mod confidential;
pub mod deadline;
pub mod event_stream;
pub mod frames;
pub mod images;
pub mod refused;
pub mod role;

pub use frames::Frame;

use crate::{
    chat::{delta::Delta, prompt::Prompt},
    config::Config,
    error::{Error, ProviderError},
    guard,
    provider::{Model, Provider, capabilities::Capabilities, keys::ProviderKeys},
};
use deadline::Deadline;
use refused::Refused;
use role::Role;

/// How often a call is made at most while nothing of its answer has arrived.
const MAX_ATTEMPTS: u32 = 3;
/// Pause before the second attempt; doubled before each further one, and varied by half.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// How long to wait for usage or an end marker once the finish reason is there.
const AFTER_FINISH: Duration = Duration::from_secs(3);

/// Turns one provider's frames into deltas.
///
/// There are only three things to say: deltas, the end, an error. Input that stops where [`Ending::CutOff`] holds is an
/// error, so that cut-off text cannot look complete.
pub trait Decode: Send {
    /// Takes the next frame.
    ///
    /// # Errors
    /// What the provider reported within its stream, or that the frame is malformed.
    fn decode(&mut self, frame: &Frame) -> Result<Decoded, ProviderError>;

    /// What it means if nothing more comes.
    fn ending(&self) -> Ending;
}

/// What it means if nothing more comes after a frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Ending {
    /// The answer is cut off.
    #[default]
    CutOff,
    /// The answer is complete if the input ends cleanly. A silence or a broken connection cuts it off: more may have
    /// been to come.
    AtEndOfInput,
    /// The answer is complete. Usage or an end marker may follow; neither silence nor a broken connection takes anything
    /// from it, only what the provider itself says is an error.
    Complete,
}

/// What a frame means.
#[derive(Debug, PartialEq)]
pub enum Decoded {
    /// Any number of steps of the answer.
    Deltas(Vec<Delta>),
    /// The provider's own end marker.
    End,
}

/// An answer that has begun.
pub struct Answer {
    /// The model that gives it.
    pub model: Model,
    /// All of it.
    pub deltas: Deltas,
}

/// An answer on its way.
pub type Awaited = Pin<Box<dyn Future<Output = Result<Answer, Error>> + Send>>;

/// The steps of an answer; after an error comes nothing.
pub type Deltas = Pin<Box<dyn Stream<Item = Result<Delta, Error>> + Send>>;

/// Clients and keys, made once at the cold start.
#[derive(Debug)]
pub struct Upstream {
    /// For the operator's endpoints.
    platform: reqwest::Client,
    /// For assistants' own servers: connects to public addresses only.
    /// Made at its first use: most assistants have none, and each client reads the root certificates at the start.
    guarded: OnceLock<reqwest::Client>,
    /// For images, made at its first use too.
    images: OnceLock<reqwest::Client>,
    role: Role,
    connect_timeout: Duration,
    keys: ProviderKeys,
    base_urls: HashMap<Provider, String>,
    allow_private: bool,
    idle: Duration,
    refused: Refused,
}

impl Upstream {
    /// Builds the clients.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn new(config: &Config, role: Role, keys: ProviderKeys) -> Result<Self, reqwest::Error> {
        Ok(Self {
            platform: client(config.timeouts.provider_connect).build()?,
            guarded: OnceLock::new(),
            images: OnceLock::new(),
            role,
            connect_timeout: config.timeouts.provider_connect,
            keys,
            base_urls: config.provider_base_urls.clone(),
            allow_private: config.allow_private_providers,
            idle: config.timeouts.provider_idle,
            refused: Refused::default(),
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
        let built = guard::public_only(client(self.connect_timeout)).build()?;
        Ok(self.guarded.get_or_init(|| built))
    }

    /// Asks the prompt's model, and where it fails before its first text, the fallback models in turn.
    ///
    /// # Errors
    /// Why there is no answer: the first model's failure, since it is the one that the assistant is set to.
    pub async fn answer(self: Arc<Self>, mut prompt: Prompt, deadline: Deadline) -> Result<Answer, Error> {
        let mut fallbacks = std::mem::take(&mut prompt.fallbacks).into_iter();
        let mut first_failure = None;
        loop {
            // Each model that is left gets its share of the time to begin in, and the last one all of it.
            let share = match u32::try_from(fallbacks.len()) {
                Ok(0) | Err(_) => Duration::MAX,
                Ok(others) => deadline.remaining() / others.saturating_add(1),
            };
            let failure = match deadline.within(share, self.ask(&mut prompt, deadline)).await {
                Ok(Ok(deltas)) => {
                    let model = prompt.model;
                    return Ok(Answer { model, deltas });
                }
                Ok(Err(failure)) => failure,
                Err(timeout) => timeout.into(),
            };
            let asks_another = first_failure.is_some() || failure.is_the_models();
            let next = fallbacks
                .next()
                .filter(|_| asks_another && !deadline.remaining().is_zero());
            let Some(next) = next else {
                return Err(first_failure.unwrap_or(failure));
            };
            tracing::warn!(
                failed = prompt.model.name,
                next = next.name,
                code = failure.log_code(),
                cause = failure.cause(),
                "falling back to another model"
            );
            first_failure.get_or_insert(failure);
            prompt.model = next;
        }
    }

    /// Asks one model, again where a failure may pass.
    async fn ask(&self, prompt: &mut Prompt, deadline: Deadline) -> Result<Deltas, Error> {
        if !Capabilities::of(&prompt.model).image_urls {
            self.inline_images(prompt).await?;
        }
        let mut attempt = 1;
        loop {
            let failure = match self.begin(prompt, deadline).await {
                Ok(deltas) => return Ok(deltas),
                Err(failure) => failure,
            };
            let pause = pause_before_next(attempt);
            let hopeless = !matches!(&failure, Error::Provider(error) if error.is_transient());
            if hopeless || attempt == MAX_ATTEMPTS || deadline.remaining() <= pause {
                return Err(failure);
            }
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    /// Waits until an answer has begun: with text, a refusal or its finish, and with thinking only where that is shown.
    async fn begin(&self, prompt: &Prompt, deadline: Deadline) -> Result<Deltas, Error> {
        let shown = prompt.show_reasoning;
        let deltas = self.open(prompt, deadline).await?;
        let mut deltas = deltas.filter(move |delta| {
            let hidden = !shown && matches!(delta, Ok(Delta::Reasoning(_)));
            std::future::ready(!hidden)
        });
        let mut begun = Vec::new();
        while begun.iter().all(|delta| matches!(delta, Delta::Usage(_))) {
            let delta = deltas.next().await;
            begun.push(delta.unwrap_or_else(|| Err(ProviderError::failed("the answer is empty")))?);
        }
        let begun = futures_util::stream::iter(begun.into_iter().map(Ok));
        Ok(Box::pin(begun.chain(deltas.map(|delta| delta.map_err(Error::from)))))
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

/// The steps of an answer from a successful response's frames, up to the answer's end or the first error.
pub fn read_answer(
    mut frames: impl Stream<Item = Result<Frame, ProviderError>> + Send + Unpin,
    mut decoder: Box<dyn Decode>,
) -> impl Stream<Item = Result<Delta, ProviderError>> + Send {
    stream! {
        loop {
            let ending = decoder.ending();
            let next = if ending == Ending::Complete {
                match tokio::time::timeout(AFTER_FINISH, frames.next()).await {
                    Ok(next) => next,
                    Err(_) => return,
                }
            } else {
                frames.next().await
            };
            let decoded = match next {
                None if ending == Ending::CutOff => Err(ProviderError::failed("the stream ended before the answer did")),
                None => return,
                Some(Err(_)) if ending == Ending::Complete => return,
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
