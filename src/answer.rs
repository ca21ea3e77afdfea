//! An answer, for whoever delivers it.

use std::pin::Pin;

use futures_util::Stream;
use serde_json::{Value, json};

use crate::{
    chat::delta::{Delta, FinishReason, Usage},
    error::{Error, ProviderError},
    provider::Model,
};

/// An answer that has begun.
pub struct Answer {
    /// The model that gives it.
    pub model: Model,
    /// All of it.
    pub deltas: Deltas,
    /// What it took to get it.
    pub tries: Tries,
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
}

/// An answer on its way.
pub(crate) type Awaited = Pin<Box<dyn Future<Output = Result<Answer, Unanswered>> + Send>>;

/// The steps of an answer; after an error comes nothing.
pub(crate) type Deltas = Pin<Box<dyn Stream<Item = Result<Delta, Error>> + Send>>;

/// The deltas of an answer so far, put together.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    text: String,
    reasoning: String,
    refusal: String,
    logprobs: Option<Value>,
    finish: Option<FinishReason>,
    usage: Option<Usage>,
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
    pub logprobs: Option<Value>,
    /// Why it ended.
    pub finish: FinishReason,
    /// What it took, where the provider says so.
    pub usage: Option<Usage>,
}

impl Folded {
    /// Puts the next delta to those before.
    pub(crate) fn add(&mut self, delta: Delta) {
        match delta {
            Delta::Text { text, logprobs } => {
                self.text.push_str(&text);
                if let Some(more) = logprobs {
                    join_logprobs(self.logprobs.get_or_insert_with(|| json!({})), more);
                }
            }
            Delta::Reasoning(reasoning) => self.reasoning.push_str(&reasoning),
            Delta::Refusal(refusal) => self.refusal.push_str(&refusal),
            Delta::Finish(reason) => self.finish = Some(reason),
            Delta::Usage(usage) => self.usage = Some(usage),
        }
    }

    /// The answer, now that its deltas have ended.
    ///
    /// # Errors
    /// Where there was no finish reason: cut-off text must not look complete.
    pub(crate) fn complete(self) -> Result<Whole, Error> {
        let finish = self
            .finish
            .ok_or_else(|| ProviderError::failed("the answer has no finish reason"))?;
        let refusal = (!self.refusal.is_empty()).then_some(self.refusal);
        let refused_without_text = refusal.is_some() && self.text.is_empty();
        Ok(Whole {
            text: (!refused_without_text).then_some(self.text),
            reasoning: (!self.reasoning.is_empty()).then_some(self.reasoning),
            refusal,
            logprobs: self.logprobs,
            finish,
            usage: self.usage,
        })
    }
}

/// `{"content": […], "refusal": […]}`: each delta's lists go after the ones before.
fn join_logprobs(all: &mut Value, mut more: Value) {
    for name in ["content", "refusal"] {
        match (&mut all[name], more[name].take()) {
            (Value::Array(all), Value::Array(more)) => all.extend(more),
            (all, more) if all.is_null() => *all = more,
            _ => {}
        }
    }
}
