//! What a model is asked: the assistant's own settings and the request, made one.

use std::{collections::HashSet, sync::Arc};

use super::{
    message::{Message, Role},
    parameters::Parameters,
    request::ChatRequest,
};
use crate::{assistant::Assistant, error::Error, provider::Model};

/// Everything that a provider's request is encoded from.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// The model that is to answer.
    pub model: Model,
    /// Those that are asked in turn where it fails before its first text.
    pub fallbacks: Vec<Model>,
    /// The assistant's system message, then the client's messages in their order.
    pub messages: Arc<Vec<Message>>,
    /// The request's own, else the assistant's defaults.
    pub parameters: Parameters,
    /// Whether the model's thinking is shown beside its answer.
    pub show_reasoning: bool,
}

impl Prompt {
    /// Joins an assistant and a request. The assistant's system message always comes first and is never replaced.
    ///
    /// # Errors
    /// [`Error::Misconfigured`] where the assistant's settings cannot be used.
    pub fn new(assistant: &Assistant, request: ChatRequest) -> Result<Self, Error> {
        let system = assistant.system_message().map(|text| Message::text(Role::System, text));
        Ok(Self {
            model: assistant.model()?,
            fallbacks: assistant.fallback_models()?,
            messages: Arc::new(system.into_iter().chain(request.messages).collect()),
            parameters: request.parameters.or(assistant.parameters()?)?,
            show_reasoning: assistant.shows_reasoning(),
        })
    }

    /// Whether the model is asked to show its thinking: not so where it turned thinking down before.
    pub fn shows_reasoning(&self, omitted: &HashSet<String>) -> bool {
        self.show_reasoning && !omitted.contains("reasoning_effort")
    }
}
