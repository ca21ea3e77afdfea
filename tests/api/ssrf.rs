//! What nobody reaches through the function: one URL of each kind, to a server that would answer. All of them, and names
//! that resolve to private addresses, are tables beside `guard.rs`.

use serde_json::json;

use crate::support::{
    TestApp, hello,
    management::{Management, SECRET},
    provider::{FakeProvider, answer, response},
};

/// URLs of a server on 127.0.0.1, the first one as Lambda's Runtime API is reached.
fn urls(origin: &str) -> Vec<String> {
    let port = origin.rsplit(':').next().unwrap();
    [
        "http://127.0.0.1:PORT/2018-06-01/runtime/invocation/next",
        "https://127.0.0.1:PORT/2018-06-01/runtime/invocation/next",
        "https://2130706433:PORT/",
        "https://0x7f.1:PORT/",
        "https://0177.0.0.1:PORT/",
        "https://0.0.0.0:PORT/",
        "https://[::ffff:127.0.0.1]:PORT/",
        "https://[64:ff9b::7f00:1]:PORT/",
        "https://LOCALHOST.:PORT/",
        "https://１２７.０.０.１:PORT/",
        "https://example.com@127.0.0.1:PORT/",
        "https:\\\\127.0.0.1:PORT\\",
        "https://127\t.0.0.1:PORT/",
        "https://169.254.169.254/latest/meta-data/",
        "https://169.254.100.1:9001/2018-06-01/runtime/invocation/next",
    ]
    .map(|url| url.replace("PORT", port))
    .into()
}

#[tokio::test]
async fn no_base_url_leads_inside() {
    let inside = FakeProvider::always(answer(&["Inside"])).await;
    let app = TestApp::start(FakeProvider::refusing()).await;
    let management = Management::beside(&app, &[("JWT_SECRET", SECRET)]).await;
    let mine = management.create(json!({"model": "gpt-4o"})).await;
    for url in urls(&inside.origin()) {
        let reply = management
            .patch(mine["assistant_id"].as_str().unwrap(), json!({"base_url": url}))
            .await;
        let message = reply.error(400, "invalid_value");
        assert!(
            message.contains("must be an https URL at a public address"),
            "{message}"
        );
        // An item that something else has written.
        let token = app.assistant_with(json!({"base_url": url})).await;
        for stream in [false, true] {
            let reply = app.chat(&token, &hello(stream)).await;
            let message = reply.error(500, "assistant_misconfigured");
            assert!(message.contains("`base_url` must be a"), "{message}");
        }
    }
    assert_eq!(inside.received().len(), 0);
}

#[tokio::test]
async fn no_image_leads_inside() {
    let inside = FakeProvider::always(answer(&["Inside"])).await;
    let settings = [("GEMINI_API_KEY", "key-of-the-tests")];
    let app = TestApp::with(FakeProvider::refusing(), &settings).await;
    let token = app
        .assistant_with(json!({"type==agent/model": "gemini-2.5-flash"}))
        .await;
    for url in urls(&inside.origin()) {
        for stream in [false, true] {
            let content = json!([{"type": "image_url", "image_url": {"url": url}}]);
            let body = json!({"messages": [{"role": "user", "content": content}], "stream": stream});
            let message = app.chat(&token, &body).await.error(400, "invalid_image_url");
            assert!(message.contains("must be https at a public address"), "{message}");
        }
    }
    assert_eq!(inside.received().len(), 0);
}

#[tokio::test]
async fn no_redirect_of_a_provider_is_followed() {
    let inside = FakeProvider::always(answer(&["Inside"])).await;
    let mut urls = urls(&inside.origin());
    urls.push("/2018-06-01/runtime/invocation/next".into());
    let calls = urls.len();
    let statuses = [301, 302, 303, 307, 308].into_iter().cycle();
    let redirects = urls
        .iter()
        .zip(statuses)
        .map(|(url, status)| response(status, &format!("location: {url}\r\n"), ""));
    let app = TestApp::start(FakeProvider::new(redirects.collect()).await).await;
    let token = app.assistant().await;
    for call in 0..calls {
        let reply = app.chat(&token, &hello(call % 2 == 0)).await;
        assert_eq!(reply.status, 502, "{}", reply.text);
    }
    assert_eq!(inside.received().len(), 0);
}
