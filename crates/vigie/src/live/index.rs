//! Indexing, live: follows the journal behind everything else.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::watch;
use vigie_event::{Clock, SystemClock};
use vigie_parser::Options;
use vigie_store::index::EventIndex;
use vigie_store::journal::Journal;

use super::follow::Follower;

/// Records between two looks at the clock.
const ROUND: u64 = 4_096;
/// Events become searchable this long after they were read, at latest.
const COMMIT_EVERY: Duration = Duration::from_secs(5);
/// How often old days are dropped.
const RETAIN_EVERY: Duration = Duration::from_hours(1);

/// What the indexer's thread works with.
pub struct Indexing {
    pub journal: Journal,
    pub index: EventIndex,
    /// The position that the index has committed, for whoever drops old segments.
    pub indexed: Arc<AtomicU64>,
    pub days: u32,
    pub options: Options,
    pub stop: watch::Receiver<bool>,
    pub runtime: Handle,
}

impl Indexing {
    /// Runs until `stop`, then commits.
    pub fn run(self) -> anyhow::Result<()> {
        let Self { journal, mut index, indexed, days, options, stop, runtime } = self;
        let mut follower = Follower::new(&journal, index.position(), &options, stop, runtime)?;
        let mut committed = (follower.position(), Instant::now());
        let mut retained: Option<Instant> = None;
        loop {
            let stopping = follower.wait(COMMIT_EVERY).is_break();
            let mut failed = None;
            follower.read(ROUND, |events| {
                for event in events {
                    if failed.is_none() {
                        failed = index.add(event).err();
                    }
                }
            })?;
            if let Some(error) = failed {
                return Err(error.into());
            }
            let position = follower.position();
            if position != committed.0 && (stopping || committed.1.elapsed() >= COMMIT_EVERY) {
                index.commit(position)?;
                indexed.store(position.0, Ordering::Relaxed);
                committed = (position, Instant::now());
            }
            if retained.is_none_or(|at| at.elapsed() >= RETAIN_EVERY) {
                index.retain(days, SystemClock.now())?;
                retained = Some(Instant::now());
            }
            if stopping {
                return Ok(());
            }
        }
    }
}
