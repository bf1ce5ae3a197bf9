//! All literals that rules look for in one field.
//!
//! They stand in two halves that are searched apart, since an event often needs only the first:
//! at the *edges* whole values (a hash map), beginnings and ends (tries), which cost a few bytes'
//! reading; *inside* those that may stand anywhere, for which the whole text is read once.

use daachorse::DoubleArrayAhoCorasick;
use memchr::memmem;
use rustc_hash::FxHashMap;

use super::trie::Trie;
use crate::expr::AtomId;
use crate::pattern::Anchor;

/// Up to this many needles are looked for one by one: below it that is faster than an automaton
/// (measured on 100-byte command lines).
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

/// The literals of a field, ready to be found in folded text.
#[derive(Debug, Default)]
pub(super) struct Table {
    whole: FxHashMap<Box<str>, AtomId>,
    /// Lengths of the whole values, in bytes: the shortest and the longest.
    whole_bytes: (usize, usize),
    starts: Trie,
    ends: Trie,
    inside: Inside,
    /// Length of the shortest part, in bytes.
    part_bytes: usize,
    empty: Vec<(Half, AtomId)>,
}

#[derive(Default)]
enum Inside {
    #[default]
    None,
    Few(Vec<(memmem::Finder<'static>, AtomId)>),
    Many(DoubleArrayAhoCorasick<u32>),
}

impl std::fmt::Debug for Inside {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Inside")
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

    pub fn build(self) -> Table {
        let lengths = || self.whole.keys().map(|whole| whole.len());
        Table {
            whole_bytes: (lengths().min().unwrap_or(usize::MAX), lengths().max().unwrap_or(0)),
            starts: Trie::build(self.starts),
            ends: Trie::build(self.ends),
            part_bytes: self.inside.iter().map(|(part, _)| part.len()).min().unwrap_or(0),
            inside: Inside::build(&self.inside),
            whole: self.whole,
            empty: self.empty,
        }
    }
}

impl Inside {
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

    /// Calls `hit` with every atom of that half that holds of the folded `text`, some more than
    /// once.
    pub fn scan(&self, half: Half, text: &str, mut hit: impl FnMut(AtomId)) {
        for (of, atom) in &self.empty {
            if *of == half {
                hit(*atom);
            }
        }
        match half {
            Half::Edges => self.scan_edges(text, hit),
            Half::Inside => self.scan_inside(text, hit),
        }
    }

    fn scan_edges(&self, text: &str, mut hit: impl FnMut(AtomId)) {
        let (shortest, longest) = self.whole_bytes;
        if (shortest..=longest).contains(&text.len())
            && let Some(atom) = self.whole.get(text)
        {
            hit(*atom);
        }
        self.starts.walk(text.bytes(), &mut hit);
        self.ends.walk(text.bytes().rev(), hit);
    }

    fn scan_inside(&self, text: &str, mut hit: impl FnMut(AtomId)) {
        if text.len() < self.part_bytes {
            return;
        }
        match &self.inside {
            Inside::None => {}
            Inside::Few(parts) => {
                for (finder, atom) in parts {
                    if finder.find(text.as_bytes()).is_some() {
                        hit(*atom);
                    }
                }
            }
            Inside::Many(automaton) => {
                for found in automaton.find_overlapping_iter(text) {
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
            let table = draft.build();
            for half in [Half::Edges, Half::Inside] {
                table.scan(half, "shers", |atom| found.push(atom.0));
            }
            found.sort_unstable();
            found.dedup();
            // he: anywhere; she: start, anywhere; hers: end, anywhere; s: start, end, anywhere.
            assert_eq!(found, [3, 5, 7, 10, 11, 13, 14, 15]);
        }
    }
}
