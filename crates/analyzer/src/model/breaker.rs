//! Leaving a dead server alone.

use vigie_event::Timestamp;

/// Failures in a row that open it.
const FAILURES: u32 = 3;
/// Seconds that it stays open the first time; doubled each time after, up to the longest.
const FIRST_S: i64 = 15;
const LONGEST_S: i64 = 600;

/// Opens after some failures in a row. Once its time is over, one try may go through; if that fails
/// too, it opens for twice as long.
#[derive(Clone, Copy, Debug, Default)]
pub struct Breaker {
    failures: u32,
    opened: u32,
    until: Option<Timestamp>,
}

impl Breaker {
    /// Until when nothing is to be sent; `None` while it is closed or a try may go through.
    pub fn open_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.until.filter(|until| *until > now)
    }

    /// Whether the last thing known is that the server is dead.
    pub const fn is_open(&self) -> bool {
        self.until.is_some()
    }

    /// The server answered.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// The server did not answer.
    pub fn failed(&mut self, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        if self.failures >= FAILURES || self.is_open() {
            let seconds = FIRST_S.saturating_mul(1 << self.opened.min(10)).min(LONGEST_S);
            self.opened = self.opened.saturating_add(1);
            self.until = Some(now.plus_seconds(seconds));
        }
    }
}
