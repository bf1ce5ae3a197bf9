//! The one writer: takes what has queued up, writes it at once, makes it durable, wakes everybody.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};
use vigie_event::Batch;

use super::disk::DiskFile;
use super::frame::{DURABLE_BEFORE, FrameWriter};
use super::head::{HEAD_BYTES, Head, file_name};
use super::recover::check_segment;
use super::segment::{Segment, Shared};
use super::{Compression, JournalError, Position};

/// Bytes of records written at once, unless one batch has more.
const GROUP_BYTES: usize = 4 << 20;
/// With more than this waiting, compression waits for quieter times.
const BUSY_BYTES: usize = 1 << 20;

/// One append.
pub(super) struct Request {
    pub(super) batch: Batch,
    /// Estimated size.
    pub(super) bytes: usize,
    pub(super) done: oneshot::Sender<Result<Position, JournalError>>,
    /// Its share of the memory that may wait.
    pub(super) _room: OwnedSemaphorePermit,
}

/// The segment that is written.
pub(super) struct Active {
    pub(super) segment: Arc<Segment>,
    pub(super) file: Box<dyn DiskFile>,
    /// Its durable bytes.
    pub(super) length: u64,
}

pub(super) struct Writer {
    shared: Arc<Shared>,
    active: Option<Active>,
    end: Position,
    frames: FrameWriter,
}

impl Writer {
    pub(super) fn new(shared: Arc<Shared>, active: Option<Active>) -> Self {
        let end = shared.end();
        Self { shared, active, end, frames: FrameWriter::new() }
    }

    /// Works until all senders are gone.
    pub(super) fn run(mut self, mut requests: mpsc::Receiver<Request>) {
        while let Some(first) = requests.blocking_recv() {
            let mut bytes = first.bytes;
            let mut group = vec![first];
            while bytes < GROUP_BYTES
                && let Ok(next) = requests.try_recv()
            {
                bytes += next.bytes;
                group.push(next);
            }
            self.commit(group, bytes);
        }
    }

    fn commit(&mut self, group: Vec<Request>, bytes: usize) {
        let compress = match self.shared.options.compression {
            Compression::WhenIdle => bytes <= BUSY_BYTES,
            Compression::Always => true,
            Compression::Never => false,
        };
        let (waiting, outcome) = match self.ready(bytes) {
            Ok(salt) => {
                let (waiting, end) = self.encode(group, salt, compress);
                let outcome = self.write().map(|()| end);
                (waiting, outcome)
            }
            Err(error) => {
                let waiting = group.into_iter().map(|request| (request, Position(0))).collect();
                (waiting, Err(error))
            }
        };
        self.frames.clear(GROUP_BYTES);
        match outcome {
            Ok(end) => self.publish(waiting, end),
            Err(error) => {
                tracing::error!(%error, batches = waiting.len(), "journal append failed");
                for (request, _) in waiting {
                    let _ = request.done.send(Err(error.clone()));
                }
            }
        }
    }

    /// Makes sure that there is room and a segment to write to; returns its salt.
    fn ready(&mut self, bytes: usize) -> Result<u32, JournalError> {
        let shared = Arc::clone(&self.shared);
        let reserve = shared.options.reserve_bytes;
        if reserve > 0 {
            let free = shared.disk.free().map_err(|error| shared.io_error("ask", "", error))?;
            if free.saturating_sub(bytes as u64) < reserve {
                let dir = shared.disk.path("");
                return Err(JournalError::Reserve { dir, free, reserve });
            }
        }
        if let Some(active) = &self.active {
            let head = &active.segment.head;
            let old = head.created.plus_seconds(shared.options.segment_age_s)
                < shared.options.clock.now();
            let rotate =
                active.length >= shared.options.segment_bytes || (old && head.first < self.end);
            if !rotate {
                return Ok(head.salt);
            }
        }
        let active = start_segment(&shared, self.end)?;
        let salt = active.segment.head.salt;
        self.active = Some(active);
        Ok(salt)
    }

    /// Turns requests into frames. Those that cannot be are answered; the others are returned,
    /// each with the position after it, and the position after all.
    fn encode(
        &mut self,
        group: Vec<Request>,
        salt: u32,
        compress: bool,
    ) -> (Vec<(Request, Position)>, Position) {
        let limit = self.shared.options.max_batch_bytes.min(1 << 30);
        let mut end = self.end;
        let mut waiting = Vec::with_capacity(group.len());
        for request in group {
            let encoded = if request.bytes > limit {
                Err(JournalError::TooLarge { bytes: request.bytes, limit })
            } else {
                let flags = if waiting.is_empty() { DURABLE_BEFORE } else { 0 };
                self.frames.batch(&request.batch, end, flags, salt, compress)
            };
            match encoded {
                Ok(()) => {
                    end = end.plus(request.batch.records.len() as u64);
                    waiting.push((request, end));
                }
                Err(error) => {
                    let _ = request.done.send(Err(error));
                }
            }
        }
        (waiting, end)
    }

    /// Writes the frames and makes them durable.
    fn write(&mut self) -> Result<(), JournalError> {
        let Some(active) = &mut self.active else {
            return Err(JournalError::Closed);
        };
        let shared = &self.shared;
        let name = &active.segment.name;
        let bytes = &self.frames.bytes;
        if bytes.is_empty() {
            return Ok(());
        }
        let failure = match active.file.write_at(bytes, active.length) {
            Ok(()) => match active.file.sync() {
                Ok(()) => {
                    active.segment.mark(self.end, active.length);
                    active.length += bytes.len() as u64;
                    active.segment.set_durable(active.length);
                    return Ok(());
                }
                Err(error) => {
                    let error = shared.io_error("make durable", name, error);
                    self.abandon();
                    return Err(error);
                }
            },
            Err(error) => shared.io_error("write", name, error),
        };
        if active.file.truncate(active.length).is_err() {
            self.abandon();
        }
        Err(failure)
    }

    /// Leaves the active segment for good: what the kernel has of it in memory may differ from
    /// what is on disk. The next append starts a new one, whose start ends this one.
    fn abandon(&mut self) {
        let Some(active) = self.active.take() else {
            return;
        };
        let _ = active.file.truncate(active.length);
        let _ = active.file.sync();
        let segment = &active.segment;
        for damage in check_segment(&self.shared, segment, self.end) {
            self.shared.report(damage);
        }
        tracing::warn!(segment = segment.name, bytes = active.length, "journal segment abandoned");
    }

    fn publish(&mut self, waiting: Vec<(Request, Position)>, end: Position) {
        {
            let mut cursors = self.shared.cursors();
            for (request, _) in &waiting {
                if let Some(cursor) = &request.batch.cursor {
                    cursors.set(&request.batch.source, cursor.clone());
                }
            }
        }
        self.end = end;
        self.shared.set_end(end);
        for (request, after) in waiting {
            let _ = request.done.send(Ok(after));
        }
    }
}

/// Makes the segment that starts at `first`, with the table of cursors, and makes it durable
/// before it gets its name.
pub(super) fn start_segment(shared: &Shared, first: Position) -> Result<Active, JournalError> {
    let name = file_name(first);
    let temporary = format!("{name}.new");
    let head = Head { first, created: shared.options.clock.now(), salt: shared.disk.salt() };
    let mut table = FrameWriter::new();
    table.table(&shared.cursor_list(), first, head.salt)?;
    let mut bytes = head.encode();
    bytes.extend_from_slice(&table.bytes);
    let made = shared.disk.create(&temporary).and_then(|file| {
        file.write_at(&bytes, 0)?;
        file.sync()?;
        shared.disk.rename(&temporary, &name)?;
        shared.disk.sync_names()?;
        Ok(file)
    });
    let file = made.map_err(|error| shared.io_error("make", &name, error))?;
    let length = bytes.len() as u64;
    debug_assert!(length > HEAD_BYTES as u64);
    let segment = Arc::new(Segment::new(shared.next_serial(), name, head, length));
    shared.add(Arc::clone(&segment));
    Ok(Active { segment, file, length })
}
