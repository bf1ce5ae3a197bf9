//! Small pieces of text reading that the parsers share.

mod search;

pub use search::*;

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
    let (mut octets, mut rest) = (0, bytes);
    for dots in 0..4 {
        let octet;
        (octet, rest) = self::octet(rest)?;
        octets = octets << 8 | octet;
        rest = match rest {
            [] if dots == 3 => return Some(Ipv4Addr::from_bits(octets)),
            [b'.', rest @ ..] => rest,
            _ => return None,
        };
    }
    None
}

/// The number 0–255 at the start of `bytes`, and what follows its digits.
#[inline]
fn octet(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let digit = |byte: u8| Some(u32::from(byte.wrapping_sub(b'0'))).filter(|digit| *digit < 10);
    let (first, rest) = bytes.split_first()?;
    let first = digit(*first)?;
    let Some((second, after)) = rest.split_first() else { return Some((first, rest)) };
    let Some(second) = digit(*second) else { return Some((first, rest)) };
    if first == 0 {
        return None;
    }
    let number = first * 10 + second;
    let Some((third, last)) = after.split_first() else { return Some((number, after)) };
    let Some(third) = digit(*third) else { return Some((number, after)) };
    let number = number * 10 + third;
    (number < 256).then_some((number, last))
}

/// The address and port that `text` is: `192.0.2.1:80`, `[2001:db8::1]:80`, or an address alone.
pub fn socket(text: &str) -> Option<(IpAddr, Option<u16>)> {
    if let Some(address) = address(text) {
        return Some((address, None));
    }
    let (host, port) = text.rsplit_once(':')?;
    Some((address(host)?, Some(port.parse().ok()?)))
}

/// The number that `text` is, digits only, at most 18 of them.
#[inline]
pub fn number(text: &str) -> Option<i64> {
    if text.len() < 8 {
        let mut value = 0;
        for byte in text.bytes() {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            value = value * 10 + u32::from(digit);
        }
        return (!text.is_empty()).then_some(value.into());
    }
    let (number, digits) = leading_number(text.as_bytes())?;
    (digits == text.len()).then_some(number)
}

/// The number of 1–18 digits at the start of `bytes`, and how many digits there are. `None` also
/// for more digits.
#[inline]
pub fn leading_number(bytes: &[u8]) -> Option<(i64, usize)> {
    if let Some(eight) = bytes.first_chunk() {
        let (number, digits) = up_to_eight(u64::from_le_bytes(*eight));
        if digits < 8 {
            return (digits > 0).then_some((number, digits));
        }
    }
    long_number(bytes)
}

/// The number that the lowest bytes of `eight` make as far as they are digits, and how many are:
/// neighbours are added up to pairs, pairs to fours, fours to eight.
#[inline]
fn up_to_eight(eight: u64) -> (i64, usize) {
    let values = eight ^ (ONES * u64::from(b'0'));
    // The high bit is set where a byte is over 9, at least in the lowest such byte.
    let others = (values.wrapping_add(ONES * (127 - 9)) | values) & HIGHS;
    let digits = others.trailing_zeros() as usize / 8;
    if digits == 0 {
        return (0, 0);
    }
    let values = values << (64 - digits * 8);
    let pairs = (values.wrapping_mul(10) + (values >> 8)) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs.wrapping_mul(100) + (pairs >> 16)) & 0x0000_FFFF_0000_FFFF;
    let number = (fours.wrapping_mul(10_000) + (fours >> 32)) & 0xFFFF_FFFF;
    (number as i64, digits)
}

fn long_number(bytes: &[u8]) -> Option<(i64, usize)> {
    let mut value = 0_i64;
    for (count, byte) in bytes.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return (count > 0).then_some((value, count));
        }
        if count == 18 {
            return None;
        }
        value = value * 10 + i64::from(digit);
    }
    (!bytes.is_empty()).then_some((value, bytes.len()))
}

/// The port that `text` is.
pub fn port(text: &str) -> Option<u16> {
    number(text).and_then(|port| u16::try_from(port).ok())
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;

/// `text` without spaces at its end.
#[inline]
pub fn trimmed_end(text: &str) -> &str {
    match text.as_bytes().last() {
        Some(last) if last.is_ascii_graphic() => text,
        _ => text.trim_end(),
    }
}

/// `text` without spaces at its start and end.
#[inline]
pub fn trimmed(text: &str) -> &str {
    trimmed_start(trimmed_end(text))
}

/// `text` without spaces at its start.
#[inline]
pub fn trimmed_start(text: &str) -> &str {
    let text = unindented(text);
    match text.as_bytes().first() {
        Some(first) if first.is_ascii_graphic() => text,
        _ => text.trim_start(),
    }
}

/// `text` without spaces in front.
#[inline]
pub fn unindented(text: &str) -> &str {
    let spaces = text.bytes().take_while(|byte| *byte == b' ').count();
    text.get(spaces..).unwrap_or_default()
}

/// The first word and what follows it after one or more spaces.
#[inline]
pub fn word(text: &str) -> (&str, &str) {
    split(text, b' ').map_or((text, ""), |(word, rest)| (word, unindented(rest)))
}

/// What stands between `before` and `after`, both searched from the left.
pub fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let (_, rest) = split_at(text, before)?;
    split_at(rest, after).map(|(inside, _)| inside)
}

/// What stands in single quotes at the start of `text`, and what follows. The closing quote is
/// the first one: account tools quote names that cannot hold quotes.
pub fn quoted(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix('\'')?.split_once('\'')
}

/// The address read last, which lines in a row often share.
#[derive(Debug)]
pub struct LastAddress {
    text: String,
    address: IpAddr,
}

impl Default for LastAddress {
    fn default() -> Self {
        Self { text: String::new(), address: Ipv4Addr::UNSPECIFIED.into() }
    }
}

impl LastAddress {
    /// The address that `text` is, in full.
    #[inline]
    pub fn read(&mut self, text: &str) -> Option<IpAddr> {
        if text.is_empty() || self.text != text {
            self.address = address(text)?;
            self.text.clear();
            self.text.push_str(text);
        }
        Some(self.address)
    }
}

/// Adds where somebody comes from: `source.ip` where `host` is an address, else
/// `source.address`, and `source.domain` where it looks like a name of the DNS.
#[inline]
pub fn source(fields: &mut Fields<'_>, host: &str) -> bool {
    if let Some(address) = address(host) {
        fields.address(field::SOURCE_IP, address);
        return true;
    }
    named_source(fields, host)
}

/// The same of what is no address.
pub fn named_source(fields: &mut Fields<'_>, host: &str) -> bool {
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
#[inline]
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
            "192.0.2.10.",
            "192.0.2.1000",
            "192.0.2.00",
            "192.0.2.199x",
            "192.0.2.:",
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
    fn the_last_address_is_what_its_text_says() {
        let mut last = LastAddress::default();
        for text in ["", "0.0.0.0", "192.0.2.1", "192.0.2.1", "x", "192.0.2.1", "2001:db8::1"] {
            assert_eq!(last.read(text), address(text), "{text}");
        }
    }

    #[test]
    fn reads_numbers_of_every_length() {
        for length in 1..=18_usize {
            let digits = &"987654321098765432"[..length];
            assert_eq!(number(digits), digits.parse().ok());
            let zeros = format!("{:0>length$}", 7);
            assert_eq!(number(&zeros), Some(7));
            for end in 0..=255_u8 {
                let bytes = [digits.as_bytes(), &[end], b"\x00 after it all"].concat();
                if !end.is_ascii_digit() {
                    let expected = (digits.parse().unwrap(), length);
                    assert_eq!(leading_number(&bytes), Some(expected), "{bytes:?}");
                }
            }
        }
        for text in ["", " 1", "1 ", "-1", "+1", "1234567890123456789", "12345678x", "/", ":"] {
            assert_eq!(number(text), None, "{text}");
        }
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
