//! Literals that stand at one end of a text: one walk from there finds all of them.

use crate::expr::AtomId;

/// A trie of the beginnings, or, read backwards, of the ends of texts.
///
/// Nodes are numbered breadth first, so the children of a node have consecutive numbers: the edge
/// at place `n` of `labels` leads to node `n + 1`.
#[derive(Debug, Default)]
pub(super) struct Trie {
    nodes: Vec<Node>,
    labels: Vec<u8>,
    atoms: Vec<AtomId>,
}

/// Both as first and behind the last place.
#[derive(Clone, Copy, Debug, Default)]
struct Node {
    edges: (u32, u32),
    atoms: (u32, u32),
}

impl Trie {
    /// The trie of `needles`, each in the direction of the walk.
    pub fn build(mut needles: Vec<(Vec<u8>, AtomId)>) -> Self {
        if needles.is_empty() {
            return Self::default();
        }
        needles.sort_unstable();
        let mut trie = Self::default();
        // Of each node: the needles that pass through it, and how many bytes it has consumed.
        let mut level = vec![(0, needles.len())];
        let mut depth = 0;
        while !level.is_empty() {
            let mut below = Vec::new();
            for (first, last) in level {
                let passing = needles.get(first..last).unwrap_or_default();
                // Sorted: those that end here come first.
                let ended = passing.iter().take_while(|(needle, _)| needle.len() == depth).count();
                let atoms = trie.atoms.len() as u32;
                trie.atoms.extend(passing.iter().take(ended).map(|(_, atom)| *atom));
                let edges = trie.labels.len() as u32;
                let mut at = first + ended;
                for same in passing
                    .get(ended..)
                    .unwrap_or_default()
                    .chunk_by(|(left, _), (right, _)| left.get(depth) == right.get(depth))
                {
                    let label = same.first().and_then(|(needle, _)| needle.get(depth));
                    trie.labels.extend(label);
                    below.push((at, at + same.len()));
                    at += same.len();
                }
                trie.nodes.push(Node {
                    edges: (edges, trie.labels.len() as u32),
                    atoms: (atoms, trie.atoms.len() as u32),
                });
            }
            level = below;
            depth += 1;
        }
        trie
    }

    /// Calls `hit` with the atoms of every needle that `bytes` begins with.
    pub fn walk(&self, bytes: impl Iterator<Item = u8>, mut hit: impl FnMut(AtomId)) {
        let Some(mut node) = self.nodes.first() else {
            return;
        };
        for byte in bytes {
            let (first, last) = node.edges;
            let labels = self.labels.get(first as usize..last as usize).unwrap_or_default();
            let Some(place) = labels.iter().position(|label| *label == byte) else {
                return;
            };
            let Some(next) = self.nodes.get(first as usize + place + 1) else {
                return;
            };
            node = next;
            let (first, last) = node.atoms;
            for atom in self.atoms.get(first as usize..last as usize).unwrap_or_default() {
                hit(*atom);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn finds_what_comparing_finds(
            needles in prop::collection::vec("[ab]{1,4}", 0..20),
            text in "[abc]{0,8}",
        ) {
            let numbered = needles.iter().enumerate();
            let trie = Trie::build(
                numbered.clone().map(|(n, needle)| (needle.clone().into_bytes(), AtomId(n as u32))).collect(),
            );
            let mut found = Vec::new();
            trie.walk(text.bytes(), |atom| found.push(atom.0 as usize));
            found.sort_unstable();
            let expected: Vec<_> = numbered
                .filter(|(_, needle)| text.starts_with(needle.as_str()))
                .map(|(n, _)| n)
                .collect();
            prop_assert_eq!(found, expected);
        }
    }
}
