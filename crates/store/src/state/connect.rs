//! Opening the database: one connection that writes, a few that read.

use std::path::Path;
use std::time::Duration;

use sea_orm::sqlx::sqlite::{SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};

use super::StateError;

/// Readers beside the one writer.
const READERS: u32 = 4;
/// What the write-ahead log is cut back to after a large transaction, in bytes: 16 MiB.
const LOG_BYTES: &str = "16777216";
/// How long a connection waits for another process (a backup, `sqlite3` by hand) to let go.
const BUSY: Duration = Duration::from_secs(30);
/// How long a query waits for a free connection. Long enough that it is an error of Vigie's own
/// when it passes.
const ACQUIRE: Duration = Duration::from_mins(2);

/// The connection that writes: WAL, so that readers never wait for it, and a full sync at each
/// commit, since checkpoints and effects depend on it.
pub async fn writer(path: &Path) -> Result<DatabaseConnection, StateError> {
    let path = path.to_owned();
    let mut options = one_connection();
    options.map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .filename(&path)
            .in_memory(false)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .pragma("journal_size_limit", LOG_BYTES)
            .busy_timeout(BUSY)
    });
    Ok(Database::connect(options).await?)
}

/// The connections that read. The database refuses to change anything through them.
pub async fn readers(path: &Path) -> Result<DatabaseConnection, StateError> {
    let path = path.to_owned();
    let mut options = one_connection();
    options.max_connections(READERS).map_sqlx_sqlite_opts(move |sqlite| {
        sqlite
            .filename(&path)
            .in_memory(false)
            .journal_mode(SqliteJournalMode::Wal)
            .pragma("query_only", "ON")
            .busy_timeout(BUSY)
    });
    Ok(Database::connect(options).await?)
}

/// A database that lives as long as its one connection.
pub async fn in_memory() -> Result<DatabaseConnection, StateError> {
    let mut options = one_connection();
    options.map_sqlx_sqlite_opts(|sqlite| sqlite.foreign_keys(true));
    Ok(Database::connect(options).await?)
}

fn one_connection() -> ConnectOptions {
    let mut options = ConnectOptions::new("sqlite::memory:");
    options
        .min_connections(1)
        .max_connections(1)
        .acquire_timeout(ACQUIRE)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
        .sqlx_logging(false);
    options
}
