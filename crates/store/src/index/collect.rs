//! What is gathered from the events that match.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::ColumnValues;
use tantivy::{BitSet, DocAddress, DocId, Score, SegmentOrdinal, SegmentReader};

/// An event's place in the order: time, then tie.
pub(super) type Key = (i64, u64);

type Times = Arc<dyn ColumnValues<i64>>;

fn times(segment: &SegmentReader) -> tantivy::Result<Times> {
    segment.fast_fields().column_first_or_default("time")
}

/// The newest events before a key.
pub(super) struct Newest {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) before: Option<Key>,
    pub(super) limit: usize,
}

/// [`Newest`] of one segment.
pub(super) struct NewestSegment {
    from: i64,
    to: i64,
    before: Option<Key>,
    limit: usize,
    times: Times,
    ties: Arc<dyn ColumnValues<u64>>,
    segment: SegmentOrdinal,
    found: BinaryHeap<Reverse<(Key, DocId)>>,
}

impl Collector for Newest {
    type Fruit = Vec<(Key, DocAddress)>;
    type Child = NewestSegment;

    fn for_segment(
        &self,
        segment: SegmentOrdinal,
        reader: &SegmentReader,
    ) -> tantivy::Result<NewestSegment> {
        Ok(NewestSegment {
            from: self.from,
            to: self.to,
            before: self.before,
            limit: self.limit,
            times: times(reader)?,
            ties: reader.fast_fields().column_first_or_default("tie")?,
            segment,
            found: BinaryHeap::new(),
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, fruits: Vec<Self::Fruit>) -> tantivy::Result<Self::Fruit> {
        let mut found: Vec<_> = fruits.into_iter().flatten().collect();
        found.sort_unstable_by_key(|(key, _)| Reverse(*key));
        found.truncate(self.limit);
        Ok(found)
    }
}

impl SegmentCollector for NewestSegment {
    type Fruit = Vec<(Key, DocAddress)>;

    fn collect(&mut self, doc: DocId, _: Score) {
        let time = self.times.get_val(doc);
        if time < self.from || time >= self.to {
            return;
        }
        let full = self.found.len() >= self.limit;
        // Most events lose by their time alone, which saves looking up the tie.
        if full && self.found.peek().is_some_and(|Reverse(((last, _), _))| time < *last) {
            return;
        }
        let key = (time, self.ties.get_val(doc));
        if self.before.is_some_and(|before| key >= before) {
            return;
        }
        self.found.push(Reverse((key, doc)));
        if full {
            self.found.pop();
        }
    }

    fn harvest(self) -> Self::Fruit {
        let segment = self.segment;
        self.found
            .into_iter()
            .map(|Reverse((key, doc))| (key, DocAddress::new(segment, doc)))
            .collect()
    }
}

/// How many events there are in each of some spans of equal width.
pub(super) struct Buckets {
    pub(super) from: i64,
    pub(super) to: i64,
    /// Nanoseconds, over 0.
    pub(super) width: i64,
    pub(super) count: usize,
}

/// [`Buckets`] of one segment.
pub(super) struct BucketsSegment {
    from: i64,
    to: i64,
    width: i64,
    times: Times,
    counts: Vec<u64>,
}

impl Collector for Buckets {
    type Fruit = Vec<u64>;
    type Child = BucketsSegment;

    fn for_segment(
        &self,
        _: SegmentOrdinal,
        reader: &SegmentReader,
    ) -> tantivy::Result<BucketsSegment> {
        Ok(BucketsSegment {
            from: self.from,
            to: self.to,
            width: self.width,
            times: times(reader)?,
            counts: vec![0; self.count],
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, fruits: Vec<Vec<u64>>) -> tantivy::Result<Vec<u64>> {
        let mut total = vec![0; self.count];
        for counts in fruits {
            total.iter_mut().zip(counts).for_each(|(total, count)| *total += count);
        }
        Ok(total)
    }
}

impl SegmentCollector for BucketsSegment {
    type Fruit = Vec<u64>;

    fn collect(&mut self, doc: DocId, _: Score) {
        let time = self.times.get_val(doc);
        if time < self.from || time >= self.to {
            return;
        }
        let bucket = (i128::from(time) - i128::from(self.from)) / i128::from(self.width);
        if let Some(count) = self.counts.get_mut(bucket as usize) {
            *count += 1;
        }
    }

    fn harvest(self) -> Vec<u64> {
        self.counts
    }
}

/// Which events match, segment by segment.
pub(super) struct Matching {
    pub(super) from: i64,
    pub(super) to: i64,
}

/// [`Matching`] of one segment.
pub(super) struct MatchingSegment {
    from: i64,
    to: i64,
    times: Times,
    segment: SegmentOrdinal,
    matching: BitSet,
}

impl Collector for Matching {
    type Fruit = Vec<(SegmentOrdinal, BitSet)>;
    type Child = MatchingSegment;

    fn for_segment(
        &self,
        segment: SegmentOrdinal,
        reader: &SegmentReader,
    ) -> tantivy::Result<MatchingSegment> {
        Ok(MatchingSegment {
            from: self.from,
            to: self.to,
            times: times(reader)?,
            segment,
            matching: BitSet::with_max_value(reader.max_doc()),
        })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, fruits: Vec<(SegmentOrdinal, BitSet)>) -> tantivy::Result<Self::Fruit> {
        Ok(fruits)
    }
}

impl SegmentCollector for MatchingSegment {
    type Fruit = (SegmentOrdinal, BitSet);

    fn collect(&mut self, doc: DocId, _: Score) {
        let time = self.times.get_val(doc);
        if time >= self.from && time < self.to {
            self.matching.insert(doc);
        }
    }

    fn harvest(self) -> Self::Fruit {
        (self.segment, self.matching)
    }
}
