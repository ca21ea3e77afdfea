//! The body of `POST …/chat/completions`, read and checked.

use serde_json::{Map, Value};

use crate::{
    chat::{lenient, message::Message, parameters::Parameters},
    error::Error,
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
        let read = lenient::parse(body).map_err(|why| not_json(kind_of(body).unwrap_or(&why)))?;
        // A string that holds the object is read too.
        let body = lenient::object(&read, "body").map_err(|_| not_json("it is not a JSON object"))?;
        refuse_responses_body(&body)?;
        refuse_unsupported(&body)?;
        let messages = read_messages(&body)?;
        let stream = match lenient::field(&body, "stream") {
            Some(stream) => lenient::boolean(stream, "stream")?,
            None => false,
        };
        Ok(Self {
            messages,
            stream,
            include_usage: read_include_usage(&body, stream)?,
            parameters: Parameters::read(|name| body.get(name))?,
        })
    }
}

fn not_json(why: &str) -> Error {
    Error::InvalidRequest {
        message: format!(
            "We could not parse the JSON body of your request: {why}. Send a JSON object with `messages`."
        ),
        param: None,
        code: None,
    }
}

/// What a body is that is not JSON, and what to do. The body tells, not its content type: curl calls everything form-encoded.
fn kind_of(body: &[u8]) -> Option<&'static str> {
    let start = lenient::without_mark(body).trim_ascii_start();
    let before_equals = start.split(|byte| *byte == b'=').next().unwrap_or_default();
    let is_of_a_form = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-+%*[]".contains(byte);
    let is_form = start.contains(&b'=') && !before_equals.is_empty() && before_equals.iter().all(is_of_a_form);
    if start.is_empty() {
        Some("it is empty")
    } else if is_utf16(body) {
        Some("it is UTF-16. Send it as UTF-8")
    } else if is_multipart(start) {
        Some("it is multipart form data. Set the payload (data) type to JSON")
    } else if is_form || is_percent_encoded(start) {
        Some(
            "it is form-encoded. Set the payload (data) type to JSON, in Zapier with a 'Custom Request' or 'Payload Type: \
             json'",
        )
    } else {
        None
    }
}

/// By its byte order mark, else by the zeros beside its first two characters: a stray zero is a mistake in UTF-8.
fn is_utf16(body: &[u8]) -> bool {
    let marked = body.starts_with(b"\xff\xfe") || body.starts_with(b"\xfe\xff");
    marked || matches!(body, [0, _, 0, _, ..] | [_, 0, _, 0, ..])
}

/// Each part has a `Content-Disposition` (RFC 7578, section 4.2); dashes alone begin other texts too.
fn is_multipart(start: &[u8]) -> bool {
    const WITHIN: usize = 1024;
    let head = start[..start.len().min(WITHIN)].to_ascii_lowercase();
    head.starts_with(b"--") && String::from_utf8_lossy(&head).contains("content-disposition:")
}

fn is_percent_encoded(start: &[u8]) -> bool {
    matches!(start, [b'%', high, low, ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

/// Cursor sends them here, tools and all.
fn refuse_responses_body(body: &Map<String, Value>) -> Result<(), Error> {
    if lenient::field(body, "messages").is_some() || lenient::field(body, "input").is_none() {
        return Ok(());
    }
    Err(Error::invalid(
        "input",
        "This is a body of the Responses API ('input'). This endpoint speaks the Chat Completions API: send 'messages', or \
         switch the client to chat completions.",
    ))
}

fn read_messages(body: &Map<String, Value>) -> Result<Vec<Message>, Error> {
    let Some(messages) = body.get("messages").filter(|messages| !lenient::is_unset(messages)) else {
        return Err(Error::invalid_with_code(
            "messages",
            "missing_required_parameter",
            "Missing required parameter: 'messages'.",
        ));
    };
    let messages = lenient::array(messages, "messages")?;
    if messages.is_empty() {
        return Err(Error::invalid_with_code(
            "messages",
            "empty_array",
            "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
        ));
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

/// What would change the answer's form and cannot be honoured with any provider.
fn refuse_unsupported(body: &Map<String, Value>) -> Result<(), Error> {
    for name in ["tools", "functions"] {
        if let Some(tools) = lenient::field(body, name)
            && !lenient::array(tools, name)?.is_empty()
        {
            return Err(unsupported(name, "tools are not offered by this endpoint. Remove it"));
        }
    }
    for name in ["tool_choice", "function_call"] {
        if let Some(choice) = lenient::field(body, name)
            && !matches!(choice.as_str(), Some("none" | "auto"))
        {
            return Err(unsupported(
                name,
                "only 'none' and 'auto' are possible, since there are no tools",
            ));
        }
    }
    if let Some(n) = lenient::field(body, "n")
        && lenient::integer(n, "n")? != 1
    {
        return Err(unsupported(
            "n",
            "only one completion a request is possible. Send n: 1 or leave it out",
        ));
    }
    if let Some(modalities) = lenient::field(body, "modalities")
        && lenient::array(modalities, "modalities")?
            .iter()
            .any(|modality| modality.as_str() != Some("text"))
    {
        return Err(unsupported("modalities", "only ['text'] is possible"));
    }
    Ok(())
}

fn unsupported(param: &str, why: &str) -> Error {
    Error::invalid_with_code(
        param,
        "unsupported_parameter",
        format!("Unsupported parameter: '{param}': {why}."),
    )
}

#[cfg(test)]
mod tests;
