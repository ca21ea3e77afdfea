//! Whether two texts have a longer run of bytes in common.

use std::collections::HashMap;

/// Shortest run in common that makes one text a quotation of the other, in bytes: some three words.
const RUN: usize = 16;
/// Any run of [`RUN`] bytes of a text holds one of its blocks of this size whole, so only whole blocks are looked up.
const BLOCK: usize = RUN / 2;

/// Where each block of bytes stands in a shorter text.
pub(super) struct Runs<'a> {
    text: &'a [u8],
    blocks: HashMap<&'a [u8], Vec<usize>>,
}

impl<'a> Runs<'a> {
    /// Of a provider's words, a few kilobytes at most.
    pub(super) fn of(text: &'a str) -> Self {
        let text = text.as_bytes();
        let mut blocks: HashMap<_, Vec<_>> = HashMap::new();
        for (at, block) in text.windows(BLOCK).enumerate() {
            blocks.entry(block).or_default().push(at);
        }
        Self { text, blocks }
    }

    /// Whether a text of any length, megabytes too, has a run in common.
    pub(super) fn share_with(&self, other: &str) -> bool {
        let other = other.as_bytes();
        let mut blocks = other.chunks_exact(BLOCK).enumerate();
        blocks.any(|(number, block)| {
            let places = self.blocks.get(block).into_iter().flatten();
            let mut runs = places.map(|at| self.run_around(*at, other, number * BLOCK));
            runs.any(|run| run >= RUN)
        })
    }

    /// The length of the run that holds the block at `at` here and at `other_at` there.
    fn run_around(&self, at: usize, other: &[u8], other_at: usize) -> usize {
        let before = self.text[..at].iter().rev().zip(other[..other_at].iter().rev());
        let after = self.text[at..].iter().zip(&other[other_at..]);
        let same = |pair: &(&u8, &u8)| pair.0 == pair.1;
        before.take_while(same).count() + after.take_while(same).count()
    }
}
