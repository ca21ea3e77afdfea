//! What only the words of a failure tell.

use super::*;

#[test]
fn a_403_about_the_content_is_the_callers() {
    for body in [
        r#"{"code":"The caller does not have permission to execute the specified operation","error":"Content violates usage guidelines. Team: x, API key ID: y, Model: grok-4, Failed check: SAFETY_CHECK_TYPE_BIO"}"#,
        r#"{"error":{"message":"openai/gpt-4o requires moderation on OpenAI. Your input was flagged for \"violence\". No credits were charged.","code":403,"metadata":{"reasons":["violence"],"flagged_input":"…","provider_name":"OpenAI"}}}"#,
        r#"{"error":{"message":"no","code":403,"metadata":{"flagged_input":"…"}}}"#,
        r#"{"error":{"message":"The request was rejected by our safety system.","code":"moderation_blocked"}}"#,
        r#"{"error":{"message":"Input data may contain inappropriate content.","code":"data_inspection_failed"}}"#,
    ] {
        let ProviderError::Rejected { status, message, .. } = answer(403, body) else {
            panic!("{body}");
        };
        assert_eq!(status, 400);
        assert!(body.contains(message.split('"').next().unwrap()), "{message}");
    }
    for body in [
        "",
        r#"{"error":{"message":"Your organization must be verified to use the model."}}"#,
        r#"{"error":{"message":"Your account was flagged for abuse and is suspended."}}"#,
        r#"{"error":{"message":"Forbidden"}}"#,
    ] {
        assert_eq!(answer(403, body), ProviderError::Authentication, "{body}");
    }
}

#[test]
fn an_overflow_is_a_400_with_its_code_whatever_else_is_said() {
    let message = "The input (5000 tokens) is longer than the model's context length (4096 tokens).";
    let expected = rejected(
        400,
        &format!("{OVERFLOW}: {message}"),
        None,
        Some("context_length_exceeded"),
    );
    for code in [
        "null",
        "400",
        r#""invalid_request_error""#,
        r#""3051""#,
        r#""BadRequestError""#,
        r#""invalid_argument""#,
    ] {
        let body = format!(r#"{{"error":{{"message":"{message}","type":"BadRequestError","code":{code}}}}}"#);
        for status in [400, 403, 413, 422, 424, 500] {
            assert_eq!(answer(status, &body), expected, "{status} {code}");
        }
        let event: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(from_event(&event), expected, "{code}");
        assert_eq!(from_event(&event["error"]), expected, "{code}");
    }
    let by_exception = serde_json::json!({"type": "modelStreamErrorException", "message": message, "status": 400});
    assert_eq!(from_event(&by_exception), expected);
    let by_exception = serde_json::json!({"type": "modelStreamErrorException", "message": "no", "status": 400});
    assert_eq!(from_event(&by_exception), rejected(400, "no", None, None));
    assert_eq!(from_event(&Value::from(message)), expected);
    // OpenAI's own stays as it is.
    let own = r#"{"error":{"message":"This model's maximum context length is 8192 tokens.","param":"messages","code":"context_length_exceeded"}}"#;
    let own_words = "This model's maximum context length is 8192 tokens.";
    assert_eq!(
        answer(400, own),
        rejected(400, own_words, Some("messages"), Some("context_length_exceeded"))
    );
}

#[test]
fn a_template_that_rejects_the_messages_is_no_outage() {
    for message in [
        "Conversation roles must alternate user/assistant/user/assistant/...",
        "System role not supported",
        "Only user, assistant and tool roles are supported, got system.",
    ] {
        for status in [400, 424, 500] {
            let body = serde_json::json!({"error": {"code": status, "message": message}}).to_string();
            assert_eq!(
                answer(status, &body),
                rejected(400, message, None, None),
                "{status} {message}"
            );
        }
    }
}

#[test]
fn bedrock_tells_the_operator_with_a_400() {
    for (message, expected) in [
        ("Operation not allowed", ProviderError::Authentication),
        (
            "Invocation of model ID anthropic.claude-opus-4-1 with on-demand throughput isn't supported. Retry your request",
            ProviderError::ModelNotFound,
        ),
        (
            "The model anthropic.claude-opus-4-1 doesn't support on-demand throughput.",
            ProviderError::ModelNotFound,
        ),
        (
            "The provided model identifier is invalid.",
            ProviderError::ModelNotFound,
        ),
    ] {
        let body = serde_json::json!({"message": message}).to_string();
        assert_eq!(answer(400, &body), expected, "{message}");
    }
}
