//! Wordings: what the parser has met before, letter for letter.
//!
//! All that two events of one wording tell is the same, but for time, process id and place in the
//! source. So what follows from their kind, dataset, logsources and other fields need not be found
//! twice.

use std::num::NonZeroU64;

use crate::Event;

/// The number of a frame's head and of what is said in it. No two have one number, in a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wording {
    /// Number of the head; equal ones are of one host and one program.
    pub head: u64,
    /// Number of what is said, given out in steps of four: the last two bits say how it ended.
    pub said: NonZeroU64,
}

/// What was found out about wordings met lately. Bounded: a wording has one place, and takes it from
/// another.
#[derive(Clone, Debug)]
pub struct ByWording<T> {
    /// Apart, so that what is not known costs no look at the rest.
    known: Box<[Option<Wording>]>,
    found: Box<[Option<T>]>,
}

impl<T: Copy> ByWording<T> {
    /// Room for so many; a power of two.
    pub fn with_places(places: usize) -> Self {
        let places = places.next_power_of_two();
        Self { known: vec![None; places].into(), found: vec![None; places].into() }
    }

    /// What was found out about the wording of `event`.
    #[inline]
    pub fn get(&self, event: &Event) -> Option<T> {
        let wording = event.wording()?;
        let place = self.place_of(wording);
        if *self.known.get(place)? != Some(wording) {
            return None;
        }
        *self.found.get(place)?
    }

    /// Remembers what was found out about `event`, where that follows from its wording.
    pub fn put(&mut self, event: &Event, found: T) {
        let Some(wording) = event.wording() else { return };
        let place = self.place_of(wording);
        if let (Some(known), Some(kept)) = (self.known.get_mut(place), self.found.get_mut(place)) {
            (*known, *kept) = (Some(wording), Some(found));
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.known.fill(None);
    }

    #[inline]
    fn place_of(&self, Wording { head, said }: Wording) -> usize {
        const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
        let mixed = (said.get() ^ head.rotate_left(20)).wrapping_mul(SPREAD);
        (mixed >> 40) as usize & self.known.len().wrapping_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(head: u64, said: u64) -> Event {
        let mut event = Event::default();
        event.set_wording(NonZeroU64::new(said).map(|said| Wording { head, said }));
        event
    }

    #[test]
    fn remembers_by_the_whole_number_and_without_one_nothing() {
        let mut found = ByWording::with_places(8);
        found.put(&event(0, 0), 1);
        assert_eq!(found.get(&event(0, 0)), None);
        for n in 0..1_000 {
            found.put(&event(n, 4), n);
            assert_eq!(found.get(&event(n, 4)), Some(n));
            assert_eq!(found.get(&event(n, 5)), None);
            assert_eq!(found.get(&event(n + 1, 4)), None);
        }
        found.clear();
        assert_eq!(found.get(&event(999, 4)), None);
    }

    #[test]
    fn an_event_that_is_changed_has_no_wording() {
        let mut event = event(1, 4);
        assert!(event.wording().is_some());
        event.fields_mut().1.fixed(crate::field::USER_NAME, "root");
        assert_eq!(event.wording(), None);
    }
}
