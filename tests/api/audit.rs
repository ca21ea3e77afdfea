//! Audits: a line for each write to an assistant, with names and without values.

use std::path::Path;

use assistant_endpoint::local::function::Function;
use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::support::{
    TestApp,
    function::{Reply, TIMEOUT, event, invoke},
    log::Log,
    management::{SECRET, jwt},
    provider::{FakeProvider, answer},
    start_store,
    store_proxy::{self, Call},
};

/// What may stand in no audit.
const SECRETS: [&str; 4] = ["ZEBRA-42", "pubkey_of_the_audit_01", "gpt-4o", "https://shop.example"];

async fn send(function: &Function, owner: &str, method: &str, path: &str, body: Value) -> Reply {
    let mut event = event("chat.json");
    event["rawPath"] = json!(path);
    event["requestContext"]["http"]["method"] = json!(method);
    event["headers"]["authorization"] = json!(format!("Bearer {}", jwt(owner)));
    event["body"] = json!(body.to_string());
    invoke(function, event, TIMEOUT).await
}

#[tokio::test]
async fn each_write_of_an_owner_is_told_and_nothing_else() {
    let (log, (_aws, store)) = (Log::new(), start_store().await);
    // At a level at which the log has nothing else.
    let settings = [
        ("JWT_SECRET", SECRET),
        ("RUST_LOG", "off"),
        ("RESPONSES_TABLE", "Responses"),
    ];
    let binary = Path::new(env!("CARGO_BIN_EXE_manage"));
    let function = Function::start(binary, store, &settings, log.stdio()).await.unwrap();
    let config = |settings: Value| json!({"config": {"configurable": settings}});
    let new =
        config(json!({"model": SECRETS[2], "system_message": SECRETS[0], "type==agent/access_mode": "public_token"}));
    let id = send(&function, "ann", "POST", "/assistants", new).await.json()["assistant_id"].clone();
    let path = format!("/assistants/{}", id.as_str().unwrap());
    let change = json!({"name": "Bob", "config": {"configurable": {
        "public_token": SECRETS[1], "allowed_origins": [SECRETS[3]], "temperature": 1, "system_message": null}}});
    for (owner, method, path, body, status) in [
        ("ann", "PATCH", path.clone(), change, 200),
        // Nobody's, refused, and only read: no writes.
        ("eve", "PATCH", path.clone(), json!({"name": "Eve"}), 404),
        ("ann", "PATCH", path.clone(), config(json!({"temperature": "hot"})), 400),
        ("ann", "GET", path.clone(), json!({}), 200),
        ("ann", "POST", format!("{path}/trial"), json!({}), 201),
        ("ann", "DELETE", format!("{path}/responses"), json!({}), 204),
        ("ann", "DELETE", path.clone(), json!({}), 204),
    ] {
        let reply = send(&function, owner, method, &path, body).await;
        assert_eq!(reply.status, status, "{method} {path}: {}", reply.text());
    }
    let audits = log.lines("audit");
    let told: Vec<_> = audits
        .iter()
        .map(|line| json!([line["action"], line["version"], line["changed"]]))
        .collect();
    let expected = [
        json!([
            "create",
            1,
            "model, public_token, system_message, type==agent/access_mode"
        ]),
        json!([
            "update",
            2,
            "allowed_origins, name, public_token, system_message, temperature"
        ]),
        json!(["create_trial", 2, null]),
        json!(["erase_responses", 2, null]),
        json!(["delete", 2, null]),
    ];
    assert_eq!(told, expected);
    for line in &audits {
        assert_eq!(
            (&line["by"], &line["who"], &line["assistant_id"]),
            (&json!("owner"), &json!("ann"), &id),
            "{line}"
        );
        assert!(line["request_id"].is_string(), "{line}");
    }
    for secret in SECRETS {
        assert!(!log.text().contains(secret), "{}", log.text());
    }
}

/// The write is made, and its answer is lost: nobody can say so but the log.
#[tokio::test]
async fn a_write_that_may_have_been_made_is_told_as_that() {
    let (log, (_aws, store)) = (Log::new(), start_store().await);
    let proxy = store_proxy::in_front_of(store, async |call: Call| {
        let is_write = call.operation == "TransactWriteItems";
        let answer = call.forward().await;
        if is_write {
            store_proxy::error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError")
        } else {
            answer
        }
    })
    .await;
    let binary = Path::new(env!("CARGO_BIN_EXE_manage"));
    let function = Function::start(binary, proxy, &[("JWT_SECRET", SECRET)], log.stdio())
        .await
        .unwrap();
    let reply = send(&function, "ann", "POST", "/assistants", json!({"name": "Bob"})).await;
    assert_eq!(reply.status, 503, "{}", reply.text());
    let audit = log.lines("audit").pop().unwrap();
    assert_eq!(
        (&audit["action"], &audit["made"], &audit["who"]),
        (&json!("create"), &json!("unknown"), &json!("ann"))
    );
}

#[tokio::test]
async fn so_is_each_write_of_the_program() {
    let app = TestApp::start(FakeProvider::always(answer(&["Hi"])).await).await;
    let store = app.store_address.to_string();
    let run = async |arguments: &[&str]| {
        let mut program = tokio::process::Command::new(env!("CARGO_BIN_EXE_assistants"));
        let program = program.args(arguments).args(["--json", "--local", &store]);
        let output = program
            .env("RUST_LOG", "error")
            .env("USER", "ops")
            .output()
            .await
            .unwrap();
        let printed = serde_json::from_slice::<Value>(&output.stdout).unwrap();
        (printed, String::from_utf8(output.stderr).unwrap())
    };
    let (created, audit) = run(&["create", "--name", "Bob", "--model", "gpt-4o", "--token", SECRETS[1]]).await;
    let id = created["assistant_id"].as_str().unwrap();
    assert!(
        audit.contains("audit by=\"program\" who=\"ops\" action=\"create\""),
        "{audit}"
    );
    assert!(
        !audit.contains(SECRETS[1]) && !audit.contains("gpt-4o") && audit.lines().count() == 1,
        "{audit}"
    );
    for (arguments, told) in [
        (&["update", id, "--temperature", "1"][..], "action=\"update\""),
        (&["rotate-token", id], "changed=\"public_token\""),
        (&["delete", id], "action=\"delete\""),
    ] {
        let (_, audit) = run(arguments).await;
        assert!(
            audit.contains(told) && audit.contains(id) && audit.lines().count() == 1,
            "{audit}"
        );
    }
    assert_eq!(run(&["list"]).await.1, "");
}
