//! Reading the journal on all cores, and handing on in order what matched.
//!
//! The journal is cut into chunks. Each worker takes every so many-th of them, and has its own
//! short queue; who asks takes from the queues in turn, so the order is the journal's.

use std::ops::Range;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rustc_hash::FxHashMap;
use vigie_event::{Event, Timestamp};
use vigie_parser::Parser;
use vigie_sigma::{Matcher, RuleIndex};
use vigie_store::journal::{Journal, JournalError, JournalReader, Position};

use super::{Logins, Question};

/// Records in a chunk.
const CHUNK: u64 = 16_384;
/// Chunks that a worker may be ahead.
const AHEAD: usize = 2;
/// How far a record's own time may lie behind the time at which it came and still be looked for
/// in older segments, in seconds: clocks differ.
const CLOCKS_DIFFER_S: i64 = 3_600;
/// Events of each source that are handed on though nothing matched, so that time goes by.
const TICK_S: i64 = 60;
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

/// What reading has counted.
#[derive(Default)]
pub struct Read {
    pub records: u64,
    pub within: u64,
    pub span: Option<(Timestamp, Timestamp)>,
    pub logins: Logins,
}

/// Events of a chunk, with what they matched: a range of `matched`.
#[derive(Default)]
struct Found {
    events: Vec<(Event, Range<usize>)>,
    matched: Vec<RuleIndex>,
}

/// Calls `each` with the events that match, in the journal's order, and with one now and then
/// that does not.
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
        let mut queues: Vec<Receiver<Found>> = Vec::with_capacity(workers);
        let mut running = Vec::with_capacity(workers);
        for number in 0..workers {
            let (queue, found) = sync_channel(AHEAD);
            queues.push(found);
            let mut worker = Worker::new(journal, question, end);
            running.push(scope.spawn(move || {
                let own = (number as u64..chunks).step_by(workers);
                let chunks = own.map(|chunk| start.plus(chunk.saturating_mul(CHUNK)));
                worker.run(chunks, &queue).map(|()| worker.read)
            }));
        }
        let mut next = 0;
        // A worker that has failed or is done closes its queue.
        while let Some(found) = queues.get(next).and_then(|queue| queue.recv().ok()) {
            for (event, matched) in &found.events {
                each(event, found.matched.get(matched.clone()).unwrap_or_default());
            }
            next = (next + 1) % workers;
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
    fn add(&mut self, other: Self) {
        self.records += other.records;
        self.within += other.within;
        self.span = match (self.span, other.span) {
            (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
            (one, other) => one.or(other),
        };
        for (address, (times, user)) in other.logins {
            let login = self.logins.entry(address).or_default();
            login.0 += times;
            login.1 = user;
        }
    }
}

struct Worker<'q> {
    journal: &'q Journal,
    question: &'q Question,
    end: Position,
    parser: Parser,
    matcher: Matcher,
    event: Event,
    /// By source: the time of the last event handed on.
    ticks: FxHashMap<u64, i64>,
    read: Read,
}

impl<'q> Worker<'q> {
    fn new(journal: &'q Journal, question: &'q Question, end: Position) -> Self {
        Self {
            journal,
            question,
            end,
            parser: Parser::new(question.options.clone()),
            matcher: Matcher::new(Arc::clone(&question.rules)),
            event: Event::default(),
            ticks: FxHashMap::default(),
            read: Read::default(),
        }
    }

    fn run(
        &mut self,
        chunks: impl Iterator<Item = Position>,
        queue: &SyncSender<Found>,
    ) -> Result<(), JournalError> {
        for first in chunks {
            let mut reader = self.journal.reader(first);
            let found = self.chunk(&mut reader, first.plus(CHUNK).min(self.end))?;
            if queue.send(found).is_err() {
                // Another worker has failed.
                return Ok(());
            }
        }
        Ok(())
    }

    fn chunk(&mut self, reader: &mut JournalReader, end: Position) -> Result<Found, JournalError> {
        let mut found = Found::default();
        while reader.position() < end {
            let Some(batch) = reader.next_view()? else { break };
            let here = end.0.saturating_sub(batch.first().0);
            for record in batch.records().take(usize::try_from(here).unwrap_or(usize::MAX)) {
                self.parser.parse(&record, &mut self.event);
                self.read.records += 1;
                if self.question.span.holds(self.event.time) {
                    self.take(&mut found);
                }
            }
        }
        Ok(found)
    }

    fn take(&mut self, found: &mut Found) {
        let event = &self.event;
        let read = &mut self.read;
        read.within += 1;
        read.span = Some(read.span.map_or((event.time, event.time), |(first, last)| {
            (first.min(event.time), last.max(event.time))
        }));
        if let Some((from, user)) = vigie_detector::login(event) {
            let room = read.logins.len() < MAX_LOGINS;
            match read.logins.get_mut(&from) {
                Some((times, _)) => *times += 1,
                None if room => drop(read.logins.insert(from, (1, user.to_owned()))),
                None => {}
            }
        }
        let matched = self.matcher.matches(event);
        if matched.is_empty() {
            let source = event.source.as_ref().map_or(0, |source| source.fingerprint);
            let tick = event.time.seconds().div_euclid(TICK_S);
            if self.ticks.insert(source, tick) == Some(tick) {
                return;
            }
        }
        let first = found.matched.len();
        found.matched.extend_from_slice(matched);
        let matched = first..found.matched.len();
        found.events.push((std::mem::take(&mut self.event), matched));
    }
}
