//! A trial token opens one assistant for its owner, whatever its access mode, and nothing else.

use assistant_endpoint::local::embedded_store;
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Reply, TestApp, early_in_a_minute, hello,
    management::{Management, SECRET, id, jwt},
    provider::{FakeProvider, answer},
};

const USAGE: (&str, &str) = ("USAGE_TABLE", "Usage");

async fn start(settings: Value) -> (TestApp, Management, String) {
    let app = TestApp::with(FakeProvider::always(answer(&["Hi"])).await, &[USAGE]).await;
    let management = Management::beside(&app, &[("JWT_SECRET", SECRET), USAGE]).await;
    let id = id(&management.create(settings).await).to_owned();
    (app, management, id)
}

async fn trial(management: &Management, id: &str, owner: &str) -> Reply {
    Reply::of(management.request(Method::POST, &format!("/assistants/{id}/trial"), &jwt(owner))).await
}

fn token(trial: &Reply) -> String {
    assert_eq!(trial.status, 201, "{}", trial.text);
    trial.body()["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_trial_token_opens_an_assistant_whatever_its_access_mode_and_origins() {
    for settings in [
        json!({"model": "gpt-4o"}),
        json!({"model": "gpt-4o", "access_mode": "authenticated", "allowed_origins": ["https://shop.example"]}),
    ] {
        let (app, management, id) = start(settings).await;
        let trial = trial(&management, &id, "owner-1").await;
        let token = token(&trial);
        assert!(token.starts_with("pubkey_trial_") && token.len() > 50);
        assert!(trial.body()["expires_at"].as_str().unwrap().ends_with('Z'));
        for stream in [false, true] {
            let asked = app
                .chat_request(&token, &hello(stream))
                .header("origin", "https://owners.example");
            assert_eq!(Reply::of(asked).await.status, 200);
        }
        // It is counted like any other request.
        let usage = management.get(&format!("/assistants/{id}/usage")).await;
        assert_eq!(usage["total"]["requests"], 2);
        // The assistant has no token for it.
        assert_eq!(
            management.get(&format!("/assistants/{id}")).await["token_hint"],
            Value::Null
        );
    }
}

#[tokio::test]
async fn a_trial_token_is_the_owners_alone_and_counts_against_the_limits() {
    let (app, management, id) = start(json!({"model": "gpt-4o", "requests_per_minute": 1})).await;
    trial(&management, &id, "owner-2")
        .await
        .error(404, "assistant_not_found");
    trial(&management, "no-such-assistant", "owner-1")
        .await
        .error(404, "assistant_not_found");
    let token = token(&trial(&management, &id, "owner-1").await);
    early_in_a_minute().await;
    assert_eq!(app.chat(&token, &hello(false)).await.status, 200);
    app.chat(&token, &hello(true)).await.error(429, "rate_limit_exceeded");
    // No assistant can have it as its public token.
    let other = management.create(json!({"model": "gpt-4o"})).await;
    let taken = management
        .patch(crate::support::management::id(&other), json!({"public_token": token}))
        .await;
    taken.error(409, "token_in_use");
    let deleted = management.request(Method::DELETE, &format!("/assistants/{id}"), &jwt("owner-1"));
    assert_eq!(Reply::of(deleted).await.status, 204);
    app.chat(&token, &hello(false)).await.error(404, "assistant_not_found");
}

/// DynamoDB deletes days after a claim's time, so its time is looked at with each request.
#[tokio::test]
async fn a_trial_token_ends_with_its_time() {
    let (app, management, id) = start(json!({"model": "gpt-4o"})).await;
    let token = token(&trial(&management, &id, "owner-1").await);
    let client = Client::new(&embedded_store::client_config(app.store_address).await);
    let claims = client
        .scan()
        .table_name("TokenClaims")
        .send()
        .await
        .unwrap()
        .items
        .unwrap();
    let claim = claims.into_iter().find(|claim| claim.contains_key("trial")).unwrap();
    assert_eq!(claim["valid_until"], claim["expires_at"]);
    client
        .update_item()
        .table_name("TokenClaims")
        .key("token_digest", claim["token_digest"].clone())
        .update_expression("SET valid_until = :past")
        .expression_attribute_values(":past", AttributeValue::N("1".into()))
        .send()
        .await
        .unwrap();
    app.chat(&token, &hello(false)).await.error(401, "invalid_api_key");
}
