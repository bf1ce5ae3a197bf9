//! What a field holds.

use std::borrow::Cow;
use std::fmt::Write;
use std::net::IpAddr;

use compact_str::CompactString;
use serde::{Serialize, Serializer};

/// The value in a slot of an event. Text is a span of the event's text wherever it stands there.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Text that stands in the event's text: its first byte and its length.
    Span(u32, u32),
    /// Text known to the parser.
    Fixed(&'static str),
    /// Text that had to be made, such as an unescaped JSON string.
    Made(Box<str>),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// True or false.
    Boolean(bool),
    /// An IP address; never an IPv4 address mapped into IPv6.
    Address(IpAddr),
    /// Several values; members are never lists.
    List(Box<[Value]>),
    /// A field that is present without a value.
    Null,
}

impl Value {
    /// Resolves spans against the text that they were cut from.
    #[inline]
    pub fn resolve<'e>(&'e self, text: &'e str) -> ValueRef<'e> {
        match self {
            Self::Span(start, length) => {
                let start = *start as usize;
                ValueRef::Text(text.get(start..start + *length as usize).unwrap_or_default())
            }
            Self::Fixed(fixed) => ValueRef::Text(fixed),
            Self::Made(made) => ValueRef::Text(made),
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Float(number) => ValueRef::Float(*number),
            Self::Boolean(truth) => ValueRef::Boolean(*truth),
            Self::Address(address) => ValueRef::Address(*address),
            Self::List(members) => ValueRef::List(ListRef::new(members, text)),
            Self::Null => ValueRef::Null,
        }
    }
}

/// A value with its text at hand.
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'e> {
    /// Text.
    Text(&'e str),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// True or false.
    Boolean(bool),
    /// An IP address.
    Address(IpAddr),
    /// Several values.
    List(ListRef<'e>),
    /// Present without a value.
    Null,
}

impl<'e> ValueRef<'e> {
    /// The value as text: as it stands where it is text, rendered where it is a number or an
    /// address, members joined with a comma and a space in a list, empty for null.
    pub fn to_text(self) -> Cow<'e, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            Self::Integer(number) => Cow::Owned(number.to_string()),
            Self::Float(number) => Cow::Owned(number.to_string()),
            Self::Boolean(truth) => Cow::Borrowed(if truth { "true" } else { "false" }),
            Self::Address(address) => Cow::Owned(address_text(address).into()),
            Self::List(list) => {
                let members: Vec<_> = list.iter().map(ValueRef::to_text).collect();
                Cow::Owned(members.join(", "))
            }
            Self::Null => Cow::Borrowed(""),
        }
    }
}

/// Adds an address to `text` as its `Display` does, several times faster: nearly every event has one.
#[inline]
pub fn push_address(text: &mut impl Write, address: IpAddr) {
    /// The longest of version 4.
    const BYTES: usize = 15;
    let v4 = match address {
        IpAddr::V4(v4) => v4,
        IpAddr::V6(v6) => {
            // Writing to text never fails.
            let _ = write!(text, "{v6}");
            return;
        }
    };
    let (mut bytes, mut length) = ([0; BYTES], 0);
    let mut push = |byte: u8| {
        if let Some(place) = bytes.get_mut(length) {
            *place = byte;
            length += 1;
        }
    };
    for (place, octet) in v4.octets().into_iter().enumerate() {
        if place > 0 {
            push(b'.');
        }
        if octet >= 100 {
            push(b'0' + octet / 100);
        }
        if octet >= 10 {
            push(b'0' + octet / 10 % 10);
        }
        push(b'0' + octet % 10);
    }
    let written = bytes.get(..length).and_then(|bytes| std::str::from_utf8(bytes).ok());
    let _ = text.write_str(written.unwrap_or_default());
}

/// An address as text, as [`push_address`] writes it.
pub fn address_text(address: IpAddr) -> CompactString {
    let mut text = CompactString::default();
    push_address(&mut text, address);
    text
}

impl Serialize for ValueRef<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Integer(number) => serializer.serialize_i64(number),
            Self::Float(number) => serializer.serialize_f64(number),
            Self::Boolean(truth) => serializer.serialize_bool(truth),
            Self::Address(address) => address.serialize(serializer),
            Self::List(list) => serializer.collect_seq(list.iter()),
            Self::Null => serializer.serialize_unit(),
        }
    }
}

/// The members of a list, with their text at hand.
#[derive(Clone, Copy, Debug)]
pub struct ListRef<'e> {
    members: &'e [Value],
    text: &'e str,
}

impl<'e> ListRef<'e> {
    pub(crate) fn new(members: &'e [Value], text: &'e str) -> Self {
        Self { members, text }
    }

    /// The members in order.
    pub fn iter(self) -> impl Iterator<Item = ValueRef<'e>> {
        self.members.iter().map(move |member| member.resolve(self.text))
    }

    /// How many there are.
    pub fn len(self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    pub fn is_empty(self) -> bool {
        self.members.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_written_as_everywhere() {
        let v4 = [0, 1, u32::MAX, 0x0A63_6409, 0x0964_0AC8];
        let v6 = ["::1", "2001:db8::7", "::ffff:192.0.2.1"].map(|text| text.parse().unwrap());
        for address in v4.into_iter().map(|bits| IpAddr::V4(bits.into())).chain(v6) {
            assert_eq!(address_text(address), address.to_string());
        }
    }
}
