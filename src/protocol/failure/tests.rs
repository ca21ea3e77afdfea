use super::*;
use axum::http::{HeaderName, HeaderValue, header::RETRY_AFTER};

mod by_words;

fn answer(status: u16, body: &str) -> ProviderError {
    let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_static("6.2"))]);
    from_response(StatusCode::from_u16(status).unwrap(), &headers, body.as_bytes())
}

fn rejected(status: u16, message: &str, param: Option<&str>, code: Option<&str>) -> ProviderError {
    ProviderError::Rejected {
        status: StatusCode::from_u16(status).unwrap(),
        message: message.into(),
        param: param.map(Into::into),
        code: code.map(Into::into),
    }
}

#[test]
fn what_is_wrong_with_the_request_is_passed_on() {
    for (status, body, expected) in [
        (
            400,
            r#"{"error":{"message":"too long","type":"invalid_request_error","param":"messages","code":"context_length_exceeded"}}"#,
            rejected(400, "too long", Some("messages"), Some("context_length_exceeded")),
        ),
        (
            400,
            r#"{"error":{"code":400,"message":"too long","type":"exceed_context_size_error"}}"#,
            rejected(
                400,
                "This model's maximum context length is exceeded: too long",
                None,
                Some("context_length_exceeded"),
            ),
        ),
        (400, r#"{"error":"bad image"}"#, rejected(400, "bad image", None, None)),
        (
            400,
            r#"{"object":"error","message":"no","type":"invalid","code":"3051"}"#,
            rejected(400, "no", None, None),
        ),
        (
            422,
            r#"{"detail":[{"loc":["body","messages",0,"content"],"msg":"Field required","type":"missing"}]}"#,
            rejected(
                422,
                "messages[0].content: Field required",
                Some("messages[0].content"),
                None,
            ),
        ),
        (
            413,
            "<html>Too large</html>",
            rejected(
                413,
                "The model's provider rejected the request without saying why.",
                None,
                None,
            ),
        ),
    ] {
        assert_eq!(answer(status, body), expected, "{body}");
    }
}

#[test]
fn what_is_wrong_with_us_or_the_provider_is_not() {
    for (status, body, expected) in [
        (
            401,
            r#"{"error":{"message":"Incorrect API key provided: sk-abc"}}"#,
            ProviderError::Authentication,
        ),
        (
            400,
            r#"{"code":"Client specified an invalid argument","error":"Incorrect API key provided: xa***gA."}"#,
            ProviderError::Authentication,
        ),
        (403, "", ProviderError::Authentication),
        (
            404,
            r#"{"error":{"message":"The model `x` does not exist","code":"model_not_found"}}"#,
            ProviderError::ModelNotFound,
        ),
        (
            400,
            r#"{"error":{"message":"gone","code":"model_decommissioned"}}"#,
            ProviderError::ModelNotFound,
        ),
        (
            429,
            r#"{"error":{"message":"slow down","code":"rate_limit_exceeded"}}"#,
            ProviderError::RateLimited { retry_after: Some(7) },
        ),
        (
            429,
            r#"{"error":{"message":"pay","type":"insufficient_quota","code":"insufficient_quota"}}"#,
            ProviderError::QuotaExceeded,
        ),
        (503, "", ProviderError::Overloaded { retry_after: Some(7) }),
        (529, "", ProviderError::Overloaded { retry_after: Some(7) }),
        (
            500,
            r#"{"error":{"message":"oops","type":"server_error","code":"what the user said"}}"#,
            ProviderError::Failed {
                cause: "status 500 (server_error)".into(),
                retry_after: Some(7),
            },
        ),
        (
            301,
            "",
            ProviderError::Unexpected {
                cause: "status 301".into(),
            },
        ),
    ] {
        assert_eq!(answer(status, body), expected, "{status} {body}");
    }
}

#[test]
fn what_is_about_the_account_or_another_name_is_told_by_its_words() {
    let bedrock = |message: &str| answer(400, &serde_json::json!({"message": message}).to_string());
    let spent = "You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.";
    assert_eq!(bedrock(spent), ProviderError::QuotaExceeded);
    let closed = "This organization has been disabled.";
    assert_eq!(bedrock(closed), ProviderError::Authentication);
    for (message, param) in [
        (
            "This model doesn't support the stopSequences field. Remove stopSequences and try again.",
            "stop",
        ),
        (
            "output_config.format: Extra inputs are not permitted",
            "response_format",
        ),
    ] {
        let expected = rejected(400, message, Some(param), Some("unsupported_parameter"));
        assert_eq!(bedrock(message), expected);
    }
}

#[test]
fn bedrock_names_the_error_in_a_header() {
    let overflow = "Input is too long for requested model.";
    let no_such_model = "The provided model identifier is invalid.";
    let no_profile = "Invocation of model ID anthropic.claude-sonnet-4-5-20250929-v1:0 with on-demand throughput \
                      isn\u{2019}t supported. Retry your request with the ID or ARN of an inference profile.";
    let too_slow = ProviderError::TimedOut {
        cause: "status 408 (ModelTimeoutException)".into(),
    };
    let retry_after = None;
    for (status, kind, message, expected) in [
        (
            400,
            "ValidationException:http://internal.amazon.com/coral/com.amazon.bedrock/",
            overflow,
            rejected(
                400,
                &format!("{OVERFLOW}: {overflow}"),
                None,
                Some("context_length_exceeded"),
            ),
        ),
        (400, "ValidationException", no_such_model, ProviderError::ModelNotFound),
        (400, "ValidationException", no_profile, ProviderError::ModelNotFound),
        (400, "UnrecognizedClientException", "", ProviderError::Authentication),
        (400, "RequestExpired", "", ProviderError::Authentication),
        (400, "ResourceNotFoundException", "", ProviderError::ModelNotFound),
        (
            400,
            "ThrottlingException",
            "Rate exceeded",
            ProviderError::RateLimited { retry_after },
        ),
        (400, "ServiceQuotaExceededException", "", ProviderError::QuotaExceeded),
        (408, "ModelTimeoutException", "", too_slow),
        (
            429,
            "ModelNotReadyException",
            "",
            ProviderError::Overloaded { retry_after },
        ),
        (
            429,
            "ThrottlingException",
            "",
            ProviderError::RateLimited { retry_after },
        ),
    ] {
        let kind = HeaderValue::from_str(kind).unwrap();
        let headers = HeaderMap::from_iter([(HeaderName::from_static("x-amzn-errortype"), kind)]);
        let body = serde_json::json!({"message": message}).to_string();
        let status = StatusCode::from_u16(status).unwrap();
        assert_eq!(from_response(status, &headers, body.as_bytes()), expected, "{message}");
    }
}

#[test]
fn google_names_the_error_in_its_details() {
    let google = |status: u16, body: &str| {
        from_response(
            StatusCode::from_u16(status).unwrap(),
            &HeaderMap::new(),
            body.as_bytes(),
        )
    };
    let bad_key = r#"{"error":{"code":400,"message":"API key not valid. Please pass a valid API key.","status":"INVALID_ARGUMENT",
        "details":[{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID","domain":"googleapis.com"}]}}"#;
    assert_eq!(google(400, bad_key), ProviderError::Authentication);
    let slow = r#"[{"error":{"code":429,"message":"You exceeded your current quota.","status":"RESOURCE_EXHAUSTED",
        "details":[{"@type":"type.googleapis.com/google.rpc.QuotaFailure"},
        {"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"34.07s"}]}}]"#;
    assert_eq!(google(429, slow), ProviderError::RateLimited { retry_after: Some(35) });
    let long = r#"{"error":{"code":400,"message":"The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).","status":"INVALID_ARGUMENT"}}"#;
    let ProviderError::Rejected { code, .. } = google(400, long) else {
        panic!("{long}");
    };
    assert_eq!(code.as_deref(), Some("context_length_exceeded"));
}

#[test]
fn errors_within_a_stream_are_told_by_code_or_type() {
    let event = |text: &str| from_event(&serde_json::from_str(text).unwrap());
    assert_eq!(
        event(r#"{"code":502,"message":"upstream"}"#),
        ProviderError::failed("status 502")
    );
    assert_eq!(
        event(r#"{"type":"rate_limit_error","message":"x"}"#),
        ProviderError::RateLimited { retry_after: None }
    );
    assert_eq!(
        event(r#"{"type":"BadRequestError","message":"x","code":400}"#),
        rejected(400, "x", None, None)
    );
    assert_eq!(
        event(r#"{"type":"overloaded_error"}"#),
        ProviderError::Overloaded { retry_after: None }
    );
    for (kind, expected) in [
        ("throttlingException", ProviderError::RateLimited { retry_after: None }),
        (
            "serviceUnavailableException",
            ProviderError::Overloaded { retry_after: None },
        ),
        ("validationException", rejected(400, "x", None, None)),
        (
            "modelStreamErrorException",
            ProviderError::failed("status 500 (modelStreamErrorException)"),
        ),
        (
            "internalServerException",
            ProviderError::failed("status 500 (internalServerException)"),
        ),
    ] {
        assert_eq!(
            event(&format!(r#"{{"type":"{kind}","message":"x"}}"#)),
            expected,
            "{kind}"
        );
    }
    assert!(matches!(
        event(r#"{"type":"server_error","message":"x"}"#),
        ProviderError::Failed { .. }
    ));
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
    (&["request_too_large"], 413, ""),
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
            let error = from_event(&serde_json::json!({"type": kind, "message": "x"}));
            assert_eq!(ours(error), (*status, (*code).to_owned()), "{kind}");
        }
    }
    for (theirs, status, code, is_transient) in STATUSES {
        let error = answer(*theirs, "{}");
        assert_eq!(error.is_transient(), *is_transient, "{theirs}");
        assert_eq!(ours(error), (*status, (*code).to_owned()), "{theirs}");
    }
}
