//! Lines → batches: when is a batch full, and when is it due?

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vigie_event::{Batch, Cursor, Record, Source, Timestamp};

/// Records in a batch at most.
pub(crate) const MAX_RECORDS: usize = 1_000;
/// Bytes of a batch's records at most, unless it is one record alone.
pub(crate) const MAX_BYTES: usize = 256 * 1024;
/// How long after its first record a batch is sent at latest.
pub(crate) const MAX_WAIT: Duration = Duration::from_millis(10);

/// Gathers records of one place into batches.
#[derive(Debug, Default)]
pub(crate) struct Batcher {
    open: Option<(Batch, usize, Instant)>,
    ready: VecDeque<Batch>,
    last_closed: Option<Instant>,
}

impl Batcher {
    /// Adds a record; `cursor` points after it.
    pub fn push(
        &mut self,
        source: &Arc<Source>,
        offset: u64,
        observed: Timestamp,
        bytes: &[u8],
        cursor: Option<Cursor>,
    ) {
        let fits = self.open.as_ref().is_none_or(|(batch, size, _)| {
            Arc::ptr_eq(&batch.source, source) && size + bytes.len() <= MAX_BYTES
        });
        if !fits {
            self.close();
        }
        let (batch, size, _) = self.open.get_or_insert_with(|| {
            let batch = Batch { source: Arc::clone(source), cursor: None, records: Vec::new() };
            (batch, 0, Instant::now())
        });
        *size += bytes.len();
        batch.cursor = cursor;
        batch.records.push(Record {
            source: Arc::clone(source),
            offset,
            observed,
            bytes: bytes.to_vec(),
        });
        if batch.records.len() >= MAX_RECORDS || *size >= MAX_BYTES {
            self.close();
        }
    }

    /// Makes what has been gathered ready, if it is due: its time has come, or nothing was made
    /// ready lately, so that a single line need not wait for others.
    pub fn close_due(&mut self, now: Instant) {
        let Some((_, _, first)) = &self.open else { return };
        let calm =
            self.last_closed.is_none_or(|last| now.saturating_duration_since(last) >= MAX_WAIT);
        if calm || now >= *first + MAX_WAIT {
            self.close();
        }
    }

    /// When [`Batcher::close_due`] must be called at latest.
    pub fn deadline(&self) -> Option<Instant> {
        self.open.as_ref().map(|(_, _, first)| *first + MAX_WAIT)
    }

    /// Makes what has been gathered ready at once.
    pub fn close(&mut self) {
        if let Some((batch, ..)) = self.open.take() {
            self.last_closed = Some(Instant::now());
            self.ready.push_back(batch);
        }
    }

    /// The next batch to send.
    pub fn next_ready(&mut self) -> Option<Batch> {
        self.ready.pop_front()
    }
}

#[cfg(test)]
mod tests {
    use vigie_event::SourceKind;

    use super::*;

    fn push(batcher: &mut Batcher, source: &Arc<Source>, number: u64, bytes: &[u8]) {
        let cursor = Some(Cursor::Sequence { number });
        batcher.push(source, number, Timestamp::default(), bytes, cursor);
    }

    #[test]
    fn bounds_batches_by_count_and_size_and_source() {
        let one = Source::named(SourceKind::Stdin, "one", None);
        let two = Source::named(SourceKind::Stdin, "two", None);
        let mut batcher = Batcher::default();
        for number in 0..1_500 {
            push(&mut batcher, &one, number, b"line");
        }
        push(&mut batcher, &two, 0, &vec![0; MAX_BYTES / 2]);
        push(&mut batcher, &two, 1, &vec![0; MAX_BYTES / 2 + 1]);
        push(&mut batcher, &two, 2, &vec![0; MAX_BYTES * 3]);
        batcher.close();
        let shapes: Vec<_> = std::iter::from_fn(|| batcher.next_ready())
            .map(|batch| {
                assert_eq!(
                    batch.cursor,
                    batch.records.last().map(|last| Cursor::Sequence { number: last.offset })
                );
                (batch.source.name.clone(), batch.records.len())
            })
            .collect();
        let expected = [("one", 1_000), ("one", 500), ("two", 1), ("two", 1), ("two", 1)];
        assert_eq!(shapes, expected.map(|(name, count)| (name.to_owned(), count)));
    }

    #[test]
    fn sends_a_lone_line_at_once_and_gathers_in_a_rush() {
        let source = Source::named(SourceKind::Stdin, "one", None);
        let mut batcher = Batcher::default();
        push(&mut batcher, &source, 0, b"line");
        batcher.close_due(Instant::now());
        assert!(batcher.next_ready().is_some());

        push(&mut batcher, &source, 1, b"line");
        let deadline = batcher.deadline().unwrap();
        batcher.close_due(deadline.checked_sub(MAX_WAIT).unwrap());
        assert!(batcher.next_ready().is_none());
        batcher.close_due(deadline);
        assert!(batcher.next_ready().is_some());
    }
}
