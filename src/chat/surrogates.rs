//! Halves of characters: servers that cut texts by UTF-16 units write the two surrogates of an emoji into two chunks.
//!
//! A Rust string has no surrogates. A lone one is read as a mark, a character of the last private-use plane, and the
//! marks are put together again or replaced before anybody sees the text.

use serde_json::Value;

use super::delta::Delta;

/// What stands for U+D800, the first surrogate. The last one, U+DFFF, is U+10FFFF.
const FIRST_MARK: u32 = 0x0010_F800;
const FIRST_SURROGATE: u32 = 0xD800;
const FIRST_LOW: u32 = 0xDC00;
const LAST_SURROGATE: u32 = 0xDFFF;

/// Halves of characters at the end of what has come of each kind of text.
#[derive(Debug, Default)]
pub(crate) struct Halves {
    text: Option<u32>,
    reasoning: Option<u32>,
    refusal: Option<u32>,
}

impl Halves {
    /// Adds a delta to `joined`: its first half of a character goes with the one before, its last one waits for the next.
    /// A half that stays alone is U+FFFD. Only a `marked` delta has marks.
    pub(crate) fn join(&mut self, delta: Delta, marked: bool, joined: &mut Vec<Delta>) {
        match delta {
            Delta::Text { text, mut logprobs } => {
                if let Some(logprobs) = logprobs.as_mut().filter(|_| marked) {
                    replace(logprobs);
                }
                let text = join(&mut self.text, text, marked);
                if !text.is_empty() {
                    joined.push(Delta::Text { text, logprobs });
                }
            }
            Delta::Reasoning(text) => {
                let text = join(&mut self.reasoning, text, marked);
                joined.extend((!text.is_empty()).then_some(Delta::Reasoning(text)));
            }
            Delta::Refusal(text) => {
                let text = join(&mut self.refusal, text, marked);
                joined.extend((!text.is_empty()).then_some(Delta::Refusal(text)));
            }
            Delta::Finish(_) => {
                if self.text.take().is_some() {
                    joined.push(Delta::Text {
                        text: char::REPLACEMENT_CHARACTER.into(),
                        logprobs: None,
                    });
                }
                joined.push(delta);
            }
            Delta::Usage(_) => joined.push(delta),
        }
    }
}

fn join(half: &mut Option<u32>, text: String, marked: bool) -> String {
    if half.is_none() && !marked {
        return text;
    }
    let mut joined = String::with_capacity(text.len());
    for char in text.chars() {
        let surrogate = surrogate_of(char).filter(|_| marked);
        let before = half.take();
        match (before, surrogate) {
            (Some(high), Some(low)) if low >= FIRST_LOW => joined.extend(pair(high, low)),
            (before, surrogate) => {
                joined.extend(before.map(|_| char::REPLACEMENT_CHARACTER));
                match surrogate {
                    Some(high) if high < FIRST_LOW => *half = Some(high),
                    Some(_) => joined.push(char::REPLACEMENT_CHARACTER),
                    None => joined.push(char),
                }
            }
        }
    }
    joined
}

fn pair(high: u32, low: u32) -> Option<char> {
    char::from_u32(0x1_0000 + ((high - FIRST_SURROGATE) << 10) + (low - FIRST_LOW))
}

fn surrogate_of(mark: char) -> Option<u32> {
    u32::from(mark)
        .checked_sub(FIRST_MARK)
        .map(|offset| FIRST_SURROGATE + offset)
}

/// Replaces the marks in all texts of a value by U+FFFD.
pub(crate) fn replace(value: &mut Value) {
    match value {
        Value::String(text) => {
            let unmarked = |char: char| surrogate_of(char).map_or(char, |_| char::REPLACEMENT_CHARACTER);
            *text = text.chars().map(unmarked).collect();
        }
        Value::Array(list) => list.iter_mut().for_each(replace),
        Value::Object(fields) => fields.values_mut().for_each(replace),
        _ => {}
    }
}

/// Copies the escape at the start of `rest`, a lone surrogate's as its mark. Returns its length in bytes, the other half
/// of a pair included.
pub(crate) fn mend_escape(rest: &str, mended: &mut String) -> usize {
    let (length, lone) = escape(rest);
    match lone {
        Some(surrogate) => mended.extend(char::from_u32(surrogate - FIRST_SURROGATE + FIRST_MARK)),
        None => mended.push_str(&rest[..length]),
    }
    length
}

/// The length in bytes of the escape at the start of `rest`, the other half of a pair included, and the surrogate that it is
/// where it is a lone one.
fn escape(rest: &str) -> (usize, Option<u32>) {
    match (escaped_surrogate(rest), rest.get(6..).and_then(escaped_surrogate)) {
        (Some(high), Some(low)) if high < FIRST_LOW && low >= FIRST_LOW => (12, None),
        (Some(surrogate), _) => (6, Some(surrogate)),
        // A backslash and what it escapes.
        _ => (1 + rest[1..].chars().next().map_or(0, char::len_utf8), None),
    }
}

/// JSON with U+FFFD in the place of each lone surrogate, every other byte where it was; `None` where there is none.
pub(crate) fn without_lone(json: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(json).ok()?;
    let mut mended = None;
    let mut at = 0;
    while let Some(backslash) = text[at..].find('\\') {
        at += backslash;
        let (length, lone) = escape(&text[at..]);
        if lone.is_some() {
            let mended = mended.get_or_insert_with(|| json.to_vec());
            mended[at..at + length].copy_from_slice(b"\\uFFFD");
        }
        at += length;
    }
    mended
}

/// The surrogate that the escape `\uD83D` at the start of a text stands for.
fn escaped_surrogate(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    let surrogate = u32::from_str_radix(digits, 16).ok()?;
    (FIRST_SURROGATE..=LAST_SURROGATE)
        .contains(&surrogate)
        .then_some(surrogate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lone_surrogates_are_replaced_where_they_stand() {
        for (json, expected) in [
            (r#""a\ud83d""#, Some(r#""a\uFFFD""#)),
            (
                r#"{"\uDE00": "\ud83d\ude00\ud83d"}"#,
                Some(r#"{"\uFFFD": "\ud83d\ude00\uFFFD"}"#),
            ),
            (r#""\ud83d\ud83d\ude00""#, Some(r#""\uFFFD\ud83d\ude00""#)),
            (r#""\ud83d\ude00""#, None),
            (r#""\\ud83d""#, None),
            (r#""\é\u00e9\n""#, None),
            (r#""\ud8"#, None),
        ] {
            let mended = without_lone(json.as_bytes());
            assert_eq!(mended.as_deref(), expected.map(str::as_bytes), "{json}");
        }
    }

    #[test]
    fn halves_of_characters_are_joined_or_replaced() {
        for (pieces, expected) in [
            (&[r"a\ud83d", r"\ude00b"][..], "a😀b"),
            (&[r"a\ud83d\ude00b"], "a😀b"),
            (&[r"a\ud83d", "b"], "a\u{fffd}b"),
            (&[r"a\ud83d"], "a\u{fffd}"),
            (&[r"\ude00b"], "\u{fffd}b"),
            (&[r"\ud83d", r"\ud83d", r"\ude00"], "\u{fffd}😀"),
            (&[r"\ud83db\ude00"], "\u{fffd}b\u{fffd}"),
            (&[r"\\ud83d"], r"\ud83d"),
            (&[r"a\n\u00e9"], "a\né"),
        ] {
            let mut halves = Halves::default();
            let mut joined = Vec::new();
            for piece in pieces {
                let mut mended = String::new();
                let mut rest = *piece;
                while !rest.is_empty() {
                    let length = if rest.starts_with('\\') {
                        mend_escape(rest, &mut mended)
                    } else {
                        mended.push_str(&rest[..1]);
                        1
                    };
                    rest = &rest[length..];
                }
                let text: String = serde_json::from_str(&format!("\"{mended}\"")).unwrap();
                halves.join(Delta::Text { text, logprobs: None }, true, &mut joined);
            }
            halves.join(
                Delta::Finish(crate::chat::delta::FinishReason::Stop),
                false,
                &mut joined,
            );
            let text: String = joined
                .iter()
                .filter_map(|delta| match delta {
                    Delta::Text { text, .. } => Some(text.as_str()),
                    _ => None,
                })
                .collect();
            assert_eq!(text, expected, "{pieces:?}");
        }
    }
}
