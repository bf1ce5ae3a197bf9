//! Which events rules matched lately, so that none counts twice.
//!
//! Delivery is at least once, and a log that is written again from its beginning gives its events
//! again, with the same ids. Windows and alerts remember only their newest events; this remembers
//! them all, whosever they are, far enough back for that.

use serde::{Deserialize, Serialize};
use vigie_event::EventId;

/// Ids of a generation. The newest generation and the one before are known: at least so many
/// events, at most twice as many.
const GENERATION: usize = 32_768;
/// Places of the table, a power of two: half of them are taken at most.
const PLACES: usize = 4 * GENERATION;
/// A place that none takes.
const NONE: u64 = 0;

/// The low 64 bits of the ids, which are those of a hash: among 65,536 events one in 10¹⁴ is
/// mistaken for another.
///
/// One table with open addressing for both generations, so that an id is one look at one place in
/// memory: hardly any two events in a row are near each other there.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    /// Each id at the place that its lowest bits name or behind it.
    places: Vec<u64>,
    /// Those of the newer generation.
    newer: Vec<u64>,
}

impl Default for Seen {
    /// With room for all that it will ever hold: 1.3 MB, of which a part is touched at once.
    fn default() -> Self {
        Self { places: vec![NONE; PLACES], newer: Vec::with_capacity(GENERATION) }
    }
}

impl Seen {
    /// Takes note of an event; `false` where it is known already. An event without an id is
    /// always new.
    pub(crate) fn is_new(&mut self, id: EventId) -> bool {
        if id == EventId::default() {
            return true;
        }
        let new = self.note(id.as_u128() as u64);
        if self.newer.len() >= GENERATION {
            // The older generation is forgotten; the newer is the older from now on.
            let Self { places, newer } = self;
            places.fill(NONE);
            for id in newer.drain(..) {
                add(places, id);
            }
        }
        new
    }

    /// Puts an id into the newer generation, unless it is known.
    fn note(&mut self, id: u64) -> bool {
        let id = if id == NONE { u64::MAX } else { id };
        let new = add(&mut self.places, id);
        if new {
            self.newer.push(id);
        }
        new
    }

    /// It as plain values, always in the same order.
    pub(crate) fn save(&self) -> SavedSeen {
        let mut newer = self.newer.clone();
        newer.sort_unstable();
        let is_older = |id: &u64| *id != NONE && newer.binary_search(id).is_err();
        let mut older: Vec<u64> = self.places.iter().copied().filter(is_older).collect();
        older.sort_unstable();
        SavedSeen { newer, older }
    }

    /// What [`Seen::save`] wrote.
    pub(crate) fn restore(saved: SavedSeen) -> Self {
        let mut seen = Self::default();
        for id in saved.older.into_iter().take(GENERATION) {
            add(&mut seen.places, id);
        }
        for id in saved.newer.into_iter().take(GENERATION - 1) {
            seen.note(id);
        }
        seen
    }
}

/// Puts an id into the table, unless it is there; tells whether it was not. There is always room.
fn add(places: &mut [u64], id: u64) -> bool {
    let mut place = id as usize % PLACES;
    while let Some(taken) = places.get_mut(place) {
        if *taken == NONE {
            *taken = id;
            return true;
        }
        if *taken == id {
            return false;
        }
        place = (place + 1) % PLACES;
    }
    false
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
        let held = seen.places.iter().filter(|id| **id != NONE).count();
        assert!((GENERATION..=2 * GENERATION).contains(&held), "{held}");
        assert!(seen.is_new(id(0)));
    }

    #[test]
    fn what_has_no_id_is_new() {
        let mut seen = Seen::default();
        assert!(seen.is_new(EventId::default()) && seen.is_new(EventId::default()));
    }
}
