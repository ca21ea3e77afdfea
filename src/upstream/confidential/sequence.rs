//! Whether a text's words stand in another one in their order, each perhaps between labels, as in a list of tokens.

use std::collections::HashMap;

use super::runs::{is_unspaced, weight};

/// Fewest words beside each other that are a quotation, in halves: five words, or ten ideographs.
const HALVES_BESIDE: usize = 10;
/// Fewest words apart from each other that are one.
const HALVES_APART: usize = 12;
/// Least that words beside each other weigh, in units: shorter ones such as "if it is to be a" stand anywhere.
const MIN_BESIDE: usize = 15;
/// Least that words apart from each other weigh, but for a whole text.
const MIN_APART: usize = 32;
/// Most words from one of them to the next: the labels of a token.
const MAX_APART: usize = 8;
/// Most places at which a word is looked for: labels stand at more.
const MAX_PLACES: usize = 64;

/// The words of some shorter texts, each with its places.
pub(super) struct Sequence<'a>(HashMap<&'a str, Vec<usize>>);

/// Words in their order up to a place in the provider's words: how many halves, and their weight.
#[derive(Clone, Copy)]
struct Chain {
    place: usize,
    halves: usize,
    weight: usize,
}

impl<'a> Sequence<'a> {
    /// Of a provider's words in some readings, with blanks between them.
    pub(super) fn of(texts: impl Iterator<Item = &'a String>) -> Self {
        let mut places: HashMap<_, Vec<_>> = HashMap::new();
        let mut place = 0;
        for text in texts {
            for word in words(text) {
                places.entry(word).or_default().push(place);
                place += 1;
            }
            // Words of two readings are no sequence.
            place += MAX_APART;
        }
        places.retain(|_, places| places.len() <= MAX_PLACES);
        Self(places)
    }

    /// Whether words of a text, with blanks between them, stand there: next to each other, or apart where they say more.
    pub(super) fn holds(&self, text: &str) -> bool {
        let whole: usize = words(text).map(weight_of).sum();
        self.has_chain(text, 1, HALVES_BESIDE, MIN_BESIDE)
            || self.has_chain(text, MAX_APART, HALVES_APART, MIN_APART.min(whole))
    }

    fn has_chain(&self, text: &str, apart: usize, min_halves: usize, min_weight: usize) -> bool {
        let (mut chains, mut next): (Vec<Chain>, Vec<Chain>) = (Vec::new(), Vec::new());
        for word in words(text) {
            next.clear();
            let own = weight_of(word);
            let halves = halves_of(word);
            for &place in self.0.get(word).into_iter().flatten() {
                // Both are in order: a word that is repeated a million times takes no square of that.
                let from = chains.partition_point(|chain| chain.place + apart < place);
                let before = chains[from..].iter().take_while(|chain| chain.place < place);
                let best = before.max_by_key(|chain| chain.halves);
                let chain = Chain {
                    place,
                    halves: best.map_or(0, |best| best.halves) + halves,
                    weight: best.map_or(0, |best| best.weight) + own,
                };
                if chain.halves >= min_halves && chain.weight >= min_weight {
                    return true;
                }
                next.push(chain);
            }
            std::mem::swap(&mut chains, &mut next);
        }
        false
    }
}

/// Words between blanks; each character of a script without blanks is one, since tokens end anywhere.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(' ').filter(|word| !word.is_empty()).flat_map(|word| {
        let mut rest = word;
        std::iter::from_fn(move || {
            let first = rest.chars().next()?;
            let end = if is_unspaced(first) {
                first.len_utf8()
            } else {
                rest.find(is_unspaced).unwrap_or(rest.len())
            };
            let (word, after) = rest.split_at(end);
            rest = after;
            Some(word)
        })
    })
}

/// Kana are parts of words, and mostly endings that any sentence has.
fn halves_of(word: &str) -> usize {
    match word.chars().next() {
        Some(first) if is_unspaced(first) => weight(first) - 1,
        _ => 2,
    }
}

fn weight_of(word: &str) -> usize {
    word.chars()
        .filter(|character| character.is_alphabetic())
        .map(weight)
        .sum()
}
