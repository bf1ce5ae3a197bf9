//! How far is each source in time?

use rustc_hash::FxHashMap;

/// Sources of which the time is followed; windows of further ones only give way to others.
const MAX_CLOCKS: usize = 4_096;

/// By source: the time of its newest arrival, in nanoseconds.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    by_source: FxHashMap<u64, i64>,
    /// The source that was set last, which is mostly the next one's too, with its time: the table
    /// learns of it when another follows.
    latest: Option<(u64, i64)>,
}

impl Clocks {
    /// The time of a source.
    #[inline]
    pub fn get(&self, source: u64) -> Option<i64> {
        match self.latest {
            Some((latest, time)) if latest == source => Some(time),
            _ => self.by_source.get(&source).copied(),
        }
    }

    /// Sets the time of a source; gives the one before.
    #[inline]
    pub fn set(&mut self, source: u64, time: i64) -> Option<i64> {
        match &mut self.latest {
            Some((latest, before)) if *latest == source => Some(std::mem::replace(before, time)),
            _ => self.turn_to(source, time),
        }
    }

    fn turn_to(&mut self, source: u64, time: i64) -> Option<i64> {
        if let Some((source, time)) = self.latest.take() {
            self.by_source.insert(source, time);
        }
        let before = self.by_source.get(&source).copied();
        if before.is_none() && self.by_source.len() >= MAX_CLOCKS {
            return None;
        }
        self.by_source.insert(source, time);
        self.latest = Some((source, time));
        before
    }

    /// All of them, by source.
    pub fn sorted(&self) -> Vec<(u64, i64)> {
        let mut all: Vec<(u64, i64)> = self
            .by_source
            .keys()
            .filter_map(|source| Some((*source, self.get(*source)?)))
            .collect();
        all.sort_unstable();
        all
    }
}

impl FromIterator<(u64, i64)> for Clocks {
    fn from_iter<I: IntoIterator<Item = (u64, i64)>>(clocks: I) -> Self {
        Self { by_source: clocks.into_iter().collect(), latest: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_has_its_own_time() {
        let mut clocks: Clocks = [(7, 70)].into_iter().collect();
        assert_eq!(clocks.set(1, 10), None);
        assert_eq!(clocks.set(1, 11), Some(10));
        assert_eq!(clocks.set(7, 71), Some(70));
        assert_eq!(clocks.set(1, 9), Some(11));
        assert_eq!((clocks.get(1), clocks.get(7), clocks.get(2)), (Some(9), Some(71), None));
        assert_eq!(clocks.sorted(), [(1, 9), (7, 71)]);
    }

    #[test]
    fn sources_beyond_the_bound_have_none() {
        let mut clocks = Clocks::default();
        for source in 0..MAX_CLOCKS as u64 + 10 {
            clocks.set(source, 1);
        }
        let last = MAX_CLOCKS as u64 + 9;
        assert_eq!((clocks.get(0), clocks.get(last), clocks.set(last, 2)), (Some(1), None, None));
        assert_eq!(clocks.sorted().len(), MAX_CLOCKS);
    }
}
