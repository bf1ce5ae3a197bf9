//! The group that an event belongs to, and the value that it carries, as hashes.

use std::net::{IpAddr, Ipv4Addr};

use vigie_event::{
    CompactString, Event, FieldId, ValueRef, address_text, field, fingerprint, unmapped,
};

use crate::predicate::Number;
use crate::value::{self, each_text, is_null};

/// Addresses whose hashes are remembered; a power of two.
const ADDRESSES: usize = 256;

/// Hashes of lists of fields, each made at most once an event.
#[derive(Debug)]
pub(super) struct Keys {
    generation: u64,
    /// By selector: the event that it was made for, and the hash; `None`: a field is missing.
    known: Vec<(u64, Option<u64>)>,
    /// The hashes of lists of one address: the same addresses come again and again.
    addresses: Box<[Option<(Ipv4Addr, u64)>]>,
    bytes: Vec<u8>,
    rendered: String,
}

impl Keys {
    pub fn new(selectors: usize) -> Self {
        Self {
            generation: 0,
            known: vec![(0, None); selectors],
            addresses: vec![None; ADDRESSES].into(),
            bytes: Vec::new(),
            rendered: String::new(),
        }
    }

    /// Goes on to another event.
    pub fn next_event(&mut self) {
        self.generation += 1;
    }

    /// The hash of the values of `fields`; `None` where one is absent or null, since an event
    /// without the field belongs to no group.
    #[inline]
    pub fn hash<'f>(
        &mut self,
        event: &Event,
        place: u32,
        fields: impl FnOnce() -> Option<&'f Box<[FieldId]>>,
    ) -> Option<u64> {
        if let Some((generation, known)) = self.known.get(place as usize)
            && *generation == self.generation
        {
            return *known;
        }
        let hash = self.find_or_make(event, fields()?);
        if let Some(known) = self.known.get_mut(place as usize) {
            *known = (self.generation, hash);
        }
        hash
    }

    fn find_or_make(&mut self, event: &Event, fields: &[FieldId]) -> Option<u64> {
        if let [field] = fields
            && let Some(ValueRef::Address(IpAddr::V4(address))) = event.get(*field)
        {
            let mixed = address.to_bits().wrapping_mul(0x9E37_79B9);
            let place = (mixed >> (u32::BITS - ADDRESSES.ilog2())) as usize;
            if let Some(Some((known, hash))) = self.addresses.get(place)
                && *known == address
            {
                return Some(*hash);
            }
            let hash = self.make(event, fields);
            if let Some(remembered) = self.addresses.get_mut(place) {
                *remembered = hash.map(|hash| (address, hash));
            }
            return hash;
        }
        self.make(event, fields)
    }

    /// Texts are joined with their lengths, so that no value can pass for two.
    fn make(&mut self, event: &Event, fields: &[FieldId]) -> Option<u64> {
        let Self { bytes, rendered, .. } = self;
        bytes.clear();
        for field in fields {
            let found = value::get(event, *field).filter(|value| !is_null(*value))?;
            let start = bytes.len();
            let mut add = |text: &str| {
                bytes.extend_from_slice(&(text.len() as u32).to_le_bytes());
                bytes.extend_from_slice(text.as_bytes());
            };
            match found {
                ValueRef::Text(text) => add(text),
                found => each_text(found, rendered, add),
            }
            let length = (bytes.len() - start) as u32;
            bytes.extend_from_slice(&length.to_le_bytes());
        }
        Some(fingerprint(bytes))
    }
}

/// The number that a field holds: its own, or one that its text spells.
pub(super) fn number(event: &Event, field: FieldId) -> Option<f64> {
    let number = match value::get(event, field)? {
        ValueRef::Integer(integer) => integer as f64,
        ValueRef::Float(float) => float,
        ValueRef::Text(text) => match Number::parse(text.trim())? {
            Number::Integer(integer) => integer as f64,
            Number::Float(float) => float,
        },
        _ => return None,
    };
    number.is_finite().then_some(number)
}

/// The values of a group for people.
pub(super) fn values(
    event: &Event,
    names: &[FieldId],
    fields: &[FieldId],
) -> Vec<(FieldId, CompactString)> {
    names
        .iter()
        .zip(fields)
        .map(|(name, field)| {
            let text = match value::get(event, *field) {
                Some(ValueRef::Address(address)) => address_text(address),
                Some(value) => value.to_text().into(),
                None => CompactString::default(),
            };
            (*name, text)
        })
        .collect()
}

/// Who answers for the windows that an event makes: a hash of its source address, of the /64 in
/// IPv6; 0 where it has none.
pub(super) fn owner(event: &Event) -> u64 {
    match event.address_of(field::SOURCE_IP).map(unmapped) {
        Some(IpAddr::V4(v4)) => fingerprint(&v4.octets()),
        Some(IpAddr::V6(v6)) => fingerprint(v6.octets().get(..8).unwrap_or_default()),
        None => 0,
    }
}
