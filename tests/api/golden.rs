//! Translation against golden files: one full request to every dialect, and each recorded or documented stream.

use std::{path::PathBuf, time::Duration};

use assistant_endpoint::{
    assistant::{Assistant, Record},
    chat::delta::Delta,
    deadline::Deadline,
    error::{Failure, ProviderError},
    limit::Limits,
    protocol::{Protocol, learned::Learned},
    public::chat_completions::request::ChatRequest,
    upstream::{frames, steps},
};
use futures_util::StreamExt;
use serde_json::{Value, json};

use crate::support::{streams, wire::Wire};

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
        ("anthropic-newest", "claude-opus-5", None),
        (
            "bedrock-claude",
            "bedrock/us.anthropic.claude-sonnet-4-5-20250929-v1:0",
            None,
        ),
        ("bedrock-nova", "us.amazon.nova-lite-v1:0", None),
        ("gemini", "gemini-2.5-flash", None),
        ("gemini-3", "gemini-3-pro-preview", None),
        ("own", "smollm2", Some("https://llm.example.com/v1")),
    ] {
        let configurable = json!({"model": model, "base_url": base_url, "system_message": "You are Ada."});
        let record: Record =
            serde_json::from_value(json!({"assistant_id": "a", "config": {"configurable": configurable}})).unwrap();
        let mut body = full.clone();
        if name.starts_with("bedrock") || name.starts_with("gemini") {
            // As it is fetched for them.
            body["messages"][3]["content"][1]["image_url"]["url"] = json!("data:image/jpg;base64,/9j/4AA=");
        }
        if name.starts_with("anthropic") || name.starts_with("bedrock") {
            // They have no JSON without a schema, a 400 in `parameters_by_provider.rs`, and Claude no stop at blanks.
            body["response_format"] = Value::Null;
            body["stop"] = json!(["END", "\n."]);
        }
        let request = ChatRequest::read(body.to_string().as_bytes()).unwrap();
        let encoded = encode(record, request);
        insta::assert_json_snapshot!(format!("full.{name}"), encoded);
    }
}

#[test]
fn a_request_for_thinking_and_a_schema() {
    let request = std::fs::read(fixtures("requests/reasoning.json")).unwrap();
    for model in [
        "gpt-4o",
        "gpt-5-mini",
        "claude-sonnet-4-5",
        "claude-opus-4-1",
        "claude-sonnet-4-6",
        "claude-opus-5",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
        "us.anthropic.claude-opus-4-6-v1",
        "openai.gpt-oss-120b-1:0",
        "gemini-2.5-pro",
        "gemini-3-pro-preview",
    ] {
        let configurable = json!({"model": model, "reasoning_content": true});
        let record: Record =
            serde_json::from_value(json!({"assistant_id": "a", "config": {"configurable": configurable}})).unwrap();
        let request = ChatRequest::read(&request).unwrap();
        let encoded = encode(record, request);
        insta::assert_json_snapshot!(format!("reasoning.{}", model.replace(':', "-")), encoded);
    }
}

fn encode(record: Record, request: ChatRequest) -> Value {
    let assistant = Assistant::new(record);
    let model = assistant.model().unwrap();
    let prompt = assistant
        .prompt(request.messages, request.parameters, &Limits::default())
        .unwrap();
    Protocol::of(&model)
        .encode(&prompt, &model, Learned::default())
        .unwrap()
}

/// Runs a stream through the decoder in pieces of `size` bytes.
async fn decode(
    protocol: Protocol,
    content_type: &str,
    stream: &[u8],
    size: usize,
) -> Vec<Result<Delta, ProviderError>> {
    let pieces: Vec<_> = stream
        .chunks(size)
        .map(|piece| Ok::<_, std::io::Error>(piece.to_vec()))
        .collect();
    let body = reqwest::Body::wrap_stream(futures_util::stream::iter(pieces));
    let response = axum::http::Response::builder()
        .header("content-type", content_type)
        .body(body)
        .unwrap();
    let second = Duration::from_secs(1);
    let frames = frames::read(response.into(), second, Deadline::new(None));
    Box::pin(steps::read(frames, protocol.reader(), second)).collect().await
}

#[tokio::test]
async fn every_stream_decodes_the_same_however_it_is_split() {
    let mut count = 0;
    for (folder, protocol) in Wire::ALL.map(|wire| (wire.provider(), wire.protocol())) {
        for entry in std::fs::read_dir(streams::folder(folder)).unwrap() {
            let path = entry.unwrap().path();
            let (content_type, pieces) = streams::pieces(&path);
            let stream = pieces.concat();
            let whole = decode(protocol, content_type, &stream, usize::MAX).await;
            insta::assert_debug_snapshot!(path.file_name().unwrap().to_str().unwrap(), whole);
            for size in [1, 2, 3, 5, 7, 64] {
                let split = decode(protocol, content_type, &stream, size).await;
                assert_eq!(split, whole, "{} in pieces of {size}", path.display());
            }
            count += 1;
            let Some(text) = String::from_utf8(stream).ok().filter(|_| protocol != Protocol::Bedrock) else {
                continue;
            };
            for changed in [
                text.replace('\n', "\r\n"),
                text.replace('\n', "\r"),
                format!("\u{feff}{text}"),
            ] {
                let split = decode(protocol, content_type, changed.as_bytes(), 1).await;
                assert_eq!(split, whole, "{}", path.display());
            }
        }
    }
    assert!(count >= 40, "{count} streams");
}

#[tokio::test]
async fn a_stream_that_is_cut_at_any_byte_never_looks_complete() {
    for (folder, protocol) in Wire::ALL.map(|wire| (wire.provider(), wire.protocol())) {
        let extension = if folder == "bedrock" { "events" } else { "sse" };
        let path = streams::folder(folder).join(format!("{folder}-text.{extension}"));
        let (content_type, pieces) = streams::pieces(&path);
        let stream = pieces.concat();
        let text = |deltas: &[Result<Delta, ProviderError>]| -> String {
            let text = |delta: &Result<Delta, ProviderError>| match delta {
                Ok(Delta::Text { text, .. }) => Some(text.clone()),
                _ => None,
            };
            deltas.iter().filter_map(text).collect()
        };
        let whole = text(&decode(protocol, content_type, &stream, usize::MAX).await);
        for end in 0..stream.len() {
            let cut = decode(protocol, content_type, &stream[..end], usize::MAX).await;
            let finished = cut.iter().any(|delta| matches!(delta, Ok(Delta::Finish(_))));
            let failed = matches!(cut.last(), Some(Err(_)));
            assert!(finished || failed, "{folder} at {end}: {cut:?}");
            assert!(!finished || text(&cut) == whole, "{folder} at {end}: {cut:?}");
        }
    }
}

#[tokio::test]
async fn a_frame_with_a_wrong_checksum_is_an_error() {
    let (content_type, pieces) = streams::pieces(&streams::folder("bedrock").join("bedrock-text.events"));
    let stream = pieces.concat();
    let whole = decode(Protocol::Bedrock, content_type, &stream, usize::MAX).await;
    // Any byte of the second frame, which is the first with text.
    for at in pieces[0].len()..pieces[0].len() + pieces[1].len() {
        let mut broken = stream.clone();
        broken[at] ^= 1;
        let decoded = decode(Protocol::Bedrock, content_type, &broken, 64).await;
        assert!(
            matches!(
                decoded.last(),
                Some(Err(ProviderError {
                    failure: Failure::Broken,
                    ..
                }))
            ),
            "{at}: {decoded:?}"
        );
        assert_ne!(decoded.first(), whole.first(), "{at}");
    }
}
