//! A provider's successful body is judged by what it is, whatever its content type, and its last event counts without
//! the blank line after it.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use serde_json::json;

use crate::support::{
    TestApp, error_message, hello,
    provider::{Answer, FakeProvider, Step, piece, stream_end, stream_head},
    schema::{check_chunk, check_completion},
    text_of,
};

const FIRST: &str = r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":"Once"}}]}"#;
const LAST: &str = r#"{"choices":[{"index":0,"delta":{"content":" upon"},"finish_reason":"stop"}]}"#;
const WHOLE: &str = r#"{"object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"Once upon"},"finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}"#;

fn body(content_type: &str, body: &str) -> Answer {
    vec![stream_head(content_type), piece(body), stream_end()]
}

/// Checks both forms of "Once upon", and that each took one call.
async fn check_whole(answer: Answer, about: &str) {
    let app = TestApp::start(FakeProvider::always(answer).await).await;
    let token = app.assistant().await;
    let completion = app.chat(&token, &hello(false)).await.json();
    check_completion(&completion);
    assert_eq!(completion["choices"][0]["message"]["content"], "Once upon", "{about}");
    assert_eq!(completion["choices"][0]["finish_reason"], "stop", "{about}");
    let streamed = app.chat(&token, &hello(true)).await;
    let events = streamed.events();
    events.iter().for_each(check_chunk);
    assert_eq!(text_of(&events), "Once upon", "{about}");
    assert!(streamed.is_done(), "{about}: {}", streamed.text);
    assert_eq!(app.provider.received().len(), 2, "{about}");
}

/// Checks that both forms are errors without the finish.
async fn check_cut_off(answer: Answer, about: &str) {
    let app = TestApp::start(FakeProvider::always(answer).await).await;
    let token = app.assistant().await;
    let buffered = app.chat(&token, &hello(false)).await;
    assert!(buffered.status.is_server_error(), "{about}: {}", buffered.text);
    error_message(&buffered.body(), "provider_error");
    let streamed = app.chat(&token, &hello(true)).await;
    assert!(
        !streamed.text.contains("[DONE]") && !streamed.text.contains("\"stop\""),
        "{about}: {}",
        streamed.text
    );
    assert!(
        streamed.text.contains("\"provider_error\""),
        "{about}: {}",
        streamed.text
    );
}

#[tokio::test]
async fn a_body_is_judged_by_what_it_is() {
    let events = format!("data: {FIRST}\n\ndata: {LAST}\n\ndata: [DONE]\n\n");
    let commented = format!(": OPENROUTER PROCESSING\n\n{events}");
    let with_mark = format!("\u{feff}{events}");
    let after_comment = format!(": OPENROUTER PROCESSING\n\n{WHOLE}");
    let late = format!("\n\r\n  {WHOLE}\n");
    let list = format!("[{FIRST},\n{LAST}]");
    let lines = format!("{FIRST}\n{LAST}\n");
    for content_type in [
        "text/event-stream",
        "application/json",
        "Application/JSON; charset=utf-8",
        "text/plain",
        "application/x-ndjson",
    ] {
        for (kind, text) in [
            ("events", events.as_str()),
            ("events after a comment", &commented),
            ("events after a byte order mark", &with_mark),
            ("a whole answer", WHOLE),
            ("a whole answer after white space", &late),
            ("a list of chunks", &list),
            ("chunks line by line", &lines),
            ("a whole answer after a comment", &after_comment),
        ] {
            check_whole(body(content_type, text), &format!("{kind} as {content_type}")).await;
        }
    }
}

#[tokio::test]
async fn the_last_event_counts_without_its_blank_line_if_it_is_whole() {
    for end in ["", "\n", "\r\n", "\n\n", "\n\ndata: [DONE]", "\n\ndata: [DONE]\n"] {
        let text = format!("data: {FIRST}\n\ndata: {LAST}{end}");
        check_whole(body("text/event-stream", &text), end).await;
    }
    for cut in 1..LAST.len() {
        // Each cut is a case, but a few of them tell.
        if cut % 9 == 0 {
            let text = format!("data: {FIRST}\n\ndata: {}", &LAST[..cut]);
            check_cut_off(body("text/event-stream", &text), &text).await;
        }
    }
    // The connection breaks: more may have been to come.
    let text = format!("data: {FIRST}\n\ndata: {LAST}\n");
    check_cut_off(
        vec![stream_head("text/event-stream"), piece(&text)],
        "a broken connection",
    )
    .await;
    // A finish reason on every chunk, and the next chunk is cut.
    let text = format!("data: {LAST}\n\ndata: {{\"choices\":[{{\"ind");
    check_cut_off(body("text/event-stream", &text), &text).await;
}

#[tokio::test]
async fn a_body_that_is_no_answer_is_an_error() {
    for text in [
        "",
        "\n\n",
        "<html><body>Welcome</body></html>",
        "OK",
        "null",
        "{}",
        "[]",
        "{\"choices\":[",
        ": ping\n\n",
    ] {
        check_cut_off(body("text/html", text), text).await;
        check_cut_off(body("text/event-stream", text), text).await;
    }
}

/// What some servers and gateways write around an answer, each once.
#[tokio::test]
async fn what_stands_around_an_answer_costs_nothing() {
    let repeated = r#"{"object":"chat.completion","choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":"Once upon"}}],"base_resp":{"status_code":0}}"#;
    let with_success = |chunk: &str| chunk.replacen('{', r#"{"error":{"code":0,"message":"Success"},"#, 1);
    let (first, last) = (with_success(FIRST), with_success(LAST));
    for (kind, text) in [
        (
            "a whole message at the end",
            format!("data: {FIRST}\n\ndata: {LAST}\n\ndata: {repeated}\n\n"),
        ),
        (
            "an error that says success",
            format!("data: {first}\n\ndata: {last}\n\n"),
        ),
        (
            "an end marker in small letters",
            format!("data: {FIRST}\n\ndata: {LAST}\n\ndata: done\n\n"),
        ),
        ("a greeting", format!("connected\n\ndata: {FIRST}\n\ndata: {LAST}\n\n")),
        (
            "a place in a queue",
            format!("data: {{\"detail\":\"queue position 2\"}}\n\ndata: {FIRST}\n\ndata: {LAST}\n\n"),
        ),
        (
            "marks and blanks before a field",
            format!("data: {FIRST}\n\n\u{feff}data: {{}}\n\n\0data: {{}}\n\n data: {LAST}\n\n"),
        ),
        (
            "a field that no event has",
            format!(
                "x-trace: 1\ndata: {FIRST}\n\nx-trace: 2\n\nx-trace: 3\ndata: {LAST}\n\nx-trace: 4\ndata: [DONE]\n\n"
            ),
        ),
    ] {
        check_whole(body("text/event-stream", &text), kind).await;
    }
}

/// Where the end of the body is all that says that nothing is missing, words may be an error's.
#[tokio::test]
async fn a_line_after_the_last_text_may_be_an_error() {
    for line in [
        "error: connect error",
        "ValueError: bad",
        "event: exception\ndata: {\"reason\":\"boom\"}",
        "event: Error",
    ] {
        let text = format!("data: {FIRST}\n\ndata: {LAST}\n\n{line}\n\n");
        check_cut_off(body("text/event-stream", &text), line).await;
    }
}

/// Half an emoji, numbers that JSON does not have, chunks that say nothing, each kind end to end.
#[tokio::test]
async fn odd_json_loses_nothing_on_the_way() {
    let text = [
        ": connected",
        "data: null",
        r#"data: {"type":"ping"}"#,
        r#"data: {"choices":[{"index":0,"delta":{"content":"a\ud83d"},"logprobs":{"content":[{"token":"a","bytes":null,"logprob":-Infinity,"top_logprobs":[]}]}}],"usage":null,"error":""}"#,
        r#"data: {"choices":null}"#,
        r#"data: {"choices":[{"index":0,"delta":{"content":"\ude00"},"finish_reason":null}]}"#,
        r#"data: {"choices":[{"index":0,"delta":[],"finish_reason":"EOS"}]}"#,
        r#"data: {"choices":[],"usage":{"prompt_tokens":32,"completion_tokens":9,"total_tokens":135,"completion_tokens_details":{"reasoning_tokens":94}}}"#,
    ]
    .join("\n\n");
    let app = TestApp::start(FakeProvider::always(body("text/event-stream", &text)).await).await;
    let token = app.assistant().await;
    let mut request = hello(false);
    request["logprobs"] = json!(true);
    let completion = app.chat(&token, &request).await.json();
    check_completion(&completion);
    assert_eq!(completion["choices"][0]["message"]["content"], "a😀");
    assert_eq!(completion["choices"][0]["logprobs"]["content"][0]["logprob"], -9999.0);
    assert_eq!(completion["usage"]["completion_tokens"], 103);
    assert_eq!(completion["usage"]["completion_tokens_details"]["reasoning_tokens"], 94);
    request["stream"] = json!(true);
    request["stream_options"] = json!({"include_usage": true});
    let streamed = app.chat(&token, &request).await;
    let events = streamed.events();
    events.iter().for_each(check_chunk);
    assert_eq!(text_of(&events), "a😀");
    assert_eq!(events.last().unwrap()["usage"], completion["usage"]);
    assert!(streamed.is_done());
}

/// A body in an encoding that nobody has asked for.
fn encoded(status: u16, encoding: &str, body: &[u8]) -> Answer {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status} Status\r\ncontent-type: application/json\r\ncontent-encoding: {encoding}\r\ncontent-length: {length}\r\n\r\n"
    );
    vec![Step::Send([head.as_bytes(), body].concat())]
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn compression_is_not_asked_for_and_costs_no_answer() {
    let events = format!("data: {FIRST}\n\ndata: {LAST}\n\ndata: [DONE]\n\n");
    for text in [WHOLE, events.as_str()] {
        check_whole(encoded(200, "gzip", &gzip(text)), text).await;
        let padded = [&gzip(text)[..], &[0; 16]].concat();
        check_whole(encoded(200, "gzip", &padded), text).await;
    }
    let overflow = r#"{"error":{"message":"too long","code":"context_length_exceeded"}}"#;
    let app = TestApp::start(FakeProvider::always(encoded(400, "gzip", &gzip(overflow))).await).await;
    let token = app.assistant().await;
    for stream in [false, true] {
        let reply = app.chat(&token, &hello(stream)).await;
        let message = reply.error(400, "context_length_exceeded");
        assert!(message.starts_with("This model's maximum context length"), "{message}");
    }
    let head = app.provider.received()[0].head.to_lowercase();
    assert!(head.contains("accept-encoding: identity"), "{head}");
    // What cannot be read is paid for once, and shows no bytes.
    for (status, code) in [(200, "provider_error"), (400, "null")] {
        let unreadable = encoded(status, "br", b"\x0b\x02\x80binary\x03");
        let app = TestApp::start(FakeProvider::always(unreadable).await).await;
        let token = app.assistant().await;
        for stream in [false, true] {
            let reply = app.chat(&token, &hello(stream)).await;
            let message = reply.error(if status == 200 { 502 } else { status }, code);
            assert!(!message.contains("binary"), "{message}");
        }
        assert_eq!(app.provider.received().len(), 2, "{status}");
    }
}

#[tokio::test]
async fn an_error_of_any_length_keeps_its_code() {
    let long = "word ".repeat(20_000);
    let whole = format!(r#"{{"error":{{"message":"{long}","code":"context_length_exceeded","param":"messages"}}}}"#);
    let app = TestApp::start(FakeProvider::always(encoded(400, "identity", whole.as_bytes())).await).await;
    let token = app.assistant().await;
    for stream in [false, true] {
        let reply = app.chat(&token, &hello(stream)).await;
        let message = reply.error(400, "context_length_exceeded");
        assert!(!message.contains("word "), "{message}");
    }
    let odd = encoded(
        400,
        "identity",
        br#"{"error":{"message":"no \ud83d","code":"invalid_value","param":"stop"}}"#,
    );
    let app = TestApp::start(FakeProvider::always(odd).await).await;
    let token = app.assistant().await;
    for stream in [false, true] {
        let mut body = hello(stream);
        body["stop"] = json!("a");
        let reply = app.chat(&token, &body).await;
        reply.error(400, "invalid_value");
        assert_eq!(reply.body()["error"]["param"], "stop");
    }
    let broken = encoded(400, "identity", br#"{"error":{"message":"cut"#);
    let app = TestApp::start(FakeProvider::always(broken).await).await;
    app.chat(&app.assistant().await, &hello(false)).await.error(400, "null");
}
