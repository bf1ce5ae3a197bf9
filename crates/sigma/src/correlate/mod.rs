//! Series of events against correlation rules.

use std::fmt;
use std::sync::Arc;

use vigie_event::{Event, EventId, FieldId, Timestamp};

use crate::spec::{Aggregate, Range};
use crate::{RuleIndex, RuleSet};

/// A correlation, compiled.
#[derive(Debug)]
pub(crate) struct Correlation {
    pub rule: RuleIndex,
    pub aggregate: Aggregate,
    /// In nanoseconds.
    pub timespan: i64,
    pub range: Range,
    pub group_by: Box<[FieldId]>,
    /// By input: the place among the selectors of the fields to group by.
    pub groups: Box<[u32]>,
    /// The place among the selectors of the fields whose values are counted.
    pub values: u32,
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
    /// The group's fields with their values, in the order of `group-by`; filled only when raised.
    pub group: Vec<(FieldId, Box<str>)>,
    /// The events counted so far, oldest first, at most 100; filled only when raised.
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
    /// The bytes end too early or contradict themselves.
    #[error("snapshot is damaged at byte {0}")]
    Damaged(usize),
}

/// Correlation windows.
#[derive(Debug)]
pub struct Correlator {
    rules: Arc<RuleSet>,
}

impl Correlator {
    /// A correlator without windows.
    pub fn new(rules: Arc<RuleSet>) -> Self {
        Self { rules }
    }

    /// Feeds an event and the detections that it matched; appends what fired to `fired`.
    pub fn observe(&mut self, event: &Event, matched: &[RuleIndex], fired: &mut Vec<Firing>) {
        let _ = (&self.rules, event, matched, fired);
    }

    /// All windows as bytes: versioned and compact.
    pub fn snapshot(&self) -> Vec<u8> {
        Vec::new()
    }

    /// The windows of a snapshot, for `rules`. Windows of correlations that are gone or changed
    /// are dropped; [`Correlator::dropped`] names these.
    ///
    /// # Errors
    /// The bytes are no snapshot, of another format version, or damaged.
    pub fn restore(rules: Arc<RuleSet>, snapshot: &[u8]) -> Result<Self, SnapshotError> {
        let _ = snapshot;
        Ok(Self::new(rules))
    }

    /// Ids of the correlations whose windows could not be restored.
    pub fn dropped(&self) -> &[String] {
        &[]
    }
}
