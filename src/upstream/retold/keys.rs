//! Keys in a provider's words: whole, in pieces, and masked.

use std::ops::Range;

/// Shortest piece of a key that is blanked out, in bytes. A shorter key is blanked as a whole word only: it may be a word
/// such as `none`, or a letter.
const MIN_PIECE: usize = 12;
/// Shortest end of a key that is told beside the mask of the rest, in bytes.
const MIN_END: usize = 4;

/// Longest beginning that all keys of a provider have, in bytes.
const MAX_PUBLIC: usize = 6;

/// The text with `[key]` in place of the key and of any longer piece of it.
pub(super) fn blank_out(text: &str, key: &str) -> String {
    let mut blanked = String::new();
    let mut kept = 0;
    for piece in pieces(text, key) {
        blanked.push_str(&text[kept..piece.start]);
        blanked.push_str("[key]");
        kept = piece.end;
    }
    blanked + &text[kept..]
}

/// Where the key or a longer piece of it stands, or an end of it beside a mask, or both ends with anything in between. A key is
/// ASCII, and so is each piece of it: both ends lie between characters.
fn pieces(text: &str, key: &str) -> Vec<Range<usize>> {
    let mut pieces = both_ends(text, key);
    let mut at = 0;
    while at < text.len() {
        let length = if key.len() < MIN_PIECE {
            is_word(text, at, key).then_some(key.len())
        } else {
            masked(&text[at..], key).or_else(|| {
                Some(longest_piece(&text.as_bytes()[at..], key.as_bytes())).filter(|length| *length >= MIN_PIECE)
            })
        };
        pieces.extend(length.map(|length| at..at + length));
        at += length.unwrap_or_else(|| text[at..].chars().next().map_or(1, char::len_utf8));
    }
    joined(pieces)
}

/// The ranges in order, those that overlap as one.
fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

/// Where the key's beginning and its end stand, if both do: whatever is between them, it may mask the rest.
fn both_ends(text: &str, key: &str) -> Vec<Range<usize>> {
    if key.len() < MIN_PIECE {
        return Vec::new();
    }
    let (of_text, of_key) = (text.as_bytes(), key.as_bytes());
    let public = public_prefix(key);
    // A beginning such as `sk-proj` is no word, and so whatever the key ends with is no word of the message.
    let is_telling = |piece: &[u8]| public > 0 || is_no_word(piece);
    let is_inner = |at: Option<usize>| at.and_then(|at| of_text.get(at)).is_some_and(u8::is_ascii_alphanumeric);
    let beginning = |at: usize| {
        let pairs = of_text[at..].iter().zip(of_key);
        let length = pairs.take_while(|(one, other)| one == other).count();
        let is_end = length >= public + MIN_END && is_telling(&of_key[..length]);
        (is_end && !is_inner(at.checked_sub(1))).then_some(at..at + length)
    };
    let end = |at: usize| {
        let pairs = of_text[..at].iter().rev().zip(of_key[public..].iter().rev());
        let length = pairs.take_while(|(one, other)| one == other).count();
        let is_end = length >= MIN_END && is_telling(&of_key[of_key.len() - length..]) && !is_inner(Some(at));
        is_end.then_some(at - length..at)
    };
    let beginnings: Vec<_> = (0..of_text.len()).filter_map(beginning).collect();
    let ends: Vec<_> = (1..=of_text.len()).filter_map(end).collect();
    if beginnings.is_empty() || ends.is_empty() {
        return Vec::new();
    }
    beginnings.into_iter().chain(ends).collect()
}

/// How many bytes at a key's start all keys of its provider begin with, such as `sk-` and `gsk_`.
fn public_prefix(key: &str) -> usize {
    let mark = key
        .bytes()
        .take(MAX_PUBLIC)
        .position(|byte| matches!(byte, b'-' | b'_'));
    mark.map_or(0, |mark| mark + 1)
}

/// Whether an end of a key is no part of a word that any message may hold: it has a digit or both cases, or is longer.
fn is_no_word(piece: &[u8]) -> bool {
    let has = |of: fn(&u8) -> bool| piece.iter().any(of);
    piece.len() >= 2 * MIN_END || has(u8::is_ascii_digit) || has(u8::is_ascii_lowercase) && has(u8::is_ascii_uppercase)
}

/// Whether a word begins at `at` and is `key`.
fn is_word(text: &str, at: usize, key: &str) -> bool {
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-') || !byte.is_ascii();
    let text = text.as_bytes();
    let within_word = |at: Option<usize>| at.and_then(|at| text.get(at)).is_some_and(is_inner);
    text[at..].starts_with(key.as_bytes()) && !within_word(at.checked_sub(1)) && !within_word(Some(at + key.len()))
}

/// How many bytes at the text's start are a piece of the key.
fn longest_piece(text: &[u8], key: &[u8]) -> usize {
    let common = |from: usize| {
        let pairs = key[from..].iter().zip(text);
        pairs.take_while(|(of_key, of_text)| of_key == of_text).count()
    };
    (0..key.len()).map(common).max().unwrap_or(0)
}

/// How many bytes at the text's start are a masked form of the key, such as `sk-012*****789` and `sk-0...789`.
fn masked(text: &str, key: &str) -> Option<usize> {
    let pairs = text.bytes().zip(key.bytes());
    let start = pairs.take_while(|(of_text, of_key)| of_text == of_key).count();
    let rest = &text[start..];
    let unmasked = rest.trim_start_matches(['*', '•', '●', '…', '.']);
    let mask = &rest[..rest.len() - unmasked.len()];
    if mask.is_empty() || mask == "." {
        return None;
    }
    let mut ends = (MIN_END..key.len()).rev();
    let end = ends.find(|length| unmasked.starts_with(&key[key.len() - length..]));
    (start >= MIN_END || end.is_some()).then(|| start + mask.len() + end.unwrap_or(0))
}
