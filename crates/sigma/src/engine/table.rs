//! All literals that rules look for in one field.
//!
//! They stand in two halves that are searched apart, since an event often needs only the first:
//! at the *edges* whole values (a hash map), beginnings and ends (tries), which cost a few bytes'
//! reading; *inside* those that may stand anywhere, for which the whole text is read once: by
//! their grams where it is plain ASCII, as nearly all are, else by an automaton once it is folded.

use std::sync::{Arc, OnceLock};

use daachorse::DoubleArrayAhoCorasick;
use memchr::memmem;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::grams::{Grams, Rarity};
use super::trie::Trie;
use crate::expr::AtomId;
use crate::fold::fold_into;
use crate::pattern::Anchor;

/// Up to this many needles are looked for one by one, without an automaton.
const FEW: usize = 4;

/// Which literals of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Half {
    /// Whole values, beginnings and ends.
    Edges,
    /// What may stand anywhere.
    Inside,
}

impl Half {
    /// Where a literal with this anchor stands.
    pub const fn of(anchor: Anchor) -> Self {
        match anchor {
            Anchor::Whole | Anchor::Start | Anchor::End => Self::Edges,
            Anchor::Anywhere => Self::Inside,
        }
    }
}

/// The literals of a field while rules are being read.
#[derive(Debug, Default)]
pub(super) struct Draft {
    whole: FxHashMap<Box<str>, AtomId>,
    starts: Vec<(Vec<u8>, AtomId)>,
    ends: Vec<(Vec<u8>, AtomId)>,
    inside: Vec<(Box<str>, AtomId)>,
    /// Empty beginnings, ends and parts: every text has them.
    empty: Vec<(Half, AtomId)>,
}

/// Whole values with one [`brief`].
type Alike = SmallVec<[(Box<str>, AtomId); 1]>;

/// The literals of a field, ready to be found.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// By [`brief`].
    whole: FxHashMap<u64, Alike>,
    /// Lengths of the whole values, in bytes: the shortest and the longest.
    whole_bytes: (usize, usize),
    starts: Trie,
    ends: Trie,
    inside: Inside,
    empty: Vec<(Half, AtomId)>,
}

/// Literals that may stand anywhere in a field. Of most fields no text is ever searched for all of
/// them, so they are made ready when the first is.
#[derive(Debug, Default)]
struct Inside {
    parts: Vec<(Box<str>, AtomId)>,
    rarity: Arc<Rarity>,
    grams: OnceLock<Grams>,
    automaton: OnceLock<Automaton>,
}

/// Finds parts in folded text of any script.
#[derive(Default)]
enum Automaton {
    #[default]
    None,
    Few(Vec<(memmem::Finder<'static>, AtomId)>),
    Many(DoubleArrayAhoCorasick<u32>),
}

impl std::fmt::Debug for Automaton {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Automaton")
    }
}

impl Draft {
    pub fn add(&mut self, anchor: Anchor, needle: &str, atom: AtomId) {
        match anchor {
            Anchor::Whole => {
                self.whole.insert(needle.into(), atom);
            }
            anchor if needle.is_empty() => self.empty.push((Half::of(anchor), atom)),
            Anchor::Start => self.starts.push((needle.bytes().collect(), atom)),
            Anchor::End => self.ends.push((needle.bytes().rev().collect(), atom)),
            Anchor::Anywhere => self.inside.push((needle.into(), atom)),
        }
    }

    /// The literals that may stand anywhere.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.inside.iter().map(|(part, _)| &**part)
    }

    pub fn build(self, rarity: &Arc<Rarity>) -> Table {
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
            inside: Inside { parts: self.inside, rarity: Arc::clone(rarity), ..Inside::default() },
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

impl Inside {
    fn grams(&self) -> &Grams {
        self.grams.get_or_init(|| {
            let parts = self.parts.iter().map(|(part, atom)| (&**part, *atom));
            Grams::build(parts, &self.rarity)
        })
    }

    fn automaton(&self) -> &Automaton {
        self.automaton.get_or_init(|| Automaton::build(&self.parts))
    }
}

impl Automaton {
    fn build(parts: &[(Box<str>, AtomId)]) -> Self {
        if parts.is_empty() {
            return Self::None;
        }
        if parts.len() > FEW {
            let needles = parts.iter().map(|(needle, atom)| (needle.as_bytes(), atom.0));
            // Only a set too large for 32-bit states cannot be built; it is searched one by one.
            if let Ok(automaton) = DoubleArrayAhoCorasick::with_values(needles) {
                return Self::Many(automaton);
            }
        }
        let finder = |needle: &str| memmem::Finder::new(needle.as_bytes()).into_owned();
        Self::Few(parts.iter().map(|(needle, atom)| (finder(needle), *atom)).collect())
    }
}

impl Table {
    /// Whether one look into the table is cheaper than to compare with its values in turn.
    pub fn is_large(&self) -> bool {
        self.whole.len() > 8
    }

    /// Calls `hit` with every atom of that half that holds of `text`, some more than once.
    /// Text that is not plain ASCII is folded into `folded`.
    pub fn scan(&self, half: Half, text: &str, folded: &mut String, mut hit: impl FnMut(AtomId)) {
        for (of, atom) in &self.empty {
            if *of == half {
                hit(*atom);
            }
        }
        let plain = text.is_ascii();
        if plain && half == Half::Inside && self.inside.grams().scan(text, &mut hit) {
            return;
        }
        let mut text = text;
        if !plain || half == Half::Inside {
            folded.clear();
            fold_into(text, folded);
            text = folded;
        }
        match half {
            Half::Edges => self.scan_edges(text, hit),
            Half::Inside => self.inside.automaton().scan(text, hit),
        }
    }

    /// Plain ASCII need not be folded.
    fn scan_edges(&self, text: &str, mut hit: impl FnMut(AtomId)) {
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

impl Automaton {
    fn scan(&self, folded: &str, mut hit: impl FnMut(AtomId)) {
        match self {
            Self::None => {}
            Self::Few(parts) => {
                for (finder, atom) in parts {
                    if finder.find(folded.as_bytes()).is_some() {
                        hit(*atom);
                    }
                }
            }
            Self::Many(automaton) => {
                for found in automaton.find_overlapping_iter(folded) {
                    hit(AtomId(found.value()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn needles_inside_needles_are_all_found() {
        for copies in [1, 3] {
            let mut draft = Draft::default();
            let mut id = 0;
            for copy in 0..copies {
                for needle in ["he", "she", "hers", "s"] {
                    for anchor in [Anchor::Whole, Anchor::Start, Anchor::End, Anchor::Anywhere] {
                        // Copies only fill the table up to where it becomes an automaton.
                        let needle =
                            if copy == 0 { needle.into() } else { format!("{needle}{copy}") };
                        draft.add(anchor, &needle, AtomId(id));
                        id += 1;
                    }
                }
            }
            let mut found = Vec::new();
            let table = draft.build(&Arc::default());
            for text in ["shers", "SHeRs", "\u{17F}hers"] {
                found.clear();
                for half in [Half::Edges, Half::Inside] {
                    table.scan(half, text, &mut String::new(), |atom| found.push(atom.0));
                }
                found.sort_unstable();
                found.dedup();
                // he: anywhere; she: start, anywhere; hers: end, anywhere; s: start, end, anywhere.
                assert_eq!(found, [3, 5, 7, 10, 11, 13, 14, 15], "{text}");
            }
        }
    }
}
