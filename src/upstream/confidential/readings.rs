//! A text as each of its encodings would be read.

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// How many encodings within one another are read.
const MAX_DEPTH: usize = 4;
/// Shortest run of base64 or hex digits that is read, in bytes.
const MIN_DIGITS: usize = 16;

/// What a text says in each of its encodings.
pub(super) struct Readings {
    /// The text itself, and with one layer of escapes after another read.
    pub unescaped: Vec<String>,
    /// What its runs of base64 or hex digits say: mostly noise.
    pub decoded: Vec<String>,
}

impl Readings {
    /// Reads a provider's words.
    pub(super) fn of(text: &str) -> Self {
        let unescaped = layers(text.to_owned());
        let decoded = unescaped.iter().flat_map(|text| digits_read(text)).flat_map(layers);
        Self {
            decoded: decoded.collect(),
            unescaped,
        }
    }

    /// All of them.
    pub(super) fn iter(&self) -> impl Iterator<Item = &String> {
        self.unescaped.iter().chain(&self.decoded)
    }
}

fn layers(text: String) -> Vec<String> {
    let mut layers = vec![text];
    for _ in 0..MAX_DEPTH {
        let last = layers.last().map_or("", String::as_str);
        let next = unescaped(last);
        if next == last {
            break;
        }
        layers.push(next);
    }
    layers
}

/// Letters and digits in lower case, with one blank between words and at both ends: texts that differ in their spacing,
/// their punctuation and their case alone are the same then.
pub(super) fn words_of(text: &str) -> String {
    let mut words = String::with_capacity(text.len() + 2);
    words.push(' ');
    for character in text.chars() {
        if character.is_alphanumeric() {
            words.extend(character.to_lowercase());
        } else if !words.ends_with(' ') {
            words.push(' ');
        }
    }
    if !words.ends_with(' ') {
        words.push(' ');
    }
    words
}

/// One layer of escapes read: JSON's, Python's and JavaScript's `\…`, URLs' `%…`, HTML's `&…;`.
fn unescaped(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let escape = match first {
            '\\' => backslash(rest),
            '%' => hex_byte(&rest[1..]).map(|byte| (Read::Byte(byte), 3)),
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

/// What each longer run of base64 or hex digits says.
fn digits_read(text: &str) -> Vec<String> {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let is_digit = |character: char| character.is_ascii_alphanumeric() || "+/-_".contains(character);
    let mut read = Vec::new();
    for run in text
        .split(|character| !is_digit(character))
        .filter(|run| run.len() >= MIN_DIGITS)
    {
        let hex: Option<Vec<_>> = (0..run.len() / 2).map(|at| hex_byte(&run[at * 2..])).collect();
        // A run cut short may leave a digit that stands for no whole byte.
        let whole = if run.len() % 4 == 1 { &run[..run.len() - 1] } else { run };
        let base64 = [STANDARD, URL_SAFE].map(|alphabet| GeneralPurpose::new(&alphabet, LENIENT).decode(whole).ok());
        let texts = base64.into_iter().chain([hex]).flatten();
        read.extend(texts.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
    }
    read
}
