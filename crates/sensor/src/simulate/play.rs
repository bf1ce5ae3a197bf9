//! Playing a scenario into a channel as if it happened now.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;
use vigie_event::{Batch, Clock, Source, SourceKind};

use super::Simulated;
use crate::batch::Batcher;

/// How fast a scenario is played.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Pace {
    /// With the scenario's own pauses, that many times faster.
    Times(f64),
    /// That many records a second, whatever the pauses.
    PerSecond(f64),
    /// As fast as they are taken.
    AtOnce,
}

impl Default for Pace {
    fn default() -> Self {
        Self::Times(1.0)
    }
}

/// A place that writes records, with what it has written so far.
struct Outlet {
    log: &'static str,
    source: Arc<Source>,
    batcher: Batcher,
    sequence: u64,
}

/// Sends the records of a scenario to `sender` at `pace`; returns how many were sent. Ends early
/// when the receiver is gone. They have no cursor: they cannot be read again. An offset is the
/// record's number in its source.
pub async fn play(
    scenario: impl Iterator<Item = Simulated>,
    pace: Pace,
    clock: &dyn Clock,
    sender: &mpsc::Sender<Batch>,
) -> u64 {
    let mut outlets: Vec<Outlet> = Vec::new();
    let mut due = Instant::now();
    let mut sent = 0;
    for record in scenario {
        due += pause(pace, record.pause);
        // What was gathered goes out before it waits over its time.
        let waits_until = outlets.iter().filter_map(|outlet| outlet.batcher.deadline()).min();
        if waits_until.is_some_and(|deadline| due > deadline.into())
            && !flush(&mut outlets, sender, true, &mut sent).await
        {
            return sent;
        }
        tokio::time::sleep_until(due).await;
        let known = outlets.iter().position(|outlet| outlet.log == record.source);
        let index = known.unwrap_or_else(|| {
            let name = format!("simulator/{}", record.source);
            let source = Source::named(SourceKind::Simulator, name, Some(record.format));
            let batcher = Batcher::default();
            outlets.push(Outlet { log: record.source, source, batcher, sequence: 0 });
            outlets.len() - 1
        });
        if let Some(outlet) = outlets.get_mut(index) {
            let bytes = record.line.as_bytes();
            outlet.batcher.push(&outlet.source, outlet.sequence, clock.now(), bytes, None);
            outlet.sequence += 1;
        }
        if !flush(&mut outlets, sender, false, &mut sent).await {
            return sent;
        }
    }
    flush(&mut outlets, sender, true, &mut sent).await;
    sent
}

fn pause(pace: Pace, own: Duration) -> Duration {
    match pace {
        Pace::Times(times) if times > 0.0 => {
            Duration::try_from_secs_f64(own.as_secs_f64() / times).unwrap_or(own)
        }
        Pace::Times(_) => own,
        Pace::PerSecond(rate) => Duration::try_from_secs_f64(1.0 / rate).unwrap_or_default(),
        Pace::AtOnce => Duration::ZERO,
    }
}

/// Sends what is ready, or all of it; `false` when nobody takes it any more.
async fn flush(
    outlets: &mut [Outlet],
    sender: &mpsc::Sender<Batch>,
    all: bool,
    sent: &mut u64,
) -> bool {
    for outlet in outlets {
        if all {
            outlet.batcher.close();
        }
        while let Some(batch) = outlet.batcher.next_ready() {
            let records = batch.records.len() as u64;
            if sender.send(batch).await.is_err() {
                return false;
            }
            *sent += records;
        }
    }
    true
}
