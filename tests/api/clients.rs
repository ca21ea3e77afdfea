//! Real clients against a running endpoint. Each is a program in `tests/clients` that gets the base URLs and a token
//! for every situation in its environment, checks what it sees, and ends with success if all is well.

use std::{collections::HashMap, path::Path, process::Stdio};

use assistant_endpoint::token::Token;
use serde_json::{Value, json};
use tokio::process::Command;

use crate::manage::{Management, SECRET, jwt};
use crate::support::{
    TestApp, create,
    provider::{
        Answer, FakeProvider, Step, answer, error, events_head, finish, piece, response, stream_end, text, usage,
    },
};

/// What the provider does for the model `scenario-<name>`; each name is a token in the clients' `TOKENS` too.
fn scenario(model: &str, messages: &Value) -> Answer {
    let start = || vec![events_head(), text("Once"), text(" upon")];
    let rate_limit = r#"{"error":{"message":"slow down","type":"tokens","param":null,"code":"rate_limit_exceeded"}}"#;
    match model.strip_prefix("scenario-").unwrap() {
        "story" => answer(&["Once", " upon", " a time 👋"]),
        // Says back what the last and the first message were, and how many there are.
        "echo" => {
            let messages = messages.as_array().unwrap();
            let content =
                |message: Option<&Value>| message.unwrap()["content"].as_str().unwrap_or("(parts)").to_owned();
            answer(&[&format!(
                "{}|{}|{}",
                messages.len(),
                content(messages.first()),
                content(messages.last())
            )])
        }
        "length" => vec![
            events_head(),
            text("Once"),
            finish("length"),
            usage(9, 1),
            piece("data: [DONE]\n\n"),
            stream_end(),
        ],
        "content_filter" => vec![
            events_head(),
            text("Once"),
            finish("content_filter"),
            usage(9, 1),
            stream_end(),
        ],
        "cut" => start(),
        "ends" => [start(), vec![stream_end()]].concat(),
        "error_event" => {
            let event = r#"data: {"error": {"message": "boom", "type": "server_error", "code": null}}"#;
            [start(), vec![piece(format!("{event}\n\n")), stream_end()]].concat()
        }
        "stall" => [start(), vec![Step::Hang]].concat(),
        "rejected" => error(400, "context_length_exceeded"),
        "bad_key" => error(401, "invalid_api_key"),
        "unknown_model" => error(404, "model_not_found"),
        "rate_limited" => response(429, "retry-after: 1\r\n", rate_limit),
        "quota" => error(429, "insufficient_quota"),
        "outage" => error(500, "server_error"),
        "overloaded" => error(503, "overloaded"),
        "silent" => vec![Step::Hang],
        other => panic!("{other}"),
    }
}

const SCENARIOS: [&str; 16] = [
    "story",
    "echo",
    "length",
    "content_filter",
    "cut",
    "ends",
    "error_event",
    "stall",
    "rejected",
    "bad_key",
    "unknown_model",
    "rate_limited",
    "quota",
    "outage",
    "overloaded",
    "silent",
];

/// An endpoint with an assistant for each scenario, and a token for each.
async fn start() -> (TestApp, HashMap<&'static str, String>) {
    let provider = FakeProvider::choosing(|body| scenario(body["model"].as_str().unwrap(), &body["messages"])).await;
    let app = TestApp::with(provider, &[("PROVIDER_IDLE_TIMEOUT_SECONDS", "0.5")]).await;
    let mut tokens = HashMap::new();
    for name in SCENARIOS {
        let token = app
            .assistant_with(json!({
                "type==agent/model": format!("openai/scenario-{name}"),
                "type==agent/system_message": "You are Ada.",
            }))
            .await;
        tokens.insert(name, token);
    }
    let closed = json!({"type==agent/access_mode": "authenticated", "model": "gpt-4o"});
    tokens.insert("not_public", create(&app.store, closed).await.1);
    tokens.insert("invalid", Token::generate().unwrap().reveal().to_owned());
    tokens.insert("misconfigured", app.assistant_with(json!({"provider": "nobody"})).await);
    let (deleted, token) = create(&app.store, json!({"access_mode": "public_token"})).await;
    app.store.delete(&deleted).await.unwrap();
    tokens.insert("deleted", token);
    (app, tokens)
}

/// Runs a client program against an endpoint of its own and shows what it printed where it failed.
async fn run(program: &str, script: &str) {
    let (app, tokens) = start().await;
    let management = Management::beside(&app, &[("JWT_SECRET", SECRET)]).await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Anything else can be tried against the same endpoint by hand.
    let script = std::env::var("CLIENT_SCRIPT").map_or(root.join("tests/clients").join(script), Into::into);
    let output = Command::new(program)
        .arg(&script)
        .current_dir(root)
        .env("BASE_URL", app.url("/public/openai/v1"))
        .env("TOKENS", json!(tokens).to_string())
        .env("MANAGE_URL", &management.url)
        .env("JWT", jwt("owner-1"))
        .env("TEXT", "Once upon a time 👋")
        .stdin(Stdio::null())
        .output()
        .await
        .unwrap_or_else(|error| panic!("{program}: {error}. `make test` installs what the clients need."));
    assert!(
        output.status.success(),
        "{}\n{}\n{}",
        script.display(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

const PYTHON: &str = ".local/test-venv/bin/python";
/// With the older SDK that LiteLLM needs.
const CLIENTS_PYTHON: &str = ".local/clients-venv/bin/python";

/// A test for each client program, so that they run side by side and fail by name.
macro_rules! clients {
    ($($name:ident: $program:expr, $script:literal;)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
        async fn $name() {
            run($program, $script).await;
        })*
    };
}

clients! {
    openai_python: PYTHON, "openai_python.py";
    the_documents_two_steps: PYTHON, "spec_steps.py";
    langchain_python: CLIENTS_PYTHON, "langchain_python.py";
    litellm: CLIENTS_PYTHON, "litellm_client.py";
    openai_node: "node", "openai_node.mjs";
    typebot: "node", "typebot.mjs";
    ai_sdk: "node", "ai_sdk.mjs";
    langchain_js: "node", "langchain_js.mjs";
    zapier_and_curl: "bash", "zapier.sh";
}
