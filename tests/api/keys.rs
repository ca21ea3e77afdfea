//! Which key goes where: from the secret, by provider and by origin, read anew when it has to be.

use std::sync::Arc;

use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{
    TestApp, hello,
    provider::{Answer, FakeProvider, answer, error},
    readings,
    secret::Secret,
    soon,
};

/// A provider that takes one key only.
async fn taking(key: &'static str) -> FakeProvider {
    FakeProvider::seeing(move |request| -> Answer {
        if request.head.contains(&format!("authorization: Bearer {key}\r\n")) || request.head.ends_with(key) {
            answer(&["Hi"])
        } else {
            error(401, "invalid_api_key")
        }
    })
    .await
}

async fn ask(app: &TestApp, settings: Value) -> u16 {
    let token = app.assistant_with(settings).await;
    app.chat(&token, &hello(false)).await.status.as_u16()
}

#[tokio::test]
async fn the_secret_is_read_once_and_again_when_its_key_is_refused() {
    let secret = Secret::new(json!({"OPENAI_API_KEY": "sk-old"}));
    let app = TestApp::with_secret(taking("sk-old").await, &secret).await;
    for _ in 0..3 {
        assert_eq!(ask(&app, json!({})).await, 200);
    }
    assert_eq!(secret.readings(), 1);

    let app = TestApp::with_secret(taking("sk-new").await, &secret).await;
    let token = app.assistant().await;
    secret.set(json!({"OPENAI_API_KEY": "sk-older"}));
    let warm = app.chat(&token, &hello(false)).await;
    warm.error(502, "provider_authentication_failed");
    let before = secret.readings();
    secret.set(json!({"OPENAI_API_KEY": "sk-new"}));
    // The last reading of the same minute counts: a bad key must not become a flood of readings.
    app.chat(&token, &hello(true))
        .await
        .error(502, "provider_authentication_failed");
    assert_eq!(secret.readings(), before);
}

#[tokio::test]
async fn a_rotated_key_is_taken_up_within_the_request() {
    let secret = Secret::new(json!({"OPENAI_API_KEY": "sk-old"}));
    let provider = FakeProvider::seeing({
        let secret = secret.clone();
        move |request| {
            if request.head.contains("sk-old") {
                // Rotated after it was read.
                secret.set(json!({"OPENAI_API_KEY": "sk-new"}));
                return error(401, "invalid_api_key");
            }
            answer(&["Hi"])
        }
    })
    .await;
    let app = TestApp::with_secret(provider, &secret).await;
    assert_eq!(ask(&app, json!({})).await, 200);
    assert_eq!((secret.readings(), app.provider.received().len()), (2, 2));
}

#[tokio::test]
async fn a_missing_key_says_which_and_is_found_once_it_is_there() {
    let secret = Secret::new(json!({}));
    let app = TestApp::with_secret(taking("sk-new").await, &secret).await;
    let token = app.assistant().await;
    let message = app
        .chat(&token, &hello(false))
        .await
        .error(500, "assistant_misconfigured");
    assert!(message.contains("`OPENAI_API_KEY`"), "{message}");
    secret.set(json!({"OPENAI_API_KEY": "sk-new"}));
    assert_eq!(app.chat(&token, &hello(false)).await.status, 200);
}

#[tokio::test]
async fn an_own_server_gets_the_key_of_its_origin_and_no_other() {
    let own = taking("sk-own").await;
    let origin = own.base_url().replace("/v1", "");
    let keys = json!({"OPENAI_API_KEY": "sk-platform", format!("{origin}/"): "sk-own"});
    let app = TestApp::with_secret(FakeProvider::refusing(), &Secret::new(keys)).await;
    assert_eq!(ask(&app, json!({"base_url": own.base_url()})).await, 200);

    let other = taking("sk-own").await;
    assert_eq!(ask(&app, json!({"base_url": other.base_url()})).await, 502);
    assert!(!other.received()[0].head.contains("authorization"));
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_is_503() {
    for secret in [Secret::default(), Secret::new(json!("no object"))] {
        let app = TestApp::with_secret(FakeProvider::refusing(), &secret).await;
        let token = app.assistant().await;
        let reply = app.chat(&token, &hello(false)).await;
        reply.error(503, "service_unavailable");
        assert!(!reply.text.contains("the-keys"));
    }
}

#[tokio::test]
async fn what_was_read_holds_while_the_secret_cannot_be_read_again() {
    let own = taking("sk-own").await;
    let secret = Secret::new(json!({"OPENAI_API_KEY": "sk-platform", own.origin(): "sk-own"}));
    let app = TestApp::with_secret(answering().await, &secret).await;
    assert_eq!(ask(&app, json!({})).await, 200);
    secret.set_text("not JSON at all");
    // A server without a key makes it look for one anew, once.
    let keyless = answering().await;
    for _ in 0..3 {
        assert_eq!(ask(&app, json!({"base_url": keyless.base_url()})).await, 200);
        assert_eq!(ask(&app, json!({"base_url": own.base_url()})).await, 200);
    }
    assert_eq!(secret.readings(), 2);
    // A platform's key may be there by now: to be tried again.
    assert_eq!(ask(&app, json!({"type==agent/model": "groq/m"})).await, 503);
    // What can be signed instead is.
    ask(&app, json!({"type==agent/model": "amazon.nova-lite-v1:0"})).await;
    let head = app.provider.received().pop().unwrap().head;
    assert!(head.contains("authorization: AWS4-HMAC-SHA256"), "{head}");
}

#[tokio::test]
async fn a_known_key_does_not_wait_for_one_that_is_looked_for() {
    let secret = Secret::new(json!({"OPENAI_API_KEY": "sk-platform"}));
    let app = Arc::new(TestApp::with_secret(answering().await, &secret).await);
    let token = app.assistant().await;
    assert_eq!(app.chat(&token, &hello(false)).await.status, 200);
    secret.hang();
    let looked_for = tokio::spawn({
        let app = Arc::clone(&app);
        async move { ask(&app, json!({"type==agent/model": "groq/m"})).await }
    });
    readings(|| secret.readings(), 2).await;
    assert_eq!(soon(app.chat(&token, &hello(false))).await.status, 200);
    looked_for.abort();
}

#[tokio::test]
async fn a_secret_that_cannot_be_read_is_not_read_for_each_request() {
    let secret = Secret::new(json!("no object"));
    let app = TestApp::with_secret(FakeProvider::refusing(), &secret).await;
    let token = app.assistant().await;
    let body = hello(false);
    let replies = join_all((0..8).map(|_| app.chat(&token, &body))).await;
    for reply in replies {
        reply.error(503, "service_unavailable");
    }
    assert_eq!(secret.readings(), 1);
}

async fn answering() -> FakeProvider {
    FakeProvider::always(answer(&["Hi"])).await
}

/// What is sent for a model to a provider that is set by two variables: the request's head.
async fn head_of(model: &str, key_variable: &str, url_variable: &str) -> String {
    let provider = FakeProvider::always(error(429, "rate_limit_exceeded")).await;
    let base_url = provider.base_url();
    let settings = [(url_variable, base_url.as_str()), (key_variable, "sk-of-this-provider")];
    let app = TestApp::with(provider, &settings).await;
    assert_eq!(ask(&app, json!({"type==agent/model": model})).await, 429, "{model}");
    app.provider.received()[0].head.clone()
}

#[tokio::test]
async fn every_provider_is_called_at_its_endpoint_with_its_key() {
    for (model, name) in [
        ("gpt-4o", "OPENAI"),
        ("mistral/m", "MISTRAL"),
        ("groq/m", "GROQ"),
        ("openrouter/a/m", "OPENROUTER"),
        ("together/a/m", "TOGETHER"),
        ("fireworks/m", "FIREWORKS"),
        ("deepseek-chat", "DEEPSEEK"),
        ("grok-4", "XAI"),
    ] {
        let head = head_of(model, &format!("{name}_API_KEY"), &format!("{name}_BASE_URL")).await;
        assert!(head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{head}");
        assert!(head.contains("authorization: Bearer sk-of-this-provider"), "{head}");
    }
    let azure = head_of("azure/my-gpt", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT").await;
    assert!(
        azure.starts_with("POST /v1/openai/v1/chat/completions HTTP/1.1\r\n"),
        "{azure}"
    );
    assert!(
        azure.contains("api-key: sk-of-this-provider") && !azure.contains("authorization"),
        "{azure}"
    );
    let anthropic = head_of("claude-sonnet-4-5", "ANTHROPIC_API_KEY", "ANTHROPIC_BASE_URL").await;
    assert!(anthropic.starts_with("POST /v1/messages HTTP/1.1\r\n"), "{anthropic}");
    assert!(anthropic.contains("x-api-key: sk-of-this-provider"), "{anthropic}");
    // Ollama takes none.
    let ollama = head_of("ollama/llama3.2", "UNUSED", "OLLAMA_BASE_URL").await;
    assert!(!ollama.contains("authorization"), "{ollama}");
}
