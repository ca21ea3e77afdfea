//! A real inference server behind the endpoint: llama.cpp with a tiny model of random weights. What it says means
//! nothing; how it says it is real.

use std::{path::Path, process::Stdio, time::Duration};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

use crate::support::{
    TestApp,
    provider::FakeProvider,
    schema::{check_chunk, check_completion},
    text_of,
};

/// Ends with the value.
struct ModelServer {
    base_url: String,
    _process: Child,
}

async fn start_model() -> ModelServer {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut process = Command::new(root.join(".local/test-venv/bin/python"))
        .arg(root.join("local/model_server.py"))
        .arg("--exit-with-stdin")
        .arg("--model")
        .arg(root.join(".local/tiny.gguf"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .expect("`make test` installs the model server");
    let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
    let ready = tokio::time::timeout(Duration::from_secs(120), lines.next_line())
        .await
        .unwrap();
    let line = ready.unwrap().expect("the model server ended at its start");
    ModelServer {
        base_url: line.strip_prefix("ready ").unwrap().to_owned(),
        _process: process,
    }
}

fn story(stream: bool) -> Value {
    json!({"messages": [{"role": "user", "content": "Tell me a story 👋"}], "stream": stream,
        "temperature": 0, "seed": 7, "max_tokens": 12})
}

#[tokio::test]
async fn a_real_model_answers_in_both_forms() {
    let model = start_model().await;
    let settings = &[("ALLOW_PRIVATE_PROVIDERS", "true")];
    let app = TestApp::with(FakeProvider::refusing(), settings).await;
    let token = app
        .assistant_with(json!({"base_url": model.base_url, "type==agent/model": "tiny"}))
        .await;

    let completion = app.chat(&token, &story(false)).await.json();
    check_completion(&completion);
    let choice = &completion["choices"][0];
    assert_eq!(choice["finish_reason"], "length");
    assert_eq!(completion["usage"]["completion_tokens"], 12);

    let mut body = story(true);
    body["stream_options"] = json!({"include_usage": true});
    let streamed = app.chat(&token, &body).await;
    let events = streamed.events();
    events.iter().for_each(check_chunk);
    assert_eq!(Some(text_of(&events).as_str()), choice["message"]["content"].as_str());
    assert!(events.len() > 5, "{} chunks", events.len());
    assert_eq!(events.last().unwrap()["usage"]["completion_tokens"], 12);
    assert!(streamed.is_done());

    // The server's own words on a prompt that is too long for it.
    let long = json!({"messages": [{"role": "user", "content": "word ".repeat(100_000)}]});
    for stream in [false, true] {
        let mut body = long.clone();
        body["stream"] = json!(stream);
        let message = app.chat(&token, &body).await.error(400, "context_length_exceeded");
        assert!(message.contains("context"), "{message}");
    }
}

#[tokio::test]
async fn both_protocols_give_the_same_text() {
    let model = start_model().await;
    let settings = &[
        ("OPENAI_BASE_URL", model.base_url.as_str()),
        // llama.cpp's own `/v1/messages`.
        ("ANTHROPIC_BASE_URL", &model.base_url),
        ("ANTHROPIC_API_KEY", "none-is-checked"),
    ];
    let app = TestApp::with(FakeProvider::refusing(), settings).await;
    let mut texts = Vec::new();
    for provider in ["openai", "anthropic"] {
        let token = app
            .assistant_with(json!({"type==agent/model": "tiny", "provider": provider}))
            .await;
        let completion = app.chat(&token, &story(false)).await.json();
        check_completion(&completion);
        assert_eq!(completion["choices"][0]["finish_reason"], "length", "{provider}");
        let streamed = app.chat(&token, &story(true)).await;
        assert!(streamed.is_done(), "{}", streamed.text);
        texts.push(
            completion["choices"][0]["message"]["content"]
                .as_str()
                .unwrap()
                .to_owned(),
        );
        texts.push(text_of(&streamed.events()));
    }
    assert!(
        !texts[0].is_empty() && texts.iter().all(|text| *text == texts[0]),
        "{texts:?}"
    );
}
