//! Growing files, through every kind of rotation.
//!
//! One thread reads all files in turn. It sleeps until inotify tells of a change, or 100 ms, and
//! waits while the channel is full: nothing is dropped, sources are held back.
//!
//! What is read of a file is checked against what was read before: the first line and the last
//! bytes must still be there. Where they are not, the file was truncated, and the copy that was
//! made of it before (`copytruncate`) is looked for, to read what it has beyond.

mod hole;
mod input;
mod resume;
mod siblings;
mod tail;
#[cfg(test)]
mod tests;
mod wake;
mod watched;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{mpsc, watch};
use vigie_event::{Batch, Clock, Cursor, Format, Source, SourceKind};

use self::resume::Memory;
use self::wake::Wake;
use self::watched::Watched;
use crate::{SensorState, SensorStatus, Statuses};

/// How long a change may go unnoticed where nothing tells of it.
const POLL: Duration = Duration::from_millis(100);
/// Time between two looks at least, so that a busy file costs few system calls.
const PAUSE: Duration = Duration::from_millis(2);

/// Where to begin with a file that was never read before. A file that appears later is always
/// read from its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum From {
    /// At its beginning.
    Start,
    /// At its end.
    #[default]
    End,
}

/// A file to follow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FollowFile {
    /// Where it is, or will appear.
    pub path: PathBuf,
    /// Its format, where the user named it.
    pub format: Option<Format>,
}

/// What to follow, and where to go on.
#[derive(Clone, Debug, Default)]
pub struct FollowOptions {
    /// The files.
    pub files: Vec<FollowFile>,
    /// The last cursor of every source, as the journal knows them; those of other sources are
    /// passed over.
    pub cursors: Vec<(Arc<Source>, Cursor)>,
    /// Where to begin with files of which there is no cursor.
    pub from: From,
}

/// Files being followed. Dropping it ends that.
#[derive(Debug)]
pub struct Follower {
    statuses: Statuses,
    stop: watch::Sender<bool>,
    looked: watch::Receiver<bool>,
}

impl Follower {
    /// How the files are doing, in the order in which they were given.
    pub fn statuses(&self) -> Statuses {
        self.statuses.clone()
    }

    /// Waits until every file has been looked at once, so that the statuses tell something.
    pub async fn first_look(&mut self) {
        // An error means that the reader has ended: there will be no other look.
        let _ = self.looked.wait_for(|looked| *looked).await;
    }

    /// Ends following, and waits until it has ended. What was read but not sent will be read
    /// again after a start with the journal's cursors.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        while self.looked.changed().await.is_ok() {}
    }
}

/// Follows files and sends what they get to `sender`; ends when its receiver is gone.
///
/// Must be called within a tokio runtime.
///
/// # Errors
/// No thread can be started.
pub fn follow(
    options: FollowOptions,
    clock: Arc<dyn Clock>,
    sender: mpsc::Sender<Batch>,
) -> io::Result<Follower> {
    let FollowOptions { files, cursors, from } = options;
    let statuses = files
        .iter()
        .map(|file| SensorStatus::new(SourceKind::File, file.path.to_string_lossy()))
        .collect();
    let statuses = Statuses::new(statuses);
    let files = files
        .into_iter()
        .map(|file| {
            let memory = Memory::of(&file.path.to_string_lossy(), &cursors);
            Watched::new(file, memory, from)
        })
        .collect();
    let (stop, stopped) = watch::channel(false);
    let (looks, looked) = watch::channel(false);
    let outlet = Outlet { sender, stopped, runtime: Handle::current() };
    let mut reading =
        Reading { files, statuses: statuses.clone(), clock, outlet, wake: Wake::new() };
    std::thread::Builder::new().name("vigie-follow".into()).spawn(move || reading.run(&looks))?;
    Ok(Follower { statuses, stop, looked })
}

/// Following has been ended from outside.
struct Ended;

/// Where batches go.
struct Outlet {
    sender: mpsc::Sender<Batch>,
    stopped: watch::Receiver<bool>,
    runtime: Handle,
}

impl Outlet {
    /// Waits until the batch is taken.
    fn send(&mut self, batch: Batch) -> Result<(), Ended> {
        let batch = match self.sender.try_send(batch) {
            Ok(()) => return Ok(()),
            Err(mpsc::error::TrySendError::Closed(_)) => return Err(Ended),
            Err(mpsc::error::TrySendError::Full(batch)) => batch,
        };
        let (sender, stopped) = (&self.sender, &mut self.stopped);
        self.runtime.block_on(async {
            tokio::select! {
                _ = stopped.wait_for(|stopped| *stopped) => Err(Ended),
                sent = sender.send(batch) => sent.map_err(|_| Ended),
            }
        })
    }

    fn has_ended(&self) -> bool {
        // The other end of `stopped` is the follower itself.
        *self.stopped.borrow() || self.stopped.has_changed().is_err() || self.sender.is_closed()
    }
}

/// The reading thread's own.
struct Reading {
    files: Vec<Watched>,
    statuses: Statuses,
    clock: Arc<dyn Clock>,
    outlet: Outlet,
    wake: Wake,
}

impl Reading {
    fn run(&mut self, looks: &watch::Sender<bool>) {
        let mut scratch = vec![0; tail::CHUNK + tail::ANCHOR];
        loop {
            let began = Instant::now();
            let Ok(more) = self.look(&mut scratch) else { break };
            looks.send_if_modified(|looked| !std::mem::replace(looked, true));
            if self.outlet.has_ended() {
                break;
            }
            if more {
                continue;
            }
            let deadline = self.files.iter().filter_map(|file| file.batcher.deadline()).min();
            let timeout = deadline
                .map_or(POLL, |due| due.saturating_duration_since(Instant::now()).min(POLL));
            self.wake.wait(timeout);
            if let Some(rest) = PAUSE.checked_sub(began.elapsed()) {
                std::thread::sleep(rest);
            }
        }
        for index in 0..self.files.len() {
            self.statuses.update(index, |status| status.state = SensorState::Stopped);
        }
    }

    /// Looks at every file once; whether there is more to read at once.
    fn look(&mut self, scratch: &mut [u8]) -> Result<bool, Ended> {
        let mut more = false;
        for (index, file) in self.files.iter_mut().enumerate() {
            let observed = self.clock.now();
            let look = file.look(observed, &self.wake, scratch);
            more |= look.more;
            file.batcher.close_due(Instant::now());
            let (mut records, mut bytes) = (0, 0);
            while let Some(batch) = file.batcher.next_ready() {
                records += batch.records.len() as u64;
                bytes += batch.records.iter().map(|record| record.bytes.len() as u64).sum::<u64>();
                self.outlet.send(batch)?;
            }
            if records == 0 && look.is_quiet() {
                continue;
            }
            self.statuses.update(index, |status| {
                if let Some(state) = look.state
                    && state != status.state
                {
                    tracing::info!(path = status.name, ?state, "file");
                    status.state = state;
                }
                status.records += records;
                status.bytes += bytes;
                status.rotations += look.rotations;
                status.lost += look.lost;
                if records > 0 {
                    status.last_record = Some(observed);
                }
            });
        }
        Ok(more)
    }
}
