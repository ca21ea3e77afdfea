//! The faults, in the order of an answer.

use super::{
    Ends::{self, CutOff, Refused, Whole},
    Fault,
};
use crate::support::{
    provider::{Answer, Step, events_head, piece, response, stream_end},
    streams::frame,
    wire::Wire,
};

const FAILED: Ends = Refused(502, "provider_error");
const TIMED_OUT: Ends = Refused(504, "provider_timeout");
const NOT_BEGUN: usize = 3;
const BEGUN: usize = 2;

/// Faults of a place, all of which end alike.
fn all(place: &'static str, ends: (Ends, Ends), calls: usize, faults: Vec<(&str, Answer)>) -> Vec<Fault> {
    let (buffered, streamed) = ends;
    let fault = |(name, answer): (&str, Answer)| Fault {
        place,
        name: name.to_owned(),
        answer,
        buffered,
        streamed,
        calls,
    };
    faults.into_iter().map(fault).collect()
}

fn send(bytes: &str) -> Step {
    Step::Send(bytes.into())
}

fn then(begun: &[Step], steps: Vec<Step>) -> Answer {
    [begun, &steps].concat()
}

pub fn faults(wire: Wire) -> Vec<Fault> {
    [
        no_fault(wire),
        before_the_head(),
        statuses(wire),
        no_answer(wire),
        before_the_text(wire),
        after_the_text(wire),
        after_the_finish(wire),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// An answer up to its text, in pieces.
fn once(wire: Wire) -> Answer {
    then(&wire.start(), vec![wire.text("Once")])
}

fn once_upon(wire: Wire) -> Answer {
    then(&once(wire), vec![wire.text(" upon")])
}

fn bytes_of(steps: &[Step]) -> Vec<u8> {
    let bytes = steps.iter().map(|step| match step {
        Step::Send(bytes) => bytes.clone(),
        _ => Vec::new(),
    });
    bytes.collect::<Vec<_>>().concat()
}

/// What is odd and no fault.
fn no_fault(wire: Wire) -> Vec<Fault> {
    let whole = then(&once_upon(wire), wire.end("stop", 2));
    let bytes = bytes_of(&whole);
    let pieces = bytes.chunks(7).map(|piece| Step::Send(piece.to_vec())).collect();
    let pause = Step::Pause(std::time::Duration::from_millis(20));
    let slow = whole.iter().flat_map(|step| [step.clone(), pause.clone()]).collect();
    let answers = vec![
        ("none", whole),
        ("all in one packet", vec![Step::Send(bytes.clone())]),
        ("pieces of seven bytes", pieces),
        ("pauses between events", slow),
    ];
    all("nowhere", (Whole, Whole), 1, answers)
}

fn before_the_head() -> Vec<Fault> {
    let place = "before the head";
    let broken = vec![
        ("the connection is closed", vec![]),
        ("the connection is reset", vec![Step::Reset]),
        ("half a status line", vec![send("HTTP/1.")]),
        ("half a head", vec![send("HTTP/1.1 200 OK\r\ncontent-ty")]),
        (
            "half a head, then a reset",
            vec![send("HTTP/1.1 200 OK\r\ncontent-ty"), Step::Reset],
        ),
        ("a head that is not HTTP", vec![send("220 mail.example.com ESMTP\r\n")]),
        ("a status that is not one", vec![send("HTTP/1.1 2000 OK\r\n\r\n")]),
        (
            "a header without a colon",
            vec![send("HTTP/1.1 200 OK\r\nno header\r\n\r\n")],
        ),
        (
            "a content length that is no number",
            vec![send("HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n")],
        ),
    ];
    let silent = vec![
        ("silence", vec![Step::Hang]),
        ("silence within the head", vec![send("HTTP/1.1 200 OK\r\n"), Step::Hang]),
    ];
    let mut faults = all(place, (FAILED, FAILED), NOT_BEGUN, broken);
    faults.extend(all(place, (TIMED_OUT, TIMED_OUT), 1, silent));
    faults
}

const STATUSES: [u16; 48] = [
    300, 301, 302, 303, 304, 307, 308, 400, 401, 402, 403, 404, 405, 406, 408, 409, 410, 411, 412, 413, 415, 418, 421,
    422, 423, 424, 425, 426, 428, 429, 431, 451, 500, 501, 502, 503, 504, 505, 507, 508, 511, 520, 521, 522, 523, 524,
    529, 599,
];

fn statuses(wire: Wire) -> Vec<Fault> {
    let mut faults = Vec::new();
    for status in STATUSES {
        let own = wire.error(status, "some_kind", "the provider's words", "");
        let html = response(status, "", "<html><body>Bad gateway</body></html>");
        let empty = response(status, "", "");
        let hanging = vec![
            send(&format!("HTTP/1.1 {status} Status\r\ncontent-length: 99\r\n\r\n{{\"a")),
            Step::Hang,
        ];
        // OpenAI's errors have a code, which is passed on.
        let code = if status == 413 { "request_too_large" } else { "null" };
        for (body, answer, code) in [
            ("in its own words", own, code),
            ("with a page of HTML", html, code),
            ("without a body", empty, code),
            ("with a body that hangs", hanging, code),
        ] {
            // No body belongs to it (RFC 9110, section 15.4.5).
            if status == 304 && body != "without a body" {
                continue;
            }
            let (ends, calls) = match status {
                400 | 413 | 422 => (Refused(status, code), 1),
                451 => (Refused(400, code), 1),
                401 | 403 => (Refused(502, "provider_authentication_failed"), 1),
                402 => (Refused(429, "insufficient_quota"), 1),
                404 => (Refused(502, "provider_model_not_found"), 1),
                408 => (TIMED_OUT, 1),
                429 => (Refused(429, "rate_limit_exceeded"), 1),
                503 | 529 => (Refused(503, "provider_overloaded"), NOT_BEGUN),
                424 | 500.. => (FAILED, NOT_BEGUN),
                _ => (FAILED, 1),
            };
            let name = format!("{status} {body}");
            faults.extend(all("a status", (ends, ends), calls, vec![(&name, answer)]));
        }
    }
    faults
}

/// 200, and then nothing of an answer.
fn no_answer(wire: Wire) -> Vec<Fault> {
    let body = |text: &str| vec![events_head(), piece(text), stream_end()];
    let with_length = |length: usize, text: &str| {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {length}\r\n\r\n");
        vec![send(&head), send(text)]
    };
    let place = "200 without an answer";
    let broken = vec![
        ("an empty body", vec![events_head(), stream_end()]),
        ("blank lines", body("\n\n \n")),
        ("a page of HTML", body("<html><body>Welcome</body></html>")),
        ("a word", body("OK")),
        ("`null`", body("null")),
        ("`{}`", body("{}")),
        ("`[]`", body("[]")),
        ("`data: null`", body("data: null\n\n")),
        ("comments only", body(": ping\n\n: ping\n\n")),
        ("half a JSON body", body("{\"choices\": [{\"mess")),
        (
            "bytes that are no text",
            vec![events_head(), piece([0xfe, 0xff, 0x00, 0x9d]), stream_end()],
        ),
        ("a cut after the head", vec![events_head()]),
        ("a reset after the head", vec![events_head(), Step::Reset]),
        ("a body shorter than its length", with_length(99, "data: ")),
        ("a chunk size that is no number", vec![events_head(), send("zz\r\n")]),
        ("an error", vec![events_head(), wire.failure(), stream_end()]),
    ];
    let mut faults = all(place, (FAILED, FAILED), BEGUN, broken);
    let silent = vec![("silence after the head", vec![events_head(), Step::Hang])];
    faults.extend(all(place, (TIMED_OUT, TIMED_OUT), 1, silent));
    faults
}

/// The stream has begun, and no text has come.
fn before_the_text(wire: Wire) -> Vec<Fault> {
    let place = "before the first text";
    let begun = wire.start();
    let broken = vec![
        ("the end", then(&begun, vec![stream_end()])),
        ("a cut", begun.clone()),
        ("a reset", then(&begun, vec![Step::Reset])),
        ("an error", then(&begun, vec![wire.failure(), stream_end()])),
        ("an error, then a cut", then(&begun, vec![wire.failure()])),
    ];
    let mut faults = all(place, (FAILED, FAILED), BEGUN, broken);
    faults.extend(all(
        place,
        (TIMED_OUT, TIMED_OUT),
        1,
        vec![("silence", then(&begun, vec![Step::Hang]))],
    ));
    faults
}

/// An event that is not what the protocol has.
fn malformed(wire: Wire) -> Vec<(&'static str, Step)> {
    match wire {
        Wire::Bedrock => {
            let mut wrong_sum = frame(r#"contentBlockDelta {"contentBlockIndex":0,"delta":{"text":"x"}}"#);
            *wrong_sum.last_mut().unwrap() ^= 1;
            vec![
                (
                    "an event that is not JSON",
                    piece(frame("contentBlockDelta {\"delta\": {\"te")),
                ),
                (
                    "a text that is a number",
                    piece(frame(r#"contentBlockDelta {"delta":{"text":5}}"#)),
                ),
                ("a wrong checksum", piece(wrong_sum)),
                ("bytes that are no text", piece([0xfe; 32])),
            ]
        }
        Wire::OpenAi | Wire::Anthropic | Wire::Gemini => {
            let number = match wire {
                Wire::OpenAi => r#"{"choices":[{"index":0,"delta":{"content":5}}]}"#,
                Wire::Anthropic => r#"{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":5}}"#,
                _ => r#"{"candidates":[{"content":{"parts":[{"text":5}]}}]}"#,
            };
            vec![
                ("an event that is not JSON", piece("data: {\"choices\": [\n\n")),
                ("a text that is a number", piece(format!("data: {number}\n\n"))),
                ("bytes that are no text", piece(b"data: \xfe\xff\n\n")),
                ("an event that is a page of HTML", piece("data: <html></html>\n\n")),
                (
                    "an error in plain words",
                    piece("event: error\ndata: upstream failed\n\n"),
                ),
                ("an error that is empty", piece("event: error\ndata: {}\n\n")),
                ("an end marker", piece("data: [DONE]\n\n")),
            ]
        }
    }
}

/// Finish reasons that do not end an answer well.
fn bad_finishes(wire: Wire) -> Vec<(&'static str, Vec<Step>)> {
    let finish = |reason: &str| match wire {
        Wire::OpenAi => piece(format!(
            r#"data: {{"choices":[{{"index":0,"delta":{{}},"finish_reason":"{reason}"}}]}}{}"#,
            "\n\n"
        )),
        Wire::Anthropic => piece(format!(
            r#"data: {{"type":"message_delta","delta":{{"stop_reason":"{reason}"}}}}{}"#,
            "\n\n"
        )),
        Wire::Bedrock => piece(frame(&format!(r#"messageStop {{"stopReason":"{reason}"}}"#))),
        Wire::Gemini => piece(format!(
            r#"data: {{"candidates":[{{"finishReason":"{reason}","index":0}}]}}{}"#,
            "\n\n"
        )),
    };
    vec![
        ("the finish reason `error`", vec![finish("error"), stream_end()]),
        ("the finish reason `abort`", vec![finish("abort"), stream_end()]),
        (
            "the finish reason `tool_calls`",
            vec![finish("tool_calls"), stream_end()],
        ),
        (
            "a finish reason that is new",
            vec![finish("a_new_reason"), stream_end()],
        ),
    ]
}

fn after_the_text(wire: Wire) -> Vec<Fault> {
    let place = "after some text";
    let once = once(wire);
    let bytes = bytes_of(&[wire.text(" upon")]);
    // The piece's own head and end are the transfer coding's.
    let event = &bytes[bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1..bytes.len() - 2];
    let half = piece(&event[..event.len() / 2]);
    let large = piece("a".repeat(1024 * 1024));
    let Step::Send(large) = large else { unreachable!() };
    let mut broken = vec![
        ("the end", then(&once, vec![stream_end()])),
        ("a cut", once.clone()),
        ("a reset", then(&once, vec![Step::Reset])),
        ("an error", then(&once, vec![wire.failure(), stream_end()])),
        ("an error, then a cut", then(&once, vec![wire.failure()])),
        (
            "half an event, then the end",
            then(&once, vec![half.clone(), stream_end()]),
        ),
        ("half an event, then a cut", then(&once, vec![half])),
        ("a chunk size that is no number", then(&once, vec![send("zz\r\n")])),
        (
            "an event without an end",
            then(&once, vec![piece("data: "), Step::Repeat(large, 10), stream_end()]),
        ),
    ];
    for (name, step) in malformed(wire) {
        broken.push((name, then(&once, vec![step, stream_end()])));
    }
    for (name, steps) in bad_finishes(wire) {
        broken.push((name, then(&once, steps)));
    }
    let mut faults = all(place, (FAILED, CutOff("provider_error")), 1, broken);
    let silent = vec![("silence", then(&once, vec![Step::Hang]))];
    faults.extend(all(place, (TIMED_OUT, CutOff("provider_timeout")), 1, silent));
    faults
}

/// The finish reason is there; what else the protocol has at its end is not.
fn after_the_finish(wire: Wire) -> Vec<Fault> {
    let end = wire.end("stop", 2);
    // The finish is the first step of the end, but that Anthropic and Bedrock end a block before.
    let finish = match wire {
        Wire::OpenAi | Wire::Gemini => 1,
        Wire::Anthropic | Wire::Bedrock => 2,
    };
    let finished = then(&once_upon(wire), end[..finish].to_vec());
    // Anthropic has an end marker; Gemini ends where the body does.
    let is_whole = matches!(wire, Wire::OpenAi | Wire::Bedrock);
    let place = "after the finish reason";
    let cut = if is_whole {
        (Whole, Whole)
    } else {
        (FAILED, CutOff("provider_error"))
    };
    let late = if is_whole {
        (Whole, Whole)
    } else {
        (TIMED_OUT, CutOff("provider_timeout"))
    };
    let mut faults = all(
        place,
        cut,
        1,
        vec![
            ("a cut", finished.clone()),
            ("a reset", then(&finished, vec![Step::Reset])),
            ("a chunk size that is no number", then(&finished, vec![send("zz\r\n")])),
        ],
    );
    faults.extend(all(
        place,
        late,
        1,
        vec![("silence", then(&finished, vec![Step::Hang]))],
    ));
    let error = vec![("an error", then(&finished, vec![wire.failure(), stream_end()]))];
    faults.extend(all(place, (FAILED, CutOff("provider_error")), 1, error));
    // Bare bytes within Bedrock's frames are a broken frame, which takes nothing from the answer.
    if wire != Wire::Bedrock {
        let bare = |text: &str| then(&finished, vec![piece(text), stream_end()]);
        let errors = vec![
            (
                "an error that is no event",
                bare("[\n  {\n    \"error\": {\"code\": 500}\n  }\n]\n"),
            ),
            ("an error in an unknown field", bare("error: {\"code\": 500}\n")),
            (
                "an event that names an exception",
                bare("event: Exception\ndata: {\"reason\": \"boom\"}\n\n"),
            ),
            ("an error in a marker", bare("data: [ERROR] boom\n\n")),
        ];
        faults.extend(all(place, (FAILED, CutOff("provider_error")), 1, errors));
    }
    let ends = vec![(
        "the end, and a cut after it",
        then(&once_upon(wire), [end, vec![Step::Reset]].concat()),
    )];
    faults.extend(all(place, (Whole, Whole), 1, ends));
    faults
}
