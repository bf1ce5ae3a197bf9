//! Identifiers. All are functions of what they name, so a replay makes the same ones.

use std::fmt;
use std::str::FromStr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use uuid::Uuid;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed, xxh3_128_with_seed};

use crate::Timestamp;

/// The 64-bit XXH3 of `bytes`: names sources and rules. Not a cryptographic hash.
pub fn fingerprint(bytes: &[u8]) -> u64 {
    xxh3_64(bytes)
}

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// The 128 bits.
            pub const fn as_u128(self) -> u128 {
                self.0.as_u128()
            }

            /// The identifier with these 128 bits.
            pub const fn from_u128(bits: u128) -> Self {
                Self(Uuid::from_u128(bits))
            }

            /// An identifier made of `time` and of `parts`, in this order; the same input gives
            /// the same identifier. It is a `UUIDv7` (RFC 9562): 48 bits of Unix milliseconds,
            /// then 74 bits of the XXH3 hash of the parts.
            pub fn derive(time: Timestamp, parts: &[&[u8]]) -> Self {
                let mut seed = 0;
                let (last, front) = parts.split_last().unwrap_or((&(&[] as &[u8]), &[]));
                for part in front {
                    seed = xxh3_64_with_seed(part, seed ^ part.len() as u64);
                }
                Self(version_7(time, xxh3_128_with_seed(last, seed)))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    )*};
}

ids! {
    /// Names an [`Event`](crate::Event): a function of event time, source, offset and raw bytes.
    EventId;
    /// Names an [`Alert`](crate::Alert): a function of rule, group, window and first event.
    AlertId;
    /// Names an [`Incident`](crate::Incident): a function of its first alert.
    IncidentId;
    /// Names a [`Decision`](crate::Decision): a function of incident, action, target and policy.
    DecisionId;
}

impl EventId {
    /// The identifier of the event read at `offset` of the source with `source_fingerprint`.
    pub fn of_record(time: Timestamp, source_fingerprint: u64, offset: u64, raw: &[u8]) -> Self {
        let seed = source_fingerprint ^ offset.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        Self(version_7(time, xxh3_128_with_seed(raw, seed)))
    }

    /// The event's time to the millisecond, as the identifier carries it.
    pub fn time(self) -> Timestamp {
        Timestamp::from_nanos(((self.as_u128() >> 80) as i64).saturating_mul(1_000_000))
    }
}

/// The identifier of an event, made where it is first asked for. Whoever makes it makes the same
/// one, so nobody has to wait for another who is at it.
#[derive(Debug, Default)]
pub(crate) struct LateId {
    made: AtomicBool,
    high: AtomicU64,
    low: AtomicU64,
}

impl LateId {
    /// The identifier, by `make` where there is none yet.
    #[inline]
    pub fn get_or_make(&self, make: impl FnOnce() -> EventId) -> EventId {
        self.get().unwrap_or_else(|| {
            let id = make();
            self.high.store((id.as_u128() >> 64) as u64, Ordering::Relaxed);
            self.low.store(id.as_u128() as u64, Ordering::Relaxed);
            self.made.store(true, Ordering::Release);
            id
        })
    }

    #[inline]
    fn get(&self) -> Option<EventId> {
        self.made.load(Ordering::Acquire).then(|| {
            let high = self.high.load(Ordering::Relaxed);
            let low = self.low.load(Ordering::Relaxed);
            EventId::from_u128(u128::from(high) << 64 | u128::from(low))
        })
    }
}

impl From<EventId> for LateId {
    fn from(id: EventId) -> Self {
        let late = Self::default();
        late.get_or_make(|| id);
        late
    }
}

impl Clone for LateId {
    fn clone(&self) -> Self {
        self.get().map(Self::from).unwrap_or_default()
    }
}

/// A `UUIDv7` of the time and the low 74 bits of `hash`.
fn version_7(time: Timestamp, hash: u128) -> Uuid {
    let millis = u128::from(time.millis().max(0) as u64) & 0xFFFF_FFFF_FFFF;
    let high = (hash >> 62) & 0xFFF;
    let low = hash & 0x3FFF_FFFF_FFFF_FFFF;
    Uuid::from_u128(millis << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_id_is_a_uuid_v7_of_its_record() {
        let time = Timestamp::from_seconds(1_700_000_000);
        let id = EventId::of_record(time, 1, 2, b"line");
        assert_eq!(id, EventId::of_record(time, 1, 2, b"line"));
        assert_ne!(id, EventId::of_record(time, 1, 3, b"line"));
        assert_ne!(id, EventId::of_record(time, 2, 2, b"line"));
        assert_eq!(id.time(), time);
        let uuid: Uuid = id.to_string().parse().unwrap();
        assert_eq!(uuid.get_version_num(), 7);
        assert_eq!(uuid.get_variant(), uuid::Variant::RFC4122);
    }

    #[test]
    fn a_late_id_is_made_once() {
        let late = LateId::default();
        assert!(late.clone().get().is_none());
        let id = EventId::from_u128(u128::MAX - 5);
        assert_eq!(late.get_or_make(|| id), id);
        assert_eq!(late.get_or_make(EventId::default), id);
        assert_eq!((late.clone().get(), LateId::from(id).get()), (Some(id), Some(id)));
        // One of nothing but zeros is one.
        assert_eq!(LateId::from(EventId::default()).get_or_make(|| id), EventId::default());
    }

    #[test]
    fn parts_do_not_run_into_each_other() {
        let time = Timestamp::default();
        assert_ne!(AlertId::derive(time, &[b"ab", b"c"]), AlertId::derive(time, &[b"a", b"bc"]));
    }
}
