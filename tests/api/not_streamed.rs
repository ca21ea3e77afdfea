//! A model that does not stream (`streaming: false`) answers in both reply forms all the same.

use serde_json::json;

use crate::support::{hello, provider::response, schema::check_completion, text_of, wire::Wire};

#[tokio::test]
async fn a_whole_answer_is_a_completion_and_a_stream() {
    let openai = json!({"id": "x", "object": "chat.completion", "created": 1, "model": "m", "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Four"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}});
    // Perplexity's "Chat completions" reference, not streamed: an empty delta beside the message.
    let perplexity = json!({"id": "p", "model": "sonar", "object": "chat.completion", "created": 1, "citations": [],
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Four"},
            "delta": {"role": "assistant", "content": ""}}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}});
    let claude = json!({"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-5",
        "content": [{"type": "text", "text": "Four"}], "stop_reason": "end_turn", "stop_sequence": null,
        "usage": {"input_tokens": 9, "output_tokens": 12}});
    let converse = json!({
        "output": {"message": {"role": "assistant", "content": [
            {"reasoningContent": {"reasoningText": {"text": "Two and two", "signature": "Eq"}}}, {"text": "Four"}]}},
        "stopReason": "end_turn", "usage": {"inputTokens": 9, "outputTokens": 12, "totalTokens": 21},
        "metrics": {"latencyMs": 1}});
    let gemini = json!({
        "candidates": [{"content": {"parts": [{"text": "Four"}], "role": "model"}, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 12, "totalTokenCount": 21}});
    for (wire, whole, path) in [
        (Wire::OpenAi, openai, "/v1/chat/completions "),
        (Wire::OpenAi, perplexity, "/v1/chat/completions "),
        (Wire::Anthropic, claude, "/v1/messages "),
        (Wire::Bedrock, converse, "/converse "),
        (Wire::Gemini, gemini, "/v1beta/models/gemini-2.5-flash:generateContent "),
    ] {
        let answer = response(200, "", &whole.to_string());
        let (app, token) = wire.answering(answer, json!({"streaming": false})).await;
        let completion = app.chat(&token, &hello(false)).await.json();
        check_completion(&completion);
        assert_eq!(completion["choices"][0]["message"]["content"], "Four", "{whole}");
        assert_eq!(completion["usage"]["total_tokens"], 21, "{whole}");
        let streamed = app.chat(&token, &hello(true)).await;
        assert_eq!(text_of(&streamed.events()), "Four", "{whole}");
        assert!(streamed.is_done(), "{whole}");
        let received = app.provider.received();
        assert_eq!(received.len(), 2, "{whole}");
        for request in received {
            assert!(request.head.lines().next().unwrap().contains(path), "{}", request.head);
            if wire == Wire::OpenAi {
                assert_eq!(request.body["stream"], json!(false));
            }
            assert!(request.body.get("stream_options").is_none());
        }
    }
}
