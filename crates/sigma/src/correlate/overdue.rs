//! When is what did not come overdue?
//!
//! Time is the events' own, so something must come for it to pass: an event of the source that
//! last fed the group, or, for a group that is fed live, any live event. An old file that is
//! read after a newer one is therefore no absence, and a machine that falls silent is noticed by
//! what the others say.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use rustc_hash::FxHashMap;

/// A group that is waited for. Its time is when it was due at the earliest; it may have been
/// heard of since.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Due {
    pub time: i64,
    pub correlation: u32,
    pub key: u64,
}

/// Groups that are waited for, each once by its source and once more if it is live.
#[derive(Debug, Default)]
pub(super) struct Deadlines {
    by_source: FxHashMap<u64, BinaryHeap<Reverse<Due>>>,
    live: BinaryHeap<Reverse<Due>>,
    len: usize,
}

/// Whose clock may call a group overdue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Watch {
    Source(u64),
    Live,
}

impl Deadlines {
    /// Groups in it, those that are gone included.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Waits for a group.
    pub fn wait(&mut self, watch: Watch, due: Due) {
        self.len += 1;
        match watch {
            Watch::Source(source) => self.by_source.entry(source).or_default(),
            Watch::Live => &mut self.live,
        }
        .push(Reverse(due));
    }

    /// Takes the next group whose time is before `now`.
    pub fn next_before(&mut self, watch: Watch, now: i64) -> Option<Due> {
        let heap = match watch {
            Watch::Source(source) => self.by_source.get_mut(&source)?,
            Watch::Live => &mut self.live,
        };
        if heap.peek()?.0.time >= now {
            return None;
        }
        let due = heap.pop().map(|Reverse(due)| due);
        self.len = self.len.saturating_sub(1);
        if heap.is_empty()
            && let Watch::Source(source) = watch
        {
            self.by_source.remove(&source);
        }
        due
    }
}
