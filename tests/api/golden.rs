//! Translation against golden files: one full request to every dialect, and each recorded or documented stream.

use std::{collections::HashSet, path::PathBuf, time::Duration};

use assistant_endpoint::{
    assistant::{Assistant, Record},
    chat::{delta::Delta, prompt::Prompt, request::ChatRequest},
    error::ProviderError,
    provider::{Protocol, Server},
    upstream::{deadline::Deadline, read_answer},
};
use futures_util::StreamExt;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};

fn fixtures(folder: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(folder)
}

#[test]
fn the_full_request_in_every_dialect() {
    let full: Value = serde_json::from_slice(&std::fs::read(fixtures("requests/full.json")).unwrap()).unwrap();
    for (name, model, base_url) in [
        ("openai", "gpt-4o", None),
        ("openai-reasoning", "gpt-5-mini", None),
        ("azure", "azure/my-gpt-4o", None),
        ("mistral", "mistral/mistral-large-latest", None),
        ("groq", "groq/llama-3.3-70b-versatile", None),
        ("openrouter", "openrouter/openai/gpt-4o", None),
        ("together", "together/meta-llama/Llama-3.3-70B-Instruct-Turbo", None),
        (
            "fireworks",
            "fireworks/accounts/fireworks/models/llama-v3p3-70b-instruct",
            None,
        ),
        ("deepseek", "deepseek/deepseek-chat", None),
        ("xai", "xai/grok-3", None),
        ("ollama", "ollama/llama3.2", None),
        ("anthropic", "claude-sonnet-4-5", None),
        ("own", "smollm2", Some("https://llm.example.com/v1")),
    ] {
        let configurable = json!({"model": model, "base_url": base_url, "system_message": "You are Ada."});
        let record: Record =
            serde_json::from_value(json!({"assistant_id": "a", "config": {"configurable": configurable}})).unwrap();
        let mut body = full.clone();
        if name == "anthropic" {
            // It has no JSON mode: a 400 of its own, below.
            body["response_format"] = Value::Null;
        }
        let request = ChatRequest::read(&HeaderMap::new(), body.to_string().as_bytes()).unwrap();
        let prompt = Prompt::new(&Assistant::new(record), request).unwrap();
        let protocol = match &prompt.model.server {
            Server::Own(_) => Protocol::OpenAi,
            Server::Platform(provider) => provider.protocol().unwrap(),
        };
        let encoded = protocol.encode(&prompt, &HashSet::new()).unwrap();
        insta::assert_json_snapshot!(format!("full.{name}"), encoded);
    }
}

/// Runs a stream through the decoder in pieces of `size` bytes.
async fn decode(protocol: Protocol, stream: &[u8], size: usize) -> Vec<Result<Delta, ProviderError>> {
    let pieces: Vec<_> = stream
        .chunks(size)
        .map(|piece| Ok::<_, std::io::Error>(piece.to_vec()))
        .collect();
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
    let response = axum::http::Response::builder()
        .header("content-type", "text/event-stream")
        .body(body)
        .unwrap();
    let second = Duration::from_secs(1);
    Box::pin(read_answer(
        response.into(),
        protocol.decoder(),
        second,
        Deadline::new(None, None),
    ))
    .collect()
    .await
}

#[tokio::test]
async fn every_stream_decodes_the_same_however_it_is_split() {
    let mut count = 0;
    for (folder, protocol) in [("openai", Protocol::OpenAi), ("anthropic", Protocol::Anthropic)] {
        for entry in std::fs::read_dir(fixtures("streams").join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let stream = std::fs::read(&path).unwrap();
            let whole = decode(protocol, &stream, usize::MAX).await;
            insta::assert_debug_snapshot!(path.file_name().unwrap().to_str().unwrap(), whole);
            for size in [1, 2, 3, 5, 7, 64] {
                assert_eq!(
                    decode(protocol, &stream, size).await,
                    whole,
                    "{} in pieces of {size}",
                    path.display()
                );
            }
            let text = String::from_utf8(stream).unwrap();
            for changed in [
                text.replace('\n', "\r\n"),
                text.replace('\n', "\r"),
                format!("\u{feff}{text}"),
            ] {
                assert_eq!(
                    decode(protocol, changed.as_bytes(), 1).await,
                    whole,
                    "{}",
                    path.display()
                );
            }
            count += 1;
        }
    }
    assert!(count >= 18, "{count} streams");
}
