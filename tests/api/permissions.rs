//! The management function's rights to the tables: those that the template grants it are what it needs.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Reply, TestApp,
    management::{Management, SECRET, id, jwt},
    provider::{FakeProvider, answer},
    responses::ask,
    store_record::{self, Actions},
};

const FIRST: &str = "pubkey_mybot_first_1";
const SECOND: &str = "pubkey_mybot_second_2";

fn path_of(assistant: &Value) -> String {
    format!("/assistants/{}", id(assistant))
}

async fn patch(management: &Management, path: &str, body: Value) -> Reply {
    Reply::of(management.request(Method::PATCH, path, &jwt("owner-1")).json(&body)).await
}

/// What the template lets the management function do with the tables.
fn granted() -> Actions {
    let model = include_str!("../../deploy/template_model.py");
    let (_, role) = model.split_once("\"ManageRole\": [").unwrap();
    let (role, _) = role.split_once("],\n").unwrap();
    let grants = role.lines().filter_map(|line| line.trim().strip_prefix("(\"dynamodb:"));
    grants
        .map(|grant| {
            let (action, resource) = grant.split_once("\", ").unwrap();
            let resource = match resource {
                "ASSISTANTS)," => "Assistants",
                "CLAIMS)," => "TokenClaims",
                "USAGE)," => "Usage",
                "RESPONSES, \"KeepResponses\")," => "Responses",
                _ => "Assistants/index/by_owner",
            };
            (format!("dynamodb:{action}"), resource.to_owned())
        })
        .collect()
}

#[tokio::test]
async fn the_management_function_needs_what_the_template_grants_and_no_more() {
    let provider = FakeProvider::always(answer(&["Hi"])).await;
    let mut app = TestApp::with(provider, &[("RESPONSES_TABLE", "Responses")]).await;
    let (proxy, seen) = store_record::in_front_of(app.store_address, granted()).await;
    app.store_address = proxy;
    let settings = [
        ("JWT_SECRET", SECRET),
        ("USAGE_TABLE", "Usage"),
        ("RESPONSES_TABLE", "Responses"),
        ("MAX_ASSISTANTS_PER_OWNER", "5"),
    ];
    let management = Management::beside(&app, &settings).await;
    let settings = json!({"model": "gpt-4o", "access_mode": "public_token", "public_token": FIRST});
    let path = path_of(&management.create(settings).await);
    let rotate = json!({"token_grace_seconds": 60, "config": {"configurable": {"public_token": SECOND}}});
    assert_eq!(patch(&management, &path, rotate).await.status, 200);
    let usage = management.request(Method::GET, &format!("{path}/usage"), &jwt("owner-1"));
    assert_eq!(Reply::of(usage).await.status, 200);
    let kept = app.respond(SECOND, &ask(false)).await.response();
    assert_eq!(kept["store"], true);
    let erase = management.request(Method::DELETE, &format!("{path}/responses"), &jwt("owner-1"));
    assert_eq!(Reply::of(erase).await.status, 204);
    let other = path_of(&management.create(json!({"model": "gpt-4o"})).await);
    // Taken from the first assistant, which does not carry it any more, but not while it does.
    let take = |token: &str| json!({"config": {"configurable": {"public_token": token}}});
    patch(&management, &other, take(SECOND))
        .await
        .error(409, "token_in_use");
    assert_eq!(patch(&management, &other, take(FIRST)).await.status, 200);
    patch(
        &management,
        &path,
        json!({"config": {"configurable": {"public_token": null}}}),
    )
    .await;
    for path in ["/assistants", &path] {
        let reply = Reply::of(management.request(Method::GET, path, &jwt("owner-1"))).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
    for path in [&path, &other] {
        let reply = Reply::of(management.request(Method::DELETE, path, &jwt("owner-1"))).await;
        assert_eq!(reply.status, 204, "{}", reply.text);
    }
    assert_eq!(*seen.lock().unwrap(), granted());
    let deletes = ("dynamodb:DeleteItem".to_owned(), "TokenClaims".to_owned());
    assert!(!granted().contains(&deletes));
}
