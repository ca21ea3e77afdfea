//! A text as each of its encodings would be read.

use super::digits::digits_read;

/// How many encodings within one another are read.
const MAX_DEPTH: usize = 4;
/// Shortest run of base64 digits that is read once more, in bytes: noise has none.
const MIN_DIGITS: usize = 16;

/// The text itself, and with one layer of escapes after another read.
pub(super) fn unescaped(text: &str) -> Vec<String> {
    layers(text.to_owned())
}

/// All that a text says in each of its encodings: the text itself comes first, and most of the last ones are noise.
pub(super) fn readings(text: &str) -> Vec<String> {
    let mut readings = unescaped(text);
    let (plain, mut from) = (readings.len(), 0);
    for _ in 0..2 {
        let decoded: Vec<_> = readings[from..]
            .iter()
            .filter(|text| from == 0 || holds_digits(text))
            .flat_map(|text| digits_read(text))
            .flat_map(layers)
            .collect();
        from = readings.len();
        readings.extend(decoded);
    }
    let as_bytes: Vec<_> = readings[..plain].iter().filter_map(|text| bytes_read(text)).collect();
    readings.extend(as_bytes);
    readings
}

fn holds_digits(text: &str) -> bool {
    let mut runs = text.split(|character: char| !character.is_ascii_alphanumeric() && !"+/-_".contains(character));
    runs.any(|run| run.len() >= MIN_DIGITS)
}

/// A text of which each character stands for a byte: UTF-8 that was read as Latin-1 or Windows-1252, or the characters that
/// byte-level BPE writes bytes as (GPT-2's `bytes_to_unicode`,
/// <https://github.com/openai/gpt-2/blob/master/src/encoder.py>, read 2026-11).
fn bytes_read(text: &str) -> Option<String> {
    if text.is_ascii() {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len());
    for character in text.chars() {
        match byte_of(character) {
            Some(byte) => bytes.push(byte),
            None => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

fn byte_of(character: char) -> Option<u8> {
    /// Windows-1252 from 0x80 on; `\0` where it has no character.
    const WINDOWS_1252: &str = "€\0‚ƒ„…†‡ˆ‰Š‹Œ\0Ž\0\0‘’“”•–—˜™š›œ\0žŸ";
    let code = u32::from(character);
    let code = match code {
        0x100..=0x120 => code - 0x100,
        0x121..=0x142 => code - 0x121 + 0x7F,
        0x143 => 0xAD,
        _ => code,
    };
    let of_windows = || WINDOWS_1252.chars().zip(0x80_u8..).find(|(of, _)| *of == character);
    u8::try_from(code).ok().or_else(|| of_windows().map(|(_, byte)| byte))
}

fn layers(text: String) -> Vec<String> {
    let mut layers = vec![text];
    for _ in 0..MAX_DEPTH {
        let last = layers.last().map_or("", String::as_str);
        let next = one_layer_read(last);
        if next == last {
            break;
        }
        layers.push(next);
    }
    layers
}

/// One layer of escapes read: JSON's, Python's, JavaScript's and C's `\…`, URLs' `%…`, quoted-printable's `=…`, HTML's `&…;`.
fn one_layer_read(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let escape = match first {
            '\\' => backslash(rest),
            '%' | '=' => hex_byte(&rest[1..]).map(|byte| (Read::Byte(byte), 3)),
            '&' => entity(rest),
            _ => None,
        };
        let (read, length) = escape.unwrap_or((Read::Character(first), first.len_utf8()));
        match read {
            Read::Byte(byte) => bytes.push(byte),
            Read::Character(character) => bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        rest = &rest[length..];
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What an escape stands for: a character, or a byte of one in UTF-8.
enum Read {
    Byte(u8),
    Character(char),
}

/// The escape at the text's start, and its length in bytes.
fn backslash(text: &str) -> Option<(Read, usize)> {
    let kind = text[1..].chars().next()?;
    let digits = |from: usize, length: usize| u32::from_str_radix(text.get(from..from + length)?, 16).ok();
    let character = |code: u32| Read::Character(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
    match kind {
        'n' | 'r' | 't' | 'b' | 'f' => Some((Read::Character(' '), 2)),
        'x' => Some((Read::Byte(hex_byte(&text[2..])?), 4)),
        '0'..='7' => {
            let octal = text.get(1..4)?;
            u8::from_str_radix(octal, 8).ok().map(|byte| (Read::Byte(byte), 4))
        }
        'U' => Some((character(digits(2, 8)?), 10)),
        'u' if text[2..].starts_with('{') => {
            let length = text[3..].find('}')?;
            Some((character(digits(3, length)?), length + 4))
        }
        'u' => {
            let high = digits(2, 4)?;
            let low = text.get(6..8).filter(|next| *next == "\\u").and_then(|_| digits(8, 4));
            match low.filter(|low| (0xD800..0xDC00).contains(&high) && (0xDC00..0xE000).contains(low)) {
                Some(low) => Some((character(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00)), 12)),
                None => Some((character(high), 6)),
            }
        }
        other => Some((Read::Character(other), 1 + other.len_utf8())),
    }
}

fn hex_byte(text: &str) -> Option<u8> {
    let digits = text
        .get(..2)
        .filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u8::from_str_radix(digits, 16).ok()
}

/// The HTML entity at the text's start, and its length in bytes.
fn entity(text: &str) -> Option<(Read, usize)> {
    let end = text.bytes().take(12).position(|byte| byte == b';')?;
    let character = match text.get(1..end)? {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" => '\'',
        "nbsp" => ' ',
        "sol" => '/',
        "plus" => '+',
        name => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                None => number.parse().ok()?,
            };
            char::from_u32(code)?
        }
    };
    Some((Read::Character(character), end + 1))
}
