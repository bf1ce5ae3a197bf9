//! The collector's core: what arrives, numbered by source, into the journal.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Semaphore;
use vigie_event::{Clock, Cursor, Format, Source, SourceKind};
use vigie_store::journal::{JournalError, Position};
use vigie_store::state::State;

use crate::ingest::Ingest;
use crate::lane::Lane;
use crate::seed_log::{AGENTS, SeedLog};

/// Names that `/ingest` may bring; each costs a little memory and a line in the journal's table.
const SOURCES: usize = 1_024;
/// Bytes of request bodies held at once.
const BODY_BUDGET_KIB: usize = 32 << 10;

/// What became of accepted records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receipt {
    /// How many records.
    pub accepted: u64,
    /// Records accepted of this source since the store began, with these.
    pub total: u64,
    /// The journal's position after them.
    pub position: Position,
}

/// Why records were not accepted. None of them is kept.
#[derive(Clone, Debug, thiserror::Error)]
pub enum IntakeError {
    /// The journal could not keep them.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// Too many different source names.
    #[error("more than {SOURCES} source names are in use: use fewer")]
    TooManySources,
    /// Vigie is shutting down.
    #[error("the collector is stopping")]
    Stopped,
}

/// Accepts events from elsewhere. Clones share everything.
#[derive(Clone)]
pub struct Collector {
    shared: Arc<Shared>,
}

struct Shared {
    log: Arc<dyn Ingest>,
    clock: Arc<dyn Clock>,
    agents: SeedLog,
    lanes: Mutex<HashMap<String, Arc<Lane>>>,
    budget: Arc<Semaphore>,
}

impl Collector {
    /// A collector that writes to `log`. How many events each source has sent is read back from
    /// it; `state` keeps hints where the agents' events stand.
    pub fn new(log: Arc<dyn Ingest>, state: State, clock: Arc<dyn Clock>) -> Self {
        let last = last_number(log.as_ref(), AGENTS);
        let agents = SeedLog::new(Arc::clone(&log), state, last);
        let budget = Arc::new(Semaphore::new(BODY_BUDGET_KIB));
        let lanes = Mutex::new(HashMap::new());
        Self { shared: Arc::new(Shared { log, clock, agents, lanes, budget }) }
    }

    /// Accepts agents' events: compact JSON objects, `collected_at` included. Resolves when they
    /// are durable.
    pub async fn collect(&self, events: Vec<Vec<u8>>) -> Result<Receipt, IntakeError> {
        self.shared.agents.push(events, self.shared.clock.now()).await
    }

    /// Accepts raw records of the source called `name`, of any format. Resolves when they are
    /// durable.
    pub async fn ingest(
        &self,
        name: &str,
        format: Option<Format>,
        records: Vec<Vec<u8>>,
    ) -> Result<Receipt, IntakeError> {
        let source = Source::named(SourceKind::Http, name, format);
        let lane = self.lane(name)?;
        lane.push(source, self.shared.clock.now(), records).await
    }

    /// Agents' events accepted since the store began.
    pub fn events_count(&self) -> u64 {
        self.shared.agents.total()
    }

    pub(crate) fn agents(&self) -> &SeedLog {
        &self.shared.agents
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.shared.clock.as_ref()
    }

    pub(crate) fn budget(&self) -> &Arc<Semaphore> {
        &self.shared.budget
    }

    fn lane(&self, name: &str) -> Result<Arc<Lane>, IntakeError> {
        let mut lanes = self.shared.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(lane) = lanes.get(name) {
            return Ok(Arc::clone(lane));
        }
        if lanes.len() >= SOURCES {
            return Err(IntakeError::TooManySources);
        }
        let last = last_number(self.shared.log.as_ref(), name);
        let lane = Arc::new(Lane::new(Arc::clone(&self.shared.log), last, None));
        lanes.insert(name.to_owned(), Arc::clone(&lane));
        Ok(lane)
    }
}

/// The number of the last record of the source called `name`, whatever its format; 0 where there
/// is none.
fn last_number(log: &dyn Ingest, name: &str) -> u64 {
    let numbers = log.cursors().into_iter().filter_map(|(source, cursor)| match cursor {
        Cursor::Sequence { number } if source.kind == SourceKind::Http && source.name == name => {
            Some(number)
        }
        _ => None,
    });
    numbers.max().unwrap_or(0)
}
