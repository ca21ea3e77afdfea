//! One request takes less than 96 MB, whatever the caller and the provider send, so that functions of 128 MB live. The
//! figures are the real binary's largest resident size since its start (a debug build; the deployed one takes less).

use std::process::Stdio;

use assistant_endpoint::local::function::Function;
use serde_json::{Value, json};

use crate::support::{
    error_message, events,
    function::{self, Reply, TIMEOUT, event, invoke},
    provider::{Answer, FakeProvider, Received, Step, answer, events_head, finish, piece, stream_end, stream_head},
};

const MAX_KB: u64 = 96 * 1024;
const MIB: usize = 1024 * 1024;
/// Far more than is kept.
const MUCH: usize = 400 * MIB;

/// The largest resident size of a function so far, in kB.
fn peak(function: &Function) -> u64 {
    let pid = function.process.id().unwrap();
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").trim().parse().unwrap()
}

fn chunk(content: &str) -> String {
    format!(
        "data: {}\n\n",
        json!({"choices": [{"index": 0, "delta": {"content": content}}]})
    )
}

/// A piece of a body in chunked transfer coding, again and again until there is much of it.
fn much_of(text: &str) -> Step {
    let Step::Send(bytes) = piece(text) else { unreachable!() };
    Step::Repeat(bytes, MUCH / text.len())
}

/// What a model does by its name, and the images of `/image`.
fn serve(request: &Received) -> Answer {
    if request.head.starts_with("GET ") {
        let size = 2 * MIB;
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: {size}\r\n\r\n");
        return vec![Step::Send([head.as_bytes(), b"\x89PNG", &vec![7; size - 4]].concat())];
    }
    let kib = "Once upon a \"time\"\n".repeat(1024);
    match request.body["model"].as_str().unwrap_or_default() {
        "endless-text" => vec![events_head(), much_of(&chunk(&kib)), stream_end()],
        "endless-event" => vec![
            events_head(),
            piece("data: {\"choices\": \""),
            much_of(&"a".repeat(MIB)),
            stream_end(),
        ],
        "endless-comment" => vec![
            events_head(),
            much_of(&format!(": {}\n", "a".repeat(MIB))),
            stream_end(),
        ],
        "endless-body" => vec![
            stream_head("application/json"),
            piece("{\"a\": \""),
            much_of(&"a".repeat(MIB)),
            stream_end(),
        ],
        "endless-error" => vec![
            Step::Send("HTTP/1.1 400 Bad Request\r\ntransfer-encoding: chunked\r\n\r\n".into()),
            much_of(&"a".repeat(MIB)),
        ],
        "longest" => {
            let whole = Step::Repeat(chunk_bytes(&kib), 8 * MIB / kib.len());
            vec![events_head(), whole, finish("stop"), stream_end()]
        }
        "logprobs" => {
            let one = json!({"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs":
                vec![json!({"token": "a", "logprob": -0.5, "bytes": [97]}); 20]});
            let chunk = json!({"choices": [{"index": 0, "delta": {"content": "a"}, "logprobs": {"content": [one]}}]});
            let Step::Send(bytes) = piece(format!("data: {chunk}\n\n")) else {
                unreachable!()
            };
            vec![events_head(), Step::Repeat(bytes, 4096), finish("stop"), stream_end()]
        }
        _ => answer(&["Hi"]),
    }
}

fn chunk_bytes(text: &str) -> Vec<u8> {
    let Step::Send(bytes) = piece(chunk(text)) else {
        unreachable!()
    };
    bytes
}

async fn ask(function: &Function, body: &Value) -> Reply {
    let mut event = event("chat.json");
    event["body"] = json!(body.to_string());
    invoke(function, event, TIMEOUT).await
}

fn hello(stream: bool) -> Value {
    json!({"messages": [{"role": "user", "content": "Hello"}], "stream": stream})
}

/// A function whose assistant has this model.
async fn start(configurable: Value) -> (Function, FakeProvider) {
    let provider = FakeProvider::seeing(serve).await;
    let settings = [("ALLOW_PRIVATE_PROVIDERS", "true")];
    let function = function::start(&provider, configurable, &settings, Stdio::null()).await;
    (function, provider)
}

#[tokio::test]
async fn a_provider_that_sends_too_much_is_an_error_in_both_forms() {
    for model in [
        "endless-text",
        "endless-event",
        "endless-comment",
        "endless-body",
        "endless-error",
    ] {
        let (function, _provider) = start(json!({"model": model, "provider": "openai"})).await;
        let buffered = ask(&function, &hello(false)).await;
        let (status, code) = if model == "endless-error" {
            (400, "null")
        } else {
            (502, "provider_error")
        };
        assert_eq!(buffered.status, status, "{model}");
        error_message(&buffered.json(), code);
        // A stream's text is passed on and not kept.
        if model != "endless-text" {
            let streamed = ask(&function, &hello(true)).await;
            error_message(&streamed.json(), code);
        }
        let peak = peak(&function);
        assert!(peak < MAX_KB, "{model}: {peak} kB");
    }
}

#[tokio::test]
async fn the_longest_answers_pass() {
    for model in ["longest", "logprobs"] {
        let (function, _provider) = start(json!({"model": model, "provider": "openai"})).await;
        let buffered = ask(&function, &hello(false)).await;
        assert_eq!(buffered.status, 200, "{model}");
        let text = buffered.json()["choices"][0]["message"]["content"]
            .as_str()
            .unwrap()
            .len();
        let streamed = ask(&function, &hello(true)).await;
        let streamed_text: usize = events(&streamed.text())
            .iter()
            .filter_map(|event| event["choices"][0]["delta"]["content"].as_str())
            .map(str::len)
            .sum();
        assert_eq!(streamed_text, text, "{model}");
        let peak = peak(&function);
        assert!(peak < MAX_KB, "{model}: {peak} kB");
    }
}

#[tokio::test]
async fn the_largest_requests_pass() {
    let (function, provider) = start(json!({"model": "bedrock/amazon.nova-lite-v1:0"})).await;
    let image =
        |size: &str| json!({"type": "image_url", "image_url": {"url": format!("{}/image-{size}", provider.origin())}});
    let images = |count: usize| -> Vec<Value> { (0..count).map(|_| image("2mb")).collect() };
    let with = |content: Value| json!({"messages": [{"role": "user", "content": content}]});
    // Less than 8 MB of images is sent on; the fake answers in OpenAI's form, which is no answer of Bedrock's.
    ask(&function, &with(json!(images(3)))).await;
    let refused = ask(&function, &with(json!(images(5)))).await;
    error_message(&refused.json(), "invalid_image_url");
    for content in [
        json!("a \"quote\"\n".repeat(250_000)),
        json!(vec![json!({"type": "text", "text": "a"}); 30_000]),
    ] {
        ask(&function, &with(content)).await;
    }
    let turns = vec![json!({"role": "user", "content": "a"}); 30_000];
    ask(&function, &json!({"messages": turns})).await;
    ask(&function, &json!({"messages": [], "a": vec![json!({}); 90_000]})).await;
    let peak = peak(&function);
    assert!(peak < MAX_KB, "{peak} kB");
}

/// The Responses API repeats the text in its last events, and a response is kept.
#[tokio::test]
async fn the_longest_responses_pass() {
    for model in ["longest", "logprobs"] {
        let provider = FakeProvider::seeing(serve).await;
        let configurable = json!({"model": model, "provider": "openai"});
        let settings = [("RESPONSES_TABLE", "Responses")];
        let function = function::start(&provider, configurable, &settings, Stdio::null()).await;
        for stream in [false, true] {
            let mut event = event("chat.json");
            event["rawPath"] = json!("/public/openai/v1/responses");
            event["body"] = json!(
                json!({"input": "Hello", "stream": stream, "include": ["message.output_text.logprobs"]}).to_string()
            );
            let reply = invoke(&function, event, TIMEOUT).await;
            assert_eq!(reply.status, 200, "{model}");
            assert!(reply.text().contains("\"status\":\"completed\""), "{model}");
        }
        let peak = peak(&function);
        assert!(peak < MAX_KB, "{model}: {peak} kB");
    }
}
