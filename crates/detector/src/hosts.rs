//! Which address is which host's: what tells that a login came from a machine one knows.

use std::net::IpAddr;

use compact_str::CompactString;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use vigie_event::{Event, field, unmapped};

use crate::facts::{Glance, name_of};

/// Addresses remembered; of those beyond, the longest unseen eighth is forgotten.
const MAX_ADDRESSES: usize = 16_384;

/// Whose an address is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Owner {
    /// `None`: of several hosts, as behind address translation or in every container's network.
    /// It then names nobody, for as long as it is remembered.
    host: Option<CompactString>,
    /// Number of the event that named it last.
    seen: u64,
}

/// The addresses of the hosts that write the logs, as the logs themselves tell.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hosts {
    owners: FxHashMap<IpAddr, Owner>,
}

impl Hosts {
    /// Learns what `event`, the one numbered `seen`, tells of its own host's addresses: its
    /// `host.ip`, and the address at which its SSH server was reached or listens. Allocates
    /// nothing for an address that is known.
    #[inline]
    pub(crate) fn learn(&mut self, event: &Event, glance: &Glance, seen: u64) {
        let reached = || glance.destination.filter(|_| event.dataset == "sshd");
        if let Some(address) = glance.host_address.or_else(reached) {
            self.learn_of(unmapped(address), event, seen);
        }
    }

    fn learn_of(&mut self, address: IpAddr, event: &Event, seen: u64) {
        if !names_a_machine(address) {
            return;
        }
        let Some(host) = name_of(event, field::HOST_NAME) else {
            return;
        };
        if let Some(owner) = self.owners.get_mut(&address) {
            owner.seen = seen;
            if owner.host.as_ref().is_some_and(|known| *known != host) {
                owner.host = None;
            }
            return;
        }
        if self.owners.len() >= MAX_ADDRESSES {
            self.forget_longest_unseen();
        }
        self.owners.insert(address, Owner { host: Some(host), seen });
    }

    /// The one host whose address this is, where that is known.
    pub(crate) fn host_of(&self, address: IpAddr) -> Option<&CompactString> {
        self.owners.get(&address)?.host.as_ref()
    }

    /// All of it, in order of addresses.
    pub(crate) fn save(&self) -> SavedHosts {
        let mut owners: Vec<_> =
            self.owners.iter().map(|(address, owner)| (*address, owner.clone())).collect();
        owners.sort_unstable_by_key(|(address, _)| *address);
        SavedHosts { owners }
    }

    /// What [`Hosts::save`] wrote.
    pub(crate) fn restore(saved: SavedHosts) -> Self {
        Self { owners: saved.owners.into_iter().collect() }
    }

    fn forget_longest_unseen(&mut self) {
        let mut seen: Vec<u64> = self.owners.values().map(|owner| owner.seen).collect();
        let place = seen.len() / 8;
        if place < seen.len() {
            // Every event names at most one address, so no two share a number.
            let (_, limit, _) = seen.select_nth_unstable(place);
            let limit = *limit;
            self.owners.retain(|_, owner| owner.seen > limit);
        }
    }
}

/// [`Hosts`] as plain values.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct SavedHosts {
    owners: Vec<(IpAddr, Owner)>,
}

/// Whether an address can name one machine to another.
fn names_a_machine(address: IpAddr) -> bool {
    let link_local = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    !(link_local || address.is_loopback() || address.is_unspecified() || address.is_multicast())
}

#[cfg(test)]
mod tests {
    use vigie_event::Value;

    use super::*;

    fn told(dataset: &'static str, host: &str, by: vigie_event::FieldId, address: &str) -> Event {
        let mut event = Event::default();
        event.dataset = dataset;
        let (_, mut slots) = event.fields_mut();
        slots.value(field::HOST_NAME, Value::Made(host.into()));
        slots.value(by, Value::Address(address.parse().unwrap()));
        event
    }

    fn check(events: &[Event], address: &str, expected: Option<&str>) {
        let mut hosts = Hosts::default();
        for (seen, event) in (1..).zip(events) {
            hosts.learn(event, &Glance::of(event), seen);
        }
        let hosts = Hosts::restore(hosts.save());
        let found = hosts.host_of(address.parse().unwrap());
        assert_eq!(found.map(CompactString::as_str), expected, "{address}");
    }

    #[test]
    fn an_address_is_the_hosts_that_says_so() {
        let (own, reached) = (field::HOST_IP, field::DESTINATION_IP);
        check(&[told("json", "web-1", own, "10.0.0.5")], "10.0.0.5", Some("web-1"));
        check(&[told("sshd", "web-1", reached, "10.0.0.5")], "10.0.0.5", Some("web-1"));
        check(&[told("sshd", "web-1", reached, "::ffff:10.0.0.5")], "10.0.0.5", Some("web-1"));
        check(&[told("sshd", "web-1", field::SOURCE_IP, "10.0.0.5")], "10.0.0.5", None);
        // A firewall names the addresses of others.
        check(&[told("iptables", "gw-1", reached, "10.0.0.5")], "10.0.0.5", None);
        check(&[told("sshd", "", reached, "10.0.0.5")], "10.0.0.5", None);
    }

    #[test]
    fn what_several_hosts_have_is_nobodys() {
        let shared = |host| told("json", host, field::HOST_IP, "172.17.0.1");
        check(&[shared("web-1"), shared("web-1")], "172.17.0.1", Some("web-1"));
        check(&[shared("web-1"), shared("db-1"), shared("web-1")], "172.17.0.1", None);
        for everywhere in ["127.0.0.1", "0.0.0.0", "169.254.1.1", "::1", "::", "fe80::1"] {
            check(&[told("json", "web-1", field::HOST_IP, everywhere)], everywhere, None);
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut hosts = Hosts::default();
        for number in 0..(MAX_ADDRESSES as u32 + 100) {
            let address = IpAddr::from((0x0A00_0001 + number).to_be_bytes()).to_string();
            let event = told("json", "web-1", field::HOST_IP, &address);
            hosts.learn(&event, &Glance::of(&event), u64::from(number));
        }
        assert!(hosts.owners.len() <= MAX_ADDRESSES);
        assert!(hosts.host_of("10.0.0.1".parse().unwrap()).is_none());
        assert!(hosts.host_of("10.0.64.100".parse().unwrap()).is_some());
    }
}
