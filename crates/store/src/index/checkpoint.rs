//! How far the index has got: one small file, replaced at once.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::IndexError;
use crate::journal::Position;

/// The file's name.
pub(super) const CHECKPOINT: &str = "checkpoint";
const FORMAT: u32 = 1;

/// What is durable in all days.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    format: u32,
    /// The last finished commit.
    pub(super) epoch: u64,
    /// The journal position up to which it has indexed.
    pub(super) position: Position,
}

impl Checkpoint {
    pub(super) fn new(epoch: u64, position: Position) -> Self {
        Self { format: FORMAT, epoch, position }
    }

    /// `Ok(None)` where there is no file.
    pub(super) fn read(dir: &Path) -> Result<Option<Self>, IndexError> {
        let path = dir.join(CHECKPOINT);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(IndexError::io("read", path, error)),
        };
        serde_json::from_slice(&bytes)
            .ok()
            .filter(|checkpoint: &Self| checkpoint.format == FORMAT)
            .map(Some)
            .ok_or(IndexError::Checkpoint { path })
    }

    /// Durable when it returns.
    pub(super) fn write(&self, dir: &Path) -> Result<(), IndexError> {
        let path = dir.join(CHECKPOINT);
        let new = dir.join("checkpoint.new");
        let failed = |error| IndexError::io("write", path.clone(), error);
        let bytes = serde_json::to_vec(self).map_err(|error| failed(error.into()))?;
        let mut file = File::create(&new).map_err(failed)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(failed)?;
        std::fs::rename(&new, &path).map_err(failed)?;
        sync_dir(dir)
    }
}

/// Makes the names in `dir` durable.
pub(super) fn sync_dir(dir: &Path) -> Result<(), IndexError> {
    File::open(dir)
        .and_then(|folder| folder.sync_all())
        .map_err(|error| IndexError::io("make durable", dir.to_owned(), error))
}
