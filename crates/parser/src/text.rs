//! Small pieces of text reading that the parsers share.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use vigie_event::{FieldId, Fields, field};

/// The address that `text` is, in full. Accepts brackets around it and a zone behind IPv6.
pub fn address(text: &str) -> Option<IpAddr> {
    if let Some(v4) = ipv4(text.as_bytes()) {
        return Some(IpAddr::V4(v4));
    }
    let brackets = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    if let Some(v4) = brackets.and_then(|text| ipv4(text.as_bytes())) {
        return Some(IpAddr::V4(v4));
    }
    let bare = brackets.unwrap_or(text);
    if bare.len() > 64 || !bare.contains(':') {
        return None;
    }
    let bare = bare.split_once('%').map_or(bare, |(address, _)| address);
    bare.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

/// Dotted decimal without leading zeros, which would be octal to some readers.
fn ipv4(bytes: &[u8]) -> Option<Ipv4Addr> {
    if bytes.len() < 7 || bytes.len() > 15 {
        return None;
    }
    let (mut octets, mut octet, mut digits) = (0_u32, 0_u32, 0_u8);
    let mut dots = 0_u8;
    for &byte in bytes {
        match byte {
            b'0'..=b'9' => {
                if digits > 0 && octet == 0 {
                    return None;
                }
                octet = octet * 10 + u32::from(byte - b'0');
                digits += 1;
                if octet > 255 {
                    return None;
                }
            }
            b'.' if digits > 0 => {
                octets = octets << 8 | octet;
                dots += 1;
                (octet, digits) = (0, 0);
            }
            _ => return None,
        }
    }
    (dots == 3 && digits > 0).then(|| Ipv4Addr::from_bits(octets << 8 | octet))
}

/// The address and port that `text` is: `192.0.2.1:80`, `[2001:db8::1]:80`, or an address alone.
pub fn socket(text: &str) -> Option<(IpAddr, Option<u16>)> {
    if let Some(address) = address(text) {
        return Some((address, None));
    }
    let (host, port) = text.rsplit_once(':')?;
    Some((address(host)?, Some(port.parse().ok()?)))
}

/// The number that `text` is, digits only, at most 19 of them.
pub fn number(text: &str) -> Option<i64> {
    if text.is_empty() || text.len() > 18 {
        return None;
    }
    let mut value = 0_i64;
    for byte in text.bytes() {
        if !byte.is_ascii_digit() {
            return None;
        }
        value = value * 10 + i64::from(byte - b'0');
    }
    Some(value)
}

/// The port that `text` is.
pub fn port(text: &str) -> Option<u16> {
    number(text).and_then(|port| u16::try_from(port).ok())
}

/// Splits at the first `at`, which is an ASCII character. Much cheaper than `str::split_once`,
/// whose searcher costs more than the few bytes that it looks at here.
pub fn split(text: &str, at: u8) -> Option<(&str, &str)> {
    let place = memchr::memchr(at, text.as_bytes())?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

/// Splits at the last `at`, which is an ASCII character.
pub fn rsplit(text: &str, at: u8) -> Option<(&str, &str)> {
    let place = text.as_bytes().iter().rposition(|byte| *byte == at)?;
    Some((text.get(..place)?, text.get(place + 1..)?))
}

/// `text` without spaces in front.
pub fn unindented(text: &str) -> &str {
    let spaces = text.bytes().take_while(|byte| *byte == b' ').count();
    text.get(spaces..).unwrap_or_default()
}

/// The first word and what follows it after one or more spaces.
pub fn word(text: &str) -> (&str, &str) {
    split(text, b' ').map_or((text, ""), |(word, rest)| (word, unindented(rest)))
}

/// What stands between `before` and `after`, both searched from the left.
pub fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(inside, _)| inside)
}

/// What stands in single quotes at the start of `text`, and what follows. The closing quote is
/// the first one: account tools quote names that cannot hold quotes.
pub fn quoted(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('\'')?.split_once('\'')
}

/// Adds where somebody comes from: `source.ip` where `host` is an address, else
/// `source.address`, and `source.domain` where it looks like a name of the DNS.
pub fn source(fields: &mut Fields<'_>, host: &str) -> bool {
    if let Some(address) = address(host) {
        fields.address(field::SOURCE_IP, address);
        return true;
    }
    named_source(fields, host)
}

fn named_source(fields: &mut Fields<'_>, host: &str) -> bool {
    if matches!(host, "" | "-" | "UNKNOWN" | "unknown" | "?" | "(null)") {
        return false;
    }
    fields.text(field::SOURCE_ADDRESS, host);
    let bytes = host.as_bytes();
    let name = bytes.iter().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'));
    if name && bytes.iter().any(u8::is_ascii_alphabetic) {
        fields.text(field::SOURCE_DOMAIN, host);
    }
    true
}

/// Adds text unless it is empty.
pub fn some_text(fields: &mut Fields<'_>, id: FieldId, value: &str) {
    if !value.is_empty() {
        fields.text(id, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_addresses_as_the_standard_library_does() {
        for text in [
            "192.0.2.1",
            "0.0.0.0",
            "255.255.255.255",
            "256.0.0.1",
            "1.2.3",
            "1.2.3.4.5",
            "01.2.3.4",
            "1..2.3",
            "",
            "2001:db8::1",
            "::ffff:192.0.2.1",
            "fe80::1",
            ":::",
            "192.0.2.1 ",
        ] {
            assert_eq!(address(text), text.parse().ok(), "{text}");
        }
        assert_eq!(address("[2001:db8::1]"), address("2001:db8::1"));
        assert_eq!(address("fe80::1%eth0"), address("fe80::1"));
    }

    #[test]
    fn reads_sockets() {
        let v4 = "192.0.2.1".parse().unwrap();
        let v6 = "2001:db8::1".parse().unwrap();
        for (text, expected) in [
            ("192.0.2.1:80", Some((v4, Some(80)))),
            ("192.0.2.1", Some((v4, None))),
            ("[2001:db8::1]:443", Some((v6, Some(443)))),
            ("2001:db8::1", Some((v6, None))),
            ("192.0.2.1:99999", None),
            ("example.com:80", None),
        ] {
            assert_eq!(socket(text), expected, "{text}");
        }
    }
}
