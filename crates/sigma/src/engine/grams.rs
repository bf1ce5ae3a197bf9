//! Literals of plain ASCII that may stand anywhere in a text of plain ASCII, whatever its case.
//!
//! Each is known by a *gram*: four bytes of it, or two where it is shorter, those that are
//! rarest in literals of rules. A text's grams are looked up in a filter of bits, which stays in
//! the nearest cache; where one is found, the literals that are known by it are compared. No step
//! waits for the one before, as every step of an automaton does, and nothing is folded: that makes
//! it several times as fast. Where all literals are longer than a gram, each is known by several
//! that follow one another, and only every so many-th place of a text is looked at.

use memchr::memchr2;

use super::gate::Gate;
use crate::expr::AtomId;

/// Sets the bit that tells small letters from capitals. It makes some other characters alike as
/// well, which only costs a comparison in vain.
const SMALL: u32 = 0x2020_2020;
/// Spreads grams over the filter: Knuth's multiplier.
const SPREAD: u32 = 0x9E37_79B1;
/// Bits of the filter for a gram, and its bounds as powers of two: 1 to 32 kB.
const BITS_A_GRAM: usize = 16;
const FILTER_BITS: (u32, u32) = (13, 18);
/// The most places that a step may take.
const MOST_STRIDE: usize = 4;
/// From so many bytes on a literal is long, at best and where too many are shorter.
const LONG: [usize; 3] = [7, 6, 5];
/// Literals compared for a byte of text, and for a text whatever its length, before the search is
/// given up: a text can be made so that every place of it looks like many literals.
const COMPARED_A_BYTE: usize = 8;
const COMPARED_A_TEXT: usize = 256;

/// How often pairs of bytes stand in the literals of rules.
#[derive(Debug, Default)]
pub(super) struct Rarity(Vec<u16>);

impl Rarity {
    /// Counts the pairs of a literal.
    pub fn add(&mut self, literal: &str) {
        self.0.resize(1 << 16, 0);
        for pair in literal.as_bytes().array_windows() {
            if let Some(count) = self.0.get_mut(usize::from(u16::from_le_bytes(small(*pair)))) {
                *count = count.saturating_add(1);
            }
        }
    }

    /// An upper bound of how often `gram` stands in them.
    pub fn of(&self, gram: &[u8]) -> u32 {
        let pairs = gram.array_windows().map(|pair| usize::from(u16::from_le_bytes(small(*pair))));
        pairs.map(|pair| u32::from(self.0.get(pair).copied().unwrap_or(0))).min().unwrap_or(0)
    }
}

fn small(pair: [u8; 2]) -> [u8; 2] {
    pair.map(|byte| byte | 0x20)
}

/// Literals, ready to be found.
#[derive(Debug, Default)]
pub(super) struct Grams {
    long: Layer<4>,
    /// Tells of a text that neither `medium` nor `short` have anything in it.
    gate: Option<Gate>,
    medium: Layer<4>,
    short: Layer<2>,
    single: Vec<(u8, AtomId)>,
    /// All literals, one after the other.
    literals: Vec<u8>,
}

/// Whether a search goes on after a literal was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Go {
    On,
    Home,
}

impl Grams {
    /// Makes `literals`, folded ones, ready; those that are empty or no plain ASCII are left out.
    pub fn build<'l>(literals: impl Iterator<Item = (&'l str, AtomId)>, rarity: &Rarity) -> Self {
        let mut grams = Self::default();
        let literals: Vec<_> = literals.filter(|(literal, _)| literal.is_ascii()).collect();
        let gate_below = |length| {
            let below = literals.iter().map(|(literal, _)| *literal);
            let below = below.filter(|literal| (2..length).contains(&literal.len()));
            Gate::build(&below.collect::<Vec<_>>(), rarity)
        };
        let gated = LONG.into_iter().find_map(|length| Some((length, gate_below(length)?)));
        // Without a gate one search for all is cheaper.
        let long_from = gated.as_ref().map_or(4, |(length, _)| *length);
        let (mut long, mut medium, mut short) = (Vec::new(), Vec::new(), Vec::new());
        for (literal, atom) in literals {
            let start = grams.literals.len() as u32;
            grams.literals.extend_from_slice(literal.as_bytes());
            let known = Literal { span: (start, grams.literals.len() as u32), atom };
            match literal.as_bytes() {
                [] => {}
                [byte] => grams.single.push((*byte, atom)),
                [_, _] | [_, _, _] => short.push(known),
                bytes if bytes.len() < long_from => medium.push(known),
                _ => long.push(known),
            }
        }
        grams.gate = gated.map(|(_, gate)| gate);
        grams.long = Layer::build(&long, &grams.literals, rarity);
        grams.medium = Layer::build(&medium, &grams.literals, rarity);
        grams.short = Layer::build(&short, &grams.literals, rarity);
        grams
    }

    /// Calls `hit` with the atoms of all literals that stand in `text`, which folds alone, some
    /// more than once. Tells whether it came to the end; if not, the rest is not known.
    #[must_use]
    pub fn scan(&self, text: &str, mut hit: impl FnMut(AtomId)) -> bool {
        self.search(text, &mut |atom| {
            hit(atom);
            Go::On
        })
    }

    /// Whether a literal stands in `text`, which folds alone, or might, where that is dear to tell.
    pub fn may_stand(&self, text: &str) -> bool {
        !self.search(text, &mut |_| Go::Home)
    }

    #[inline]
    fn search(&self, text: &str, hit: &mut impl FnMut(AtomId) -> Go) -> bool {
        let bytes = text.as_bytes();
        for (byte, atom) in &self.single {
            if memchr2(*byte, byte.to_ascii_uppercase(), bytes).is_some() && hit(*atom) == Go::Home
            {
                return false;
            }
        }
        let held = self
            .gate
            .as_ref()
            .is_some_and(|gate| text.len() >= Gate::SHORTEST_TEXT && !gate.lets_through(text));
        self.long.scan(bytes, &self.literals, hit)
            && (held
                || self.medium.scan(bytes, &self.literals, hit)
                    && self.short.scan(bytes, &self.literals, hit))
    }
}

#[derive(Clone, Copy, Debug)]
struct Literal {
    /// From, to among all literals.
    span: (u32, u32),
    atom: AtomId,
}

/// Literals of at least `WIDTH` bytes, by grams of that width.
#[derive(Debug)]
struct Layer<const WIDTH: usize> {
    stride: usize,
    filter: Vec<u64>,
    /// What is shifted out of a gram's hash to get its bit in the filter, and its bucket.
    shift: (u32, u32),
    /// By bucket: where its entries begin; one more at the end.
    buckets: Vec<u32>,
    entries: Vec<Entry>,
}

/// A gram of a literal.
#[derive(Clone, Copy, Debug)]
struct Entry {
    gram: u32,
    /// Bytes of the literal before it.
    before: u32,
    literal: Literal,
}

impl<const WIDTH: usize> Default for Layer<WIDTH> {
    fn default() -> Self {
        Self {
            stride: 1,
            filter: Vec::new(),
            shift: (0, 0),
            buckets: Vec::new(),
            entries: Vec::new(),
        }
    }
}

impl<const WIDTH: usize> Layer<WIDTH> {
    fn build(literals: &[Literal], all: &[u8], rarity: &Rarity) -> Self {
        let bytes = |literal: &Literal| {
            let (from, to) = literal.span;
            all.get(from as usize..to as usize).unwrap_or_default()
        };
        let Some(shortest) = literals.iter().map(|literal| bytes(literal).len()).min() else {
            return Self::default();
        };
        let stride = (shortest + 1).saturating_sub(WIDTH).clamp(1, MOST_STRIDE);
        let mut entries = Vec::with_capacity(literals.len() * stride);
        for literal in literals {
            let grams: Vec<(&[u8; WIDTH], u32)> = bytes(literal)
                .array_windows()
                .map(|gram: &[u8; WIDTH]| (gram, rarity.of(gram)))
                .collect();
            let cost =
                |run: &[(&[u8; WIDTH], u32)]| run.iter().map(|(_, often)| *often).sum::<u32>();
            let rarest = grams.windows(stride).enumerate().min_by_key(|(_, run)| cost(run));
            let Some((first, run)) = rarest else { continue };
            for (place, (gram, _)) in run.iter().enumerate() {
                let before = (first + place) as u32;
                entries.push(Entry { gram: key(gram), before, literal: *literal });
            }
        }
        let (least, most) = FILTER_BITS;
        let bits = (entries.len() * BITS_A_GRAM).next_power_of_two().ilog2().clamp(least, most);
        let bucket_bits = (entries.len() * 2).next_power_of_two().ilog2().clamp(1, most);
        let mut layer = Self {
            stride,
            filter: vec![0; 1 << (bits - 6)],
            shift: (32 - bits, 32 - bucket_bits),
            buckets: Vec::with_capacity((1 << bucket_bits) + 1),
            entries: Vec::new(),
        };
        let bucket = |entry: &Entry| hash(entry.gram) >> layer.shift.1;
        entries.sort_by_key(bucket);
        let mut next = 0;
        for number in 0..=1_u32 << bucket_bits {
            next += entries
                .get(next..)
                .unwrap_or_default()
                .iter()
                .take_while(|entry| bucket(entry) < number)
                .count();
            layer.buckets.push(next as u32);
        }
        for entry in &entries {
            let bit = hash(entry.gram) >> layer.shift.0;
            if let Some(word) = layer.filter.get_mut(bit as usize >> 6) {
                *word |= 1 << (bit & 63);
            }
        }
        layer.entries = entries;
        layer
    }

    /// Whether the end of `text` was reached.
    fn scan(&self, text: &[u8], all: &[u8], hit: &mut impl FnMut(AtomId) -> Go) -> bool {
        if self.entries.is_empty() {
            return true;
        }
        let mut left = COMPARED_A_TEXT + COMPARED_A_BYTE * text.len();
        let mut compare = |rest: &[u8], gram, hash| {
            self.compare((text, text.len() - rest.len()), (gram, hash), all, &mut left, hit)
        };
        // What the loops need at hand: this is where matching spends its time.
        let (filter, shift) = (self.filter.as_slice(), self.shift.0);
        let is_known = |hash: u32| {
            let bit = hash >> shift;
            filter.get(bit as usize >> 6).is_some_and(|word| word >> (bit & 63) & 1 == 1)
        };
        let mut rest = text;
        if self.stride == MOST_STRIDE {
            while let Some((gram, next)) = rest.split_first_chunk::<MOST_STRIDE>() {
                let gram = key(gram);
                let hash = hash(gram);
                if is_known(hash) && !compare(rest, gram, hash) {
                    return false;
                }
                rest = next;
            }
            return true;
        }
        let stride = self.stride;
        while let Some(gram) = rest.first_chunk::<WIDTH>() {
            let gram = key(gram);
            let hash = hash(gram);
            if is_known(hash) && !compare(rest, gram, hash) {
                return false;
            }
            let Some(next) = rest.get(stride..) else { break };
            rest = next;
        }
        true
    }

    /// Compares the literals that are known by a gram with a text at a place; whether the search
    /// goes on.
    #[inline(never)]
    fn compare(
        &self,
        (text, at): (&[u8], usize),
        (gram, hash): (u32, u32),
        all: &[u8],
        left: &mut usize,
        hit: &mut impl FnMut(AtomId) -> Go,
    ) -> bool {
        let entries = self.bucket(hash >> self.shift.1);
        let Some(rest) = left.checked_sub(entries.len()) else { return false };
        *left = rest;
        entries.iter().all(|entry| {
            entry.gram != gram || !entry.stands(text, at, all) || hit(entry.literal.atom) == Go::On
        })
    }

    fn bucket(&self, number: u32) -> &[Entry] {
        let Some([from, to]) = self.buckets.get(number as usize..).and_then(<[u32]>::first_chunk)
        else {
            return &[];
        };
        self.entries.get(*from as usize..*to as usize).unwrap_or_default()
    }
}

impl Entry {
    /// Whether the literal stands in `text` so that its gram is at this place.
    fn stands(&self, text: &[u8], at: usize, all: &[u8]) -> bool {
        let (from, to) = self.literal.span;
        let literal = all.get(from as usize..to as usize).unwrap_or_default();
        at.checked_sub(self.before as usize)
            .and_then(|start| text.get(start..start + literal.len()))
            .is_some_and(|there| there.eq_ignore_ascii_case(literal))
    }
}

fn key<const WIDTH: usize>(gram: &[u8; WIDTH]) -> u32 {
    let mut bytes = [0; 4];
    for (byte, from) in bytes.iter_mut().zip(gram) {
        *byte = *from;
    }
    u32::from_le_bytes(bytes) | SMALL
}

fn hash(gram: u32) -> u32 {
    gram.wrapping_mul(SPREAD)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(literals: &[String], text: &str) -> (Vec<usize>, bool) {
        let mut rarity = Rarity::default();
        for literal in literals {
            rarity.add(literal);
        }
        let numbered = || literals.iter().enumerate();
        let grams =
            Grams::build(numbered().map(|(n, one)| (one.as_str(), AtomId(n as u32))), &rarity);
        let mut found = Vec::new();
        let whole = grams.scan(text, |atom| found.push(atom.0 as usize));
        found.sort_unstable();
        found.dedup();
        assert_eq!(grams.may_stand(text), !whole || !found.is_empty());
        (found, whole)
    }

    fn expected(literals: &[String], text: &str) -> Vec<usize> {
        let text = text.to_ascii_lowercase();
        let there = literals.iter().enumerate().filter(|(_, one)| text.contains(one.as_str()));
        there.map(|(n, _)| n).collect()
    }

    proptest! {
        #[test]
        fn finds_what_comparing_finds(
            literals in prop::collection::vec("[ab@ -]{1,9}", 0..20),
            text in "[aABb@` -]{0,40}",
        ) {
            prop_assert_eq!(found(&literals, &text), (expected(&literals, &text), true));
        }

        #[test]
        fn short_and_long_literals_are_found_in_long_texts(
            literals in prop::collection::vec("[ab]{1,9}", 0..5),
            text in "[aAbBc]{30,80}",
        ) {
            prop_assert_eq!(found(&literals, &text), (expected(&literals, &text), true));
        }

        #[test]
        fn long_literals_are_found_in_steps(
            literals in prop::collection::vec("[ab]{6,12}", 0..6),
            text in "[aAbB]{0,60}",
        ) {
            prop_assert_eq!(found(&literals, &text), (expected(&literals, &text), true));
        }
    }

    #[test]
    fn a_text_made_to_be_slow_is_given_up() {
        let literals: Vec<String> = (4..100).map(|n| "a".repeat(n)).collect();
        let (_, whole) = found(&literals, &"a".repeat(10_000));
        assert!(!whole);
    }
}
