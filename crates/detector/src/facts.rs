//! What grouping needs to know about an alert: whom it is about, and where he stands.

use std::net::IpAddr;

use compact_str::CompactString;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use smallvec::{SmallVec, smallvec};
use vigie_event::{Actor, Event, FieldId, Timestamp, address_text, field, network_of, unmapped};

/// Under what an incident is found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Key {
    /// An address that its alerts are about.
    Address(IpAddr),
    /// A source that is no address.
    Origin(CompactString),
    /// An account that its alerts are about, on a host.
    Account(CompactString, CompactString),
    /// A host that its alerts are about.
    Host(CompactString),
    /// An account that the actor logged in to, on a host; host empty: on any.
    Owned(CompactString, CompactString),
    /// A host that the actor got into.
    Entered(CompactString),
    /// A network with a family of techniques.
    Network(IpNet, u64),
}

/// Whom a rule's match is about: what tells the alerts of one rule over single events apart.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) enum EntityKey {
    /// `source.ip`.
    Address(IpAddr),
    /// `source.ip` that is no address.
    Origin(CompactString),
    /// `user.name` and `host.name`.
    Account(CompactString, CompactString),
    /// `host.name`.
    Host(CompactString),
    /// `event.dataset`.
    Dataset(CompactString),
}

/// Bytes kept of a name as a key.
const NAME_BYTES: usize = 256;

impl EntityKey {
    /// Whom `event` is about: its source address, else its account, else its host, else where it
    /// was logged.
    pub(crate) fn of(event: &Event) -> Self {
        if let Some(address) = event.address_of(field::SOURCE_IP) {
            return Self::Address(unmapped(address));
        }
        let host = name_of(event, field::HOST_NAME);
        if let Some(origin) = name_of(event, field::SOURCE_IP) {
            return origin
                .parse()
                .map_or(Self::Origin(origin), |address| Self::Address(unmapped(address)));
        }
        match (name_of(event, field::USER_NAME), host) {
            (Some(user), host) => Self::Account(user, host.unwrap_or_default()),
            (None, Some(host)) => Self::Host(host),
            (None, None) => Self::Dataset(event.dataset.into()),
        }
    }

    /// The actor as the incident shows him.
    pub(crate) fn actor(&self) -> Actor {
        let (field, value) = match self {
            Self::Address(address) => ("source.ip", address_text(*address)),
            Self::Origin(origin) => ("source.ip", origin.clone()),
            Self::Account(user, _) => ("user.name", user.clone()),
            Self::Host(host) => ("host.name", host.clone()),
            Self::Dataset(dataset) => ("event.dataset", dataset.clone()),
        };
        Actor { field: field.into(), value }
    }
}

/// What grouping needs to know about an alert.
#[derive(Debug)]
pub(crate) struct Facts<'f> {
    /// Whom it is about.
    pub(crate) entity: EntityKey,
    /// The account that its last event names, with its host.
    pub(crate) account: Option<(CompactString, CompactString)>,
    /// The host that its last event names.
    pub(crate) host: Option<CompactString>,
    /// The host whose address it is about, where that is known.
    pub(crate) from_host: Option<CompactString>,
    /// Whether its last event is a success, or a failure.
    pub(crate) outcome: Outcome,
    /// Families of techniques of its rule.
    pub(crate) families: &'f [u64],
    /// Time of its first event.
    pub(crate) first: Timestamp,
    /// Time of its last event.
    pub(crate) last: Timestamp,
}

/// `event.outcome`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    Failure,
    Unknown,
}

impl Outcome {
    pub(crate) fn of(event: &Event) -> Self {
        let outcome =
            event.fixed_of(field::EVENT_OUTCOME).or_else(|| event.text_of(field::EVENT_OUTCOME));
        outcome.map_or(Self::Unknown, Self::named)
    }

    fn named(text: &str) -> Self {
        match text {
            "success" => Self::Success,
            "failure" => Self::Failure,
            _ => Self::Unknown,
        }
    }
}

/// What is asked of every event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Glance {
    pub(crate) outcome: Outcome,
    /// `host.ip`.
    pub(crate) host_address: Option<IpAddr>,
    /// `destination.ip`.
    pub(crate) destination: Option<IpAddr>,
}

impl Glance {
    pub(crate) fn of(event: &Event) -> Self {
        Self {
            outcome: Outcome::of(event),
            host_address: event.address_of(field::HOST_IP),
            destination: event.address_of(field::DESTINATION_IP),
        }
    }
}

impl<'f> Facts<'f> {
    /// The facts of an alert of a rule over single events, or of a correlation: of this, `group`
    /// says whom it is about where it names a source, an account or a host.
    pub(crate) fn of(
        event: &Event,
        group: &[(FieldId, CompactString)],
        families: &'f [u64],
        first: Timestamp,
        last: Timestamp,
    ) -> Self {
        let host = name_of(event, field::HOST_NAME);
        let account =
            name_of(event, field::USER_NAME).map(|user| (user, host.clone().unwrap_or_default()));
        Self {
            entity: entity_of_group(group).unwrap_or_else(|| EntityKey::of(event)),
            account,
            host,
            from_host: None,
            outcome: Outcome::of(event),
            families,
            first,
            last,
        }
    }

    /// The address that it is about.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        match self.entity {
            EntityKey::Address(address) => Some(address),
            _ => None,
        }
    }

    /// Whether it came from another machine.
    pub(crate) fn is_remote(&self) -> bool {
        matches!(self.entity, EntityKey::Address(_) | EntityKey::Origin(_))
    }

    /// The keys under which its incident is found from now on.
    pub(crate) fn keys(&self) -> SmallVec<[Key; 4]> {
        match &self.entity {
            EntityKey::Address(address) => {
                let mut keys = smallvec![Key::Address(*address)];
                if let Some(network) = neighbourhood(*address) {
                    keys.extend(self.families.iter().map(|family| Key::Network(network, *family)));
                }
                keys
            }
            EntityKey::Origin(origin) => smallvec![Key::Origin(origin.clone())],
            EntityKey::Account(user, host) => smallvec![Key::Account(user.clone(), host.clone())],
            EntityKey::Host(host) => smallvec![Key::Host(host.clone())],
            // Where nobody is named, nobody is in common.
            EntityKey::Dataset(_) => SmallVec::new(),
        }
    }
}

/// Whom a correlation's group names; `None` where it names nobody.
fn entity_of_group(group: &[(FieldId, CompactString)]) -> Option<EntityKey> {
    let value = |id: FieldId| {
        group.iter().find(|(field, value)| *field == id && !value.is_empty()).map(|(_, v)| &**v)
    };
    if let Some(origin) = value(field::SOURCE_IP) {
        return Some(match origin.parse() {
            Ok(address) => EntityKey::Address(unmapped(address)),
            Err(_) => EntityKey::Origin(name(origin)),
        });
    }
    let host = value(field::HOST_NAME).map(name);
    match (value(field::USER_NAME), host) {
        (Some(user), host) => Some(EntityKey::Account(name(user), host.unwrap_or_default())),
        (None, Some(host)) => Some(EntityKey::Host(host)),
        (None, None) => None,
    }
}

/// The /24 or /64 of a public address. Neighbours in a private network are different machines
/// that happen to be one's own, so there the network says nothing.
pub(crate) fn neighbourhood(address: IpAddr) -> Option<IpNet> {
    (!is_inside(address)).then(|| network_of(address))
}

/// Whether `address` belongs to some inside network: private (RFC 1918, RFC 4193), shared (RFC
/// 6598), link-local, loopback or unspecified.
pub(crate) fn is_inside(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            v4.is_private()
                || v4.is_loopback()
                || v4.is_link_local()
                || v4.is_unspecified()
                || (first == 100 && (64..128).contains(&second))
        }
        IpAddr::V6(v6) => {
            v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unique_local()
                || v6.is_unicast_link_local()
        }
    }
}

/// Names that nearly every machine has an account of: that two logins share such a name says
/// nothing about who logged in.
const COMMON_ACCOUNTS: [&str; 12] = [
    "root",
    "admin",
    "administrator",
    "administrateur",
    "system",
    "ubuntu",
    "debian",
    "ec2-user",
    "centos",
    "vagrant",
    "pi",
    "user",
];

/// Whether an account's name stands for one account wherever it is met.
pub(crate) fn names_one_account(user: &str) -> bool {
    !COMMON_ACCOUNTS.iter().any(|common| common.eq_ignore_ascii_case(user))
}

/// The field as a key: short, and without copying where it is short already.
pub(crate) fn name_of(event: &Event, id: FieldId) -> Option<CompactString> {
    let text = event.render(id)?;
    (!text.is_empty()).then(|| name(&text))
}

fn name(text: &str) -> CompactString {
    text.get(..text.floor_char_boundary(NAME_BYTES.min(text.len()))).unwrap_or_default().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigie_event::Value;

    #[test]
    fn whom_an_event_is_about() {
        fn check(fields: &[(FieldId, &'static str)], expected: &str) {
            let mut event = Event::default();
            event.dataset = "sshd";
            for (id, value) in fields {
                let value = value.parse().map_or(Value::Fixed(value), Value::Address);
                event.fields_mut().1.value(*id, value);
            }
            let actor = EntityKey::of(&event).actor();
            assert_eq!(format!("{} {}", actor.field, actor.value), expected);
        }
        let (ip, user, host) = (field::SOURCE_IP, field::USER_NAME, field::HOST_NAME);
        check(&[(user, "root"), (ip, "203.0.113.7")], "source.ip 203.0.113.7");
        check(&[(ip, "::ffff:203.0.113.7")], "source.ip 203.0.113.7");
        check(&[(ip, "unknown"), (user, "root")], "source.ip unknown");
        check(&[(host, "web-1"), (user, "root")], "user.name root");
        check(&[(host, "web-1"), (user, "")], "host.name web-1");
        check(&[], "event.dataset sshd");
    }

    #[test]
    fn only_public_addresses_have_neighbours() {
        for (address, network) in [
            ("203.0.113.7", Some("203.0.113.0/24")),
            ("2001:db8:1::7", Some("2001:db8:1::/64")),
            ("10.0.0.7", None),
            ("192.168.56.102", None),
            ("172.31.0.1", None),
            ("100.100.0.1", None),
            ("127.0.0.1", None),
            ("fd00::1", None),
            ("fe80::1", None),
        ] {
            let found = neighbourhood(address.parse().unwrap()).map(|net| net.to_string());
            assert_eq!(found.as_deref(), network, "{address}");
        }
    }
}
