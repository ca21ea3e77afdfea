//! Real clients against a running endpoint. Each is a program in `tests/clients` that gets the base URLs and a token
//! for every situation in its environment, checks what it sees, and ends with success if all is well.

use std::{collections::HashMap, path::Path, process::Stdio};

use assistant_endpoint::token::Token;
use serde_json::json;
use tokio::process::Command;

use crate::support::{
    TestApp, create,
    management::{Management, SECRET, jwt},
    provider::{Answer, FakeProvider, Received, Step, stream_end},
    wire::Wire,
};

const WORDS: &str = "the provider's words";

/// A provider's words for a conversation that its model has no room for.
const fn too_long(wire: Wire) -> &'static str {
    match wire {
        Wire::OpenAi => {
            "This model's maximum context length is 8192 tokens. However, your messages resulted in 9000 tokens."
        }
        Wire::Anthropic => "prompt is too long: 208310 tokens > 200000 maximum",
        Wire::Bedrock => "Input is too long for requested model.",
        Wire::Gemini => "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    }
}

/// What the provider does for the model `scenario-<name>`; each name is a token in the clients' `TOKENS` too.
fn scenario(wire: Wire, request: &Received) -> Answer {
    let begun = |texts: &[&str]| -> Answer {
        let texts = texts.iter().map(|text| wire.text(text));
        wire.start().into_iter().chain(texts).collect()
    };
    let whole = |texts: &[&str]| [begun(texts), wire.end("stop", 12)].concat();
    let then = |steps: Vec<Step>| [begun(&["Once", " upon"]), steps].concat();
    let error = |status, kind, message, headers| wire.error(status, kind, message, headers);
    match wire.requested_model(request).strip_prefix("scenario-").unwrap() {
        "story" => whole(&["Once", " upon", " a time 👋"]),
        // Says back what the last and the first message were, and how many there are.
        "echo" => {
            let texts = wire.texts(&request.body);
            whole(&[&format!("{}|{}|{}", texts.len(), texts[0], texts[texts.len() - 1])])
        }
        "json" => whole(&["{\"city\":", " \"Oslo\"}"]),
        reason @ ("length" | "content_filter") => [begun(&["Once"]), wire.end(reason, 1)].concat(),
        "cut" => then(vec![]),
        "ends" => then(vec![stream_end()]),
        "error_event" => then(vec![wire.failure(), stream_end()]),
        "stall" => then(vec![Step::Hang]),
        "rejected" => error(400, "context_length_exceeded", too_long(wire), ""),
        "bad_key" => error(401, "invalid_api_key", WORDS, ""),
        "unknown_model" => error(404, "model_not_found", WORDS, ""),
        "rate_limited" => error(429, "rate_limit_exceeded", WORDS, "retry-after: 1\r\n"),
        "quota" => match wire {
            Wire::OpenAi => error(429, "insufficient_quota", WORDS, ""),
            Wire::Anthropic | Wire::Gemini => error(402, "billing_error", WORDS, ""),
            Wire::Bedrock => error(400, "ServiceQuotaExceededException", WORDS, ""),
        },
        "outage" => error(500, "server_error", WORDS, ""),
        "overloaded" => error(503, "overloaded", WORDS, ""),
        "silent" => vec![Step::Hang],
        other => panic!("{other}"),
    }
}

const SCENARIOS: [&str; 17] = [
    "story",
    "echo",
    "json",
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
async fn start(wire: Wire) -> (TestApp, HashMap<&'static str, String>) {
    let provider = FakeProvider::seeing(move |request| scenario(wire, request)).await;
    let settings = [
        ("PROVIDER_IDLE_TIMEOUT_SECONDS", "0.4"),
        ("RESPONSES_TABLE", "Responses"),
    ];
    let app = wire.in_front_of(provider, &settings).await;
    let mut tokens = HashMap::new();
    for name in SCENARIOS {
        let token = app
            .assistant_with(json!({
                "type==agent/model": format!("{}/scenario-{name}", wire.provider()),
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
async fn run(wire: Wire, program: &str, script: &str) {
    let (app, tokens) = start(wire).await;
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
        "{} with {wire:?}\n{}\n{}",
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
    ($wire:expr; $($(#[$ignore:meta])? $name:ident: $program:expr, $script:literal;)*) => {
        $(#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
        $(#[$ignore])?
        async fn $name() {
            run($wire, $program, $script).await;
        })*
    };
}

/// All of them: what they see is the same whoever answers. `#[ignore]` is for all but the two that together look most
/// closely: OpenAI's SDK checks each field's type and that nothing says "finished" in what is cut off, Typebot's the
/// finish reasons of streams, each failure's own code, and the fields of newer models' requests.
macro_rules! clients_with {
    ($module:ident, $wire:expr $(, #[$ignore:meta])?) => {
        mod $module {
            use super::*;

            clients! {
                $wire;
                openai_python: PYTHON, "openai_python.py";
                openai_python_responses: PYTHON, "openai_python_responses.py";
                typebot: "node", "typebot.mjs";
                $(#[$ignore])? ai_sdk: "node", "ai_sdk.mjs";
                $(#[$ignore])? ai_sdk_responses: "node", "ai_sdk_responses.mjs";
                $(#[$ignore])? langchain_js: "node", "langchain_js.mjs";
                $(#[$ignore])? langchain_python: CLIENTS_PYTHON, "langchain_python.py";
                $(#[$ignore])? litellm: CLIENTS_PYTHON, "litellm_client.py";
                $(#[$ignore])? openai_agents: CLIENTS_PYTHON, "openai_agents.py";
                $(#[$ignore])? openai_node: "node", "openai_node.mjs";
                $(#[$ignore])? openai_node_responses: "node", "openai_node_responses.mjs";
                $(#[$ignore])? zapier_and_curl: "bash", "zapier.sh";
            }
        }
    };
}

clients_with!(openai, Wire::OpenAi);
clients_with!(anthropic, Wire::Anthropic, #[ignore = "long: `make verify-clients`"]);
clients_with!(bedrock, Wire::Bedrock, #[ignore = "long: `make verify-clients`"]);
clients_with!(gemini, Wire::Gemini, #[ignore = "long: `make verify-clients`"]);

// The document's own steps name a model of OpenAI's.
clients! { Wire::OpenAi; the_documents_two_steps: PYTHON, "spec_steps.py"; }
