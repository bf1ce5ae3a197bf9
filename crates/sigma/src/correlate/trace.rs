//! Which events does an open alert count already?

use std::collections::VecDeque;

use vigie_event::EventId;

/// Ids that are kept.
const TRACE: usize = 256;
/// Ids for which the room is kept.
const KEPT: usize = 16;
/// Compared together, without a look between them: that takes vector instructions.
const TOGETHER: usize = 16;

/// Ids of the newest events, by which events that arrive twice are known.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Trace {
    /// Shortened: 256 of them mistake one event in 16 million for another.
    ids: VecDeque<u32>,
    /// No event in it is of a later time than this, in milliseconds as ids carry it: most events
    /// are, and need not be looked for.
    newest: u64,
}

impl Trace {
    /// Notes an id; tells whether it is new.
    pub fn remember(&mut self, id: EventId) -> bool {
        if millis(id) <= self.newest && self.knows(short(id)) {
            return false;
        }
        self.push(id);
        true
    }

    /// Forgets all ids but the newest of these, oldest first.
    pub fn begin(&mut self, ids: impl ExactSizeIterator<Item = EventId>) {
        self.clear();
        let older = ids.len().saturating_sub(TRACE);
        ids.skip(older).for_each(|id| self.push(id));
    }

    /// Forgets all ids, and keeps no room for many.
    pub fn empty(&mut self) {
        if self.ids.capacity() > KEPT {
            self.ids = VecDeque::new();
        }
        self.clear();
    }

    /// Forgets all ids.
    pub fn clear(&mut self) {
        self.ids.clear();
        self.newest = 0;
    }

    /// The ids as a snapshot keeps them.
    pub fn shortened(&self) -> impl ExactSizeIterator<Item = u32> {
        self.ids.iter().copied()
    }

    /// What [`Trace::shortened`] gave. The times are not in it, so any event may be.
    pub fn restore(shortened: VecDeque<u32>) -> Self {
        let newest = if shortened.is_empty() { 0 } else { u64::MAX };
        Self { ids: shortened, newest }
    }

    fn push(&mut self, id: EventId) {
        if self.ids.len() >= TRACE {
            self.ids.pop_front();
        }
        self.ids.push_back(short(id));
        self.newest = self.newest.max(millis(id));
    }

    fn knows(&self, short: u32) -> bool {
        let known = |ids: &[u32]| {
            ids.chunks(TOGETHER)
                .any(|some| some.iter().fold(0, |found, id| found | u8::from(*id == short)) > 0)
        };
        let (older, newer) = self.ids.as_slices();
        known(older) || known(newer)
    }
}

fn short(id: EventId) -> u32 {
    id.as_u128() as u32
}

fn millis(id: EventId) -> u64 {
    (id.as_u128() >> 80) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(millis: u64, number: u32) -> EventId {
        EventId::from_u128(u128::from(millis) << 80 | u128::from(number))
    }

    #[test]
    fn no_event_is_new_twice() {
        let mut trace = Trace::default();
        // In any order of times, and many at one time.
        let times = [5, 5, 7, 3, 3, 9, 9, 8];
        let ids: Vec<EventId> =
            (0..).zip(times).map(|(number, millis)| id(millis, number)).collect();
        assert!(ids.iter().all(|id| trace.remember(*id)));
        let mut again = Trace::restore(trace.shortened().collect());
        for trace in [&mut trace, &mut again] {
            assert!(ids.iter().all(|id| !trace.remember(*id)));
            assert!(trace.remember(id(20, 100)));
            assert!(!trace.remember(id(20, 100)));
        }
        trace.begin(ids.iter().copied());
        assert!(trace.remember(id(20, 100)));
        assert!(ids.iter().all(|id| !trace.remember(*id)));
    }

    #[test]
    fn the_newest_are_kept() {
        let mut trace = Trace::default();
        let all: Vec<EventId> = (0..1_000).map(|number| id(u64::from(number), number)).collect();
        assert!(all.iter().all(|id| trace.remember(*id)));
        assert_eq!(trace.shortened().len(), TRACE);
        assert!(all.iter().rev().take(TRACE).all(|id| !trace.remember(*id)));
        assert!(trace.remember(all[0]));
    }
}
