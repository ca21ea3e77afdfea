//! What a provider's error may not give away: some quote the request that they reject, the key and the system message
//! included.
//!
//! A provider may write a text in many forms: escaped for JSON or Python, for a URL, for HTML, or as base64. So a text is
//! looked for in the `Readings` of a provider's words, never in their raw form alone.

use std::{ops::Range, sync::Arc};

use secrecy::{ExposeSecret, SecretString};

mod readings;
mod runs;

use crate::{
    chat::message::{Message, Part, Role},
    error::ProviderError,
};
use readings::{Readings, words_of};
use runs::Runs;

/// Longest message of a provider's that is passed on, in characters.
const MAX_MESSAGE: usize = 2000;
/// Longest code or param of a provider's that is passed on, in characters.
const MAX_CODE: usize = 200;
/// Shortest piece of a key that is blanked out, in bytes. A shorter key is blanked as a whole word only: it may be a word
/// such as `none`, or a letter.
const MIN_KEY_PIECE: usize = 12;
/// Shortest system message that is looked for, in bytes: shorter ones are a word that any error may hold.
const MIN_SYSTEM_MESSAGE: usize = 4;
/// Shortest passcode, in bytes: a word with a digit and a letter that stands in a system message.
const MIN_PASSCODE: usize = 6;

const WITHHELD: &str = "The model's provider rejected the request. Its message is not shown, because it repeats a part of \
                        what only the assistant's owner may read.";
const WITHHELD_OVERFLOW: &str = "This model's maximum context length is exceeded. Send fewer or shorter messages, or ask for \
                                 a shorter answer.";

/// The key and the messages of one call.
#[derive(Debug, Clone)]
pub(super) struct Confidential {
    key: Option<SecretString>,
    messages: Arc<Vec<Message>>,
}

impl Confidential {
    /// `key` is the one that the call was made with; `messages` are the prompt's.
    pub(super) fn new(key: Option<SecretString>, messages: Arc<Vec<Message>>) -> Self {
        Self { key, messages }
    }

    /// The error as callers and the log may see it: without the key and the system message, and not too long.
    pub(super) fn clean(&self, error: ProviderError) -> ProviderError {
        let cause = |cause| {
            self.without_secrets(cause, MAX_CODE)
                .unwrap_or_else(|| "the provider's words cannot be shown".into())
        };
        match error {
            ProviderError::Rejected {
                status,
                message,
                param,
                code,
            } => {
                let withheld = match code.as_deref() {
                    Some("context_length_exceeded") => WITHHELD_OVERFLOW,
                    _ => WITHHELD,
                };
                ProviderError::Rejected {
                    status,
                    message: self
                        .without_secrets(message, MAX_MESSAGE)
                        .unwrap_or_else(|| withheld.into()),
                    param: param.and_then(|param| self.without_secrets(param, MAX_CODE)),
                    code: code.and_then(|code| self.without_secrets(code, MAX_CODE)),
                }
            }
            ProviderError::Failed {
                cause: words,
                retry_after,
            } => ProviderError::Failed {
                cause: cause(words),
                retry_after,
            },
            ProviderError::Unexpected { cause: words } => ProviderError::Unexpected { cause: cause(words) },
            ProviderError::TimedOut { cause: words } => ProviderError::TimedOut { cause: cause(words) },
            other => other,
        }
    }

    /// Whether words repeat a part of the conversation. What stands in them is then the request's, not what the provider
    /// says about it.
    pub(super) fn is_quoted_in(&self, words: &str) -> bool {
        let readings = Readings::of(words);
        let names_fields = |reading: &String| {
            ["messages", "role", "content"].iter().all(|field| {
                ["\"", "'"]
                    .iter()
                    .any(|quote| reading.contains(&format!("{quote}{field}{quote}")))
            })
        };
        if readings.iter().any(names_fields) {
            return true;
        }
        let readings: Vec<_> = readings.iter().map(|reading| words_of(reading)).collect();
        let runs: Vec<_> = readings.iter().map(|reading| Runs::of(reading)).collect();
        self.texts(|_| true).any(|text| {
            // A conversation may be megabytes long: each text is put into words once, for all readings.
            let text = words_of(text);
            runs.iter().any(|runs| runs.share_with(&text))
        })
    }

    /// The words with the key blanked out, cut to `max` characters; `None` where they hold a secret in a form that cannot
    /// be cut out.
    fn without_secrets(&self, words: String, max: usize) -> Option<String> {
        let readings = Readings::of(&words);
        let key = self.key.as_ref().map(SecretString::expose_secret);
        let hides_key = key.is_some_and(|key| readings.hide_more_of(key));
        if hides_key || self.gives_away_system_message(&readings) {
            return None;
        }
        let words = match key {
            Some(key) => blank_out(words, key),
            None => words,
        };
        Some(shortened(words, max))
    }

    fn gives_away_system_message(&self, readings: &Readings) -> bool {
        let readings: Vec<_> = readings.iter().map(|reading| words_of(reading)).collect();
        let runs: Vec<_> = readings.iter().map(|reading| Runs::of(reading)).collect();
        let is_read = |words: &str| readings.iter().any(|reading| reading.contains(words));
        self.texts(|role| role == Role::System).any(|system| {
            let words = words_of(system);
            let is_whole = words.trim().len() >= MIN_SYSTEM_MESSAGE && is_read(&words);
            is_whole
                || runs.iter().any(|runs| runs.share_with(&words))
                || passcodes(system).any(|passcode| is_read(&passcode))
        })
    }

    fn texts(&self, of: impl Fn(Role) -> bool) -> impl Iterator<Item = &str> {
        let messages = self.messages.iter().filter(move |message| of(message.role));
        messages
            .flat_map(|message| &message.parts)
            .filter_map(|part| match part {
                Part::Text(text) => Some(text.as_str()),
                Part::Image { .. } => None,
            })
    }
}

/// Words that are secrets by themselves, such as `ZEBRA-42`, in the form of [`words_of`].
fn passcodes(text: &str) -> impl Iterator<Item = String> {
    text.split_whitespace()
        .map(|word| word.trim_matches(|character: char| !character.is_alphanumeric()))
        .filter(|word| word.len() >= MIN_PASSCODE)
        .filter(|word| {
            word.contains(|character: char| character.is_ascii_digit()) && word.contains(char::is_alphabetic)
        })
        .map(words_of)
}

impl Readings {
    /// Whether another reading than the text itself holds more of the key than the text does.
    fn hide_more_of(&self, key: &str) -> bool {
        let plain = self.unescaped.first().map_or("", String::as_str);
        let more_than_plain = |reading: &String| {
            let found = pieces(reading, key).into_iter().map(|piece| &reading[piece]);
            !found.eq(pieces(plain, key).into_iter().map(|piece| &plain[piece]))
        };
        // A short key would be found in noise.
        let decoded = self.decoded.iter().filter(|_| key.len() >= MIN_KEY_PIECE);
        self.unescaped.iter().any(more_than_plain)
            || decoded.into_iter().any(|reading| !pieces(reading, key).is_empty())
    }
}

/// The text with `[key]` in place of the key and of any longer piece of it.
fn blank_out(text: String, key: &str) -> String {
    let mut blanked = String::new();
    let mut kept = 0;
    for piece in pieces(&text, key) {
        blanked.push_str(&text[kept..piece.start]);
        blanked.push_str("[key]");
        kept = piece.end;
    }
    blanked + &text[kept..]
}

/// Where the key or a longer piece of it stands. A key is ASCII, and so is each piece of it: both ends lie between
/// characters.
fn pieces(text: &str, key: &str) -> Vec<Range<usize>> {
    let mut pieces = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let length = if key.len() < MIN_KEY_PIECE {
            is_word(text, at, key).then_some(key.len())
        } else {
            Some(longest_piece(&text.as_bytes()[at..], key.as_bytes())).filter(|length| *length >= MIN_KEY_PIECE)
        };
        pieces.extend(length.map(|length| at..at + length));
        at += length.unwrap_or(1);
    }
    pieces
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

fn shortened(text: String, max: usize) -> String {
    if text.chars().count() <= max {
        return text;
    }
    text.chars().take(max - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
