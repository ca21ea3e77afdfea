//! Whether two texts have a longer run of letters in common.

use std::collections::HashSet;

/// Shortest run in common that makes one text a quotation of the other, in units: some five words, or twelve
/// ideographs. Whoever writes about requests in the same language has shorter ones in common by chance.
pub(super) const RUN: usize = 24;
/// Any run of [`RUN`] units of a text holds one of its blocks of this size whole, so only whole blocks are looked up first.
const BLOCK: usize = RUN / 2;

/// The runs of some shorter texts.
#[derive(Default)]
pub(super) struct Runs<'a> {
    blocks: HashSet<&'a [u16]>,
    runs: HashSet<&'a [u16]>,
}

impl<'a> Runs<'a> {
    /// Of a provider's words in some readings, a few kilobytes each at most.
    pub(super) fn of(texts: &'a [Vec<u16>]) -> Self {
        let mut all = Self::default();
        for text in texts {
            all.blocks.extend(text.windows(BLOCK));
            all.runs.extend(text.windows(RUN));
        }
        all
    }

    /// Whether a text of any length, megabytes too, has a run in common with one of them.
    pub(super) fn share_with(&self, other: &[u16]) -> bool {
        let blocks = other.chunks_exact(BLOCK).enumerate();
        let mut found = blocks.filter(|(_, block)| self.blocks.contains(block));
        found.any(|(number, _)| {
            let block = number * BLOCK;
            let mut around = block.saturating_sub(RUN - BLOCK)..=block;
            around.any(|from| {
                let run = other.get(from..from + RUN);
                run.is_some_and(|run| self.runs.contains(run))
            })
        })
    }
}

/// Each letter of a text as one unit, and as two where it says as much as two letters do.
pub(super) fn units_of(letters: &str) -> Vec<u16> {
    let mut units = Vec::with_capacity(letters.len());
    for letter in letters.chars().filter(|letter| letter.is_alphabetic()) {
        let code = u32::from(letter);
        // Two letters of rarer scripts may be the same unit: a run of them is not.
        let unit = u16::try_from(code & 0xFFFF).unwrap_or_default();
        units.extend(std::iter::repeat_n(unit, weight(letter)));
    }
    units
}

/// How many units a letter is: a syllable of Korean or an ideograph says as much as two letters. Kana, which mostly are
/// endings, do not.
pub(super) fn weight(letter: char) -> usize {
    1 + usize::from(is_ideograph(letter) || matches!(letter, '\u{AC00}'..='\u{D7A3}'))
}

/// Whether a character belongs to a script without blanks between its words.
pub(super) fn is_unspaced(letter: char) -> bool {
    is_ideograph(letter) || matches!(letter, '\u{3040}'..='\u{30FF}')
}

fn is_ideograph(letter: char) -> bool {
    matches!(letter, '\u{3400}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}
