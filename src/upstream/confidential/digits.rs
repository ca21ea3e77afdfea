//! What digits stand for: base64, hex, and lists of numbers, one for each byte or character.
//!
//! Whatever stands between the digits is passed over, and so they are read in groups, in lists and across lines alike. What is
//! no digits by intention reads as noise, which is nobody's text.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// Shortest reading that is kept, in bytes.
const MIN_READ: usize = 6;
/// Longest number that stands for a character, in digits: a byte in binary.
const MAX_DIGITS: usize = 8;

/// All that the digits of a text may say.
pub(super) fn digits_read(text: &str) -> impl Iterator<Item = String> {
    let readings = base64_read(text).into_iter().chain(hex_read(text));
    let numbers = [2, 8, 10, 16].map(|radix| numbers_read(text, radix));
    let readings = readings.chain(numbers).filter(|bytes| bytes.len() >= MIN_READ);
    readings.map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

/// From each of the four places in a group of digits where the first one may stand: the text's start may be cut off.
fn base64_read(text: &str) -> Vec<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent);
    let digits: Vec<_> = text
        .bytes()
        .filter_map(|byte| match byte {
            b'-' => Some(b'+'),
            b'_' => Some(b'/'),
            b'+' | b'/' => Some(byte),
            _ => byte.is_ascii_alphanumeric().then_some(byte),
        })
        .collect();
    let engine = GeneralPurpose::new(&STANDARD, LENIENT);
    let whole = |from: usize| {
        let digits = digits.get(from..)?;
        // A last digit by itself stands for no whole byte.
        let end = digits.len() - usize::from(digits.len() % 4 == 1);
        engine.decode(&digits[..end]).ok()
    };
    (0..4).filter_map(whole).collect()
}

fn hex_read(text: &str) -> Vec<Vec<u8>> {
    let text = text.replace("0x", "");
    let digits: Vec<_> = text.chars().filter_map(|digit| digit.to_digit(16)).collect();
    let from = |start: usize| {
        let (pairs, _) = digits.get(start..)?.as_chunks::<2>();
        Some(
            pairs
                .iter()
                .filter_map(|[high, low]| u8::try_from(high * 16 + low).ok())
                .collect(),
        )
    };
    (0..2).filter_map(from).collect()
}

/// Numbers below 256 are bytes, the others characters.
fn numbers_read(text: &str, radix: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    for word in text.split(|character: char| !character.is_ascii_alphanumeric()) {
        let prefixes = ["0x", "0o", "0b", "x", "u"];
        let digits = prefixes
            .iter()
            .find_map(|prefix| word.strip_prefix(prefix))
            .unwrap_or(word);
        let number = (digits.len() <= MAX_DIGITS).then(|| u32::from_str_radix(digits, radix).ok());
        let Some(number) = number.flatten() else {
            continue;
        };
        if let Ok(byte) = u8::try_from(number) {
            bytes.push(byte);
        } else {
            let character = char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER);
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        }
    }
    bytes
}
