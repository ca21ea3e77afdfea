//! The one place that talks to providers: sends a prompt, checks the status, retries, watches the time, and turns
//! bytes into deltas.

use std::{sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt};

mod call;
mod client;
mod encoding;
mod event_stream;
pub mod frames;
mod hints;
mod images;
pub(crate) mod keys;
mod retold;
pub mod role;
mod server_sent_events;
pub mod steps;

use crate::{
    answer::{Answer, Deltas, Omitted, Tries, Unanswered},
    chat::{
        delta::{Delta, Usage},
        prompt::Prompt,
    },
    config::Config,
    deadline::Deadline,
    error::{Error, ProviderError},
    log,
    provider::{Model, Server, capabilities::Capabilities},
};
use call::Caller;
use images::ImageFetcher;
use keys::ProviderKeys;
use role::ServiceRole;

/// How often a model is called at most while nothing of an answer has arrived.
const MAX_CALLS: u32 = 3;
/// How often, where a call has begun with a status of success and then failed: each such call may be paid for.
const MAX_BEGUN_CALLS: u32 = 2;

/// The calls to one model for one answer.
#[derive(Debug, Default)]
struct Made {
    calls: u32,
    /// The tokens that the provider has stated of the call under way.
    running: Usage,
    /// The tokens of the calls that failed.
    spent: Usage,
}

impl Made {
    /// Notes that the call under way has failed.
    fn end_call(&mut self) {
        self.spent = self.spent + std::mem::take(&mut self.running);
    }
}

/// What asks models, made once at the cold start.
#[derive(Debug)]
pub struct Upstream {
    caller: Caller,
    images: ImageFetcher,
    before_retry: Duration,
}

impl Upstream {
    /// Builds the clients.
    ///
    /// # Errors
    /// Where TLS cannot be set up.
    pub fn new(config: &Config, role: ServiceRole, keys: ProviderKeys) -> Result<Self, reqwest::Error> {
        Ok(Self {
            caller: Caller::new(config, role, keys)?,
            images: ImageFetcher::new(config),
            before_retry: config.timeouts.before_retry,
        })
    }

    /// Asks the model, and where it fails before its first text, the fallback models in turn.
    ///
    /// # Errors
    /// Why there is no answer: the model's own failure, since it is the one that the assistant is set to.
    pub async fn answer(
        self: Arc<Self>,
        mut model: Model,
        fallbacks: Vec<Model>,
        mut prompt: Prompt,
        deadline: Deadline,
    ) -> Result<Answer, Unanswered> {
        let mut fallbacks = fallbacks.into_iter();
        let mut first_failure = None;
        let mut tries = Tries {
            unasked: true,
            ..Tries::default()
        };
        loop {
            // Each model that is left gets its share of the time to begin in, and the last one all of it.
            let share = match u32::try_from(fallbacks.len()) {
                Ok(0) | Err(_) => Duration::MAX,
                Ok(others) => deadline.remaining() / others.saturating_add(1),
            };
            let mut made = Made::default();
            let asked = self.ask(&model, &mut prompt, deadline, &mut made);
            let asked = deadline.within(share, asked).await;
            tries.retries += made.calls.saturating_sub(1);
            tries.unasked &= made.calls == 0;
            if !matches!(asked, Ok(Ok(_))) {
                made.end_call();
            }
            tries.spent = tries.spent + made.spent;
            let failure = match asked {
                Ok(Ok((deltas, omitted))) => {
                    return Ok(Answer {
                        model,
                        deltas,
                        tries,
                        omitted,
                    });
                }
                Ok(Err(failure)) => failure,
                Err(timeout) => timeout.into(),
            };
            let asks_another = first_failure.is_some() || failure.is_the_models();
            let next = fallbacks
                .next()
                .filter(|_| asks_another && !deadline.remaining().is_zero());
            let Some(next) = next else {
                let error = first_failure.unwrap_or(failure);
                return Err(Unanswered { error, tries });
            };
            let fault = failure.fault_at(matches!(model.server, Server::Own(_)));
            tracing::warn!(
                target: log::METRICS,
                failed = model.name,
                next = next.name,
                code = failure.closed_code(),
                cause = failure.cause(),
                fault,
                "falling back to another model"
            );
            tries.fallbacks += 1;
            first_failure.get_or_insert(failure);
            model = next;
        }
    }

    /// Whether a request would be refused before it is sent to the model. Nothing is sent to anybody: where images have to be
    /// fetched first, they and what depends on them are left to the request itself.
    ///
    /// # Errors
    /// The refusal.
    pub(crate) async fn check(&self, model: &Model, prompt: &Prompt) -> Result<(), Error> {
        let is_whole = Capabilities::of(model).image_urls || !images::are_remote(prompt);
        let checked = self.caller.check(model, is_whole.then_some(prompt)).await;
        checked.map_err(|error| prompt.blame(error))
    }

    /// Asks one model, again if a failure may pass. Notes the calls in `made`, also if this future is dropped.
    async fn ask(
        &self,
        model: &Model,
        prompt: &mut Prompt,
        deadline: Deadline,
        made: &mut Made,
    ) -> Result<(Deltas, Omitted), Error> {
        if !Capabilities::of(model).image_urls {
            self.images.put_in_place(prompt).await?;
        }
        let mut terms = self.caller.terms(model)?;
        let mut attempt = 1;
        loop {
            let opened = self
                .caller
                .open(model, prompt, deadline, &mut terms, &mut made.calls)
                .await;
            let (failure, most) = match opened {
                Ok(deltas) => match begun(deltas, prompt.show_reasoning, &mut made.running).await {
                    Ok(deltas) => return Ok((deltas, terms.omitted(prompt))),
                    Err(failure) => (failure.into(), MAX_BEGUN_CALLS),
                },
                Err(failure) => (prompt.blame(failure), MAX_CALLS),
            };
            made.end_call();
            let pause = self.pause_after(attempt);
            let hopeless = !matches!(&failure, Error::Provider(error) if error.is_transient());
            if hopeless || attempt >= most || deadline.remaining() <= pause {
                return Err(failure);
            }
            tokio::time::sleep(pause).await;
            attempt += 1;
        }
    }

    fn pause_after(&self, attempt: u32) -> Duration {
        self.before_retry * 2_u32.pow(attempt - 1) * fastrand::u32(50..150) / 100
    }
}

/// Waits until an answer has begun: with text, a refusal or its finish, and with thinking only where that is shown.
async fn begun(
    deltas: impl Stream<Item = Result<Delta, ProviderError>> + Send + Unpin + 'static,
    shows_reasoning: bool,
    stated: &mut Usage,
) -> Result<Deltas, ProviderError> {
    let mut deltas = deltas.filter(move |delta| {
        let hidden = !shows_reasoning && matches!(delta, Ok(Delta::Reasoning(_)));
        std::future::ready(!hidden)
    });
    let mut begun = Vec::new();
    while begun.iter().all(|delta| matches!(delta, Delta::Usage(_))) {
        let delta = deltas.next().await;
        let delta = delta.unwrap_or_else(|| Err(ProviderError::failed("the answer is empty")))?;
        if let Delta::Usage(usage) = delta {
            *stated = usage;
        }
        begun.push(delta);
    }
    let begun = futures_util::stream::iter(begun.into_iter().map(Ok));
    Ok(Box::pin(begun.chain(deltas.map(|delta| delta.map_err(Error::from)))))
}
