//! All literals that rules look for in one field.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder, AhoCorasickKind, MatchKind};
use memchr::memmem;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::expr::AtomId;
use crate::pattern::Anchor;

/// Up to this many needles are looked for one by one: below it that is faster than an automaton
/// (measured on 100-byte command lines).
const FEW: usize = 4;
/// Bytes of needles up to which every step of the automaton is one look-up. That takes about
/// 160 bytes for each of them; the compact form takes 12, and twice the time.
const FAST_BYTES: usize = 512;

/// The literals of a field while rules are being read.
#[derive(Debug, Default)]
pub(super) struct Draft {
    whole: FxHashMap<Box<str>, AtomId>,
    parts: Vec<(Anchor, Box<str>, AtomId)>,
}

/// The literals of a field, ready to be found in folded text.
#[derive(Debug, Default)]
pub(super) struct Table {
    whole: FxHashMap<Box<str>, AtomId>,
    /// Lengths of the whole values, in bytes: the shortest and the longest.
    whole_bytes: (usize, usize),
    parts: Parts,
    /// Length of the shortest part, in bytes.
    part_bytes: usize,
}

#[derive(Debug, Default)]
enum Parts {
    #[default]
    None,
    Few(Vec<(Anchor, memmem::Finder<'static>, AtomId)>),
    /// The automaton, and by needle the atoms that want it, each with its anchor.
    Many(AhoCorasick, Vec<SmallVec<[(Anchor, AtomId); 1]>>),
}

impl Draft {
    pub fn add(&mut self, anchor: Anchor, needle: &str, atom: AtomId) {
        if anchor == Anchor::Whole {
            self.whole.insert(needle.into(), atom);
        } else {
            self.parts.push((anchor, needle.into(), atom));
        }
    }

    pub fn build(self) -> Table {
        let lengths = || self.whole.keys().map(|whole| whole.len());
        Table {
            whole_bytes: (lengths().min().unwrap_or(usize::MAX), lengths().max().unwrap_or(0)),
            part_bytes: self.parts.iter().map(|(_, part, _)| part.len()).min().unwrap_or(0),
            parts: Parts::build(&self.parts),
            whole: self.whole,
        }
    }
}

impl Parts {
    fn build(parts: &[(Anchor, Box<str>, AtomId)]) -> Self {
        if parts.is_empty() {
            return Self::None;
        }
        if parts.len() > FEW
            && let Some(many) = Self::automaton(parts)
        {
            return many;
        }
        let finder = |needle: &str| memmem::Finder::new(needle.as_bytes()).into_owned();
        Self::Few(
            parts.iter().map(|(anchor, needle, atom)| (*anchor, finder(needle), *atom)).collect(),
        )
    }

    fn automaton(parts: &[(Anchor, Box<str>, AtomId)]) -> Option<Self> {
        let mut place_of = FxHashMap::default();
        let mut needles: Vec<&str> = Vec::new();
        let mut wanted: Vec<SmallVec<[(Anchor, AtomId); 1]>> = Vec::new();
        for (anchor, needle, atom) in parts {
            let place = *place_of.entry(&**needle).or_insert_with(|| {
                needles.push(needle);
                wanted.push(SmallVec::new());
                needles.len() - 1
            });
            if let Some(wanted) = wanted.get_mut(place) {
                wanted.push((*anchor, *atom));
            }
        }
        // Only a set too large for 32-bit states cannot be built; it is then searched one by one.
        let bytes: usize = needles.iter().map(|needle| needle.len()).sum();
        let kind =
            if bytes <= FAST_BYTES { AhoCorasickKind::DFA } else { AhoCorasickKind::ContiguousNFA };
        let automaton = AhoCorasickBuilder::new()
            .match_kind(MatchKind::Standard)
            .kind(Some(kind))
            .build(&needles)
            .ok()?;
        Some(Self::Many(automaton, wanted))
    }
}

impl Table {
    /// Whether one look into the table is cheaper than to compare with its values in turn.
    pub fn is_large(&self) -> bool {
        self.whole.len() > 8
    }

    /// Calls `hit` with every atom that holds of the folded `text`, some more than once.
    pub fn scan(&self, text: &str, mut hit: impl FnMut(AtomId)) {
        let (shortest, longest) = self.whole_bytes;
        if (shortest..=longest).contains(&text.len())
            && let Some(atom) = self.whole.get(text)
        {
            hit(*atom);
        }
        if text.len() < self.part_bytes {
            return;
        }
        match &self.parts {
            Parts::None => {}
            Parts::Few(parts) => {
                for (anchor, finder, atom) in parts {
                    let (text, needle) = (text.as_bytes(), finder.needle());
                    let found = match anchor {
                        Anchor::Whole => text == needle,
                        Anchor::Start => text.starts_with(needle),
                        Anchor::End => text.ends_with(needle),
                        Anchor::Anywhere => finder.find(text).is_some(),
                    };
                    if found {
                        hit(*atom);
                    }
                }
            }
            Parts::Many(automaton, wanted) => {
                for found in automaton.find_overlapping_iter(text) {
                    let wanted = wanted.get(found.pattern().as_usize());
                    for (anchor, atom) in wanted.into_iter().flatten() {
                        let stands = match anchor {
                            Anchor::Whole => found.start() == 0 && found.end() == text.len(),
                            Anchor::Start => found.start() == 0,
                            Anchor::End => found.end() == text.len(),
                            Anchor::Anywhere => true,
                        };
                        if stands {
                            hit(*atom);
                        }
                    }
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
            draft.build().scan("shers", |atom| found.push(atom.0));
            found.sort_unstable();
            found.dedup();
            // he: anywhere; she: start, anywhere; hers: end, anywhere; s: start, end, anywhere.
            assert_eq!(found, [3, 5, 7, 10, 11, 13, 14, 15]);
        }
    }
}
