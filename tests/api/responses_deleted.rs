//! What becomes of kept responses when one of them, or their assistant, is deleted.

use assistant_endpoint::local::embedded_store;
use aws_sdk_dynamodb::Client;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{
    Reply, TestApp,
    management::{Management, SECRET, id, jwt},
    provider::{FakeProvider, answer},
    response_calls::{self, Trouble},
    responses::{PATH, ask},
};

const SETTINGS: [(&str, &str); 2] = [("JWT_SECRET", SECRET), ("RESPONSES_TABLE", "Responses")];

async fn start() -> (TestApp, Management) {
    let provider = FakeProvider::always(answer(&["Hello"])).await;
    let app = TestApp::with(provider, &SETTINGS[1..]).await;
    let management = Management::beside(&app, &SETTINGS).await;
    (app, management)
}

/// An assistant of owner-1 with so many kept responses.
async fn talkative(app: &TestApp, management: &Management, responses: usize) -> Value {
    let settings = json!({"model": "gpt-4o", "access_mode": "public_token"});
    let assistant = management.create(settings).await;
    for _ in 0..responses {
        let token = assistant["public_token"].as_str().unwrap();
        assert_eq!(app.respond(token, &ask(false)).await.response()["store"], true);
    }
    assistant
}

async fn delete(management: &Management, path: &str, owner: &str) -> Reply {
    Reply::of(management.request(Method::DELETE, path, &jwt(owner))).await
}

/// How many items the Responses table has.
async fn kept(app: &TestApp) -> usize {
    let client = Client::new(&embedded_store::client_config(app.store_address).await);
    let scanned = client.scan().table_name("Responses").send().await.unwrap();
    scanned.items().len()
}

#[tokio::test]
async fn an_assistants_responses_are_erased_with_it() {
    let (app, management) = start().await;
    // More than a batch has.
    let gone = talkative(&app, &management, 30).await;
    talkative(&app, &management, 1).await;
    let path = format!("/assistants/{}", id(&gone));
    delete(&management, &path, "owner-2")
        .await
        .error(404, "assistant_not_found");
    assert_eq!(kept(&app).await, 31);
    assert_eq!(delete(&management, &path, "owner-1").await.status, 204);
    assert_eq!(kept(&app).await, 1);
    for path in [path.clone(), format!("{path}/responses")] {
        delete(&management, &path, "owner-1")
            .await
            .error(404, "assistant_not_found");
    }
}

#[tokio::test]
async fn what_could_not_be_erased_can_be_erased_later() {
    let (app, management) = start().await;
    let (proxy, _) = response_calls::in_front_of(app.store_address, Trouble::ErasingThrottled).await;
    let throttled = Management::over(&embedded_store::client_config(proxy).await, &SETTINGS).await;
    for again in ["", "/responses"] {
        let gone = talkative(&app, &management, 2).await;
        let path = format!("/assistants/{}", id(&gone));
        for (tried, says) in [
            ("/responses", "Some of the assistant's responses may be erased"),
            ("", "The assistant is deleted, but"),
            ("", "The assistant is deleted, but"),
        ] {
            let reply = delete(&throttled, &format!("{path}{tried}"), "owner-1").await;
            let message = reply.error(503, "service_unavailable");
            assert!(
                message.starts_with(says) && message.contains("Send the request again"),
                "{message}"
            );
        }
        let reply = app.respond(gone["public_token"].as_str().unwrap(), &ask(false)).await;
        reply.error(404, "assistant_not_found");
        assert_eq!(kept(&app).await, 2);
        let again = format!("{path}{again}");
        assert_eq!(delete(&management, &again, "owner-1").await.status, 204);
        assert_eq!(kept(&app).await, 0);
        delete(&management, &again, "owner-1")
            .await
            .error(404, "assistant_not_found");
    }
    // No id of ours is that long, and DynamoDB takes no such key.
    delete(
        &management,
        &format!("/assistants/{}/responses", "x".repeat(3_000)),
        "owner-1",
    )
    .await
    .error(404, "assistant_not_found");
}

/// The SDK sends a deletion again whose answer is lost.
#[tokio::test]
async fn a_deletion_that_is_sent_twice_has_deleted() {
    let provider = FakeProvider::always(answer(&["Hello"])).await;
    let (app, calls) = TestApp::noting_responses(provider, &[], Trouble::FirstDeletionLost).await;
    let token = app.assistant().await;
    let response = app.respond(&token, &ask(false)).await.response();
    calls.take();
    let path = format!("{PATH}/{}", response["id"].as_str().unwrap());
    let delete = async || Reply::of(app.request(Method::DELETE, &path).bearer_auth(&token)).await;
    assert_eq!(delete().await.json()["deleted"], true);
    assert_eq!(calls.take(), ["GetItem", "DeleteItem", "DeleteItem"]);
    delete().await.error(404, "response_not_found");
}
