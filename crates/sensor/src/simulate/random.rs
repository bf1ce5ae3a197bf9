//! Numbers that look random and are the same for the same seed.

/// `SplitMix64` (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014).
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    /// The numbers of `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` up to but not including `high`; `low` where there is none.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next().checked_rem(high.saturating_sub(low)).unwrap_or(0)
    }

    /// A number from 0 up to but not including 1.
    pub fn fraction(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// One of `choices`; the default where there are none.
    pub fn pick<T: Copy + Default>(&mut self, choices: &[T]) -> T {
        let place = self.between(0, choices.len() as u64) as usize;
        choices.get(place).copied().unwrap_or_default()
    }

    /// Lower-case hexadecimal digits.
    pub fn hex(&mut self, digits: usize) -> String {
        (0..digits)
            .map(|_| char::from_digit((self.next() % 16) as u32, 16).unwrap_or('0'))
            .collect()
    }

    /// A port that clients connect from.
    pub fn client_port(&mut self) -> u64 {
        self.between(32_768, 60_999)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stays_in_its_bounds_and_repeats_itself() {
        let mut random = Random::new(7);
        let mut again = Random::new(7);
        for _ in 0..10_000 {
            let number = random.between(3, 9);
            assert!((3..9).contains(&number));
            assert_eq!(number, again.between(3, 9));
            assert!((0.0..1.0).contains(&random.fraction()));
            again.fraction();
        }
        assert_eq!(random.between(5, 5), 5);
        assert_eq!(random.pick::<u8>(&[]), 0);
    }
}
