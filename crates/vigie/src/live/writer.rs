//! Sensors' batches, into the journal.

use std::time::Duration;

use tokio::sync::mpsc;
use vigie_event::Batch;
use vigie_store::journal::Journal;

/// Batches that sensors may be ahead of the journal; past it they are held back.
pub const QUEUE: usize = 64;
/// Between two tries of a batch that the disk would not take.
const RETRY: Duration = Duration::from_secs(2);

/// Appends batches in the order in which they come, until the last sensor is gone. A batch that
/// the disk does not take is tried again until it does: sources wait meanwhile, nothing is
/// dropped.
pub async fn run(journal: Journal, mut batches: mpsc::Receiver<Batch>) {
    while let Some(batch) = batches.recv().await {
        let mut complained = false;
        // A clone a try: the journal takes the batch, and a refused one must not be lost.
        while let Err(error) = journal.append(batch.clone()).await {
            if !complained {
                tracing::error!(%error, source = batch.source.name, "cannot write the journal; sources wait");
                complained = true;
            }
            tokio::time::sleep(RETRY).await;
        }
        if complained {
            tracing::info!("the journal can be written again");
        }
    }
}
