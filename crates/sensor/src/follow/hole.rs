//! Holes at the beginning of truncated files.
//!
//! A writer that does not append goes on at its old offset after its file was truncated, so that
//! the file begins with a hole, which reads as zeros, up to gigabytes of them, and means nothing.

use std::fs::File;

use crate::lines::HEAD_BYTES;

/// Whether a file that begins with `head` begins with a hole.
pub(super) fn begins(head: &[u8]) -> bool {
    head.get(..HEAD_BYTES).is_some_and(|head| head.iter().all(|byte| *byte == 0))
}

/// Zeros at the beginning of `bytes`.
pub(super) fn zeros(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| **byte == 0).count()
}

/// Offset of the first data at or after `offset`, at most a block too early.
pub(super) fn next_data(file: &File, offset: u64) -> u64 {
    #[cfg(target_os = "linux")]
    {
        rustix::fs::seek(file, rustix::fs::SeekFrom::Data(offset)).unwrap_or(offset)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = file;
        offset
    }
}
