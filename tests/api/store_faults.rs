//! Faults of DynamoDB and of what is stored there, for callers and for owners: no provider is asked, and nobody is told of
//! tables, roles or items.

use assistant_endpoint::{local::embedded_store, token::Token};
use aws_sdk_dynamodb::{Client, types::AttributeValue};
use serde_json::json;

use crate::support::{
    TestApp, hello,
    provider::{FakeProvider, answer},
    store_fault::Fault,
};

#[tokio::test]
async fn a_store_that_does_not_answer_well_is_503() {
    let faults = [
        Fault::Throttled,
        Fault::ServerError,
        Fault::Hang,
        Fault::Down,
        Fault::NoTable,
        Fault::NotAllowed,
        Fault::Unreadable,
    ];
    let checks = faults.map(|fault| async move {
        let app = TestApp::with_store_fault(FakeProvider::always(answer(&["Hi"])).await, fault).await;
        let token = app.assistant().await;
        let bodies = [hello(false), hello(true)];
        let replies = bodies.each_ref().map(|body| app.chat(&token, body));
        for reply in futures_util::future::join_all(replies).await {
            let message = reply.error(503, "service_unavailable");
            assert!(reply.headers.contains_key("retry-after"), "{fault:?}");
            for secret in [
                "Assistants",
                "TokenClaims",
                "arn:",
                "table",
                "Dynamo",
                "127.0.0.1",
                &token,
            ] {
                assert!(!message.contains(secret), "{fault:?}: {message}");
            }
        }
        assert!(app.provider.received().is_empty());
    });
    futures_util::future::join_all(checks).await;
}

fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// What another program may have written. Without a readable access mode nobody is let in.
#[tokio::test]
async fn an_item_of_other_types_is_misconfigured_and_no_crash() {
    let app = TestApp::start(FakeProvider::always(answer(&["Hi"])).await).await;
    let client = Client::new(&embedded_store::client_config(app.store_address).await);
    let open = || AttributeValue::M([("access_mode".to_owned(), text("public_token"))].into());
    let configurable = |value: AttributeValue| AttributeValue::M([("configurable".to_owned(), value)].into());
    for (name, value, status, code) in [
        ("config", text("{}"), 403, "public_access_disabled"),
        ("config", AttributeValue::L(vec![]), 403, "public_access_disabled"),
        ("config", AttributeValue::Null(true), 403, "public_access_disabled"),
        ("config", configurable(text("{}")), 403, "public_access_disabled"),
        (
            "config",
            configurable(AttributeValue::L(vec![])),
            403,
            "public_access_disabled",
        ),
        ("version", text("one"), 500, "assistant_misconfigured"),
        ("name", AttributeValue::Bool(true), 500, "assistant_misconfigured"),
    ] {
        let token = Token::generate().unwrap();
        let put = client
            .put_item()
            .table_name(embedded_store::tables().assistants)
            .item("assistant_id", text(&uuid::Uuid::new_v4().to_string()))
            .item("owner_id", text("owner-1"))
            .item("name", text("Test"))
            .item("version", AttributeValue::N("1".into()))
            .item("config", configurable(open()))
            .item("token_digest", text(token.digest().as_str()))
            .item(name, value.clone());
        put.send().await.unwrap();
        for stream in [false, true] {
            let reply = app.chat(token.reveal(), &hello(stream)).await;
            let found = (reply.status.as_u16(), reply.body()["error"]["code"].clone());
            assert_eq!(found, (status, json!(code)), "{name}: {value:?}: {}", reply.text);
            reply.error(status, code);
        }
    }
    assert!(app.provider.received().is_empty());
}
