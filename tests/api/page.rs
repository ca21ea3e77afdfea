//! What the settings page is served with. What it does stands in `tests/browser`.

use std::time::Duration;

use axum::{Json, Router, extract::State, routing::get};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::support::{
    TestApp, http_client,
    management::{Management, SECRET},
    provider::FakeProvider,
    soon,
};

const JWT: (&str, &str) = ("JWT_SECRET", SECRET);

async fn management(settings: &[(&str, &str)]) -> Management {
    let app = TestApp::start(FakeProvider::refusing()).await;
    Management::beside(&app, settings).await
}

async fn get_page(management: &Management, headers: &[(&str, &str)]) -> (String, String) {
    let mut request = http_client().get(&management.url);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let headers = response.headers();
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    assert_eq!(headers["cache-control"], "no-cache");
    assert_eq!(headers["referrer-policy"], "no-referrer");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    let policy = headers["content-security-policy"].to_str().unwrap().to_owned();
    (policy, response.text().await.unwrap())
}

/// What stands in the page for its scripts.
fn settings(page: &str) -> Value {
    let (_, rest) = page.split_once("id=\"settings\">").unwrap();
    serde_json::from_str(rest.split_once("</script>").unwrap().0).unwrap()
}

fn connects_to(policy: &str) -> &str {
    let (_, rest) = policy.split_once("connect-src ").unwrap();
    rest.split_once(';').unwrap().0
}

#[tokio::test]
async fn the_page_runs_its_own_scripts_and_connects_where_it_must() {
    let own = management(&[JWT]).await;
    let (policy, page) = get_page(&own, &[]).await;
    assert_eq!(connects_to(&policy), "'self'");
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "form-action 'none'",
        "require-trusted-types-for 'script'",
    ] {
        assert!(policy.split("; ").any(|own| own == part), "{part}: {policy}");
    }
    let expected = json!({"public_url": null, "local_session": false, "oidc": null});
    assert_eq!(settings(&page), expected);
    // Nothing in it that the policy forbids.
    assert!(!page.contains("style=") && !page.contains(" onclick") && !page.contains("{{"));

    let elsewhere = [
        JWT,
        ("PUBLIC_URL", "https://api.example.com/</script>"),
        ("ORIGIN_SECRETS", "0123456789abcdef"),
    ];
    let elsewhere = management(&elsewhere).await;
    let (policy, page) = get_page(&elsewhere, &[]).await;
    assert_eq!(connects_to(&policy), "'self' https://api.example.com");
    assert_eq!(settings(&page)["public_url"], "https://api.example.com/</script>");
    // Through CloudFront both functions have one host.
    let (policy, page) = get_page(&elsewhere, &[("x-origin-secret", "0123456789abcdef")]).await;
    assert_eq!(
        (connects_to(&policy), &settings(&page)["public_url"]),
        ("'self'", &Value::Null)
    );
}

#[tokio::test]
async fn its_files_are_kept_for_ever_and_gzipped_for_those_who_take_it() {
    let management = management(&[JWT]).await;
    let (_, page) = get_page(&management, &[]).await;
    let (_, rest) = page.split_once("src=\"/ui/").unwrap();
    let folder = format!("{}/ui/{}", management.url, rest.split_once('/').unwrap().0);
    for (name, kind) in [
        ("app.js", "text/javascript; charset=utf-8"),
        ("app.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
        ("snippets.json", "application/json"),
    ] {
        let source = format!("{}/src/manage/page/{name}", env!("CARGO_MANIFEST_DIR"));
        let source = std::fs::read(source).unwrap();
        let ask = |coding: &'static str| {
            http_client()
                .get(format!("{folder}/{name}"))
                .header("accept-encoding", coding)
                .send()
        };
        let plain = ask("identity").await.unwrap();
        assert_eq!(
            (plain.status().as_u16(), &plain.headers()["content-type"]),
            (200, &kind.parse().unwrap())
        );
        assert_eq!(plain.headers()["cache-control"], "public, max-age=31536000, immutable");
        assert_eq!(plain.headers()["vary"], "accept-encoding");
        assert_eq!(plain.bytes().await.unwrap(), source);
        let packed = ask("br, gzip").await.unwrap();
        assert_eq!(packed.headers()["content-encoding"], "gzip");
        let packed = packed.bytes().await.unwrap();
        assert!(packed.starts_with(b"\x1f\x8b") && packed.len() < source.len());
    }
    for path in ["/ui/0000000000000000/app.js", "/ui/app.js"] {
        assert_eq!(
            http_client()
                .get(format!("{}{path}", management.url))
                .send()
                .await
                .unwrap()
                .status(),
            404
        );
    }
    for name in ["index.html", "nothing.js", "..%2Fpage.rs", "%2e%2e"] {
        let status = http_client()
            .get(format!("{folder}/{name}"))
            .send()
            .await
            .unwrap()
            .status();
        assert_eq!(status, 404, "{name}");
    }
}

/// An issuer's discovery document, as the page's server asks for it.
async fn issuer(document: impl Fn(&str) -> Value) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    let routes = Router::new()
        .route(
            "/.well-known/openid-configuration",
            get(async |State(document): State<Value>| Json(document)),
        )
        .with_state(document(&origin));
    tokio::spawn(async move { axum::serve(listener, routes).await });
    origin
}

async fn with_issuer(issuer: &str) -> Management {
    let keys = format!("{issuer}/jwks.json");
    management(&[
        ("JWKS_URL", &keys),
        ("JWT_ISSUER", issuer),
        ("JWT_AUDIENCE", "api, the-page"),
        ("OIDC_CLIENT_ID", "the-page"),
        ("OIDC_SCOPES", "openid email"),
    ])
    .await
}

#[tokio::test]
async fn the_issuers_endpoints_come_from_its_discovery_document() {
    let issuer = issuer(|origin| {
        json!({"issuer": origin, "authorization_endpoint": format!("{origin}/auth"),
            "token_endpoint": "https://tokens.example/token", "jwks_uri": format!("{origin}/jwks.json")})
    })
    .await;
    let (policy, page) = get_page(&with_issuer(&issuer).await, &[]).await;
    assert_eq!(connects_to(&policy), format!("'self' {issuer} https://tokens.example"));
    let oidc = json!({"issuer": issuer, "client_id": "the-page", "scopes": "openid email",
        "authorization_endpoint": format!("{issuer}/auth"), "token_endpoint": "https://tokens.example/token",
        "end_session_endpoint": null});
    assert_eq!(settings(&page)["oidc"], oidc);
}

#[tokio::test]
async fn a_dead_or_false_issuer_is_told_and_holds_up_nothing() {
    let anothers = issuer(|_| json!({"issuer": "https://another.example", "authorization_endpoint": "https://a.example", "token_endpoint": "https://a.example"})).await;
    let script = issuer(|origin| json!({"issuer": origin, "authorization_endpoint": "javascript:alert(1)", "token_endpoint": "https://a.example"})).await;
    // It accepts, and never answers.
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let hangs = format!("http://{}", silent.local_addr().unwrap());
    for issuer in [anothers, script, hangs] {
        let management = with_issuer(&issuer).await;
        let (_, page) = tokio::time::timeout(Duration::from_secs(4), get_page(&management, &[]))
            .await
            .unwrap();
        let problem = settings(&page)["oidc"]["problem"].as_str().unwrap().to_owned();
        assert!(problem.contains("does not answer"), "{problem}");
        let health = http_client().get(format!("{}/health", management.url));
        assert_eq!(soon(health.send()).await.unwrap().status(), 200);
    }
}
