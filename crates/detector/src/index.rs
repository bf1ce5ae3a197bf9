//! By which keys incidents are found.

use rustc_hash::FxHashMap;

use crate::facts::Key;

/// The place of the newest incident of a key, and that of what lies behind in time.
pub(crate) const NEWEST: u8 = 0;
/// See [`NEWEST`].
pub(crate) const BEHIND: u8 = 1;

/// The slots of incidents by their keys, two at most of each: one a lane.
#[derive(Debug, Default)]
pub(crate) struct Index(FxHashMap<Key, [Option<u32>; 2]>);

impl Index {
    /// The slots under `key`, the newest one's first.
    pub(crate) fn slots(&self, key: &Key) -> impl Iterator<Item = u32> {
        self.0.get(key).into_iter().flatten().flatten().copied()
    }

    /// The slot under `key` in `lane`.
    pub(crate) fn get(&self, key: &Key, lane: u8) -> Option<u32> {
        *self.0.get(key)?.get(usize::from(lane))?
    }

    /// Lets the incident at `slot` be found under `key` in `lane`.
    pub(crate) fn set(&mut self, key: Key, lane: u8, slot: u32) {
        if let Some(place) = self.0.entry(key).or_default().get_mut(usize::from(lane)) {
            *place = Some(slot);
        }
    }

    /// Lets nothing be found under `key` in `lane`, where that is the incident at `slot`.
    pub(crate) fn unset(&mut self, key: &Key, lane: u8, slot: u32) {
        let Some(lanes) = self.0.get_mut(key) else { return };
        if let Some(place) = lanes.get_mut(usize::from(lane))
            && *place == Some(slot)
        {
            *place = None;
            if lanes.iter().all(Option::is_none) {
                self.0.remove(key);
            }
        }
    }

    /// All keys with their lanes and slots, in no order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&Key, u8, u32)> {
        self.0.iter().flat_map(|(key, lanes)| {
            (NEWEST..).zip(lanes).filter_map(move |(lane, slot)| Some((key, lane, (*slot)?)))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_has_two_lanes_and_goes_with_the_last() {
        let mut index = Index::default();
        let (key, other) = (Key::Host("web-1".into()), Key::Host("web-2".into()));
        index.set(key.clone(), BEHIND, 5);
        index.set(key.clone(), NEWEST, 7);
        assert_eq!(index.slots(&key).collect::<Vec<_>>(), [7, 5]);
        assert_eq!(index.slots(&other).count(), 0);
        // Another's place is left to it.
        index.unset(&key, NEWEST, 5);
        assert_eq!(index.get(&key, NEWEST), Some(7));
        index.unset(&key, NEWEST, 7);
        assert_eq!(index.iter().collect::<Vec<_>>(), [(&key, BEHIND, 5)]);
        index.unset(&key, BEHIND, 5);
        assert_eq!(index.iter().count(), 0);
        assert!(index.0.is_empty());
        // No snapshot puts it beyond them.
        index.set(key.clone(), 9, 1);
        assert_eq!(index.get(&key, 9), None);
    }
}
