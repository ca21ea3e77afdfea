//! An answer, for whoever delivers it.

use std::pin::Pin;

use async_stream::stream;
use axum::http::{HeaderMap, HeaderValue};
use futures_util::{Stream, StreamExt};
use serde_json::{Value, value::RawValue};

use crate::{
    chat::delta::{Delta, FinishReason, Usage},
    error::{Error, ProviderError},
    http::OMITTED_PARAMETERS,
    provider::Model,
    stop::Stop,
};

/// An answer that has begun.
pub struct Answer {
    /// The model that gives it.
    pub model: Model,
    /// All of it.
    pub deltas: Deltas,
    /// What it took to get it.
    pub tries: Tries,
    /// The fields that the model was not sent.
    pub omitted: Omitted,
}

/// The fields that were left out of a request because the model rejects them.
#[derive(Debug, Clone, Default)]
pub struct Omitted {
    /// Parameters, by the names that the caller's API has for them.
    pub parameters: Vec<&'static str>,
    /// Fields of our own making: the log alone names them.
    pub own: Vec<&'static str>,
    /// Whether the assistant's owner asks: a late stream then names the parameters too.
    pub for_owner: bool,
}

impl Omitted {
    /// Parameters and own fields together.
    pub(crate) fn fields(&self) -> impl Iterator<Item = &'static str> {
        self.parameters.iter().chain(&self.own).copied()
    }

    /// Names the parameters in a reply's headers.
    pub(crate) fn write(&self, headers: &mut HeaderMap) {
        let names = HeaderValue::try_from(self.parameters.join(", "));
        if let (false, Ok(names)) = (self.parameters.is_empty(), names) {
            headers.insert(OMITTED_PARAMETERS.clone(), names);
        }
    }
}

/// Why there is no answer.
#[derive(Debug)]
pub struct Unanswered {
    /// The failure that the client is told.
    pub error: Error,
    /// What was tried.
    pub tries: Tries,
}

/// What came before the last call to a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tries {
    /// Calls to a model after the first one to it, of all models together.
    pub retries: u32,
    /// Models that failed before the last one was asked.
    pub fallbacks: u32,
    /// Whether it is known that no model was asked at all: the request was refused on its way to the first.
    pub unasked: bool,
    /// The tokens that providers have stated of calls without an answer: they are paid for all the same.
    pub spent: Usage,
}

/// An answer on its way.
pub(crate) type Awaited = Pin<Box<dyn Future<Output = Result<Answer, Unanswered>> + Send>>;

/// The steps of an answer; after an error comes nothing.
pub(crate) type Deltas = Pin<Box<dyn Stream<Item = Result<Delta, Error>> + Send>>;

/// The answer, which fails at the moment when the process is about to end.
pub(crate) fn until(stop: Option<Stop>, awaited: Awaited) -> Awaited {
    let Some(stop) = stop else {
        return awaited;
    };
    Box::pin(async move {
        tokio::select! {
            answer = awaited => answer.map(|answer| Answer { deltas: deltas_until(stop, answer.deltas), ..answer }),
            () = stop.clone().requested() => Err(Unanswered { error: Error::Stopped, tries: Tries::default() }),
        }
    })
}

fn deltas_until(stop: Stop, mut deltas: Deltas) -> Deltas {
    Box::pin(stream! {
        let mut stopped = Box::pin(stop.requested());
        while let Some(delta) = tokio::select! {
            biased;
            () = &mut stopped => Some(Err(Error::Stopped)),
            delta = deltas.next() => delta,
        } {
            let failed = delta.is_err();
            yield delta;
            if failed {
                break;
            }
        }
    })
}

/// Most text of an answer that is kept, in bytes: thinking and log probabilities included. Environments of 128 MB live.
const MAX_KEPT: usize = 8 * 1024 * 1024;

/// How far an answer has come.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Progress {
    finish: Option<FinishReason>,
    usage: Option<Usage>,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    /// Why.
    pub finish: FinishReason,
    /// What it took, where the provider says so.
    pub usage: Option<Usage>,
}

/// The deltas of an answer so far, put together.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    text: String,
    reasoning: String,
    refusal: String,
    logprobs: Option<Logprobs>,
    progress: Progress,
}

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Whole {
    /// `None` where the model refused without a word of content.
    pub text: Option<String>,
    /// The model's thinking, where the assistant shows it.
    pub reasoning: Option<String>,
    /// The model's refusal.
    pub refusal: Option<String>,
    /// As the provider gave them, joined.
    pub logprobs: Option<Box<RawValue>>,
    /// How it ended.
    pub ended: Ended,
}

impl Progress {
    /// Notes what the next delta says of it: of two finish reasons the graver one counts, of two counts the later one.
    pub(crate) fn note(&mut self, delta: &Delta) {
        match delta {
            Delta::Finish(reason) => self.finish = self.finish.max(Some(*reason)),
            Delta::Usage(usage) => self.usage = Some(*usage),
            Delta::Text { .. } | Delta::Reasoning(_) | Delta::Refusal(_) => {}
        }
    }

    /// How the answer ended, now that its deltas have.
    ///
    /// # Errors
    /// Where there was no finish reason: cut-off text must not look complete.
    pub(crate) fn ended(self) -> Result<Ended, Error> {
        let finish = self.finish;
        let finish = finish.ok_or_else(|| ProviderError::failed("the answer has no finish reason"))?;
        let usage = self.usage;
        Ok(Ended { finish, usage })
    }
}

impl Folded {
    /// Puts the next delta to those before.
    ///
    /// # Errors
    /// Where the answer has more than 8 MiB by now.
    pub(crate) fn add(&mut self, delta: &Delta) -> Result<(), Error> {
        self.progress.note(delta);
        match delta {
            Delta::Text { text, logprobs } => {
                self.text.push_str(text);
                if let Some(more) = logprobs {
                    self.logprobs.get_or_insert_default().add(more);
                }
            }
            Delta::Reasoning(reasoning) => self.reasoning.push_str(reasoning),
            Delta::Refusal(refusal) => self.refusal.push_str(refusal),
            Delta::Finish(_) | Delta::Usage(_) => {}
        }
        let logprobs = self.logprobs.as_ref().map_or(0, Logprobs::size);
        if self.text.len() + self.reasoning.len() + self.refusal.len() + logprobs > MAX_KEPT {
            return Err(ProviderError::failed("the answer has more than 8 MiB").into());
        }
        Ok(())
    }

    /// The model's thinking so far.
    pub(crate) fn reasoning(&self) -> &str {
        &self.reasoning
    }

    /// The answer, now that its deltas have ended.
    ///
    /// # Errors
    /// Where there was no finish reason: cut-off text must not look complete.
    pub(crate) fn complete(self) -> Result<Whole, Error> {
        let ended = self.progress.ended()?;
        Ok(self.whole(ended))
    }

    /// The answer, of which it is known how it ended.
    pub(crate) fn whole(self, ended: Ended) -> Whole {
        let refusal = (!self.refusal.is_empty()).then_some(self.refusal);
        let refused_without_text = refusal.is_some() && self.text.is_empty();
        Whole {
            text: (!refused_without_text).then_some(self.text),
            reasoning: (!self.reasoning.is_empty()).then_some(self.reasoning),
            refusal,
            logprobs: self.logprobs.and_then(Logprobs::joined),
            ended,
        }
    }
}

/// `{"content": […], "refusal": […]}`, each delta's lists after the ones before. Kept as JSON text: as values they take ten times
/// the memory.
#[derive(Debug, Default)]
struct Logprobs {
    content: Option<String>,
    refusal: Option<String>,
}

impl Logprobs {
    fn add(&mut self, more: &Value) {
        for (list, name) in [(&mut self.content, "content"), (&mut self.refusal, "refusal")] {
            for token in more[name].as_array().into_iter().flatten() {
                let list = list.get_or_insert_default();
                if !list.is_empty() {
                    list.push(',');
                }
                list.push_str(&token.to_string());
            }
        }
    }

    fn size(&self) -> usize {
        [&self.content, &self.refusal]
            .into_iter()
            .flatten()
            .map(String::len)
            .sum()
    }

    fn joined(self) -> Option<Box<RawValue>> {
        let list = |tokens: Option<String>| tokens.map_or_else(|| "null".to_owned(), |tokens| format!("[{tokens}]"));
        let json = format!(
            "{{\"content\":{},\"refusal\":{}}}",
            list(self.content),
            list(self.refusal)
        );
        RawValue::from_string(json).ok()
    }
}
