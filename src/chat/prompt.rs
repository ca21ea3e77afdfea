//! What a model is asked: the assistant's own settings and the request, made one.

use super::{
    message::{Message, Role},
    parameters::Parameters,
    request::ChatRequest,
};
use crate::{assistant::Assistant, error::Error, provider::Model};

/// Everything that a provider's request is encoded from.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// The model that answers.
    pub model: Model,
    /// The assistant's system message, then the client's messages in their order.
    pub messages: Vec<Message>,
    /// The request's own, else the assistant's defaults.
    pub parameters: Parameters,
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
            messages: system.into_iter().chain(request.messages).collect(),
            parameters: request.parameters.or(assistant.parameters()?),
        })
    }
}
