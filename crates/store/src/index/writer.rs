//! Adding events, committing, dropping days.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tantivy::indexer::IndexWriterOptions;
use tantivy::{IndexWriter, TantivyDocument, TantivyError, Term};
use vigie_event::{Event, Timestamp};

use super::checkpoint::{Checkpoint, sync_dir};
use super::day::{Day, Days, Payload, Span};
use super::{EventSearcher, IndexError};
use crate::journal::Position;

/// The least that the search library takes for one open day, in bytes.
const DAY_MEMORY: usize = 15_000_000;
/// Days that may be closed to open others between two commits. Whoever writes logs chooses the
/// times; beyond this, events go into a day that is open.
const MAX_CHANGES: usize = 8;
/// Bytes that may wait for the search library, which bounds its queue by number alone, before a
/// day is written as part of the commit to come.
const QUEUED_BYTES: usize = 16 << 20;
/// A day that is being removed.
const DROPPED: &str = ".dropped";

/// How the index is kept.
#[derive(Clone, Debug)]
pub struct IndexOptions {
    /// Memory for events that are not written yet, in bytes: one day stays open for each 15 MB,
    /// at least one.
    pub memory_bytes: usize,
    /// Days at most; events of further days go into the day on which they were read.
    pub max_days: usize,
}

impl Default for IndexOptions {
    /// 30 MB, so two open days; at most 400 days.
    fn default() -> Self {
        Self { memory_bytes: 2 * DAY_MEMORY, max_days: 400 }
    }
}

/// The index with its one writer. Searching is done by [`EventIndex::searcher`]s.
pub struct EventIndex {
    days: Arc<Days>,
    options: IndexOptions,
    committed: Checkpoint,
    /// Last used last.
    open: Vec<OpenDay>,
    /// Whether something of this epoch is durable already.
    begun: bool,
    changes: usize,
    broken: bool,
    _lock: File,
}

struct OpenDay {
    day: Day,
    writer: IndexWriter<TantivyDocument>,
    span: Span,
    dirty: bool,
    /// Bytes added since the last commit.
    queued: usize,
}

impl EventIndex {
    /// Opens the index in `dir`, which is made when it does not exist. What a crash has left
    /// unfinished is taken back. Blocks.
    ///
    /// # Errors
    /// Another process has it open, it is damaged, or the disk fails.
    pub fn open(dir: &Path, options: IndexOptions) -> Result<Self, IndexError> {
        std::fs::create_dir_all(dir)
            .map_err(|error| IndexError::io("make", dir.to_owned(), error))?;
        let lock = lock(dir)?;
        let days = Arc::new(Days::new(dir.to_owned()));
        let found = clean_up(dir)?;
        let committed = match Checkpoint::read(dir)? {
            Some(checkpoint) => checkpoint,
            None if found.is_empty() => {
                let checkpoint = Checkpoint::new(0, Position(0));
                checkpoint.write(dir)?;
                checkpoint
            }
            None => {
                let path = dir.join(super::checkpoint::CHECKPOINT);
                return Err(IndexError::Checkpoint { path });
            }
        };
        for day in found {
            open_day(&days, day, committed)?;
        }
        Ok(Self {
            days,
            options,
            committed,
            open: Vec::new(),
            begun: false,
            changes: 0,
            broken: false,
            _lock: lock,
        })
    }

    /// The journal position up to which events are in the index: where to resume.
    pub fn position(&self) -> Position {
        self.committed.position
    }

    /// A handle for searching, from any thread, what has been committed.
    pub fn searcher(&self) -> EventSearcher {
        EventSearcher::new(Arc::clone(&self.days))
    }

    /// Adds `event` to its day. It is found after the next commit. Blocks when the disk is
    /// slower.
    ///
    /// # Errors
    /// A day cannot be opened or written. The index must then be opened again.
    pub fn add(&mut self, event: &Event) -> Result<(), IndexError> {
        if self.broken {
            return Err(IndexError::Broken);
        }
        let added = self.try_add(event);
        self.broken = added.is_err();
        added
    }

    fn try_add(&mut self, event: &Event) -> Result<(), IndexError> {
        let epoch = self.epoch();
        let document = self.days.schema.document(event, epoch);
        let day = self.choose(event);
        let days = Arc::clone(&self.days);
        let position = self.committed.position;
        let open = self.open_writer(day)?;
        open.writer.add_document(document).map_err(|error| write_error(&days, day, error))?;
        open.span.add(event.time);
        open.dirty = true;
        // The text stands in the words and in the stored event; 512 for terms and overhead.
        open.queued += 2 * event.text().len() + 512;
        if open.queued > QUEUED_BYTES {
            open.commit(&days, epoch, position)?;
            self.begun = true;
        }
        Ok(())
    }

    /// Makes all that was added durable and visible, with `position` as the place in the journal
    /// behind it.
    ///
    /// # Errors
    /// The disk is full or fails. The index must then be opened again and resumes at the
    /// position before.
    pub fn commit(&mut self, position: Position) -> Result<(), IndexError> {
        if self.broken {
            return Err(IndexError::Broken);
        }
        let committed = self.try_commit(position);
        self.broken = committed.is_err();
        committed
    }

    fn try_commit(&mut self, position: Position) -> Result<(), IndexError> {
        let epoch = self.epoch();
        let mut begun = self.begun;
        for open in self.open.iter_mut().filter(|open| open.dirty) {
            open.commit(&self.days, epoch, position)?;
            begun = true;
        }
        let epoch = if begun { epoch } else { self.committed.epoch };
        let checkpoint = Checkpoint::new(epoch, position);
        if checkpoint != self.committed {
            checkpoint.write(self.days.dir())?;
        }
        self.committed = checkpoint;
        self.begun = false;
        self.changes = 0;
        Ok(())
    }

    /// Drops the folders of days before the last `days` days, of which the one at `now` is the
    /// last. Returns how many.
    ///
    /// # Errors
    /// A folder cannot be removed.
    pub fn retain(&mut self, days: u32, now: Timestamp) -> Result<usize, IndexError> {
        let oldest = Day(Day::of(now).0.saturating_sub(i64::from(days)).saturating_add(1));
        let old: Vec<Day> = self.days.list().into_iter().filter(|day| *day < oldest).collect();
        for day in &old {
            self.open.retain(|open| open.day != *day);
            self.days.hide(*day);
            let path = self.days.path(*day);
            let dropped = self.days.dir().join(day.name() + DROPPED);
            std::fs::rename(&path, &dropped)
                .and_then(|()| std::fs::remove_dir_all(&dropped))
                .map_err(|error| IndexError::io("remove", path, error))?;
        }
        Ok(old.len())
    }

    /// The number of the commit that events are added to.
    fn epoch(&self) -> u64 {
        self.committed.epoch + 1
    }

    /// The day that `event` goes to: its own, unless that costs more than it is worth.
    fn choose(&self, event: &Event) -> Day {
        let own = Day::of(event.time);
        let is_open = |day: Day| self.open.iter().any(|open| open.day == day);
        if is_open(own) {
            return own;
        }
        let may_open = self.changes < MAX_CHANGES || self.open.len() < self.max_open();
        let new = self.open.iter().filter(|open| !self.days.knows(open.day)).count();
        let may_be = self.days.knows(own) || self.days.count() + new < self.options.max_days;
        if may_open && may_be {
            return own;
        }
        let read_on = Day::of(event.observed);
        match self.open.last() {
            Some(last) if !is_open(read_on) && !may_open => last.day,
            _ => read_on,
        }
    }

    fn max_open(&self) -> usize {
        (self.options.memory_bytes / DAY_MEMORY).max(1)
    }

    fn open_writer(&mut self, day: Day) -> Result<&mut OpenDay, IndexError> {
        if let Some(index) = self.open.iter().position(|open| open.day == day) {
            self.open.get_mut(index..).unwrap_or_default().rotate_left(1);
        } else {
            if self.open.len() >= self.max_open() {
                self.close_oldest()?;
            }
            let opened = OpenDay::open(&self.days, day)?;
            self.open.push(opened);
        }
        self.open.last_mut().ok_or(IndexError::Broken)
    }

    /// Writes the day that was used longest ago, as part of the commit to come, and closes it.
    fn close_oldest(&mut self) -> Result<(), IndexError> {
        let epoch = self.epoch();
        let position = self.committed.position;
        let mut oldest = self.open.remove(0);
        self.changes += 1;
        if oldest.dirty {
            oldest.commit(&self.days, epoch, position)?;
            self.begun = true;
        }
        let day = oldest.day;
        oldest.writer.wait_merging_threads().map_err(|error| write_error(&self.days, day, error))
    }
}

impl std::fmt::Debug for EventIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EventIndex").field("committed", &self.committed).finish_non_exhaustive()
    }
}

impl OpenDay {
    fn open(days: &Days, day: Day) -> Result<Self, IndexError> {
        let path = days.path(day);
        if !path.exists() {
            std::fs::create_dir(&path)
                .map_err(|error| IndexError::io("make", path.clone(), error))?;
            sync_dir(days.dir())?;
        }
        let writer = || {
            let options = IndexWriterOptions::builder()
                .memory_budget_per_thread(DAY_MEMORY)
                .num_worker_threads(1)
                .num_merge_threads(1)
                .build();
            days.open_or_create(day)?.writer_with_options(options)
        };
        let writer = writer().map_err(|error| days.error(day, error))?;
        Ok(Self { day, writer, span: days.span(day), dirty: false, queued: 0 })
    }

    fn commit(&mut self, days: &Days, epoch: u64, position: Position) -> Result<(), IndexError> {
        let payload = Payload { epoch, position, span: self.span };
        let mut commit = || -> tantivy::Result<()> {
            let payload = serde_json::to_string(&payload)
                .map_err(|error| TantivyError::InternalError(error.to_string()))?;
            let mut prepared = self.writer.prepare_commit()?;
            prepared.set_payload(&payload);
            prepared.commit()?;
            Ok(())
        };
        commit().map_err(|error| write_error(days, self.day, error))?;
        self.dirty = false;
        self.queued = 0;
        days.show(self.day, self.span)
    }
}

fn write_error(days: &Days, day: Day, error: TantivyError) -> IndexError {
    IndexError::Write { path: days.path(day), error: Arc::new(error) }
}

fn lock(dir: &Path) -> Result<File, IndexError> {
    let path = dir.join("lock");
    let failed = |error| IndexError::io("lock", path.clone(), error);
    let lock =
        OpenOptions::new().write(true).create(true).truncate(false).open(&path).map_err(failed)?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(IndexError::Locked { dir: dir.to_owned() }),
        Err(TryLockError::Error(error)) => Err(failed(error)),
    }
}

/// Removes what a crash has left of days that were being dropped, and lists the others.
fn clean_up(dir: &Path) -> Result<Vec<Day>, IndexError> {
    let failed = |path: PathBuf| move |error| IndexError::io("read", path, error);
    let mut days = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(failed(dir.to_owned()))? {
        let entry = entry.map_err(failed(dir.to_owned()))?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        if name.strip_suffix(DROPPED).and_then(Day::parse).is_some() {
            std::fs::remove_dir_all(entry.path())
                .map_err(|error| IndexError::io("remove", entry.path(), error))?;
        }
        days.extend(Day::parse(&name));
    }
    days.sort_unstable();
    Ok(days)
}

/// Makes a day known, without events of commits that were not finished.
fn open_day(days: &Days, day: Day, committed: Checkpoint) -> Result<(), IndexError> {
    let path = days.path(day);
    let payload = if path.join("meta.json").exists() {
        let index = days.open_or_create(day).map_err(|error| days.error(day, error))?;
        index.load_metas().map_err(|error| days.error(day, error))?.payload
    } else {
        None
    };
    let Some(payload) = payload else {
        // It was made and never committed.
        return std::fs::remove_dir_all(&path)
            .map_err(|error| IndexError::io("remove", path, error));
    };
    let payload: Payload = serde_json::from_str(&payload)
        .map_err(|error| days.error(day, TantivyError::InternalError(error.to_string())))?;
    if payload.epoch > committed.epoch {
        take_back(days, day, payload, committed)?;
    }
    days.show(day, payload.span)
}

fn take_back(
    days: &Days,
    day: Day,
    payload: Payload,
    committed: Checkpoint,
) -> Result<(), IndexError> {
    tracing::info!(day = day.name(), epoch = payload.epoch, "taking back an unfinished commit");
    let mut open = OpenDay::open(days, day)?;
    for epoch in committed.epoch + 1..=payload.epoch {
        open.writer.delete_term(Term::from_field_u64(days.schema.epoch, epoch));
    }
    open.span = payload.span;
    open.commit(days, committed.epoch, committed.position)?;
    open.writer.wait_merging_threads().map_err(|error| write_error(days, day, error))
}
