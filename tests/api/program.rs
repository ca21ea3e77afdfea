//! The `assistants` program, run as an operator would.

use std::{net::SocketAddr, path::Path, process::Output};

use assistant_endpoint::local::embedded_store;
use aws_sdk_dynamodb::Client;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{
    TestApp, hello,
    provider::{FakeProvider, answer},
    responses::ask,
};

async fn run(store: SocketAddr, arguments: &[&str]) -> Output {
    let local = store.to_string();
    Command::new(env!("CARGO_BIN_EXE_assistants"))
        .args(arguments)
        .args(["--local", &local])
        .env_remove("RUST_LOG")
        .output()
        .await
        .unwrap()
}

/// What a command prints that needs no store.
fn printed(arguments: &[&str]) -> String {
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_assistants"));
    let output = program.args(arguments).output().unwrap();
    assert!(output.status.success(), "{arguments:?}");
    String::from_utf8(output.stdout).unwrap()
}

pub async fn text(store: SocketAddr, arguments: &[&str]) -> String {
    let output = run(store, arguments).await;
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{arguments:?}: {error}");
    String::from_utf8(output.stdout).unwrap()
}

pub async fn json_of(store: SocketAddr, arguments: &[&str]) -> Value {
    serde_json::from_str(&text(store, &[arguments, &["--json"]].concat()).await).unwrap()
}

async fn failure(store: SocketAddr, arguments: &[&str]) -> String {
    let output = run(store, arguments).await;
    assert!(!output.status.success(), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

#[tokio::test]
async fn an_assistants_whole_life() {
    let app = TestApp::start(FakeProvider::always(answer(&["Hi"])).await).await;
    let store = app.store_address;
    let created = json_of(store, &["create", "--name", "My bot", "--model", "gpt-4o"]).await;
    let (id, token) = (
        created["assistant_id"].as_str().unwrap(),
        created["public_token"].as_str().unwrap(),
    );
    assert!(token.starts_with("pubkey_"));
    assert_eq!(app.chat(token, &hello(false)).await.status, 200);

    let shown = json_of(store, &["show", id]).await;
    assert_eq!(
        shown["config"],
        json!({"configurable": {"type==agent/access_mode": "public_token", "type==agent/model": "gpt-4o"}})
    );
    assert!(shown.get("public_token").is_none() && shown.get("token_digest").is_none());

    let updated = json_of(
        store,
        &[
            "update",
            id,
            "--model",
            "gpt-4o-mini",
            "--set",
            "temperature=0.2",
            "--name",
            "Ada",
        ],
    )
    .await;
    assert_eq!((&updated["name"], &updated["version"]), (&json!("Ada"), &json!(2)));
    assert_eq!(app.chat(token, &hello(false)).await.json()["model"], "gpt-4o-mini");
    let sent = app.provider.received().last().unwrap().body.clone();
    assert_eq!(sent["temperature"], 0.2);
    text(
        store,
        &["update", id, "--unset", "temperature", "--access-mode", "authenticated"],
    )
    .await;
    app.chat(token, &hello(false))
        .await
        .error(403, "public_access_disabled");
    text(store, &["update", id, "--access-mode", "public_token"]).await;

    let rotated = json_of(store, &["rotate-token", id]).await;
    app.chat(token, &hello(false)).await.error(401, "invalid_api_key");
    let token = rotated["public_token"].as_str().unwrap();
    assert_eq!(app.chat(token, &hello(false)).await.status, 200);

    let table = text(store, &["list"]).await;
    let lines: Vec<_> = table.lines().collect();
    assert!(
        lines[0].starts_with("ASSISTANT") && lines[1].contains("Ada") && lines[1].ends_with("public"),
        "{table}"
    );
    assert!(!table.contains(token));

    text(store, &["delete", id]).await;
    app.chat(token, &hello(false)).await.error(404, "assistant_not_found");
    assert_eq!(json_of(store, &["list"]).await, json!([]));
}

#[tokio::test]
async fn what_is_kept_of_an_assistant_is_erased_with_it() {
    let provider = FakeProvider::always(answer(&["Hi"])).await;
    let app = TestApp::with(provider, &[("RESPONSES_TABLE", "Responses")]).await;
    let store = app.store_address;
    let client = Client::new(&embedded_store::client_config(store).await);
    let items = async || {
        let scanned = client.scan().table_name("Responses").send().await.unwrap();
        scanned.items.unwrap()
    };
    let created = json_of(store, &["create", "--name", "My bot", "--model", "gpt-4o"]).await;
    let id = created["assistant_id"].as_str().unwrap();
    let token = created["public_token"].as_str().unwrap();
    app.respond(token, &ask(false)).await.response();
    let kept = items().await;
    let told = text(store, &["delete", id]).await;
    assert!(told.starts_with(&format!("Deleted {id} (My bot).")), "{told}");
    assert!(items().await.is_empty());
    // A reply may have been under way.
    let put = client.put_item().table_name("Responses");
    put.set_item(kept.into_iter().next()).send().await.unwrap();
    assert!(text(store, &["delete", id]).await.contains("what was left"));
    assert!(items().await.is_empty());
}

#[tokio::test]
async fn an_old_token_works_as_long_as_the_operator_says() {
    let app = TestApp::start(FakeProvider::always(answer(&["Hi"])).await).await;
    let store = app.store_address;
    let created = json_of(store, &["create", "--name", "My bot", "--model", "gpt-4o"]).await;
    let id = created["assistant_id"].as_str().unwrap();
    let rotated = json_of(store, &["rotate-token", id, "--grace", "12h"]).await;
    assert!(rotated["old_token_valid_until"].is_string() && rotated.get("revocations").is_none());
    let arguments = ["rotate-token", id, "--token", "pubkey_mybot_abc123", "--grace", "30d"];
    let shown = text(store, &arguments).await;
    assert!(shown.contains("Old token  works until 20"), "{shown}");
    for assistant in [&created, &rotated] {
        let token = assistant["public_token"].as_str().unwrap();
        assert_eq!(app.chat(token, &hello(false)).await.status, 200);
    }
    assert!(
        failure(store, &arguments)
            .await
            .contains("needs an old token and a new one")
    );
    assert_eq!(app.chat("pubkey_mybot_abc123", &hello(false)).await.status, 200);
}

#[tokio::test]
async fn a_setting_may_be_named_by_its_whole_key() {
    let app = TestApp::start(FakeProvider::refusing()).await;
    let store = app.store_address;
    let created = json_of(store, &["create", "--name", "My bot", "--model", "gpt-4o"]).await;
    let id = created["assistant_id"].as_str().unwrap();
    // A prefix has an equals sign of its own.
    let arguments = ["--set", "type==agent/top_p=0.5", "--set", "type=chatbot"];
    let updated = json_of(store, &[&["update", id], &arguments[..]].concat()).await;
    let configurable = &updated["config"]["configurable"];
    assert_eq!(
        (&configurable["type==agent/top_p"], &configurable["type"]),
        (&json!(0.5), &json!("chatbot"))
    );
    // A bare name is the own type's.
    let updated = json_of(
        store,
        &[
            "update",
            id,
            "--system-message",
            "You are Ada.",
            "--reasoning-content",
            "true",
        ],
    )
    .await;
    let configurable = &updated["config"]["configurable"];
    assert_eq!(
        (
            &configurable["type==chatbot/system_message"],
            &configurable["type==chatbot/reasoning_content"]
        ),
        (&json!("You are Ada."), &json!(true))
    );
    let arguments = ["--unset", "system_message", "--unset", "reasoning_content"];
    json_of(store, &[&["update", id], &arguments[..]].concat()).await;
    let arguments = ["--unset", "type==agent/top_p", "--unset", "type"];
    let updated = json_of(store, &[&["update", id], &arguments[..]].concat()).await;
    assert_eq!(updated["config"], created["config"]);
}

#[tokio::test]
async fn what_cannot_be_done_says_why() {
    let app = TestApp::start(FakeProvider::refusing()).await;
    let store = app.store_address;
    let create = [
        "create",
        "--name",
        "x",
        "--model",
        "gpt-4o",
        "--token",
        "pubkey_mybot_abc123",
    ];
    text(store, &create).await;
    assert!(failure(store, &create).await.contains("already in use"));
    for (arguments, why) in [
        (
            vec!["create", "--name", "x", "--model", "gpt-4o", "--token", "short"],
            "16 to 512",
        ),
        (vec!["create", "--name", "x", "--model", "nobodys-model"], "`provider`"),
        (vec!["create", "--name", "x"], "`model`"),
        (
            vec!["create", "--name", "x", "--model", "gpt-4o", "--set", "temperature=9"],
            "temperature",
        ),
        (
            vec![
                "create",
                "--name",
                "x",
                "--model",
                "gpt-4o",
                "--set",
                "type==agent/public_token=pubkey_secret_0123456",
            ],
            "--token",
        ),
        (vec!["rotate-token", "nobody", "--grace", "31d"], "from 1s to 30d"),
        (vec!["rotate-token", "nobody", "--grace", "0s"], "from 1s to 30d"),
        (vec!["rotate-token", "nobody", "--grace", "1500ms"], "from 1s to 30d"),
        (vec!["rotate-token", "nobody", "--grace", "soon"], "from 1s to 30d"),
        (
            vec!["create", "--name", "x", "--model", "gpt-4o", "--owner", " "],
            "must not be blank",
        ),
        (vec!["show", "nobody"], "there is no assistant nobody"),
        (vec!["delete", "nobody"], "there is no assistant nobody"),
    ] {
        let error = failure(store, &arguments).await;
        assert!(error.contains(why), "{arguments:?}: {error}");
    }
}

#[tokio::test]
async fn a_store_that_is_not_there_says_what_to_check() {
    let origin = FakeProvider::refusing().origin();
    let closed_port = origin.trim_start_matches("http://").parse().unwrap();
    let unreachable = failure(closed_port, &["list"]).await;
    assert!(
        unreachable.contains("onnect") && unreachable.contains("assistants serve"),
        "{unreachable}"
    );
}

#[test]
fn every_setting_is_an_option_and_stands_in_the_documents() {
    let table = printed(&["settings", "--markdown"]);
    let document = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/settings.md")).unwrap();
    assert!(
        document.contains(&table),
        "write docs/settings.md anew: the table is that of `assistants settings --markdown`\n{table}"
    );
    let help = printed(&["update", "--help"]);
    let schema: Value = serde_json::from_str(&printed(&["settings", "--json"])).unwrap();
    let names: Vec<_> = schema["properties"].as_object().unwrap().keys().collect();
    assert!(names.len() > 25, "{names:?}");
    for name in names {
        assert!(help.contains(&format!("--{}", name.replace('_', "-"))), "{name}");
        assert!(table.contains(&format!("| `{name}` | ")), "{name}");
    }
}

#[tokio::test]
async fn an_option_is_read_as_its_setting_holds_it() {
    let app = TestApp::start(FakeProvider::refusing()).await;
    let store = app.store_address;
    let arguments = [
        "create",
        "--name",
        "My bot",
        "--model",
        "gpt-4o",
        "--temperature",
        "0.2",
        "--stop",
        "[\"END\"]",
        "--user",
        "42",
        "--allowed-origin",
        "https://a.example",
        "--allowed-origin",
        "https://b.example",
        "--capabilities",
        "{\"sampling\": \"none\"}",
        "--presence-penalty",
        "-1",
        // As a list in Markdown begins.
        "--system-message",
        "- Be kind.",
    ];
    let created = json_of(store, &arguments).await;
    let expected = json!({
        "type==agent/access_mode": "public_token", "type==agent/model": "gpt-4o", "type==agent/temperature": 0.2,
        "type==agent/stop": ["END"], "type==agent/user": "42", "type==agent/presence_penalty": -1,
        "type==agent/allowed_origins": ["https://a.example", "https://b.example"],
        "type==agent/capabilities": {"sampling": "none"}, "type==agent/system_message": "- Be kind.",
    });
    assert_eq!(created["config"]["configurable"], expected);
    let id = created["assistant_id"].as_str().unwrap();
    let list = json_of(
        store,
        &[
            "update",
            id,
            "--allowed-origins",
            "[\"https://c.example\", \"https://d.example\"]",
        ],
    )
    .await;
    let origins = &list["config"]["configurable"]["type==agent/allowed_origins"];
    assert_eq!(*origins, json!(["https://c.example", "https://d.example"]));
    let problem = failure(store, &["update", id, "--temperature", "hot"]).await;
    assert!(problem.contains("type==agent/temperature"), "{problem}");
}
