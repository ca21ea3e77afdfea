//! What a provider's error may not give away: some quote the request that they reject, the key and the system message
//! included.
//!
//! A provider may write a text in many forms: escaped for JSON or Python, for a URL, for HTML, as base64, as a list of bytes.
//! So a text is looked for in all `readings` of a provider's words, and compared in a `folded` form. Words that nobody could
//! read are not passed on at all: whatever form that is, nobody misses it.

use std::{collections::HashSet, sync::Arc};

use secrecy::{ExposeSecret, SecretString};
use url::Url;

mod address;
mod digits;
mod folded;
mod keys;
mod readable;
mod readings;
mod runs;
mod sequence;

use crate::{
    chat::message::{Message, Part, Role},
    error::ProviderError,
};
use folded::words_of;
use readable::{is_readable, without_controls};
use readings::{readings, unescaped};
use runs::{Runs, units_of};
use sequence::Sequence;

/// Longest message of a provider's that is passed on, in characters.
const MAX_MESSAGE: usize = 2000;
/// Longest code or param of a provider's that is passed on, in characters.
const MAX_CODE: usize = 200;
/// Shortest system message that is looked for, in bytes: shorter ones are a word that any error may hold.
const MIN_SYSTEM_MESSAGE: usize = 4;
/// Shortest text that is looked for within words too, in bytes of its letters and digits; shorter ones are whole words.
const MIN_CHARACTERS: usize = 5;
/// Shortest sentence of a system message that is looked for, in bytes of its letters and digits.
const MIN_SENTENCE: usize = 14;
/// Shortest passcode, in bytes.
const MIN_PASSCODE: usize = 6;

const WITHHELD: &str = "The model's provider rejected the request. Its message is not shown, because it may repeat \
                        what only the assistant's owner may read.";
const WITHHELD_OVERFLOW: &str = "This model's maximum context length is exceeded. Send fewer or shorter messages, or ask for \
                                 a shorter answer.";

/// What callers may not read of one call.
#[derive(Debug, Clone)]
pub(super) struct Confidential {
    /// The key, and what stands in the own server's address like one.
    keys: Vec<SecretString>,
    /// How the own server's address may be written, the longest form first.
    addresses: Vec<String>,
    messages: Arc<Vec<Message>>,
}

impl Confidential {
    /// `key` is the one that the call was made with; `messages` are the prompt's; `own_server` is the URL that was called,
    /// where it is the owner's.
    pub(super) fn new(key: Option<SecretString>, messages: Arc<Vec<Message>>, own_server: Option<&Url>) -> Self {
        let of_address = own_server.into_iter().flat_map(address::keys);
        Self {
            keys: key.into_iter().chain(of_address).collect(),
            addresses: own_server.map(address::forms).unwrap_or_default(),
            messages,
        }
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
    /// says about it. In any further encoding, words name no field.
    pub(super) fn is_quoted_in(&self, words: &str) -> bool {
        let readings = unescaped(words);
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
        let letters: Vec<_> = readings.iter().map(|reading| units_of(&words_of(reading))).collect();
        let runs = Runs::of(&letters);
        // A conversation may be megabytes long: each text is folded once, for all readings.
        self.texts(|_| true)
            .any(|text| runs.share_with(&units_of(&words_of(text))))
    }

    /// The first `max` characters of the words with keys and addresses blanked out; `None` where they hold a secret in a form
    /// that cannot be cut out, or what nobody can read.
    fn without_secrets(&self, words: String, max: usize) -> Option<String> {
        let words = without_controls(&words)?;
        let keys = || self.keys.iter().map(SecretString::expose_secret);
        if keys().any(|key| keys::is_escaped(&words, key)) {
            return None;
        }
        let words = keys().fold(words, |words, key| keys::blank_out(&words, key));
        let words = address::blank_out(words, &self.addresses);
        // What is not shown need not be read.
        let words = shortened(words, max);
        let readings = readings(&words);
        let is_shown = is_readable(&words)
            && !keys().any(|key| keys::is_hidden(key, &readings))
            && !self.gives_away_system_message(&readings);
        is_shown.then_some(words)
    }

    fn gives_away_system_message(&self, readings: &[String]) -> bool {
        let words: HashSet<_> = readings.iter().map(|reading| words_of(reading)).collect();
        let characters: HashSet<_> = words.iter().map(|words| joined(words)).collect();
        let letters: Vec<_> = words.iter().map(|words| units_of(words)).collect();
        let (runs, sequence) = (Runs::of(&letters), Sequence::of(words.iter()));
        // A prompt may hold many passcodes and sentences: most are told by their beginnings.
        let beginnings = |length: usize| -> HashSet<&[u8]> {
            let readings = characters.iter();
            readings
                .flat_map(|reading| reading.as_bytes().windows(length))
                .collect()
        };
        let (of_words, of_sentences) = (beginnings(MIN_CHARACTERS), beginnings(MIN_SENTENCE));
        let is_read = |text: &str, length: usize, beginnings: &HashSet<&[u8]>| {
            let joined = joined(&words_of(text));
            let beginning = joined.as_bytes().get(..length);
            beginning.is_some_and(|beginning| beginnings.contains(beginning))
                && characters.iter().any(|reading| reading.contains(&joined))
        };
        let is_word = |text: &str| is_read(text, MIN_CHARACTERS, &of_words);
        self.texts(|role| role == Role::System).any(|system| {
            let folded = words_of(system);
            let is_whole =
                folded.trim().len() >= MIN_SYSTEM_MESSAGE && words.iter().any(|reading| reading.contains(&folded));
            is_whole
                || runs.share_with(&units_of(&folded))
                || sequence.holds(&folded)
                || is_word(system)
                || passcodes(system).any(is_word)
                || sentences(system).any(|sentence| is_read(sentence, MIN_SENTENCE, &of_sentences))
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

/// Words without the blanks between them.
fn joined(words: &str) -> String {
    words.replace(' ', "")
}

fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split(['.', '!', '?', '\n', '。', '！', '？'])
}

/// Words that are secrets by themselves, such as `ZEBRA-42`.
fn passcodes(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
        .map(|word| word.trim_matches(|character: char| !character.is_alphanumeric()))
        .filter(|word| is_passcode(word))
}

/// Whether a word is no word of a language: it has a digit and a letter.
fn is_passcode(word: &str) -> bool {
    word.len() >= MIN_PASSCODE
        && word.contains(|character: char| character.is_ascii_digit())
        && word.contains(char::is_alphabetic)
}

fn shortened(text: String, max: usize) -> String {
    if text.chars().count() <= max {
        return text;
    }
    text.chars().take(max - 1).chain(['…']).collect()
}

#[cfg(test)]
mod tests;
