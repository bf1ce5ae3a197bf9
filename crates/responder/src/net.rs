//! Addresses and networks as people write them.

use std::net::IpAddr;

use ipnet::IpNet;
use vigie_event::{address_text, network_of, unmapped};

/// The IPv4-mapped prefix is 96 bits long (RFC 4291 §2.5.5.2).
const MAPPED_PREFIX: u8 = 96;

/// Reads an address (a network of one) or a network; IPv4 mapped into IPv6 becomes IPv4, host
/// bits are cleared.
pub(crate) fn parse(text: &str) -> Option<IpNet> {
    let text = text.trim();
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(single(address));
    }
    let net: IpNet = text.parse().ok()?;
    match unmapped(net.addr()) {
        address @ IpAddr::V4(_) if matches!(net, IpNet::V6(_)) => {
            let length = net.prefix_len().checked_sub(MAPPED_PREFIX)?;
            IpNet::new(address, length).ok().map(|net| net.trunc())
        }
        _ => Some(net.trunc()),
    }
}

/// The network of `address` alone.
pub(crate) fn single(address: IpAddr) -> IpNet {
    IpNet::from(unmapped(address))
}

/// What a ban of `address` takes by default: the address in IPv4, its /64 in IPv6, where one
/// host has a whole /64 to choose from (RFC 4291 §2.5.1).
pub(crate) fn usual(address: IpAddr) -> IpNet {
    match unmapped(address) {
        IpAddr::V4(_) => single(address),
        IpAddr::V6(_) => network_of(address),
    }
}

/// Whether the two have an address in common.
pub(crate) fn overlap(one: &IpNet, other: &IpNet) -> bool {
    one.contains(other) || other.contains(one)
}

/// The network for people: an address without its length where it is one.
pub(crate) fn display(net: &IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() {
        address_text(net.addr()).into()
    } else {
        net.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, expected) in [
            ("192.0.2.7", Some("192.0.2.7/32")),
            ("192.0.2.7/24", Some("192.0.2.0/24")),
            ("::ffff:192.0.2.7", Some("192.0.2.7/32")),
            ("::ffff:192.0.2.7/120", Some("192.0.2.0/24")),
            ("::ffff:192.0.2.7/64", None),
            ("2001:db8::1/64", Some("2001:db8::/64")),
            ("example.com", None),
            ("", None),
        ] {
            assert_eq!(parse(text).map(|net| net.to_string()).as_deref(), expected, "{text}");
        }
    }
}
