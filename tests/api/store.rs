//! Assistants and their tokens in the store: one token, one assistant, and nothing half-written.

use std::sync::Arc;

use assistant_endpoint::{
    assistant::store::{
        Lookup, Store,
        transaction::WriteError,
        write::{Change, NewAssistant, TokenChange},
    },
    local::embedded_store,
    token::Token,
};
use serde_json::json;

use crate::support::{
    start_store,
    store_fault::{self, Fault},
};

async fn store() -> Store {
    let (aws, _) = start_store().await;
    Store::new(&aws, embedded_store::tables())
}

fn new(token: &str) -> NewAssistant {
    NewAssistant {
        owner_id: "owner-1".into(),
        name: "Test".into(),
        config: json!({"configurable": {"temperature": 0.7, "max_tokens": 5, "list": [1, null, true]}}),
        token: Some(Token::new(token)),
    }
}

fn set(token: &str) -> Change {
    Change {
        token: Some(TokenChange::Set(Token::new(token))),
        ..Change::default()
    }
}

#[tokio::test]
async fn what_is_written_is_read_back_without_the_token() {
    let store = store().await;
    let written = store.create(new("pubkey_mybot_abc123")).await.unwrap();
    let read = store.get(&written.assistant_id).await.unwrap().unwrap();
    assert_eq!(read, written);
    assert_eq!(read.token_hint.as_deref(), Some("c123"));
    assert!(!serde_json::to_string(&read).unwrap().contains("mybot"));
}

#[tokio::test]
async fn a_token_is_one_assistants_at_a_time() {
    let store = store().await;
    let first = store.create(new("pubkey_a")).await.unwrap();
    assert!(matches!(
        store.create(new("pubkey_a")).await,
        Err(WriteError::TokenTaken)
    ));
    let second = store.create(new("pubkey_b")).await.unwrap();
    assert!(matches!(
        store.update(&second, set("pubkey_a")).await,
        Err(WriteError::TokenTaken)
    ));
    assert_eq!(store.get(&second.assistant_id).await.unwrap().unwrap(), second);

    // A deleted assistant's token is a stable 404, and a rotated one a 401.
    store.delete(&first).await.unwrap();
    assert!(matches!(
        store.find(&Token::new("pubkey_a").digest()).await.unwrap(),
        Lookup::Deleted
    ));
    store.update(&second, set("pubkey_c")).await.unwrap();
    assert!(matches!(
        store.find(&Token::new("pubkey_b").digest()).await.unwrap(),
        Lookup::Unknown
    ));
}

#[tokio::test]
async fn a_revoked_token_is_unknown_and_can_be_set_again() {
    let store = store().await;
    let record = store.create(new("pubkey_a")).await.unwrap();
    let revocation = Change {
        token: Some(TokenChange::Revoke),
        ..Change::default()
    };
    let record = store.update(&record, revocation).await.unwrap();
    assert_eq!((record.token_digest.as_ref(), record.version), (None, 2));
    assert!(matches!(
        store.find(&Token::new("pubkey_a").digest()).await.unwrap(),
        Lookup::Unknown
    ));
    let record = store.update(&record, set("pubkey_a")).await.unwrap();
    // The same token once more changes nothing about the claim.
    store.update(&record, set("pubkey_a")).await.unwrap();
    assert!(matches!(
        store.find(&Token::new("pubkey_a").digest()).await.unwrap(),
        Lookup::Found(_)
    ));
}

#[tokio::test]
async fn a_write_on_top_of_another_is_refused() {
    let store = store().await;
    let record = store.create(new("pubkey_a")).await.unwrap();
    store.update(&record, set("pubkey_b")).await.unwrap();
    assert!(matches!(
        store.update(&record, set("pubkey_c")).await,
        Err(WriteError::Changed)
    ));
    assert!(matches!(store.delete(&record).await, Err(WriteError::Changed)));
    assert!(matches!(
        store.find(&Token::new("pubkey_c").digest()).await.unwrap(),
        Lookup::Unknown
    ));
}

#[tokio::test]
async fn of_many_claims_of_one_token_one_wins() {
    let store = Arc::new(store().await);
    let claims = (0..40).map(|_| {
        let store = Arc::clone(&store);
        tokio::spawn(async move { store.create(new("pubkey_wanted")).await })
    });
    let mut winners = Vec::new();
    for claim in claims.collect::<Vec<_>>() {
        match claim.await.unwrap() {
            Ok(record) => winners.push(record),
            Err(error) => assert!(matches!(error, WriteError::TokenTaken), "{error}"),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(store.list(Some("owner-1")).await.unwrap(), winners);
}

#[tokio::test]
async fn assistants_are_listed_by_owner_or_all() {
    let store = store().await;
    for owner in ["a", "b", "a"] {
        let new = NewAssistant {
            owner_id: owner.into(),
            token: None,
            ..new("")
        };
        store.create(new).await.unwrap();
    }
    assert_eq!(store.list(Some("a")).await.unwrap().len(), 2);
    assert_eq!(store.list(Some("nobody")).await.unwrap().len(), 0);
    assert_eq!(store.list(None).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_transaction_that_keeps_running_into_others_is_unavailable() {
    let (aws, address) = start_store().await;
    let store = Store::new(
        &store_fault::in_front_of(address, Fault::Conflict).await,
        embedded_store::tables(),
    );
    match store.create(new("pubkey_a")).await {
        Err(WriteError::Store(error)) => assert_eq!(error.code().as_deref(), Some("service_unavailable")),
        other => panic!("{other:?}"),
    }
    let store = Store::new(&aws, embedded_store::tables());
    assert_eq!(store.list(None).await.unwrap(), []);
}

#[tokio::test]
async fn what_dynamodb_calls_invalid_is_a_400() {
    let (_, address) = start_store().await;
    let faulty = store_fault::in_front_of(address, Fault::Invalid).await;
    let written = Store::new(&faulty, embedded_store::tables())
        .create(new("pubkey_any_0123456789"))
        .await;
    let error = assistant_endpoint::error::Error::from(written.unwrap_err());
    assert_eq!(error.status(), 400, "{error}");
}
