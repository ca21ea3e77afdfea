//! The management API's answers to what is malformed, too large, or takes everything away.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    manage::{jwt, start},
    support::{Reply, hello},
};

#[tokio::test]
async fn malformed_ids_and_queries_are_errors_in_openais_format_after_the_jwt() {
    let (_app, management) = start().await;
    let long = format!("/assistants/{}", "a".repeat(2049));
    for (path, status, code) in [
        ("/assistants/%FF", 404, "assistant_not_found"),
        (long.as_str(), 404, "assistant_not_found"),
        ("/assistants?limit=0&limit=0", 400, "null"),
        // A key of blanks, in base64url.
        ("/assistants?after=IA", 400, "null"),
    ] {
        Reply::of(management.request(Method::GET, path, "no-jwt"))
            .await
            .error(401, "invalid_jwt");
        Reply::of(management.request(Method::GET, path, &jwt("owner-1")))
            .await
            .error(status, code);
    }
}

#[tokio::test]
async fn what_cannot_be_stored_is_a_400_and_changes_nothing() {
    let (_app, management) = start().await;
    let assistant = management.create(json!({"model": "gpt-4o"})).await;
    let path = format!("/assistants/{}", assistant["assistant_id"].as_str().unwrap());
    let patch = |settings: Value| {
        let body = json!({"config": {"configurable": settings}});
        Reply::of(management.request(Method::PATCH, &path, &jwt("owner-1")).json(&body))
    };
    let half = "x".repeat(220_000);
    let first = patch(json!({"first": half})).await;
    assert_eq!(first.status, 200, "{}", first.text);
    let message = patch(json!({"second": half})).await.error(400, "null");
    assert!(
        message.contains("400 KB") && message.contains("Nothing was changed"),
        "{message}"
    );
    let now = Reply::of(management.request(Method::GET, &path, &jwt("owner-1")))
        .await
        .json();
    assert_eq!(now, first.json());
}

#[tokio::test]
async fn a_config_that_is_taken_away_closes_the_assistant() {
    let (app, management) = start().await;
    let assistant = management
        .create(json!({"model": "gpt-4o", "access_mode": "public_token"}))
        .await;
    let token = assistant["public_token"].as_str().unwrap();
    assert_eq!(app.chat(token, &hello(false)).await.status, 200);
    let path = format!("/assistants/{}", assistant["assistant_id"].as_str().unwrap());
    let request = management.request(Method::PATCH, &path, &jwt("owner-1"));
    let patched = Reply::of(request.json(&json!({"config": null}))).await.json();
    assert_eq!(patched["config"], json!({"configurable": {}}));
    app.chat(token, &hello(false))
        .await
        .error(403, "public_access_disabled");
}
