//! What pages of other origins may send to each function and see of its replies.

use reqwest::Method;

use crate::support::{
    Reply, TestApp,
    management::{Management, SECRET},
    provider::FakeProvider,
};

const CHAT: &str = "/public/openai/v1/chat/completions";

#[tokio::test]
async fn a_preflight_needs_no_token_and_allows_any_header() {
    let app = TestApp::start(FakeProvider::refusing()).await;
    for path in [CHAT, "/public/openai/v1/models", "/health"] {
        let headers = "authorization, content-type, x-stainless-lang, x-stainless-helper-method";
        let reply = Reply::of(
            app.request(Method::OPTIONS, path)
                .header("origin", "https://shop.example")
                .header("access-control-request-method", "POST")
                .header("access-control-request-headers", headers),
        )
        .await;
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.header("access-control-allow-origin"), Some("*"));
        assert_eq!(reply.header("access-control-allow-headers"), Some(headers));
        assert!(reply.header("access-control-allow-methods").unwrap().contains("POST"));
        assert!(reply.header("x-request-id").is_some());
        // What SDKs in a page look at.
        let health = Reply::of(app.request(Method::GET, path).header("origin", "https://shop.example")).await;
        let exposed = health.header("access-control-expose-headers").unwrap();
        for name in ["x-request-id", "x-should-retry", "retry-after"] {
            assert!(exposed.contains(name), "{exposed}");
        }
    }
}

#[tokio::test]
async fn each_function_allows_its_own_methods_to_pages_elsewhere() {
    let app = TestApp::start(FakeProvider::refusing()).await;
    let management = Management::beside(&app, &[("JWT_SECRET", SECRET)]).await;
    for (request, allowed) in [
        (app.request(Method::OPTIONS, CHAT), "DELETE,GET,POST,OPTIONS"),
        (
            management.request(Method::OPTIONS, "/assistants", ""),
            "DELETE,GET,PATCH,POST,OPTIONS",
        ),
    ] {
        let request = request
            .header("origin", "https://shop.example")
            .header("access-control-request-method", "POST");
        let reply = Reply::of(request).await;
        assert_eq!(reply.header("access-control-allow-methods"), Some(allowed));
    }
}
