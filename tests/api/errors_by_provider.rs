//! Each provider's errors before the first text are a status and a code of ours, without the key.

use serde_json::json;

use crate::support::{
    hello,
    wire::{KEY, Wire},
};

/// By provider: its status and kind of error, our status and code.
const ERRORS: [(Wire, u16, &str, u16, &str); 23] = [
    (Wire::Anthropic, 400, "invalid_request_error", 400, "null"),
    (
        Wire::Anthropic,
        401,
        "authentication_error",
        502,
        "provider_authentication_failed",
    ),
    (Wire::Anthropic, 402, "billing_error", 429, "insufficient_quota"),
    (Wire::Anthropic, 404, "not_found_error", 502, "provider_model_not_found"),
    (Wire::Anthropic, 413, "request_too_large", 413, "request_too_large"),
    (Wire::Anthropic, 429, "rate_limit_error", 429, "rate_limit_exceeded"),
    (Wire::Anthropic, 500, "api_error", 502, "provider_error"),
    (Wire::Anthropic, 529, "overloaded_error", 503, "provider_overloaded"),
    (Wire::Bedrock, 400, "ValidationException", 400, "null"),
    (
        Wire::Bedrock,
        403,
        "AccessDeniedException",
        502,
        "provider_authentication_failed",
    ),
    (
        Wire::Bedrock,
        404,
        "ResourceNotFoundException",
        502,
        "provider_model_not_found",
    ),
    (Wire::Bedrock, 408, "ModelTimeoutException", 504, "provider_timeout"),
    (Wire::Bedrock, 424, "ModelErrorException", 502, "provider_error"),
    (Wire::Bedrock, 429, "ThrottlingException", 429, "rate_limit_exceeded"),
    (Wire::Bedrock, 429, "ModelNotReadyException", 503, "provider_overloaded"),
    (
        Wire::Bedrock,
        503,
        "ServiceUnavailableException",
        503,
        "provider_overloaded",
    ),
    (Wire::Gemini, 400, "INVALID_ARGUMENT", 400, "null"),
    (
        Wire::Gemini,
        400,
        "FAILED_PRECONDITION",
        502,
        "provider_authentication_failed",
    ),
    (
        Wire::Gemini,
        403,
        "PERMISSION_DENIED",
        502,
        "provider_authentication_failed",
    ),
    (Wire::Gemini, 404, "NOT_FOUND", 502, "provider_model_not_found"),
    (Wire::Gemini, 429, "RESOURCE_EXHAUSTED", 429, "rate_limit_exceeded"),
    (Wire::Gemini, 500, "INTERNAL", 502, "provider_error"),
    (Wire::Gemini, 503, "UNAVAILABLE", 503, "provider_overloaded"),
];

#[tokio::test]
async fn an_error_before_the_first_text_is_a_status() {
    let mut answers = Vec::new();
    for (wire, theirs, kind, ours, code) in ERRORS {
        let message = format!("the provider's words, not the key: {KEY}");
        answers.push((wire, wire.error(theirs, kind, &message, ""), ours, code));
    }
    for wire in Wire::TRANSLATED {
        // Without its one piece of text, this stream is an error and nothing else.
        let mut overloaded = wire.stream("overloaded");
        overloaded.retain(|step| !step.contains("Once"));
        answers.push((wire, overloaded, 503, "provider_overloaded"));
    }
    for (wire, answer, status, code) in answers {
        let (app, token) = wire.answering(answer, json!({})).await;
        for stream in [false, true] {
            let reply = app.chat(&token, &hello(stream)).await;
            reply.error(status, code);
            assert!(!reply.text.contains(KEY), "{wire:?}: {}", reply.text);
        }
    }
}
