//! A model that does not stream (`streaming: false`) answers in both reply forms all the same.

use serde_json::json;

use crate::support::{
    TestApp, hello,
    provider::{FakeProvider, response},
    schema::check_completion,
    text_of,
    wire::Wire,
};

#[tokio::test]
async fn a_provider_that_does_not_stream_is_understood_too() {
    let whole = json!({"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "All at once"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}});
    let app = TestApp::start(FakeProvider::always(response(200, "", &whole.to_string())).await).await;
    let token = app.assistant_with(json!({"streaming": false})).await;
    let completion = app.chat(&token, &hello(false)).await.json();
    assert_eq!(completion["choices"][0]["message"]["content"], "All at once");
    let streamed = app.chat(&token, &hello(true)).await;
    assert_eq!(text_of(&streamed.events()), "All at once");
    assert!(streamed.is_done());
    for request in app.provider.received() {
        assert_eq!(
            (&request.body["stream"], request.body.get("stream_options")),
            (&json!(false), None)
        );
    }
}

#[tokio::test]
async fn a_whole_answer_beside_an_empty_delta_is_the_answer() {
    // Perplexity's "Chat completions" reference, not streamed.
    let whole = json!({"id": "p", "model": "sonar", "object": "chat.completion", "created": 1, "citations": [],
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Once upon"},
            "delta": {"role": "assistant", "content": ""}}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 8, "total_tokens": 13}});
    let app = TestApp::start(FakeProvider::always(response(200, "", &whole.to_string())).await).await;
    let token = app.assistant_with(json!({"streaming": false})).await;
    let completion = app.chat(&token, &hello(false)).await.json();
    assert_eq!(completion["choices"][0]["message"]["content"], "Once upon");
    let streamed = app.chat(&token, &hello(true)).await;
    assert_eq!(text_of(&streamed.events()), "Once upon");
    assert!(streamed.is_done());
}

#[tokio::test]
async fn a_model_that_is_not_streamed_answers_all_the_same() {
    let converse = json!({
        "output": {"message": {"role": "assistant", "content": [
            {"reasoningContent": {"reasoningText": {"text": "Two and two", "signature": "Eq"}}}, {"text": "Four"}]}},
        "stopReason": "end_turn", "usage": {"inputTokens": 9, "outputTokens": 12, "totalTokens": 21},
        "metrics": {"latencyMs": 1}});
    let gemini = json!({
        "candidates": [{"content": {"parts": [{"text": "Four"}], "role": "model"}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 12, "totalTokenCount": 21}});
    let claude = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": "Four"}], "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": 9, "output_tokens": 12}});
    for (wire, whole, path) in [
        (Wire::Anthropic, claude, "/v1/messages "),
        (Wire::Bedrock, converse, "/converse "),
        (Wire::Gemini, gemini, "/v1beta/models/gemini-2.5-flash:generateContent "),
    ] {
        let answer = response(200, "", &whole.to_string());
        let (app, token) = wire.answering(answer, json!({"streaming": false})).await;
        let completion = app.chat(&token, &hello(false)).await.json();
        check_completion(&completion);
        assert_eq!(completion["choices"][0]["message"]["content"], "Four");
        assert_eq!(completion["usage"]["total_tokens"], 21);
        let streamed = app.chat(&token, &hello(true)).await;
        assert_eq!(text_of(&streamed.events()), "Four");
        assert!(streamed.is_done());
        for request in app.provider.received() {
            assert!(request.head.lines().next().unwrap().contains(path), "{}", request.head);
        }
    }
}
