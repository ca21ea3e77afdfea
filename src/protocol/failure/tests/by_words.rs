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

/// A provider's status and body that are about the operator's model, account or key, and what they mean.
const OF_THE_OPERATOR: &[(u16, &str, ProviderError)] = &[
    // Mistral and Perplexity, DeepSeek, OpenRouter, LiteLLM, SiliconFlow, GitHub's models, Azure
    (
        400,
        r#"{"object":"error","message":"Invalid model: x","type":"invalid_model","param":null,"code":"1500"}"#,
        ProviderError::ModelNotFound,
    ),
    (
        400,
        r#"{"error":{"message":"Model Not Exist","type":"invalid_request_error","param":null,"code":"invalid_request_error"}}"#,
        ProviderError::ModelNotFound,
    ),
    (
        400,
        r#"{"error":{"message":"deepseek/x is not a valid model ID","code":400},"user_id":"u"}"#,
        ProviderError::ModelNotFound,
    ),
    (
        400,
        r#"{"error":"/chat/completions: Invalid model name passed in model=x. Call `/v1/models` to view available models for your key."}"#,
        ProviderError::ModelNotFound,
    ),
    (
        400,
        r#"{"code":20012,"message":"Model does not exist. Please check it carefully.","data":null}"#,
        ProviderError::ModelNotFound,
    ),
    (
        400,
        r#"{"error":{"code":"unknown_model","message":"Unknown model: x"}}"#,
        ProviderError::ModelNotFound,
    ),
    (
        400,
        r#"{"error":{"code":"OperationNotSupported","message":"The chatCompletion operation does not work with the specified model, x."}}"#,
        ProviderError::ModelNotFound,
    ),
    // Alibaba, OpenAI, Moonshot
    (
        400,
        r#"{"error":{"message":"Access denied, please make sure your account is in good standing.","type":"Arrearage","code":"Arrearage"}}"#,
        ProviderError::QuotaExceeded,
    ),
    (
        400,
        r#"{"error":{"message":"Billing hard limit has been reached","type":"invalid_request_error","code":"billing_hard_limit_reached"}}"#,
        ProviderError::QuotaExceeded,
    ),
    (
        429,
        r#"{"error":{"message":"Your account is not active, please check your billing details.","type":"billing_not_active","code":"billing_not_active"}}"#,
        ProviderError::QuotaExceeded,
    ),
    (
        429,
        r#"{"error":{"message":"Your account org-x is suspended due to insufficient balance, please recharge your account","type":"exceeded_current_quota_error"}}"#,
        ProviderError::QuotaExceeded,
    ),
    (
        429,
        r#"{"error":{"code":"1113","message":"Insufficient balance or no resource package. Please recharge."}}"#,
        ProviderError::QuotaExceeded,
    ),
    // OpenRouter
    (
        402,
        r#"{"error":{"message":"Prompt tokens limit exceeded: 64128 > 6964. To increase, visit https://openrouter.ai/settings/credits","code":402}}"#,
        ProviderError::QuotaExceeded,
    ),
    // OpenAI, Bedrock, AWS without its header
    (
        400,
        r#"{"error":{"message":"Your organization must be verified to stream this model. Please go to: …","type":"invalid_request_error","param":"stream","code":"unsupported_value"}}"#,
        ProviderError::Authentication,
    ),
    (
        400,
        r#"{"message":"Access to Anthropic models is not allowed from unsupported countries, regions, or territories."}"#,
        ProviderError::Authentication,
    ),
    (
        400,
        r#"{"__type":"com.amazon.coral.service#UnrecognizedClientException","message":"x"}"#,
        ProviderError::Authentication,
    ),
];

#[test]
fn a_400_may_be_the_operators() {
    for (status, body, expected) in OF_THE_OPERATOR {
        assert_eq!(answer(*status, body), *expected, "{body}");
    }
    // What only sounds like it.
    for message in [
        "Invalid model parameters: temperature",
        "The image model output does not exist",
    ] {
        let body = serde_json::json!({"error": {"message": message}}).to_string();
        assert_eq!(answer(400, &body), rejected(400, message, None, None));
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

#[test]
fn minimax_has_numbers_under_a_200() {
    let event = |number: u64, message: &str| {
        from_event(&serde_json::json!({"base_resp": {"status_code": number, "status_msg": message}}))
    };
    let overflow = "invalid params, context window exceeds limit (2013)";
    let expected = format!("{OVERFLOW}: {overflow}");
    assert_eq!(
        event(2013, overflow),
        rejected(400, &expected, None, Some("context_length_exceeded"))
    );
    assert_eq!(
        event(2013, "invalid params"),
        rejected(400, "invalid params", None, None)
    );
    assert_eq!(
        event(1002, "rate limit"),
        ProviderError::RateLimited { retry_after: None }
    );
    assert_eq!(event(1008, "insufficient balance"), ProviderError::QuotaExceeded);
    assert_eq!(event(2049, "invalid api key"), ProviderError::Authentication);
    assert_eq!(event(1000, "unknown error"), ProviderError::failed("status 500"));
}
