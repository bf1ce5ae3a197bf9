//! Reading by position, following the durable end.

use std::io;
use std::sync::Arc;

use vigie_event::{Batch, Cursor, Record, Source};

use super::disk::DiskFile;
use super::frame::{Body, FrameHead, Records, TABLE, unpack};
use super::scan::{Found, Scan, Window};
use super::segment::{Damage, Segment, Shared};
use super::{JournalError, Position};

/// A batch as it stands in the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBatch {
    /// The position of the first record.
    pub first: Position,
    /// The batch. When reading started in its middle, the records before are left out.
    pub batch: Batch,
}

/// A batch in the reader's buffer: [`StoredBatch`] without copies.
#[derive(Debug)]
pub struct BatchView<'r> {
    first: Position,
    count: u32,
    skip: u32,
    source: &'r Arc<Source>,
    cursor: &'r [u8],
    records: &'r [u8],
}

impl<'r> BatchView<'r> {
    /// The position of the first record of [`BatchView::records`].
    pub fn first(&self) -> Position {
        self.first
    }

    /// Where the records were read. Batches of one source that follow each other share it.
    pub fn source(&self) -> &'r Arc<Source> {
        self.source
    }

    /// How far the source has been read with them.
    pub fn cursor(&self) -> Option<Cursor> {
        serde_json::from_slice(self.cursor).ok()
    }

    /// The records, oldest first.
    pub fn records(&self) -> impl Iterator<Item = vigie_event::RecordRef<'r>> + use<'r> {
        Records::new(self.records, self.count, self.source).skip(self.skip as usize)
    }
}

/// Reads batches in order. Damaged ones are left out, which shows as a jump in
/// [`StoredBatch::first`] and in [`Journal::damage`](super::Journal::damage).
pub struct JournalReader {
    shared: Arc<Shared>,
    /// Somebody else may have the journal open.
    is_view: bool,
    position: Position,
    /// Batches that begin before it are passed by, not cut.
    whole_from: Position,
    place: Option<Place>,
    window: Window,
    raw: Vec<u8>,
    /// The last source read, with its JSON.
    source: Option<(Vec<u8>, Arc<Source>)>,
}

/// Where a reader stands.
struct Place {
    segment: Arc<Segment>,
    file: Box<dyn DiskFile>,
    offset: u64,
    /// Where the bad place began that is being passed.
    bad_from: Option<u64>,
}

/// What one step of a reader has led to.
enum Step {
    /// To a batch, whose body is in `raw`.
    Batch(FrameHead),
    /// Further.
    On,
    /// To the durable end.
    End,
}

impl JournalReader {
    pub(super) fn new(shared: Arc<Shared>, position: Position, is_view: bool) -> Self {
        Self {
            shared,
            is_view,
            position,
            whole_from: Position(0),
            place: None,
            window: Window::default(),
            raw: Vec::new(),
            source: None,
        }
    }

    /// The position of the record that comes next.
    pub fn position(&self) -> Position {
        self.position
    }

    /// Goes on with the first batch that *begins* at `position` or later, so that readers who share
    /// the journal among them share no batch. What lies between is passed by unread. Never goes
    /// back.
    pub fn skip_to(&mut self, position: Position) {
        self.position = self.position.max(position);
        self.whole_from = self.whole_from.max(position);
    }

    /// The next batch with at least one record, or `None` at the durable end (wait for more with
    /// [`Journal::watch`](super::Journal::watch)). Blocks while the disk is read.
    ///
    /// # Errors
    /// A segment cannot be read; calling again tries again.
    // Not an iterator: the end is not final.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<StoredBatch>, JournalError> {
        Ok(self.next_view()?.map(|view| {
            let record = |record: vigie_event::RecordRef<'_>| Record {
                source: Arc::clone(record.source),
                offset: record.offset,
                observed: record.observed,
                bytes: record.bytes.to_vec(),
            };
            let batch = Batch {
                source: Arc::clone(view.source()),
                cursor: view.cursor(),
                records: view.records().map(record).collect(),
            };
            StoredBatch { first: view.first(), batch }
        }))
    }

    /// As [`JournalReader::next`], without copying the records.
    ///
    /// # Errors
    /// As [`JournalReader::next`].
    pub fn next_view(&mut self) -> Result<Option<BatchView<'_>>, JournalError> {
        let head = loop {
            match self.step()? {
                Step::Batch(head) => {
                    if self.learn_source() {
                        break head;
                    }
                    // Whole by its checksum, yet not understood: lost like a damaged one.
                    self.lose(head.first, head.end());
                }
                Step::On => {}
                Step::End => return Ok(None),
            }
        };
        let skip = self.position.0.saturating_sub(head.first.0) as u32;
        let first = head.first.max(self.position);
        self.position = head.end();
        let (Some(body), Some((_, source))) = (Body::decode(&self.raw), &self.source) else {
            return Ok(None);
        };
        Ok(Some(BatchView {
            first,
            count: head.records,
            skip,
            source,
            cursor: body.cursor,
            records: body.records,
        }))
    }

    fn step(&mut self) -> Result<Step, JournalError> {
        let shared = Arc::clone(&self.shared);
        let Some(place) = self.place.as_mut() else {
            return self.find_place();
        };
        let failed = |segment: &Segment| {
            let path = shared.disk.path(&segment.name);
            move |error| JournalError::io("read", path, error)
        };
        // In this order: what lies before the end is durable, and a segment that has a follower
        // does not grow any more.
        let end = shared.end();
        let follower = shared.after(&place.segment);
        let bound = follower.as_ref().map(|next| next.head.first);
        let limit = place.segment.durable();
        let scan = Scan { file: &*place.file, salt: place.segment.head.salt, limit };
        let found = scan.head(&mut self.window, place.offset).map_err(failed(&place.segment))?;
        let head = match found {
            Found::Head(head) if bound.is_some_and(|bound| head.end() > bound) => {
                place.offset = limit;
                return Ok(Step::On);
            }
            Found::Head(head) => head,
            Found::Bad => {
                let resumed = scan
                    .resume(&mut self.window, place.offset, self.position)
                    .map_err(failed(&place.segment))?;
                place.bad_from.get_or_insert(place.offset);
                place.offset = resumed.map_or(limit, |(offset, _)| offset);
                return Ok(Step::On);
            }
            Found::End => {
                let Some(next) = follower else {
                    // Nothing follows a bad place: what should stand there is lost.
                    if place.bad_from.is_some() && self.position < end {
                        self.lose(self.position, end);
                    }
                    return Ok(Step::End);
                };
                if self.position < next.head.first {
                    self.lose(self.position, next.head.first);
                }
                self.enter(next, super::head::HEAD_BYTES as u64)?;
                return Ok(Step::On);
            }
        };
        let offset = place.offset;
        if head.has(TABLE) || head.end() <= self.position || head.first < self.whole_from {
            place.segment.mark(head.first, offset);
            place.offset += head.frame_bytes();
            if head.first < self.whole_from {
                self.position = self.position.max(head.end());
            }
            return Ok(Step::On);
        }
        let body = scan
            .body(&mut self.window, offset, &head)
            .map_err(failed(&place.segment))?
            .and_then(|body| unpack(&head, body, &mut self.raw));
        if body.is_none() {
            place.bad_from.get_or_insert(offset);
            place.offset += head.frame_bytes();
            return Ok(Step::On);
        }
        place.segment.mark(head.first, offset);
        place.offset += head.frame_bytes();
        if head.first > self.position {
            self.lose(self.position, head.first);
        }
        if let Some(place) = &mut self.place {
            place.bad_from = None;
        }
        Ok(Step::Batch(head))
    }

    fn find_place(&mut self) -> Result<Step, JournalError> {
        if self.position > self.shared.end() {
            return Ok(Step::End);
        }
        let Some((segment, offset)) = self.shared.locate(self.position) else {
            return Ok(Step::End);
        };
        self.position = self.position.max(segment.head.first);
        self.enter(segment, offset)?;
        Ok(Step::On)
    }

    fn enter(&mut self, segment: Arc<Segment>, offset: u64) -> Result<(), JournalError> {
        let opened = self.shared.disk.open(&segment.name, false);
        self.window = Window::default();
        match opened {
            Ok(file) => {
                self.position = self.position.max(segment.head.first);
                self.place = Some(Place { segment, file, offset, bad_from: None });
                Ok(())
            }
            // Dropped by retention just now: look again.
            Err(error)
                if error.kind() == io::ErrorKind::NotFound
                    && segment.head.first < self.shared.start() =>
            {
                self.place = None;
                Ok(())
            }
            // The same, by the process that has the journal open.
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.is_view => {
                self.shared.forget(&segment);
                self.place = None;
                Ok(())
            }
            Err(error) => Err(self.shared.io_error("open", &segment.name, error)),
        }
    }

    /// Notes that the records from `first` to `end` cannot be read, and goes on behind them.
    fn lose(&mut self, first: Position, end: Position) {
        if let Some(place) = &mut self.place {
            let path = self.shared.disk.path(&place.segment.name);
            let offset = place.bad_from.take().unwrap_or(place.offset);
            self.shared.report(Damage { path, offset, first, end });
        }
        self.position = self.position.max(end);
    }

    /// Reads the source of the batch in `raw`, unless it is the one known already.
    fn learn_source(&mut self) -> bool {
        let Some(body) = Body::decode(&self.raw) else {
            return false;
        };
        if self.source.as_ref().is_some_and(|(json, _)| json == body.source) {
            return true;
        }
        let Ok(source) = serde_json::from_slice(body.source) else {
            return false;
        };
        self.source = Some((body.source.to_vec(), Arc::new(source)));
        true
    }
}

impl std::fmt::Debug for JournalReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JournalReader").field("position", &self.position).finish_non_exhaustive()
    }
}
