//! Reading the journal on all cores, and handing on in order what matched.
//!
//! The journal is cut into chunks: the batches that begin in a range of positions. Each worker takes
//! every so many-th of them, and has its own short queue; who asks takes from the queues in turn,
//! so the order is the journal's. What was taken goes back and is filled again: a stream of events
//! allocates nothing, and stays in the processor's cache.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};

use vigie_detector::Bystander;
use vigie_event::{Event, Timestamp};
use vigie_parser::Parser;
use vigie_sigma::{Matcher, RuleIndex};
use vigie_store::journal::{Journal, JournalError, JournalReader, Position};

use super::{Logins, Question};

/// Records in a chunk.
const CHUNK: u64 = 8_192;
/// Records before a chunk that are parsed for what they tell of those in it: a parser remembers
/// what the lines of a connection before told.
const BEFORE: u64 = 1_024;
/// Events handed over together, and bytes of their text: few enough that they are still in the
/// processor's cache when they are taken.
const PARCEL: usize = 512;
const PARCEL_BYTES: usize = 1 << 20;
/// Parcels that a worker may be ahead: somewhat more than a chunk, since while one worker's chunk
/// is taken the others fill theirs.
const AHEAD: usize = 18;
/// How far a record's own time may lie behind the time at which it came and still be looked for
/// in older segments, in seconds: clocks differ.
const CLOCKS_DIFFER_S: i64 = 3_600;
/// Addresses whose logins are remembered.
const MAX_LOGINS: usize = 100_000;

/// The events that count, by their own time.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    pub since: Option<Timestamp>,
    /// Exclusive.
    pub until: Option<Timestamp>,
}

impl Span {
    fn holds(&self, time: Timestamp) -> bool {
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time < until)
    }
}

/// Logins from one address that succeeded.
pub struct Login {
    pub times: u64,
    pub first: Timestamp,
    /// The account of the first one.
    pub user: String,
}

impl Login {
    /// Adds so many, the first of which was of `user`. Whoever adds them up in whatever order
    /// comes to the same.
    fn add(&mut self, times: u64, first: Timestamp, user: &str) {
        self.times += times;
        if (first, user) < (self.first, &self.user) {
            self.first = first;
            user.clone_into(&mut self.user);
        }
    }
}

/// What reading has counted.
#[derive(Default)]
pub struct Read {
    pub records: u64,
    pub within: u64,
    pub span: Option<(Timestamp, Timestamp)>,
    pub logins: Logins,
}

/// Events of a chunk, or of a part of it, with what they matched. It goes back to its worker, so
/// that its memory is used again.
#[derive(Default)]
struct Parcel {
    /// The first ones, as many as `ends` has, are of this parcel; the others are spare.
    events: Vec<Event>,
    /// By event: where its rules end in `matched`.
    ends: Vec<usize>,
    matched: Vec<RuleIndex>,
    /// Bytes of the events' text.
    bytes: usize,
    /// Whether the chunk ends with it.
    last: bool,
}

impl Parcel {
    fn clear(&mut self) {
        // What gave a long text room would keep it for ever.
        if self.bytes > 2 * PARCEL_BYTES {
            self.events = Vec::new();
        }
        self.ends.clear();
        self.matched.clear();
        self.bytes = 0;
        self.last = false;
    }

    /// Takes an event, and leaves memory for another in its place.
    fn keep(&mut self, event: &mut Event, matched: &[RuleIndex]) {
        self.bytes += event.text().len();
        match self.events.get_mut(self.ends.len()) {
            Some(spare) => std::mem::swap(spare, event),
            None => self.events.push(std::mem::take(event)),
        }
        self.matched.extend_from_slice(matched);
        self.ends.push(self.matched.len());
    }

    fn is_full(&self) -> bool {
        self.ends.len() >= PARCEL || self.bytes >= PARCEL_BYTES
    }

    fn each(&self, mut each: impl FnMut(&Event, &[RuleIndex])) {
        let mut first = 0;
        for (event, end) in self.events.iter().zip(&self.ends) {
            each(event, self.matched.get(first..*end).unwrap_or_default());
            first = *end;
        }
    }
}

/// Calls `each` with the events that match, in the journal's order, and with those others that a
/// [`Bystander`] wants.
pub fn matching(
    journal: &Journal,
    question: &Question,
    mut each: impl FnMut(&Event, &[RuleIndex]),
) -> Result<Read, JournalError> {
    let start = match question.span.since {
        Some(since) => journal.at(since.plus_seconds(-CLOCKS_DIFFER_S)),
        None => journal.start(),
    };
    let end = journal.end();
    let chunks = end.0.saturating_sub(start.0).div_ceil(CHUNK);
    let workers = question.workers.clamp(1, 64).min(chunks.max(1) as usize);
    std::thread::scope(|scope| {
        let mut queues: Vec<(Receiver<Parcel>, Sender<Parcel>)> = Vec::with_capacity(workers);
        let mut running = Vec::with_capacity(workers);
        for number in 0..workers {
            let (full, taken) = sync_channel(AHEAD);
            let (used, empty) = channel();
            queues.push((taken, used));
            let worker = Worker {
                question,
                reader: journal.reader(start),
                end,
                parser: Parser::new(question.options.clone()),
                matcher: Matcher::new(Arc::clone(&question.rules)),
                event: Event::default(),
                bystander: Bystander::default(),
                read: Read::default(),
                full,
                empty,
            };
            let own = (number as u64..chunks).step_by(workers);
            let firsts = own.map(move |chunk| start.plus(chunk.saturating_mul(CHUNK)));
            running.push(scope.spawn(move || worker.run(firsts)));
        }
        let mut next = 0;
        // A worker that has failed or is done closes its queue.
        while let Some((taken, used)) = queues.get(next)
            && let Ok(parcel) = taken.recv()
        {
            parcel.each(&mut each);
            if parcel.last {
                next = (next + 1) % workers;
            }
            // One that is done wants it no more.
            let _ = used.send(parcel);
        }
        // Who still waits for room is let go.
        drop(queues);
        let mut whole = Read::default();
        for worker in running {
            match worker.join() {
                Ok(read) => whole.add(read?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(whole)
    })
}

impl Read {
    /// Takes an event in that lies in the span of time.
    fn note(&mut self, event: &Event) {
        self.within += 1;
        self.span = Some(self.span.map_or((event.time, event.time), |(first, last)| {
            (first.min(event.time), last.max(event.time))
        }));
        if let Some((from, user)) = vigie_detector::login(event) {
            let room = self.logins.len() < MAX_LOGINS;
            match self.logins.get_mut(&from) {
                Some(login) => login.add(1, event.time, user),
                None if room => {
                    let login = Login { times: 1, first: event.time, user: user.to_owned() };
                    self.logins.insert(from, login);
                }
                None => {}
            }
        }
    }

    fn add(&mut self, other: Self) {
        self.records += other.records;
        self.within += other.within;
        self.span = match (self.span, other.span) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
        for (address, login) in other.logins {
            match self.logins.get_mut(&address) {
                Some(known) => known.add(login.times, login.first, &login.user),
                None => drop(self.logins.insert(address, login)),
            }
        }
    }
}

struct Worker<'q> {
    question: &'q Question,
    reader: JournalReader,
    /// The journal's end, exclusive.
    end: Position,
    parser: Parser,
    matcher: Matcher,
    event: Event,
    bystander: Bystander,
    read: Read,
    full: SyncSender<Parcel>,
    empty: Receiver<Parcel>,
}

impl Worker<'_> {
    /// Reads the batches that begin in the chunks at these positions.
    fn run(mut self, chunks: impl Iterator<Item = Position>) -> Result<Read, JournalError> {
        for first in chunks {
            self.reader.skip_to(Position(first.0.saturating_sub(BEFORE)));
            if self.chunk(first, first.plus(CHUNK).min(self.end))?.is_break() {
                break;
            }
        }
        Ok(self.read)
    }

    /// Reads the batches that begin from `first` to before `end`. Breaks off where nobody takes
    /// parcels any more, since another worker has failed.
    fn chunk(&mut self, first: Position, end: Position) -> Result<ControlFlow<()>, JournalError> {
        let mut parcel = emptied(&self.empty);
        while self.reader.position() < end {
            let Some(batch) = self.reader.next_view()? else { break };
            if batch.first() < first {
                batch.records().for_each(|record| self.parser.parse(&record, &mut self.event));
                continue;
            }
            let here = self.end.0.saturating_sub(batch.first().0);
            for record in batch.records().take(usize::try_from(here).unwrap_or(usize::MAX)) {
                self.parser.parse(&record, &mut self.event);
                self.read.records += 1;
                if !self.question.span.holds(self.event.time) {
                    continue;
                }
                self.read.note(&self.event);
                let matched = self.matcher.matches(&self.event);
                if matched.is_empty() && !self.bystander.wants(&self.event) {
                    continue;
                }
                parcel.keep(&mut self.event, matched);
                if parcel.is_full() {
                    let more = emptied(&self.empty);
                    if self.full.send(std::mem::replace(&mut parcel, more)).is_err() {
                        return Ok(ControlFlow::Break(()));
                    }
                }
            }
        }
        parcel.last = true;
        let sent = self.full.send(parcel);
        Ok(if sent.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) })
    }
}

/// A parcel that came back, or a new one.
fn emptied(empty: &Receiver<Parcel>) -> Parcel {
    let mut parcel = empty.try_recv().unwrap_or_default();
    parcel.clear();
    parcel
}
