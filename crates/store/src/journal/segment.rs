//! What writer, readers and retention share: the segments that there are.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use vigie_event::{Cursor, Source, Timestamp};

use super::cursors::Cursors;
use super::disk::Disk;
use super::head::{HEAD_BYTES, Head};
use super::{JournalError, JournalOptions, Position};

/// Bytes between two marks of a segment.
const MARK_EVERY: u64 = 1 << 20;
/// Damaged ranges remembered.
const MAX_DAMAGE: usize = 1000;

/// Records that were acknowledged and cannot be read any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// The segment.
    pub path: PathBuf,
    /// Where in it the bad place starts, in bytes.
    pub offset: u64,
    /// The first position lost.
    pub first: Position,
    /// The position after the last one lost.
    pub end: Position,
}

/// What [`Journal::retain`](super::Journal::retain) has dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retained {
    /// Segments dropped.
    pub segments: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Positions that they held.
    pub records: u64,
}

/// One segment file.
pub(super) struct Segment {
    /// Rises with each segment made or opened in this process.
    pub(super) serial: u64,
    pub(super) name: String,
    pub(super) head: Head,
    durable: AtomicU64,
    /// Where some frames start, about every [`MARK_EVERY`] bytes, in order.
    marks: Mutex<Vec<(Position, u64)>>,
}

impl Segment {
    pub(super) fn new(serial: u64, name: String, head: Head, durable: u64) -> Self {
        let durable = AtomicU64::new(durable);
        Self { serial, name, head, durable, marks: Mutex::default() }
    }

    /// Bytes that may be read.
    pub(super) fn durable(&self) -> u64 {
        self.durable.load(Ordering::Acquire)
    }

    pub(super) fn set_durable(&self, bytes: u64) {
        self.durable.store(bytes, Ordering::Release);
    }

    /// Notes that a frame that starts at `position` stands at `offset`.
    pub(super) fn mark(&self, position: Position, offset: u64) {
        let mut marks = lock(&self.marks);
        let last = marks.last().map_or(HEAD_BYTES as u64, |(_, offset)| *offset);
        if offset >= last + MARK_EVERY {
            marks.push((position, offset));
        }
    }

    /// Where to start looking for `position`.
    fn nearest(&self, position: Position) -> u64 {
        let marks = lock(&self.marks);
        let after = marks.partition_point(|(first, _)| *first <= position);
        let mark = after.checked_sub(1).and_then(|index| marks.get(index));
        mark.map_or(HEAD_BYTES as u64, |(_, offset)| *offset)
    }
}

/// The state of a journal.
pub(super) struct Shared {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) options: JournalOptions,
    segments: RwLock<Vec<Arc<Segment>>>,
    end: watch::Sender<Position>,
    cursors: Mutex<Cursors>,
    damage: Mutex<Vec<Damage>>,
    serials: AtomicU64,
}

impl Shared {
    pub(super) fn new(
        disk: Arc<dyn Disk>,
        options: JournalOptions,
        segments: Vec<Arc<Segment>>,
        cursors: Cursors,
        end: Position,
    ) -> Self {
        let serials = segments.last().map_or(0, |last| last.serial + 1);
        Self {
            disk,
            options,
            segments: RwLock::new(segments),
            end: watch::Sender::new(end),
            cursors: Mutex::new(cursors),
            damage: Mutex::default(),
            serials: AtomicU64::new(serials),
        }
    }

    pub(super) fn io_error(
        &self,
        doing: &'static str,
        name: &str,
        error: io::Error,
    ) -> JournalError {
        JournalError::io(doing, self.disk.path(name), error)
    }

    pub(super) fn next_serial(&self) -> u64 {
        self.serials.fetch_add(1, Ordering::Relaxed)
    }

    pub(super) fn end(&self) -> Position {
        *self.end.borrow()
    }

    pub(super) fn watch(&self) -> watch::Receiver<Position> {
        self.end.subscribe()
    }

    pub(super) fn set_end(&self, end: Position) {
        self.end.send_replace(end);
    }

    pub(super) fn start(&self) -> Position {
        self.list().first().map_or_else(|| self.end(), |segment| segment.head.first)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.list().iter().map(|segment| segment.durable()).sum()
    }

    pub(super) fn cursors(&self) -> MutexGuard<'_, Cursors> {
        lock(&self.cursors)
    }

    pub(super) fn cursor_list(&self) -> Vec<(Arc<Source>, Cursor)> {
        self.cursors().list()
    }

    /// Adds the newest segment. One that starts at the same position is replaced by it.
    pub(super) fn add(&self, segment: Arc<Segment>) {
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        segments.retain(|known| known.head.first < segment.head.first);
        segments.push(segment);
    }

    /// The segment that holds `position`, or the oldest where that is later, and where to start
    /// looking in it.
    pub(super) fn locate(&self, position: Position) -> Option<(Arc<Segment>, u64)> {
        let segments = self.list();
        let after = segments.partition_point(|segment| segment.head.first <= position);
        let segment = segments.get(after.saturating_sub(1))?;
        Some((Arc::clone(segment), segment.nearest(position)))
    }

    /// The oldest position of the segment in which records stand that came at `time`.
    pub(super) fn at(&self, time: Timestamp) -> Position {
        let segments = self.list();
        let after = segments.partition_point(|segment| segment.head.created <= time);
        let segment = segments.get(after.saturating_sub(1)).or(segments.first());
        segment.map_or_else(|| self.end(), |segment| segment.head.first)
    }

    /// Leaves out a segment that somebody else has dropped.
    pub(super) fn forget(&self, segment: &Segment) {
        let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
        segments.retain(|known| known.serial != segment.serial);
    }

    /// The segment that follows `segment`.
    pub(super) fn after(&self, segment: &Segment) -> Option<Arc<Segment>> {
        self.list().iter().find(|other| other.serial > segment.serial).cloned()
    }

    pub(super) fn damage(&self) -> Vec<Damage> {
        lock(&self.damage).clone()
    }

    /// Notes damage, once for each place.
    pub(super) fn report(&self, damage: Damage) {
        let mut known = lock(&self.damage);
        let same = |other: &Damage| other.path == damage.path && other.offset == damage.offset;
        if known.len() >= MAX_DAMAGE || known.iter().any(same) {
            return;
        }
        tracing::error!(
            path = %damage.path.display(),
            offset = damage.offset,
            first = damage.first.0,
            end = damage.end.0,
            "journal records are damaged and skipped"
        );
        known.push(damage);
    }

    pub(super) fn retain(
        &self,
        oldest_needed: Position,
        now: Timestamp,
    ) -> Result<Retained, JournalError> {
        let mut retained = Retained::default();
        while let Some((oldest, next)) = self.droppable(oldest_needed, now) {
            self.disk
                .remove(&oldest.name)
                .or_else(|error| match error.kind() {
                    io::ErrorKind::NotFound => Ok(()),
                    _ => Err(error),
                })
                .and_then(|()| self.disk.sync_names())
                .map_err(|error| self.io_error("remove", &oldest.name, error))?;
            let mut segments = self.segments.write().unwrap_or_else(PoisonError::into_inner);
            segments.retain(|segment| segment.serial != oldest.serial);
            retained.segments += 1;
            retained.bytes += oldest.durable();
            retained.records += next.0 - oldest.head.first.0;
        }
        Ok(retained)
    }

    /// The oldest segment with the position after it, where it may and shall go.
    fn droppable(
        &self,
        oldest_needed: Position,
        now: Timestamp,
    ) -> Option<(Arc<Segment>, Position)> {
        let total = self.bytes();
        let segments = self.list();
        let [oldest, next, ..] = segments.as_slice() else {
            return None;
        };
        let options = &self.options;
        let too_many = options.max_bytes.is_some_and(|limit| total > limit);
        // A segment is closed when the next one is made.
        let too_old =
            options.max_age_s.is_some_and(|limit| next.head.created.plus_seconds(limit) < now);
        let unneeded = next.head.first <= oldest_needed && next.head.first <= self.end();
        (unneeded && (too_many || too_old)).then(|| (Arc::clone(oldest), next.head.first))
    }

    fn list(&self) -> std::sync::RwLockReadGuard<'_, Vec<Arc<Segment>>> {
        self.segments.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
