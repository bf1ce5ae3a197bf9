//! Which events rules matched lately, so that none counts twice.
//!
//! Delivery is at least once, and a log that is written again from its beginning gives its events
//! again, with the same ids. Windows and alerts remember only their newest events; this remembers
//! them all, whosever they are, far enough back for that.

use rustc_hash::{FxBuildHasher, FxHashSet};
use serde::{Deserialize, Serialize};
use vigie_event::EventId;

/// Ids of a generation. The newest generation and the one before are known: at least so many
/// events, at most twice as many.
const GENERATION: usize = 32_768;

/// The low 64 bits of the ids, which are those of a hash: among 65,536 events one in 10¹⁴ is
/// mistaken for another.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    newer: FxHashSet<u64>,
    older: FxHashSet<u64>,
}

impl Default for Seen {
    /// With room for all that it will ever hold: 1.2 MB, of which a tenth is touched at once.
    fn default() -> Self {
        let room = || FxHashSet::with_capacity_and_hasher(GENERATION, FxBuildHasher);
        Self { newer: room(), older: room() }
    }
}

impl Seen {
    /// Takes note of an event; `false` where it is known already. An event without an id is
    /// always new.
    pub(crate) fn is_new(&mut self, id: EventId) -> bool {
        if id == EventId::default() {
            return true;
        }
        let bits = id.as_u128() as u64;
        if self.older.contains(&bits) {
            return false;
        }
        let new = self.newer.insert(bits);
        if self.newer.len() >= GENERATION {
            std::mem::swap(&mut self.newer, &mut self.older);
            self.newer.clear();
        }
        new
    }

    /// It as plain values, always in the same order.
    pub(crate) fn save(&self) -> SavedSeen {
        let sorted = |ids: &FxHashSet<u64>| {
            let mut ids: Vec<u64> = ids.iter().copied().collect();
            ids.sort_unstable();
            ids
        };
        SavedSeen { newer: sorted(&self.newer), older: sorted(&self.older) }
    }

    /// What [`Seen::save`] wrote.
    pub(crate) fn restore(saved: SavedSeen) -> Self {
        let mut seen = Self::default();
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

    fn id(number: usize) -> EventId {
        EventId::from_u128(number as u128 + 1)
    }

    #[test]
    fn knows_a_generation_at_least_and_two_at_most() {
        let mut seen = Seen::default();
        let total = 3 * GENERATION + 100;
        assert!((0..total).all(|number| seen.is_new(id(number))));
        let mut again = Seen::restore(seen.save());
        assert!((total - GENERATION..total).all(|number| !again.is_new(id(number))));
        assert!(seen.newer.len() + seen.older.len() <= 2 * GENERATION);
        assert!(seen.is_new(id(0)));
    }

    #[test]
    fn what_has_no_id_is_new() {
        let mut seen = Seen::default();
        assert!(seen.is_new(EventId::default()) && seen.is_new(EventId::default()));
    }
}
