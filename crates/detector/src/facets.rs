//! An event's entities in a form that costs nothing to compare.
//!
//! An alert that grows by 5,000 events sees the same few entities again and again. A facet is an
//! entity with a 64-bit hash, so that a known one is recognised without rendering it as text.

use std::borrow::Cow;
use std::net::IpAddr;

use compact_str::{CompactString, ToCompactString};
use vigie_event::{ENTITY_FIELDS, Event, EventId, FieldId, ValueRef, address_text, fingerprint};

/// Bytes kept of one text value.
const TEXT_BYTES: usize = 512;
/// Bytes kept of all facets of one event.
const EVENT_BYTES: usize = 8 << 10;

const TEXT: u8 = 0;
const ADDRESS_4: u8 = 1;
const ADDRESS_6: u8 = 2;
const INTEGER: u8 = 3;
/// Fields known from the start are fewer; the table of places would not compile otherwise.
const MOST_FIELDS: usize = 256;
const NO_ENTITY: u8 = u8::MAX;
/// Number, kind, length in two bytes.
const HEADER: usize = 4;

/// The facets of one event, in buffers that are used again for the next.
#[derive(Debug, Default)]
pub(crate) struct Facets {
    /// The event.
    of: EventId,
    bytes: Vec<u8>,
    /// The hash of each facet, in their order.
    hashes: Vec<u64>,
}

impl Facets {
    /// Takes the entities of `event`.
    pub(crate) fn read(&mut self, event: &Event) {
        self.of = event.id();
        self.bytes.clear();
        self.hashes.clear();
        for (number, value) in event.fields_among(number_of) {
            match value {
                ValueRef::List(list) => list.iter().for_each(|member| self.add(number, member)),
                value => self.add(number, value),
            }
        }
    }

    /// The event that was read last.
    pub(crate) fn of(&self) -> EventId {
        self.of
    }

    /// The hash of each facet, in their order.
    pub(crate) fn hashes(&self) -> &[u64] {
        &self.hashes
    }

    /// The facet at `place` in their order.
    pub(crate) fn at(&self, place: usize) -> Option<Facet<'_>> {
        iter(&self.bytes).nth(place)
    }

    /// The facets' bytes, to be read by [`iter`].
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    #[inline]
    fn add(&mut self, number: u8, value: ValueRef<'_>) {
        match value {
            ValueRef::Text(text) => self.add_text(number, text),
            ValueRef::Address(IpAddr::V4(address)) => {
                self.push(number, ADDRESS_4, &address.octets());
            }
            ValueRef::Address(IpAddr::V6(address)) => {
                self.push(number, ADDRESS_6, &address.octets());
            }
            ValueRef::Integer(integer) => self.push(number, INTEGER, &integer.to_le_bytes()),
            ValueRef::Null => {}
            other => self.add_text(number, &other.to_text()),
        }
    }

    #[inline]
    fn add_text(&mut self, number: u8, text: &str) {
        let end = text.floor_char_boundary(TEXT_BYTES.min(text.len()));
        if end > 0 {
            self.push(number, TEXT, text.as_bytes().get(..end).unwrap_or_default());
        }
    }

    #[inline]
    fn push(&mut self, number: u8, kind: u8, value: &[u8]) {
        if self.bytes.len() + HEADER + value.len() > EVENT_BYTES {
            return;
        }
        let [low, high] = (value.len() as u16).to_le_bytes();
        let header = [number, kind, low, high];
        // Addresses of version 4, which are most, at once with their header.
        if let ([one, two, three, four], [a, b, c, d]) = (header, value) {
            self.bytes.extend_from_slice(&[one, two, three, four, *a, *b, *c, *d]);
        } else {
            self.bytes.extend_from_slice(&header);
            self.bytes.extend_from_slice(value);
        }
        self.hashes.push(Facet { number, kind, value }.hash());
    }
}

/// One entity of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facet<'f> {
    number: u8,
    kind: u8,
    value: &'f [u8],
}

impl Facet<'_> {
    /// A hash of field and value.
    pub(crate) fn hash(self) -> u64 {
        let kind = u64::from(self.number) << 8 | u64::from(self.kind);
        fingerprint(self.value) ^ (kind + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    /// The field; `None`: a snapshot was tampered with.
    pub(crate) fn field(self) -> Option<FieldId> {
        ENTITY_FIELDS.get(usize::from(self.number)).copied()
    }

    /// The value as text.
    pub(crate) fn text(self) -> CompactString {
        let integer = |value: &[u8]| value.try_into().map(i64::from_le_bytes).unwrap_or_default();
        match self.kind {
            ADDRESS_4 => <[u8; 4]>::try_from(self.value)
                .map(|octets| address_text(octets.into()))
                .unwrap_or_default(),
            ADDRESS_6 => <[u8; 16]>::try_from(self.value)
                .map(|octets| address_text(octets.into()))
                .unwrap_or_default(),
            INTEGER => integer(self.value).to_compact_string(),
            _ => text_of(self.value).into(),
        }
    }
}

/// Bytes that are text, unless a snapshot was tampered with.
pub(crate) fn text_of(bytes: &[u8]) -> Cow<'_, str> {
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// The facets in `bytes`; stops where they make no sense.
pub(crate) fn iter(bytes: &[u8]) -> impl Iterator<Item = Facet<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let ([number, kind, low, high], after) = rest.split_first_chunk::<HEADER>()?;
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        let (value, after) = after.split_at_checked(length)?;
        rest = after;
        Some(Facet { number: *number, kind: *kind, value })
    })
}

/// Places in [`ENTITY_FIELDS`] by field, for the fields that are known from the start.
// What is out of bounds here does not compile.
#[allow(clippy::indexing_slicing)]
const NUMBERS: [u8; MOST_FIELDS] = {
    let mut numbers = [NO_ENTITY; MOST_FIELDS];
    let mut place = 0;
    while place < ENTITY_FIELDS.len() {
        numbers[ENTITY_FIELDS[place].index()] = place as u8;
        place += 1;
    }
    numbers
};

fn number_of(id: FieldId) -> Option<u8> {
    NUMBERS.get(id.index()).copied().filter(|number| *number != NO_ENTITY)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigie_event::{Entities, Value, field};

    fn rendered(event: &Event) -> Entities {
        let mut facets = Facets::default();
        facets.read(event);
        let mut entities = Entities::default();
        for facet in iter(facets.bytes()) {
            entities.add_to(facet.field().unwrap(), &facet.text());
        }
        entities
    }

    #[test]
    fn the_same_entities_as_the_event_crate_finds() {
        let mut event = Event::default();
        let (_, mut fields) = event.fields_mut();
        // Every known field, so that an entity field added there is missed here.
        let names = (0..1_000).map_while(|index| {
            let id = ENTITY_FIELDS.iter().copied().chain(all_known()).nth(index)?;
            Some(id)
        });
        for id in names {
            if !fields.has(id) {
                fields.text(id, "x");
            }
        }
        fields.replace(field::SOURCE_IP, Value::Address("2001:db8::7".parse().unwrap()));
        fields.replace(field::DESTINATION_IP, Value::Address("192.0.2.7".parse().unwrap()));
        fields.replace(field::DESTINATION_PORT, Value::Integer(-22));
        let list = [Value::Fixed("a"), Value::Null, Value::Fixed(""), Value::Boolean(true)];
        fields.replace(field::FILE_PATH, Value::List(list.into()));
        let mut expected = Entities::default();
        expected.add_event(&event);
        let found = rendered(&event);
        for (name, values) in expected.iter() {
            assert_eq!(found.values(name), values, "{name}");
        }
        assert_eq!(found, expected);
    }

    fn all_known() -> impl Iterator<Item = FieldId> {
        [
            field::CLIENT_IP,
            field::DESTINATION_DOMAIN,
            field::GROUP_NAME,
            field::HOST_IP,
            field::HOST_HOSTNAME,
            field::PROCESS_NAME,
            field::PROCESS_EXECUTABLE,
            field::SOURCE_PORT,
            field::URL_DECODED,
            field::URL_ORIGINAL,
            field::USER_ID,
        ]
        .into_iter()
    }

    #[test]
    fn numbers_are_places_in_the_table() {
        for (place, id) in ENTITY_FIELDS.into_iter().enumerate() {
            assert_eq!(number_of(id), Some(place as u8), "{id:?}");
        }
    }

    #[test]
    fn endless_values_are_cut() {
        let mut event = Event::default();
        let long = "é".repeat(10_000);
        let members: Vec<Value> = (0..100).map(|_| Value::Made(long.as_str().into())).collect();
        event.fields_mut().1.value(field::URL_PATH, Value::List(members.into()));
        let mut facets = Facets::default();
        facets.read(&event);
        assert!(facets.bytes().len() <= EVENT_BYTES);
        assert_eq!(iter(facets.bytes()).next().unwrap().text(), "é".repeat(256));
    }

    #[test]
    fn damaged_bytes_end_it() {
        assert_eq!(iter(&[3, 0, 200, 0, b'x']).count(), 0);
        assert_eq!(iter(&[3, 0]).count(), 0);
    }
}
