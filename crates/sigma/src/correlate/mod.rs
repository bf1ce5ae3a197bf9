//! Series of events against correlation rules.

mod cell;
mod chains;
mod clocks;
mod codec;
mod correlator;
mod ghosts;
mod group;
mod measure;
mod overdue;
mod pool;
mod snapshot;
mod trace;
mod window;

use std::fmt;

use vigie_event::{CompactString, EventId, FieldId, Timestamp};

use crate::RuleIndex;
use crate::spec::{Aggregate, Range};

pub use correlator::Correlator;

/// How much later than newer events of its source an event may come and still be counted in the
/// right window, in nanoseconds: 30 s.
const LATENESS: i64 = 30_000_000_000;

/// A correlation, compiled.
#[derive(Debug)]
pub(crate) struct Correlation {
    pub rule: RuleIndex,
    pub aggregate: Aggregate,
    /// How many inputs.
    pub inputs: usize,
    /// In nanoseconds.
    pub timespan: i64,
    pub range: Range,
    pub group_by: Box<[FieldId]>,
}

/// Names a correlation's alert: a hash of rule id, group values and the first counted event's
/// id, so it is the same after a restart and in every replay.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WindowKey(pub u64);

impl fmt::Display for WindowKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// A correlation's condition became true for a group (`raised`), or one more event was counted
/// while its alert is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firing {
    /// The correlation.
    pub rule: RuleIndex,
    /// The alert that this raises or makes grow.
    pub window: WindowKey,
    /// Whether it is new.
    pub raised: bool,
    /// Whether it is about what did *not* come (`absence`): the event at hand only told that it
    /// is late by now, and has nothing to do with it.
    pub overdue: bool,
    /// The group's fields with their values, in the order of `group-by`; filled only when raised.
    pub group: Vec<(FieldId, CompactString)>,
    /// The events counted so far, oldest first, at most 100; filled only when raised. Of several
    /// events with one value (`value_count`), or of one input (`temporal`), the last one; of an
    /// absence the last event that came.
    pub events: Vec<EventId>,
    /// Time of the first event counted.
    pub first: Timestamp,
    /// Time of the last event counted.
    pub last: Timestamp,
    /// Events counted since the alert's first one, each with its `repeat`.
    pub count: u64,
}

/// A snapshot could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SnapshotError {
    /// The bytes are no snapshot of correlation windows.
    #[error("not a snapshot of correlation windows")]
    NotASnapshot,
    /// Written by another version of the format.
    #[error("snapshot format {0} is not known")]
    Version(u8),
    /// The bytes end too early or contradict themselves, near this offset.
    #[error("snapshot is damaged near byte {0}")]
    Damaged(usize),
}
