//! Who and what an alert speaks of.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use compact_str::CompactString;
use ipnet::IpNet;
use serde::{Deserialize, Serialize, Serializer};

use crate::{Event, FieldId, ValueRef, field};

/// Distinct values kept of one entity field; an attacker can invent names without end.
pub const VALUES_PER_ENTITY: usize = 100;

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

/// The distinct values of entity fields (`source.ip`, `user.name`, `host.name` …) by field name,
/// in the order in which they were first seen, at most [`VALUES_PER_ENTITY`] each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "BTreeMap<CompactString, Vec<CompactString>>")]
pub struct Entities(Vec<(CompactString, Vec<CompactString>)>);

impl From<BTreeMap<CompactString, Vec<CompactString>>> for Entities {
    fn from(fields: BTreeMap<CompactString, Vec<CompactString>>) -> Self {
        Self(fields.into_iter().collect())
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
                        self.add(field.name(), &member.to_text());
                    }
                }
                ValueRef::Null => {}
                value => self.add(field.name(), &value.to_text()),
            }
        }
    }

    /// Adds one value, unless it is empty or `-`, there already or one too many.
    pub fn add(&mut self, name: &str, value: &str) {
        // Access logs write `-` for what is not there.
        if value.is_empty() || value == "-" {
            return;
        }
        match self.place(name) {
            Ok(place) => {
                if let Some((_, values)) = self.0.get_mut(place)
                    && values.len() < VALUES_PER_ENTITY
                    && !values.iter().any(|known| known == value)
                {
                    values.push(value.into());
                }
            }
            Err(place) => self.0.insert(place, (name.into(), vec![value.into()])),
        }
    }

    /// Where the field stands, in order of the names, or where it would.
    fn place(&self, name: &str) -> Result<usize, usize> {
        // There are few, and mostly it is one of them: of accounts, which come last, most are new.
        let found = self.0.iter().rposition(|(known, _)| known == name);
        found.ok_or_else(|| self.0.partition_point(|(known, _)| known.as_str() < name))
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        for (name, values) in &other.0 {
            for value in values {
                self.add(name, value);
            }
        }
    }

    /// The values of the field called `name`; empty where there are none.
    pub fn values(&self, name: &str) -> &[CompactString] {
        let found = self.place(name).ok().and_then(|place| self.0.get(place));
        found.map_or(&[], |(_, values)| values)
    }

    /// Whether `value` is one of the field called `name`.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.values(name).iter().any(|known| known == value)
    }

    /// All fields with their values, by field name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[CompactString])> {
        self.0.iter().map(|(name, values)| (name.as_str(), values.as_slice()))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
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
