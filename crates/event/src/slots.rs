//! The memory behind an event's fields: plain values in one list, texts and lists that had to be
//! made beside it, so that starting over frees nothing and visits nothing.
//!
//! The file is long, since whatever reads or fills this memory needs its private parts.

mod passage;

pub use passage::Passage;

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::FieldId;
use crate::room;
use crate::value::{Value, ValueRef};

/// A value that stands at any multiple of four bytes, so that a slot takes 24 bytes with its field
/// and not 32: events are read by many, and most of what is read are slots.
#[derive(Clone, Copy, Debug)]
#[repr(Rust, packed(4))]
struct Close<T>(T);

/// What a field holds. What must be owned stands in [`Slots`].
#[derive(Clone, Copy, Debug)]
enum Slot {
    /// Text that stands in the event's text: its first byte and its length.
    Span(u32, u32),
    /// Text that stands in [`Slots::made`], likewise.
    Made(u32, u32),
    Fixed(Close<&'static str>),
    Integer(Close<i64>),
    Float(Close<f64>),
    Boolean(bool),
    // Two variants are eight bytes smaller than one of an `IpAddr`.
    V4(Ipv4Addr),
    V6(Ipv6Addr),
    /// Index in [`Slots::lists`].
    List(u32),
    Null,
}

/// A text of an event that does not stand in the event's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Beside<'e> {
    /// One that the parser knew beforehand.
    Fixed(&'static str),
    /// One that had to be made, such as an unescaped JSON string.
    Made(&'e str),
}

/// What the slots of one event have in common with those of others like it: which fields there
/// are, in their order, and what kinds of values.
#[derive(Clone, Debug, Default)]
pub struct Shape {
    slots: Vec<(FieldId, Sketch)>,
    /// How many of them are a frame's; see [`Slots::framed`].
    framed: u8,
}

/// What a shape tells of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outline {
    /// Text that the parser knew beforehand; always the same, by its address.
    Fixed,
    /// Other text.
    Text,
    /// A number, a truth or an address.
    Plain,
    /// A list, which may be empty.
    List,
    /// Null.
    Null,
}

impl Shape {
    /// The fields and what is known of their values, in the order of the slots.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (FieldId, Outline)> {
        self.slots.iter().map(|(field, sketch)| {
            let outline = match sketch.0 {
                TEXT => Outline::Text,
                PLAIN => Outline::Plain,
                LIST => Outline::List,
                NULL => Outline::Null,
                _ => Outline::Fixed,
            };
            (*field, outline)
        })
    }
}

/// What a shape knows of a value: address and length of a text known beforehand, cut off beyond 4 GB
/// that none has, else its kind.
type Sketch = (u64, u32);

// Kinds of values: no text has an address so low.
const TEXT: u64 = 1;
const PLAIN: u64 = 2;
const LIST: u64 = 3;
const NULL: u64 = 4;

/// Ways in which the numbers of fields can end: bits of [`Slots::present`].
const ENDS: usize = 64;

/// Fields with their values, in the order in which they were added.
#[derive(Clone, Debug)]
#[repr(C)]
pub struct Slots {
    /// How the numbers of the fields that there are end: a clear bit says that none ends so.
    present: u64,
    entries: Vec<(FieldId, Slot)>,
    /// How many of the first are as a frame made them: where these are as many, they are of one
    /// shape.
    framed: u8,
    made: String,
    lists: Vec<Box<[Value]>>,
    /// Where the first field whose number ends so stands, at most: no field stands before it.
    first: [u8; ENDS],
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            framed: 0,
            present: 0,
            first: [0; ENDS],
            made: String::new(),
            lists: Vec::new(),
        }
    }
}

impl Slots {
    /// Empties them and keeps their memory.
    #[inline]
    pub fn clear(&mut self) {
        room::clear_list(&mut self.entries);
        self.framed = 0;
        self.present = 0;
        room::clear_text(&mut self.made);
        if !self.lists.is_empty() {
            self.lists.clear();
        }
    }

    #[inline]
    fn push(&mut self, field: FieldId, slot: Slot) {
        self.note(field, self.entries.len());
        self.entries.push((field, slot));
    }

    /// Notes that `field` will stand at `place`.
    #[inline]
    fn note(&mut self, field: FieldId, place: usize) {
        let end = field.index() % ENDS;
        if self.present & 1 << end == 0 {
            self.present |= 1 << end;
            if let Some(first) = self.first.get_mut(end) {
                // Cut off beyond 255, which makes it smaller.
                *first = place as u8;
            }
        }
    }

    /// Adds several at once, which costs little more than one.
    #[inline]
    fn push_all<const N: usize>(&mut self, slots: [(FieldId, Slot); N]) {
        let place = self.entries.len();
        for (index, (field, _)) in slots.iter().enumerate() {
            self.note(*field, place + index);
        }
        self.entries.extend(slots);
    }

    /// How many there are.
    #[inline]
    pub fn count(&self) -> usize {
        self.entries.len()
    }

    /// Adds several spans of the event's text.
    #[inline]
    pub fn spans<const N: usize>(&mut self, spans: [(FieldId, (u32, u32)); N]) {
        self.push_all(spans.map(|(field, (start, length))| (field, Slot::Span(start, length))));
    }

    /// Adds texts that the parser knows beforehand.
    #[inline]
    pub fn all_fixed<const N: usize>(&mut self, values: [(FieldId, &'static str); N]) {
        self.push_all(values.map(|(field, text)| (field, Slot::Fixed(Close(text)))));
    }

    /// Adds a span of the event's text.
    #[inline]
    pub fn span(&mut self, field: FieldId, start: u32, length: u32) {
        self.push(field, Slot::Span(start, length));
    }

    /// Adds a copy of `text`.
    pub fn copy(&mut self, field: FieldId, text: &str) {
        let slot = self.keep(text);
        self.push(field, slot);
    }

    /// Adds text that the parser knows beforehand.
    #[inline]
    pub fn fixed(&mut self, field: FieldId, text: &'static str) {
        self.push(field, Slot::Fixed(Close(text)));
    }

    /// Adds a whole number.
    #[inline]
    pub fn integer(&mut self, field: FieldId, number: i64) {
        self.push(field, Slot::Integer(Close(number)));
    }

    /// Adds an address.
    #[inline]
    pub fn address(&mut self, field: FieldId, address: IpAddr) {
        self.push(field, Slot::of(address));
    }

    /// Adds any value.
    #[inline]
    pub fn value(&mut self, field: FieldId, value: Value) {
        let slot = self.slot(value);
        self.push(field, slot);
    }

    /// Puts a value in place of the first one of `field`, or adds it. What stood there stays in
    /// memory until the event starts over.
    pub fn replace(&mut self, field: FieldId, value: Value) {
        let slot = self.slot(value);
        self.framed = 0;
        match self.entries.iter_mut().find(|(id, _)| *id == field) {
            Some((_, old)) => *old = slot,
            None => self.push(field, slot),
        }
    }

    /// Takes the members of the list in `field`; none where there is no list.
    pub fn take_list(&mut self, field: FieldId) -> Vec<Value> {
        match self.find(field) {
            Some(Slot::List(index)) => self
                .lists
                .get_mut(index as usize)
                .map(std::mem::take)
                .unwrap_or_default()
                .into_vec(),
            _ => Vec::new(),
        }
    }

    /// Whether `field` is present.
    #[inline]
    pub fn has(&self, field: FieldId) -> bool {
        self.find(field).is_some()
    }

    /// The first value of `field`; `text` is the event's.
    #[inline]
    pub fn get<'e>(&'e self, field: FieldId, text: &'e str) -> Option<ValueRef<'e>> {
        self.find(field).map(|slot| self.resolve(slot, text))
    }

    /// The first value of `field` where it is text; `text` is the event's.
    #[inline]
    pub fn text_of<'e>(&'e self, field: FieldId, text: &'e str) -> Option<&'e str> {
        match self.find(field)? {
            Slot::Span(start, length) => Some(cut(text, start, length)),
            Slot::Made(start, length) => Some(cut(&self.made, start, length)),
            Slot::Fixed(Close(fixed)) => Some(fixed),
            _ => None,
        }
    }

    /// The first value of `field` where it is text that the parser knows beforehand.
    #[inline]
    pub fn fixed_of(&self, field: FieldId) -> Option<&'static str> {
        match self.find(field)? {
            Slot::Fixed(Close(text)) => Some(text),
            _ => None,
        }
    }

    /// All of them; `text` is the event's.
    #[inline]
    pub fn iter<'e>(
        &'e self,
        text: &'e str,
    ) -> impl ExactSizeIterator<Item = (FieldId, ValueRef<'e>)> {
        self.entries.iter().map(move |(field, slot)| (*field, self.resolve(*slot, text)))
    }

    /// Those for which `wanted` gives something, with what it gives.
    #[inline]
    pub fn iter_among<'e, T>(
        &'e self,
        wanted: impl Fn(FieldId) -> Option<T>,
        text: &'e str,
    ) -> impl Iterator<Item = (T, ValueRef<'e>)> {
        let entries = self.entries.iter();
        entries.filter_map(move |(field, slot)| Some((wanted(*field)?, self.resolve(*slot, text))))
    }

    /// A number that slots of one shape have in common, and others mostly do not.
    #[inline]
    pub fn hint(&self) -> u64 {
        self.present ^ (self.entries.len() as u64).rotate_left(48)
    }

    /// Whether these are slots of that shape.
    #[inline]
    pub fn are(&self, shape: &Shape) -> bool {
        if self.entries.len() != shape.slots.len() || self.framed != shape.framed {
            return false;
        }
        let pairs = self.entries.iter().zip(&shape.slots).skip(self.framed.into());
        // Nearly all are: so there is no hurry to find the first that is not.
        let differences = pairs.fold(0, |found, ((field, slot), (wanted, sketch))| {
            let (kind, length) = slot.sketch();
            found
                | u64::from(field.index() as u32 ^ wanted.index() as u32)
                | (kind ^ sketch.0)
                | u64::from(length ^ sketch.1)
        });
        differences == 0
    }

    /// Makes `shape` that of these slots.
    pub fn outline(&self, shape: &mut Shape) {
        shape.framed = self.framed;
        shape.slots.clear();
        shape.slots.extend(self.entries.iter().map(|(field, slot)| (*field, slot.sketch())));
    }

    /// The value in the slot at `place`.
    #[inline]
    pub fn value_at<'e>(&'e self, place: usize, text: &'e str) -> Option<ValueRef<'e>> {
        self.entries.get(place).map(|(_, slot)| self.resolve(*slot, text))
    }

    /// Calls `each` with every text that does not stand in the event's.
    #[inline]
    pub fn beside(&self, mut each: impl FnMut(Beside<'_>)) {
        for (_, slot) in &self.entries {
            match *slot {
                Slot::Fixed(Close(fixed)) => each(Beside::Fixed(fixed)),
                Slot::Made(start, length) => each(Beside::Made(cut(&self.made, start, length))),
                Slot::List(index) => {
                    let members = self.lists.get(index as usize).map_or(&[][..], |list| list);
                    for member in members {
                        match member {
                            Value::Fixed(fixed) => each(Beside::Fixed(fixed)),
                            Value::Made(made) => each(Beside::Made(made)),
                            _ => {}
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Whether `field` may be present: of most that are absent one look tells.
    #[inline]
    pub fn may_have(&self, field: FieldId) -> bool {
        self.present & 1 << (field.index() % ENDS) != 0
    }

    /// The texts that were made, but for those in lists, one after the other and perhaps some more.
    #[inline]
    pub fn made(&self) -> &str {
        &self.made
    }

    /// Whether a field has a list.
    #[inline]
    pub fn has_lists(&self) -> bool {
        !self.lists.is_empty()
    }

    #[inline]
    fn find(&self, field: FieldId) -> Option<Slot> {
        if !self.may_have(field) {
            return None;
        }
        let end = field.index() % ENDS;
        let first = self.first.get(end).copied().unwrap_or(0);
        let entries = self.entries.get(usize::from(first)..)?;
        entries.iter().find(|(id, _)| *id == field).map(|(_, slot)| *slot)
    }

    #[inline]
    fn resolve<'e>(&'e self, slot: Slot, text: &'e str) -> ValueRef<'e> {
        match slot {
            Slot::Span(start, length) => ValueRef::Text(cut(text, start, length)),
            Slot::Made(start, length) => ValueRef::Text(cut(&self.made, start, length)),
            Slot::Fixed(Close(fixed)) => ValueRef::Text(fixed),
            Slot::Integer(Close(number)) => ValueRef::Integer(number),
            Slot::Float(Close(number)) => ValueRef::Float(number),
            Slot::Boolean(truth) => ValueRef::Boolean(truth),
            Slot::V4(address) => ValueRef::Address(address.into()),
            Slot::V6(address) => ValueRef::Address(address.into()),
            Slot::List(index) => {
                let members = self.lists.get(index as usize).map_or(&[][..], |list| list);
                ValueRef::List(crate::ListRef::new(members, text))
            }
            Slot::Null => ValueRef::Null,
        }
    }

    #[inline]
    fn slot(&mut self, value: Value) -> Slot {
        match value {
            Value::Span(start, length) => Slot::Span(start, length),
            Value::Fixed(fixed) => Slot::Fixed(Close(fixed)),
            Value::Made(made) => self.keep(&made),
            Value::Integer(number) => Slot::Integer(Close(number)),
            Value::Float(number) => Slot::Float(Close(number)),
            Value::Boolean(truth) => Slot::Boolean(truth),
            Value::Address(address) => Slot::of(address),
            Value::List(members) => {
                self.lists.push(members);
                Slot::List(self.lists.len() as u32 - 1)
            }
            Value::Null => Slot::Null,
        }
    }

    /// Keeps a copy of `text`. Beyond 4 GB of made text, which no record can bring, it is lost.
    fn keep(&mut self, text: &str) -> Slot {
        let (start, length) = (self.made.len(), text.len());
        let (Ok(start), Ok(length)) = (u32::try_from(start), u32::try_from(length)) else {
            return Slot::Null;
        };
        self.made.push_str(text);
        Slot::Made(start, length)
    }
}

impl Slot {
    /// Without a jump, since no two slots in a row are mostly alike.
    #[inline]
    fn sketch(self) -> Sketch {
        let kind = match self {
            Self::Fixed(_) => 0,
            Self::Span(..) | Self::Made(..) => TEXT,
            Self::Integer(_) | Self::Float(_) | Self::Boolean(_) | Self::V4(_) | Self::V6(_) => {
                PLAIN
            }
            Self::List(_) => LIST,
            Self::Null => NULL,
        };
        let (address, length) = match self {
            Self::Fixed(Close(text)) => (text.as_ptr() as u64, text.len() as u32),
            _ => (0, 0),
        };
        (kind | address, length)
    }

    fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6(address),
        }
    }
}

#[inline]
fn cut(text: &str, start: u32, length: u32) -> &str {
    let start = start as usize;
    text.get(start..start + length as usize).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::field;

    #[test]
    fn starting_over_forgets_every_kind_of_value() {
        let mut slots = Slots::default();
        let list = Value::List([Value::Made("a".into()), Value::Span(0, 4)].into());
        slots.value(field::FILE_PATH, list);
        slots.value(field::USER_NAME, Value::Made("made".into()));
        slots.value(field::URL_PATH, Value::Made("other".into()));
        let text = |slots: &Slots, id| slots.get(id, "text").unwrap().to_text().into_owned();
        assert_eq!(text(&slots, field::FILE_PATH), "a, text");
        assert_eq!(text(&slots, field::USER_NAME), "made");
        assert_eq!(text(&slots, field::URL_PATH), "other");
        slots.clear();
        assert!(!slots.has(field::FILE_PATH) && slots.iter("").next().is_none());
        slots.copy(field::URL_PATH, "new");
        assert_eq!(text(&slots, field::URL_PATH), "new");
    }

    #[test]
    fn fields_whose_numbers_end_alike_are_told_apart() {
        let mut slots = Slots::default();
        let all: Vec<_> = (0..900).map(|n| FieldId::intern(&format!("f{n}")).unwrap()).collect();
        for (n, id) in all.iter().enumerate().filter(|(n, _)| n % 3 == 0).rev() {
            slots.integer(*id, n as i64);
            slots.fixed(*id, "not the first");
        }
        for (n, id) in all.iter().enumerate() {
            let found = slots.get(*id, "").map(|value| value.to_text().into_owned());
            assert_eq!(found, (n % 3 == 0).then(|| n.to_string()));
        }
    }

    #[test]
    fn shapes_tell_fields_kinds_and_fixed_texts_apart() {
        let (action, name) = (field::EVENT_ACTION, field::USER_NAME);
        let slots = |values: &[(FieldId, Value)]| {
            let mut slots = Slots::default();
            for (id, value) in values {
                slots.value(*id, value.clone());
            }
            slots
        };
        let list = |count| Value::List(vec![Value::Null; count].into());
        let all = [
            slots(&[]),
            slots(&[(action, Value::Fixed("ssh_login"))]),
            slots(&[(action, Value::Fixed("ssh_logout"))]),
            slots(&[(action, Value::Made("ssh_login".into()))]),
            slots(&[(name, Value::Fixed("ssh_login"))]),
            slots(&[(name, Value::Integer(1))]),
            slots(&[(name, Value::Null)]),
            slots(&[(name, list(1))]),
            slots(&[(name, Value::Span(0, 1)), (action, Value::Span(0, 1))]),
            slots(&[(action, Value::Span(0, 1)), (name, Value::Span(0, 1))]),
        ];
        let mut shape = Shape::default();
        for (place, one) in all.iter().enumerate() {
            one.outline(&mut shape);
            let alike: Vec<usize> =
                (0..all.len()).filter(|other| all.get(*other).unwrap().are(&shape)).collect();
            assert_eq!(alike, [place]);
        }
        for (one, other) in [
            (Value::Span(0, 1), Value::Made("x".into())),
            (Value::Integer(1), Value::Boolean(true)),
            (Value::Float(0.5), Value::Address("192.0.2.1".parse().unwrap())),
            (list(0), list(3)),
        ] {
            slots(&[(name, one)]).outline(&mut shape);
            assert!(slots(&[(name, other)]).are(&shape));
        }
        let texts = slots(&[(name, Value::Span(1, 2)), (name, Value::Integer(1))]);
        let found = [0, 1, 2].map(|place| texts.value_at(place, "text"));
        assert!(matches!(found, [Some(ValueRef::Text("ex")), Some(ValueRef::Integer(1)), None]));
    }

    #[test]
    fn texts_beside_the_event_s_own() {
        let mut slots = Slots::default();
        let list = [Value::Made("in a list".into()), Value::Span(0, 2), Value::Fixed("fixed")];
        slots.value(field::FILE_PATH, Value::List(list.into()));
        slots.span(field::USER_NAME, 0, 4);
        slots.integer(field::SOURCE_PORT, 3);
        slots.copy(field::URL_PATH, "made");
        slots.fixed(field::EVENT_ACTION, "known");
        slots.copy(field::USER_NAME, "second");
        let mut texts = Vec::new();
        slots.beside(|beside| {
            texts.push(match beside {
                Beside::Fixed(text) => format!("fixed {text}"),
                Beside::Made(text) => format!("made {text}"),
            });
        });
        let expected = ["made in a list", "fixed fixed", "made made", "fixed known", "made second"];
        assert_eq!(texts, expected);
        assert_eq!((slots.made(), slots.has_lists()), ("madesecond", true));
    }

    #[test]
    fn a_slot_is_small() {
        assert_eq!(size_of::<(FieldId, Slot)>(), 24);
    }
}
