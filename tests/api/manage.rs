//! The management API, from an owner's side, and what it does to callers of the public one.

use assistant_endpoint::{assistant::store::Store, local::embedded_store, token::Token};
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Reply, hello,
    management::{SPECS_TOKEN, id, jwt, start},
};

#[tokio::test]
async fn the_specs_two_steps() {
    let (app, management) = start().await;
    let assistant = management.create(json!({"type==agent/model": "gpt-4o"})).await;
    assert!(assistant.get("public_token").is_none() && assistant["token_hint"].is_null());

    // Step 1, as the spec's curl sends it.
    let reply = management
        .patch(
            id(&assistant),
            json!({"type==agent/access_mode": "public_token", "type==agent/public_token": SPECS_TOKEN}),
        )
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    let patched = reply.json();
    assert_eq!(
        patched["config"]["configurable"],
        json!({"type==agent/model": "gpt-4o", "type==agent/access_mode": "public_token"})
    );
    assert_eq!(
        (&patched["token_hint"], &patched["version"]),
        (&json!("c123"), &json!(2))
    );
    assert!(!reply.text.contains(SPECS_TOKEN));

    // Step 2; then rotated: the old token is out with the next call, and the new one in.
    assert_eq!(app.chat(SPECS_TOKEN, &hello(false)).await.status, 200);
    management
        .patch(
            id(&assistant),
            json!({"type==agent/public_token": "pubkey_mybot_def456"}),
        )
        .await;
    app.chat(SPECS_TOKEN, &hello(false)).await.error(401, "invalid_api_key");
    assert_eq!(app.chat("pubkey_mybot_def456", &hello(false)).await.status, 200);

    management.patch(id(&assistant), json!({"public_token": null})).await;
    app.chat("pubkey_mybot_def456", &hello(false))
        .await
        .error(401, "invalid_api_key");
}

#[tokio::test]
async fn an_assistant_that_becomes_public_gets_a_token_shown_once() {
    let (app, management) = start().await;
    let assistant = management
        .create(json!({"model": "gpt-4o", "access_mode": "public_token"}))
        .await;
    let token = assistant["public_token"].as_str().unwrap();
    assert!(token.starts_with("pubkey_") && token.len() == 50);
    assert_eq!(app.chat(token, &hello(true)).await.status, 200);
    let shown = management.get(&format!("/assistants/{}", id(&assistant))).await;
    assert!(shown.get("public_token").is_none());
    // Public already, and with a token: none is generated.
    let reply = management
        .patch(id(&assistant), json!({"access_mode": "public_token"}))
        .await;
    assert!(reply.json().get("public_token").is_none());
    assert_eq!(app.chat(token, &hello(false)).await.status, 200);
}

#[tokio::test]
async fn a_patch_merges_and_replaces_every_spelling_of_a_setting() {
    let (_app, management) = start().await;
    let settings = json!({"model": "gpt-4o", "system_message": "Ada", "tools": ["x"], "extra": {"a": 1, "b": 2}});
    let assistant = management.create(settings).await;
    let patch = json!({"type==agent/model": "gpt-4o-mini", "system_message": null, "extra": {"b": null, "c": 3}});
    let patched = management.patch(id(&assistant), patch).await.json();
    assert_eq!(
        patched["config"]["configurable"],
        json!({"tools": ["x"], "extra": {"a": 1, "c": 3}, "type==agent/model": "gpt-4o-mini"})
    );
    let patched = management.patch(id(&assistant), json!({"model": "gpt-4"})).await.json();
    assert!(patched["config"]["configurable"].get("type==agent/model").is_none());
    assert_eq!(patched["config"]["configurable"]["model"], "gpt-4");
    // Sent back as it came, it changes nothing but the version.
    let path = format!("/assistants/{}", id(&assistant));
    let again = management
        .send(Method::PATCH, &path, &jwt("owner-1"), &patched)
        .await
        .json();
    assert_eq!((&again["config"], &again["version"]), (&patched["config"], &json!(4)));
}

#[tokio::test]
async fn a_token_in_use_is_409_and_nothing_is_changed() {
    let (app, management) = start().await;
    let first = management
        .create(json!({"model": "gpt-4o", "access_mode": "public_token", "public_token": SPECS_TOKEN}))
        .await;
    let second = management.create(json!({"model": "gpt-4o"})).await;
    let reply = management
        .patch(id(&second), json!({"public_token": SPECS_TOKEN, "model": "gpt-4"}))
        .await;
    reply.error(409, "token_in_use");
    assert_eq!(management.get(&format!("/assistants/{}", id(&second))).await, second);
    // Nor may another owner have it after its assistant is gone.
    let path = format!("/assistants/{}", id(&first));
    let deleted = Reply::of(management.request(Method::DELETE, &path, &jwt("owner-1"))).await;
    assert_eq!(deleted.status, 204);
    let body = json!({"config": {"configurable": {"model": "gpt-4o", "public_token": SPECS_TOKEN}}});
    management
        .send(Method::POST, "/assistants", &jwt("owner-2"), &body)
        .await
        .error(409, "token_in_use");
    app.chat(SPECS_TOKEN, &hello(false))
        .await
        .error(404, "assistant_not_found");
    // Its own owner may.
    let reply = management
        .patch(
            id(&second),
            json!({"public_token": SPECS_TOKEN, "access_mode": "public_token"}),
        )
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    assert_eq!(app.chat(SPECS_TOKEN, &hello(false)).await.status, 200);
}

#[tokio::test]
async fn versions_keep_updates_from_being_lost() {
    let (_app, management) = start().await;
    let assistant = management.create(json!({"model": "gpt-4o"})).await;
    let path = format!("/assistants/{}", id(&assistant));
    let with = |tag: &str| {
        let body = json!({"config": {"configurable": {"top_p": 0.5}}});
        management
            .request(Method::PATCH, &path, &jwt("owner-1"))
            .header("if-match", tag.to_owned())
            .json(&body)
    };
    Reply::of(with("\"7\"")).await.error(412, "version_mismatch");
    let reply = Reply::of(with("\"1\"")).await;
    assert_eq!((reply.status.as_u16(), reply.header("etag")), (200, Some("\"2\"")));
    Reply::of(with("\"1\"")).await.error(412, "version_mismatch");
    assert_eq!(Reply::of(with("*")).await.status, 200);
    let stale = management
        .request(Method::DELETE, &path, &jwt("owner-1"))
        .header("if-match", "\"1\"");
    Reply::of(stale).await.error(412, "version_mismatch");

    // Without If-Match, patches made at once all take effect.
    let patches = (0..4).map(|at| {
        let mut settings = json!({});
        settings[format!("key{at}")] = json!(at);
        management.patch(id(&assistant), settings)
    });
    for reply in futures_util::future::join_all(patches).await {
        assert_eq!(reply.status, 200, "{}", reply.text);
    }
    let shown = management.get(&path).await;
    for at in 0..4 {
        assert_eq!(shown["config"]["configurable"][format!("key{at}")], at);
    }
}

#[tokio::test]
async fn an_owner_sees_no_assistants_but_their_own() {
    let (_app, management) = start().await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(id(&management.create(json!({"model": "gpt-4o"})).await).to_owned());
    }
    let path = format!("/assistants/{}", ids[0]);
    for method in [Method::GET, Method::PATCH, Method::DELETE] {
        management
            .send(method, &path, &jwt("owner-2"), &json!({}))
            .await
            .error(404, "assistant_not_found");
    }
    let others = Reply::of(management.request(Method::GET, "/assistants", &jwt("owner-2")))
        .await
        .json();
    assert_eq!((&others["data"], &others["has_more"]), (&json!([]), &json!(false)));

    let (mut seen, mut query) = (Vec::new(), "?limit=2".to_owned());
    loop {
        let page = management.get(&format!("/assistants/{query}")).await;
        seen.extend(
            page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|assistant| id(assistant).to_owned()),
        );
        match page["next"].as_str() {
            Some(next) => query = format!("?limit=2&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ids);
    for query in ["?limit=0", "?limit=many", "?after=nonsense"] {
        let path = format!("/assistants{query}");
        Reply::of(management.request(Method::GET, &path, &jwt("owner-1")))
            .await
            .error(400, "null");
    }
}

#[tokio::test]
async fn of_forty_who_claim_one_token_at_once_one_wins() {
    let (app, management) = start().await;
    let settings = json!({"model": "gpt-4o", "access_mode": "public_token", "public_token": SPECS_TOKEN});
    let body = json!({"name": "Test", "config": {"configurable": settings}});
    let jwt = jwt("owner-1");
    let claims = (0..40).map(|_| management.send(Method::POST, "/assistants", &jwt, &body));
    let replies = futures_util::future::join_all(claims).await;
    let winners: Vec<_> = replies.iter().filter(|reply| reply.status == 201).collect();
    assert_eq!(winners.len(), 1);
    for reply in replies.iter().filter(|reply| reply.status != 201) {
        reply.error(409, "token_in_use");
    }
    let tables = embedded_store::tables();
    let store = Store::new(&embedded_store::client_config(app.store_address).await, tables);
    assert_eq!(store.list(None).await.unwrap().len(), 1);
    assert_eq!(app.chat(SPECS_TOKEN, &hello(false)).await.status, 200);
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
    for nothing in [json!({"configurable": null}), json!(null)] {
        let request = management.request(Method::PATCH, &path, &jwt("owner-1"));
        let patched = Reply::of(request.json(&json!({"config": nothing}))).await.json();
        assert_eq!(patched["config"], json!({"configurable": {}}));
    }
    app.chat(token, &hello(false))
        .await
        .error(403, "public_access_disabled");
}

#[tokio::test]
async fn a_token_is_generated_where_public_access_is_asked_for_and_there_is_none() {
    let (app, management) = start().await;
    let settings = json!({"model": "gpt-4o", "access_mode": "public_token", "public_token": null});
    let assistant = management.create(settings).await;
    let token = assistant["public_token"].as_str().unwrap();
    assert_eq!(app.chat(token, &hello(false)).await.status, 200);
    let path = format!("/assistants/{}", assistant["assistant_id"].as_str().unwrap());
    let patch = |body: Value| Reply::of(management.request(Method::PATCH, &path, &jwt("owner-1")).json(&body));
    // Revoked it stays, whatever else is changed.
    for body in [
        json!({"config": {"configurable": {"public_token": null}}}),
        json!({"config": {"configurable": {"access_mode": "public_token", "public_token": null}}}),
        json!({"config": {"public_token": null}}),
        json!({"name": "Other"}),
        json!({"config": {"configurable": {"temperature": 0.5}}}),
    ] {
        let patched = patch(body).await.json();
        assert!(
            patched["token_hint"].is_null() && patched.get("public_token").is_none(),
            "{patched}"
        );
    }
    let patched = patch(json!({"config": {"configurable": {"access_mode": "public_token"}}}))
        .await
        .json();
    assert_ne!(patched["public_token"], json!(token));
    assert_eq!(
        app.chat(patched["public_token"].as_str().unwrap(), &hello(false))
            .await
            .status,
        200
    );
}

/// Whoever gets hold of the tables can call no assistant.
#[tokio::test]
async fn no_table_holds_a_token() {
    let (app, management) = start().await;
    let generated = management
        .create(json!({"model": "gpt-4o", "access_mode": "public_token"}))
        .await;
    let chosen = management
        .create(json!({"model": "gpt-4o", "public_token": SPECS_TOKEN}))
        .await;
    let rotate =
        json!({"token_grace_seconds": 60, "config": {"configurable": {"public_token": "pubkey_mybot_def456"}}});
    let path = format!("/assistants/{}", id(&chosen));
    let rotated = management.send(Method::PATCH, &path, &jwt("owner-1"), &rotate).await;
    assert_eq!(rotated.status, 200, "{}", rotated.text);
    let client = aws_sdk_dynamodb::Client::new(&embedded_store::client_config(app.store_address).await);
    let tables = embedded_store::tables();
    for (table, items) in [(tables.assistants, 2), (tables.token_claims, 3)] {
        let scanned = client.scan().table_name(&table).send().await.unwrap();
        assert_eq!(scanned.items().len(), items, "{table}");
        let stored = format!("{:?}", scanned.items());
        let tokens = [
            SPECS_TOKEN,
            "pubkey_mybot_def456",
            generated["public_token"].as_str().unwrap(),
        ];
        for token in tokens {
            assert!(!stored.contains(token), "{table}: {stored}");
        }
        let digest = Token::new("pubkey_mybot_def456").digest();
        assert!(stored.contains(digest.as_str()), "{table}: {stored}");
    }
}
