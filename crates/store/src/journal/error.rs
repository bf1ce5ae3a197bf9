use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use super::Position;

/// Why the journal could not do something, and the mend.
#[derive(Clone, Debug, thiserror::Error)]
pub enum JournalError {
    /// Another process has the journal open.
    #[error(
        "the journal in {dir} is open in process {pid}: stop that one, or use another data directory"
    )]
    Locked {
        /// The journal's folder.
        dir: PathBuf,
        /// Who has it open, as far as the lock file tells.
        pid: String,
    },
    /// The file system has no room.
    #[error(
        "no room left for {path}: free space on its file system, or lower the journal's retention; nothing acknowledged is lost and appending goes on when there is room"
    )]
    Full {
        /// The file that could not be written.
        path: PathBuf,
    },
    /// Writing would use up the free space that is kept back.
    #[error(
        "the file system of {dir} has {free} bytes free and {reserve} are kept back: free space, lower the journal's retention or its disk reserve; appending goes on when there is room"
    )]
    Reserve {
        /// The journal's folder.
        dir: PathBuf,
        /// Bytes free now.
        free: u64,
        /// Bytes kept back ([`JournalOptions::reserve_bytes`](super::JournalOptions)).
        reserve: u64,
    },
    /// The operating system refused.
    #[error("cannot {doing} {path}: {error}")]
    Io {
        /// What was tried, such as `write`.
        doing: &'static str,
        /// With which file.
        path: PathBuf,
        /// The system's reason.
        error: Arc<io::Error>,
    },
    /// The batch is larger than the journal takes.
    #[error("a batch of {bytes} bytes is over the journal's limit of {limit}: send smaller ones")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// [`JournalOptions::max_batch_bytes`](super::JournalOptions).
        limit: usize,
    },
    /// Source or cursor cannot be written down.
    #[error("a batch's source or cursor cannot be written: {0}")]
    Encode(String),
    /// A segment of a newer version.
    #[error("{path} has journal format {version}, this program knows 1: use the newer program")]
    Newer {
        /// The segment.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// The positions are used up, or a file's name claims a position beyond all.
    #[error("the journal cannot hold records behind position {0}")]
    Exhausted(Position),
    /// The journal is being closed.
    #[error("the journal is closed")]
    Closed,
}

impl JournalError {
    /// Whether the same append can succeed later, once there is room.
    pub fn is_out_of_room(&self) -> bool {
        matches!(self, Self::Full { .. } | Self::Reserve { .. })
    }

    /// Whether a file was not there.
    pub(super) fn is_not_found(&self) -> bool {
        matches!(self, Self::Io { error, .. } if error.kind() == io::ErrorKind::NotFound)
    }

    pub(super) fn io(doing: &'static str, path: PathBuf, error: io::Error) -> Self {
        let full =
            matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded);
        if full { Self::Full { path } } else { Self::Io { doing, path, error: Arc::new(error) } }
    }
}
