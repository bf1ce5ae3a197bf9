//! Values at stable small indices, until they have ended.

use std::ops::Range;

use vigie_event::Timestamp;

use crate::clocks::{LAST, NEVER};

/// A vector whose freed places are used again.
#[derive(Debug)]
pub(crate) struct Slab<T> {
    places: Vec<Option<T>>,
    /// For each place, the event time until which what stands there goes on: so that most of it
    /// need not be looked at to find what has ended.
    until: Vec<Timestamp>,
    free: Vec<u32>,
}

impl<T> Default for Slab<T> {
    fn default() -> Self {
        Self { places: Vec::new(), until: Vec::new(), free: Vec::new() }
    }
}

impl<T> Slab<T> {
    pub(crate) fn insert(&mut self, value: T) -> u32 {
        if let Some(place) = self.free.pop()
            && let Some(slot) = self.places.get_mut(place as usize)
        {
            *slot = Some(value);
            self.wake(place);
            return place;
        }
        self.places.push(Some(value));
        self.until.push(NEVER);
        (self.places.len() - 1) as u32
    }

    pub(crate) fn remove(&mut self, place: u32) -> Option<T> {
        let value = self.places.get_mut(place as usize)?.take()?;
        self.free.push(place);
        if let Some(until) = self.until.get_mut(place as usize) {
            *until = LAST;
        }
        Some(value)
    }

    /// What has ended: where `goes_on` says of a value until which time it does, it is not asked of
    /// it again before `now` is later, unless it is woken.
    pub(crate) fn ended(
        &mut self,
        now: Timestamp,
        goes_on: impl Fn(&T) -> Option<Timestamp>,
    ) -> Vec<u32> {
        let mut ended = Vec::new();
        for (place, (value, until)) in self.places.iter().zip(&mut self.until).enumerate() {
            if now <= *until {
                continue;
            }
            match value.as_ref().map(&goes_on) {
                Some(Some(time)) => *until = time,
                Some(None) => ended.push(place as u32),
                None => {}
            }
        }
        ended
    }

    /// Lets the value at `place` be asked next time whether it goes on.
    pub(crate) fn wake(&mut self, place: u32) {
        if let Some(until) = self.until.get_mut(place as usize) {
            *until = NEVER;
        }
    }

    pub(crate) fn get(&self, place: u32) -> Option<&T> {
        self.places.get(place as usize)?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, place: u32) -> Option<&mut T> {
        self.places.get_mut(place as usize)?.as_mut()
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len() - self.free.len()
    }

    /// All places, those where nothing stands too.
    pub(crate) fn places(&self) -> Range<u32> {
        0..self.places.len() as u32
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        self.places
            .iter()
            .enumerate()
            .filter_map(|(place, value)| Some((place as u32, value.as_ref()?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_used_again() {
        let mut slab = Slab::default();
        let (a, b) = (slab.insert('a'), slab.insert('b'));
        assert_eq!(slab.remove(a), Some('a'));
        assert_eq!(slab.remove(a), None);
        assert_eq!(slab.insert('c'), a);
        assert_eq!(slab.len(), 2);
        assert_eq!(slab.iter().map(|(_, value)| *value).collect::<String>(), "cb");
        assert_eq!(slab.get(b), Some(&'b'));
    }

    #[test]
    fn what_goes_on_is_not_asked_before_its_time() {
        let at = Timestamp::from_seconds;
        let mut slab = Slab::default();
        let [a, b, c] = [5, 50, 7].map(|until| slab.insert(at(until)));
        let ended = |slab: &mut Slab<Timestamp>, now| {
            let asked = std::cell::RefCell::new(Vec::new());
            let ended = slab.ended(at(now), |until| {
                asked.borrow_mut().push(until.seconds());
                Some(*until).filter(|until| at(now) <= *until)
            });
            (ended, asked.into_inner())
        };
        assert_eq!(ended(&mut slab, 5), (vec![], vec![5, 50, 7]));
        assert_eq!(ended(&mut slab, 5), (vec![], vec![]));
        assert_eq!(ended(&mut slab, 6), (vec![a], vec![5]));
        // Until it is taken away.
        assert_eq!(ended(&mut slab, 6), (vec![a], vec![5]));
        slab.remove(a);
        assert_eq!(ended(&mut slab, 7), (vec![], vec![]));
        slab.wake(b);
        assert_eq!(ended(&mut slab, 7), (vec![], vec![50]));
        // Who takes a place is asked, whatever held for the last there.
        slab.remove(b);
        assert_eq!(slab.insert(at(9)), b);
        assert_eq!(ended(&mut slab, 10), (vec![b, c], vec![9, 7]));
    }
}
