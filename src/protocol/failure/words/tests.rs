use super::*;

#[test]
fn the_request_is_taken_out_of_a_message_that_quotes_it() {
    for (message, expected) in [
        (
            // vLLM 0.11's answer to `top_logprobs` without `logprobs`.
            r#"[{'type': 'value_error', 'loc': ('body',), 'msg': 'Value error, when using `top_logprobs`, `logprobs` must be set to true.', 'input': {'messages': [{'role': 'system', 'content': 'It\'s }]a "secret"'}], 'top_logprobs': 2}, 'ctx': {'error': ValueError()}}]"#,
            "[{'type': 'value_error', 'loc': ('body',), 'msg': 'Value error, when using `top_logprobs`, `logprobs` must be set to true.', 'ctx': {'error': ValueError()}}]",
        ),
        (
            "[{'loc': ('body', 'seed'), 'msg': 'Extra', 'input': 7}, {'loc': ('body', 'a'), 'input': 'secret'}]",
            "[{'loc': ('body', 'seed'), 'msg': 'Extra', }, {'loc': ('body', 'a'), }]",
        ),
        (
            "1 validation error for Request\n  Value error, no. [type=value_error, input_value={'messages': [{'role': 'sy...se}, input_type=dict]",
            "1 validation error for Request\n  Value error, no. [type=value_error, input_type=dict]",
        ),
        ("[{\"input\": {\"messages\": \"cut", "[{"),
        ("Unknown input: 5", "Unknown input: 5"),
    ] {
        assert_eq!(without_input(message), expected);
    }
}

#[test]
fn a_log_holds_identifiers_only() {
    for name in ["server_error", "ModelStreamErrorException", "a.b:c-1"] {
        assert_eq!(identifier(name), Some(name));
    }
    for text in ["", "my name is Anna", "Anna!", "é", &"a".repeat(65)] {
        assert_eq!(identifier(text), None, "{text}");
    }
}

#[test]
fn retry_after_has_two_forms_and_a_date_three() {
    assert_eq!(retry_after(" 6.2 "), Some(7));
    for none in [
        "Wed, 21 Oct 2015 07:28:00 GMT",
        "0",
        "-5",
        "0.0",
        "NaN",
        "inf",
        "1e999",
        "",
        "soon",
    ] {
        assert_eq!(retry_after(none), None, "{none}");
    }
    // RFC 850's year has two digits: it is one of this century, and a date of some decades ahead is enough here.
    for date in [
        "Fri, 31 Dec 2100 23:59:59 GMT",
        "Friday, 31-Dec-60 23:59:59 GMT",
        "Fri Dec 31 23:59:59 2060",
    ] {
        assert!(retry_after(date).is_some_and(|seconds| seconds > 1_000_000), "{date}");
    }
}

#[test]
fn milliseconds_count_before_seconds() {
    use axum::http::{HeaderName, HeaderValue};
    let read = |headers: &[(&'static str, &'static str)]| {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        Words::of_response(&headers.collect(), b"{}").retry_after
    };
    assert_eq!(read(&[("retry-after-ms", "1500"), ("retry-after", "7")]), Some(2));
    assert_eq!(read(&[("x-ms-retry-after-ms", "20")]), Some(1));
    assert_eq!(read(&[("retry-after-ms", "-1"), ("retry-after", "7")]), Some(7));
    assert_eq!(read(&[("retry-after", "-7")]), None);
}

/// A body, and its message, param and code.
const BODIES: &[(&str, &str, Option<&str>, Option<&str>)] = &[
    (
        r#"{"error": {"message": "no", "param": "stop", "code": "bad"}}"#,
        "no",
        Some("stop"),
        Some("bad"),
    ),
    (r#"[{"error": {"message": "no", "code": 400}}]"#, "no", None, None),
    (r#"{"error": "no", "code": "bad"}"#, "no", None, Some("bad")),
    (
        r#"{"error": {"error": {"message": "no", "code": "bad"}, "code": 400}}"#,
        "no",
        None,
        Some("bad"),
    ),
    // Cloudflare: <https://developers.cloudflare.com/fundamentals/api/how-to/make-api-calls/>, read 2026-11
    (
        r#"{"success": false, "errors": [{"code": 7003, "message": "no"}]}"#,
        "no",
        None,
        None,
    ),
    (r#"{"errors": ["no"]}"#, "no", None, None),
    (r#"{"errors": {"message": "no"}}"#, "no", None, None),
    (r#"{"msg": "no", "code": 1210}"#, "no", None, None),
    (
        r#"{"error_message": "no", "error_code": "bad"}"#,
        "no",
        None,
        Some("bad"),
    ),
    (r#"{"detail": "no"}"#, "no", None, None),
    (r#"{"detail": {"error": "no"}}"#, "no", None, None),
    (
        r#"{"detail": [{"loc": ["body", "stop"], "msg": "no"}]}"#,
        "stop: no",
        Some("stop"),
        None,
    ),
    (
        r#"{"object": "error", "message": {"detail": [{"loc": ["body", "seed"], "msg": "no"}]}, "param": null}"#,
        "seed: no",
        Some("seed"),
        None,
    ),
    // OpenRouter's, around OpenAI's, DeepSeek's and a text.
    (
        r#"{"error": {"message": "Provider returned error", "code": 400, "metadata": {"provider_name": "OpenAI",
            "raw": "{\"error\": {\"message\": \"no\", \"param\": \"stop\", \"code\": \"bad\"}}"}}}"#,
        "no",
        Some("stop"),
        Some("bad"),
    ),
    (
        r#"{"error": {"message": "Provider returned error", "code": 400, "metadata": {"raw": {"message": "no"}}}}"#,
        "no",
        None,
        None,
    ),
    (
        r#"{"error": {"message": "Provider returned error", "metadata": {"raw": "no"}}}"#,
        "no",
        None,
        None,
    ),
    (
        r#"{"error": {"message": "no", "metadata": {"raw": ""}}}"#,
        "no",
        None,
        None,
    ),
    // LiteLLM's proxy: <https://github.com/BerriAI/litellm/issues/13034>, read 2026-11
    (
        r#"{"error": {"message": "litellm.BadRequestError: OpenAIException - {\"error\": {\"message\": \"no\", \"code\": \"bad\"}}", "code": "400"}}"#,
        "no",
        None,
        Some("bad"),
    ),
    (
        r#"{"error": {"message": "litellm.BadRequestError: OpenAIException - {\"error\": {\"message\": \"no\", \"param\": \"stop\"}}. Received Model Group=m\nAvailable Model Group Fallbacks=None", "code": "400"}}"#,
        "no",
        Some("stop"),
        None,
    ),
    // Other JSON in the middle may be a part of the request.
    (
        r#"{"error": {"message": "Bad message {\"message\": \"secret\"} in the list"}}"#,
        r#"Bad message {"message": "secret"} in the list"#,
        None,
        None,
    ),
    // OpenRouter's around Google's list: <https://github.com/google-gemini/gemini-cli/issues/14438>, read 2026-11
    (
        r#"{"error": {"message": "Provider returned error", "metadata": {"raw": "[{\"error\": {\"code\": 400, \"message\": \"no\"}}]"}}}"#,
        "no",
        None,
        None,
    ),
    (
        r#"{"error": {"message": "Param Incorrect", "param": "max_tokens is too large", "code": "400"}}"#,
        "Param Incorrect: max_tokens is too large",
        None,
        None,
    ),
    // MiniMax
    (
        r#"{"choices": null, "base_resp": {"status_code": 2013, "status_msg": "no"}}"#,
        "no",
        None,
        None,
    ),
    ("[models] is no known path", "[models] is no known path", None, None),
    // Baidu
    (r#"{"error_code": 336003, "error_msg": "no"}"#, "no", None, None),
    // DeepSeek: <https://github.com/deepseek-ai/DeepSeek-V3/issues/1072>, read 2026-11
    (
        "Failed to deserialize the JSON body into the target type: messages[1]: unknown variant",
        "Failed to deserialize the JSON body into the target type: messages[1]: unknown variant",
        None,
        None,
    ),
    ("data: {\"error\": {\"message\": \"no\"}}\n\n", "no", None, None),
    ("event: error\ndata: {\"message\": \"no\"}\n\n", "no", None, None),
    ("\u{feff}{\"message\": \"no\"}", "no", None, None),
    // As JavaScript and Python write what they quote.
    (
        r#"{"error": {"message": "no \ud83d", "param": "stop", "code": "bad", "at": NaN}}"#,
        "no \u{fffd}",
        Some("stop"),
        Some("bad"),
    ),
    (
        "{\"error\": {\"message\": \"a\tb\", \"code\": \"bad\"}}",
        "a\tb",
        None,
        Some("bad"),
    ),
    (
        "data: {\"error\": {\"message\": \"a\tb\", \"code\": \"bad\"}}",
        "a\tb",
        None,
        Some("bad"),
    ),
    (
        r#"{"error": {"message": "AnException - {\"error\": {\"message\": \"no \\ud83d\", \"code\": \"bad\"}}"}}"#,
        "no \u{fffd}",
        None,
        Some("bad"),
    ),
    // Problem details: <https://learn.microsoft.com/en-us/aspnet/core/web-api/#default-badrequest-response>, read 2026-11
    (
        r#"{"title": "One or more validation errors occurred.", "errors": {"temperature": ["must be < 1"], "stop": "no"}}"#,
        "temperature: must be < 1; stop: no",
        Some("temperature"),
        None,
    ),
];

#[test]
fn words_are_found_wherever_they_stand() {
    for (body, message, param, code) in BODIES {
        let words = Words::of_response(&HeaderMap::new(), body.as_bytes());
        let found = (words.message.as_deref(), words.param.as_deref(), words.code.as_deref());
        assert_eq!(found, (Some(*message), *param, *code), "{body}");
    }
    for nothing in [
        "",
        "  ",
        "<html><title>413</title></html>",
        "\n<!DOCTYPE html>",
        "null",
        "{}",
        "[]",
        "7",
        "{\"error\":{\"message\":\"cut",
        "[{\"error\": {\"message\"",
        "{\"error\":{\"message\":\"a\tb cut",
        "data: {\"error\": {\"message\": \"cut",
        r#"{"error": {"message": "{\"error\": {\"mess"}}"#,
    ] {
        let words = Words::of_response(&HeaderMap::new(), nothing.as_bytes());
        assert_eq!(words.message, None, "{nothing}");
    }
    let deep = format!("{}{}", "{\"error\":".repeat(50), "\"no\"".to_owned() + &"}".repeat(50));
    assert_eq!(Words::of_response(&HeaderMap::new(), deep.as_bytes()).message, None);
}
