//! Event time, which does not always go forward.
//!
//! Live logs go forward; a rotated log read after the newer one, or an import beside the live
//! stream, lies behind. What is open is kept while it is near either place, so that reading
//! `auth.log` before `auth.log.1` tears nothing apart.

use serde::{Deserialize, Serialize};
use vigie_event::Timestamp;

const NANOS: i64 = 1_000_000_000;
/// Before every time, and the last.
pub(crate) const NEVER: Timestamp = Timestamp::from_nanos(i64::MIN);
pub(crate) const LAST: Timestamp = Timestamp::from_nanos(i64::MAX);

/// Where the stream of events is in time.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Clocks {
    newest: Timestamp,
    behind: Timestamp,
}

impl Clocks {
    /// Takes note of an event's time; `gap_s` back from the newest counts as behind.
    #[inline]
    pub(crate) fn advance(&mut self, time: Timestamp, gap_s: u32) {
        // Many logs know only seconds.
        if time == self.newest {
            return;
        }
        let time = to_micros(time);
        if time >= self.newest {
            self.newest = time;
        } else if self.newest.since(time) > i64::from(gap_s) * NANOS {
            self.behind = time;
        }
    }

    /// The newest event's time.
    pub(crate) fn newest(&self) -> Timestamp {
        self.newest
    }

    /// Where what lasted from `first` to `last` may still go on after a pause of `gap_s`: the time of
    /// the newest event until which it may, whatever comes.
    pub(crate) fn keep(&self, first: Timestamp, last: Timestamp, gap_s: u64) -> Option<Timestamp> {
        let goes_on =
            within(self.newest, first, last, gap_s) || within(self.behind, first, last, gap_s);
        goes_on.then(|| last.plus_seconds(i64::try_from(gap_s).unwrap_or(i64::MAX)))
    }
}

/// Whether `time` lies between `first` and `last`, or within `gap_s` of them.
pub(crate) fn within(time: Timestamp, first: Timestamp, last: Timestamp, gap_s: u64) -> bool {
    let gap = i64::try_from(gap_s).unwrap_or(i64::MAX).saturating_mul(NANOS);
    time.since(last) <= gap && first.since(time) <= gap
}

/// The time to the microsecond, as everything written out carries it: what is kept and what is
/// read back are then the same.
pub(crate) fn to_micros(time: Timestamp) -> Timestamp {
    Timestamp::from_nanos(time.nanos().div_euclid(1_000) * 1_000)
}

/// `kept`, or `time` to the microsecond where it is before. `kept` is whole, so that most times,
/// which are not, need not be divided.
pub(crate) fn earlier(kept: Timestamp, time: Timestamp) -> Timestamp {
    if time < kept { to_micros(time) } else { kept }
}

/// `kept`, or `time` to the microsecond where it is after.
pub(crate) fn later(kept: Timestamp, time: Timestamp) -> Timestamp {
    if time > kept { to_micros(time) } else { kept }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(1_700_000_000 + seconds)
    }

    #[test]
    fn keeps_what_is_near_either_place() {
        let mut clocks = Clocks::default();
        clocks.advance(at(100_000), 60);
        clocks.advance(at(99_990), 60);
        clocks.advance(at(0), 60);
        for (first, last, kept) in [
            (100_000, 100_000, true),
            (99_000, 99_940, true),
            (99_000, 99_939, false),
            (50, 50, true),
            (-61, -61, false),
            (50_000, 50_000, false),
        ] {
            assert_eq!(clocks.keep(at(first), at(last), 60).is_some(), kept, "{first}..{last}");
        }
    }
}
