//! What a provider's errors give away to callers: neither the key nor the system message, in no encoding, in neither
//! form of the reply.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use crate::support::{
    PLATFORM_KEY, TestApp, error_message, hello,
    provider::{Answer, FakeProvider, answer, events_head, piece, response, stream_end, text},
    secret::Secret,
    text_of,
};

const SYSTEM: &str = "You are Bob, a pirate.\nThe chest \"Zürich\" is opened by the word ZEBRA-42.";

fn escaped(text: &str) -> String {
    text.encode_utf16()
        .map(|unit| format!("\\u{unit:04X}"))
        .collect::<Vec<_>>()
        .concat()
}

fn percent_encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| format!("%{byte:02x}"))
        .collect::<Vec<_>>()
        .concat()
}

/// A text as a provider may write it within a JSON string.
fn encodings(text: &str) -> Vec<String> {
    let json = |text: &str| serde_json::to_string(text).unwrap().trim_matches('"').to_owned();
    vec![
        json(text),
        escaped(text),
        json(&escaped(text)),
        json(&json(text)),
        percent_encoded(text),
        BASE64_STANDARD.encode(text),
        format!("{:?}", text.as_bytes()),
        json(&text.replace('"', "&quot;").replace('-', "&#45;").replace('ü', "&uuml;")),
    ]
}

/// Asks in both forms with an error before the reply's first byte and within the stream; returns each error.
async fn errors_of(body: &str, assistant: Value) -> Vec<Value> {
    let early = |status: u16| response(status, "", body);
    let late = vec![
        events_head(),
        text("Once"),
        piece(format!("data: {body}\n\n")),
        stream_end(),
    ];
    let mut errors = Vec::new();
    for answer in [early(400), early(422), early(500), late] {
        let app = TestApp::start(FakeProvider::always(answer).await).await;
        let token = app.assistant_with(assistant.clone()).await;
        for stream in [false, true] {
            let reply = app.chat(&token, &hello(stream)).await;
            let error = if reply.status == 200 {
                reply.events().pop().unwrap()
            } else {
                reply.body()
            };
            let code = error["error"]["code"].as_str().unwrap_or("null").to_owned();
            error_message(&error, &code);
            errors.push(error["error"].clone());
        }
    }
    errors
}

#[tokio::test]
async fn the_key_is_in_no_error_however_the_provider_writes_it() {
    for encoded in encodings(PLATFORM_KEY) {
        let body = format!(
            r#"{{"error": {{"message": "Bad header {encoded}.", "type": "invalid_request_error", "param": "{encoded}", "code": "{encoded}"}}}}"#
        );
        for error in errors_of(&body, json!({})).await {
            let shown = error.to_string();
            // Escapes of what is shown are read too: a caller would.
            let read = shown.replace("\\\\u002D", "-").replace("%2d", "-");
            for part in [
                "platform-key",
                &BASE64_STANDARD.encode("sk-platform-key"),
                "u0070\\u006C",
            ] {
                assert!(!shown.contains(part) && !read.contains(part), "{encoded}: {shown}");
            }
            for percent in [percent_encoded("platform"), escaped("platform")] {
                assert!(
                    !shown.to_lowercase().contains(&percent.to_lowercase()),
                    "{encoded}: {shown}"
                );
            }
        }
    }
}

#[tokio::test]
async fn the_system_message_is_in_no_error_however_the_provider_writes_it() {
    let assistant = json!({"type==agent/system_message": SYSTEM});
    for encoded in encodings(SYSTEM) {
        let body = format!(
            r#"{{"error": {{"message": "Invalid request: {encoded}", "type": "BadRequestError", "code": 400}}}}"#
        );
        for error in errors_of(&body, assistant.clone()).await {
            let shown = error.to_string();
            for part in ["pirate", "ZEBRA", "opened", "7069726174", "%70%69"] {
                assert!(!shown.contains(part), "{encoded}: {shown}");
            }
        }
    }
}

/// vLLM's answer to a request that its schema does not take, with the whole request in it.
fn quoting(request: &Value, problem: &str) -> Answer {
    let python = request
        .to_string()
        .replace('"', "'")
        .replace("true", "True")
        .replace("false", "False");
    let message = format!(
        "[{{'type': 'value_error', 'loc': ('body',), 'msg': 'Value error, {problem}', 'input': {python}, 'ctx': {{'error': ValueError('{problem}')}}}}]"
    );
    let body = json!({"object": "error", "message": message, "type": "BadRequestError", "param": null, "code": 400});
    response(400, "", &body.to_string())
}

#[tokio::test]
async fn a_message_that_quotes_the_request_teaches_nothing_and_gives_nothing_away() {
    let problem = "the request cannot be served.";
    let provider = FakeProvider::choosing(move |request| quoting(request, problem)).await;
    let app = TestApp::start(provider).await;
    let own = json!({"type==agent/system_message": SYSTEM, "type==agent/temperature": 0.5, "type==agent/top_p": 0.5});
    let token = app.assistant_with(own).await;
    let mut body = hello(false);
    for (name, value) in [
        ("seed", json!(7)),
        ("user", json!("u")),
        ("presence_penalty", json!(1)),
        ("frequency_penalty", json!(1)),
        ("logit_bias", json!({"5": 1})),
    ] {
        body[name] = value;
    }
    for stream in [false, true] {
        body["stream"] = json!(stream);
        let message = app.chat(&token, &body).await.error(400, "null");
        assert!(message.contains(problem) && !message.contains("pirate"), "{message}");
    }
    assert_eq!(app.provider.received().len(), 2);
}

#[tokio::test]
async fn a_short_key_leaves_the_words_around_it() {
    let body = json!({"error": {"message": "max_tokens: k is no key", "type": "invalid_request_error"}});
    let app = TestApp::with(
        FakeProvider::always(response(400, "", &body.to_string())).await,
        &[("OPENAI_API_KEY", "k")],
    )
    .await;
    let token = app.assistant().await;
    let message = app.chat(&token, &hello(false)).await.error(400, "null");
    assert_eq!(message, "max_tokens: [key] is no key");
}

#[tokio::test]
async fn a_server_that_quotes_its_key_shows_it_to_nobody() {
    let quoting = |body: String| [vec![events_head(), text("Once")], vec![piece(body), stream_end()]].concat();
    let error = r#"{"error": {"message": "bad header 'Bearer sk-own'", "type": "invalid_request_error", "param": "sk-own", "code": "sk-own"}}"#;
    for (answer, code) in [
        (quoting(format!("data: {error}\n\n")), "[key]"),
        (response(400, "", error), "[key]"),
        (response(200, "", error), "[key]"),
    ] {
        let own = FakeProvider::always(answer).await;
        let secret = Secret::new(json!({own.origin(): "sk-own"}));
        let base_url = own.base_url();
        let app = TestApp::with_secret(own, &secret).await;
        let token = app.assistant_with(json!({"base_url": base_url})).await;
        for stream in [false, true] {
            let reply = app.chat(&token, &hello(stream)).await;
            assert!(!reply.text.contains("sk-own"), "{}", reply.text);
            let last = if stream && reply.status == 200 {
                reply.events().pop().unwrap()
            } else {
                reply.body()
            };
            let message = error_message(&last, code);
            assert!(message.contains("Bearer [key]"), "{message}");
        }
    }
}

#[tokio::test]
async fn a_dummy_for_a_key_is_a_word_like_any_other() {
    let own = FakeProvider::always(answer(&["There is none left"])).await;
    let secret = Secret::new(json!({own.origin(): "none"}));
    let base_url = own.base_url();
    let app = TestApp::with_secret(own, &secret).await;
    let token = app.assistant_with(json!({"base_url": base_url})).await;
    let streamed = app.chat(&token, &hello(true)).await;
    assert_eq!(text_of(&streamed.events()), "There is none left");
}

/// Not only quotations as they stand: a list of tokens too, and a key with its middle masked in any way.
#[tokio::test]
async fn neither_tokens_of_the_system_message_nor_ends_of_the_key_are_in_an_error() {
    // Without the last word, which is a secret by itself.
    let tokens = SYSTEM
        .split_whitespace()
        .filter(|word| !word.contains("ZEBRA"))
        .map(|word| json!({"token": word, "id": 0}));
    let tokens = tokens.collect::<Value>().to_string();
    let (start, end) = (&PLATFORM_KEY[..7], &PLATFORM_KEY[PLATFORM_KEY.len() - 5..]);
    for message in [
        tokens,
        format!("Bad key {start}xxxx{end}"),
        format!("It starts {start} and ends {end}"),
    ] {
        let body = json!({"error": {"message": message, "type": "invalid_request_error"}}).to_string();
        for error in errors_of(&body, json!({"type==agent/system_message": SYSTEM})).await {
            let shown = error.to_string();
            for part in ["pirate", "chest", start] {
                assert!(!shown.contains(part), "{message}: {shown}");
            }
        }
    }
}
