//! Texts in a form in which they are compared: what reads the same is the same.

use icu_normalizer::{ComposingNormalizerBorrowed, DecomposingNormalizerBorrowed};

const DECOMPOSING: DecomposingNormalizerBorrowed<'static> = DecomposingNormalizerBorrowed::new_nfkd();
const COMPOSING: ComposingNormalizerBorrowed<'static> = ComposingNormalizerBorrowed::new_nfc();

/// In lower case, without accents, and each character in its plain form: a full-width letter is the letter. Hangul is composed
/// again, since its parts say little by themselves.
fn folded(text: &str) -> impl Iterator<Item = char> {
    let is_accent = |character: &char| ('\u{300}'..='\u{36F}').contains(character);
    let plain = DECOMPOSING.normalize_iter(text.chars());
    let plain = plain.filter(move |character| !is_accent(character));
    COMPOSING.normalize_iter(plain.flat_map(char::to_lowercase))
}

/// The letters and digits alone.
pub(super) fn characters_of(text: &str) -> String {
    folded(text).filter(|character| character.is_alphanumeric()).collect()
}

/// Letters and digits, with one blank between words and at both ends.
pub(super) fn words_of(text: &str) -> String {
    let mut words = String::with_capacity(text.len() + 2);
    words.push(' ');
    for character in folded(text) {
        if character.is_alphanumeric() {
            words.push(character);
        } else if !words.ends_with(' ') {
            words.push(' ');
        }
    }
    if !words.ends_with(' ') {
        words.push(' ');
    }
    words
}
