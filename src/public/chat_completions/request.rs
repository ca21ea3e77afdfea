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
    let start = body.trim_ascii_start();
    let before_equals = start.split(|byte| *byte == b'=').next().unwrap_or_default();
    let is_of_a_form = |byte: &u8| byte.is_ascii_alphanumeric() || b"_.-+%*[]".contains(byte);
    let is_form = start.contains(&b'=') && !before_equals.is_empty() && before_equals.iter().all(is_of_a_form);
    if start.is_empty() {
        Some("it is empty")
    } else if body.starts_with(b"\xff\xfe") || body.starts_with(b"\xfe\xff") || body.get(1) == Some(&0) || body[0] == 0
    {
        Some("it is UTF-16. Send it as UTF-8")
    } else if start.starts_with(b"--") {
        Some("it is multipart form data. Set the payload (data) type to JSON")
    } else if is_form || start.starts_with(b"%7B") || start.starts_with(b"%7b") {
        Some(
            "it is form-encoded. Set the payload (data) type to JSON, in Zapier with a 'Custom Request' or 'Payload Type: \
             json'",
        )
    } else {
        None
    }
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
mod tests {
    use super::*;
    use crate::chat::{
        message::{Part, Role},
        parameters::Parameter,
    };
    use serde_json::json;

    fn read(body: &Value) -> Result<ChatRequest, Error> {
        ChatRequest::read(body.to_string().as_bytes())
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
            {"role": "assistant", "content": null},
            {"role": "assistant"},
            {"role": "assistant", "content": [], "tool_calls": "[]"},
            {"role": "assistant", "content": null, "refusal": ""},
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
        for empty in &request.messages[7..] {
            assert_eq!(*empty, Message::text(Role::Assistant, ""));
        }
    }

    #[test]
    fn bodies_of_another_kind_say_what_to_do() {
        let tools = json!([{"type": "function", "name": "f"}]);
        let error = read(&json!({"model": "gpt-5", "input": "Hi", "tools": tools, "stream": true})).unwrap_err();
        assert!(error.to_string().contains("Responses API"), "{error}");
        let says = |body: &[u8], expected: &str| {
            let error = ChatRequest::read(body).unwrap_err();
            assert_eq!(error.status(), 400);
            let shown = String::from_utf8_lossy(body);
            assert!(error.to_string().contains(expected), "{shown}: {error}");
        };
        for form in [
            "model=gpt-4o&messages=Hi",
            "messages%5B0%5D=Hi",
            "messages[]=x",
            "%7B%22messages%22%3A1%7D",
            "data={\"a\":1}",
        ] {
            says(form.as_bytes(), "it is form-encoded. Set the payload");
        }
        // A mistake is named with its place.
        for json in [
            r#"{"messages": [{"role": "user", "content": "a=b"},]}"#,
            "{'messages': []}",
            "{\u{201c}messages\u{201d}: []}",
            r#"{"messages": [], // none"#,
            r#"{"messages": ["#,
            r#"{"messages": [{"content": NaN}]}"#,
            "hello",
        ] {
            says(json.as_bytes(), "it is not valid JSON (");
            says(json.as_bytes(), "line 1 column");
        }
        says(b" \n", "it is empty");
        says(b"", "it is empty");
        says(
            b"--x\r\ncontent-disposition: form-data; name=\"messages\"\r\n",
            "it is multipart form data",
        );
        for utf16 in [&b"\xff\xfe{\0}\0"[..], b"\xfe\xff\0{\0}", b"{\0}\0", b"\0{\0}"] {
            says(utf16, "it is UTF-16");
        }
        says(b"{\"a\": \"\xff\"}", "it is not valid JSON (");
        for value in ["[]", "\"hi\"", "7", "null"] {
            says(value.as_bytes(), "it is not a JSON object");
        }
    }

    #[test]
    fn what_says_nothing_is_not_set() {
        for (field, empty) in [
            ("stop", json!([])),
            ("stop", json!([""])),
            ("stop", json!("")),
            ("temperature", json!("")),
            ("temperature", json!([])),
            ("max_tokens", json!(" ")),
            ("logit_bias", json!([])),
            ("response_format", json!("")),
            ("reasoning_effort", json!("")),
            ("user", json!("")),
            ("stream", json!("")),
            ("stream_options", json!([])),
            ("tools", json!([])),
            ("tools", json!("")),
            ("n", Value::Null),
            ("modalities", json!([])),
        ] {
            let request = read(&with(field, empty)).unwrap();
            assert_eq!(request.parameters, Parameters::default(), "{field}");
            assert!(!request.stream);
        }
        let request = read(&with("stop", json!(["", "END", "\n"]))).unwrap();
        assert_eq!(request.parameters.get(Parameter::Stop), Some(&json!(["END", "\n"])));
    }

    #[test]
    fn a_body_of_texts_is_read_as_what_they_spell() {
        let body = with("stream", json!(true)).to_string();
        assert!(read(&json!(body)).unwrap().stream);
        let lone =
            br#"{"messages": "[{\"role\": \"user\", \"content\": \"a\\ud83d\"}]", "user": "\ude00\ud83d\ude00"}"#;
        let request = ChatRequest::read(lone).unwrap();
        assert_eq!(request.messages, [Message::text(Role::User, "a\u{fffd}")]);
        assert_eq!(
            request.parameters.get(Parameter::User),
            Some(&json!("\u{fffd}\u{1f600}"))
        );
    }

    #[test]
    fn stream_options_need_a_stream() {
        let (param, _) = param_and_code(&with("stream_options", json!({"include_usage": true})));
        assert_eq!(param.as_deref(), Some("stream_options"));
        read(&with("stream_options", Value::Null)).unwrap();
    }
}
