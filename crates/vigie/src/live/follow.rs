//! What detection and indexing have in common: reading the journal as it grows, as events.

use std::ops::ControlFlow;

use tokio::runtime::Handle;
use tokio::sync::watch;
use vigie_event::Event;
use vigie_parser::{Options, Parser};
use vigie_store::journal::{Journal, JournalError, JournalReader, Position};

use crate::together::Together;

/// Records before its start that a follower reads for its parser alone: what a line means can depend
/// on earlier lines of the same connection.
const BEFORE: u64 = 16_384;

/// Reads the journal record by record from a position on. Made for a thread of its own.
pub struct Follower {
    reader: JournalReader,
    end: watch::Receiver<Position>,
    stop: watch::Receiver<bool>,
    runtime: Handle,
    parser: Parser,
    together: Together,
}

/// Where a follower stands after a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// There was something to read.
    Read,
    /// The end of the journal is reached.
    CaughtUp,
}

impl Follower {
    /// A follower that starts at `from`, where a batch begins, and stops when `stop` becomes true.
    pub fn new(
        journal: &Journal,
        from: Position,
        options: &Options,
        stop: watch::Receiver<bool>,
        runtime: Handle,
    ) -> Result<Self, JournalError> {
        let mut follower = Self {
            reader: journal.reader(Position(from.0.saturating_sub(BEFORE)).max(journal.start())),
            end: journal.watch(),
            stop,
            runtime,
            parser: Parser::new(options.clone()),
            together: Together::default(),
        };
        while follower.position() < from {
            let behind = from.0 - follower.position().0;
            if follower.read(behind, |_| {})? == Round::CaughtUp {
                break;
            }
        }
        Ok(follower)
    }

    /// The position after the last record read.
    pub fn position(&self) -> Position {
        self.reader.position()
    }

    /// Reads at most about `limit` records, whole batches, and calls `each` with their events, some
    /// together.
    pub fn read(
        &mut self,
        limit: u64,
        mut each: impl FnMut(&[Box<Event>]),
    ) -> Result<Round, JournalError> {
        let stop_at = self.reader.position().plus(limit);
        let mut round = Round::Read;
        while self.reader.position() < stop_at {
            let Some(batch) = self.reader.next_view()? else {
                round = Round::CaughtUp;
                break;
            };
            for record in batch.records() {
                if self.together.add(|event| self.parser.parse(&record, event)) {
                    each(self.together.events());
                    self.together.clear();
                }
            }
        }
        each(self.together.events());
        self.together.clear();
        Ok(round)
    }

    /// Waits until the journal has grown, `at_most` has gone by or it is time to stop.
    pub fn wait(&mut self, at_most: std::time::Duration) -> ControlFlow<()> {
        if *self.stop.borrow() {
            return ControlFlow::Break(());
        }
        if *self.end.borrow_and_update() > self.reader.position() {
            return ControlFlow::Continue(());
        }
        let (end, stop) = (&mut self.end, &mut self.stop);
        self.runtime.block_on(async {
            tokio::select! {
                _ = end.changed() => {}
                _ = stop.changed() => {}
                () = tokio::time::sleep(at_most) => {}
            }
        });
        if *self.stop.borrow() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}
