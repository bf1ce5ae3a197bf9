//! Which windows had to give way lately? Only their keys, and only roughly: two Bloom filters,
//! the older of which is forgotten when the newer is full.
//!
//! A slow attack under a flood of invented groups loses its first window before its second event
//! comes. By its ghost the second is known not to be the first of its group, so its window ranks
//! above those of the flood, which are never heard of again.

/// Bits of a filter for each window of the pool.
const BITS_PER_WINDOW: usize = 128;
/// Bits of a filter for each key in it: with four probes one key in 80 is mistaken.
const BITS_PER_KEY: usize = 10;
const PROBES: u32 = 4;

/// Keys of windows that gave way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Ghosts {
    /// The newer and the older filter; empty until the first window gives way.
    pub filters: [Vec<u64>; 2],
    /// Keys in the newer one.
    pub added: u64,
}

impl Ghosts {
    /// Notes a key, in a pool of so many windows.
    pub fn note(&mut self, key: u64, windows: usize) {
        let words = (windows * BITS_PER_WINDOW).next_power_of_two().div_ceil(64).max(1);
        if self.filters[0].len() != words {
            self.filters = [vec![0; words], vec![0; words]];
            self.added = 0;
        }
        if self.added >= (words * 64 / BITS_PER_KEY) as u64 {
            self.filters.swap(0, 1);
            self.filters[0].fill(0);
            self.added = 0;
        }
        self.added += 1;
        let [newer, _] = &mut self.filters;
        for place in places(key, newer.len()) {
            if let Some(word) = newer.get_mut(place / 64) {
                *word |= 1 << (place % 64);
            }
        }
    }

    /// Whether a window of this key gave way lately.
    pub fn knows(&self, key: u64) -> bool {
        self.filters.iter().any(|filter| {
            !filter.is_empty()
                && places(key, filter.len()).all(|place| {
                    filter.get(place / 64).is_some_and(|word| word >> (place % 64) & 1 == 1)
                })
        })
    }
}

/// The bits of a key in a filter of so many words, a power of two.
fn places(key: u64, words: usize) -> impl Iterator<Item = usize> {
    let mask = (words * 64 - 1) as u64;
    let step = (key >> 32 | 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    (0..PROBES).map(move |probe| {
        let mixed = key.wrapping_add(step.wrapping_mul(u64::from(probe)));
        ((mixed ^ mixed >> 29) & mask) as usize
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigie_event::fingerprint;

    #[test]
    fn keys_are_known_until_two_filters_are_full() {
        let key = |n: u64| fingerprint(&n.to_le_bytes());
        let mut ghosts = Ghosts::default();
        assert!(!ghosts.knows(key(0)));
        let full = 1_024 * BITS_PER_WINDOW as u64 / BITS_PER_KEY as u64;
        for n in 0..full {
            ghosts.note(key(n), 1_024);
        }
        assert!((0..full).all(|n| ghosts.knows(key(n))));
        let mistaken = (full..2 * full).filter(|n| ghosts.knows(key(*n))).count() as u64;
        assert!(mistaken < full / 40, "{mistaken} of {full}");
        for n in full..3 * full {
            ghosts.note(key(n), 1_024);
        }
        assert!((2 * full..3 * full).all(|n| ghosts.knows(key(n))));
        let kept = (0..full).filter(|n| ghosts.knows(key(*n))).count() as u64;
        assert!(kept < full / 10, "{kept} of {full}");
    }
}
