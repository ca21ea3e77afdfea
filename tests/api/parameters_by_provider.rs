//! What each provider gets of a request's parameters: what its models take, as the tables or the assistant's settings say.

use serde_json::json;

use crate::support::{
    TestApp, hello,
    provider::{FakeProvider, answer},
    wire::Wire,
};

#[tokio::test]
async fn what_cannot_be_honoured_is_a_400() {
    let schema = json!({"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object", "properties": {"a": {"type": "string"}}}}});
    for (wire, field, value) in [
        (Wire::Anthropic, "response_format", json!({"type": "json_object"})),
        (Wire::Anthropic, "logprobs", json!(true)),
        (Wire::Bedrock, "response_format", json!({"type": "json_object"})),
        (Wire::Bedrock, "logprobs", json!(true)),
        (Wire::Gemini, "logprobs", json!(true)),
    ] {
        let (app, token) = wire.streaming("text").await;
        let mut body = hello(false);
        body[field] = value;
        let reply = app.chat(&token, &body).await;
        reply.error(400, "unsupported_parameter");
        assert_eq!(reply.body()["error"]["param"], field);
        // A model that the tables know nothing better of: the assistant's setting does.
        let token = app.assistant_with(json!({"model": wire.model(), "capabilities": {"json_schema": false}}));
        body = hello(false);
        body["response_format"] = schema.clone();
        app.chat(&token.await, &body).await.error(400, "unsupported_parameter");
        assert_eq!(app.provider.received().len(), 0);
        app.chat(&wire.assistant(&app).await, &body).await.json();
        assert_eq!(app.provider.received().len(), 1);
    }
}

#[tokio::test]
async fn a_setting_that_cannot_be_honoured_is_the_assistants_fault_and_not_the_callers() {
    for (wire, field, value) in [
        (Wire::Anthropic, "response_format", json!({"type": "json_object"})),
        (Wire::Anthropic, "logprobs", json!(true)),
        (Wire::Gemini, "logprobs", json!(true)),
    ] {
        let (app, _) = wire.streaming("text").await;
        let token = app
            .assistant_with(json!({"type==agent/model": wire.model(), field: value}))
            .await;
        for stream in [false, true] {
            let reply = app.chat(&token, &hello(stream)).await;
            let message = reply.error(500, "assistant_misconfigured");
            assert!(message.contains(&format!("`{field}`")), "{message}");
            // The same in the request is the caller's.
            let mut body = hello(stream);
            body[field] = value.clone();
            app.chat(&token, &body).await.error(400, "unsupported_parameter");
        }
        assert_eq!(app.provider.received().len(), 0);
    }
}

#[tokio::test]
async fn bedrock_has_less_of_some_models_than_their_maker() {
    let mut body = hello(false);
    body["response_format"] = json!({"type": "json_schema", "json_schema": {"name": "a", "schema": {"type": "object", "properties": {"a": {"type": "string"}}}}});
    let (app, _) = Wire::Bedrock.streaming("text").await;
    let token = app.assistant_with(json!({"type==agent/model": "bedrock/us.anthropic.claude-opus-4-7"}));
    app.chat(&token.await, &body).await.error(400, "unsupported_parameter");
    let (app, _) = Wire::Anthropic.streaming("text").await;
    let token = app.assistant_with(json!({"type==agent/model": "claude-opus-4-7"}));
    app.chat(&token.await, &body).await.json();
}

#[tokio::test]
async fn an_assistants_own_word_on_its_model_wins() {
    let app = TestApp::start(FakeProvider::always(answer(&["Hi"])).await).await;
    let mut body = hello(false);
    for (name, value) in [
        ("temperature", json!(0.5)),
        ("top_p", json!(0.9)),
        ("reasoning_effort", json!("low")),
    ] {
        body[name] = value;
    }
    for (model, capabilities, sent) in [
        ("gpt-4o", json!({}), [true, true, false]),
        (
            "gpt-4o",
            json!({"sampling": "one", "thinking": "effort"}),
            [true, false, true],
        ),
        ("gpt-4o", json!({"sampling": "none"}), [false, false, false]),
        ("o3", json!({}), [false, false, true]),
        (
            "o3",
            json!({"sampling": "both", "thinking": "none"}),
            [true, true, false],
        ),
    ] {
        let token = app
            .assistant_with(json!({"type==agent/model": model, "capabilities": capabilities}))
            .await;
        app.chat(&token, &body).await.json();
        let received = app.provider.received().pop().unwrap().body;
        let found = ["temperature", "top_p", "reasoning_effort"].map(|name| received.get(name).is_some());
        assert_eq!(found, sent, "{model} {capabilities}");
    }
    let token = app.assistant_with(json!({"capabilities": {"samplings": "none"}})).await;
    let message = app.chat(&token, &body).await.error(500, "assistant_misconfigured");
    assert!(
        message.contains("`capabilities`") && message.contains("samplings"),
        "{message}"
    );
}

#[tokio::test]
async fn claude_thinks_as_little_as_asked_and_shows_it_where_the_assistant_does() {
    let (nothing, shown) = (json!(null), json!({"type": "adaptive", "display": "summarized"}));
    let by_type = |kind: &str| json!({"type": kind});
    for (model, effort, show, thinking, config) in [
        // They think where they are asked to.
        ("claude-sonnet-4-5", "none", true, &nothing, &nothing),
        // They think unless they are asked not to.
        ("claude-opus-5", "none", false, &by_type("disabled"), &nothing),
        ("claude-opus-5", "xhigh", true, &shown, &json!({"effort": "xhigh"})),
        // They always think.
        ("claude-opus-5-5", "none", false, &nothing, &json!({"effort": "low"})),
    ] {
        let settings = json!({"type==agent/model": model, "reasoning_content": show});
        let (app, token) = Wire::Anthropic
            .answering(Wire::Anthropic.stream("text"), settings)
            .await;
        let mut body = hello(false);
        body["reasoning_effort"] = json!(effort);
        app.chat(&token, &body).await.json();
        let received = app.provider.received().pop().unwrap().body;
        assert_eq!(received["thinking"], *thinking, "{model} {effort}");
        assert_eq!(received["output_config"], *config, "{model} {effort}");
    }
}

#[tokio::test]
async fn bedrocks_claude_has_its_own_limit_unless_it_is_asked_to_think() {
    let (app, _) = Wire::Bedrock.streaming("text").await;
    for (model, effort, limit) in [
        ("claude-opus-5", "none", json!(null)),
        ("claude-opus-4-8", "none", json!(null)),
        ("claude-opus-5", "low", json!(17_024)),
        ("claude-sonnet-4-5", "low", json!(17_024)),
    ] {
        let token = app.assistant_with(json!({"type==agent/model": format!("bedrock/us.anthropic.{model}")}));
        let mut body = hello(false);
        body["reasoning_effort"] = json!(effort);
        app.chat(&token.await, &body).await.json();
        let sent = app.provider.received().pop().unwrap().body;
        assert_eq!(sent["inferenceConfig"]["maxTokens"], limit, "{model} {effort}");
    }
}

#[tokio::test]
async fn what_the_request_sets_itself_wins_over_the_assistants_default() {
    for wire in [Wire::Anthropic, Wire::Bedrock] {
        for (default, own) in [("temperature", "top_p"), ("top_p", "temperature")] {
            let (app, token) = wire.answering(wire.stream("text"), json!({default: 0.3})).await;
            let mut body = hello(false);
            body[own] = json!(0.9);
            app.chat(&token, &body).await.json();
            let sent = app.provider.received().pop().unwrap().text;
            assert!(sent.contains("0.9") && !sent.contains("0.3"), "{sent}");
        }
    }
}

#[tokio::test]
async fn geminis_thinking_leaves_half_of_the_limit_to_the_answer() {
    let (app, _) = Wire::Gemini.streaming("text").await;
    for (model, effort, limit, budget) in [
        ("gemini-2.5-flash", "high", 3000, 1500),
        ("gemini-2.5-flash", "low", 100, 50),
        ("gemini-2.5-flash", "none", 100, 0),
        ("gemini-2.5-flash", "medium", 65_536, 8192),
        ("gemini-2.5-flash-lite", "low", 1000, 0),
        ("gemini-2.5-flash-lite", "low", 2000, 1000),
        ("gemini-2.5-pro", "low", 100, 128),
    ] {
        let token = app.assistant_with(json!({"type==agent/model": model})).await;
        let mut body = hello(false);
        body["reasoning_effort"] = json!(effort);
        body["max_tokens"] = json!(limit);
        app.chat(&token, &body).await.json();
        let config = app.provider.received().pop().unwrap().body["generationConfig"].clone();
        assert_eq!(config["thinkingConfig"]["thinkingBudget"], budget, "{model} {config}");
    }
}

#[tokio::test]
async fn novas_highest_effort_stands_alone() {
    let (app, _) = Wire::Bedrock.streaming("text").await;
    let token = app
        .assistant_with(json!({"type==agent/model": "amazon.nova-2-lite-v1:0"}))
        .await;
    for (limit, level) in [(json!(null), "high"), (json!(100), "medium")] {
        let mut body = hello(false);
        body["reasoning_effort"] = json!("high");
        body["max_tokens"] = limit;
        app.chat(&token, &body).await.json();
        let sent = app.provider.received().pop().unwrap().body;
        assert_eq!(
            sent["additionalModelRequestFields"]["reasoningConfig"]["maxReasoningEffort"],
            level
        );
    }
}

#[tokio::test]
async fn who_asks_is_told_to_anthropic_as_an_opaque_id() {
    let (app, token) = Wire::Anthropic.streaming("text").await;
    let digest_of_a = "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb";
    for (user, sent) in [
        ("user-1_A", "user-1_A"),
        ("a", "a"),
        (
            "jane@example.com",
            "8c87b489ce35cf2e2f39f80e282cb2e804932a56a213983eeeb428407d43b52d",
        ),
    ] {
        let mut body = hello(false);
        body["user"] = json!(user);
        app.chat(&token, &body).await.json();
        assert_eq!(app.provider.received().pop().unwrap().body["metadata"]["user_id"], sent);
    }
    for user in ["+49 30 123456", "4930123456", "Jane Doe", &"a".repeat(257)] {
        let mut body = hello(false);
        body["user"] = json!(user);
        app.chat(&token, &body).await.json();
        let sent = app.provider.received().pop().unwrap().body["metadata"]["user_id"].clone();
        let sent = sent.as_str().unwrap().to_owned();
        assert!(sent.len() == digest_of_a.len() && sent != user, "{user}: {sent}");
    }
}

#[tokio::test]
async fn gemini_gets_a_level_that_it_has() {
    for (model, effort, level, samples) in [
        ("gemini-3-flash-preview", "none", "minimal", true),
        ("models/gemini-3-pro-preview", "medium", "high", true),
        ("gemini-3.1-pro-preview", "medium", "medium", true),
        ("gemini-3.1-pro-preview", "minimal", "low", true),
        ("gemini-3.6-flash", "minimal", "minimal", false),
        ("gemini-3.8-flash", "minimal", "low", false),
        ("gemini-flash-latest", "none", "low", true),
    ] {
        let settings = json!({"type==agent/model": model, "provider": "gemini"});
        let (app, token) = Wire::Gemini.answering(Wire::Gemini.stream("text"), settings).await;
        let mut body = hello(false);
        body["reasoning_effort"] = json!(effort);
        body["temperature"] = json!(0.5);
        app.chat(&token, &body).await.json();
        let config = &app.provider.received().pop().unwrap().body["generationConfig"];
        assert_eq!(config["thinkingConfig"]["thinkingLevel"], level, "{model} {effort}");
        assert_eq!(config.get("temperature").is_some(), samples, "{model}");
    }
}
