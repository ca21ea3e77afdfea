//! Images by URL, for models that take them as URLs and for models that do not.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::support::{
    TestApp,
    provider::{Answer, FakeProvider, Received, Step, answer},
    streams,
    wire::Wire,
};

/// The smallest PNG there is, in base64.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=";

fn show(url: &str) -> Value {
    json!({"messages": [{"role": "user", "content": [
        {"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": url}}]}]})
}

fn image(status: &str, headers: &str, body: &[u8]) -> Answer {
    let head = format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    vec![Step::Send([head.as_bytes(), body].concat())]
}

/// A server of images and, below the same origin, the three providers.
fn serve(request: &Received) -> Answer {
    let path = request.head.split(' ').nth(1).unwrap();
    let png = [0x89, b'P', b'N', b'G'];
    match path {
        "/cat.png" => image("200 OK", "content-type: image/png\r\n", &png),
        "/cat.jpg" => image("200 OK", "content-type: image/JPG; charset=binary\r\n", &[0xff, 0xd8]),
        "/moved" => image("302 Found", "location: /cat.png\r\n", b""),
        "/around" => image("302 Found", "location: /around\r\n", b""),
        "/gone" => image("404 Not Found", "content-type: image/png\r\n", b""),
        "/unsaid" => image("200 OK", "content-type: binary/octet-stream\r\n", b"GIF89a"),
        "/file" => image("200 OK", "content-type: application/octet-stream\r\n", b"PK"),
        "/mistaken" => image("200 OK", "content-type: image/png\r\n", &[0xff, 0xd8, 0xff, 0xe0]),
        "/empty" => image("200 OK", "content-type: image/png\r\n", b""),
        "/error-page" => image("200 OK", "content-type: image/png\r\n", b"\n<html></html>"),
        "/page" => image("200 OK", "content-type: text/html\r\n", b"<html>"),
        "/drawing" => image("200 OK", "content-type: image/svg+xml\r\n", b"<svg/>"),
        "/large" => image("200 OK", "content-type: image/png\r\n", &vec![0; 5 * 1024 * 1024 + 1]),
        "/five-megabytes" => image("200 OK", "content-type: image/png\r\n", &vec![0; 5 * 1024 * 1024]),
        "/slow" => vec![Step::Pause(Duration::from_secs(30))],
        "/cut" => vec![Step::Send(
            b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 9\r\n\r\n1".into(),
        )],
        _ if path.ends_with("/chat/completions") => answer(&["A cat"]),
        _ if path.ends_with("/messages") => streams::answer("anthropic-text"),
        _ if path.contains("converse-stream") => streams::answer("bedrock-text"),
        _ => streams::answer("gemini-text"),
    }
}

async fn start(allow_private: &str) -> TestApp {
    let provider = FakeProvider::seeing(serve).await;
    let origin = provider.origin();
    let settings = [
        ("ALLOW_PRIVATE_PROVIDERS", allow_private),
        ("ANTHROPIC_BASE_URL", &origin),
        ("ANTHROPIC_API_KEY", "sk-ant-of-the-tests"),
        ("AWS_ENDPOINT_URL_BEDROCK_RUNTIME", &origin),
        ("GEMINI_BASE_URL", &origin),
        ("OLLAMA_BASE_URL", &origin),
        ("GEMINI_API_KEY", "key-of-the-tests"),
    ];
    TestApp::with(provider, &settings).await
}

/// What the provider got as the second block of the first message.
fn passed_on(app: &TestApp, name: &str) -> Value {
    let body = app.provider.received().last().unwrap().body.clone();
    match name {
        "gemini" => body["contents"][0]["parts"][1].clone(),
        _ => body["messages"][0]["content"][1].clone(),
    }
}

#[tokio::test]
async fn data_goes_everywhere_and_urls_where_they_are_taken() {
    let app = start("false").await;
    for wire in Wire::TRANSLATED {
        let token = app.assistant_with(json!({"type==agent/model": wire.model()})).await;
        let shown = app.chat(&token, &show(&format!("data:image/png;base64,{PNG}"))).await;
        assert!(shown.status.is_success(), "{}", shown.text);
        let data = match wire.provider() {
            "anthropic" => {
                json!({"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}})
            }
            "bedrock" => json!({"image": {"format": "png", "source": {"bytes": PNG}}}),
            _ => json!({"inlineData": {"mimeType": "image/png", "data": PNG}}),
        };
        assert_eq!(passed_on(&app, wire.provider()), data);
    }
    let token = app
        .assistant_with(json!({"type==agent/model": "claude-sonnet-4-5"}))
        .await;
    app.chat(&token, &show("https://example.com/cat.png")).await.json();
    let source = json!({"type": "image", "source": {"type": "url", "url": "https://example.com/cat.png"}});
    assert_eq!(passed_on(&app, "anthropic"), source);
}

#[tokio::test]
async fn images_are_fetched_for_models_that_take_data_only() {
    let app = start("true").await;
    for (wire, path, data) in [
        (
            Wire::Bedrock,
            "/cat.png",
            json!({"image": {"format": "png", "source": {"bytes": "iVBORw=="}}}),
        ),
        (
            Wire::Gemini,
            "/moved",
            json!({"inlineData": {"mimeType": "image/png", "data": "iVBORw=="}}),
        ),
        (
            Wire::Bedrock,
            "/unsaid",
            json!({"image": {"format": "gif", "source": {"bytes": "R0lGODlh"}}}),
        ),
        (
            Wire::Gemini,
            "/mistaken",
            json!({"inlineData": {"mimeType": "image/jpeg", "data": "/9j/4A=="}}),
        ),
        (
            Wire::Gemini,
            "/cat.jpg",
            json!({"inlineData": {"mimeType": "image/jpeg", "data": "/9g="}}),
        ),
    ] {
        let token = app.assistant_with(json!({"type==agent/model": wire.model()})).await;
        let shown = app
            .chat(&token, &show(&format!("{}{path}", app.provider.origin())))
            .await;
        assert!(shown.status.is_success(), "{}", shown.text);
        assert_eq!(passed_on(&app, wire.provider()), data);
    }
    let token = app.assistant_with(json!({"type==agent/model": "ollama/llava"})).await;
    app.chat(&token, &show(&format!("{}/cat.png", app.provider.origin())))
        .await
        .json();
    let data = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw=="}});
    assert_eq!(passed_on(&app, "ollama"), data);
    // The key is the provider's alone.
    let fetched = app.provider.received();
    assert!(fetched.iter().filter(|request| request.head.starts_with("GET")).count() >= 4);
    for request in fetched.iter().filter(|request| request.head.starts_with("GET")) {
        assert!(!request.head.to_lowercase().contains("authorization") && !request.head.contains("x-goog-api-key"));
    }
}

#[tokio::test]
async fn what_cannot_be_fetched_is_a_400_that_says_why() {
    let app = start("true").await;
    let token = app
        .assistant_with(json!({"type==agent/model": "gemini-2.5-flash"}))
        .await;
    for (path, why) in [
        ("/gone", "status 404"),
        ("/page", "its type is not PNG, JPEG, GIF or WebP"),
        ("/empty", "its type is not PNG, JPEG, GIF or WebP"),
        ("/error-page", "its type is not PNG, JPEG, GIF or WebP"),
        ("/file", "its type is not PNG, JPEG, GIF or WebP"),
        ("/drawing", "its type is not PNG, JPEG, GIF or WebP"),
        ("/large", "larger than 5 MB"),
        ("/cut", "broke off"),
        ("/around", "leads on more than 3 times"),
        ("/slow", "too long"),
    ] {
        let url = format!("{}{path}", app.provider.origin());
        let message = app.chat(&token, &show(&url)).await.error(400, "invalid_image_url");
        assert!(
            message.contains(why) && message.contains(&url) && message.contains("data URL"),
            "{message}"
        );
    }
    let url = format!("{}/cat.png", app.provider.origin());
    let many: Vec<_> = (0..11).map(|_| show(&url)["messages"][0].clone()).collect();
    let message = app
        .chat(&token, &json!({"messages": many}))
        .await
        .error(400, "invalid_image_url");
    assert!(message.contains("at most 10"), "{message}");
    let url = format!("{}/five-megabytes", app.provider.origin());
    let large: Vec<_> = (0..5).map(|_| show(&url)["messages"][0].clone()).collect();
    let message = app
        .chat(&token, &json!({"messages": large}))
        .await
        .error(400, "invalid_image_url");
    assert!(message.contains("with the others it is larger than 8 MB"), "{message}");
    assert!(
        !app.provider
            .received()
            .iter()
            .any(|request| request.head.starts_with("POST"))
    );
}

#[tokio::test]
async fn a_type_that_a_model_does_not_take_is_a_400() {
    let app = start("true").await;
    for (model, url) in [
        ("amazon.nova-lite-v1:0", "data:image/bmp;base64,Qk0="),
        (
            "bedrock/us.anthropic.claude-opus-5",
            "data:image/svg+xml;base64,PHN2Zz4=",
        ),
    ] {
        let token = app.assistant_with(json!({"type==agent/model": model})).await;
        let message = app.chat(&token, &show(url)).await.error(400, "invalid_image_format");
        assert!(message.contains("Send PNG"), "{message}");
    }
}

#[tokio::test]
async fn nothing_inside_the_operators_network_is_fetched() {
    let app = start("false").await;
    let token = app
        .assistant_with(json!({"type==agent/model": "gemini-2.5-flash"}))
        .await;
    let port = app.provider.origin().rsplit(':').next().unwrap().to_owned();
    for url in [
        format!("http://127.0.0.1:{port}/cat.png"),
        format!("https://127.0.0.1:{port}/cat.png"),
        // A name that leads inside: refused where it is resolved for the connection.
        format!("https://localhost:{port}/cat.png"),
        "http://169.254.169.254/latest/meta-data".into(),
        "https://[::ffff:10.0.0.1]/cat.png".into(),
    ] {
        let message = app.chat(&token, &show(&url)).await.error(400, "invalid_image_url");
        assert!(message.contains("must be https at a public address"), "{message}");
    }
    assert!(app.provider.received().is_empty());
}

/// A server that gives one image on each connection and keeps the connection, silent from then on.
async fn one_image_a_connection() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            tokio::spawn(async move {
                let _ = connection.read(&mut [0; 4096]).await;
                let head = b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: 4\r\n\r\n\x89PNG";
                connection.write_all(head).await.unwrap();
                std::future::pending::<()>().await;
            });
        }
    });
    origin
}

#[tokio::test]
async fn an_image_does_not_depend_on_the_connection_of_the_one_before() {
    let app = start("true").await;
    let token = app
        .assistant_with(json!({"type==agent/model": "gemini-2.5-flash"}))
        .await;
    let url = format!("{}/cat.png", one_image_a_connection().await);
    for _ in 0..3 {
        app.chat(&token, &show(&url)).await.json();
    }
}
