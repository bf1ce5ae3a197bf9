//! The journal: raw records in the order in which they came, durable before they are
//! acknowledged.
//!
//! # Layout
//!
//! One folder; in it `lock` (held while the journal is open, with the process id) and segment
//! files named by the position of their first record in 16 hexadecimal digits, such as
//! `00000000000186a0.segment`. A segment is written as `….new`, made durable and only then given
//! its name, so a named segment always has a durable head. All numbers are little-endian.
//!
//! A segment starts with a head of 1,024 bytes: two copies, in sectors of their own, of
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0, 512 | 8 | magic `VGJOURNL` |
//! | 8 | 4 | format version, 1 |
//! | 12 | 4 | salt: starts every frame's checksum, so that a log line cannot pass for a frame |
//! | 16 | 8 | position of the first record |
//! | 24 | 8 | creation, nanoseconds since 1970 |
//! | 32 | 4 | CRC-32 of the 32 bytes before |
//!
//! Then frames follow without gaps:
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 4 | magic `VJB1` |
//! | 4 | 4 | bytes of the body as stored |
//! | 8 | 8 | position of the frame's first record |
//! | 16 | 4 | records |
//! | 20 | 4 | bytes of the body before compression |
//! | 24 | 1 | flags: 1 = body is zstd, 2 = body is a table of cursors, 4 = all before it was durable when it was written |
//! | 25 | 3 | zero |
//! | 28 | 4 | CRC-32 (salted) of the body as stored |
//! | 32 | 4 | CRC-32 (salted) of the 32 bytes before |
//!
//! A batch's body is: source (length, JSON), cursor (length, JSON; length 0: none), then each
//! record: offset and observed time as differences to the record before, length, bytes. Lengths
//! are LEB128 numbers, differences are zigzag LEB128. A table of cursors is the JSON list of
//! `[source, cursor]`; every segment starts with one, so the last segment alone tells how far
//! each source has been read, and old segments can be dropped.
//!
//! # Rules
//!
//! - A position is the number of records before it. Positions are never given twice.
//! - A segment's content ends where the next segment begins, whatever stands behind: so a tail
//!   that could not be made durable, nor cut, is harmless once a new segment has been started.
//! - A group of batches is written at once behind what is durable and made durable with one
//!   `fdatasync`. After a failed one the segment is cut back and never written again: the kernel
//!   may have dropped the pages that it could not write, and will not say so twice.
//! - On open, what stands behind the first bad frame of the last segment is a torn tail, unless a
//!   later frame has flag 4: then the bad frame had been durable and has rotted.

mod cursors;
mod disk;
mod error;
mod frame;
mod head;
mod options;
mod reader;
mod recover;
mod scan;
mod segment;
#[cfg(test)]
mod simulated;
#[cfg(test)]
mod tests;
mod walk;
mod writer;

use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use serde::{Deserialize, Serialize};
use tokio::sync::{Semaphore, mpsc, oneshot, watch};
use vigie_event::{Batch, Cursor, Source, Timestamp};

pub use error::JournalError;
pub use options::{Compression, JournalOptions};
pub use reader::{BatchView, JournalReader, StoredBatch};
pub use recover::{Cut, Recovery};
pub use segment::{Damage, Retained};

use disk::{Disk, RealDisk};
use segment::Shared;
use writer::{Request, Writer};

/// Bytes of records that wait for the writer at most; further appends wait for room.
const QUEUED_KIB: usize = 16 * 1024;
/// Batches that wait for the writer at most.
const QUEUED_BATCHES: usize = 1024;

/// A place in the journal: the number of records before it, so the index of the record that
/// follows. Positions are never given twice.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Position(pub u64);

impl Position {
    /// The position `records` further on.
    #[must_use]
    pub const fn plus(self, records: u64) -> Self {
        Self(self.0.saturating_add(records))
    }
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Append-only, durable, with one writer and many readers. Clones are handles of one journal; it
/// is closed when the last of them is dropped.
#[derive(Clone)]
pub struct Journal {
    inner: Arc<Inner>,
}

struct Inner {
    shared: Arc<Shared>,
    room: Arc<Semaphore>,
    queue: Option<mpsc::Sender<Request>>,
    writer: Mutex<Option<JoinHandle<()>>>,
    /// Keeps other processes out; let go after the writer has ended.
    _lock: Option<File>,
}

impl Journal {
    /// Opens the journal in `dir`, which is made when it does not exist. Tells what a crash or a
    /// bad disk has left behind; torn tails are cut. Blocks while the last segment is read.
    ///
    /// # Errors
    /// Another process has it open, a newer version wrote it, or the disk fails.
    pub fn open(dir: &Path, options: JournalOptions) -> Result<(Self, Recovery), JournalError> {
        let (disk, lock) = RealDisk::open(dir)?;
        Self::open_on(Arc::new(disk), Some(lock), options)
    }

    /// Opens the journal in `dir` for reading what is in it now, also while another process has
    /// it open: nothing is locked, made, cut or moved. Appending to it is an error.
    ///
    /// # Errors
    /// There is no journal, a newer version wrote it, or the disk fails.
    pub fn view(dir: &Path) -> Result<Self, JournalError> {
        let shared = Arc::new(recover::view(Arc::new(RealDisk::view(dir)?))?);
        let inner = Inner {
            shared,
            room: Arc::new(Semaphore::new(QUEUED_KIB)),
            queue: None,
            writer: Mutex::new(None),
            _lock: None,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    fn open_on(
        disk: Arc<dyn Disk>,
        lock: Option<File>,
        options: JournalOptions,
    ) -> Result<(Self, Recovery), JournalError> {
        let (shared, active, recovery) = recover::open(disk, options)?;
        let shared = Arc::new(shared);
        let (queue, requests) = mpsc::channel(QUEUED_BATCHES);
        let writer = Writer::new(Arc::clone(&shared), active);
        let thread = std::thread::Builder::new()
            .name("journal-writer".to_owned())
            .spawn(move || writer.run(requests))
            .map_err(|error| shared.io_error("start the writer of", "", error))?;
        let inner = Inner {
            shared,
            room: Arc::new(Semaphore::new(QUEUED_KIB)),
            queue: Some(queue),
            writer: Mutex::new(Some(thread)),
            _lock: lock,
        };
        Ok((Self { inner: Arc::new(inner) }, recovery))
    }

    /// Appends `batch`. It is durable (group commit, `fdatasync`) when the future resolves to the
    /// position after it. When the future is dropped early the batch may be kept or not.
    ///
    /// # Errors
    /// The batch is not in the journal: the disk is full or has reached its reserve, the disk
    /// failed, or the batch is over [`JournalOptions::max_batch_bytes`]. The journal goes on;
    /// the same batch can be appended again.
    pub async fn append(&self, batch: Batch) -> Result<Position, JournalError> {
        let inner = &self.inner;
        let bytes: usize = batch.records.iter().map(|record| record.bytes.len() + 16).sum();
        let permits = u32::try_from(bytes.div_ceil(1024).clamp(1, QUEUED_KIB)).unwrap_or(1);
        let room = Arc::clone(&inner.room).acquire_many_owned(permits).await;
        let (Ok(room), Some(queue)) = (room, &inner.queue) else {
            return Err(JournalError::Closed);
        };
        let (done, outcome) = oneshot::channel();
        let request = Request { batch, bytes, done, _room: room };
        queue.send(request).await.map_err(|_| JournalError::Closed)?;
        outcome.await.map_err(|_| JournalError::Closed)?
    }

    /// The durable end: the position that the next record gets.
    pub fn end(&self) -> Position {
        self.inner.shared.end()
    }

    /// The oldest position that is kept.
    pub fn start(&self) -> Position {
        self.inner.shared.start()
    }

    /// Follows the durable end.
    pub fn watch(&self) -> watch::Receiver<Position> {
        self.inner.shared.watch()
    }

    /// A reader that starts with the record at `from`, or with the oldest kept where that is
    /// later.
    pub fn reader(&self, from: Position) -> JournalReader {
        let is_view = self.inner.queue.is_none();
        JournalReader::new(Arc::clone(&self.inner.shared), from, is_view)
    }

    /// A position before which no record came at `time` or later, by the clock of this machine:
    /// at most a segment too early.
    pub fn at(&self, time: Timestamp) -> Position {
        self.inner.shared.at(time)
    }

    /// How far each source has been read: the last cursor of each source (and, of files, of each
    /// device and inode), oldest change first. At most 4,096; those not heard of for longest are
    /// forgotten first.
    pub fn cursors(&self) -> Vec<(Arc<Source>, Cursor)> {
        self.inner.shared.cursor_list()
    }

    /// Drops the oldest segments while the journal is larger than
    /// [`JournalOptions::max_bytes`] or they ended longer than [`JournalOptions::max_age_s`]
    /// before `now`; never one with a record at or after `oldest_needed`, and never the last.
    /// Blocks while files are removed.
    ///
    /// # Errors
    /// A file cannot be removed; those before it are gone.
    pub fn retain(
        &self,
        oldest_needed: Position,
        now: Timestamp,
    ) -> Result<Retained, JournalError> {
        self.inner.shared.retain(oldest_needed, now)
    }

    /// Damaged ranges met so far, on open and by readers: at most the first 1,000.
    pub fn damage(&self) -> Vec<Damage> {
        self.inner.shared.damage()
    }

    /// Bytes that the segments take on disk.
    pub fn bytes(&self) -> u64 {
        self.inner.shared.bytes()
    }
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("start", &self.start()).field("end", &self.end()).finish()
    }
}

impl Drop for Inner {
    /// Waits until the writer has finished what was queued, so that the lock is free afterwards.
    fn drop(&mut self) {
        self.queue = None;
        let writer = self.writer.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer
            && writer.join().is_err()
        {
            tracing::error!("the journal's writer ended abnormally");
        }
    }
}
