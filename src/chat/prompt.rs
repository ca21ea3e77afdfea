//! What a model is asked: the assistant's own settings and the request, made one.

use std::sync::Arc;

use super::{message::Message, parameters::Parameters};
use crate::error::Error;

/// Everything that a provider's request is encoded from.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// The assistant's system message, then the client's messages in their order.
    pub messages: Arc<Vec<Message>>,
    /// The request's own, else the assistant's defaults.
    pub parameters: Parameters,
    /// How many of the messages, at the beginning, are the assistant's own.
    pub own_messages: usize,
    /// Whether the model's thinking is shown beside its answer.
    pub show_reasoning: bool,
    /// Whether the assistant's owner asks, with a trial token: a rejection then shows the provider's own words.
    pub for_owner: bool,
}

impl Prompt {
    /// An error as callers may see it: for a field that they did not send, the assistant is at fault.
    pub(crate) fn blame(&self, error: Error) -> Error {
        let Error::InvalidRequest { param: Some(field), .. } = &error else {
            return error;
        };
        match self.parameters.default_of(field) {
            Some(parameter) => Error::Misconfigured(format!(
                "its `{}` cannot be used with its model. Remove the setting, or choose another model.",
                parameter.name()
            )),
            None => error,
        }
    }

    /// The length of all its text, in bytes.
    pub(crate) fn text_bytes(&self) -> u64 {
        let lengths = self
            .messages
            .iter()
            .flat_map(Message::texts)
            .map(|text| text.len() as u64);
        lengths.sum()
    }
}
