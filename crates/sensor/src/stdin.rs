//! Standard input as a live source.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::Instant;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::sync::mpsc;
use vigie_event::{Batch, Clock, Format, Source, SourceKind};

use crate::batch::Batcher;
use crate::lines::{Line, Lines};
use crate::{SensorState, SensorStatus, Statuses};

/// The source's name.
const NAME: &str = "stdin";
/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;

/// Sends the lines of standard input to `sender`, until its end or until the receiver is gone.
/// They have no cursor: they cannot be read again.
///
/// # Errors
/// No thread can be started.
pub fn follow(
    format: Option<Format>,
    clock: Arc<dyn Clock>,
    sender: mpsc::Sender<Batch>,
) -> io::Result<Statuses> {
    follow_input(io::stdin(), format, clock, sender)
}

fn follow_input(
    input: impl Read + AsFd + Send + 'static,
    format: Option<Format>,
    clock: Arc<dyn Clock>,
    sender: mpsc::Sender<Batch>,
) -> io::Result<Statuses> {
    let statuses = Statuses::new(vec![SensorStatus::new(SourceKind::Stdin, NAME)]);
    let reading = statuses.clone();
    // A thread, since a read of standard input cannot be given up.
    std::thread::Builder::new().name("vigie-stdin".into()).spawn(move || {
        reading.update(0, |status| status.state = SensorState::Reading);
        let state = match run(input, format, &*clock, &sender, &reading) {
            Ok(()) => SensorState::Stopped,
            Err(error) => SensorState::Failed { error: error.to_string() },
        };
        reading.update(0, |status| status.state = state);
    })?;
    Ok(statuses)
}

fn run(
    mut input: impl Read + AsFd,
    format: Option<Format>,
    clock: &dyn Clock,
    sender: &mpsc::Sender<Batch>,
    statuses: &Statuses,
) -> io::Result<()> {
    let source = Source::named(SourceKind::Stdin, NAME, format);
    let mut lines = Lines::default();
    let mut batcher = Batcher::default();
    let mut buffer = vec![0; CHUNK];
    loop {
        if is_ready(&input, batcher.deadline())? {
            let count = match input.read(&mut buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                count => count?,
            };
            let observed = clock.now();
            let mut take = |line: Line<'_>| {
                batcher.push(&source, line.offset, observed, line.bytes, None);
            };
            if count == 0 {
                lines.finish(&mut take);
                batcher.close();
                send(&mut batcher, sender, statuses);
                return Ok(());
            }
            lines.push(buffer.get(..count).unwrap_or_default(), take);
            let lost = lines.take_lost();
            if !lost.is_nothing() {
                statuses.update(0, |status| status.lost += lost);
            }
            batcher.close_due(Instant::now());
        } else {
            batcher.close();
        }
        if !send(&mut batcher, sender, statuses) {
            return Ok(());
        }
    }
}

/// Waits until there is something to read; `false` when the deadline came first.
fn is_ready(input: &impl AsFd, deadline: Option<Instant>) -> io::Result<bool> {
    let mut descriptors = [PollFd::new(input, PollFlags::IN)];
    loop {
        let timeout = deadline.map(|due| due.saturating_duration_since(Instant::now()));
        let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
        match poll(&mut descriptors, timeout.as_ref()) {
            Err(rustix::io::Errno::INTR) => {}
            ready => return Ok(ready? > 0),
        }
    }
}

/// Waits until the batches are taken; `false` when nobody takes them any more.
fn send(batcher: &mut Batcher, sender: &mpsc::Sender<Batch>, statuses: &Statuses) -> bool {
    while let Some(batch) = batcher.next_ready() {
        let records = batch.records.len() as u64;
        let bytes: u64 = batch.records.iter().map(|record| record.bytes.len() as u64).sum();
        let last = batch.records.last().map(|record| record.observed);
        if sender.blocking_send(batch).is_err() {
            return false;
        }
        statuses.update(0, |status| {
            status.records += records;
            status.bytes += bytes;
            status.last_record = last;
        });
    }
    !sender.is_closed()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use vigie_event::{ManualClock, Timestamp};

    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn sends_lines_as_they_come_and_the_rest_at_the_end() {
        let (reader, mut writer) = io::pipe().unwrap();
        let (sender, mut receiver) = mpsc::channel(4);
        let clock = Arc::new(ManualClock::at(Timestamp::from_seconds(1)));
        let statuses = follow_input(reader, Some(Format::Syslog), clock, sender).unwrap();
        writer.write_all(b"one\r\ntwo").unwrap();
        let batch = receiver.recv().await.unwrap();
        assert_eq!(batch.cursor, None);
        assert_eq!(batch.source.format, Some(Format::Syslog));
        let lines = |batch: Batch| -> Vec<_> {
            batch.records.into_iter().map(|record| (record.offset, record.bytes)).collect()
        };
        assert_eq!(lines(batch), [(0, b"one".to_vec())]);
        drop(writer);
        assert_eq!(lines(receiver.recv().await.unwrap()), [(5, b"two".to_vec())]);
        assert!(receiver.recv().await.is_none());
        assert_eq!(statuses.list()[0].records, 2);
    }
}
