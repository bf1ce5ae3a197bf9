use std::fmt;
use std::sync::Arc;

use vigie_event::{Clock, SystemClock};

use super::Position;

/// When batches are compressed (zstd, level 1). Only batches over 4 KiB are, and only those that
/// get smaller by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// While the writer keeps up; not while more than 1 MiB of records is waiting, when processor
    /// time is worth more than disk space.
    #[default]
    WhenIdle,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How a journal is kept.
#[derive(Clone)]
pub struct JournalOptions {
    /// A segment is closed when it has this size, in bytes.
    pub segment_bytes: u64,
    /// A segment is closed when it is this old, in seconds, so that retention by age works at
    /// low rates too.
    pub segment_age_s: i64,
    /// The largest batch, in bytes of its records with 16 more for each; at most 1 GiB.
    pub max_batch_bytes: usize,
    /// Free space that must be left on the file system, in bytes; 0: none.
    pub reserve_bytes: u64,
    /// [`Journal::retain`](super::Journal::retain) drops segments beyond this size in total, in
    /// bytes; `None`: no limit.
    pub max_bytes: Option<u64>,
    /// … and segments whose last record was written longer ago than this, in seconds; `None`: no
    /// limit.
    pub max_age_s: Option<i64>,
    /// When batches are compressed.
    pub compression: Compression,
    /// Positions below are not given, even where the journal has lost its end to a broken disk:
    /// the furthest checkpoint of any consumer, which would otherwise skip new records.
    pub not_before: Position,
    /// Tells when segments are made.
    pub clock: Arc<dyn Clock>,
}

impl Default for JournalOptions {
    /// 64 MiB or a day a segment, batches up to 32 MiB, 256 MiB of disk kept back, no limits.
    fn default() -> Self {
        Self {
            segment_bytes: 64 << 20,
            segment_age_s: 86_400,
            max_batch_bytes: 32 << 20,
            reserve_bytes: 256 << 20,
            max_bytes: None,
            max_age_s: None,
            compression: Compression::WhenIdle,
            not_before: Position(0),
            clock: Arc::new(SystemClock),
        }
    }
}

impl fmt::Debug for JournalOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JournalOptions")
            .field("segment_bytes", &self.segment_bytes)
            .field("segment_age_s", &self.segment_age_s)
            .field("max_batch_bytes", &self.max_batch_bytes)
            .field("reserve_bytes", &self.reserve_bytes)
            .field("max_bytes", &self.max_bytes)
            .field("max_age_s", &self.max_age_s)
            .field("compression", &self.compression)
            .field("not_before", &self.not_before)
            .finish_non_exhaustive()
    }
}
