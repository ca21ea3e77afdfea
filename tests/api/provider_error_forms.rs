//! What a provider's error says is found wherever it stands: in a status, in an event under 200, in an exception of AWS's.
//! The forms and wordings are tables beside the code; here is one of each kind, from end to end.

use serde_json::{Value, json};

use crate::support::{
    TestApp, error_message, hello,
    provider::{Answer, FakeProvider, Step, events_head, piece, response, stream_end, stream_head, text},
    streams::frame,
};

/// Asks in both forms before any text has come, and checks status, code and the number of calls; returns the message.
async fn fails(answer: Answer, settings: &Value, status: u16, code: &str, calls: usize) -> String {
    let app = TestApp::start(FakeProvider::always(answer.clone()).await).await;
    let token = app.assistant_with(settings.clone()).await;
    let mut message = String::new();
    for stream in [false, true] {
        let reply = app.chat(&token, &hello(stream)).await;
        message = reply.error(status, code);
    }
    let asked = app.provider.received().len();
    assert_eq!(asked, 2 * calls, "{}", String::from_utf8_lossy(&bytes(&answer)));
    message
}

fn bytes(answer: &Answer) -> Vec<u8> {
    let sent = answer.iter().filter_map(|step| match step {
        Step::Send(bytes) => Some(bytes.clone()),
        _ => None,
    });
    sent.flatten().collect()
}

fn under_200(body: &str) -> Answer {
    vec![events_head(), piece(body), stream_end()]
}

fn exception(kind: &str, payload: &Value) -> Answer {
    let head = stream_head("application/vnd.amazon.eventstream");
    vec![head, piece(frame(&format!("exception:{kind} {payload}"))), stream_end()]
}

#[tokio::test]
async fn an_overflow_is_openais_400_in_whatever_form_it_comes() {
    let openai = json!({});
    let bedrock = json!({"type==agent/model": "bedrock/amazon.nova-lite-v1:0"});
    // LM Studio, <https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/237>, read 2026-11
    let lm_studio = "event: error\ndata: {\"error\":{\"message\":\"Trying to keep the first 6000 tokens when context the overflows.\"}}\n\n";
    let xai = json!({"code": "Client specified an invalid argument",
        "error": "This model's maximum prompt length is 131072 but the request contains 216748 tokens."});
    let openrouter = json!({"error": {"message": "Provider returned error", "code": 400, "metadata": {
        "raw": json!({"error": {"message": "prompt too long; exceeded max context length by 8 tokens"}}).to_string()}}});
    for (answer, settings) in [
        (under_200(lm_studio), &openai),
        (response(400, "", &xai.to_string()), &openai),
        (response(403, "", &xai.to_string()), &openai),
        (response(400, "", &openrouter.to_string()), &openai),
        (under_200(&format!("data: {openrouter}\n\n")), &openai),
        (
            response(
                422,
                "",
                "The prompt (total length 5000) is too long to fit into the model (context length 4096).",
            ),
            &openai,
        ),
        (
            exception(
                "validationException",
                &json!({"message": "Input Tokens Exceeded: Number of input tokens exceeds maximum length"}),
            ),
            &bedrock,
        ),
        (
            exception(
                "modelStreamErrorException",
                &json!({"message": "The system encountered an error.", "originalStatusCode": 400, "originalMessage": "Input is too long for requested model."}),
            ),
            &bedrock,
        ),
    ] {
        let message = fails(answer, settings, 400, "context_length_exceeded", 1).await;
        assert!(message.starts_with("This model's maximum context length"), "{message}");
    }
}

#[tokio::test]
async fn what_no_later_call_changes_is_asked_once() {
    let openai = json!({});
    let bedrock = json!({"type==agent/model": "bedrock/amazon.nova-lite-v1:0"});
    for status in [301, 308, 405, 418, 423] {
        fails(
            response(status, "location: /elsewhere\r\n", "{}"),
            &openai,
            502,
            "provider_error",
            1,
        )
        .await;
    }
    for (kind, status, code) in [
        ("authentication_error", 502, "provider_authentication_failed"),
        ("permission_error", 502, "provider_authentication_failed"),
        ("not_found_error", 502, "provider_model_not_found"),
        ("billing_error", 429, "insufficient_quota"),
        ("timeout_error", 504, "provider_timeout"),
    ] {
        let event = json!({"type": "error", "error": {"type": kind, "message": "no"}});
        fails(
            under_200(&format!("event: error\ndata: {event}\n\n")),
            &openai,
            status,
            code,
            1,
        )
        .await;
    }
    let late = exception("modelTimeoutException", &json!({"message": "no"}));
    fails(late, &bedrock, 504, "provider_timeout", 1).await;
    let not_allowed = response(
        400,
        "x-amzn-errortype: ValidationException\r\n",
        r#"{"message": "Operation not allowed"}"#,
    );
    fails(not_allowed, &bedrock, 502, "provider_authentication_failed", 1).await;
    // DeepSeek, <https://github.com/deepwn/addi/issues/13>, read 2026-11
    let no_such_model = r#"{"error": {"message": "Model Not Exist", "type": "invalid_request_error", "code": "invalid_request_error"}}"#;
    fails(
        response(400, "", no_such_model),
        &openai,
        502,
        "provider_model_not_found",
        1,
    )
    .await;
    // What may pass is asked again: three times at most, twice once an answer has begun.
    fails(response(500, "", "{}"), &openai, 502, "provider_error", 3).await;
    fails(
        under_200("data: {\"error\": {\"message\": \"no\"}}\n\n"),
        &openai,
        502,
        "provider_error",
        2,
    )
    .await;
    fails(vec![events_head(), stream_end()], &openai, 502, "provider_error", 2).await;
}

#[tokio::test]
async fn a_status_counts_although_its_body_hangs() {
    let head = |status: &str| {
        let head = format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: 99\r\nretry-after-ms: 1500\r\n\r\n{{"
        );
        vec![Step::Send(head.into()), Step::Hang]
    };
    let app = TestApp::start(FakeProvider::always(head("429 Too Many Requests")).await).await;
    let token = app.assistant().await;
    for stream in [false, true] {
        let reply = app.chat(&token, &hello(stream)).await;
        reply.error(429, "rate_limit_exceeded");
        assert_eq!(reply.header("retry-after"), Some("2"));
    }
    fails(head("500 Internal Server Error"), &json!({}), 502, "provider_error", 3).await;
}

/// In mid-stream the same codes are the last event.
#[tokio::test]
async fn in_mid_stream_it_is_the_last_event() {
    for (event, code) in [
        (
            "data: {\"error\": {\"message\": \"prompt is too long: 9 tokens > 8 maximum\"}}\n\n",
            "context_length_exceeded",
        ),
        (
            "event: error\ndata: {\"type\": \"error\", \"error\": {\"type\": \"timeout_error\", \"message\": \"x\"}}\n\n",
            "provider_timeout",
        ),
        ("event: error\ndata: upstream failed\n\n", "provider_error"),
    ] {
        let answer = vec![events_head(), text("Once"), piece(event), stream_end()];
        let app = TestApp::start(FakeProvider::always(answer).await).await;
        let streamed = app.chat(&app.assistant().await, &hello(true)).await;
        error_message(streamed.events().last().unwrap(), code);
        assert!(!streamed.text.contains("[DONE]") && !streamed.text.contains("\"stop\""));
        assert_eq!(app.provider.received().len(), 1);
    }
}
