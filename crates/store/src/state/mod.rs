//! The state: what was made of the records, and what people changed.
//!
//! One SQLite database through SeaORM; queries and column types keep to what PostgreSQL has too.
//! Each table holds the columns that are looked up or sorted by, and the whole as JSON.
//!
//! # Rules
//!
//! - All changes go through one connection, one transaction at a time, each begun as a writer; so
//!   nothing inside Vigie can find the database locked. Readers see the last commit and never wait.
//! - A commit is synced to disk before its future resolves.
//! - A consumer's checkpoint moves in the transaction of its effects.
//! - What people change (status, owner, close reason, a lifted ban) no machine takes back.
//! - Each change by a person writes its audit row in the same transaction.
//!
//! ```
//! # async fn run() -> Result<(), vigie_store::state::StateError> {
//! use vigie_store::state::{IncidentFilter, PageRequest, State};
//!
//! let state = State::in_memory().await?;
//! let page = state.incidents(&IncidentFilter::default(), &PageRequest::default()).await?;
//! assert!(page.items.is_empty());
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run()).unwrap();
//! ```

mod alert;
mod allow;
mod audit;
mod ban;
mod closing;
mod connect;
mod decision;
mod detection;
mod entity;
mod error;
mod incident;
mod judgement;
mod migration;
mod outbox;
mod overview;
mod page;
mod people;
mod response;
mod rows;
mod second;
mod seed;
mod session;
mod setting;
mod ticket;
mod user;

use std::path::Path;
use std::sync::Arc;

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};
use tokio::sync::Mutex;

pub use alert::AlertFilter;
pub use allow::Allowed;
pub use audit::{AuditBreak, AuditChain, AuditFilter, AuditReport, AuditRow};
pub use ban::{Ban, BanFilter, BanStatus};
pub use decision::{DecisionFilter, StoredDecision};
pub use detection::{Checkpoint, DetectionBatch};
pub use error::StateError;
pub use incident::{IncidentDetail, IncidentFilter, IncidentSort, IncidentSummary, Note};
pub use judgement::CASE_ALERTS;
pub use outbox::{OutboxEntry, OutboxItem, OutboxStatus};
pub use overview::{HourCount, Overview, TopRule, TopSource};
pub use page::{PAGE_LIMIT, PAGE_LIMIT_MAX, Page, PageRequest};
pub use response::{ResponseBatch, SavedResponse};
pub use second::{Agreement, AskedCase, Waiting};
pub use seed::SeedMark;
pub use session::{NewSession, Session};
pub use ticket::{NewTicket, Ticket, TicketFilter, TicketStatus};
pub use user::{Role, User};

/// What every call gives back.
type Result<T> = std::result::Result<T, StateError>;

/// The state. Clones share the same connections.
#[derive(Clone, Debug)]
pub struct State {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    writer: DatabaseConnection,
    readers: DatabaseConnection,
    /// Held through each writing transaction, so that writers queue here in their order and never
    /// in the connection pool or in SQLite.
    turn: Mutex<()>,
    /// The database file, for messages.
    path: String,
}

impl State {
    /// Opens the database at `path`, makes it where there is none, and brings its schema up to
    /// date.
    ///
    /// # Errors
    /// The file cannot be opened or written, is damaged, or was written by a newer version.
    pub async fn open(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let open = async {
            let writer = connect::writer(path).await?;
            migration::run(&writer).await?;
            let readers = connect::readers(path).await?;
            Ok(Self::over(writer, readers, name.clone()))
        };
        open.await.map_err(|error: StateError| error.at(&name))
    }

    /// Opens the state in the file at `path` for reading, also while another process has it open:
    /// whatever would change something fails.
    ///
    /// # Errors
    /// There is no such file, or it cannot be read.
    pub async fn view(path: &Path) -> Result<Self> {
        let name = path.display().to_string();
        let readers = connect::readers(path).await.map_err(|error| error.at(&name))?;
        Ok(Self::over(readers.clone(), readers, name))
    }

    /// A new, empty state that is gone with its last clone.
    pub async fn in_memory() -> Result<Self> {
        let connection = connect::in_memory().await?;
        migration::run(&connection).await?;
        Ok(Self::over(connection.clone(), connection, "in memory".to_owned()))
    }

    fn over(writer: DatabaseConnection, readers: DatabaseConnection, path: String) -> Self {
        Self { shared: Arc::new(Shared { writer, readers, turn: Mutex::new(()), path }) }
    }

    /// Closes the connections once those in use are done; the write-ahead log is merged into the
    /// database file. Calls after it fail.
    pub async fn close(&self) -> Result<()> {
        let _turn = self.shared.turn.lock().await;
        let closed = async {
            self.shared.readers.close_by_ref().await?;
            Ok(self.shared.writer.close_by_ref().await?)
        };
        closed.await.map_err(|error: StateError| error.at(&self.shared.path))
    }

    /// Runs `work` in a transaction of its own and commits it; an error rolls all of it back.
    async fn write<T>(
        &self,
        work: impl AsyncFnOnce(&DatabaseTransaction) -> Result<T>,
    ) -> Result<T> {
        let _turn = self.shared.turn.lock().await;
        let run = async {
            let options = TransactionOptions {
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                ..TransactionOptions::default()
            };
            let transaction = self.shared.writer.begin_with_options(options).await?;
            let value = work(&transaction).await?;
            transaction.commit().await?;
            Ok(value)
        };
        run.await.map_err(|error: StateError| error.at(&self.shared.path))
    }

    /// Runs `work` on a reading connection.
    async fn read<T>(&self, work: impl AsyncFnOnce(&DatabaseConnection) -> Result<T>) -> Result<T> {
        work(&self.shared.readers).await.map_err(|error| error.at(&self.shared.path))
    }
}

#[cfg(test)]
mod tests;
