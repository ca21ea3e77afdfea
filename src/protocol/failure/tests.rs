use axum::http::{HeaderName, HeaderValue, header::RETRY_AFTER};
use serde_json::{Value, json};

use super::*;

fn answer(status: u16, body: &str) -> ProviderError {
    let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("6.2"))]);
    from_response(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes())
}

/// What a failure means, in the words of `wordings.json`.
fn meaning(error: &ProviderError) -> &'static str {
    match &error.failure {
        Failure::Rejected(rejected) => match rejected.reason {
            Reason::ContextLength => "context_length_exceeded",
            Reason::MessageOrder => "message_order",
            Reason::ContentPolicy => "content_policy",
            Reason::NoImages => "no_images",
            _ => "rejected",
        },
        Failure::ModelNotFound => "model",
        Failure::QuotaExceeded => "spent",
        Failure::Authentication => "account",
        _ => "other",
    }
}

/// A recorded message in every form that servers and gateways send errors in.
fn forms(message: &str) -> Vec<Value> {
    vec![
        json!(message),
        json!({"error": message}),
        json!({"error": {"message": message, "type": "BadRequestError", "code": 400}}),
        json!({"message": message}),
        json!({"detail": message}),
        json!({"errors": [{"message": message}]}),
        json!([{"error": {"message": message, "status": "INVALID_ARGUMENT"}}]),
        json!({"error": {"message": "Provider returned error", "metadata": {"raw": json!({"error": {"message": message}}).to_string()}}}),
        json!({"error": {"message": format!("litellm.BadRequestError: {}", json!({"error": {"message": message}}))}}),
    ]
}

#[test]
fn each_recorded_wording_is_recognized_in_every_form() {
    let recorded: Vec<Value> =
        serde_json::from_str(include_str!("../../../tests/fixtures/errors/wordings.json")).unwrap();
    for row in &recorded {
        let (message, means) = (row["message"].as_str().unwrap(), row["means"].as_str().unwrap());
        let status = u16::try_from(row["status"].as_u64().unwrap()).unwrap();
        for form in forms(message) {
            assert_eq!(meaning(&answer(status, &form.to_string())), means, "{form}");
        }
        assert_eq!(meaning(&answer(status, message)), means, "{message}");
        let exception = json!({"type": "modelStreamErrorException", "message": message, "status": status});
        assert_eq!(meaning(&from_event(&exception)), means, "{message}");
    }
    for wording in wordings::WORDINGS.iter().flat_map(|(.., wordings)| *wordings) {
        let is_recorded = |row: &Value| row["message"].as_str().unwrap().to_lowercase().contains(wording);
        assert!(recorded.iter().any(is_recorded), "no message of `{wording}`");
    }
}

#[test]
fn an_overflow_is_a_400_with_the_numbers_that_are_certain() {
    for (message, limit, sent) in [
        (
            "This model's maximum context length is 8192 tokens. However, you requested 9000 tokens (8500 in the messages, 500 in the completion).",
            Some(8192),
            Some(9000),
        ),
        (
            "prompt is too long: 208310 tokens > 200000 maximum",
            Some(200_000),
            Some(208_310),
        ),
        ("maximum context length is 128,000 tokens", Some(128_000), None),
        ("exceed context limit: 188240 + 21333 > 200000", None, None),
        ("Input is too long for requested model gpt-4-0613.", None, None),
    ] {
        for status in [400, 403, 413, 422, 424, 500] {
            let error = answer(status, &json!({"message": message}).to_string());
            let rejected = error.rejected().expect(message);
            assert_eq!(rejected.status, StatusCode::BAD_REQUEST, "{message}");
            assert_eq!((rejected.limit, rejected.sent), (limit, sent), "{message}");
        }
    }
    let by_code = r#"{"error": {"message": "no", "type": "exceed_context_size_error", "code": 400}}"#;
    assert_eq!(meaning(&answer(400, by_code)), "context_length_exceeded");
}

#[test]
fn a_code_or_kind_counts_more_than_the_status() {
    for (status, body, means) in [
        (400, r#"{"type":"invalid_model","message":"x"}"#, "model"),
        (400, r#"{"error":{"code":"unknown_model","message":"x"}}"#, "model"),
        (
            400,
            r#"{"error":{"code":"billing_hard_limit_reached","message":"x"}}"#,
            "spent",
        ),
        (429, r#"{"error":{"type":"billing_not_active","message":"x"}}"#, "spent"),
        (
            402,
            r#"{"error":{"message":"Prompt tokens limit exceeded: 64128 > 6964.","code":402}}"#,
            "spent",
        ),
        (
            400,
            r#"{"__type":"com.amazon.coral.service#UnrecognizedClientException","message":"x"}"#,
            "account",
        ),
        (
            403,
            r#"{"error":{"message":"no","code":403,"metadata":{"flagged_input":"…"}}}"#,
            "content_policy",
        ),
        (
            400,
            r#"{"error":{"message":"no","code":"content_filter"}}"#,
            "content_policy",
        ),
        (401, "", "account"),
        (404, "", "model"),
    ] {
        assert_eq!(meaning(&answer(status, body)), means, "{body}");
    }
    // It is the stream that is not allowed here, and that is ours to leave out.
    let stream = r#"{"error":{"message":"Your organization must be verified to stream this model.","param":"stream","code":"unsupported_value"}}"#;
    assert_eq!(meaning(&answer(400, stream)), "rejected");
}

#[test]
fn aws_names_the_error_in_a_header() {
    for (status, kind, code) in [
        (
            400,
            "ValidationException:http://internal.amazon.com/coral/com.amazon.bedrock/",
            "",
        ),
        (400, "UnrecognizedClientException", "provider_authentication_failed"),
        (400, "ResourceNotFoundException", "provider_model_not_found"),
        (400, "ThrottlingException", "rate_limit_exceeded"),
        (400, "ServiceQuotaExceededException", "insufficient_quota"),
        (408, "ModelTimeoutException", "provider_timeout"),
        (429, "ModelNotReadyException", "provider_overloaded"),
    ] {
        let headers = [
            (
                HeaderName::from_static("x-amzn-errortype"),
                HeaderValue::from_static(kind),
            ),
            (
                HeaderName::from_static("x-amzn-requestid"),
                HeaderValue::from_static("a1-b2"),
            ),
        ];
        let status = StatusCode::from_u16(status).unwrap();
        let error = from_response(status, &HeaderMap::from_iter(headers), br#"{"message": "x"}"#);
        assert!(error.cause.ends_with("request id a1-b2"), "{}", error.cause);
        assert_eq!(
            crate::error::Error::from(error).code().unwrap_or_default(),
            code,
            "{kind}"
        );
    }
}

#[test]
fn google_names_the_error_in_its_details() {
    let bad_key = r#"{"error":{"code":400,"message":"API key not valid.","status":"INVALID_ARGUMENT",
        "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}]}}"#;
    assert_eq!(meaning(&answer(400, bad_key)), "account");
    let slow = r#"[{"error":{"code":429,"message":"You exceeded your current quota.","status":"RESOURCE_EXHAUSTED",
        "details":[{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.07s"}]}}]"#;
    let error = from_response(StatusCode::TOO_MANY_REQUESTS, &HeaderMap::new(), slow.as_bytes());
    assert_eq!((error.failure, error.retry_after), (Failure::RateLimited, Some(35)));
}

#[test]
fn the_log_has_no_word_that_is_not_ours() {
    let own = r#"{"error":{"message":"CANARY","type":"server_error","code":"CANARY","param":"CANARY"}}"#;
    assert_eq!(answer(500, own).cause, "status 500 (server_error)");
    let rejected = answer(
        400,
        r#"{"error":{"message":"CANARY","type":"CANARY","code":"invalid_value"}}"#,
    );
    assert_eq!(rejected.cause, "rejected (value), status 400 (invalid_value)");
    assert_eq!(finish_reason("CANARY").cause, "an unknown finish reason");
    let headers = [(
        HeaderName::from_static("x-request-id"),
        HeaderValue::from_static("You are 1 CANARY"),
    )];
    let error = from_response(StatusCode::BAD_GATEWAY, &HeaderMap::from_iter(headers), b"");
    assert_eq!(error.cause, "status 502");
}

/// Kinds of errors within a stream, with our status and code.
const KINDS: &[(&[&str], u16, &str)] = &[
    (
        &[
            "authentication_error",
            "invalid_api_key",
            "UNAUTHENTICATED",
            "AccessDeniedException",
            "permission_error",
            "PERMISSION_DENIED",
        ],
        502,
        "provider_authentication_failed",
    ),
    (
        &["not_found_error", "NOT_FOUND", "resourceNotFoundException"],
        502,
        "provider_model_not_found",
    ),
    (
        &["billing_error", "insufficient_quota", "ServiceQuotaExceededException"],
        429,
        "insufficient_quota",
    ),
    (
        &["timeout_error", "modelTimeoutException", "DEADLINE_EXCEEDED"],
        504,
        "provider_timeout",
    ),
    (
        &[
            "rate_limit_error",
            "rate_limit_exceeded",
            "throttlingException",
            "RESOURCE_EXHAUSTED",
            "TooManyRequests",
        ],
        429,
        "rate_limit_exceeded",
    ),
    (
        &[
            "overloaded_error",
            "serviceUnavailableException",
            "UNAVAILABLE",
            "modelNotReadyException",
        ],
        503,
        "provider_overloaded",
    ),
    (
        &[
            "invalid_request_error",
            "BadRequestError",
            "validationException",
            "INVALID_ARGUMENT",
        ],
        400,
        "",
    ),
    (&["request_too_large"], 413, "request_too_large"),
    (
        &[
            "api_error",
            "server_error",
            "internalServerException",
            "INTERNAL",
            "something_new",
        ],
        502,
        "provider_error",
    ),
];

/// Statuses without words, with our status and code, and whether the call is made again at once.
const STATUSES: &[(u16, u16, &str, bool)] = &[
    (301, 502, "provider_error", false),
    (307, 502, "provider_error", false),
    (402, 429, "insufficient_quota", false),
    (405, 502, "provider_error", false),
    (409, 502, "provider_error", false),
    (418, 502, "provider_error", false),
    (424, 502, "provider_error", true),
    (413, 413, "request_too_large", false),
    (451, 400, "", false),
    (500, 502, "provider_error", true),
    (502, 502, "provider_error", true),
    (529, 503, "provider_overloaded", true),
];

#[test]
fn whose_fault_it_is_and_what_it_is_called() {
    let ours = |error: ProviderError| {
        let error = crate::error::Error::from(error);
        (error.status().as_u16(), error.code().unwrap_or_default())
    };
    for (kinds, status, code) in KINDS {
        for kind in *kinds {
            let error = from_event(&json!({"type": kind, "message": "x"}));
            assert_eq!(ours(error), (*status, (*code).to_owned()), "{kind}");
        }
    }
    for (theirs, status, code, is_transient) in STATUSES {
        let error = answer(*theirs, "{}");
        assert_eq!(error.is_transient(), *is_transient, "{theirs}");
        assert_eq!(ours(error), (*status, (*code).to_owned()), "{theirs}");
    }
}
