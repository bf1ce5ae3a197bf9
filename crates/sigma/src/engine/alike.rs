//! Events alike: what one matched, the next matches too.
//!
//! Of a field, rules mostly ask which of their literals stand in it. By the answers its values fall
//! into a few *classes*, nearly all of them into the one in which nothing stands. Where no more was
//! asked than what classes tell, what an event matches is a function of the classes of its fields.
//! So the values met lately are remembered with their classes, whole, since who writes logs can
//! make hashes collide; and what was matched by the classes of all fields. Most events then cost a
//! comparison a field, and no rule is run.

use rustc_hash::{FxBuildHasher, FxHashMap};
use smallvec::SmallVec;
use vigie_event::FieldId;

use super::route::{Plan, Stop};
use super::{Engine, Local, NO_LOCAL};
use crate::RuleIndex;
use crate::expr::AtomId;

/// Places for values of a field, at first and where they are too few, and for outcomes of a route;
/// powers of two.
const VALUES: [usize; 2] = [64, 1_024];
const OUTCOMES: usize = 64;
/// Bytes of the longest value that is remembered; longer ones seldom come again.
const LONGEST: usize = 36;
/// Classes of a route: what most need, and what none goes beyond.
const FEW_CLASSES: usize = 14;
const MOST_CLASSES: usize = 4_096;
/// Events after which it shows whether remembering pays, and events without it where it does not.
const TRIED: u32 = 512;
const RESTS: u32 = 16_384;

/// The class of values in which nothing stands, and that of null.
pub(super) const NOTHING: u32 = 0;
pub(super) const NULL: u32 = 1;

/// What is remembered on a route under one plan.
#[derive(Debug)]
pub(super) struct Alike {
    /// By local: whether the edges of its table tell classes apart because a condition asked for
    /// them.
    edges: Vec<bool>,
    /// By [`FieldId::index`](vigie_event::FieldId::index).
    pub asked: Vec<Asked>,
    /// By local.
    values: Vec<Values>,
    /// By the atoms that hold.
    classes: FxHashMap<SmallVec<[AtomId; 4]>, u32>,
    outcomes: Vec<Outcome>,
    /// The classes of the event at hand, each with its field.
    key: Vec<u64>,
    hash: u64,
    /// Whether the key tells all.
    complete: bool,
    tried: u32,
    found: u32,
    rests: u32,
}

/// What rules ask of a field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// `NO_LOCAL`: nothing.
    pub local: Local,
    /// Which literals stand in it, and not only whether it is there.
    pub searched: bool,
}

/// A value with its class.
#[derive(Clone, Copy, Debug)]
struct Remembered {
    ends: Ends,
    class: u32,
    /// All of it, where its ends do not meet.
    bytes: [u8; LONGEST],
}

/// The values remembered of a field.
#[derive(Clone, Debug, Default)]
struct Values {
    places: Vec<Remembered>,
    /// Values that had to make room for others.
    displaced: usize,
}

impl Values {
    fn remember(&mut self, value: Remembered) {
        let [few, many] = VALUES;
        let wanted = if self.displaced < 4 * few { few } else { many };
        if self.places.len() < wanted {
            self.places.clear();
            self.places.resize(wanted, Remembered { ends: Ends::NONE, ..value });
        }
        let place = value.ends.place(self.places.len());
        if let Some(place) = self.places.get_mut(place) {
            self.displaced += usize::from(place.ends != Ends::NONE);
            *place = value;
        }
    }
}

/// Beginning and end of a value, eight bytes each, and its length: all there is of one with up to
/// 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ends {
    head: u64,
    tail: u64,
    length: u32,
}

impl Ends {
    /// No value is so long.
    const NONE: Self = Self { head: 0, tail: 0, length: u32::MAX };

    #[inline]
    fn of(value: &[u8]) -> Self {
        let (head, tail) = match (value.first_chunk(), value.last_chunk()) {
            (Some(head), Some(tail)) => (u64::from_le_bytes(*head), u64::from_le_bytes(*tail)),
            _ => match (value.first_chunk(), value.last_chunk()) {
                (Some(head), Some(tail)) => {
                    (u32::from_le_bytes(*head).into(), u32::from_le_bytes(*tail).into())
                }
                _ => (value.iter().fold(0, |head, byte| head << 8 | u64::from(*byte)), 0),
            },
        };
        Self { head, tail, length: value.len() as u32 }
    }

    fn meet(self) -> bool {
        self.length <= 16
    }

    /// Where the value is remembered among so many places.
    #[inline]
    fn place(self, places: usize) -> usize {
        let mixed = self.head ^ self.tail.rotate_left(29) ^ u64::from(self.length);
        (mixed.wrapping_mul(SPREAD) >> 32) as usize & places.wrapping_sub(1)
    }
}

/// What events with one key match.
#[derive(Clone, Debug, Default)]
pub(super) struct Outcome {
    known: bool,
    key: SmallVec<[u64; 12]>,
    pub rules: SmallVec<[RuleIndex; 4]>,
    /// Rules whose signs were there.
    pub candidates: usize,
}

/// What was asked of an event beyond its classes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Beyond {
    #[default]
    Nothing,
    /// The edges of a field's table, which could tell classes apart.
    Edges(Local),
    /// What no class tells.
    More,
}

/// What came of an event that was not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remembrance {
    /// The next like it will not be known either.
    None,
    /// The next like it will be known.
    Kept,
    /// More is to be asked of events from now on.
    AskMore,
}

impl Alike {
    /// Nothing is remembered yet of a route whose rules may ask for so many fields.
    pub fn new(locals: usize) -> Self {
        Self {
            edges: vec![false; locals],
            asked: Vec::new(),
            values: vec![Values::default(); locals],
            classes: FxHashMap::with_capacity_and_hasher(FEW_CLASSES, FxBuildHasher),
            outcomes: Vec::new(),
            key: Vec::new(),
            hash: 0,
            complete: true,
            tried: 0,
            found: 0,
            rests: 0,
        }
    }

    /// Notes what the rules of `plan` ask.
    pub fn ask(&mut self, engine: &Engine, plan: &Plan) {
        self.asked.clear();
        for (local, field) in engine.fields.iter().enumerate() {
            let local = local as Local;
            let Some(field) = field.filter(|field| plan.local(*field) == local) else { continue };
            if self.asked.len() <= field.index() {
                let nothing = Asked { local: NO_LOCAL, searched: false };
                self.asked.resize(field.index() + 1, nothing);
            }
            let searched = self.edges.get(local as usize).copied().unwrap_or(false)
                || plan.stop(local).is_some_and(Stop::is_searched);
            if let Some(asked) = self.asked.get_mut(field.index()) {
                *asked = Asked { local, searched };
            }
        }
    }

    /// Forgets all, for other signs.
    pub fn forget(&mut self) {
        for values in &mut self.values {
            values.places.clear();
        }
        self.classes.clear();
        for outcome in &mut self.outcomes {
            outcome.known = false;
        }
    }

    /// Whether the event at hand is to be looked up.
    pub fn is_awake(&mut self) -> bool {
        self.rests = self.rests.saturating_sub(1);
        self.rests == 0
    }

    /// By local: whether the edges of its table tell classes apart in any case.
    pub fn edges(&self) -> &[bool] {
        &self.edges
    }

    /// What is asked of a field.
    #[inline]
    pub fn asked(&self, field: FieldId) -> Option<Asked> {
        self.asked.get(field.index()).copied().filter(|asked| asked.local != NO_LOCAL)
    }

    /// The class of a field of the event at hand.
    pub fn class_at_hand(&self, local: Local) -> Option<u32> {
        let part = self.key.iter().find(|part| **part >> 32 == u64::from(local))?;
        Some(*part as u32)
    }

    /// Notes that an event was known without its key.
    #[inline]
    pub fn was_found(&mut self) {
        self.found += 1;
        self.try_one();
    }

    #[inline]
    fn try_one(&mut self) {
        self.tried += 1;
        if self.tried == TRIED {
            self.rests = if self.found < TRIED / 2 { RESTS } else { 0 };
            (self.tried, self.found) = (0, 0);
        }
    }

    /// Begins with another event.
    pub fn begin(&mut self) {
        self.key.clear();
        self.hash = 0;
        self.complete = true;
    }

    /// Adds the class of a field to the key; `None`: it has none.
    #[inline]
    pub fn add(&mut self, local: Local, class: Option<u32>) {
        let Some(class) = class else {
            self.complete = false;
            return;
        };
        let part = u64::from(local) << 32 | u64::from(class);
        self.key.push(part);
        self.hash = (self.hash.rotate_left(5) ^ part).wrapping_mul(SPREAD);
    }

    /// The class of `value`, where it is remembered.
    #[inline]
    pub fn class_of(&self, local: Local, value: &str) -> Option<u32> {
        let ends = Ends::of(value.as_bytes());
        let places = &self.values.get(local as usize)?.places;
        let remembered = places.get(ends.place(places.len()))?;
        let alike = remembered.ends == ends
            && (ends.meet() || remembered.bytes.get(..value.len()) == Some(value.as_bytes()));
        alike.then_some(remembered.class)
    }

    /// The class of values of which these atoms, sorted, hold; `None` where there are too many.
    pub fn class_with(&mut self, atoms: &[AtomId]) -> Option<u32> {
        if atoms.is_empty() {
            return Some(NOTHING);
        }
        if let Some(class) = self.classes.get(atoms) {
            return Some(*class);
        }
        if self.classes.len() >= MOST_CLASSES {
            return None;
        }
        let class = NULL + 1 + self.classes.len() as u32;
        self.classes.insert(atoms.into(), class);
        Some(class)
    }

    /// Remembers the class of `value`.
    pub fn remember_class(&mut self, local: Local, value: &str, class: u32) {
        let Some(values) = self.values.get_mut(local as usize) else { return };
        let ends = Ends::of(value.as_bytes());
        let mut remembered = Remembered { ends, class, bytes: [0; LONGEST] };
        let Some(bytes) = remembered.bytes.get_mut(..value.len()) else { return };
        bytes.copy_from_slice(value.as_bytes());
        values.remember(remembered);
    }

    /// What the event at hand matches, where one with the same key came before.
    pub fn outcome(&mut self) -> Option<&Outcome> {
        self.try_one();
        if !self.complete {
            return None;
        }
        let places = self.places();
        let mut known = places.into_iter().filter_map(|place| self.outcomes.get(place));
        let outcome = known.find(|outcome| outcome.known && *outcome.key == *self.key)?;
        self.found += 1;
        Some(outcome)
    }

    /// Remembers what the event at hand matches, unless that depends on more than its classes.
    pub fn remember(
        &mut self,
        beyond: Beyond,
        rules: &[RuleIndex],
        candidates: usize,
    ) -> Remembrance {
        match beyond {
            Beyond::Nothing if self.complete => {}
            Beyond::Edges(local) => {
                if let Some(edges) = self.edges.get_mut(local as usize) {
                    *edges = true;
                }
                // Classes are finer from now on.
                self.forget();
                return Remembrance::AskMore;
            }
            _ => return Remembrance::None,
        }
        if self.outcomes.is_empty() {
            self.outcomes.resize_with(OUTCOMES, Outcome::default);
        }
        let [place, beside] = self.places();
        let free = self.outcomes.get(beside).is_some_and(|outcome| !outcome.known);
        let taken = self.outcomes.get(place).is_some_and(|outcome| outcome.known);
        let Some(outcome) = self.outcomes.get_mut(if taken && free { beside } else { place })
        else {
            return Remembrance::None;
        };
        outcome.known = true;
        outcome.key.clear();
        outcome.key.extend_from_slice(&self.key);
        outcome.rules.clear();
        outcome.rules.extend_from_slice(rules);
        outcome.candidates = candidates;
        Remembrance::Kept
    }

    /// Where the outcome of the event at hand may stand.
    fn places(&self) -> [usize; 2] {
        let place = (self.hash >> (u64::BITS - OUTCOMES.ilog2())) as usize;
        [place, place ^ 1]
    }
}

const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn values_are_known_by_all_their_bytes() {
        let mut alike = Alike::new(2);
        // All of them have one place.
        let values: Vec<String> =
            (0..30).map(|n| format!("beginnin{}the end!", char::from(b'A' + n))).collect();
        let places = values.iter().map(|value| Ends::of(value.as_bytes()).place(64));
        assert_eq!(places.collect::<BTreeSet<_>>().len(), 1);
        assert_eq!(alike.class_of(1, ""), None);
        for (class, value) in values.iter().enumerate() {
            alike.remember_class(1, value, class as u32);
            for other in &values {
                let expected = (other == value).then_some(class as u32);
                assert_eq!(alike.class_of(1, other), expected, "{value} {other}");
            }
        }
        alike.remember_class(1, "", 7);
        assert_eq!((alike.class_of(1, ""), alike.class_of(0, "")), (Some(7), None));
        for length in 0..20 {
            let value = "x".repeat(length);
            alike.remember_class(1, &value, 3);
            for place in 0..length {
                let other = format!("{}y{}", &value[..place], &value[place + 1..]);
                assert_eq!(alike.class_of(1, &other), None, "{other}");
            }
            assert_eq!(alike.class_of(1, &value), Some(3));
        }
        let long = "x".repeat(300);
        alike.remember_class(1, &long, 7);
        assert_eq!(alike.class_of(1, &long), None);
        alike.forget();
        assert_eq!(alike.class_of(1, ""), None);
    }

    #[test]
    fn classes_are_bounded() {
        let mut alike = Alike::new(1);
        let known = (0..10_000).filter_map(|n| alike.class_with(&[AtomId(n)])).count();
        assert_eq!(known, MOST_CLASSES);
        assert_eq!((alike.class_with(&[AtomId(0)]), alike.class_with(&[])), (Some(2), Some(0)));
    }

    #[test]
    fn outcomes_are_known_by_all_classes() {
        let mut alike = Alike::new(3);
        let mut numbers = 0..;
        let mut event = |alike: &mut Alike, classes: &[u32]| {
            alike.begin();
            for (local, class) in classes.iter().enumerate() {
                alike.add(local as Local, Some(*class));
            }
            let found = alike.outcome().map(|outcome| outcome.candidates);
            if found.is_none() {
                alike.remember(Beyond::Nothing, &[], numbers.next().unwrap());
            }
            found
        };
        assert_eq!(event(&mut alike, &[]), None);
        assert_eq!(event(&mut alike, &[]), Some(0));
        assert_eq!(event(&mut alike, &[3, 4, 5]), None);
        assert_eq!(event(&mut alike, &[3, 4, 6]), None);
        assert_eq!(event(&mut alike, &[3, 4, 5]), Some(1));
        assert_eq!(event(&mut alike, &[3, 4]), None);
        alike.begin();
        alike.add(0, None);
        alike.remember(Beyond::Nothing, &[], 9);
        assert!(alike.outcome().is_none());
        alike.begin();
        alike.add(0, Some(9));
        alike.remember(Beyond::More, &[], 9);
        assert!(alike.outcome().is_none());
        alike.remember(Beyond::Edges(2), &[], 9);
        assert_eq!((event(&mut alike, &[]), alike.edges()), (None, &[false, false, true][..]));
    }

    #[test]
    fn what_does_not_pay_rests() {
        let mut alike = Alike::new(1);
        let awake = (0..TRIED * 2).filter(|_| {
            let awake = alike.is_awake();
            if awake {
                alike.begin();
                alike.outcome();
            }
            awake
        });
        assert_eq!(awake.count(), TRIED as usize);
    }
}
