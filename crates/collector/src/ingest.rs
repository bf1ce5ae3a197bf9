//! Where accepted records go.

use std::future::Future;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;

use vigie_event::{Batch, Cursor, RecordRef, Source};
use vigie_store::journal::{Journal, JournalError, Position};

/// A future behind a pointer, so that the trait can be used as `dyn`.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A durable log of records: the [`Journal`], or a stand-in in tests.
pub trait Ingest: Send + Sync + 'static {
    /// Appends a batch. When the future resolves the batch is on disk; gives the position after
    /// it.
    fn append(&self, batch: Batch) -> BoxFuture<'_, Result<Position, JournalError>>;

    /// The last cursor of each source.
    fn cursors(&self) -> Vec<(Arc<Source>, Cursor)>;

    /// Reads records in order from `from` (or from the oldest kept, where that is later) to the
    /// durable end, or until `each` breaks off. Blocks.
    fn read(
        &self,
        from: Position,
        each: &mut dyn FnMut(Position, RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), JournalError>;
}

impl Ingest for Journal {
    fn append(&self, batch: Batch) -> BoxFuture<'_, Result<Position, JournalError>> {
        Box::pin(Self::append(self, batch))
    }

    fn cursors(&self) -> Vec<(Arc<Source>, Cursor)> {
        Self::cursors(self)
    }

    fn read(
        &self,
        from: Position,
        each: &mut dyn FnMut(Position, RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), JournalError> {
        let mut reader = self.reader(from.max(self.start()));
        while let Some(batch) = reader.next_view()? {
            let mut position = batch.first();
            for record in batch.records() {
                if each(position, record).is_break() {
                    return Ok(());
                }
                position = position.plus(1);
            }
        }
        Ok(())
    }
}
