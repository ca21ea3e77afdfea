//! Whether words are for somebody to read. What is not may be any text in a form that nobody has thought of.

/// Longest list of numbers, such as sizes that are allowed.
const MAX_NUMBERS: usize = 24;
/// Longest run of letters and digits without a blank, in bytes: the longest ids and digests have 64.
const MAX_RUN: usize = 72;
/// Most characters that stand for bytes that were no text.
const MAX_REPLACED: usize = 3;

/// Words without control characters, long lists of numbers and long runs of digits.
pub(super) fn is_readable(words: &str) -> bool {
    let is_control = |character: char| character.is_control() && !character.is_whitespace();
    let replaced = words.matches(char::REPLACEMENT_CHARACTER).count();
    let is_digits = |run: &str| run.len() > MAX_RUN && run.contains(|digit: char| digit.is_ascii_digit());
    // Those of URLs are the caller's: signed ones are long.
    let elsewhere = words.split_whitespace().filter(|word| !word.contains("://"));
    let mut runs = elsewhere.flat_map(|word| {
        word.split(|character: char| !character.is_ascii_alphanumeric() && !"+/=_-".contains(character))
    });
    !words.contains(is_control)
        && replaced <= MAX_REPLACED
        && longest_list(words) <= MAX_NUMBERS
        && !runs.any(is_digits)
}

/// How many numbers stand beside each other at most; hex digits are numbers too where a digit is among them.
fn longest_list(words: &str) -> usize {
    let (mut longest, mut length) = (0, 0);
    for word in words
        .split(|character: char| !character.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        let digits = word.strip_prefix("0x").unwrap_or(word);
        let is_hex = digits.bytes().all(|digit| digit.is_ascii_hexdigit());
        let is_number = is_hex && (digits.len() <= 2 || digits.contains(|digit: char| digit.is_ascii_digit()));
        length = if is_number { length + 1 } else { 0 };
        longest = longest.max(length);
    }
    longest
}
