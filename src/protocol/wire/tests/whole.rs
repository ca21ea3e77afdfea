//! What makes an answer whole, and what does not.

use super::*;

#[test]
fn what_follows_an_answer_changes_nothing_unless_it_says_an_error() {
    // The answer is complete: only what says an error is one.
    for (data, is_error) in [
        ("[ERROR] boom", true),
        (r#"{"error": {"message": "boom"}}"#, true),
        (r#"{"error": {"message": "cut"#, true),
        ("<html>504</html>", false),
        (r#"{"detail": "x"}"#, false),
    ] {
        let (_, error) = read(
            &mut Protocol::OpenAi.reader(),
            &[frame("", OPENAI[0]), frame("", OPENAI[2]), frame("", data)],
        );
        assert_eq!(error.is_some(), is_error, "{data}");
    }
}

#[test]
fn a_finish_beside_text_ends_an_answer_unless_something_broken_follows() {
    for protocol in [Protocol::OpenAi, Protocol::Gemini] {
        let finish = match protocol {
            Protocol::Gemini => {
                r#"{"candidates": [{"content": {"parts": [{"text": "Once"}]}, "finishReason": "STOP"}]}"#
            }
            _ => r#"{"choices": [{"delta": {"content": "Once"}, "finish_reason": "stop"}]}"#,
        };
        for (data, is_error) in [
            (r#"[{"error": {"code": 503}}]"#, true),
            ("upstream connect error", true),
            ("done", false),
            ("[done]", false),
            ("\"[DONE]\"", false),
            (r#"{"code": 0, "message": "Success"}"#, false),
            (r#"{"choices": [], "message": "x"}"#, false),
        ] {
            let (_, error) = read(&mut protocol.reader(), &[frame("", finish), frame("", data)]);
            assert_eq!(error.is_some(), is_error, "{protocol:?} {data}");
        }
    }
}

#[test]
fn an_end_marker_ends_whole_answers_of_every_protocol() {
    let done = frame("", "[DONE]");
    for (protocol, whole) in answers() {
        let mut reader = protocol.reader();
        let frames = [whole.clone(), vec![done.clone()]].concat();
        assert_eq!(read(&mut reader, &frames).1, None, "{protocol:?}");
        assert_eq!(reader.ending(), Ending::Over);
        let begun = [&whole[..2], &[done.clone()][..]].concat();
        assert!(read(&mut protocol.reader(), &begun).1.is_some(), "{protocol:?}");
    }
}

#[test]
fn before_an_answer_a_plain_line_may_greet() {
    for (protocol, whole) in answers() {
        let greeting = frame("", "connected");
        check_whole(protocol, &[std::slice::from_ref(&greeting), &whole[..]].concat());
        // Nothing better comes.
        let mut reader = protocol.reader();
        assert_eq!(read(&mut reader, std::slice::from_ref(&greeting)).1, None);
        assert_eq!(reader.ending(), Ending::CutOff);
        // Within the text, it may be a part of it.
        let within = [&whole[..2], &[greeting]].concat();
        assert!(read(&mut protocol.reader(), &within).1.is_some(), "{protocol:?}");
    }
}

#[test]
fn a_whole_message_after_its_deltas_repeats_them() {
    let whole = |text: &str| {
        let data = json!({"object": "chat.completion", "choices": [{"index": 0, "finish_reason": "stop",
            "message": {"role": "assistant", "content": text, "reasoning_content": "Hm"}}],
            "base_resp": {"status_code": 0}});
        frame("", &data.to_string())
    };
    let with_reason = r#"{"choices": [{"delta": {"content": " upon"}, "finish_reason": "stop"}]}"#;
    let thinking = r#"{"choices": [{"delta": {"reasoning_content": "Hm"}}]}"#;
    let in_messages = ["Once", " upon"].map(|text| json!({"choices": [{"message": {"content": text}}]}).to_string());
    for frames in [
        vec![frame("", OPENAI[0]), frame("", OPENAI[1]), whole("Once upon")],
        vec![frame("", OPENAI[0]), frame("", with_reason), whole("Once upon")],
        vec![whole("Once upon")],
        // Of the answer itself, nothing has come.
        vec![frame("", thinking), whole("Once upon")],
        // A server that has no deltas.
        vec![
            frame("", &in_messages[0]),
            frame("", &in_messages[1]),
            frame("", OPENAI[2]),
        ],
    ] {
        check_whole(Protocol::OpenAi, &frames);
        let (all, _) = read(&mut Protocol::OpenAi.reader(), &frames);
        assert!(["", "Hm"].contains(&all.reasoning.as_str()), "{frames:?}");
    }
}

#[test]
fn a_tools_call_without_text_is_no_answer() {
    let openai_call = r#"{"choices": [{"delta": {"tool_calls": [{"index": 0, "function": {"name": "f"}}]}}]}"#;
    let openai_stop = r#"{"choices": [{"delta": {}, "finish_reason": "stop"}]}"#;
    let with_text = r#"{"choices": [{"delta": {"content": "Hi"}, "finish_reason": "stop"}]}"#;
    let whole = r#"{"choices": [{"message": {"function_call": {"name": "f"}}, "finish_reason": "stop"}]}"#;
    let gemini =
        r#"{"candidates": [{"content": {"parts": [{"functionCall": {"name": "f"}}]}, "finishReason": "STOP"}]}"#;
    let anthropic = r#"{"type": "content_block_start", "content_block": {"type": "tool_use", "name": "f"}}"#;
    let bedrock = r#"{"start": {"toolUse": {"name": "f"}}}"#;
    for (protocol, frames, is_error) in [
        (
            Protocol::OpenAi,
            vec![frame("", openai_call), frame("", openai_stop)],
            true,
        ),
        (
            Protocol::OpenAi,
            vec![frame("", openai_call), frame("", with_text)],
            false,
        ),
        (Protocol::OpenAi, vec![frame("", openai_stop)], false),
        (Protocol::OpenAi, vec![frame("", whole)], true),
        (Protocol::Gemini, vec![frame("", gemini)], true),
        (
            Protocol::Anthropic,
            vec![frame("", anthropic), frame("", ANTHROPIC[3])],
            true,
        ),
        (
            Protocol::Bedrock,
            vec![frame("contentBlockStart", bedrock), frame(BEDROCK[2].0, BEDROCK[2].1)],
            true,
        ),
    ] {
        let (_, error) = read(&mut protocol.reader(), &frames);
        assert_eq!(error.is_some(), is_error, "{protocol:?} {frames:?}");
    }
}

#[test]
fn counts_that_are_none_cost_no_answer() {
    for (count, expected) in [
        ("3.0", 3),
        ("\"3\"", 3),
        ("-2", 0),
        ("18446744073709551615", 0),
        ("[]", 0),
    ] {
        for (protocol, event, data) in [
            (
                Protocol::OpenAi,
                "",
                r#"{"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": N}}"#,
            ),
            (
                Protocol::Anthropic,
                "",
                r#"{"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"input_tokens": 9, "output_tokens": N}}"#,
            ),
            (
                Protocol::Gemini,
                "",
                r#"{"usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": N}}"#,
            ),
            (
                Protocol::Bedrock,
                "metadata",
                r#"{"usage": {"inputTokens": 9, "outputTokens": N}}"#,
            ),
        ] {
            let deltas = protocol
                .reader()
                .read(&frame(event, &data.replace('N', count)))
                .unwrap();
            let usage = deltas.iter().find_map(|delta| match delta {
                Delta::Usage(usage) => Some((usage.prompt, usage.completion)),
                _ => None,
            });
            assert_eq!(usage, Some((9, expected)), "{protocol:?} {count}");
        }
    }
}

#[test]
fn a_stop_reason_of_anthropics_needs_an_end_marker() {
    let frames: Vec<_> = ANTHROPIC[..4].iter().map(|data| frame("", data)).collect();
    let ending_after = |last: &str| {
        let mut reader = Protocol::Anthropic.reader();
        let frames = [&frames[..], &[frame("", last)]].concat();
        assert_eq!(read(&mut reader, &frames).1, None);
        reader.ending()
    };
    assert_eq!(ending_after(r#"{"type": "ping"}"#), Ending::Unclosed);
    // Gateways write OpenAI's marker.
    assert_eq!(ending_after("[DONE]"), Ending::Over);
    // There was a reason, and the answer goes on.
    assert_eq!(ending_after(ANTHROPIC[2]), Ending::CutOff);
}
