//! The body of `POST …/chat/completions`, read and checked.

use serde_json::{Map, Value};

use crate::{
    chat::{lenient, message::Message, parameters::Parameters},
    error::Error,
    public::body,
};

/// A chat completion request. `model` is not part of it: the assistant's own is used.
#[derive(Debug, Clone, PartialEq)]
pub struct ChatRequest {
    /// At least one.
    pub messages: Vec<Message>,
    /// Whether the reply is an SSE stream.
    pub stream: bool,
    /// `stream_options.include_usage`.
    pub include_usage: bool,
    /// What is passed on to the model.
    pub parameters: Parameters,
}

impl ChatRequest {
    /// Reads a request's body, as JSON whatever its content type says.
    ///
    /// # Errors
    /// A 400 naming the field at fault.
    pub fn read(body: &[u8]) -> Result<Self, Error> {
        let body = body::read(body, "messages")?;
        refuse_responses_body(&body)?;
        // What would change the answer's form and cannot be honoured with any provider.
        body::refuse_tools(&body, &["tools", "functions"], &["tool_choice", "function_call"])?;
        body::refuse_other_answers(&body)?;
        let messages = read_messages(&body)?;
        let stream = body::flag(&body, "stream")?;
        Ok(Self {
            messages,
            stream,
            include_usage: read_include_usage(&body, stream)?,
            parameters: Parameters::read(|name| body.get(name))?,
        })
    }
}

/// Cursor sends them here, tools and all.
fn refuse_responses_body(body: &Map<String, Value>) -> Result<(), Error> {
    if lenient::field(body, "messages").is_some() || lenient::field(body, "input").is_none() {
        return Ok(());
    }
    Err(Error::invalid(
        "input",
        "This is a body of the Responses API ('input'). This endpoint speaks the Chat Completions API: send 'messages', \
         switch the client to chat completions, or send the body to /public/openai/v1/responses.",
    ))
}

fn read_messages(body: &Map<String, Value>) -> Result<Vec<Message>, Error> {
    let Some(messages) = body.get("messages").filter(|messages| !lenient::is_unset(messages)) else {
        return Err(Error::missing("messages"));
    };
    let messages = lenient::array(messages, "messages")?;
    if messages.is_empty() {
        return Err(body::empty_array("messages"));
    }
    messages
        .iter()
        .enumerate()
        .map(|(at, message)| Message::read(message, &format!("messages[{at}]")))
        .collect()
}

fn read_include_usage(body: &Map<String, Value>, stream: bool) -> Result<bool, Error> {
    let Some(options) = lenient::field(body, "stream_options") else {
        return Ok(false);
    };
    let options = lenient::object(options, "stream_options")?;
    if !stream {
        return Err(Error::invalid(
            "stream_options",
            "The 'stream_options' parameter is only allowed when 'stream' is enabled.",
        ));
    }
    lenient::field(&options, "include_usage").map_or(Ok(false), |include| {
        lenient::boolean(include, "stream_options.include_usage")
    })
}

#[cfg(test)]
mod tests;
