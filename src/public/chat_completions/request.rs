//! The body of `POST …/chat/completions`, read and checked.

use axum::http::{HeaderMap, header::CONTENT_TYPE};
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
    pub fn read(headers: &HeaderMap, body: &[u8]) -> Result<Self, Error> {
        let body = match lenient::parse(body) {
            Ok(Value::Object(body)) => body,
            Ok(_) => return Err(not_json("it is not a JSON object")),
            Err(_) if is_form(headers, body) => {
                return Err(not_json(
                    "it is form-encoded. Set the payload (data) type to JSON, in Zapier with a 'Custom Request' or \
                     'Payload Type: json'",
                ));
            }
            Err(why) => return Err(not_json(&why)),
        };
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

fn is_form(headers: &HeaderMap, body: &[u8]) -> bool {
    let declared = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|kind| {
            let kind = kind.to_ascii_lowercase();
            kind.starts_with("application/x-www-form-urlencoded") || kind.starts_with("multipart/form-data")
        });
    declared || body.starts_with(b"messages=") || body.starts_with(b"model=")
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
    let Some(messages) = lenient::field(body, "messages") else {
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
mod tests {
    use super::*;
    use crate::chat::{
        message::{Part, Role},
        parameters::Parameter,
    };
    use axum::http::HeaderValue;
    use serde_json::json;

    fn read(body: &Value) -> Result<ChatRequest, Error> {
        ChatRequest::read(&HeaderMap::new(), body.to_string().as_bytes())
    }

    fn with(field: &str, value: Value) -> Value {
        let mut body = json!({"messages": [{"role": "user", "content": "Hi"}]});
        body[field] = value;
        body
    }

    fn param_and_code(body: &Value) -> (Option<String>, Option<String>) {
        let error = read(body).unwrap_err();
        assert_eq!(error.status(), 400, "{body}");
        let error = &json!(error.body())["error"];
        let text = |name: &str| error[name].as_str().map(str::to_owned);
        (text("param"), text("code"))
    }

    #[test]
    fn strings_spell_numbers_booleans_and_messages() {
        let request = read(&json!({
            "model": 7,
            "messages": "[{\"role\": \"user\", \"content\": \"Hi\"}]",
            "stream": "true",
            "stream_options": {"include_usage": "true"},
            "temperature": "0.7",
            "max_completion_tokens": "100",
            "n": "1", "tools": [], "functions": null, "tool_choice": "auto", "audio": null,
            "unknown": {"a": 1},
        }))
        .unwrap();
        assert!(request.stream && request.include_usage);
        assert_eq!(request.messages, [Message::text(Role::User, "Hi")]);
        assert_eq!(request.parameters.get(Parameter::Temperature), Some(&json!(0.7)));
        assert_eq!(request.parameters.get(Parameter::MaxTokens), Some(&json!(100)));
    }

    #[test]
    fn what_cannot_be_honoured_is_named() {
        for (field, value) in [
            ("tools", json!([{"type": "function"}])),
            ("functions", json!([{"name": "f"}])),
            ("tool_choice", json!("required")),
            ("tool_choice", json!({"type": "function"})),
            ("n", json!(2)),
            ("n", json!("3")),
            ("modalities", json!(["text", "audio"])),
        ] {
            let (param, code) = param_and_code(&with(field, value));
            assert_eq!(param.as_deref(), Some(field));
            assert_eq!(code.as_deref(), Some("unsupported_parameter"), "{field}");
        }
    }

    #[test]
    fn messages_at_fault_are_named_by_path() {
        for (messages, param) in [
            (json!([]), "messages"),
            (json!("hello"), "messages"),
            (json!(["hello"]), "messages[0]"),
            (json!([{"content": "x"}]), "messages[0].role"),
            (json!([{"role": "tool", "content": "x"}]), "messages[0].role"),
            (json!([{"role": "bot", "content": "x"}]), "messages[0].role"),
            (json!([{"role": "user"}]), "messages[0].content"),
            (json!([{"role": "user", "content": 5}]), "messages[0].content"),
            (json!([{"role": "user", "content": []}]), "messages[0].content"),
            (
                json!([{"role": "user", "content": [{"type": "input_audio"}]}]),
                "messages[0].content[0].type",
            ),
            (
                json!([{"role": "user", "content": [{"type": "text"}]}]),
                "messages[0].content[0].text",
            ),
            (
                json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "cat.png"}}]}]),
                "messages[0].content[0].image_url.url",
            ),
            (
                json!([{"role": "system", "content": [{"type": "image_url", "image_url": {"url": "https://a/b.png"}}]}]),
                "messages[0].content[0]",
            ),
            (
                json!([{"role": "user", "content": "x"}, {"role": "assistant", "tool_calls": [{}]}]),
                "messages[1].tool_calls",
            ),
        ] {
            assert_eq!(param_and_code(&with("messages", messages)).0.as_deref(), Some(param));
        }
    }

    #[test]
    fn parts_images_and_refusals_are_read() {
        let request = read(&json!({"messages": [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "name": "alice", "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA==", "detail": "low"}}]},
            {"role": "assistant", "content": null, "refusal": "No.", "tool_calls": []},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
            {"role": "assistant", "content": "", "refusal": "No."},
            {"role": "assistant", "content": "Hm.", "refusal": "No."},
            {"role": "assistant", "content": "Hi", "refusal": ""},
        ]}))
        .unwrap();
        assert_eq!(request.messages[0], Message::text(Role::System, "Be brief."));
        assert_eq!(request.messages[1].name.as_deref(), Some("alice"));
        assert!(matches!(&request.messages[1].parts[1], Part::Image { detail: Some(low), .. } if low == "low"));
        assert_eq!(request.messages[2], Message::text(Role::Assistant, "No."));
        assert_eq!(request.messages[3], request.messages[2]);
        assert_eq!(request.messages[4], request.messages[2]);
        let both = ["Hm.", "No."].map(|text| Part::Text(text.into()));
        assert_eq!(request.messages[5].parts, both);
        assert_eq!(request.messages[6], Message::text(Role::Assistant, "Hi"));
    }

    #[test]
    fn bodies_of_another_kind_say_what_to_do() {
        let mut form = HeaderMap::new();
        form.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/x-www-form-urlencoded"),
        );
        let error = ChatRequest::read(&form, b"model=gpt-4o&messages=Hi").unwrap_err();
        assert!(error.to_string().contains("payload"), "{error}");
        // JSON is read whatever the content type says.
        let body = with("stream", json!(false)).to_string();
        ChatRequest::read(&form, body.as_bytes()).unwrap();

        let tools = json!([{"type": "function", "name": "f"}]);
        let error = read(&json!({"model": "gpt-5", "input": "Hi", "tools": tools, "stream": true})).unwrap_err();
        assert!(error.to_string().contains("Responses API"), "{error}");
        for body in ["", "[]", "\"hi\"", "{\"messages\": ["] {
            let error = ChatRequest::read(&HeaderMap::new(), body.as_bytes()).unwrap_err();
            assert_eq!(error.status(), 400, "{body}");
        }
    }

    #[test]
    fn stream_options_need_a_stream() {
        let (param, _) = param_and_code(&with("stream_options", json!({"include_usage": true})));
        assert_eq!(param.as_deref(), Some("stream_options"));
        read(&with("stream_options", Value::Null)).unwrap();
    }
}
