//! Keeps texts from being searched that can hold none of a few literals.

use std::collections::BTreeSet;

use aho_corasick::packed::{Config, MatchKind, Searcher};

use super::grams::Rarity;

/// So many pieces are found by vector instructions, several bytes a cycle.
const MOST_PIECES: usize = 64;
/// Bytes of a piece.
const PIECE: usize = 3;
/// What another piece costs, beside one that is so many times as frequent.
const PIECE_COST: u32 = 16;

/// Looks for a piece of each literal, in all ways to write its letters: so nothing need be folded.
#[derive(Debug)]
pub(super) struct Gate(Searcher);

impl Gate {
    /// Shorter texts are searched as fast without.
    pub const SHORTEST_TEXT: usize = 32;

    /// A gate for ASCII literals, folded ones; `None` where there are too many.
    pub fn build(literals: &[&str], rarity: &Rarity) -> Option<Self> {
        let mut pieces: BTreeSet<[u8; PIECE]> = BTreeSet::new();
        for literal in literals {
            let cost = |piece: &&[u8; PIECE]| {
                if pieces.contains(*piece) {
                    0
                } else {
                    forms(**piece) * PIECE_COST + rarity.of(*piece)
                }
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

    /// Whether `text` may hold one of the literals.
    #[inline]
    pub fn lets_through(&self, text: &str) -> bool {
        self.0.find(text).is_some()
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
        let around = "-".repeat(Gate::SHORTEST_TEXT);
        let literals = ["kerberos::ptt", "event::drop", "mimidrv.sys", "kiwi legit"];
        let Some(gate) = Gate::build(&literals, &Rarity::default()) else {
            // A processor without these instructions.
            return;
        };
        let lets = |text: &str| gate.lets_through(&format!("{around}{text}{around}"));
        assert!(!lets("kerberos:ptt event drop mimi drv literal of"));
        for literal in literals {
            for literal in [literal.to_owned(), literal.to_uppercase()] {
                assert!(lets(&literal), "{literal}");
            }
        }
        let most: Vec<String> = (0..100).map(|n| format!("{n:03}")).collect();
        let most: Vec<&str> = most.iter().map(String::as_str).collect();
        assert!(Gate::build(&most, &Rarity::default()).is_none());
        assert!(Gate::build(&["ab"], &Rarity::default()).is_none());
    }
}
