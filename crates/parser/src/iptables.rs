//! Packet filter lines of the Linux kernel: iptables, nftables and ufw write one form,
//! `<prefix>IN=… OUT=… SRC=… DST=… PROTO=… SPT=… DPT=…`.

use vigie_event::{FieldId, Fields, field};

use crate::line::{Known, Outcome, act};
use crate::{logsources, text};

const KNOWN: Known = Known::event("iptables", logsources::FIREWALL);

/// Reads a kernel message about a packet. `None`: it is none.
pub fn parse(fields: &mut Fields<'_>, message: &str) -> Option<Known> {
    let start = interface_at(message)?;
    let rest = message.get(start..)?;
    let source = text::address(value(rest, "SRC=")?)?;
    let destination = text::address(value(rest, "DST=")?)?;
    fields.address(field::SOURCE_IP, source);
    fields.address(field::DESTINATION_IP, destination);
    ports(fields, rest);
    let prefix = without_uptime(message.get(..start)?).trim();
    text::some_text(fields, field::RULE_NAME, prefix.trim_matches(['[', ']', ':', ' ']));
    let version = if source.is_ipv4() { "ipv4" } else { "ipv6" };
    fields.fixed(field::NETWORK_TYPE, version);
    interfaces(fields, rest);
    let (action, kind) = verdict(prefix);
    act(fields, action, "network", kind, Outcome::None);
    Some(KNOWN)
}

/// Where `IN=` stands, which may follow the prefix without a space.
fn interface_at(message: &str) -> Option<usize> {
    let at = message.find("IN=")?;
    let rest = message.get(at..)?;
    (rest.contains(" OUT=") && rest.contains(" SRC=")).then_some(at)
}

/// The value of `name`, which includes its `=`, up to the next space. The first wins: an ICMP
/// error quotes the packet that it is about behind its own.
fn value<'l>(rest: &'l str, name: &str) -> Option<&'l str> {
    rest.split(' ').find_map(|part| part.strip_prefix(name))
}

fn ports(fields: &mut Fields<'_>, rest: &str) {
    if let Some(protocol) = value(rest, "PROTO=") {
        match protocol {
            "TCP" => fields.fixed(field::NETWORK_TRANSPORT, "tcp"),
            "UDP" => fields.fixed(field::NETWORK_TRANSPORT, "udp"),
            "ICMP" => fields.fixed(field::NETWORK_TRANSPORT, "icmp"),
            "ICMPv6" => fields.fixed(field::NETWORK_TRANSPORT, "ipv6-icmp"),
            other => fields.text(field::NETWORK_TRANSPORT, other),
        }
    }
    for (name, id) in [
        ("SPT=", field::SOURCE_PORT),
        ("DPT=", field::DESTINATION_PORT),
        ("LEN=", field::NETWORK_BYTES),
    ] {
        if let Some(number) = value(rest, name).and_then(text::number) {
            fields.integer(id, number);
        }
    }
    // The flags that tell a scan from a connection.
    let flags = ["SYN", "ACK", "FIN", "RST", "PSH", "URG"];
    let set: Vec<vigie_event::Value> = flags
        .into_iter()
        .filter(|flag| rest.split(' ').any(|part| part == *flag))
        .map(vigie_event::Value::Fixed)
        .collect();
    if !set.is_empty()
        && let Some(id) = FieldId::intern("iptables.tcp.flags")
    {
        fields.value(id, vigie_event::Value::List(set.into()));
    }
}

/// Interfaces, hardware addresses and, from them, the direction.
fn interfaces(fields: &mut Fields<'_>, rest: &str) {
    let (inward, outward) = (value(rest, "IN=").unwrap_or(""), value(rest, "OUT=").unwrap_or(""));
    text::some_text(fields, field::OBSERVER_INGRESS_INTERFACE_NAME, inward);
    text::some_text(fields, field::OBSERVER_EGRESS_INTERFACE_NAME, outward);
    match (inward.is_empty(), outward.is_empty()) {
        (false, true) => fields.fixed(field::NETWORK_DIRECTION, "inbound"),
        (true, false) => fields.fixed(field::NETWORK_DIRECTION, "outbound"),
        _ => {}
    }
    // Destination, source, type: six, six and two bytes.
    if let Some(mac) = value(rest, "MAC=")
        && mac.len() >= 35
    {
        text::some_text(fields, field::DESTINATION_MAC, mac.get(..17).unwrap_or_default());
        text::some_text(fields, field::SOURCE_MAC, mac.get(18..35).unwrap_or_default());
    }
}

/// `[50028442.088484] ` in front is the kernel's uptime.
fn without_uptime(prefix: &str) -> &str {
    match prefix.trim_start().strip_prefix('[').and_then(|rest| text::split(rest, b']')) {
        Some((uptime, rest))
            if !uptime.is_empty()
                && uptime.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b' ')) =>
        {
            rest
        }
        _ => prefix,
    }
}

/// What the rule's prefix, which the administrator wrote, says of the packet.
fn verdict(prefix: &str) -> (&'static str, &'static str) {
    let has = |words: &[&str]| {
        words.iter().any(|word| {
            prefix.as_bytes().windows(word.len()).any(|w| w.eq_ignore_ascii_case(word.as_bytes()))
        })
    };
    if has(&["block", "drop", "deny", "denied", "reject", "invalid"]) {
        return ("blocked", "denied");
    }
    if has(&["allow", "accept", "pass"]) {
        return ("allowed", "allowed");
    }
    ("logged", "connection")
}
