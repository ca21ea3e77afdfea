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
