//! Instants.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::civil::date_of;

const NANOS: i64 = 1_000_000_000;

/// An instant in UTC: nanoseconds since 1970-01-01T00:00:00Z, so from 1677 to 2262.
///
/// Serialises as RFC 3339 text with microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant that many nanoseconds after the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// The instant that many whole seconds after the epoch; saturates outside 1677–2262.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(NANOS))
    }

    /// Nanoseconds since the epoch.
    pub const fn nanos(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since the epoch, rounded down.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000_000)
    }

    /// Whole seconds since the epoch, rounded down.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(NANOS)
    }

    /// The instant `seconds` later (earlier when negative).
    #[must_use]
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(NANOS)))
    }

    /// The instant `nanos` later (earlier when negative).
    #[must_use]
    pub const fn plus_nanos(self, nanos: i64) -> Self {
        Self(self.0.saturating_add(nanos))
    }

    /// Nanoseconds from `earlier` to `self`; negative when `earlier` is later.
    pub const fn since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// Reads RFC 3339 text such as `2026-01-05T10:12:13.123456Z`.
    ///
    /// # Errors
    /// The text is not an RFC 3339 instant or lies outside 1677–2262.
    pub fn parse(text: &str) -> Result<Self, jiff::Error> {
        let instant: jiff::Timestamp = text.parse()?;
        Ok(instant.into())
    }
}

impl From<jiff::Timestamp> for Timestamp {
    fn from(instant: jiff::Timestamp) -> Self {
        let nanos = instant.as_nanosecond();
        Self(i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }))
    }
}

impl From<Timestamp> for jiff::Timestamp {
    fn from(time: Timestamp) -> Self {
        jiff::Timestamp::from_nanosecond(i128::from(time.0)).unwrap_or_default()
    }
}

/// A time as text, such as `2026-01-05T10:12:13.123456Z`: the years from 1677 to 2262 have four
/// digits.
struct Text([u8; 27]);

impl Text {
    fn of(time: Timestamp) -> Self {
        let (seconds, micros) = (time.seconds(), time.0.rem_euclid(NANOS) as u32 / 1_000);
        let (year, month, day) = date_of(seconds.div_euclid(86_400));
        let year = year as u32;
        let second = seconds.rem_euclid(86_400) as u32;
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        for (place, number) in [
            (0, year / 100),
            (2, year % 100),
            (5, month),
            (8, day),
            (11, second / 3_600),
            (14, second / 60 % 60),
            (17, second % 60),
            (20, micros / 10_000),
            (22, micros / 100 % 100),
            (24, micros % 100),
        ] {
            if let Some(target) = text.get_mut(place..).and_then(|rest| rest.first_chunk_mut()) {
                *target = digits(number);
            }
        }
        Self(text)
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

/// The two digits of a number below 100.
const fn digits(number: u32) -> [u8; 2] {
    [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8]
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(Text::of(*self).as_str())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(Text::of(*self).as_str())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trips_through_text() {
        let time = Timestamp::parse("2026-01-05T10:12:13.123456Z").unwrap();
        assert_eq!(time.to_string(), "2026-01-05T10:12:13.123456Z");
        assert_eq!(time.seconds(), 1_767_607_933);
        assert_eq!(time.plus_seconds(60).since(time), 60 * NANOS);
    }

    #[test]
    fn is_written_as_jiff_writes_it() {
        let days = (-106_750..106_750).map(|day| day * 86_400 * NANOS + day * 1_000_003);
        for nanos in days.chain([i64::MIN, -1, 0, 999, NANOS - 1, i64::MAX]) {
            let time = Timestamp::from_nanos(nanos);
            let instant: jiff::Timestamp = time.into();
            assert_eq!(time.to_string(), format!("{instant:.6}"), "{nanos}");
        }
    }

    #[test]
    fn refuses_what_is_no_instant() {
        assert!(Timestamp::parse("yesterday").is_err());
    }
}
