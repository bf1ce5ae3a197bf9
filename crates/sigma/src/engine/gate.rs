//! Keeps texts from being searched that can hold none of a few literals.

use std::collections::BTreeSet;

use aho_corasick::packed::{Config, MatchKind, Searcher};

use super::grams::Rarity;

/// Shorter texts are searched as fast without.
const SHORTEST_TEXT: usize = 64;
/// So many pieces are found by vector instructions, several bytes a cycle.
const MOST_PIECES: usize = 64;
/// Bytes of a piece.
const PIECE: usize = 3;
/// What another piece costs, beside one that is so many times as frequent.
const PIECE_COST: u32 = 16;

/// Knows of each literal a piece, in all ways to write its letters: so nothing need be folded.
#[derive(Debug)]
pub(super) struct Gate(Searcher);

impl Gate {
    /// A gate for plain ASCII literals, folded ones; `None` where there are too many or one is
    /// too short.
    pub fn build<'l>(literals: impl Iterator<Item = &'l str>, rarity: &Rarity) -> Option<Self> {
        let mut pieces: BTreeSet<[u8; PIECE]> = BTreeSet::new();
        for literal in literals.filter(|literal| literal.is_ascii()) {
            let cost = |piece: &&[u8; PIECE]| match pieces.contains(*piece) {
                true => 0,
                false => forms(**piece) * PIECE_COST + rarity.of(*piece),
            };
            let piece = literal.as_bytes().array_windows().min_by_key(cost).copied()?;
            for form in 0..1 << PIECE {
                pieces.insert(written(piece, form));
            }
            if pieces.len() > MOST_PIECES {
                return None;
            }
        }
        let mut builder = Config::new().match_kind(MatchKind::LeftmostFirst).builder();
        builder.extend(pieces).build().map(Self)
    }

    /// Whether `text`, plain ASCII, may hold one of the literals.
    pub fn lets_through(&self, text: &str) -> bool {
        text.len() < SHORTEST_TEXT || self.0.find(text).is_some()
    }
}

/// In how many ways a piece can be written.
fn forms(piece: [u8; PIECE]) -> u32 {
    1 << piece.iter().filter(|byte| byte.is_ascii_alphabetic()).count()
}

/// A piece with capitals where `form` has bits.
fn written(mut piece: [u8; PIECE], form: u32) -> [u8; PIECE] {
    for (place, byte) in piece.iter_mut().enumerate() {
        if form >> place & 1 == 1 {
            byte.make_ascii_uppercase();
        }
    }
    piece
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_the_case() {
        let literals = ["kerberos::ptt", "event::drop", "mimidrv.sys", "kiwi legit"];
        let Some(gate) = Gate::build(literals.into_iter(), &Rarity::default()) else {
            // A processor without these instructions.
            return;
        };
        let around = "-".repeat(SHORTEST_TEXT);
        assert!(!gate.lets_through(&format!("{around}kerberos:ptt event drop mimi drv{around}")));
        for literal in literals {
            for literal in [literal.to_owned(), literal.to_uppercase(), literal.replace('i', "I")] {
                assert!(gate.lets_through(&format!("{around}{literal}{around}")), "{literal}");
            }
        }
        assert!(Gate::build(["ab"].into_iter(), &Rarity::default()).is_none());
    }
}
