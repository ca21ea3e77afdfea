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
        "%5B%5D",
        "\u{feff}messages=Hi",
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
        "{\0\"messages\": []}",
        "-- a comment",
        "---\nmessages: []",
    ] {
        says(json.as_bytes(), "it is not valid JSON (");
        says(json.as_bytes(), " at line ");
    }
    says(b" \n", "it is empty");
    says(b"", "it is empty");
    says(b"\xef\xbb\xbf\n", "it is empty");
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
        ("stop", json!([null])),
        ("stop", json!("[\"\", \"\"]")),
        ("tools", json!([""])),
        ("modalities", json!([])),
        ("modalities", json!([""])),
        ("modalities", json!([null])),
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
    let lone = br#"{"messages": "[{\"role\": \"user\", \"content\": \"a\\ud83d\"}]", "user": "\ude00\ud83d\ude00"}"#;
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
