//! The real binary under a Runtime API: what leaves through Lambda response streaming.

use std::{
    path::Path,
    process::Stdio,
    time::{Duration, UNIX_EPOCH},
};

use assistant_endpoint::local::{function::Function, runtime_api::Piece};
use serde_json::{Value, json};

use crate::support::{
    PLATFORM_KEY, error_message, events,
    function::{self, TIMEOUT, event, invoke},
    provider::{Answer, FakeProvider, Step, answer, events_head, finish, stream_end, text, usage},
    schema::{check_chunk, check_completion},
    start_store, text_of,
    wire::Wire,
};

/// A function whose provider gives `answer`.
async fn start(answer: Answer, settings: &[(&str, &str)]) -> (Function, FakeProvider) {
    start_with("gpt-4o", answer, settings, Stdio::null()).await
}

async fn start_with(model: &str, answer: Answer, settings: &[(&str, &str)], log: Stdio) -> (Function, FakeProvider) {
    let provider = FakeProvider::always(answer).await;
    let function = function::start(&provider, json!({"model": model}), settings, log).await;
    (function, provider)
}

#[tokio::test]
async fn every_sample_event_gets_its_answer() {
    let (function, provider) = start(answer(&["Hello", " there"]), &[]).await;
    for name in ["chat.json", "chat-multi-turn.json", "chat-base64-body.json"] {
        let reply = invoke(&function, event(name), TIMEOUT).await;
        assert_eq!(reply.status, 200, "{name}: {}", reply.text());
        assert_eq!(reply.headers["content-type"], "application/json");
        check_completion(&reply.json());
        assert_eq!(reply.json()["choices"][0]["message"]["content"], "Hello there");
    }
    assert_eq!(provider.received()[2].body["messages"][1]["content"], "Grüße! 👋");

    let reply = invoke(&function, event("chat-stream.json"), TIMEOUT).await;
    assert_eq!(reply.headers["content-type"], "text/event-stream; charset=utf-8");
    let chunks = events(&reply.text());
    chunks.iter().for_each(check_chunk);
    assert_eq!(text_of(&chunks), "Hello there");
    assert_eq!(chunks.last().unwrap()["usage"]["total_tokens"], 21);
    assert!(reply.text().ends_with("data: [DONE]\n\n"));

    for (name, code) in [
        ("missing-token.json", "missing_authentication_token"),
        ("invalid-token.json", "invalid_api_key"),
    ] {
        let reply = invoke(&function, event(name), TIMEOUT).await;
        assert_eq!(reply.status, 401);
        error_message(&reply.json(), code);
        assert!(reply.headers["x-request-id"].is_string());
    }
    let models = invoke(&function, event("models.json"), TIMEOUT).await;
    assert_eq!(models.json()["data"][0]["id"], "gpt-4o");
    let preflight = invoke(&function, event("preflight.json"), TIMEOUT).await;
    assert_eq!(preflight.status, 200);
    let allowed = preflight.headers["access-control-allow-headers"].as_str().unwrap();
    assert!(allowed.contains("x-stainless-retry-count"), "{allowed}");
}

#[tokio::test]
async fn tokens_pass_one_by_one_and_none_is_held_back() {
    let gap = Duration::from_millis(150);
    let words = ["one", "two", "three", "four"];
    let slow: Answer = std::iter::once(events_head())
        .chain(words.iter().flat_map(|word| [text(word), Step::Pause(gap)]))
        .chain([finish("stop"), usage(1, 4), stream_end()])
        .collect();
    let (function, _provider) = start(slow, &[]).await;
    let reply = invoke(&function, event("chat-stream.json"), TIMEOUT).await;
    let arrived: Vec<_> = reply.chunks.iter().map(|(_, chunk)| text_of(&events(chunk))).collect();
    assert_eq!(arrived, ["one", "two", "three", "four", ""]);
    let (first, last) = (reply.chunks[0].0, reply.chunks[4].0);
    assert!(last - first > gap * 3, "{:?}", last - first);
    assert!(first - reply.sent < last - first);
}

/// Nagle's algorithm against the peer's delayed ACK costs 40 ms on each reply. The fastest of many shows whether it
/// does: load makes a reply slower, and nothing makes a stalled one faster.
#[tokio::test]
async fn no_reply_waits_for_a_delayed_ack() {
    let (function, _provider) = start(answer(&["Hi"]), &[]).await;
    let mut fastest = Duration::MAX;
    for _ in 0..20 {
        let reply = invoke(&function, event("models.json"), TIMEOUT).await;
        fastest = fastest.min(reply.chunks[0].0 - reply.sent);
    }
    assert!(fastest < Duration::from_millis(40), "{fastest:?}");
}

#[tokio::test]
async fn a_cut_upstream_ends_with_an_error_event() {
    let (function, _provider) = start(vec![events_head(), text("Once upon")], &[]).await;
    let reply = invoke(&function, event("chat-stream.json"), TIMEOUT).await;
    assert!(!reply.broken);
    let events = events(&reply.text());
    error_message(events.last().unwrap(), "provider_error");
    assert!(!reply.text().contains("[DONE]"));
}

#[tokio::test]
async fn the_functions_own_deadline_ends_a_reply_in_time() {
    let endless = vec![events_head(), text("Once upon"), Step::Hang];
    let (function, _provider) = start(endless, &[]).await;
    let timeout = Duration::from_secs(3);
    for (name, status) in [("chat-stream.json", 200), ("chat.json", 504)] {
        let reply = invoke(&function, event(name), timeout).await;
        assert_eq!(reply.status, status);
        let last = reply.chunks.last().unwrap();
        assert!(
            last.1.contains("provider_timeout") && last.0 - reply.sent < timeout,
            "{}",
            last.1
        );
    }
}

#[tokio::test]
async fn sigterm_ends_it_within_a_stream_too_and_the_reply_is_visibly_broken() {
    let (mut function, _provider) = start(vec![events_head(), text("Once"), Step::Hang], &[]).await;
    let mut pieces = function.invoke(event("chat-stream.json"), TIMEOUT);
    let mut seen = String::new();
    while !seen.contains("Once") {
        match pieces.recv().await.unwrap() {
            Piece::Bytes(_, piece) => seen.push_str(&String::from_utf8_lossy(&piece)),
            other => panic!("{other:?}"),
        }
    }
    let process = function.process.id().unwrap();
    std::process::Command::new("kill")
        .args(["-TERM", &process.to_string()])
        .status()
        .unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(5), function.process.wait()).await;
    assert_eq!(ended.unwrap().unwrap().code(), Some(0));
    assert!(matches!(pieces.recv().await, Some(Piece::Broken)));
}

/// cargo-lambda's emulator sends a constant.
#[tokio::test]
async fn a_deadline_that_has_passed_counts_as_none() {
    let (function, _provider) = start(answer(&["Hi"]), &[]).await;
    for name in ["chat.json", "chat-stream.json"] {
        let reply = function::collect(function.invoke_until(event(name), UNIX_EPOCH)).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        assert!(reply.text().contains("Hi"), "{}", reply.text());
    }
}

#[tokio::test]
async fn the_log_has_a_line_for_each_reply_and_no_secret_at_any_level() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (level, answer) in [("info", answer(&["Hi"])), ("trace", vec![events_head(), text("Once")])] {
        let file = folder.join(format!("log-{level}-{}", std::process::id()));
        let log = std::fs::File::create(&file).unwrap();
        let (function, _provider) = start_with("gpt-4o", answer, &[("RUST_LOG", level)], log.into()).await;
        for name in ["chat.json", "chat-stream.json"] {
            invoke(&function, event(name), TIMEOUT).await;
        }
        let mut unknown = event("chat.json");
        unknown["headers"]["authorization"] = json!("Bearer pubkey_of_nobody_at_all");
        let refused = invoke(&function, unknown, TIMEOUT).await;
        let log = std::fs::read_to_string(&file).unwrap();
        std::fs::remove_file(&file).unwrap();
        let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let of = |message: &str| -> Vec<&Value> { lines.iter().filter(|line| line["message"] == message).collect() };
        // Each answer has one line: its record's, or that it was refused before there was one.
        let line = of("refused");
        assert_eq!(line.len(), 1, "{log}");
        assert_eq!(
            (&line[0]["request_id"], &line[0]["code"], &line[0]["status"]),
            (&refused.headers["x-request-id"], &json!("invalid_api_key"), &json!(401))
        );
        let replies = of("reply");
        assert_eq!(replies.len(), 2, "{log}");
        if level == "info" {
            assert_eq!(
                (&replies[0]["outcome"], &replies[0]["prompt_tokens"]),
                (&json!("stop"), &json!(9))
            );
        } else {
            assert_eq!(
                (&replies[1]["outcome"], &replies[1]["code"]),
                (&json!("error"), &json!("provider_error"))
            );
        }
        for secret in ["pubkey_demo_local_0001", "pubkey_of_nobody", PLATFORM_KEY] {
            let line = log.lines().find(|line| line.contains(secret));
            assert!(line.is_none(), "{line:?}");
        }
    }
}

#[tokio::test]
async fn the_management_function_answers_events_too() {
    let (_aws, store) = start_store().await;
    let binary = Path::new(env!("CARGO_BIN_EXE_manage"));
    let settings = [("JWT_SECRET", crate::support::management::SECRET)];
    let function = Function::start(binary, store, &settings, Stdio::null()).await.unwrap();
    let mut create = event("chat.json");
    create["rawPath"] = json!("/assistants");
    create["headers"]["authorization"] = json!(format!("Bearer {}", crate::support::management::jwt("owner-1")));
    create["body"] =
        json!(r#"{"name": "Test", "config": {"configurable": {"model": "gpt-4o", "access_mode": "public_token"}}}"#);
    let reply = invoke(&function, create, TIMEOUT).await;
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert!(reply.json()["public_token"].as_str().unwrap().starts_with("pubkey_"));
    assert_eq!(reply.headers["etag"], "\"1\"");
    // cargo-lambda's emulator sends a constant deadline.
    let mut list = event("models.json");
    list["rawPath"] = json!("/assistants");
    list["headers"]["authorization"] = json!(format!("Bearer {}", crate::support::management::jwt("owner-1")));
    let listed = function::collect(function.invoke_until(list, UNIX_EPOCH)).await;
    assert_eq!(listed.status, 200, "{}", listed.text());
    assert_eq!(listed.json()["data"][0]["name"], "Test");
}

#[tokio::test]
async fn bedrock_is_called_with_the_functions_role_and_each_delta_leaves_as_it_arrives() {
    let pause = Step::Pause(Duration::from_millis(100));
    let stream = [
        Wire::Bedrock.start(),
        vec![Wire::Bedrock.text("Once"), pause, Wire::Bedrock.text(" upon")],
        Wire::Bedrock.end("stop", 12),
    ];
    let model = "us.amazon.nova-lite-v1:0";
    let role = [
        ("AWS_ACCESS_KEY_ID", "role-of-the-tests"),
        ("AWS_SECRET_ACCESS_KEY", "its-secret"),
        ("AWS_REGION", "eu-west-3"),
    ];
    let (function, provider) = start_with(model, stream.concat(), &role, Stdio::null()).await;
    let reply = invoke(&function, event("chat-stream.json"), TIMEOUT).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let chunks = events(&reply.text());
    chunks.iter().for_each(check_chunk);
    assert_eq!(text_of(&chunks), "Once upon");
    assert!(reply.text().ends_with("data: [DONE]\n\n") && reply.chunks.len() >= 2);
    let head = provider.received().pop().unwrap().head;
    assert!(
        head.contains("Credential=role-of-the-tests/") && head.contains("/eu-west-3/bedrock/aws4_request"),
        "{head}"
    );
}

#[tokio::test]
async fn no_event_ends_the_function() {
    let (function, _provider) = start(answer(&["Hi"]), &[]).await;
    let changed = |change: fn(&mut Value)| {
        let mut event = event("chat.json");
        change(&mut event);
        event
    };
    for (event, status) in [
        (changed(|event| event["rawQueryString"] = json!("a=\"<b>\" c")), 200),
        (changed(|event| event["headers"]["host"] = json!("a b")), 200),
        (changed(|event| event["isBase64Encoded"] = json!(true)), 200),
        (changed(|event| event["rawPath"] = json!("/".repeat(70_000))), 404),
        (changed(|event| event["rawPath"] = json!("/a\"<ü>")), 404),
        (changed(|_| {}), 200),
    ] {
        let reply = invoke(&function, event, TIMEOUT).await;
        assert_eq!(reply.status, status, "{}", reply.text());
    }
}

#[tokio::test]
async fn what_has_to_be_public_is_not_looked_up_by_a_proxy_inside() {
    let proxy = FakeProvider::always(answer(&["Hi"])).await;
    let settings = [("HTTPS_PROXY", proxy.origin()), ("GEMINI_API_KEY", PLATFORM_KEY.into())];
    let settings = settings.each_ref().map(|(name, value)| (*name, value.as_str()));
    let (function, _) = start_with("gemini-2.5-flash", vec![], &settings, Stdio::null()).await;
    let mut asked = event("chat.json");
    let image = json!({"type": "image_url", "image_url": {"url": "https://localhost/cat.png"}});
    asked["body"] = json!(json!({"messages": [{"role": "user", "content": [image]}]}).to_string());
    let reply = invoke(&function, asked, TIMEOUT).await;
    assert_eq!(reply.status, 400, "{}", reply.text());
    let message = error_message(&reply.json(), "invalid_image_url");
    assert!(message.contains("must be https at a public address"), "{message}");
    assert!(proxy.received().is_empty());
}
