//! Days: their folders, what times they hold, and their readers.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use tantivy::directory::MmapDirectory;
use tantivy::{Index, IndexBuilder, IndexReader, ReloadPolicy, Searcher, TantivyError};
use vigie_event::Timestamp;

use super::IndexError;
use super::schema::EventSchema;
use crate::journal::Position;

const SECONDS_A_DAY: i64 = 86_400;
/// Readers kept open; a reader maps files and costs little, but not nothing.
const MAX_READERS: usize = 32;
/// Blocks of stored events that a reader keeps unpacked.
const CACHED_BLOCKS: usize = 4;

/// A UTC day: days since 1970-01-01.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Day(pub(super) i64);

impl Day {
    pub(super) fn of(time: Timestamp) -> Self {
        Self(time.seconds().div_euclid(SECONDS_A_DAY))
    }

    /// The folder's name, such as `2026-11-21`.
    pub(super) fn name(self) -> String {
        let start = Timestamp::from_seconds(self.0.saturating_mul(SECONDS_A_DAY));
        let instant: jiff::Timestamp = start.into();
        instant.to_zoned(jiff::tz::TimeZone::UTC).date().to_string()
    }

    pub(super) fn parse(name: &str) -> Option<Self> {
        let date: Date = name.parse().ok()?;
        let start = date.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
        let day = Self(start.as_second().div_euclid(SECONDS_A_DAY));
        (day.name() == name).then_some(day)
    }
}

/// The earliest and the latest event time in a day's index, in nanoseconds. Beyond the day itself
/// where events of far-off times were put into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Span {
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Span {
    pub(super) const EMPTY: Self = Self { from: i64::MAX, to: i64::MIN };

    pub(super) fn add(&mut self, time: Timestamp) {
        self.from = self.from.min(time.nanos());
        self.to = self.to.max(time.nanos());
    }

    /// Whether all of it lies between `from` and before `to`.
    pub(super) fn is_within(&self, from: i64, to: i64) -> bool {
        self.from >= from && self.to < to
    }
}

/// What is written with a day's commit.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Payload {
    pub(super) epoch: u64,
    pub(super) position: Position,
    #[serde(flatten)]
    pub(super) span: Span,
}

/// The days that there are.
pub(super) struct Days {
    dir: PathBuf,
    pub(super) schema: EventSchema,
    known: RwLock<BTreeMap<Day, Span>>,
    /// Last used last.
    readers: Mutex<Vec<(Day, IndexReader)>>,
}

impl Days {
    pub(super) fn new(dir: PathBuf) -> Self {
        let schema = EventSchema::new();
        Self { dir, schema, known: RwLock::default(), readers: Mutex::default() }
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn path(&self, day: Day) -> PathBuf {
        self.dir.join(day.name())
    }

    pub(super) fn error(&self, day: Day, error: TantivyError) -> IndexError {
        IndexError::Day { path: self.path(day), error: Arc::new(error) }
    }

    /// Opens a day's index, or makes it.
    pub(super) fn open_or_create(&self, day: Day) -> tantivy::Result<Index> {
        let directory = MmapDirectory::open(self.path(day))?;
        let mut index = IndexBuilder::new()
            .schema(self.schema.schema.clone())
            .settings(EventSchema::settings())
            .open_or_create(directory)?;
        EventSchema::register(&mut index);
        Ok(index)
    }

    /// The committed state of a day.
    pub(super) fn searcher(&self, day: Day) -> Result<Searcher, IndexError> {
        let mut readers = self.readers();
        if let Some(index) = readers.iter().position(|(known, _)| *known == day) {
            let entry = readers.remove(index);
            let searcher = entry.1.searcher();
            readers.push(entry);
            return Ok(searcher);
        }
        let open = || -> tantivy::Result<IndexReader> {
            let index = Index::open(MmapDirectory::open(self.path(day))?)?;
            index
                .reader_builder()
                .reload_policy(ReloadPolicy::Manual)
                .doc_store_cache_num_blocks(CACHED_BLOCKS)
                .try_into()
        };
        let reader = open().map_err(|error| self.error(day, error))?;
        let searcher = reader.searcher();
        if readers.len() >= MAX_READERS {
            readers.remove(0);
        }
        readers.push((day, reader));
        Ok(searcher)
    }

    /// Days with events from `from` on and before `to`, the latest first.
    pub(super) fn between(&self, from: i64, to: i64) -> Vec<(Day, Span)> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut days: Vec<_> = known
            .iter()
            .filter(|(_, span)| span.to >= from && span.from < to)
            .map(|(day, span)| (*day, *span))
            .collect();
        days.sort_by_key(|(day, span)| std::cmp::Reverse((span.to, *day)));
        days
    }

    pub(super) fn knows(&self, day: Day) -> bool {
        self.known.read().unwrap_or_else(PoisonError::into_inner).contains_key(&day)
    }

    pub(super) fn span(&self, day: Day) -> Span {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(&day).copied().unwrap_or(Span::EMPTY)
    }

    pub(super) fn count(&self) -> usize {
        self.known.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(super) fn list(&self) -> Vec<Day> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.keys().copied().collect()
    }

    /// Shows what has been committed to `day`.
    pub(super) fn show(&self, day: Day, span: Span) -> Result<(), IndexError> {
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(day, span);
        let readers = self.readers();
        match readers.iter().find(|(known, _)| *known == day) {
            Some((_, reader)) => reader.reload().map_err(|error| self.error(day, error)),
            None => Ok(()),
        }
    }

    /// Hides a day that is going to be dropped.
    pub(super) fn hide(&self, day: Day) {
        self.known.write().unwrap_or_else(PoisonError::into_inner).remove(&day);
        self.readers().retain(|(known, _)| *known != day);
    }

    fn readers(&self) -> MutexGuard<'_, Vec<(Day, IndexReader)>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_named_by_their_date() {
        for (time, name) in [
            ("2026-11-21T23:59:59.999Z", "2026-11-21"),
            ("1970-01-01T00:00:00Z", "1970-01-01"),
            ("1969-12-31T23:59:59Z", "1969-12-31"),
            ("2024-02-29T12:00:00Z", "2024-02-29"),
        ] {
            let day = Day::of(Timestamp::parse(time).unwrap());
            assert_eq!(day.name(), name);
            assert_eq!(Day::parse(name), Some(day));
        }
        for name in ["2026-11-21.dropped", "20261121", "2026-13-01", "lock", "+002026-11-21"] {
            assert_eq!(Day::parse(name), None, "{name}");
        }
    }
}
