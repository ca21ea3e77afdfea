//! Leaves hints out of a request that a model rejected, so that no hint costs a caller an answer.
//!
//! No wording is parsed: the names in the error decide, and where there are none, all hints go. A wrong guess costs one call,
//! and is not remembered.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use serde_json::Value;

use crate::{
    answer::Omitted,
    chat::{message::Message, parameters::Parameter, prompt::Prompt},
    error::{ProviderError, Reason, Words},
    protocol::{
        failure::numbers_in,
        learned::{HINTS, Learned},
        names::{Named, mentions, says_unsupported},
    },
};

/// Lowest number in an error that may be a model's limit of tokens.
const MIN_LIMIT: u64 = 16;

/// Everything that is remembered of each model, by its address and name, for the life of the environment.
#[derive(Debug, Default)]
pub(super) struct Memory(Mutex<HashMap<String, Learned>>);

impl Memory {
    /// The terms on which a model is asked first.
    pub(super) fn terms(&self, model_key: String) -> Terms {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Terms {
            learned: all.get(&model_key).copied().unwrap_or_default(),
            model_key,
            ..Terms::default()
        }
    }

    /// Remembers the part of the terms that holds for other requests too.
    pub(super) fn add(&self, terms: &Terms) {
        if terms.to_remember != Learned::default() {
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let learned = all.entry(terms.model_key.clone()).or_default();
            *learned = learned.and(terms.to_remember);
        }
    }
}

/// The terms on which a model is asked for one answer: everything that is left out or lowered.
#[derive(Debug, Default)]
pub(super) struct Terms {
    /// The changes to the prompt.
    pub(super) learned: Learned,
    /// The part of them that spares other requests a rejection too.
    to_remember: Learned,
    /// Whether hints have been left out before.
    has_left_out: bool,
    /// Whether a refused credential has been replaced.
    pub(super) is_renewed: bool,
    model_key: String,
}

/// A request that a model rejected.
pub(super) struct Rejection<'a, E> {
    pub(super) error: &'a ProviderError,
    pub(super) prompt: &'a Prompt,
    /// The body that was sent.
    pub(super) sent: &'a Value,
    /// The body that would be sent.
    pub(super) encode: E,
}

impl<E: Fn(Learned) -> Option<Value>> Rejection<'_, E> {
    fn words(&self) -> &Words {
        &self.error.words
    }

    /// The fields that the error names, by its `param` or else in its text.
    fn named(&self) -> Vec<Named> {
        let words = self.words();
        let of_param = words.param().unwrap_or_default().split(['.', '[', ']', '/']);
        let mut named: Vec<_> = of_param.filter_map(Named::of).collect();
        if named.is_empty() {
            named = Named::all_in(words.text());
        }
        named.dedup();
        named
    }

    fn changes(&self, learned: Learned) -> bool {
        (self.encode)(learned).is_some_and(|body| body != *self.sent)
    }

    /// Whether leaving hints out may help: not if the length, the content, the key or the model is at fault.
    fn is_about_fields(&self) -> bool {
        match (self.words().status(), self.error.rejected()) {
            (Some(400 | 422), Some(rejected)) => {
                matches!(rejected.reason, Reason::Parameter | Reason::Value | Reason::Other)
            }
            (Some(403), _) => true,
            _ => false,
        }
    }

    fn callers_texts(&self) -> impl Iterator<Item = &str> {
        let messages = self.prompt.messages.iter().skip(self.prompt.own_messages);
        messages.flat_map(Message::texts)
    }

    /// The model's limit of tokens: the largest number below what was sent, if the error is about nothing else.
    fn stated_limit(&self, named: &[Named]) -> Option<u64> {
        let text = self.words().text();
        let is_alone = named.iter().all(|one| *one == Named::Parameter(Parameter::MaxTokens));
        let is_minimum = ["minimum", "at least", ">="].iter().any(|word| text.contains(word));
        if named.is_empty() || !is_alone || is_minimum {
            return None;
        }
        let sent = sent_limit(self.sent)?;
        let below = numbers_in(text)
            .into_iter()
            .filter(|number| (MIN_LIMIT..sent).contains(number));
        // Google's "from 1 (inclusive) to 8193 (exclusive)".
        let excluded = u64::from(text.contains("exclusive"));
        Some(below.max()? - excluded)
    }
}

impl Terms {
    /// Names the fields of a prompt that are left out.
    pub(super) fn omitted(&self, prompt: &Prompt) -> Omitted {
        let parameters = prompt.parameters.iter().map(|(parameter, _)| parameter);
        let own = [
            ("stream", self.learned.omits_stream),
            ("stream_options", self.learned.omits_stream_options),
        ];
        Omitted {
            parameters: parameters
                .filter(|parameter| self.learned.omitted.contains(*parameter))
                .map(Parameter::name)
                .collect(),
            own: own
                .into_iter()
                .filter(|(_, is_omitted)| *is_omitted)
                .map(|(name, _)| name)
                .collect(),
            for_owner: prompt.for_owner,
        }
    }

    /// Changes what is sent after a rejection; `false` if nothing else can be sent.
    pub(super) fn change<E: Fn(Learned) -> Option<Value>>(&mut self, rejection: &Rejection<'_, E>) -> bool {
        // The call failed even with the limit that was stated: the number may have been a caller's.
        self.to_remember.max_output = None;
        if !rejection.is_about_fields() {
            return false;
        }
        let named = rejection.named();
        let before = self.learned;
        if let Some(limit) = rejection.stated_limit(&named) {
            self.lower(limit, rejection);
        } else if names_other_limit(rejection.words().text(), rejection.sent) {
            self.learned.other_token_limit = !self.learned.other_token_limit;
            self.to_remember.other_token_limit = self.learned.other_token_limit;
        } else {
            self.leave_out(&named, rejection);
        }
        self.learned != before && rejection.changes(self.learned)
    }

    fn lower<E: Fn(Learned) -> Option<Value>>(&mut self, limit: u64, rejection: &Rejection<'_, E>) {
        self.learned.max_output = Some(limit);
        let mut texts = rejection.callers_texts();
        if !texts.any(|text| numbers_in(text).contains(&limit)) {
            self.to_remember.max_output = Some(limit);
        }
    }

    /// Leaves out the hints that are named, and all of them if none is or if that has not helped.
    fn leave_out<E: Fn(Learned) -> Option<Value>>(&mut self, named: &[Named], rejection: &Rejection<'_, E>) {
        let hints: Vec<_> = named
            .iter()
            .copied()
            .filter(|one| one.is_hint() && rejection.changes(self.learned.and(without(*one))))
            .collect();
        let names_none = !named.iter().any(|one| one.is_hint());
        let is_about_another = !named.is_empty() || rejection.words().status() == Some(403);
        if names_none && is_about_another {
            return;
        }
        for hint in &hints {
            self.learned = self.learned.and(without(*hint));
        }
        if let [hint] = hints[..]
            && named == [hint]
            && rejection
                .error
                .rejected()
                .is_none_or(|rejected| rejected.reason != Reason::Value)
            && says_unsupported(rejection.words().text())
            && !rejection.callers_texts().any(|text| mentions(text, hint))
        {
            self.to_remember = self.to_remember.and(without(hint));
        }
        if hints.is_empty() || self.has_left_out {
            self.learned.omitted = self.learned.omitted.and(HINTS);
        }
        self.has_left_out = true;
    }
}

/// A request without one hint.
fn without(hint: Named) -> Learned {
    let mut learned = Learned::default();
    match hint {
        Named::Parameter(parameter) => {
            learned.omitted.insert(parameter);
        }
        Named::Stream => learned.omits_stream = true,
        Named::StreamOptions => learned.omits_stream_options = true,
        Named::Messages => {}
    }
    learned
}

/// The fields of a body, and those of the objects in it (Google's `generationConfig`, Bedrock's `inferenceConfig`).
fn fields(body: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let outer = body.as_object().into_iter().flatten();
    let inner = body.as_object().into_iter().flat_map(serde_json::Map::values);
    outer.chain(inner.filter_map(Value::as_object).flatten())
}

fn sent_limit(body: &Value) -> Option<u64> {
    let is_limit = |name: &str| Named::of(name) == Some(Named::Parameter(Parameter::MaxTokens));
    fields(body).find_map(|(name, value)| value.as_u64().filter(|_| is_limit(name)))
}

/// Whether an error names the token limit by the one of OpenAI's two names that was not sent. Azure's deployments have names
/// of their own, which do not say which of the two the model wants.
fn names_other_limit(text: &str, body: &Value) -> bool {
    let other = match (body.get("max_tokens"), body.get("max_completion_tokens")) {
        (Some(_), None) => "max_completion_tokens",
        (None, Some(_)) => "max_tokens",
        _ => return false,
    };
    text.contains(other)
}

#[cfg(test)]
mod tests;
