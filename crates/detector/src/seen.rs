//! Which events rules matched lately, so that none counts twice.
//!
//! Delivery is at least once, and a log that is written again from its beginning gives its events
//! again, with the same ids. Windows and alerts remember only their newest events; this remembers
//! them all, whosever they are, far enough back for that.

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use vigie_event::{Event, EventId};

/// Ids of a generation. The newest generation and the one before are known: at least so many
/// events, at most twice as many.
const GENERATION: usize = 32_768;
/// Sources of which it is known how far they were read.
const MAX_SOURCES: usize = 1_024;

/// The low 64 bits of the ids, which are those of a hash: among 65,536 events one in 10¹⁴ is
/// mistaken for another.
///
/// An id is a function of source and offset, among other things. So what lies ahead of all that
/// its source gave before is new, and of nearly all events that is known without a look at any
/// table: the ids need only be written down, one behind the other.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    newer: Vec<u64>,
    older: Vec<u64>,
    /// The ids of both, made when an event is looked for: of the newer so many.
    table: FxHashSet<u64>,
    tabled: usize,
    /// By source: the greatest offset of its events.
    reached: FxHashMap<u64, u64>,
    /// Generations that must end before `reached` tells of all events that are known.
    unsure: u8,
}

impl Default for Seen {
    /// With room for all ids that it will ever hold: 0.5 MB, touched one after the other.
    fn default() -> Self {
        Self {
            newer: Vec::with_capacity(GENERATION),
            older: Vec::with_capacity(GENERATION),
            table: FxHashSet::default(),
            tabled: 0,
            reached: FxHashMap::default(),
            unsure: 0,
        }
    }
}

impl Seen {
    /// Takes note of `event`; `false` where it is known already. An event without an id is always
    /// new.
    #[inline(never)]
    pub(crate) fn is_new(&mut self, event: &Event) -> bool {
        let source = event.source.as_ref().map_or(0, |source| source.fingerprint);
        self.note(event.id(), source, event.offset)
    }

    fn note(&mut self, id: EventId, source: u64, offset: u64) -> bool {
        if id == EventId::default() {
            return true;
        }
        let bits = id.as_u128() as u64;
        let ahead = self.reach(source, offset) && self.unsure == 0;
        if !ahead && self.knows(bits) {
            return false;
        }
        self.newer.push(bits);
        if self.newer.len() >= GENERATION {
            std::mem::swap(&mut self.newer, &mut self.older);
            self.newer.clear();
            self.table.clear();
            self.tabled = 0;
            self.unsure = self.unsure.saturating_sub(1);
        }
        true
    }

    /// Whether `offset` lies ahead of all offsets of `source` so far.
    fn reach(&mut self, source: u64, offset: u64) -> bool {
        if let Some(reached) = self.reached.get_mut(&source) {
            let ahead = offset > *reached;
            *reached = offset.max(*reached);
            return ahead;
        }
        if self.reached.len() >= MAX_SOURCES {
            self.reached.clear();
            self.unsure = 2;
        }
        self.reached.insert(source, offset);
        true
    }

    fn knows(&mut self, id: u64) -> bool {
        if self.table.is_empty() {
            self.table.reserve(2 * GENERATION);
            self.table.extend(&self.older);
        }
        self.table.extend(self.newer.iter().skip(self.tabled));
        self.tabled = self.newer.len();
        self.table.contains(&id)
    }

    /// It as plain values, always in the same order.
    pub(crate) fn save(&self) -> SavedSeen {
        let sorted = |ids: &[u64]| {
            let mut ids = ids.to_vec();
            ids.sort_unstable();
            ids
        };
        SavedSeen { newer: sorted(&self.newer), older: sorted(&self.older) }
    }

    /// What [`Seen::save`] wrote: how far the sources were read is not in it.
    pub(crate) fn restore(saved: SavedSeen) -> Self {
        let mut seen = Self { unsure: 2, ..Self::default() };
        seen.newer.extend(saved.newer.into_iter().take(GENERATION - 1));
        seen.older.extend(saved.older.into_iter().take(GENERATION));
        seen
    }
}

/// [`Seen`] as plain values.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct SavedSeen {
    newer: Vec<u64>,
    older: Vec<u64>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The event at an offset of a source.
    fn note(seen: &mut Seen, source: u64, offset: usize) -> bool {
        let id = EventId::from_u128((u128::from(source) << 32) | (offset as u128 + 1));
        seen.note(id, source, offset as u64)
    }

    #[test]
    fn knows_a_generation_at_least_and_two_at_most() {
        let mut seen = Seen::default();
        let total = 3 * GENERATION + 100;
        assert!((0..total).all(|offset| note(&mut seen, 1, offset)));
        let mut again = Seen::restore(seen.save());
        for seen in [&mut seen, &mut again] {
            assert!((total - GENERATION..total).all(|offset| !note(seen, 1, offset)));
            assert!(seen.newer.len() + seen.older.len() <= 2 * GENERATION);
            assert!(note(seen, 1, 0));
        }
    }

    #[test]
    fn a_log_that_is_read_again_tells_nothing_new() {
        let mut seen = Seen::default();
        for offset in 0..1_000 {
            assert!(note(&mut seen, 1, offset));
            assert!(note(&mut seen, 2, 2 * offset));
        }
        let mut again = Seen::restore(seen.save());
        for seen in [&mut seen, &mut again] {
            for offset in 0..2_000 {
                assert_eq!(note(seen, 1, offset), offset >= 1_000, "{offset}");
                assert_eq!(note(seen, 2, offset), offset % 2 == 1, "{offset}");
            }
        }
    }

    #[test]
    fn many_sources_hide_nothing() {
        let mut seen = Seen::default();
        assert!(note(&mut seen, 1, 7) && note(&mut seen, 1, 9));
        for source in 2..2 * MAX_SOURCES as u64 {
            assert!(note(&mut seen, source, 1));
        }
        assert!(seen.reached.len() <= MAX_SOURCES);
        assert!(note(&mut seen, 1, 8));
        assert!(!note(&mut seen, 1, 9));
    }

    #[test]
    fn what_has_no_id_is_new() {
        let mut seen = Seen::default();
        assert!((0..2).all(|_| seen.note(EventId::default(), 0, 0)));
    }
}
