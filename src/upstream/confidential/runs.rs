//! Whether two texts have a longer run of bytes in common.

use std::collections::HashSet;

/// Shortest run in common that makes one text a quotation of the other, in bytes of letters: some three words.
const RUN: usize = 14;
/// Any run of [`RUN`] bytes of a text holds one of its blocks of this size whole, so only whole blocks are looked up first.
const BLOCK: usize = RUN / 2;

/// The runs of some shorter texts.
#[derive(Default)]
pub(super) struct Runs<'a> {
    blocks: HashSet<&'a [u8]>,
    runs: HashSet<&'a [u8]>,
}

impl<'a> Runs<'a> {
    /// Of a provider's words in some readings, a few kilobytes each at most.
    pub(super) fn of(texts: &'a [String]) -> Self {
        let mut all = Self::default();
        for text in texts {
            all.blocks.extend(text.as_bytes().windows(BLOCK));
            all.runs.extend(text.as_bytes().windows(RUN));
        }
        all
    }

    /// Whether a text of any length, megabytes too, has a run in common with one of them.
    pub(super) fn share_with(&self, other: &str) -> bool {
        let other = other.as_bytes();
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
