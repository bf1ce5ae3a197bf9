//! Who and what an alert speaks of.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

use compact_str::CompactString;
use ipnet::IpNet;
use serde::{Deserialize, Serialize, Serializer};

use crate::{Event, FieldId, ValueRef, field, fingerprint};

/// Distinct values kept of one entity field; an attacker can invent names without end.
pub const VALUES_PER_ENTITY: usize = 100;

/// Fields, with one value each, that there is room for at once; most have fewer.
const FIELDS_AT_FIRST: usize = 8;

/// Fields whose values are entities. Their places stand in the detector's snapshots: add at the
/// end only.
pub const ENTITY_FIELDS: [FieldId; 18] = [
    field::SOURCE_IP,
    field::DESTINATION_IP,
    field::HOST_NAME,
    field::USER_NAME,
    field::USER_TARGET_NAME,
    field::USER_EFFECTIVE_NAME,
    field::URL_PATH,
    field::URL_DOMAIN,
    field::DNS_QUESTION_NAME,
    field::TLS_CLIENT_SERVER_NAME,
    field::FILE_PATH,
    field::FILE_HASH_MD5,
    field::FILE_HASH_SHA1,
    field::FILE_HASH_SHA256,
    field::PROCESS_COMMAND_LINE,
    field::DESTINATION_PORT,
    field::USER_AGENT_ORIGINAL,
    field::SENSOR_ID,
];

/// The distinct values of entity fields (`source.ip`, `user.name`, `host.name` …), in order of the
/// fields' names and then as they were first seen, at most [`VALUES_PER_ENTITY`] of one field.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "BTreeMap<CompactString, Vec<CompactString>>")]
pub struct Entities {
    /// Where the values of a field end; they begin with the end of the field before.
    fields: Vec<(FieldId, u32)>,
    values: Vec<CompactString>,
    marks: Marks,
}

/// Of most values that are not there, this tells it: each sets one bit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Marks([u64; 4]);

impl Marks {
    /// Whether a value like this was there before; it is from now on.
    fn set(&mut self, value: &str) -> bool {
        let number = fingerprint(value.as_bytes());
        let Some(word) = self.0.get_mut(number as usize % 4) else { return true };
        let bit = 1 << (number >> 58);
        let before = *word & bit != 0;
        *word |= bit;
        before
    }
}

impl From<BTreeMap<CompactString, Vec<CompactString>>> for Entities {
    fn from(fields: BTreeMap<CompactString, Vec<CompactString>>) -> Self {
        let mut entities = Self::default();
        for (name, values) in fields {
            if let Some(field) = FieldId::intern(&name) {
                for value in &values {
                    entities.marks.set(value);
                }
                entities.values.extend(values);
                entities.fields.push((field, entities.values.len() as u32));
            }
        }
        entities
    }
}

impl Serialize for Entities {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl Entities {
    /// Adds the entities of `event`.
    pub fn add_event(&mut self, event: &Event) {
        for (field, value) in event.fields() {
            if !ENTITY_FIELDS.contains(&field) {
                continue;
            }
            match value {
                ValueRef::List(list) => {
                    for member in list.iter() {
                        self.add_to(field, &member.to_text());
                    }
                }
                ValueRef::Null => {}
                value => self.add_to(field, &value.to_text()),
            }
        }
    }

    /// Adds one value to the field called `name`; see [`Entities::add_to`].
    pub fn add(&mut self, name: &str, value: &str) {
        if let Some(field) = FieldId::intern(name) {
            self.add_to(field, value);
        }
    }

    /// Adds one value, unless it is empty or `-`, there already or one too many.
    pub fn add_to(&mut self, field: FieldId, value: &str) {
        // Access logs write `-` for what is not there.
        if value.is_empty() || value == "-" {
            return;
        }
        let there = self.fields.iter().rposition(|(known, _)| *known == field);
        let range = there.map_or(0..0, |place| self.range(place));
        let known = self.values.get(range).unwrap_or_default();
        // Of accounts, most are new.
        let full = known.len() >= VALUES_PER_ENTITY;
        if full || self.marks.set(value) && known.iter().any(|known| known == value) {
            return;
        }
        let place = there.unwrap_or_else(|| self.begin(field));
        self.values.insert(self.range(place).end, value.into());
        for (_, end) in self.fields.iter_mut().skip(place) {
            *end += 1;
        }
    }

    /// The place of a field that has no values yet.
    fn begin(&mut self, field: FieldId) -> usize {
        let name = field.name();
        let place = self.fields.partition_point(|(known, _)| known.name() < name);
        if self.fields.is_empty() {
            self.fields.reserve(FIELDS_AT_FIRST);
            self.values.reserve(FIELDS_AT_FIRST);
        }
        self.fields.insert(place, (field, self.start(place)));
        place
    }

    /// Where the values of the field at `place` begin.
    fn start(&self, place: usize) -> u32 {
        place.checked_sub(1).and_then(|before| self.fields.get(before)).map_or(0, |(_, end)| *end)
    }

    /// Where the values of the field at `place` stand.
    fn range(&self, place: usize) -> Range<usize> {
        let end = self.fields.get(place).map_or(0, |(_, end)| *end);
        self.start(place) as usize..end as usize
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (field, values) in other.fields() {
            for value in values {
                self.add_to(field, value);
            }
        }
    }

    /// The values of the field called `name`; empty where there are none.
    pub fn values(&self, name: &str) -> &[CompactString] {
        let place = self.fields.iter().rposition(|(known, _)| known.name() == name);
        place.and_then(|place| self.values.get(self.range(place))).unwrap_or_default()
    }

    /// Whether `value` is one of the field called `name`.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.values(name).iter().any(|known| known == value)
    }

    /// All fields with their values, by field name.
    pub fn fields(&self) -> impl Iterator<Item = (FieldId, &[CompactString])> {
        self.fields.iter().enumerate().map(|(place, (field, _))| {
            (*field, self.values.get(self.range(place)).unwrap_or_default())
        })
    }

    /// The same, with their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[CompactString])> {
        self.fields().map(|(field, values)| (field.name(), values))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }
}

/// The address without IPv4-in-IPv6 mapping (RFC 4291 §2.5.5.2): `::ffff:192.0.2.1` is
/// `192.0.2.1`.
pub fn unmapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// The network that stands for a neighbourhood of `address`: its /24, or its /64 in IPv6.
pub fn network_of(address: IpAddr) -> IpNet {
    let (length, fallback) = match unmapped(address) {
        IpAddr::V4(_) => (24, IpNet::from(IpAddr::V4(Ipv4Addr::UNSPECIFIED))),
        IpAddr::V6(_) => (64, IpNet::from(IpAddr::V6(Ipv6Addr::UNSPECIFIED))),
    };
    IpNet::new(unmapped(address), length).map_or(fallback, |net| net.trunc())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_distinct_values_up_to_the_bound() {
        let mut entities = Entities::default();
        for n in 0..VALUES_PER_ENTITY + 10 {
            entities.add("user.name", &format!("user{n}"));
            entities.add("user.name", "user0");
        }
        assert_eq!(entities.values("user.name").len(), VALUES_PER_ENTITY);
        assert!(entities.values("source.ip").is_empty());
    }

    #[test]
    fn values_stand_with_their_fields_in_order_of_the_names() {
        let mut entities = Entities::default();
        let added =
            [("user.name", "b"), ("host.name", "h"), ("user.name", "a"), ("host.name", "h")];
        for (name, value) in added.into_iter().chain([("source.ip", "-"), ("a.new", "x")]) {
            entities.add(name, value);
        }
        let written = serde_json::to_string(&entities).unwrap();
        assert_eq!(written, r#"{"a.new":["x"],"host.name":["h"],"user.name":["b","a"]}"#);
        assert_eq!(serde_json::from_str::<Entities>(&written).unwrap(), entities);
        assert!(entities.has("user.name", "a") && !entities.has("host.name", "a"));
        let mut both = entities.clone();
        both.add("process.name", "p");
        both.merge(&entities);
        let names: Vec<&str> = both.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a.new", "host.name", "process.name", "user.name"]);
        assert_eq!(both.values("user.name"), ["b", "a"]);
    }

    #[test]
    fn networks_of_addresses() {
        for (address, expected) in [
            ("192.0.2.77", "192.0.2.0/24"),
            ("::ffff:192.0.2.77", "192.0.2.0/24"),
            ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ] {
            assert_eq!(network_of(address.parse().unwrap()).to_string(), expected);
        }
    }
}
