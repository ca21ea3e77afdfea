//! Old tokens that keep working for a while, and what the management API needs for a token's whole life.

use assistant_endpoint::{
    assistant::store::{
        claims::Grace,
        write::{Change, TokenChange},
    },
    token::Token,
};
use reqwest::Method;
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::support::{
    Reply, TestApp,
    claim::put_claim,
    create, hello,
    management::{Management, jwt, now, start},
    provider::{FakeProvider, answer},
    store_fault::Fault,
};

const FIRST: &str = "pubkey_mybot_first_1";
const SECOND: &str = "pubkey_mybot_second_2";
const THIRD: &str = "pubkey_mybot_third_3";

/// A public assistant of owner-1's with the token FIRST.
async fn public(management: &Management) -> String {
    let settings = json!({"model": "gpt-4o", "access_mode": "public_token", "public_token": FIRST});
    let assistant = management.create(settings).await;
    format!("/assistants/{}", assistant["assistant_id"].as_str().unwrap())
}

async fn patch(management: &Management, path: &str, body: Value) -> Reply {
    Reply::of(management.request(Method::PATCH, path, &jwt("owner-1")).json(&body)).await
}

/// Sets a token, the old one with a grace period of `seconds`.
async fn rotate(management: &Management, path: &str, token: &str, seconds: u64) -> Value {
    let body = json!({"token_grace_seconds": seconds, "config": {"configurable": {"public_token": token}}});
    let reply = patch(management, path, body).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    reply.json()
}

#[tokio::test]
async fn an_old_token_works_beside_the_new_one_until_all_are_revoked() {
    let (app, management) = start().await;
    let path = public(&management).await;
    assert_eq!(app.chat(FIRST, &hello(false)).await.status, 200);
    let rotated = rotate(&management, &path, SECOND, 3600).await;
    let until = OffsetDateTime::parse(rotated["old_token_valid_until"].as_str().unwrap(), &Rfc3339).unwrap();
    let seconds = u64::try_from(until.unix_timestamp()).unwrap() - now();
    assert!((3590..=3600).contains(&seconds), "{rotated}");
    let shown = Reply::of(management.request(Method::GET, &path, &jwt("owner-1"))).await;
    assert!(shown.json().get("old_token_valid_until").is_none() && !shown.text.contains("revocations"));

    rotate(&management, &path, THIRD, 3600).await;
    for token in [FIRST, SECOND, THIRD] {
        for stream in [false, true] {
            let reply = app.chat(token, &hello(stream)).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
        }
    }

    // Revoked, all are out with the next request, and a new token brings none of them back.
    patch(
        &management,
        &path,
        json!({"config": {"configurable": {"public_token": null}}}),
    )
    .await;
    for token in [FIRST, SECOND, THIRD] {
        app.chat(token, &hello(false)).await.error(401, "invalid_api_key");
    }
    let generated = patch(
        &management,
        &path,
        json!({"config": {"configurable": {"access_mode": "public_token"}}}),
    )
    .await
    .json();
    let generated = generated["public_token"].as_str().unwrap();
    rotate(&management, &path, "pubkey_mybot_fourth_4", 60).await;
    for token in [FIRST, SECOND, THIRD] {
        app.chat(token, &hello(false)).await.error(401, "invalid_api_key");
    }
    // A grace period that began after the revocation holds.
    assert_eq!(app.chat(generated, &hello(false)).await.status, 200);
}

#[tokio::test]
async fn a_grace_period_ends_with_its_time_with_public_access_and_with_the_assistant() {
    let (app, management) = start().await;
    let path = public(&management).await;
    let id = path.rsplit('/').next().unwrap();
    rotate(&management, &path, SECOND, 60).await;
    let ends = |seconds: u64| seconds.to_string();
    let claim = [("assistant_id", id), ("owner_id", "owner-1")];
    for (until, status) in [(ends(now() - 1), 401), (ends(now() + 60), 200)] {
        let claim = [&claim[..], &[("valid_until", until.as_str())]].concat();
        put_claim(app.store_address, FIRST, &claim).await;
        assert_eq!(app.chat(FIRST, &hello(false)).await.status, status);
    }

    let closed = json!({"config": {"configurable": {"access_mode": "authenticated"}}});
    patch(&management, &path, closed).await;
    for token in [FIRST, SECOND] {
        app.chat(token, &hello(false))
            .await
            .error(403, "public_access_disabled");
    }
    Reply::of(management.request(Method::DELETE, &path, &jwt("owner-1"))).await;
    for token in [FIRST, SECOND] {
        app.chat(token, &hello(false)).await.error(404, "assistant_not_found");
    }
}

#[tokio::test]
async fn where_the_index_lags_a_grace_period_holds_too() {
    let provider = FakeProvider::always(answer(&["Hi"])).await;
    let app = TestApp::with_store_fault(provider, Fault::EmptyIndex).await;
    let (record, old) = create(&app.store, json!({"access_mode": "public_token", "model": "gpt-4o"})).await;
    assert_eq!(app.chat(&old, &hello(false)).await.status, 200);
    let rotation = Change {
        token: Some(TokenChange::Set(Token::new(SECOND))),
        grace: Grace::from_now(60),
        ..Change::default()
    };
    app.store.update(&record, rotation).await.unwrap();
    for token in [&old, SECOND] {
        assert_eq!(app.chat(token, &hello(false)).await.status, 200);
    }
}

#[tokio::test]
async fn null_with_a_grace_period_and_public_access_generates_the_next_token() {
    let (app, management) = start().await;
    let path = public(&management).await;
    rotate(&management, &path, SECOND, 60).await;
    let settings = json!({"access_mode": "public_token", "public_token": null});
    let body = json!({"token_grace_seconds": 60, "config": {"configurable": settings}});
    let rotated = patch(&management, &path, body).await.json();
    assert!(rotated["old_token_valid_until"].is_string(), "{rotated}");
    // A rotation, no revocation: the first token's grace period goes on.
    for token in [FIRST, SECOND, rotated["public_token"].as_str().unwrap()] {
        assert_eq!(app.chat(token, &hello(false)).await.status, 200);
    }
}

#[tokio::test]
async fn a_grace_period_that_cannot_be_is_a_400_and_changes_nothing() {
    let (app, management) = start().await;
    let path = public(&management).await;
    let set = |token: Value| json!({"configurable": {"public_token": token}});
    let mut wrong: Vec<_> = [
        json!(0),
        json!(-1),
        json!(2_592_001),
        json!(1.5),
        json!("60"),
        json!(null),
    ]
    .into_iter()
    .map(|seconds| json!({"token_grace_seconds": seconds, "config": set(json!(SECOND))}))
    .collect();
    // No new token; the same one; none at all.
    for config in [
        json!({}),
        json!({"configurable": {"access_mode": "public_token"}}),
        set(json!(FIRST)),
        set(json!(null)),
    ] {
        wrong.push(json!({"token_grace_seconds": 60, "config": config}));
    }
    wrong.push(json!({"token_grace_seconds": 60, "name": "Other"}));
    let refused = |reply: Reply| {
        reply.error(400, "invalid_value");
        assert_eq!(reply.body()["error"]["param"], "token_grace_seconds");
    };
    for body in wrong {
        refused(patch(&management, &path, body).await);
    }
    let new = json!({"token_grace_seconds": 60, "config": set(json!(SECOND))});
    let post = management.request(Method::POST, "/assistants", &jwt("owner-1"));
    refused(Reply::of(post.json(&new)).await);
    let shown = Reply::of(management.request(Method::GET, &path, &jwt("owner-1"))).await;
    assert_eq!(shown.json()["version"], 1);
    assert_eq!(app.chat(FIRST, &hello(false)).await.status, 200);

    // No old token.
    patch(&management, &path, json!({"config": set(json!(null))})).await;
    refused(patch(&management, &path, new).await);
    // Sent back as it came, a reply with `old_token_valid_until` is no mistake.
    patch(&management, &path, json!({"config": set(json!(FIRST))})).await;
    let rotated = rotate(&management, &path, SECOND, 60).await;
    assert_eq!(patch(&management, &path, rotated).await.status, 200);
}
