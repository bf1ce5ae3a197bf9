//! Who must never be banned.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use serde::{Deserialize, Serialize};
use vigie_event::{Lang, Timestamp, unmapped};

use crate::net;

/// What a protected address is to this machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardKind {
    /// 127.0.0.0/8, `::1` (RFC 1122, RFC 4291).
    Loopback,
    /// 0.0.0.0/8, `::`.
    Unspecified,
    /// 224.0.0.0/4, 255.255.255.255, `ff00::/8`.
    Multicast,
    /// 169.254.0.0/16, `fe80::/10`.
    LinkLocal,
    /// One of this machine's own addresses.
    OwnAddress,
    /// A gateway of a default route.
    Gateway,
    /// A DNS server that this machine asks.
    DnsServer,
    /// The other end of a live SSH session.
    SshSession,
    /// The other end of a live console session.
    ConsoleSession,
    /// Another part of Vigie: a collector, an enrolled agent.
    Vigie,
}

impl GuardKind {
    /// What it is, for people; fits after “it is”.
    pub const fn text(self, lang: Lang) -> &'static str {
        match (lang, self) {
            (Lang::En, Self::Loopback) => "a loopback address",
            (Lang::Fr, Self::Loopback) => "une adresse de boucle locale",
            (Lang::En, Self::Unspecified) => "an address that names no host",
            (Lang::Fr, Self::Unspecified) => "une adresse qui ne désigne aucune machine",
            (Lang::En, Self::Multicast) => "a multicast address",
            (Lang::Fr, Self::Multicast) => "une adresse de multidiffusion",
            (Lang::En, Self::LinkLocal) => "a link-local address",
            (Lang::Fr, Self::LinkLocal) => "une adresse de lien local",
            (Lang::En, Self::OwnAddress) => "one of this machine’s own addresses",
            (Lang::Fr, Self::OwnAddress) => "une adresse de cette machine",
            (Lang::En, Self::Gateway) => "this machine’s default gateway",
            (Lang::Fr, Self::Gateway) => "la passerelle par défaut de cette machine",
            (Lang::En, Self::DnsServer) => "a DNS server of this machine",
            (Lang::Fr, Self::DnsServer) => "un serveur DNS de cette machine",
            (Lang::En, Self::SshSession) => "the other end of a live SSH session",
            (Lang::Fr, Self::SshSession) => "l’autre bout d’une session SSH en cours",
            (Lang::En, Self::ConsoleSession) => "the other end of a live console session",
            (Lang::Fr, Self::ConsoleSession) => "l’autre bout d’une session de la console en cours",
            (Lang::En, Self::Vigie) => "a part of Vigie",
            (Lang::Fr, Self::Vigie) => "un élément de Vigie",
        }
    }
}

/// A protected network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Guard {
    /// Whom it covers.
    pub network: IpNet,
    /// Why.
    pub kind: GuardKind,
}

/// An entry of the allowlist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {
    /// Whom it covers.
    pub network: IpNet,
    /// Why, as somebody wrote it.
    pub reason: String,
    /// When it ends; `None`: never.
    pub expires: Option<Timestamp>,
}

impl Allowed {
    /// Reads an address or a network (`203.0.113.7`, `203.0.113.0/24`, `2001:db8::/32`).
    /// `None` when it is neither.
    pub fn parse(text: &str, reason: &str, expires: Option<Timestamp>) -> Option<Self> {
        Some(Self { network: net::parse(text)?, reason: reason.to_owned(), expires })
    }
}

/// Why an address or a network must not be banned.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is, or holds, a protected address.
    Protected(Guard),
    /// It stands on the allowlist.
    Allowlisted(Allowed),
    /// Nobody can tell who is protected, so nobody is banned.
    NotEvaluated(String),
    /// So many addresses are never banned at once.
    TooWide(IpNet),
}

impl Refusal {
    /// The reason as a clause, without capital and full stop.
    pub fn text(&self, lang: Lang) -> String {
        match (lang, self) {
            (Lang::En, Self::Protected(guard)) => {
                format!("{} is {}", net::display(&guard.network), guard.kind.text(lang))
            }
            (Lang::Fr, Self::Protected(guard)) => {
                format!("{} est {}", net::display(&guard.network), guard.kind.text(lang))
            }
            (Lang::En, Self::Allowlisted(entry)) => {
                let net = net::display(&entry.network);
                format!("{net} stands on the allowlist ({})", entry.reason)
            }
            (Lang::Fr, Self::Allowlisted(entry)) => {
                let net = net::display(&entry.network);
                format!("{net} figure sur la liste d’autorisation ({})", entry.reason)
            }
            (Lang::En, Self::NotEvaluated(why)) => {
                format!("who must be protected cannot be told: {why}")
            }
            (Lang::Fr, Self::NotEvaluated(why)) => {
                format!("impossible de déterminer qui doit être protégé : {why}")
            }
            (Lang::En, Self::TooWide(net)) => format!("{net} holds too many addresses"),
            (Lang::Fr, Self::TooWide(net)) => format!("{net} contient trop d’adresses"),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Lang::En))
    }
}

/// Who must never be banned, as of one moment. Where that cannot be found out, everybody is
/// protected.
#[derive(Clone, Debug)]
pub struct Protection {
    guards: Result<Vec<Guard>, String>,
    allowed: Vec<Allowed>,
    taken: Timestamp,
}

/// Networks wider than these are never banned.
const WIDEST_V4: u8 = 16;
const WIDEST_V6: u8 = 32;

impl Protection {
    /// Protects `guards`, and what no machine may ban, as of `now`.
    pub fn of(guards: Vec<Guard>, now: Timestamp) -> Self {
        Self { guards: Ok(guards), allowed: Vec::new(), taken: now }
    }

    /// Protects everybody, because of `why`.
    pub fn unknown(why: impl Into<String>, now: Timestamp) -> Self {
        Self { guards: Err(why.into()), allowed: Vec::new(), taken: now }
    }

    /// Adds an entry of the allowlist.
    #[must_use]
    pub fn allowing(mut self, entries: impl IntoIterator<Item = Allowed>) -> Self {
        self.allowed.extend(entries);
        self
    }

    /// Protects `network` too, such as an enrolled agent.
    #[must_use]
    pub fn guarding(mut self, guards: impl IntoIterator<Item = Guard>) -> Self {
        if let Ok(known) = &mut self.guards {
            known.extend(guards);
        }
        self
    }

    /// Whom it protects, apart from the allowlist and what no machine may ban.
    ///
    /// # Errors
    /// Why that could not be found out.
    pub fn guards(&self) -> Result<&[Guard], &str> {
        match &self.guards {
            Ok(guards) => Ok(guards),
            Err(why) => Err(why),
        }
    }

    /// When it was found out.
    pub fn taken(&self) -> Timestamp {
        self.taken
    }

    /// Whether `address` may be banned at `now`; an IPv4 address mapped into IPv6 is judged as
    /// IPv4.
    ///
    /// # Errors
    /// It must not.
    pub fn check(&self, address: IpAddr, now: Timestamp) -> Result<(), Refusal> {
        self.check_network(&net::single(address), now)
    }

    /// Whether all of `network` may be banned at `now`.
    ///
    /// # Errors
    /// An address in it must not, or it is wider than a /16 (a /32 in IPv6).
    pub fn check_network(&self, network: &IpNet, now: Timestamp) -> Result<(), Refusal> {
        let guards = self.guards.as_ref().map_err(|why| Refusal::NotEvaluated(why.clone()))?;
        let widest = if matches!(network, IpNet::V4(_)) { WIDEST_V4 } else { WIDEST_V6 };
        if network.prefix_len() < widest {
            return Err(Refusal::TooWide(*network));
        }
        let guard = ALWAYS.iter().chain(guards).find(|guard| net::overlap(&guard.network, network));
        if let Some(guard) = guard {
            return Err(Refusal::Protected(*guard));
        }
        let valid = |entry: &&Allowed| entry.expires.is_none_or(|expires| expires > now);
        match self.allowed.iter().filter(valid).find(|entry| net::overlap(&entry.network, network))
        {
            Some(entry) => Err(Refusal::Allowlisted(entry.clone())),
            None => Ok(()),
        }
    }

    /// What a ban of `address` may take at `now`: the address in IPv4; in IPv6 its /64, or the
    /// address alone where the /64 holds a protected one.
    ///
    /// # Errors
    /// The address itself must not be banned.
    pub fn ban_network(&self, address: IpAddr, now: Timestamp) -> Result<IpNet, Refusal> {
        let single = net::single(unmapped(address));
        self.check_network(&single, now)?;
        let usual = net::usual(address);
        let wider = usual != single && self.check_network(&usual, now).is_ok();
        Ok(if wider { usual } else { single })
    }
}

const fn v4(a: u8, b: u8, c: u8, d: u8, length: u8, kind: GuardKind) -> Guard {
    Guard { network: IpNet::V4(Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length)), kind }
}

const fn v6(first: u16, last: u16, length: u8, kind: GuardKind) -> Guard {
    Guard {
        network: IpNet::V6(Ipv6Net::new_assert(
            Ipv6Addr::new(first, 0, 0, 0, 0, 0, 0, last),
            length,
        )),
        kind,
    }
}

/// What no machine may ban. Private and documentation ranges are not among them: attackers come
/// from inside too.
const ALWAYS: &[Guard] = &[
    v4(127, 0, 0, 0, 8, GuardKind::Loopback),
    v4(0, 0, 0, 0, 8, GuardKind::Unspecified),
    v4(224, 0, 0, 0, 4, GuardKind::Multicast),
    v4(255, 255, 255, 255, 32, GuardKind::Multicast),
    v4(169, 254, 0, 0, 16, GuardKind::LinkLocal),
    v6(0, 1, 128, GuardKind::Loopback),
    v6(0, 0, 128, GuardKind::Unspecified),
    v6(0xFF00, 0, 8, GuardKind::Multicast),
    v6(0xFE80, 0, 10, GuardKind::LinkLocal),
];

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    fn guard(network: &str, kind: GuardKind) -> Guard {
        Guard { network: net::parse(network).unwrap(), kind }
    }

    fn check(protection: &Protection, address: &str, expected: &str) {
        let answer = match protection.check(address.parse().unwrap(), NOW) {
            Ok(()) => "may be banned".to_owned(),
            Err(refusal) => refusal.to_string(),
        };
        assert_eq!(answer, expected, "{address}");
    }

    #[test]
    fn what_no_machine_may_ban() {
        let protection = Protection::of(Vec::new(), NOW);
        check(&protection, "127.0.0.53", "127.0.0.0/8 is a loopback address");
        check(&protection, "::1", "::1 is a loopback address");
        check(&protection, "::ffff:127.0.0.1", "127.0.0.0/8 is a loopback address");
        check(&protection, "0.0.0.0", "0.0.0.0/8 is an address that names no host");
        check(&protection, "::", ":: is an address that names no host");
        check(&protection, "224.0.0.251", "224.0.0.0/4 is a multicast address");
        check(&protection, "255.255.255.255", "255.255.255.255 is a multicast address");
        check(&protection, "ff02::1", "ff00::/8 is a multicast address");
        check(&protection, "169.254.1.1", "169.254.0.0/16 is a link-local address");
        check(&protection, "fe80::1", "fe80::/10 is a link-local address");
        for ordinary in ["203.0.113.7", "192.0.2.1", "10.0.0.5", "192.168.56.102", "2001:db8::1"] {
            check(&protection, ordinary, "may be banned");
        }
    }

    #[test]
    fn what_this_machine_needs() {
        use GuardKind::*;
        let protection = Protection::of(
            vec![
                guard("192.0.2.10", OwnAddress),
                guard("192.0.2.1", Gateway),
                guard("198.51.100.53", DnsServer),
                guard("203.0.113.9", SshSession),
                guard("2001:db8::99", ConsoleSession),
            ],
            NOW,
        )
        .guarding([guard("198.51.100.20", Vigie)]);
        check(&protection, "192.0.2.10", "192.0.2.10 is one of this machine’s own addresses");
        check(&protection, "::ffff:192.0.2.1", "192.0.2.1 is this machine’s default gateway");
        check(&protection, "198.51.100.53", "198.51.100.53 is a DNS server of this machine");
        check(&protection, "203.0.113.9", "203.0.113.9 is the other end of a live SSH session");
        check(
            &protection,
            "2001:db8::99",
            "2001:db8::99 is the other end of a live console session",
        );
        check(&protection, "198.51.100.20", "198.51.100.20 is a part of Vigie");
        check(&protection, "192.0.2.11", "may be banned");
    }

    #[test]
    fn the_allowlist_holds_until_it_expires() {
        let entry = |text, expires| Allowed::parse(text, "office", expires).unwrap();
        let protection = Protection::of(Vec::new(), NOW).allowing([
            entry("203.0.113.0/24", None),
            entry("198.51.100.7", Some(NOW)),
            entry("198.51.100.8", Some(NOW.plus_seconds(1))),
        ]);
        check(&protection, "203.0.113.200", "203.0.113.0/24 stands on the allowlist (office)");
        check(&protection, "198.51.100.7", "may be banned");
        check(&protection, "198.51.100.8", "198.51.100.8 stands on the allowlist (office)");
    }

    #[test]
    fn where_nobody_knows_everybody_is_protected() {
        let protection =
            Protection::unknown("no /proc", NOW).guarding([guard("192.0.2.1", GuardKind::Gateway)]);
        check(&protection, "203.0.113.7", "who must be protected cannot be told: no /proc");
    }

    #[test]
    fn a_network_is_protected_by_any_address_in_it() {
        let protection = Protection::of(vec![guard("192.0.2.1", GuardKind::Gateway)], NOW);
        for (network, may) in [
            ("192.0.2.0/24", false),
            ("192.0.3.0/24", true),
            ("192.0.0.0/15", false),
            ("203.0.0.0/16", true),
            ("203.0.0.0/15", false),
            ("2001:db8::/32", true),
            ("2001::/16", false),
        ] {
            let network: IpNet = network.parse().unwrap();
            assert_eq!(protection.check_network(&network, NOW).is_ok(), may, "{network}");
        }
    }

    #[test]
    fn an_ipv6_ban_takes_the_64_unless_it_holds_a_friend() {
        let protection = Protection::of(vec![guard("2001:db8:1::1", GuardKind::Gateway)], NOW);
        for (address, expected) in [
            ("2001:db8:2::5", Some("2001:db8:2::/64")),
            ("2001:db8:1::5", Some("2001:db8:1::5/128")),
            ("2001:db8:1::1", None),
            ("::ffff:203.0.113.7", Some("203.0.113.7/32")),
        ] {
            let taken = protection.ban_network(address.parse().unwrap(), NOW).ok();
            assert_eq!(taken.map(|net| net.to_string()).as_deref(), expected, "{address}");
        }
    }
}
