//! What rules ask of the *edges* of one field: whole values (a hash map), beginnings and ends
//! (tries), which cost a few bytes' reading. What may stand anywhere is looked for apart, since an
//! event often needs only the edges: see [`super::parts`].

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::trie::Trie;
use crate::expr::AtomId;
use crate::fold::fold_into;
use crate::pattern::Anchor;

/// The literals of a field while rules are being read.
#[derive(Debug, Default)]
pub(super) struct Draft {
    whole: FxHashMap<Box<str>, AtomId>,
    starts: Vec<(Vec<u8>, AtomId)>,
    ends: Vec<(Vec<u8>, AtomId)>,
    /// Empty beginnings and ends: every text has them.
    empty: Vec<AtomId>,
}

/// Whole values with one [`brief`].
type Alike = SmallVec<[(Box<str>, AtomId); 1]>;

/// The literals at the edges of a field, ready to be found.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// By [`brief`].
    whole: FxHashMap<u64, Alike>,
    /// Lengths of the whole values, in bytes: the shortest and the longest.
    whole_bytes: (usize, usize),
    starts: Trie,
    ends: Trie,
    empty: Vec<AtomId>,
}

impl Draft {
    /// Adds a literal; those that may stand anywhere have no place here.
    pub fn add(&mut self, anchor: Anchor, needle: &str, atom: AtomId) {
        match anchor {
            Anchor::Anywhere => {}
            Anchor::Whole => {
                self.whole.insert(needle.into(), atom);
            }
            _ if needle.is_empty() => self.empty.push(atom),
            Anchor::Start => self.starts.push((needle.bytes().collect(), atom)),
            Anchor::End => self.ends.push((needle.bytes().rev().collect(), atom)),
        }
    }

    pub fn build(self) -> Table {
        let lengths = || self.whole.keys().map(|whole| whole.len());
        let whole_bytes = (lengths().min().unwrap_or(usize::MAX), lengths().max().unwrap_or(0));
        let mut whole: FxHashMap<u64, Alike> = FxHashMap::default();
        for (text, atom) in self.whole {
            whole.entry(brief(text.as_bytes())).or_default().push((text, atom));
        }
        Table {
            whole_bytes,
            whole,
            starts: Trie::build(self.starts),
            ends: Trie::build(self.ends),
            empty: self.empty,
        }
    }
}

/// Length, beginning and end of a text, one number for all its ways to write ASCII letters.
fn brief(text: &[u8]) -> u64 {
    const SMALL: u64 = 0x2020_2020_2020_2020;
    let (head, tail) = match (text.first_chunk(), text.last_chunk()) {
        (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
        _ => (text.iter().fold(0, |head, byte| head << 8 | u64::from(*byte)), 0),
    };
    (head | SMALL).rotate_left(7) ^ (tail | SMALL).wrapping_mul(31) ^ text.len() as u64
}

impl Table {
    /// Whether one look into the table is cheaper than to compare with its values in turn.
    pub fn is_large(&self) -> bool {
        self.whole.len() > 8
    }

    /// Calls `hit` with every atom that holds of `text`. Text that is not plain ASCII is folded
    /// into `folded`.
    pub fn scan(&self, text: &str, folded: &mut String, mut hit: impl FnMut(AtomId)) {
        for atom in &self.empty {
            hit(*atom);
        }
        if text.is_ascii() {
            self.scan_folded(text, hit);
        } else {
            folded.clear();
            fold_into(text, folded);
            self.scan_folded(folded, hit);
        }
    }

    /// Plain ASCII need not be folded.
    fn scan_folded(&self, text: &str, mut hit: impl FnMut(AtomId)) {
        let (shortest, longest) = self.whole_bytes;
        if (shortest..=longest).contains(&text.len())
            && let Some(alike) = self.whole.get(&brief(text.as_bytes()))
            && let Some((_, atom)) =
                alike.iter().find(|(whole, _)| whole.eq_ignore_ascii_case(text))
        {
            hit(*atom);
        }
        let bytes = || text.bytes().map(|byte| byte.to_ascii_lowercase());
        self.starts.walk(bytes(), &mut hit);
        self.ends.walk(bytes().rev(), hit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needles_inside_needles_are_all_found() {
        let mut draft = Draft::default();
        let mut id = 0;
        for needle in ["he", "she", "hers", "s"] {
            for anchor in [Anchor::Whole, Anchor::Start, Anchor::End] {
                draft.add(anchor, needle, AtomId(id));
                id += 1;
            }
        }
        let mut found = Vec::new();
        let table = draft.build();
        for text in ["shers", "SHeRs", "\u{17F}hers"] {
            found.clear();
            table.scan(text, &mut String::new(), |atom| found.push(atom.0));
            found.sort_unstable();
            // she: start; hers: end; s: start, end.
            assert_eq!(found, [4, 8, 10, 11], "{text}");
        }
    }
}
