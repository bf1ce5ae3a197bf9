//! The agents' events: counted from 1, and read back out of the journal.
//!
//! An event's number is its record's offset. To find one again without reading the whole journal,
//! the state keeps marks: the first event of a batch gets one when the last mark is
//! [`MARK_EVERY`] records away, so that no event stands further than that behind a mark.

use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Semaphore;
use vigie_event::{Format, Source, SourceKind, Timestamp};
use vigie_store::journal::{JournalError, Position};
use vigie_store::state::{SeedMark, State, StateError};

use crate::ingest::Ingest;
use crate::intake::{IntakeError, Receipt};
use crate::lane::{Lane, Watcher};

/// The source name of the agents' events.
pub const AGENTS: &str = "agents";
/// Events that one `GET /events` gives at most.
pub const EVENTS_LIMIT: u64 = 10_000;
/// Bytes that one `GET /events` gives at most, but for its last event.
const EVENTS_BYTES: usize = 16 << 20;
/// Records of the journal between two marks.
const MARK_EVERY: u64 = 4_096;
/// Marks are written together this often.
const MARK_DELAY: Duration = Duration::from_millis(500);
/// Readings of the journal at once.
const READINGS: usize = 2;

/// The agents' events.
pub struct SeedLog {
    log: Arc<dyn Ingest>,
    state: State,
    lane: Arc<Lane>,
    source: Arc<Source>,
    readings: Semaphore,
}

/// Some of the agents' events.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct SeedPage {
    /// The events, each a JSON object as text, in order.
    pub events: Vec<Vec<u8>>,
    /// The number of the last of them, to go on after; `None` where there are none.
    pub last: Option<u64>,
    /// Whether there are events after them.
    pub more: bool,
}

/// Why events cannot be read back.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error("reading was broken off")]
    BrokenOff,
}

impl SeedLog {
    pub fn new(log: Arc<dyn Ingest>, state: State, last: u64) -> Self {
        let marker = Arc::new(Marker { state: state.clone(), pending: Mutex::default() });
        let watcher: Watcher = Box::new(move |number, position, _| {
            Marker::saw(&marker, SeedMark { number, position });
        });
        let lane = Arc::new(Lane::new(Arc::clone(&log), last, Some(watcher)));
        let source = Source::named(SourceKind::Http, AGENTS, Some(Format::Seed));
        Self { log, state, lane, source, readings: Semaphore::new(READINGS) }
    }

    pub fn total(&self) -> u64 {
        self.lane.last()
    }

    pub async fn push(&self, events: Vec<Vec<u8>>, now: Timestamp) -> Result<Receipt, IntakeError> {
        self.lane.push(Arc::clone(&self.source), now, events).await
    }

    /// At most `limit` events after number `after`; the newest where `after` is left out.
    pub async fn page(&self, after: Option<u64>, limit: u64) -> Result<SeedPage, ReadError> {
        let total = self.total();
        let limit = limit.clamp(1, EVENTS_LIMIT);
        let first = after.unwrap_or_else(|| total.saturating_sub(limit)).saturating_add(1);
        let last = total.min(first.saturating_add(limit - 1));
        if first > last {
            return Ok(SeedPage::default());
        }
        let Ok(_reading) = self.readings.acquire().await else {
            return Err(ReadError::BrokenOff);
        };
        let marks = self.state.seed_marks(first, limit + 1).await?;
        let log = Arc::clone(&self.log);
        let read = move || read(log.as_ref(), &marks, first, last);
        let (events, reached) =
            tokio::task::spawn_blocking(read).await.map_err(|_| ReadError::BrokenOff)??;
        Ok(SeedPage { events, last: Some(reached), more: reached < total })
    }
}

/// The events numbered `first` to `last`, fewer where they are many bytes or no longer kept, and
/// the number reached.
fn read(
    log: &dyn Ingest,
    marks: &[SeedMark],
    first: u64,
    last: u64,
) -> Result<(Vec<Vec<u8>>, u64), JournalError> {
    let mut found: Vec<Vec<u8>> = Vec::new();
    let mut bytes = 0;
    let mut next = first;
    let mut starts = marks.iter().filter(|mark| mark.number <= last).peekable();
    let mut from = match starts.peek() {
        Some(mark) if mark.number <= first => mark.position,
        _ => Position(0),
    };
    starts.next_if(|mark| mark.number <= first);
    loop {
        // Up to the next mark, then on from there: what lies between is of other sources.
        let stop = starts.peek().map_or(last + 1, |mark| mark.number);
        log.read(from, &mut |_, record| {
            if record.source.kind != SourceKind::Http || record.source.name != AGENTS {
                return ControlFlow::Continue(());
            }
            if record.offset >= next && record.offset < stop {
                bytes += record.bytes.len();
                found.push(record.bytes.to_vec());
                next = record.offset + 1;
            }
            let enough = record.offset + 1 >= stop || bytes >= EVENTS_BYTES;
            if enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        match starts.next() {
            Some(mark) if bytes < EVENTS_BYTES => {
                from = mark.position;
                next = next.max(mark.number);
            }
            _ => break,
        }
    }
    // Numbers that the journal no longer holds are passed over.
    let reached = if bytes >= EVENTS_BYTES { next - 1 } else { last };
    Ok((found, reached))
}

/// Writes marks, a few at a time and never on the way of an event.
struct Marker {
    state: State,
    pending: Mutex<Pending>,
}

#[derive(Default)]
struct Pending {
    marks: Vec<SeedMark>,
    last: Option<Position>,
    writing: bool,
}

impl Marker {
    fn saw(marker: &Arc<Self>, mark: SeedMark) {
        let mut pending = marker.pending.lock().unwrap_or_else(PoisonError::into_inner);
        let near = pending.last.is_some_and(|last| mark.position.0 < last.0 + MARK_EVERY);
        if near {
            return;
        }
        pending.last = Some(mark.position);
        pending.marks.push(mark);
        if !std::mem::replace(&mut pending.writing, true) {
            tokio::spawn(Arc::clone(marker).write());
        }
    }

    async fn write(self: Arc<Self>) {
        loop {
            tokio::time::sleep(MARK_DELAY).await;
            let marks = {
                let mut pending = self.pending.lock().unwrap_or_else(PoisonError::into_inner);
                if pending.marks.is_empty() {
                    pending.writing = false;
                    return;
                }
                std::mem::take(&mut pending.marks)
            };
            // Without its mark an event is found by reading further.
            if let Err(error) = self.state.mark_seed_events(&marks).await {
                tracing::warn!(%error, "cannot mark where the agents' events stand");
            }
        }
    }
}
