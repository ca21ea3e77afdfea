use axum::http::{HeaderName, HeaderValue};

use super::*;

#[test]
fn a_log_holds_known_words_and_ids_only() {
    let labels = |kind: &str, id: Option<&'static str>| {
        let headers = id.map(|id| (HeaderName::from_static("x-request-id"), HeaderValue::from_static(id)));
        let body = serde_json::json!({"type": kind, "message": "x"}).to_string();
        Said::in_response(StatusCode::BAD_REQUEST, &headers.into_iter().collect(), body.as_bytes()).labels()
    };
    assert_eq!(labels("Server_Error", None), " (server_error)");
    assert_eq!(labels("my_name_is_anna", Some("req_011C-x")), ", request id req_011C-x");
    for text in ["", "my name is Anna 1", "anna", "é1"] {
        assert_eq!(labels(text, None), "", "{text}");
    }
    for id in ["", "my name is Anna 1", "anna"] {
        assert_eq!(labels("a", Some(id)), "", "{id}");
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
    let read = |headers: &[(&'static str, &'static str)]| {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        Said::in_response(StatusCode::BAD_REQUEST, &headers.collect(), b"{}").retry_after
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
        r#"{"errors":{"temperature":["must be < 1"]}}"#,
        r#"{"errors":{"temperature":["must be < 1"]}}"#,
        None,
        None,
    ),
];

#[test]
fn words_are_found_wherever_they_stand() {
    let read = |body: &str| Said::in_response(StatusCode::BAD_REQUEST, &HeaderMap::new(), body.as_bytes());
    for (body, text, param, code) in BODIES {
        let said = read(body);
        let found = (said.text.as_str(), said.param.as_deref(), said.code.as_deref());
        assert_eq!(found, (*text, *param, *code), "{body}");
    }
    for nothing in [
        "",
        "  ",
        "<html><title>413</title></html>",
        "\n<!DOCTYPE html>",
        "null",
        "[]",
        "7",
    ] {
        assert_eq!(read(nothing).text, "", "{nothing}");
    }
    let deep = format!("{}{}", "{\"error\":".repeat(50), "\"no\"".to_owned() + &"}".repeat(50));
    assert!(read(&deep).text.len() < 1000);
    assert!(read(&"é".repeat(10_000)).text.len() <= MAX_READ);
}
