//! How much may be asked: tokens a day, questions a minute.

use serde::{Deserialize, Serialize};
use vigie_event::Timestamp;

const DAY_NS: i64 = 86_400_000_000_000;
const MINUTE_NS: i64 = 60_000_000_000;

/// Tokens used in a day (UTC). Kept by whoever wants it to outlive a restart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budget {
    /// Days since 1970.
    day: i64,
    /// Tokens used on it.
    used: u64,
}

impl Budget {
    /// Tokens used today.
    pub const fn used(&self, now: Timestamp) -> u64 {
        if self.day == now.nanos().div_euclid(DAY_NS) { self.used } else { 0 }
    }

    /// Counts `tokens` as used now.
    pub fn spend(&mut self, tokens: u64, now: Timestamp) {
        self.used = self.used(now).saturating_add(tokens);
        self.day = now.nanos().div_euclid(DAY_NS);
    }

    /// Whether less than `most` has been used today; 0 is no limit.
    pub const fn allows(&self, most: u64, now: Timestamp) -> bool {
        most == 0 || self.used(now) < most
    }

    /// When the next day begins.
    pub const fn renewed(now: Timestamp) -> Timestamp {
        Timestamp::from_nanos((now.nanos().div_euclid(DAY_NS) + 1) * DAY_NS)
    }
}

/// Questions spread evenly over time.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    gap_ns: i64,
    next: Timestamp,
}

impl Pace {
    /// At most so many questions a minute; 0 is no limit.
    pub fn per_minute(most: u32) -> Self {
        let gap_ns = MINUTE_NS.checked_div(i64::from(most)).unwrap_or(0);
        Self { gap_ns, next: Timestamp::from_nanos(i64::MIN) }
    }

    /// When the next question may be asked.
    pub const fn next(&self) -> Timestamp {
        self.next
    }

    /// No question before this time.
    pub fn hold(&mut self, not_before: Timestamp) {
        self.next = self.next.max(not_before);
    }

    /// Counts a question asked now.
    pub fn asked(&mut self, now: Timestamp) {
        self.hold(Timestamp::from_nanos(now.nanos().saturating_add(self.gap_ns)));
    }
}
