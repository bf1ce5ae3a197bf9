//! When things happened, in bounded memory.

use std::collections::BTreeMap;

use vigie_event::Timestamp;

/// Buckets kept; beyond it they become twice as wide.
const MAX_BUCKETS: usize = 1_024;

/// Counts by time. Buckets widen as the time that they span grows.
#[derive(Clone, Debug)]
pub struct Histogram {
    width_s: i64,
    /// By number of the bucket since 1970.
    counts: BTreeMap<i64, u64>,
    /// What the bucket that was counted in last has got since, and its number: times come in order,
    /// nearly.
    latest: (i64, u64),
}

impl Default for Histogram {
    /// Buckets of a minute.
    fn default() -> Self {
        Self { width_s: 60, counts: BTreeMap::new(), latest: (0, 0) }
    }
}

impl Histogram {
    /// Counts `number` at `time`.
    pub fn add(&mut self, time: Timestamp, number: u64) {
        let bucket = time.seconds().div_euclid(self.width_s);
        if bucket == self.latest.0 {
            self.latest.1 += number;
            return;
        }
        self.settle();
        // By then the buckets may be wider.
        self.latest = (time.seconds().div_euclid(self.width_s), number);
    }

    /// Puts what the latest bucket has got to the others.
    fn settle(&mut self) {
        let (bucket, number) = std::mem::take(&mut self.latest);
        if number > 0 {
            *self.counts.entry(bucket).or_default() += number;
        }
        while self.counts.len() > MAX_BUCKETS {
            self.widen();
        }
    }

    fn widen(&mut self) {
        self.width_s = self.width_s.saturating_mul(2);
        let mut counts = BTreeMap::new();
        for (bucket, count) in std::mem::take(&mut self.counts) {
            *counts.entry(bucket.div_euclid(2)).or_default() += count;
        }
        self.counts = counts;
    }

    /// Whether nothing was counted.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty() && self.latest.1 == 0
    }

    /// The time from `first` to `last` in `columns` equal parts, with what was counted in each. A
    /// bucket counts where its middle lies.
    pub fn columns(&self, (first, last): (Timestamp, Timestamp), columns: usize) -> Vec<u64> {
        let mut drawn = vec![0; columns.max(1)];
        let first = i128::from(first.seconds());
        let length = (i128::from(last.seconds()) - first + 1).max(1);
        let latest = std::iter::once(self.latest);
        for (bucket, count) in self.counts.iter().map(|(b, n)| (*b, *n)).chain(latest) {
            let middle =
                i128::from(bucket) * i128::from(self.width_s) + i128::from(self.width_s / 2);
            let at =
                ((middle - first) * drawn.len() as i128 / length).clamp(0, drawn.len() as i128 - 1);
            if let Some(column) = drawn.get_mut(at as usize) {
                *column += count;
            }
        }
        drawn
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_seconds(seconds)
    }

    #[test]
    fn nothing_is_lost_by_widening() {
        let mut histogram = Histogram::default();
        for minute in -5_000..5_000 {
            histogram.add(at(minute * 60), 2);
        }
        assert!(histogram.counts.len() <= MAX_BUCKETS);
        let columns = histogram.columns((at(-300_000), at(299_999)), 10);
        assert_eq!(columns.iter().sum::<u64>(), 20_000);
        assert!(columns.iter().all(|count| (1_900..2_100).contains(count)), "{columns:?}");
    }

    #[test]
    fn any_time_has_a_place() {
        let mut histogram = Histogram::default();
        for time in [i64::MIN, -1, 0, i64::MAX] {
            histogram.add(Timestamp::from_nanos(time), 1);
        }
        assert_eq!(histogram.columns((at(0), at(0)), 3).iter().sum::<u64>(), 4);
        assert_eq!(Histogram::default().columns((at(9), at(1)), 0), [0]);
    }
}
