//! The management API's answers to what is malformed, too large, or must not be stored.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Reply,
    management::{id, jwt, start},
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
async fn what_would_be_stored_of_a_token_or_lead_nowhere_is_a_400() {
    let (_app, management) = start().await;
    let with = |key: &str, value: Value| json!({"configurable": {"model": "gpt-4o", key: value}});
    let token = json!("pubkey_secret_0123456789");
    for (config, key) in [
        (
            with("type==custom/public_token", token.clone()),
            "type==custom/public_token",
        ),
        (with("my_public_token", token.clone()), "my_public_token"),
        (with("PUBLIC_TOKEN", token.clone()), "PUBLIC_TOKEN"),
        (with("public-token", token.clone()), "public-token"),
        (with("public_token ", token.clone()), "public_token "),
        (with("public_token[0]", token.clone()), "public_token[0]"),
        (with("public_tokens", json!([token])), "public_tokens"),
        (
            json!({"configurable.public_token": token, "configurable": {"model": "gpt-4o"}}),
            "config.configurable.public_token",
        ),
        (with("theirs", json!([{"publicToken": token}])), "theirs.publicToken"),
        (
            json!({"x": {"public_token": token}, "configurable": {"model": "gpt-4o"}}),
            "config.x.public_token",
        ),
        (
            json!({"public_token": token, "configurable": {"model": "gpt-4o"}}),
            "config.public_token",
        ),
        (with("base_url", json!("https://localhost/v1")), "base_url"),
        (with("base_url", json!("https://llm.example.com/v1?a=b")), "base_url"),
    ] {
        let request = management.request(Method::POST, "/assistants", &jwt("owner-1"));
        let reply = Reply::of(request.json(&json!({"name": "x", "config": config}))).await;
        let message = reply.error(400, "invalid_value");
        assert!(message.contains(key) && !message.contains("pubkey_secret"), "{message}");
    }
}

#[tokio::test]
async fn a_name_that_is_too_long_and_a_token_in_the_wrong_place_are_named() {
    let (_app, management) = start().await;
    let created = management.create(json!({"model": "gpt-4o"})).await;
    let path = format!("/assistants/{}", id(&created));
    for (patch, param) in [
        (json!({"name": "x".repeat(257)}), "name"),
        (json!({"public_token": "pubkey_secret_0123456"}), "public_token"),
    ] {
        let reply = management.send(Method::PATCH, &path, &jwt("owner-1"), &patch).await;
        let message = reply.error(400, "invalid_value");
        assert!(
            message.contains(param) && !message.contains("pubkey_secret"),
            "{message}"
        );
    }
    // As long as it may be, in characters; and as a representation has it.
    let patch = json!({"name": "é".repeat(256), "public_token": null});
    let reply = management.send(Method::PATCH, &path, &jwt("owner-1"), &patch).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
}
