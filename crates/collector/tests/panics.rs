//! A log that panics does not leave its senders waiting for ever.

#![allow(clippy::panic, clippy::unwrap_used)]

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::timeout;
use vigie_collector::{BoxFuture, Collector, Ingest, IntakeError};
use vigie_event::{Batch, Cursor, ManualClock, RecordRef, Source};
use vigie_store::journal::{JournalError, Position};
use vigie_store::state::State;

/// A log that panics the first time.
struct Nervous(AtomicU64);

impl Ingest for Nervous {
    fn append(&self, batch: Batch) -> BoxFuture<'_, Result<Position, JournalError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            assert!(self.0.fetch_add(1, Ordering::SeqCst) > 0, "as told");
            Ok(Position(batch.records.len() as u64))
        })
    }

    fn cursors(&self) -> Vec<(Arc<Source>, Cursor)> {
        Vec::new()
    }

    fn read(
        &self,
        _: Position,
        _: &mut dyn FnMut(Position, RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), JournalError> {
        Ok(())
    }
}

#[tokio::test]
async fn after_a_panic_senders_are_told_and_the_next_is_served() {
    let state = State::in_memory().await.unwrap();
    let log = Arc::new(Nervous(AtomicU64::new(0)));
    let collector = Collector::new(log, state, Arc::new(ManualClock::default()));
    let post = || collector.collect(vec![b"{\"a\":1}".to_vec()]);
    let both = async { tokio::join!(post(), post()) };
    let (first, second) = timeout(Duration::from_secs(10), both).await.unwrap();
    for result in [first, second] {
        assert!(matches!(result, Err(IntakeError::Stopped)), "{result:?}");
    }
    let third = timeout(Duration::from_secs(10), post()).await.unwrap().unwrap();
    assert_eq!(third.total, 1);
}
