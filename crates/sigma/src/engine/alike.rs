//! Events alike: what one matched, the next matches too.
//!
//! Of a field, rules mostly ask which of their literals stand in it. By the answers its values fall
//! into a few *classes*, nearly all of them into the one in which nothing stands. Where no more was
//! asked than what classes tell, what an event matches is a function of the classes of its fields.
//! So the values met lately are remembered with their classes, whole, since who writes logs can
//! make hashes collide; and what was matched by the classes of all fields. Most events then cost a
//! comparison a field, and no rule is run. Where a rule asked a value for its network, number or
//! time besides, the answer is remembered with the outcome, and the next event is asked the same.
//!
//! The file is long: what is remembered of values, of shapes and of what matched is checked together,
//! and nobody else may see a part of it.

use std::net::IpAddr;
use std::num::NonZeroU32;

use rustc_hash::{FxBuildHasher, FxHashMap};
use smallvec::SmallVec;
use vigie_event::{Event, FieldId, ValueRef};

use super::route::{Plan, Stop};
use super::scratch::holds;
use super::{Engine, Local, NO_LOCAL};
use crate::RuleIndex;
use crate::expr::AtomId;

/// Places for values of a field, at first and where they are too few, and for outcomes of a route;
/// powers of two.
const VALUES: [usize; 2] = [64, 512];
const OUTCOMES: usize = 64;
/// Bytes of the longest value that is remembered; longer ones seldom come again.
const LONGEST: usize = 104;
/// Classes of a route: what most need, and what none goes beyond.
const FEW_CLASSES: usize = 14;
const MOST_CLASSES: usize = 4_096;
/// The most texts known beforehand that are remembered.
const MOST_FIXED: usize = 1_024;

/// The class of values in which no sign of a rule stands, that of null, and that of values in which
/// nothing stands that any rule asks for.
pub(super) const NOTHING: u32 = 0;
pub(super) const NULL: u32 = 1;
pub(super) const CLEAN: u32 = 2;
/// Stands among atoms for: and no other that any rule asks for.
const WHOLE: AtomId = AtomId(u32::MAX);

/// Tells a remembered value from all others, of whatever field or route; some have none.
pub(super) type Number = Option<NonZeroU32>;

/// What is remembered on a route under one plan.
#[derive(Debug)]
pub(super) struct Alike {
    /// By [`FieldId::index`](vigie_event::FieldId::index).
    pub asked: Vec<Asked>,
    /// By local.
    values: Vec<Values>,
    /// By the atoms that hold.
    classes: FxHashMap<SmallVec<[AtomId; 4]>, u32>,
    /// By class.
    sets: Vec<Set>,
    /// The atoms of all sets.
    atoms: Vec<AtomId>,
    /// The classes of texts that the parser knew beforehand, within the record, by address and
    /// length.
    fixed: FxHashMap<(usize, usize), u32>,
    outcomes: Vec<Outcome>,
    /// The classes of the event at hand, each with its field.
    key: Vec<u64>,
    hash: u64,
    /// Whether the key tells all.
    complete: bool,
}

/// What stands in the values of a class.
#[derive(Clone, Copy, Debug)]
struct Set {
    /// From, to among the atoms.
    span: (u32, u32),
    /// Whether of all that rules ask for nothing else stands there.
    whole: bool,
}

/// What rules ask of a field.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    /// `NO_LOCAL`: nothing.
    pub local: Local,
    /// Which literals stand in it, and not only whether it is there.
    pub searched: bool,
}

/// The values remembered of a field.
#[derive(Clone, Debug, Default)]
struct Values {
    /// Each value with its class. Most are told by their ends, so these stand close together.
    places: Vec<(Ends, u32)>,
    /// At the same places their numbers.
    numbers: Vec<Number>,
    /// At the same places all of them, where the ends do not meet.
    bytes: Vec<[u8; LONGEST]>,
    /// Values that had to make room for others.
    displaced: usize,
}

impl Values {
    /// The class of the value with these ends and bytes, and where it is.
    #[inline]
    fn class_of(&self, ends: Ends, bytes: &[u8]) -> Option<(u32, usize)> {
        let place = ends.place(self.places.len());
        let (known, class) = self.places.get(place).copied()?;
        let is_known = known == ends
            && (ends.meet() || self.bytes.get(place)?.get(..bytes.len()) == Some(bytes));
        is_known.then_some((class, place))
    }

    fn remember(&mut self, ends: Ends, bytes: &[u8], class: u32, number: Number) {
        let [few, many] = VALUES;
        let wanted = if self.displaced < 4 * few { few } else { many };
        if self.places.len() < wanted {
            self.forget();
            self.places.resize(wanted, (Ends::NONE, NOTHING));
            self.numbers.resize(wanted, None);
            self.bytes.resize(wanted, [0; LONGEST]);
        }
        let place = ends.place(self.places.len());
        let kept = self.bytes.get_mut(place).and_then(|kept| kept.get_mut(..bytes.len()));
        if let (Some(value), Some(kept)) = (self.places.get_mut(place), kept) {
            self.displaced += usize::from(value.0 != Ends::NONE);
            *value = (ends, class);
            kept.copy_from_slice(bytes);
            if let Some(kept) = self.numbers.get_mut(place) {
                *kept = number;
            }
        }
    }

    fn forget(&mut self) {
        self.places.clear();
        self.numbers.clear();
        self.bytes.clear();
    }
}

/// Beginning and end of a value, eight bytes each, and its length: all there is of a text with up
/// to 16 bytes, and of a number.
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

    /// Those of a value with its bytes, where they do not tell all; `None`: it is not remembered.
    #[inline]
    fn of_value(value: ValueRef<'_>) -> Option<(Self, &[u8])> {
        let number = |kind, head, tail| Some((Self { head, tail, length: kind }, &[][..]));
        match value {
            ValueRef::Text(text) if text.len() <= LONGEST => {
                Some((Self::of(text.as_bytes()), text.as_bytes()))
            }
            // Lengths of which no text is.
            ValueRef::Integer(integer) => number(1 << 24, integer as u64, 0),
            ValueRef::Float(float) => number(2 << 24, float.to_bits(), 0),
            ValueRef::Boolean(truth) => number(3 << 24, truth.into(), 0),
            ValueRef::Address(IpAddr::V4(address)) => number(4 << 24, address.to_bits().into(), 0),
            ValueRef::Address(IpAddr::V6(address)) => {
                let bits = address.to_bits();
                number(5 << 24, (bits >> 64) as u64, bits as u64)
            }
            ValueRef::Text(_) | ValueRef::List(_) | ValueRef::Null => None,
        }
    }

    fn meet(self) -> bool {
        self.length <= 16 || self.length as usize > LONGEST
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
    pub answers: Answers,
    pub rules: SmallVec<[RuleIndex; 4]>,
    /// Rules whose signs were there.
    pub candidates: usize,
}

/// What rules asked of an event's values that is [soon answered](super::atom::Ask::is_soon_answered),
/// with the answers. Events of the same classes that answer the same match the same.
pub(super) type Answers = SmallVec<[(AtomId, bool); 4]>;

/// Whether `event` answers so.
#[inline]
pub(super) fn answers_so(engine: &Engine, event: &Event, answers: &Answers) -> bool {
    answers.iter().all(|(atom, answer)| holds(engine, event, *atom) == *answer)
}

/// What was asked of an event beyond its classes and what is soon answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Beyond {
    #[default]
    Nothing,
    /// The edges of a field's table, which could tell classes apart.
    Edges(Local),
    /// What neither tells.
    More,
}

/// What came of an event that was not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Remembrance {
    /// The next like it will not be known either.
    None,
    /// The next like it will be known.
    Kept,
    /// The edges of a field are to tell classes apart from now on.
    AskMore(Local),
}

impl Alike {
    /// Nothing is remembered yet of a route whose rules may ask for so many fields.
    pub fn new(locals: usize) -> Self {
        Self {
            asked: Vec::new(),
            values: vec![Values::default(); locals],
            classes: FxHashMap::with_capacity_and_hasher(FEW_CLASSES, FxBuildHasher),
            sets: FIRST_SETS.to_vec(),
            atoms: Vec::new(),
            fixed: FxHashMap::default(),
            outcomes: Vec::new(),
            key: Vec::new(),
            hash: 0,
            complete: true,
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
            let searched = plan.stop(local).is_some_and(Stop::is_searched);
            if let Some(asked) = self.asked.get_mut(field.index()) {
                *asked = Asked { local, searched };
            }
        }
    }

    /// Forgets all, for other signs.
    pub fn forget(&mut self) {
        for values in &mut self.values {
            values.forget();
        }
        self.classes.clear();
        self.sets.truncate(FIRST_SETS.len());
        self.atoms.clear();
        self.fixed.clear();
        for outcome in &mut self.outcomes {
            outcome.known = false;
        }
    }

    /// Whether there are as many classes as may be.
    pub fn is_full(&self) -> bool {
        self.classes.len() >= MOST_CLASSES
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

    /// The classes of the fields of the event at hand.
    pub fn parts(&self) -> impl Iterator<Item = (Local, u32)> {
        self.key.iter().map(|part| ((part >> 32) as Local, *part as u32))
    }

    /// What stands in the values of a class.
    pub fn atoms(&self, class: u32) -> &[AtomId] {
        let Some(Set { span: (from, to), .. }) = self.sets.get(class as usize) else {
            return &[];
        };
        self.atoms.get(*from as usize..*to as usize).unwrap_or_default()
    }

    /// Whether of all that rules ask for nothing else stands in the values of a class.
    pub fn is_whole(&self, class: u32) -> bool {
        self.sets.get(class as usize).is_some_and(|set| set.whole)
    }

    /// The class of `value`, where it is remembered.
    #[inline]
    pub fn class_of(&self, local: Local, value: ValueRef<'_>) -> Option<u32> {
        let (ends, bytes) = Ends::of_value(value)?;
        Some(self.values.get(local as usize)?.class_of(ends, bytes)?.0)
    }

    /// The class of `value` and its number, where it is remembered.
    #[inline]
    pub fn class_and_number(&self, local: Local, value: ValueRef<'_>) -> Option<(u32, Number)> {
        let (ends, bytes) = Ends::of_value(value)?;
        let values = self.values.get(local as usize)?;
        let (class, place) = values.class_of(ends, bytes)?;
        Some((class, *values.numbers.get(place)?))
    }

    /// The class of values of which these atoms, sorted, hold, and of all that rules ask for no
    /// others if they are the whole; `None` where there are too many.
    pub fn class_with(&mut self, atoms: &[AtomId], whole: bool) -> Option<u32> {
        if atoms.is_empty() {
            return Some(if whole { CLEAN } else { NOTHING });
        }
        let mut key = SmallVec::from_slice(atoms);
        if whole {
            key.push(WHOLE);
        }
        if let Some(class) = self.classes.get(&key) {
            return Some(*class);
        }
        if self.is_full() {
            return None;
        }
        let class = self.sets.len() as u32;
        let start = self.atoms.len() as u32;
        self.atoms.extend_from_slice(atoms);
        self.sets.push(Set { span: (start, self.atoms.len() as u32), whole });
        self.classes.insert(key, class);
        Some(class)
    }

    /// Remembers the class of `value`, and the number by which answers about it are known.
    pub fn remember_class(
        &mut self,
        local: Local,
        value: ValueRef<'_>,
        class: u32,
        number: Number,
    ) {
        let Some(values) = self.values.get_mut(local as usize) else { return };
        if let Some((ends, bytes)) = Ends::of_value(value) {
            values.remember(ends, bytes, class, number);
        }
    }

    /// The class of a text that the parser knew beforehand, within the record.
    #[inline]
    pub fn class_of_fixed(&self, text: &'static str) -> Option<u32> {
        self.fixed.get(&(text.as_ptr() as usize, text.len())).copied()
    }

    /// Remembers the class of a text that the parser knew beforehand, within the record.
    pub fn remember_fixed(&mut self, text: &'static str, class: u32) {
        if self.fixed.len() < MOST_FIXED {
            self.fixed.insert((text.as_ptr() as usize, text.len()), class);
        }
    }

    /// What `event`, the one at hand, matches, where one with the same key and answers came before.
    pub fn outcome(&self, engine: &Engine, event: &Event) -> Option<&Outcome> {
        if !self.complete {
            return None;
        }
        let places = self.places();
        let mut known = places.into_iter().filter_map(|place| self.outcomes.get(place));
        known.find(|outcome| {
            outcome.known
                && *outcome.key == *self.key
                && answers_so(engine, event, &outcome.answers)
        })
    }

    /// Remembers what the event at hand matches, unless that depends on more than its classes and
    /// these answers.
    pub fn remember(
        &mut self,
        beyond: Beyond,
        answers: &Answers,
        rules: &[RuleIndex],
        candidates: usize,
    ) -> Remembrance {
        match beyond {
            Beyond::Nothing if self.complete => {}
            Beyond::Edges(local) => return Remembrance::AskMore(local),
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
        outcome.answers.clone_from(answers);
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
/// Of [`NOTHING`], [`NULL`] and [`CLEAN`].
const FIRST_SETS: [Set; 3] = [
    Set { span: (0, 0), whole: false },
    Set { span: (0, 0), whole: true },
    Set { span: (0, 0), whole: true },
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn text(value: &str) -> ValueRef<'_> {
        ValueRef::Text(value)
    }

    #[test]
    fn values_are_known_by_all_their_bytes() {
        let mut alike = Alike::new(2);
        // All of them have one place.
        let values: Vec<String> =
            (0..30).map(|n| format!("beginnin{}the end!", char::from(b'A' + n))).collect();
        let places = values.iter().map(|value| Ends::of(value.as_bytes()).place(64));
        assert_eq!(places.collect::<BTreeSet<_>>().len(), 1);
        assert_eq!(alike.class_of(1, text("")), None);
        for (class, value) in values.iter().enumerate() {
            alike.remember_class(1, text(value), class as u32, None);
            for other in &values {
                let expected = (other == value).then_some(class as u32);
                assert_eq!(alike.class_of(1, text(other)), expected, "{value} {other}");
            }
        }
        alike.remember_class(1, text(""), 7, None);
        assert_eq!((alike.class_of(1, text("")), alike.class_of(0, text(""))), (Some(7), None));
        for length in 0..LONGEST {
            let value = "x".repeat(length);
            alike.remember_class(1, text(&value), 3, None);
            for place in 0..length {
                let other = format!("{}y{}", &value[..place], &value[place + 1..]);
                assert_eq!(alike.class_of(1, text(&other)), None, "{other}");
            }
            assert_eq!(alike.class_of(1, text(&value)), Some(3));
        }
        let long = "x".repeat(300);
        alike.remember_class(1, text(&long), 7, None);
        assert_eq!(alike.class_of(1, text(&long)), None);
        alike.forget();
        assert_eq!(alike.class_of(1, text("")), None);
    }

    #[test]
    fn numbers_are_known_by_kind_and_number() {
        let values = [
            text(""),
            text("1"),
            ValueRef::Integer(1),
            ValueRef::Integer(-1),
            ValueRef::Integer(1 << 40),
            ValueRef::Float(1.0),
            ValueRef::Float(0.0),
            ValueRef::Float(-0.0),
            ValueRef::Boolean(true),
            ValueRef::Boolean(false),
            ValueRef::Address("0.0.0.1".parse().unwrap()),
            ValueRef::Address("::1".parse().unwrap()),
            ValueRef::Address("1::".parse().unwrap()),
        ];
        for (class, value) in values.into_iter().enumerate() {
            // Each alone, whatever their places.
            let mut alike = Alike::new(1);
            alike.remember_class(0, value, 7, None);
            for (other, value) in values.into_iter().enumerate() {
                assert_eq!(alike.class_of(0, value).is_some(), other == class, "{value:?}");
            }
        }
    }

    #[test]
    fn classes_tell_what_stands_there() {
        let mut alike = Alike::new(1);
        let atoms = [[AtomId(3), AtomId(5)], [AtomId(3), AtomId(6)]];
        let sets: Vec<(&[AtomId], bool)> = atoms
            .iter()
            .flat_map(|atoms| [(&atoms[..], true), (&atoms[..], false), (&atoms[..1], true)])
            .chain([(&[][..], true), (&[][..], false)])
            .collect();
        let mut classes = BTreeSet::new();
        for (atoms, whole) in sets {
            let class = alike.class_with(atoms, whole).unwrap();
            classes.insert(class);
            assert_eq!((alike.atoms(class), alike.is_whole(class)), (atoms, whole));
        }
        assert_eq!(classes.len(), 7);
        alike.remember_fixed("fixed", 3);
        assert_eq!((alike.class_of_fixed("fixed"), alike.class_of_fixed("fixes")), (Some(3), None));
        alike.forget();
        assert_eq!((alike.class_of_fixed("fixed"), alike.atoms(3)), (None, &[][..]));
        assert_eq!((alike.atoms(NULL), alike.is_whole(CLEAN)), (&[][..], true));
    }

    #[test]
    fn classes_are_bounded() {
        let mut alike = Alike::new(1);
        let known = (0..10_000).filter_map(|n| alike.class_with(&[AtomId(n)], true)).count();
        assert_eq!((known, alike.is_full()), (MOST_CLASSES, true));
        let first = alike.class_with(&[AtomId(0)], true);
        assert_eq!((first, alike.class_with(&[], false)), (Some(3), Some(NOTHING)));
        alike.forget();
        assert_eq!((alike.class_with(&[AtomId(9_999)], true), alike.is_full()), (Some(3), false));
    }

    #[test]
    fn outcomes_are_known_by_all_classes() {
        let (engine, any, none) = (Engine::default(), Event::default(), Answers::new());
        let outcome =
            |alike: &Alike| alike.outcome(&engine, &any).map(|outcome| outcome.candidates);
        let mut alike = Alike::new(3);
        let mut numbers = 0..;
        let mut event = |alike: &mut Alike, classes: &[u32]| {
            alike.begin();
            for (local, class) in classes.iter().enumerate() {
                alike.add(local as Local, Some(*class));
            }
            let found = outcome(alike);
            if found.is_none() {
                alike.remember(Beyond::Nothing, &none, &[], numbers.next().unwrap());
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
        alike.remember(Beyond::Nothing, &none, &[], 9);
        assert!(outcome(&alike).is_none());
        alike.begin();
        alike.add(0, Some(9));
        alike.remember(Beyond::More, &none, &[], 9);
        assert!(outcome(&alike).is_none());
        assert_eq!(alike.remember(Beyond::Edges(2), &none, &[], 9), Remembrance::AskMore(2));
        assert_eq!(alike.remember(Beyond::Nothing, &none, &[], 9), Remembrance::Kept);
        alike.forget();
        assert!(outcome(&alike).is_none());
    }
}
