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

const fn usage_of(prompt: u64, completion: u64, cached: Option<u64>, reasoning: Option<u64>) -> Option<Usage> {
    Some(Usage {
        prompt,
        completion,
        cached,
        reasoning,
    })
}

#[test]
fn counts_where_each_server_has_them() {
    let counts = json!({"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12});
    let with = |name: &str, value: Value| {
        let mut counts = counts.clone();
        counts[name] = value;
        json!({"choices": [], "usage": counts})
    };
    for (chunks, expected) in [
        (
            vec![json!({"choices": [], "usage": counts})],
            usage_of(9, 3, None, None),
        ),
        // Moonshot and Groq.
        (
            vec![json!({"choices": [{"index": 0, "delta": {}, "usage": counts}]})],
            usage_of(9, 3, None, None),
        ),
        (
            vec![json!({"choices": [], "x_groq": {"id": "req_1", "usage": counts}})],
            usage_of(9, 3, None, None),
        ),
        // DeepSeek, Moonshot.
        (
            vec![with("prompt_cache_hit_tokens", json!(4))],
            usage_of(9, 3, Some(4), None),
        ),
        (vec![with("cached_tokens", json!(4))], usage_of(9, 3, Some(4), None)),
        (
            vec![with("prompt_tokens_details", json!({"cached_tokens": 4}))],
            usage_of(9, 3, Some(4), None),
        ),
        (
            vec![with("prompt_tokens_details", Value::Null)],
            usage_of(9, 3, None, None),
        ),
        (
            vec![json!({"usage": {"input_tokens": 9, "output_tokens": 3}})],
            usage_of(9, 3, None, None),
        ),
        // A server that ends with zeros.
        (
            vec![
                json!({"usage": counts}),
                json!({"usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}}),
            ],
            usage_of(9, 3, None, None),
        ),
        (
            vec![
                json!({"usage": {"prompt_tokens": 9}}),
                json!({"usage": {"completion_tokens": 3}}),
            ],
            usage_of(9, 3, None, None),
        ),
        // Counts so far in each chunk.
        (
            vec![
                json!({"usage": {"prompt_tokens": 9, "completion_tokens": 1}}),
                json!({"usage": counts}),
            ],
            usage_of(9, 3, None, None),
        ),
        (
            vec![json!({"usage": {"prompt_tokens": "9", "completion_tokens": 3.0}})],
            usage_of(0, 3, None, None),
        ),
    ] {
        assert_eq!(counted(&chunks), expected, "{chunks:?}");
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
    assert_eq!(usage(9, 94, Some(135)), usage_of(32, 103, None, Some(94)));
    assert_eq!(usage(100, 94, Some(226)), usage_of(32, 194, None, Some(94)));
    assert_eq!(usage(9, 94, None), usage_of(32, 103, None, Some(94)));
    // OpenAI's way.
    assert_eq!(usage(103, 94, Some(135)), usage_of(32, 103, None, Some(94)));
    assert_eq!(usage(103, 0, Some(135)), usage_of(32, 103, None, Some(0)));
    assert_eq!(usage(103, 94, None), usage_of(32, 103, None, Some(94)));
}
