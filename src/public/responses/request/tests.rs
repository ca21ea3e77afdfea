use super::*;
use crate::chat::message::{Message, Part, Role};

fn read(body: &Value) -> Result<ResponseRequest, Error> {
    ResponseRequest::read(body.to_string().as_bytes())
}

/// The messages that a request holds itself.
fn messages(request: &ResponseRequest) -> Vec<Message> {
    let entries = request.input.iter();
    let messages = entries.map(|entry| match entry {
        Entry::Message(message, _) => message.clone(),
        Entry::Reference { .. } => panic!("{entry:?}"),
    });
    messages.collect()
}

fn with(field: &str, value: Value) -> Value {
    let mut body = json!({"input": "Hi"});
    body[field] = value;
    body
}

fn param_and_code(body: &Value) -> (String, String) {
    let error = read(body).unwrap_err();
    assert_eq!(error.status(), 400, "{body}");
    let error = &json!(error.body())["error"];
    let text = |name: &str| error[name].as_str().unwrap_or("null").to_owned();
    (text("param"), text("code"))
}

#[test]
fn strings_spell_numbers_and_booleans_and_chat_completions_names_are_found() {
    let request = read(&json!({
        "model": 7, "input": "[{\"role\": \"user\"}]", "instructions": "Be brief.", "stream": "true",
        "temperature": "0.7", "top_p": 0.5, "max_output_tokens": "100", "user": "u", "safety_identifier": "s",
        "prompt_cache_key": "k", "reasoning": "{\"effort\": \"low\", \"summary\": \"auto\"}", "text": {"verbosity": "high"},
        "metadata": {"a": "b", "n": 5, "t": true, "null": null}, "truncation": "disabled", "store": "true",
        "background": "false", "tools": [], "tool_choice": "auto", "parallel_tool_calls": true, "service_tier": "auto",
        "include": ["reasoning.encrypted_content"], "top_logprobs": 3, "previous_response_id": null,
        "stream_options": {"include_obfuscation": false}, "conversation": null, "prompt": "", "unknown": {"a": 1},
    }))
    .unwrap();
    assert!(request.stream);
    // A text is a text, whatever it looks like.
    let said = Message::text(Role::User, "[{\"role\": \"user\"}]");
    assert_eq!(messages(&request), [said]);
    let chat = json!({"temperature": 0.7, "top_p": 0.5, "max_tokens": 100, "user": "u", "safety_identifier": "s",
        "prompt_cache_key": "k", "reasoning_effort": "low", "verbosity": "high"});
    assert_eq!(request.parameters, Parameters::read(|name| chat.get(name)).unwrap());
    assert_eq!(
        json!(request.echo),
        json!({"instructions": "Be brief.", "max_output_tokens": 100, "metadata": {"a": "b", "n": "5", "t": "true"},
            "prompt_cache_key": "k", "reasoning": {"effort": "low", "summary": "auto"}, "safety_identifier": "s",
            "temperature": 0.7, "text": {"format": {"type": "text"}, "verbosity": "high"}, "top_logprobs": null,
            "top_p": 0.5, "user": "u"})
    );
}

#[test]
fn what_only_chat_completions_has_a_name_for_is_honoured_or_refused() {
    let chat =
        json!({"stop": "END", "seed": 7, "presence_penalty": 1, "frequency_penalty": -1, "logit_bias": {"5": 1}});
    let mut body = chat.clone();
    body["input"] = json!("Hi");
    body["n"] = json!("1");
    body["modalities"] = json!(["text"]);
    let parameters = read(&body).unwrap().parameters;
    assert_eq!(parameters, Parameters::read(|name| chat.get(name)).unwrap());
    for (field, value) in [
        ("n", json!(2)),
        ("modalities", json!(["audio"])),
        ("functions", json!([{"name": "f"}])),
        ("function_call", json!({"name": "f"})),
    ] {
        let refused = param_and_code(&with(field, value));
        assert_eq!(refused, (field.to_owned(), "unsupported_parameter".to_owned()));
    }
}

#[test]
fn values_that_the_response_would_repeat_are_those_of_openais_schema() {
    let schema = |name: &str, value: Value| {
        let mut format = json!({"type": "json_schema", "name": "n", "schema": {}});
        format[name] = value;
        json!({"format": format})
    };
    for (field, value, param, code) in [
        ("reasoning", json!({"effort": "x"}), "reasoning.effort", "invalid_value"),
        ("text", json!({"verbosity": "x"}), "text.verbosity", "invalid_value"),
        (
            "text",
            json!({"format": {"type": "xml"}}),
            "text.format.type",
            "invalid_value",
        ),
        ("text", schema("name", json!(5)), "text.format.name", "invalid_type"),
        (
            "text",
            schema("description", json!(5)),
            "text.format.description",
            "invalid_type",
        ),
        (
            "text",
            schema("strict", json!("x")),
            "text.format.strict",
            "invalid_type",
        ),
        ("text", schema("schema", json!(5)), "text.format.schema", "invalid_type"),
    ] {
        let body = with(field, value);
        assert_eq!(param_and_code(&body), (param.to_owned(), code.to_owned()));
        let message = read(&body).unwrap_err().to_string();
        assert!(message.contains(&format!("'{param}'")), "{message}");
    }
    let spelled = read(&with("text", schema("strict", json!("true")))).unwrap();
    assert_eq!(spelled.echo.text.format["strict"], true);
}

#[test]
fn what_says_nothing_is_not_set() {
    let unset = read(&json!({"input": "Hi"})).unwrap();
    assert_eq!(unset.parameters, Parameters::default());
    for (field, empty) in [
        ("instructions", json!(" ")),
        ("stream", json!("")),
        ("temperature", json!("")),
        ("reasoning", Value::Null),
        ("reasoning", json!({"effort": null, "summary": "loud"})),
        ("text", json!({"format": null, "verbosity": ""})),
        ("metadata", Value::Null),
        ("tools", json!([])),
        ("include", json!([])),
        ("top_logprobs", json!(5)),
        ("background", Value::Null),
        ("truncation", json!("")),
        ("previous_response_id", json!("")),
        ("conversation", Value::Null),
        ("store", Value::Null),
    ] {
        let request = read(&with(field, empty)).unwrap();
        assert_eq!(request.input, unset.input, "{field}");
        assert_eq!(request.echo.previous_response_id, None, "{field}");
        assert!(request.store, "{field}");
        assert_eq!(request.parameters, unset.parameters, "{field}");
        assert_eq!(json!(request.echo), json!(unset.echo), "{field}");
        assert!(!request.stream);
    }
}

#[test]
fn a_format_is_chat_completions_and_comes_back_as_it_was() {
    let schema = json!({"type": "object"});
    for (format, expected) in [
        (json!({"type": "text"}), json!({"type": "text"})),
        (json!({"type": "json_object"}), json!({"type": "json_object"})),
        (
            json!({"type": "json_schema", "name": "n", "schema": schema, "strict": true, "description": "d"}),
            json!({"type": "json_schema",
                "json_schema": {"name": "n", "schema": schema, "strict": true, "description": "d"}}),
        ),
        (
            json!({"type": "json_schema", "name": "n", "schema": "{\"type\": \"object\"}", "strict": null}),
            json!({"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}),
        ),
    ] {
        let request = read(&with("text", json!({"format": format}))).unwrap();
        assert_eq!(request.parameters.get(Parameter::ResponseFormat), Some(&expected));
        let back = &json!(request.echo)["text"]["format"];
        let flat = read(&with("text", json!({"format": back}))).unwrap();
        assert_eq!(flat.parameters, request.parameters, "{back}");
    }
}

#[test]
fn log_probabilities_are_for_whoever_includes_them() {
    let mut body = with("include", json!(["message.output_text.logprobs"]));
    let request = read(&body).unwrap();
    assert_eq!(request.parameters.get(Parameter::Logprobs), Some(&json!(true)));
    assert_eq!(request.parameters.get(Parameter::TopLogprobs), None);
    body["top_logprobs"] = json!("2");
    let request = read(&body).unwrap();
    assert_eq!(request.parameters.get(Parameter::TopLogprobs), Some(&json!(2)));
    body["top_logprobs"] = json!(21);
    assert_eq!(param_and_code(&body).0, "top_logprobs");
}

/// A field of the body, and the param and code that it is refused with.
fn refused() -> Vec<(&'static str, Value, &'static str, &'static str)> {
    let unsupported = "unsupported_parameter";
    let missing = "missing_required_parameter";
    let too_many: Map<_, _> = (0..17).map(|at| (format!("k{at}"), json!("v"))).collect();
    let schema = json!({"type": "json_schema", "schema": {}});
    vec![
        ("tools", json!([{"type": "function"}]), "tools", unsupported),
        ("tools", json!([{"type": "web_search"}]), "tools", unsupported),
        ("tool_choice", json!("required"), "tool_choice", unsupported),
        ("background", json!("true"), "background", unsupported),
        ("conversation", json!("conv_1"), "conversation", unsupported),
        ("prompt", json!({"id": "pmpt_1"}), "prompt", unsupported),
        ("audio", json!({"voice": "alloy"}), "audio", unsupported),
        ("truncation", json!("auto"), "truncation", unsupported),
        (
            "response_format",
            json!({"type": "json_object"}),
            "response_format",
            unsupported,
        ),
        ("max_tokens", json!(5), "max_tokens", unsupported),
        ("max_completion_tokens", json!(5), "max_completion_tokens", unsupported),
        ("reasoning_effort", json!("low"), "reasoning_effort", unsupported),
        ("verbosity", json!("low"), "verbosity", unsupported),
        (PREVIOUS, json!(["resp_1"]), PREVIOUS, "invalid_type"),
        ("store", json!("perhaps"), "store", "invalid_type"),
        ("instructions", json!(["x"]), "instructions", "invalid_type"),
        ("temperature", json!(3), "temperature", "decimal_above_max_value"),
        (
            "max_output_tokens",
            json!(0),
            "max_output_tokens",
            "integer_below_min_value",
        ),
        ("reasoning", json!("low"), "reasoning", "invalid_type"),
        ("reasoning", json!({"effort": 5}), "reasoning.effort", "invalid_type"),
        ("text", json!({"verbosity": 5}), "text.verbosity", "invalid_type"),
        (
            "text",
            json!({"format": {"type": "xml"}}),
            "text.format.type",
            "invalid_value",
        ),
        ("text", json!({"format": schema}), "text.format.name", missing),
        (
            "text",
            json!({"format": {"type": "json_schema", "name": "n"}}),
            "text.format.schema",
            missing,
        ),
        ("metadata", json!({"a": {}}), "metadata.a", "invalid_type"),
        ("metadata", json!({"a": "x".repeat(513)}), "metadata.a", "invalid_value"),
        ("metadata", json!({"k".repeat(65): "x"}), "metadata", "invalid_value"),
        ("metadata", json!(too_many), "metadata", "invalid_value"),
        ("stream", json!("yes"), "stream", "invalid_type"),
    ]
}

#[test]
fn what_cannot_be_honoured_is_named() {
    for (field, value, param, code) in refused() {
        let body = with(field, value);
        assert_eq!(param_and_code(&body), (param.to_owned(), code.to_owned()), "{body}");
    }
}

#[test]
fn both_spellings_of_messages_are_read() {
    let request = read(&json!({"input": [
        {"role": "developer", "content": "Second."},
        {"type": "message", "role": "user", "status": "completed", "content": [
            {"type": "input_text", "text": "What is this?"},
            {"type": "input_image", "image_url": "data:image/png;base64,AA==", "detail": "low", "file_id": null}]},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "Hm"}]},
        {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": "A cat.", "annotations": [], "logprobs": []}]},
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "No."}]},
        {"role": "assistant", "content": null},
        {"type": null, "role": "user", "content": "Why?"},
    ]}))
    .unwrap();
    let text = |role, said: &str| Message::text(role, said);
    let messages = messages(&request);
    assert_eq!(messages.len(), 6);
    assert_eq!(messages[0], text(Role::System, "Second."));
    let image = Part::Image {
        url: "data:image/png;base64,AA==".into(),
        detail: Some("low".into()),
    };
    assert_eq!(messages[1].parts, [Part::Text("What is this?".into()), image]);
    let assistant = |said: &str| text(Role::Assistant, said);
    let rest = [
        assistant("A cat."),
        assistant("No."),
        assistant(""),
        text(Role::User, "Why?"),
    ];
    assert_eq!(messages[2..], rest);
}

/// Checks that an input is refused with a param and a code.
#[track_caller]
fn refuses_input(input: Value, param: &str, code: &str) {
    let body = with("input", input);
    assert_eq!(param_and_code(&body), (param.to_owned(), code.to_owned()), "{body}");
}

#[test]
fn items_at_fault_are_named_by_path() {
    let missing = "missing_required_parameter";
    let unsupported = "unsupported_parameter";
    for (input, param, code) in [
        (Value::Null, "input", missing),
        (json!(" "), "input", missing),
        (json!([]), "input", "empty_array"),
        (json!([{"type": "reasoning", "summary": []}]), "input", "empty_array"),
        (json!({"role": "user"}), "input", "invalid_type"),
        (json!(["Hi"]), "input[0]", "invalid_type"),
        (json!([{"content": "Hi"}]), "input[0].role", missing),
        (json!([{"role": "tool", "content": "Hi"}]), "input[0].role", unsupported),
        (json!([{"role": "user"}]), "input[0].content", "invalid_type"),
        (
            json!([{"role": "user", "content": []}]),
            "input[0].content",
            "empty_array",
        ),
        (json!([{"type": "function_call"}]), "input[0].type", unsupported),
        (json!([{"type": "function_call_output"}]), "input[0].type", unsupported),
        (json!([{"type": "web_search_call"}]), "input[0].type", unsupported),
        (json!([{"type": "item_reference"}]), "input[0].id", missing),
        (json!([{"id": ["msg_1"]}]), "input[0].id", "invalid_type"),
        (
            json!([{"type": "item_reference", "id": "rs_1"}]),
            "input",
            "empty_array",
        ),
    ] {
        refuses_input(input, param, code);
    }
}

#[test]
fn parts_at_fault_are_named_by_path() {
    let unsupported = "unsupported_parameter";
    for (part, within, code) in [
        (json!("Hi"), "", "invalid_type"),
        (json!({"type": "input_text"}), ".text", "invalid_type"),
        (json!({"type": "input_file"}), ".type", unsupported),
        (json!({"type": "input_audio"}), ".type", unsupported),
        (json!({"type": "image_url"}), ".type", "invalid_value"),
        (json!({"type": "refusal", "refusal": "No."}), ".type", "invalid_value"),
        (json!({"type": "input_image"}), ".image_url", "invalid_type"),
        (
            json!({"type": "input_image", "image_url": "cat.png"}),
            ".image_url",
            "invalid_value",
        ),
        (
            json!({"type": "input_image", "file_id": "file_1"}),
            ".file_id",
            unsupported,
        ),
    ] {
        let input = json!([{"role": "user", "content": [part]}]);
        refuses_input(input, &format!("input[0].content[0]{within}"), code);
    }
    let image = json!({"type": "input_image", "image_url": "https://a/b.png"});
    let input = json!([{"role": "system", "content": [image]}]);
    refuses_input(input, "input[0].content[0]", "null");
}

#[test]
fn bodies_of_another_kind_say_what_to_do() {
    let chat = json!({"messages": [{"role": "user", "content": "Hi"}], "tools": [{"type": "function"}]});
    assert_eq!(param_and_code(&chat).0, "messages");
    let error = read(&chat).unwrap_err().to_string();
    assert!(error.contains("Chat Completions API"), "{error}");
    let error = ResponseRequest::read(b"input=Hi").unwrap_err().to_string();
    assert!(error.contains("form-encoded") && error.contains("`input`"), "{error}");
}

#[test]
fn a_field_at_fault_goes_by_this_apis_name() {
    for (param, expected) in [
        ("logprobs", "include"),
        ("response_format.json_schema.schema.a", "text.format.schema.a"),
        ("messages[1].content[0]", "input"),
        ("messages.[1].content.[1].image_url", "input"),
        ("messages.1.content", "input"),
        ("messages", "input"),
        ("max_tokensish", "max_tokensish"),
        ("temperature", "temperature"),
    ] {
        let error = Error::invalid_with_code(param, "c", format!("'{param}' is not supported.")).renamed(&RENAMED);
        let body = json!(error.body());
        assert_eq!(body["error"]["param"], expected, "{param}");
        assert_eq!(
            body["error"]["message"],
            format!("'{expected}' is not supported."),
            "{param}"
        );
    }
}
