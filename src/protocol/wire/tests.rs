//! What servers and gateways really write into their streams. The source of a row is the public report that it follows.

use serde_json::json;

use super::super::{
    Protocol,
    decode::{Ending, Frame, Reader},
};
use crate::{
    chat::delta::{Delta, FinishReason},
    error::ProviderError,
};

mod whole;

const OPENAI: [&str; 3] = [
    r#"{"choices": [{"index": 0, "delta": {"role": "assistant", "content": "Once"}}]}"#,
    r#"{"choices": [{"index": 0, "delta": {"content": " upon"}}]}"#,
    r#"{"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}"#,
];
const ANTHROPIC: [&str; 5] = [
    r#"{"type": "message_start", "message": {"usage": {"input_tokens": 9, "output_tokens": 1}}}"#,
    r#"{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Once"}}"#,
    r#"{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": " upon"}}"#,
    r#"{"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}}"#,
    r#"{"type": "message_stop"}"#,
];
const GEMINI: [&str; 3] = [
    r#"{"candidates": [{"content": {"parts": [{"text": "Once"}]}}]}"#,
    r#"{"candidates": [{"content": {"parts": [{"text": " upon"}]}}]}"#,
    r#"{"candidates": [{"finishReason": "STOP"}]}"#,
];
const BEDROCK: [(&str, &str); 3] = [
    (
        "contentBlockDelta",
        r#"{"contentBlockIndex": 0, "delta": {"text": "Once"}}"#,
    ),
    (
        "contentBlockDelta",
        r#"{"contentBlockIndex": 0, "delta": {"text": " upon"}}"#,
    ),
    ("messageStop", r#"{"stopReason": "end_turn"}"#),
];

fn frame(event: &str, data: &str) -> Frame {
    Frame {
        event: (!event.is_empty()).then(|| event.to_owned()),
        data: data.to_owned(),
    }
}

/// Each protocol's frames of "Once upon".
fn answers() -> [(Protocol, Vec<Frame>); 4] {
    let frames = |all: &[&str]| all.iter().map(|data| frame("", data)).collect();
    [
        (Protocol::OpenAi, frames(&OPENAI)),
        (Protocol::Anthropic, frames(&ANTHROPIC)),
        (Protocol::Gemini, frames(&GEMINI)),
        (
            Protocol::Bedrock,
            BEDROCK.map(|(event, data)| frame(event, data)).to_vec(),
        ),
    ]
}

#[derive(Debug, Default, PartialEq)]
struct Read {
    text: String,
    reasoning: String,
    finish: Option<FinishReason>,
}

/// What has come of an answer, and the error that ended it.
fn read(reader: &mut Reader, frames: &[Frame]) -> (Read, Option<ProviderError>) {
    let mut all = Read::default();
    for frame in frames {
        match reader.read(frame) {
            Ok(deltas) => {
                for delta in deltas {
                    match delta {
                        Delta::Text { text, .. } => all.text.push_str(&text),
                        Delta::Reasoning(text) => all.reasoning.push_str(&text),
                        Delta::Finish(reason) => all.finish = Some(reason),
                        Delta::Refusal(_) | Delta::Usage(_) => {}
                    }
                }
            }
            Err(error) => return (all, Some(error)),
        }
    }
    (all, None)
}

/// Checks that an answer is "Once upon" with `stop`.
#[track_caller]
fn check_whole(protocol: Protocol, frames: &[Frame]) {
    let mut reader = protocol.reader();
    let (all, error) = read(&mut reader, frames);
    assert_eq!(error, None, "{protocol:?} {frames:?}");
    assert_eq!(
        (all.text.as_str(), all.finish),
        ("Once upon", Some(FinishReason::Stop)),
        "{protocol:?} {frames:?}"
    );
    assert_ne!(reader.ending(), Ending::CutOff, "{protocol:?} {frames:?}");
}

/// Events and messages that say nothing.
/// <https://github.com/earendil-works/pi/pull/2466>, <https://github.com/Kilo-Org/kilocode/pull/3083>,
/// <https://github.com/pydantic/pydantic-ai/pull/5170>, read 2026-11.
const SILENT: &[(&str, &str)] = &[
    ("", "null"),
    ("", "{}"),
    ("", "[]"),
    ("", ""),
    ("", "\"ping\""),
    ("", "true"),
    ("", r#"{"type": "ping"}"#),
    ("ping", "{}"),
    ("ping", r#"{"message": "still here"}"#),
    ("keepalive", r#"{"message": "still here"}"#),
    ("ping", "ping"),
    ("", "ping"),
    ("", ": OPENROUTER PROCESSING"),
    ("", r#"{"detail": "queue position 2"}"#),
    ("", r#"{"code": 0, "message": "Success", "choices": []}"#),
    ("", r#"{"code": "0", "msg": "ok"}"#),
    ("", r#"{"status": "success", "message": "ok"}"#),
    ("", r#"{"type": "status", "message": "queued"}"#),
    ("", r#"{"message": "queued"}"#),
    ("", r#"{"detail": "x", "choices": []}"#),
    ("", r#"{"base_resp": {"status_code": 0, "status_msg": ""}}"#),
    ("", r#"{"type": "heartbeat", "message": "still here"}"#),
    // Words of an error's without one: only what says an error is one.
    ("", r#"{"message": "The prompt is too long", "code": 500}"#),
    ("", r#"{"error_code": 336003, "error_msg": "boom"}"#),
    ("", r#"{"detail": [{"loc": ["body"], "msg": "boom"}]}"#),
    ("", r#"{"error": null}"#),
    ("", r#"{"error": "", "usage": null}"#),
    ("", r#"{"error": {}, "detail": ""}"#),
    ("", r#"{"error": false}"#),
    ("", r#"{"error": {"message": "", "code": null}}"#),
    (
        "",
        r#"{"id": "x", "object": "chat.completion.chunk", "choices": null, "usage": null}"#,
    ),
    ("", r#"{"choices": [], "usage": {}}"#),
    ("", r#"{"choices": [null]}"#),
    (
        "",
        r#"{"choices": [{"index": null, "delta": null, "finish_reason": null}]}"#,
    ),
    ("", r#"{"choices": [{"delta": [], "finish_reason": ""}]}"#),
    (
        "",
        r#"{"choices": [{"delta": {"content": null, "reasoning_content": null}, "logprobs": null}]}"#,
    ),
    (
        "",
        r#"{"choices": [{"delta": {"content": []}, "finish_reason": "null"}]}"#,
    ),
    ("", r#"{"candidates": null, "usageMetadata": null}"#),
    ("", r#"{"candidates": [{"content": null, "finishReason": null}]}"#),
    ("", r#"{"candidates": [{"content": {"parts": null}}]}"#),
    (
        "",
        r#"{"candidates": [{"content": {"parts": [{"text": null, "thought": null}]}}]}"#,
    ),
    ("", r#"{"type": "message_start", "message": null}"#),
    ("", r#"{"type": "message_start", "message": {"usage": null}}"#),
    ("", r#"{"type": "content_block_start", "content_block": null}"#),
    ("", r#"{"type": "content_block_delta", "delta": null}"#),
    (
        "",
        r#"{"type": "content_block_delta", "delta": {"type": "text_delta", "text": null}}"#,
    ),
    (
        "",
        r#"{"type": "message_delta", "delta": {"stop_reason": null}, "usage": null}"#,
    ),
    ("", r#"{"type": "an_event_of_next_year", "text": "?"}"#),
    ("contentBlockDelta", r#"{"delta": null}"#),
    (
        "contentBlockDelta",
        r#"{"delta": {"text": null, "reasoningContent": null}}"#,
    ),
    ("messageStop", r#"{"stopReason": null}"#),
    ("metadata", r#"{"usage": null}"#),
    ("anEventOfNextYear", r#"{"text": "?"}"#),
];

#[test]
fn a_message_that_says_nothing_is_passed_over() {
    for (protocol, whole) in answers() {
        for (event, data) in SILENT {
            // Without an event's name, Bedrock has whole answers only.
            if protocol == Protocol::Bedrock && event.is_empty() {
                continue;
            }
            for at in 0..whole.len() {
                let mut frames = whole.clone();
                frames.insert(at, frame(event, data));
                check_whole(protocol, &frames);
            }
        }
    }
}

#[test]
fn an_empty_error_beside_an_answer_is_none() {
    for error in [
        "null",
        "\"\"",
        "{}",
        "[]",
        "false",
        "0",
        r#"{"message": "", "code": null}"#,
        r#"{"code": 0, "message": "Success"}"#,
        r#"{"code": "200", "msg": "ok"}"#,
        "\"ok\"",
    ] {
        let with_error = |data: &str| frame("", &data.replacen('{', &format!("{{\"error\": {error}, "), 1));
        check_whole(Protocol::OpenAi, &OPENAI.map(with_error));
        check_whole(Protocol::Anthropic, &ANTHROPIC.map(with_error));
        check_whole(Protocol::Gemini, &GEMINI.map(with_error));
    }
}

#[test]
fn what_says_an_error_is_one() {
    for (event, data) in [
        ("error", ""),
        ("error", "null"),
        ("error", "{}"),
        ("error", "upstream failed"),
        ("", "error: {\"code\": 503}"),
        ("", "[ERROR] boom"),
        (
            "",
            r#"{"choices": null, "base_resp": {"status_code": 1000, "status_msg": "boom"}}"#,
        ),
        ("error", r#"{"message": "boom"}"#),
        ("Error", r#"{"reason": "boom"}"#),
        ("exception", r#"{"reason": "boom"}"#),
        ("", r#"{"type": "Error"}"#),
        ("", r#"{"error": {"code": 0, "message": "boom"}}"#),
        ("", r#"{"error": {"code": 500, "message": "ok"}}"#),
        ("", r#"{"error": {"message": "boom"}}"#),
        ("", r#"{"error": "boom"}"#),
        ("", r#"{"error": true}"#),
        ("", r#"[{"error": {"message": "boom", "code": 500}}]"#),
        ("", r#"{"type": "error", "message": "boom"}"#),
        ("", r#"{"object": "error", "message": "boom", "code": 500}"#),
        ("", r#"{"message": "boom", "type": "server_error"}"#),
        ("", r#"{"errors": [{"message": "boom"}]}"#),
        ("", r#"{"x_groq": {"id": "req_1", "error": "over capacity"}}"#),
        (
            "",
            r#"{"error": {"message": "boom"}, "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]}"#,
        ),
    ] {
        for (protocol, whole) in answers() {
            // Right before the finish, which Anthropic's end marker follows.
            let before = whole.len() - if protocol == Protocol::Anthropic { 2 } else { 1 };
            let mut frames = whole;
            frames.insert(before, frame(event, data));
            let (all, error) = read(&mut protocol.reader(), &frames);
            assert!(error.is_some() && all.finish.is_none(), "{protocol:?} {data}");
        }
    }
    let in_choice =
        r#"{"choices": [{"index": 0, "error": {"code": 502, "message": "boom"}, "finish_reason": "stop"}]}"#;
    assert!(
        read(&mut Protocol::OpenAi.reader(), &[frame("", in_choice)])
            .1
            .is_some()
    );
}

#[test]
fn json_as_python_and_javascript_write_it() {
    let openai = |data: &[&str]| {
        let frames: Vec<_> = data.iter().map(|data| frame("", data)).collect();
        let (all, error) = read(&mut Protocol::OpenAi.reader(), &frames);
        assert_eq!(error, None, "{data:?}");
        all
    };
    // NVIDIA wrote the key twice.
    let twice = r#"{"choices": [{"delta": {"reasoning_content": "a", "reasoning_content": "b", "content": "Once"}}]}"#;
    assert_eq!(openai(&[twice]).reasoning, "b");
    for (data, expected) in [
        (
            &[
                r#"{"choices": [{"delta": {"content": "a\ud83d"}}]}"#,
                r#"{"choices": [{"delta": {"content": "\ude00b"}}]}"#,
            ][..],
            "a😀b",
        ),
        (
            &[
                r#"{"choices": [{"delta": {"content": "a\ud83d"}}]}"#,
                r#"{"choices": [{"delta": {"content": "b"}}]}"#,
            ],
            "a\u{fffd}b",
        ),
        (&[r#"{"choices": [{"delta": {"content": "a\ude00"}}]}"#], "a\u{fffd}"),
        // A character of the plane that halves are marked with is not a mark.
        (
            &["{\"choices\": [{\"delta\": {\"content\": \"\u{10f83d}\"}}]}"],
            "\u{10f83d}",
        ),
        (&["{\"choices\": [{\"delta\": {\"content\": \"a\tb\"}}]}"], "a\tb"),
        (
            &[
                r#"{"choices": [{"delta": {"content": "NaN \"Infinity\\"}, "logprobs": {"content": [{"logprob": -Infinity}]}}]}"#,
            ],
            "NaN \"Infinity\\",
        ),
        // Two messages under each other, and the end marker under the last.
        (
            &[
                "{\"choices\": [{\"delta\": {\"content\": \"a\"}}]}\n{\"choices\": [{\"delta\": {\"content\": \"b\"}, \"finish_reason\": \"stop\"}]}\n[DONE]",
            ],
            "ab",
        ),
        (&["\u{feff}{\"choices\": [{\"delta\": {\"content\": \"a\"}}]}"], "a"),
    ] {
        assert_eq!(openai(data).text, expected, "{data:?}");
    }
    // The text leaves as it arrives: of a half at its end, the rest does.
    let mut reader = Protocol::OpenAi.reader();
    let half = frame("", r#"{"choices": [{"delta": {"content": "a\ud83d"}}]}"#);
    assert_eq!(read(&mut reader, &[half]).0.text, "a");
    let stop = frame("", OPENAI[2]);
    assert_eq!(read(&mut reader, &[stop]).0.text, "\u{fffd}");
}

#[test]
fn numbers_that_json_does_not_have_become_openais() {
    let data = r#"{"choices": [{"delta": {"content": "a"}, "logprobs": {"content":
        [{"token": "a", "logprob": -Infinity, "bytes": null, "top_logprobs": [{"token": "\ud83d", "logprob": NaN}]}]}}]}"#;
    let deltas = Protocol::OpenAi.reader().read(&frame("", data)).unwrap();
    let logprobs = json!({"content": [{"token": "a", "logprob": -9999.0, "bytes": null,
        "top_logprobs": [{"token": "\u{fffd}", "logprob": -9999.0, "bytes": null}]}],
        "refusal": null});
    assert_eq!(
        deltas,
        [Delta::Text {
            text: "a".into(),
            logprobs: Some(logprobs)
        }]
    );
}

#[test]
fn a_broken_message_is_an_error_until_the_answer_is_complete() {
    for data in ["{\"choices\": [{\"del", "<html>", "{\"a\": nul}", "[1, 2", "\u{1}"] {
        let mut frames = vec![frame("", OPENAI[0]), frame("", data)];
        assert!(read(&mut Protocol::OpenAi.reader(), &frames).1.is_some(), "{data}");
        frames.pop();
        frames.extend([frame("", OPENAI[1]), frame("", OPENAI[2]), frame("", data)]);
        check_whole(Protocol::OpenAi, &frames);
    }
    // A text of another kind than text is not passed over: the answer would lack it.
    for data in [
        r#"{"choices": [{"delta": {"content": 5}}]}"#,
        r#"{"choices": "Once"}"#,
        r#"{"choices": [{"delta": "Once"}]}"#,
    ] {
        assert!(
            read(&mut Protocol::OpenAi.reader(), &[frame("", data)]).1.is_some(),
            "{data}"
        );
    }
    let gemini = r#"{"candidates": [{"content": {"parts": [{"text": 5}]}}]}"#;
    assert!(read(&mut Protocol::Gemini.reader(), &[frame("", gemini)]).1.is_some());
    let anthropic = r#"{"type": "content_block_delta", "delta": {"type": "text_delta", "text": 5}}"#;
    assert!(
        read(&mut Protocol::Anthropic.reader(), &[frame("", anthropic)])
            .1
            .is_some()
    );
    let bedrock = frame("contentBlockDelta", r#"{"delta": {"text": 5}}"#);
    assert!(read(&mut Protocol::Bedrock.reader(), &[bedrock]).1.is_some());
}
