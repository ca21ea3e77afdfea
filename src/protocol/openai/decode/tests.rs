use serde_json::json;

use super::*;
use crate::protocol::{Protocol, decode::Frame};

/// The counts that are left when all chunks have come.
fn counted(chunks: &[Value]) -> Option<Usage> {
    let mut reader = Protocol::OpenAi.reader();
    let mut last = None;
    for chunk in chunks {
        let data = chunk.to_string();
        for delta in reader.read(&Frame { event: None, data }).unwrap() {
            if let Delta::Usage(usage) = delta {
                last = Some(usage);
            }
        }
    }
    last
}

const fn usage_of(prompt: u64, completion: u64, cached: Option<u64>, reasoning: Option<u64>) -> Usage {
    Usage {
        prompt,
        completion,
        cached,
        written_to_cache: None,
        reasoning,
    }
}

/// Chunks, and what is counted in them: prompt, completion, cached, reasoning.
const COUNTS: &[(&[&str], Usage)] = &[
    (
        &[r#"{"choices": [], "usage": {"prompt_tokens": 9, "completion_tokens": 3}}"#],
        usage_of(9, 3, None, None),
    ),
    // Moonshot and Groq.
    (
        &[r#"{"choices": [{"index": 0, "usage": {"prompt_tokens": 9, "completion_tokens": 3}}]}"#],
        usage_of(9, 3, None, None),
    ),
    (
        &[r#"{"choices": [], "x_groq": {"id": "r", "usage": {"prompt_tokens": 9, "completion_tokens": 3}}}"#],
        usage_of(9, 3, None, None),
    ),
    // DeepSeek, Moonshot, OpenAI.
    (
        &[r#"{"usage": {"prompt_tokens": 9, "completion_tokens": 3, "prompt_cache_hit_tokens": 4}}"#],
        usage_of(9, 3, Some(4), None),
    ),
    (
        &[r#"{"usage": {"prompt_tokens": 9, "completion_tokens": 3, "cached_tokens": 4}}"#],
        usage_of(9, 3, Some(4), None),
    ),
    (
        &[r#"{"usage": {"prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": {"cached_tokens": 4}}}"#],
        usage_of(9, 3, Some(4), None),
    ),
    (
        &[r#"{"usage": {"prompt_tokens": 9, "completion_tokens": 3, "prompt_tokens_details": null}}"#],
        usage_of(9, 3, None, None),
    ),
    (
        &[r#"{"usage": {"input_tokens": 9, "output_tokens": 3}}"#],
        usage_of(9, 3, None, None),
    ),
    // A server that ends with zeros, one that counts in two chunks, and one with the counts so far in each chunk.
    (
        &[
            r#"{"usage": {"prompt_tokens": 9, "completion_tokens": 3}}"#,
            r#"{"usage": {"prompt_tokens": 0, "completion_tokens": 0}}"#,
        ],
        usage_of(9, 3, None, None),
    ),
    (
        &[
            r#"{"usage": {"prompt_tokens": 9}}"#,
            r#"{"usage": {"completion_tokens": 3}}"#,
        ],
        usage_of(9, 3, None, None),
    ),
    (
        &[
            r#"{"usage": {"prompt_tokens": 9, "completion_tokens": 1}}"#,
            r#"{"usage": {"prompt_tokens": 9, "completion_tokens": 3}}"#,
        ],
        usage_of(9, 3, None, None),
    ),
    (
        &[r#"{"usage": {"prompt_tokens": "nine", "completion_tokens": 3.0}}"#],
        usage_of(0, 3, None, None),
    ),
];

#[test]
fn counts_where_each_server_has_them() {
    for (chunks, expected) in COUNTS {
        let chunks: Vec<_> = chunks
            .iter()
            .map(|chunk| serde_json::from_str(chunk).unwrap())
            .collect();
        assert_eq!(counted(&chunks), Some(*expected), "{chunks:?}");
    }
}

#[test]
fn counts_that_say_nothing_are_left_out() {
    for usage in [
        json!(null),
        json!({}),
        json!([]),
        json!(""),
        json!({"prompt_tokens": null, "completion_tokens": null}),
        json!({"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}),
    ] {
        assert_eq!(counted(&[json!({"choices": [], "usage": usage})]), None, "{usage}");
    }
}

#[test]
fn reasoning_beside_the_completion_is_counted_with_it() {
    let usage = |completion: u64, reasoning: u64, total: Option<u64>| {
        counted(&[
            json!({"usage": {"prompt_tokens": 32, "completion_tokens": completion, "total_tokens": total,
            "completion_tokens_details": {"reasoning_tokens": reasoning}}}),
        ])
    };
    // xAI's own example.
    assert_eq!(usage(9, 94, Some(135)), Some(usage_of(32, 103, None, Some(94))));
    assert_eq!(usage(100, 94, Some(226)), Some(usage_of(32, 194, None, Some(94))));
    assert_eq!(usage(9, 94, None), Some(usage_of(32, 103, None, Some(94))));
    // OpenAI's way.
    assert_eq!(usage(103, 94, Some(135)), Some(usage_of(32, 103, None, Some(94))));
    assert_eq!(usage(103, 0, Some(135)), Some(usage_of(32, 103, None, Some(0))));
    assert_eq!(usage(103, 94, None), Some(usage_of(32, 103, None, Some(94))));
}

#[test]
fn reasoning_in_every_servers_fields() {
    for delta in [
        json!({"reasoning_content": "Hm"}),
        json!({"reasoning": "Hm"}),
        json!({"reasoning_content": "", "reasoning": "Hm"}),
        json!({"reasoning_content": null, "reasoning": "Hm"}),
        json!({"reasoning_content": "Hm", "reasoning": "Hm"}),
        json!({"reasoning_content": "Hm", "reasoning": ""}),
        json!({"content": [{"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]}]}),
        json!({"content": [{"type": "thinking", "thinking": "Hm"}]}),
        json!({"content": [{"type": "reasoning", "text": "Hm"}]}),
        json!({"content": [{"type": "reasoning", "reasoning": "Hm"}]}),
        json!({"content": [{"type": "reasoning", "reasoning": [{"text": "Hm"}]}]}),
        json!({"reasoning_details": [{"type": "reasoning.text", "text": "Hm"}]}),
        json!({"reasoning_details": [{"type": "reasoning.summary", "summary": "Hm"}]}),
        json!({"thinking": "Hm"}),
    ] {
        let chunk = json!({"choices": [{"delta": delta}]}).to_string();
        let frame = Frame {
            event: None,
            data: chunk,
        };
        let deltas = Protocol::OpenAi.reader().read(&frame).unwrap();
        assert_eq!(deltas, [Delta::Reasoning("Hm".into())], "{delta}");
    }
}

/// The texts of an answer, each with the tokens of its log probabilities.
fn texts(chunks: &[Value]) -> Vec<(String, Vec<String>)> {
    let mut reader = Protocol::OpenAi.reader();
    let mut texts = Vec::new();
    for chunk in chunks {
        let data = chunk.to_string();
        for delta in reader.read(&Frame { event: None, data }).unwrap() {
            if let Delta::Text { text, logprobs } = delta {
                let logprobs = logprobs.unwrap_or_default();
                let tokens = logprobs["content"].as_array().into_iter().flatten();
                texts.push((
                    text,
                    tokens
                        .map(|token| token["token"].as_str().unwrap().to_owned())
                        .collect(),
                ));
            }
        }
    }
    texts
}

#[test]
fn log_probabilities_of_a_chunk_without_text_come_with_the_next_text() {
    let chunk = |text: &str, token: &str| json!({"choices": [{"delta": {"content": text}, "logprobs": {"content": [{"token": token, "logprob": -0.5}]}}]});
    let found = texts(&[
        chunk("a", "a"),
        chunk("", "b1"),
        chunk("", "b2"),
        chunk("b", "b3"),
        chunk("c", "c"),
    ]);
    let expected = [("a", vec!["a"]), ("b", vec!["b1", "b2", "b3"]), ("c", vec!["c"])];
    let expected = expected.map(|(text, tokens)| (text.to_owned(), tokens.into_iter().map(str::to_owned).collect()));
    assert_eq!(found, expected);
}

#[test]
fn a_chunk_of_the_older_api_has_its_text_elsewhere() {
    let chunk = |text: &str| json!({"choices": [{"index": 0, "text": text, "finish_reason": null}]});
    let both = json!({"choices": [{"index": 0, "text": "b", "delta": {"content": "b"}, "finish_reason": null}]});
    let found: Vec<_> = texts(&[chunk("a"), both]).into_iter().map(|(text, _)| text).collect();
    assert_eq!(found, ["a", "b"]);
}
