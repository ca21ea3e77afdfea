//! A `base_url` of an assistant's own: which addresses it may be at, and what such a server does not get.

use serde_json::json;

use crate::support::{
    PLATFORM_KEY, TestApp, hello,
    provider::{FakeProvider, answer, response},
};

#[tokio::test]
async fn an_own_server_gets_no_platform_key_and_no_redirect_is_followed() {
    let platform = FakeProvider::always(answer(&["Platform"])).await;
    let elsewhere = format!("location: {}/chat/completions\r\n", platform.base_url());
    let own = FakeProvider::new(vec![answer(&["Mine"]), response(307, &elsewhere, "")]).await;
    let app = TestApp::with(platform, &[("ALLOW_PRIVATE_PROVIDERS", "true")]).await;
    for provider in [json!(null), json!("openai")] {
        let token = app
            .assistant_with(json!({"base_url": own.base_url(), "provider": provider}))
            .await;
        app.chat(&token, &hello(false)).await;
    }
    let requests = own.received();
    assert!(requests.len() >= 2);
    for request in requests {
        assert!(
            !request.head.contains("authorization") && !request.head.contains(PLATFORM_KEY),
            "{}",
            request.head
        );
    }
    assert_eq!(app.provider.received().len(), 0);
}

#[tokio::test]
async fn an_own_server_at_a_private_address_is_refused() {
    let own = FakeProvider::always(answer(&["Mine"])).await;
    let app = TestApp::start(FakeProvider::refusing()).await;
    let by_name = own.base_url().replace("http://127.0.0.1", "https://localhost");
    for base_url in [own.base_url(), own.base_url().replace("http:", "https:"), by_name] {
        let token = app.assistant_with(json!({"base_url": base_url})).await;
        for stream in [false, true] {
            let message = app
                .chat(&token, &hello(stream))
                .await
                .error(500, "assistant_misconfigured");
            assert!(
                message.contains("`base_url` must be an https URL at a public address"),
                "{message}"
            );
        }
    }
    assert_eq!(own.received().len(), 0);
}

#[tokio::test]
async fn credentials_in_a_base_url_are_refused_before_any_call() {
    let own = FakeProvider::always(answer(&["Mine"])).await;
    let app = TestApp::with(FakeProvider::refusing(), &[("ALLOW_PRIVATE_PROVIDERS", "true")]).await;
    for credentials in ["user:pw99@", "pw99@"] {
        let base_url = own.base_url().replace("://", &format!("://{credentials}"));
        let token = app.assistant_with(json!({"base_url": base_url})).await;
        for stream in [false, true] {
            let reply = app.chat(&token, &hello(stream)).await;
            let message = reply.error(500, "assistant_misconfigured");
            assert!(message.contains("`base_url`") && !message.contains("pw99"), "{message}");
        }
    }
    assert_eq!(own.received().len(), 0);
}

#[tokio::test]
async fn an_own_servers_address_is_in_no_error() {
    let message = "no route for http://ORIGIN/k-9f8e7d6c5b4a/v1/chat/completions at ORIGIN";
    let body = json!({"error": {"message": message, "type": "invalid_request_error"}}).to_string();
    let own = FakeProvider::seeing(move |request| {
        let host = request.head.lines().find_map(|line| line.strip_prefix("host: "));
        response(400, "", &body.replace("ORIGIN", host.unwrap()))
    })
    .await;
    let app = TestApp::with(FakeProvider::refusing(), &[("ALLOW_PRIVATE_PROVIDERS", "true")]).await;
    let base_url = format!("{}/k-9f8e7d6c5b4a/v1", own.origin());
    let token = app.assistant_with(json!({"base_url": base_url})).await;
    for stream in [false, true] {
        let message = app.chat(&token, &hello(stream)).await.error(400, "null");
        assert!(!message.contains("no route"), "{message}");
    }
}
