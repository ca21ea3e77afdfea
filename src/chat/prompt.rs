//! What a model is asked: the assistant's own settings and the request, made one.

use std::sync::Arc;

use super::{message::Message, parameters::Parameters};

/// Everything that a provider's request is encoded from.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// The assistant's system message, then the client's messages in their order.
    pub messages: Arc<Vec<Message>>,
    /// The request's own, else the assistant's defaults.
    pub parameters: Parameters,
    /// Whether the model's thinking is shown beside its answer.
    pub show_reasoning: bool,
}

impl Prompt {
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
