//! Whose a token is: its owner's for good, whatever becomes of the assistant.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use assistant_endpoint::{
    assistant::{
        Record,
        store::{
            Lookup, Store,
            claims::Grace,
            transaction::WriteError,
            write::{Change, NewAssistant, TokenChange},
        },
    },
    local::{embedded_store, serve::put_demo},
    token::Token,
};
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use axum::{Router, body::Bytes, http::HeaderMap};
use serde_json::json;
use tokio::net::TcpListener;

use crate::support::{claim::put_claim, start_store, store_fault::forward};

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

/// A claim's owner as it is stored.
async fn claims_owner(store: SocketAddr, token: &str) -> Option<String> {
    let client = Client::new(&embedded_store::client_config(store).await);
    let output = client
        .get_item()
        .table_name(embedded_store::tables().token_claims)
        .key("token_digest", text(Token::new(token).digest().as_str()))
        .send()
        .await
        .unwrap();
    let claim = output.item.unwrap();
    claim.get("owner_id").map(|owner| owner.as_s().unwrap().clone())
}

fn new(owner: &str, token: Option<&str>) -> NewAssistant {
    NewAssistant {
        owner_id: owner.into(),
        name: "Test".into(),
        config: json!({"configurable": {"model": "gpt-4o"}}),
        token: token.map(Token::new),
    }
}

fn set(token: &str) -> Change {
    Change {
        token: Some(TokenChange::Set(Token::new(token))),
        ..Change::default()
    }
}

fn revoke() -> Change {
    Change {
        token: Some(TokenChange::Revoke),
        ..Change::default()
    }
}

async fn store() -> (Store, SocketAddr) {
    let (aws, address) = start_store().await;
    (Store::new(&aws, embedded_store::tables()), address)
}

/// What the token opens: an assistant's id, "trial", "deleted" or "unknown".
async fn opened_by(store: &Store, token: &str) -> String {
    match store.find(&Token::new(token).digest()).await.unwrap() {
        Lookup::Found(assistant) => assistant.id().to_owned(),
        Lookup::Trial(_) => "trial".into(),
        Lookup::Deleted => "deleted".into(),
        Lookup::Unknown => "unknown".into(),
    }
}

#[track_caller]
fn assert_taken(written: Result<Record, WriteError>) {
    assert!(matches!(written, Err(WriteError::TokenTaken)), "{written:?}");
}

#[tokio::test]
async fn a_token_that_was_an_owners_is_no_other_owners() {
    let (store, _) = store().await;
    let rotated = store.create(new("owner-1", Some("pubkey_rotated"))).await.unwrap();
    store.update(&rotated, set("pubkey_current")).await.unwrap();
    let revoked = store.create(new("owner-1", Some("pubkey_revoked"))).await.unwrap();
    store.update(&revoked, revoke()).await.unwrap();
    let deleted = store.create(new("owner-1", Some("pubkey_deleted"))).await.unwrap();
    store.delete(&deleted).await.unwrap();

    let others = store.create(new("owner-2", Some("pubkey_other"))).await.unwrap();
    for (token, opens) in [
        ("pubkey_rotated", "unknown"),
        ("pubkey_revoked", "unknown"),
        ("pubkey_deleted", "deleted"),
        ("pubkey_current", &rotated.assistant_id),
    ] {
        assert_taken(store.create(new("owner-2", Some(token))).await);
        assert_taken(store.update(&others, set(token)).await);
        assert_eq!(opened_by(&store, token).await, opens, "{token}");
    }
    assert_eq!(store.get(&others.assistant_id).await.unwrap().unwrap(), others);
    assert_eq!(store.list(Some("owner-2")).await.unwrap(), [others]);
}

#[tokio::test]
async fn an_owner_may_set_a_token_again_on_any_assistant_while_no_other_carries_it() {
    let (store, _) = store().await;
    let first = store.create(new("owner-1", Some("pubkey_a"))).await.unwrap();
    let second = store.create(new("owner-1", None)).await.unwrap();
    assert_taken(store.update(&second, set("pubkey_a")).await);

    // Back on the same assistant.
    let first = store.update(&first, set("pubkey_b")).await.unwrap();
    let first = store.update(&first, set("pubkey_a")).await.unwrap();
    assert_eq!(opened_by(&store, "pubkey_a").await, first.assistant_id);
    // After a rotation on another one; then the first one cannot have it.
    let first = store.update(&first, set("pubkey_b")).await.unwrap();
    let second = store.update(&second, set("pubkey_a")).await.unwrap();
    assert_eq!(opened_by(&store, "pubkey_a").await, second.assistant_id);
    assert_taken(store.update(&first, set("pubkey_a")).await);
    assert_eq!(store.get(&first.assistant_id).await.unwrap().unwrap(), first);
    // After a deletion, on a new one.
    store.delete(&second).await.unwrap();
    let third = store.create(new("owner-1", Some("pubkey_a"))).await.unwrap();
    assert_eq!(opened_by(&store, "pubkey_a").await, third.assistant_id);
}

#[tokio::test]
async fn a_claim_without_an_owner_is_its_assistants_owners_and_nobodys_once_that_is_deleted() {
    let (store, address) = store().await;
    let first = store.create(new("owner-1", Some("pubkey_a"))).await.unwrap();
    put_claim(address, "pubkey_a", &[("assistant_id", &first.assistant_id)]).await;
    assert_taken(store.create(new("owner-2", Some("pubkey_a"))).await);
    // Its owner is written down with the next change of the token.
    let first = store.update(&first, set("pubkey_b")).await.unwrap();
    assert_eq!(claims_owner(address, "pubkey_a").await.as_deref(), Some("owner-1"));
    assert_taken(store.create(new("owner-2", Some("pubkey_a"))).await);

    // The assistant that it names is there, carries another token, and tells whose it is.
    put_claim(address, "pubkey_a", &[("assistant_id", &first.assistant_id)]).await;
    assert_taken(store.create(new("owner-2", Some("pubkey_a"))).await);
    let first = store.update(&first, set("pubkey_a")).await.unwrap();
    let first = store.update(&first, revoke()).await.unwrap();
    put_claim(address, "pubkey_a", &[("assistant_id", &first.assistant_id)]).await;
    let second = store.create(new("owner-1", Some("pubkey_a"))).await.unwrap();

    // Deleted now, it leaves a claim with an owner; deleted by an earlier version, it did not.
    put_claim(address, "pubkey_a", &[("assistant_id", &second.assistant_id)]).await;
    store.delete(&second).await.unwrap();
    assert_eq!(claims_owner(address, "pubkey_a").await.as_deref(), Some("owner-1"));
    put_claim(address, "pubkey_a", &[("assistant_id", &second.assistant_id)]).await;
    for owner in ["owner-1", "owner-2"] {
        assert_taken(store.create(new(owner, Some("pubkey_a"))).await);
    }
    assert_eq!(opened_by(&store, "pubkey_a").await, "deleted");
}

#[tokio::test]
async fn of_many_who_set_one_token_at_once_one_wins() {
    let store = Arc::new(store().await.0);
    // A free one: two owners. A rotated one: its owner's assistants, the one that had it among them.
    let first = store.create(new("owner-1", Some("pubkey_rotated"))).await.unwrap();
    let first = store.update(&first, set("pubkey_b")).await.unwrap();
    for (token, owners) in [
        ("pubkey_free", ["owner-1", "owner-2"]),
        ("pubkey_rotated", ["owner-1", "owner-1"]),
    ] {
        let mut records = vec![store.get(&first.assistant_id).await.unwrap().unwrap()];
        for at in 0..12 {
            records.push(store.create(new(owners[at % 2], None)).await.unwrap());
        }
        let writes = records.into_iter().map(|record| {
            let store = Arc::clone(&store);
            tokio::spawn(async move { store.update(&record, set(token)).await })
        });
        let mut winners = Vec::new();
        for write in writes.collect::<Vec<_>>() {
            match write.await.unwrap() {
                Ok(record) => winners.push(record.assistant_id),
                Err(error) => assert!(matches!(error, WriteError::TokenTaken), "{error}"),
            }
        }
        assert_eq!(winners.len(), 1, "{token}");
        assert_eq!(opened_by(&store, token).await, winners[0]);
    }
}

#[tokio::test]
async fn a_token_that_is_set_again_meanwhile_is_not_taken_over() {
    let (direct, address) = store().await;
    let direct = Arc::new(direct);
    let first = direct.create(new("owner-1", Some("pubkey_a"))).await.unwrap();
    let first = direct.update(&first, set("pubkey_b")).await.unwrap();
    let second = direct.create(new("owner-1", None)).await.unwrap();

    // The first transaction finds the claim of an assistant that does not carry the token; before the second one it does.
    let transactions = Arc::new(AtomicUsize::new(0));
    let (meanwhile, assistant_id) = (Arc::clone(&direct), first.assistant_id.clone());
    let proxy = Router::new().fallback(async move |headers: HeaderMap, body: Bytes| {
        let is_transaction = headers["x-amz-target"].as_bytes().ends_with(b".TransactWriteItems");
        if is_transaction && transactions.fetch_add(1, Ordering::Relaxed) == 1 {
            meanwhile.update(&first, set("pubkey_a")).await.unwrap();
        }
        forward(address, headers, body).await
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let aws = embedded_store::client_config(listener.local_addr().unwrap()).await;
    tokio::spawn(async move { axum::serve(listener, proxy).await });

    let delayed = Store::new(&aws, embedded_store::tables());
    assert_taken(delayed.update(&second, set("pubkey_a")).await);
    assert_eq!(direct.get(&second.assistant_id).await.unwrap().unwrap(), second);
    assert_eq!(opened_by(&direct, "pubkey_a").await, assistant_id);
}

#[tokio::test]
async fn a_trial_tokens_claim_opens_its_assistant_in_its_time_and_is_no_public_tokens() {
    let (store, address) = store().await;
    let record = store.create(new("owner-1", None)).await.unwrap();
    let client = Client::new(&embedded_store::client_config(address).await);
    for (valid_until, opened) in [("1", "unknown"), ("9999999999", "trial")] {
        client
            .put_item()
            .table_name(embedded_store::tables().token_claims)
            .item("token_digest", text(Token::new("pubkey_trial").digest().as_str()))
            .item("assistant_id", text(&record.assistant_id))
            .item("owner_id", text("owner-1"))
            .item("valid_until", AttributeValue::N(valid_until.into()))
            .item("trial", AttributeValue::Bool(true))
            .send()
            .await
            .unwrap();
        assert_eq!(opened_by(&store, "pubkey_trial").await, opened);
    }
    assert_taken(store.create(new("owner-1", Some("pubkey_trial"))).await);
}

#[tokio::test]
async fn a_grace_period_without_an_old_and_a_new_token_is_refused() {
    let (store, _) = store().await;
    let grace = Grace::from_now(60);
    let without = store.create(new("owner-1", None)).await.unwrap();
    let with = store.create(new("owner-1", Some("pubkey_a"))).await.unwrap();
    for (record, change) in [
        (&without, set("pubkey_b")),
        (&with, set("pubkey_a")),
        (&with, revoke()),
        (&with, Change::default()),
    ] {
        let written = store.update(record, Change { grace, ..change }).await;
        assert!(matches!(written, Err(WriteError::NothingToKeep)), "{written:?}");
        assert_eq!(&store.get(&record.assistant_id).await.unwrap().unwrap(), record);
    }
}

#[tokio::test]
async fn a_deleted_demo_assistant_comes_back_unless_its_token_is_another_owners() {
    let (store, _) = store().await;
    let demo = || new("operator", Some("pubkey_demo_local_0001"));
    put_demo(&store, demo()).await.unwrap();
    let first = opened_by(&store, "pubkey_demo_local_0001").await;
    put_demo(&store, demo()).await.unwrap();
    assert_eq!(opened_by(&store, "pubkey_demo_local_0001").await, first);
    let record = store.get(&first).await.unwrap().unwrap();
    store.delete(&record).await.unwrap();
    put_demo(&store, demo()).await.unwrap();
    assert_ne!(opened_by(&store, "pubkey_demo_local_0001").await, "deleted");

    let others = store.create(new("owner-2", Some("pubkey_theirs"))).await.unwrap();
    store.update(&others, revoke()).await.unwrap();
    let error = put_demo(&store, new("operator", Some("pubkey_theirs")))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("--demo-token"), "{error}");
}
