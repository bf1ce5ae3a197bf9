//! JSON text of findings, byte for byte as `serde_json` writes it, at a fraction of its cost: keys
//! are not searched for what must be escaped, text is searched eight bytes at a time, and all goes
//! straight into one buffer. A scan writes tens of megabytes this way.
//!
//! Most of it are identifiers. `uuid` gives them as their sixteen bytes to who says that he is no
//! human reader, so that is said here, and nothing else may come as bytes.

use std::fmt::{self, Write};

use serde::Serialize;
use serde::ser::{self, Error, Serializer};

/// Adds `object`, one of the views of [`wire`](crate::wire), to `text` as JSON without white
/// space.
///
/// # Errors
/// A map's key is no text, bytes are no identifier, or the object's own serialisation fails;
/// `text` then ends in the middle.
pub fn write(text: &mut Vec<u8>, object: &(impl Serialize + ?Sized)) -> serde_json::Result<()> {
    object.serialize(Json(text))
}

struct Json<'t>(&'t mut Vec<u8>);

/// The members of an array or of an object; `close` ends it.
struct Members<'t> {
    text: &'t mut Vec<u8>,
    first: bool,
    close: &'static [u8],
}

impl<'t> Json<'t> {
    fn open(self, open: u8, close: &'static [u8]) -> Members<'t> {
        self.0.push(open);
        Members { text: self.0, first: true, close }
    }

    /// As `open`, as the only member of an object.
    fn open_variant(self, variant: &str, open: u8, close: &'static [u8]) -> Members<'t> {
        self.0.push(b'{');
        write_key(self.0, variant);
        self.open(open, close)
    }

    /// Fractions are seldom: as `serde_json` has them.
    fn number(self, number: &impl Serialize) -> serde_json::Result<()> {
        serde_json::to_writer(self.0, number)
    }
}

impl Members<'_> {
    #[inline]
    fn part(&mut self) {
        if self.first {
            self.first = false;
        } else {
            self.text.push(b',');
        }
    }

    #[inline]
    fn member(&mut self, value: &(impl Serialize + ?Sized)) -> serde_json::Result<()> {
        self.part();
        write(self.text, value)
    }

    #[inline]
    fn entry(
        &mut self,
        key: &'static str,
        value: &(impl Serialize + ?Sized),
    ) -> serde_json::Result<()> {
        self.part();
        write_key(self.text, key);
        write(self.text, value)
    }

    #[inline]
    fn close(self) {
        self.text.extend_from_slice(self.close);
    }
}

/// A name from the program's own text, which has nothing to escape.
#[inline]
fn write_name(text: &mut Vec<u8>, name: &str) {
    text.push(b'"');
    text.extend_from_slice(name.as_bytes());
    text.push(b'"');
}

#[inline]
fn write_key(text: &mut Vec<u8>, key: &str) {
    write_name(text, key);
    text.push(b':');
}

#[inline]
fn write_str(text: &mut Vec<u8>, value: &str) {
    text.push(b'"');
    write_inside(text, value.as_bytes());
    text.push(b'"');
}

#[inline]
fn write_inside(text: &mut Vec<u8>, bytes: &[u8]) {
    if is_plain(bytes) {
        text.extend_from_slice(bytes);
    } else {
        write_escaped(text, bytes);
    }
}

#[cold]
fn write_escaped(text: &mut Vec<u8>, bytes: &[u8]) {
    for byte in bytes {
        let short = match byte {
            b'"' | b'\\' => *byte,
            b'\n' => b'n',
            b'\r' => b'r',
            b'\t' => b't',
            0x08 => b'b',
            0x0C => b'f',
            0..0x20 => {
                let digit = b"0123456789abcdef".get(usize::from(byte & 15)).copied();
                text.extend_from_slice(if *byte < 16 { b"\\u000" } else { b"\\u001" });
                text.push(digit.unwrap_or(b'0'));
                continue;
            }
            _ => {
                text.push(*byte);
                continue;
            }
        };
        text.extend_from_slice(&[b'\\', short]);
    }
}

/// Whether nothing in `bytes` must be escaped.
#[inline]
fn is_plain(bytes: &[u8]) -> bool {
    // The last eight bytes at once, those searched already among them.
    let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) else {
        return bytes.iter().all(|byte| !matches!(byte, 0..0x20 | b'"' | b'\\'));
    };
    let mut found = marks(*first) | marks(*last);
    if bytes.len() > 16 {
        for word in bytes.as_chunks().0 {
            found |= marks(*word);
        }
    }
    found == 0
}

/// Not zero where one of eight bytes must be escaped: a byte that is below its bound borrows from
/// its highest bit. With its second bit turned, a quotation mark is the one that follows the control
/// characters, which stay what they are.
#[inline]
const fn marks(bytes: [u8; 8]) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let word = u64::from_le_bytes(bytes);
    let control_or_quote = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    (control_or_quote | backslash) & !word & (ONES * 0x80)
}

/// The two hexadecimal digits of each byte.
// What is out of bounds here does not compile.
#[allow(clippy::indexing_slicing)]
const HEXADECIMAL: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < pairs.len() {
        pairs[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    pairs
};

/// Where the digits of each byte of an identifier stand, behind the quotation mark.
const PLACES: [usize; 16] = [1, 3, 5, 7, 10, 12, 15, 17, 20, 22, 25, 27, 29, 31, 33, 35];

/// The 32 digits and four hyphens of RFC 9562.
fn write_id(text: &mut Vec<u8>, bits: u128) {
    let mut id = *b"\"00000000-0000-0000-0000-000000000000\"";
    for (place, byte) in PLACES.iter().zip(&bits.to_be_bytes()) {
        let pair = HEXADECIMAL.get(usize::from(*byte)).copied().unwrap_or_default();
        if let Some(target) = id.get_mut(*place..).and_then(|rest| rest.first_chunk_mut()) {
            *target = pair;
        }
    }
    text.extend_from_slice(&id);
}

/// Escapes what is formatted into it.
struct Escaped<'t>(&'t mut Vec<u8>);

impl Write for Escaped<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        write_inside(self.0, part.as_bytes());
        Ok(())
    }
}

macro_rules! numbers {
    ($($name:ident $kind:ty,)*) => {$(
        fn $name(self, value: $kind) -> serde_json::Result<()> {
            self.0.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
            Ok(())
        }
    )*};
}

impl<'t> Serializer for Json<'t> {
    type Ok = ();
    type Error = serde_json::Error;
    type SerializeSeq = Members<'t>;
    type SerializeTuple = Members<'t>;
    type SerializeTupleStruct = Members<'t>;
    type SerializeTupleVariant = Members<'t>;
    type SerializeMap = Members<'t>;
    type SerializeStruct = Members<'t>;
    type SerializeStructVariant = Members<'t>;

    numbers! {
        serialize_i8 i8, serialize_i16 i16, serialize_i32 i32, serialize_i64 i64,
        serialize_i128 i128, serialize_u8 u8, serialize_u16 u16, serialize_u32 u32,
        serialize_u64 u64, serialize_u128 u128,
    }

    fn serialize_f32(self, value: f32) -> serde_json::Result<()> {
        self.number(&value)
    }

    fn serialize_f64(self, value: f64) -> serde_json::Result<()> {
        self.number(&value)
    }

    fn serialize_bool(self, value: bool) -> serde_json::Result<()> {
        self.0.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_char(self, value: char) -> serde_json::Result<()> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> serde_json::Result<()> {
        write_str(self.0, value);
        Ok(())
    }

    #[inline]
    fn serialize_bytes(self, value: &[u8]) -> serde_json::Result<()> {
        let bits = value.try_into().map_err(|_| serde_json::Error::custom("not an identifier"))?;
        write_id(self.0, u128::from_be_bytes(bits));
        Ok(())
    }

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_none(self) -> serde_json::Result<()> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> serde_json::Result<()> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> serde_json::Result<()> {
        self.0.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> serde_json::Result<()> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> serde_json::Result<()> {
        write_name(self.0, variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> serde_json::Result<()> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> serde_json::Result<()> {
        let mut members = self.open(b'{', b"}");
        members.entry(variant, value)?;
        members.close();
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> serde_json::Result<Members<'t>> {
        Ok(self.open(b'[', b"]"))
    }

    fn serialize_tuple(self, _: usize) -> serde_json::Result<Members<'t>> {
        Ok(self.open(b'[', b"]"))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> serde_json::Result<Members<'t>> {
        Ok(self.open(b'[', b"]"))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> serde_json::Result<Members<'t>> {
        Ok(self.open_variant(variant, b'[', b"]}"))
    }

    fn serialize_map(self, _: Option<usize>) -> serde_json::Result<Members<'t>> {
        Ok(self.open(b'{', b"}"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> serde_json::Result<Members<'t>> {
        Ok(self.open(b'{', b"}"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> serde_json::Result<Members<'t>> {
        Ok(self.open_variant(variant, b'{', b"}}"))
    }

    fn collect_str<T: fmt::Display + ?Sized>(self, value: &T) -> serde_json::Result<()> {
        self.0.push(b'"');
        write!(Escaped(self.0), "{value}").map_err(serde_json::Error::custom)?;
        self.0.push(b'"');
        Ok(())
    }
}

macro_rules! members {
    ($($part:ident $method:ident ($($key:ident)?) $how:ident,)*) => {$(
        impl ser::$part for Members<'_> {
            type Ok = ();
            type Error = serde_json::Error;

            #[inline]
            fn $method<T: Serialize + ?Sized>(
                &mut self,
                $($key: &'static str,)?
                value: &T,
            ) -> serde_json::Result<()> {
                self.$how($($key,)? value)
            }

            #[inline]
            fn end(self) -> serde_json::Result<()> {
                self.close();
                Ok(())
            }
        }
    )*};
}

members! {
    SerializeSeq serialize_element () member,
    SerializeTuple serialize_element () member,
    SerializeTupleStruct serialize_field () member,
    SerializeTupleVariant serialize_field () member,
    SerializeStruct serialize_field (key) entry,
    SerializeStructVariant serialize_field (key) entry,
}

impl ser::SerializeMap for Members<'_> {
    type Ok = ();
    type Error = serde_json::Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> serde_json::Result<()> {
        self.part();
        let start = self.text.len();
        write(self.text, key)?;
        if self.text.get(start) != Some(&b'"') {
            return Err(serde_json::Error::custom("a key must be text"));
        }
        self.text.push(b':');
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> serde_json::Result<()> {
        write(self.text, value)
    }

    fn end(self) -> serde_json::Result<()> {
        self.close();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Serialize;
    use serde_json::json;

    use super::*;

    fn check(object: &(impl Serialize + ?Sized)) {
        let mut text = Vec::new();
        write(&mut text, object).unwrap();
        let expected = serde_json::to_string(object).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }

    #[test]
    fn escapes_at_every_place() {
        for special in (0..0x20).map(char::from).chain(['"', '\\', '\u{7f}', 'é', '\u{2028}', '🦀'])
        {
            for before in 0..36 {
                for after in [0, 1, 7, 8, 9] {
                    check(&format!("{}{special}{}", "x".repeat(before), "é".repeat(after)));
                }
            }
        }
        check("");
    }

    #[test]
    fn every_shape_is_as_serde_json_has_it() {
        #[derive(Serialize)]
        enum Shape {
            Unit,
            New(u8),
            Tuple(i8, f32),
            Named { a: Option<char>, b: () },
        }
        #[derive(Serialize)]
        struct Pair(u64, &'static str);
        #[derive(Serialize)]
        struct Flat<'a> {
            kind: &'static str,
            #[serde(flatten)]
            rest: &'a BTreeMap<String, f64>,
        }
        check(&[Shape::Unit, Shape::New(7), Shape::Tuple(-1, 0.1)]);
        check(&[Shape::Named { a: Some('"'), b: () }, Shape::Named { a: None, b: () }]);
        check(&(true, Pair(u64::MAX, "x"), [0_u8; 0], i64::MIN, f64::NAN, 1e300, 4.0));
        let rest = BTreeMap::from([("a\n".to_owned(), 0.0), ("b".to_owned(), -2.5)]);
        check(&Flat { kind: "stats", rest: &rest });
        check(&json!({"a": [1, -2, 2.5, null, true, "é\"\\"], "": {}, "b": [[], {}]}));
    }

    #[test]
    fn identifiers_are_as_uuid_has_them() {
        let mut bits = 0x0123_4567_89AB_CDEF_FEDC_BA98_7654_3210_u128;
        for _ in 0..1_000 {
            check(&[crate::EventId::from_u128(bits), crate::EventId::default()]);
            bits = bits.rotate_left(7).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        }
    }

    #[test]
    fn a_key_that_is_no_text_is_refused() {
        let numbered = BTreeMap::from([(1, 2)]);
        assert!(write(&mut Vec::new(), &numbered).is_err());
    }
}
