use std::path::PathBuf;
use std::sync::Arc;

use tantivy::TantivyError;

/// What is wrong with a query, where, and the mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("query, column {column}: {problem}; {mend}")]
pub struct QueryError {
    /// Column of the bad place in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub problem: String,
    /// What to write instead.
    pub mend: String,
}

/// Why the index could not do something, and the mend.
#[derive(Clone, Debug, thiserror::Error)]
pub enum IndexError {
    /// The query cannot be read.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// The operating system refused.
    #[error("cannot {doing} {path}: {error}")]
    Io {
        /// What was tried, such as `make`.
        doing: &'static str,
        /// With which file or folder.
        path: PathBuf,
        /// The system's reason.
        error: Arc<std::io::Error>,
    },
    /// The checkpoint is missing or damaged while there are days.
    #[error(
        "{path} is missing or damaged: stop, remove the folder around it and start; the index is built again from the journal"
    )]
    Checkpoint {
        /// The checkpoint's file.
        path: PathBuf,
    },
    /// A day's index is damaged or of another version.
    #[error(
        "the event index in {path} cannot be used: {error}; stop, remove the folder around it and start: the index is built again from the journal"
    )]
    Day {
        /// The day's folder.
        path: PathBuf,
        /// The search library's reason.
        error: Arc<TantivyError>,
    },
    /// A day cannot be written.
    #[error(
        "cannot write the event index in {path}: {error}; see to the disk, then open the index again: it resumes where it was"
    )]
    Write {
        /// The day's folder.
        path: PathBuf,
        /// The search library's reason.
        error: Arc<TantivyError>,
    },
    /// Another process has the index open.
    #[error("the event index in {dir} is open in another process: stop that one")]
    Locked {
        /// The index's folder.
        dir: PathBuf,
    },
    /// An earlier write failed.
    #[error("an earlier write to the event index failed: open it again and resume at its position")]
    Broken,
}

impl IndexError {
    pub(super) fn io(doing: &'static str, path: PathBuf, error: std::io::Error) -> Self {
        Self::Io { doing, path, error: Arc::new(error) }
    }
}
