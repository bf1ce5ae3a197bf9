//! The system's journal, through `journalctl`.
//!
//! `journalctl` runs as a child without a shell and prints one JSON object an entry; each
//! entry's `__CURSOR` is where to go on after it. When the child dies it is started again, later
//! each time.

use std::io;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Deserialize;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use vigie_event::{Batch, Clock, Cursor, Format, Localized, Source, SourceKind};

use crate::batch::Batcher;
use crate::follow::From;
use crate::lines::{Line, Lines};
use crate::{SensorState, SensorStatus, Statuses};

/// The source's name.
const NAME: &str = "journald";
/// First and longest wait before the child is started again.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(30));
/// A child that has lived this long without a word is following; one that may not read the journal
/// or finds none ends at once.
const SETTLED: Duration = Duration::from_millis(500);
/// Bytes of the child's complaints that are kept.
const COMPLAINT: u64 = 1_000;

/// How to follow the journal.
#[derive(Clone, Debug)]
pub struct JournaldOptions {
    /// The program, by name or path.
    pub program: PathBuf,
    /// The last cursor of every source, as our own journal knows them; those of other sources are
    /// passed over.
    pub cursors: Vec<(Arc<Source>, Cursor)>,
    /// Where to begin without a cursor.
    pub from: From,
}

impl Default for JournaldOptions {
    fn default() -> Self {
        Self { program: "journalctl".into(), cursors: Vec::new(), from: From::End }
    }
}

/// The journal being followed. Dropping it ends that, and the child with it.
#[derive(Debug)]
pub struct Journald {
    statuses: Statuses,
    task: JoinHandle<()>,
}

impl Journald {
    /// How it is doing.
    pub fn statuses(&self) -> Statuses {
        self.statuses.clone()
    }
}

impl Drop for Journald {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The journal as a source.
pub fn source() -> Arc<Source> {
    Source::named(SourceKind::Journald, NAME, Some(Format::Journald))
}

/// Follows the system's journal and sends its entries to `sender`; ends when its receiver is
/// gone, or where there is no `journalctl`, which the status tells.
///
/// Must be called within a tokio runtime.
pub fn follow(
    options: JournaldOptions,
    clock: Arc<dyn Clock>,
    sender: mpsc::Sender<Batch>,
) -> Journald {
    let statuses = Statuses::new(vec![SensorStatus::new(SourceKind::Journald, NAME)]);
    let cursor = options.cursors.iter().rev().find_map(|(source, cursor)| match cursor {
        Cursor::Journald { cursor } if source.kind == SourceKind::Journald => Some(cursor.clone()),
        _ => None,
    });
    let mut following = Following {
        program: options.program,
        from: options.from,
        cursor,
        source: source(),
        clock,
        sender,
        statuses: statuses.clone(),
        sequence: 0,
    };
    let task = tokio::spawn(async move { following.run().await });
    Journald { statuses, task }
}

/// Why one child's output ended.
enum Ending {
    /// Nobody takes batches any more.
    Closed,
    /// The child closed its output.
    Child,
}

struct Following {
    program: PathBuf,
    from: From,
    cursor: Option<String>,
    source: Arc<Source>,
    clock: Arc<dyn Clock>,
    sender: mpsc::Sender<Batch>,
    statuses: Statuses,
    sequence: u64,
}

impl Following {
    async fn run(&mut self) {
        let mut wait = BACKOFF.0;
        loop {
            let before = self.sequence;
            let state = match self.run_child().await {
                Ok(None) => {
                    self.state(SensorState::Stopped);
                    return;
                }
                Ok(Some(error)) => SensorState::Failed { error },
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.state(SensorState::Absent {
                        reason: Localized::new(
                            "no journalctl on this machine; log files are followed instead",
                            "pas de journalctl sur cette machine\u{202f}; les fichiers de \
                             journaux sont suivis à la place",
                        ),
                    });
                    return;
                }
                Err(error) => SensorState::Failed { error: error.to_string() },
            };
            if self.sequence > before {
                wait = BACKOFF.0;
            }
            tracing::warn!(?state, ?wait, "journalctl ended; it is started again");
            self.state(state);
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = self.sender.closed() => return,
            }
            wait = (wait * 2).min(BACKOFF.1);
        }
    }

    fn state(&self, state: SensorState) {
        self.statuses.update(0, |status| status.state = state);
    }

    fn start(&self) -> io::Result<Child> {
        let mut command = Command::new(&self.program);
        command.args(["--output=json", "--follow", "--all", "--quiet"]);
        match (&self.cursor, self.from) {
            // One argument: a cursor that begins with a dash is no option.
            (Some(cursor), _) => {
                command.arg("--no-tail").arg(format!("--after-cursor={cursor}"));
            }
            (None, From::Start) => {
                command.arg("--no-tail");
            }
            (None, From::End) => {
                command.arg("--lines=0");
            }
        }
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // In a group of its own, so that the terminal's Ctrl-C is ours alone to act on.
        command.process_group(0).kill_on_drop(true).spawn()
    }

    /// Reads one child to its end. The answer says why it ended; `None`: nobody listens any more.
    async fn run_child(&mut self) -> io::Result<Option<String>> {
        let mut child = self.start()?;
        let (Some(output), Some(complaints)) = (child.stdout.take(), child.stderr.take()) else {
            return Ok(Some("journalctl has no output".into()));
        };
        // Kept flowing, so that the child never waits for somebody to read its complaints.
        let complaints = tokio::spawn(async move {
            let mut text = Vec::new();
            let mut complaints = complaints;
            let _ = (&mut complaints).take(COMPLAINT).read_to_end(&mut text).await;
            let _ = tokio::io::copy(&mut complaints, &mut tokio::io::sink()).await;
            String::from_utf8_lossy(&text).trim().to_owned()
        });
        if let Ending::Closed = self.read(output).await? {
            return Ok(None);
        }
        let status = child.wait().await?;
        let complaint = complaints.await.unwrap_or_default();
        Ok(Some(format!("journalctl ended with {status}: {complaint}")))
    }

    async fn read(&mut self, output: ChildStdout) -> io::Result<Ending> {
        let mut output = BufReader::with_capacity(64 * 1024, output);
        let mut lines = Lines::default();
        let mut batcher = Batcher::default();
        let settled = tokio::time::sleep(SETTLED);
        tokio::pin!(settled);
        let mut following = false;
        loop {
            let due = batcher.deadline();
            let chunk = tokio::select! {
                () = self.sender.closed() => return Ok(Ending::Closed),
                chunk = output.fill_buf() => chunk?,
                () = &mut settled, if !following => {
                    following = true;
                    self.state(SensorState::Reading);
                    continue;
                }
                () = tokio::time::sleep_until(due.unwrap_or_else(Instant::now).into()),
                    if due.is_some() =>
                {
                    batcher.close();
                    if self.send(&mut batcher).await.is_err() {
                        return Ok(Ending::Closed);
                    }
                    continue;
                }
            };
            let count = chunk.len();
            if count > 0 && !following {
                following = true;
                self.state(SensorState::Reading);
            }
            lines.push(chunk, |line| self.take(line, &mut batcher));
            output.consume(count);
            let lost = lines.take_lost();
            if !lost.is_nothing() {
                self.statuses.update(0, |status| status.lost += lost);
            }
            if count == 0 {
                // What has no end is no whole entry, and will come again after the last cursor.
                batcher.close();
            }
            batcher.close_due(Instant::now());
            if self.send(&mut batcher).await.is_err() {
                return Ok(Ending::Closed);
            }
            if count == 0 {
                return Ok(Ending::Child);
            }
        }
    }

    fn take(&mut self, line: Line<'_>, batcher: &mut Batcher) {
        #[derive(Deserialize)]
        struct Entry {
            #[serde(rename = "__CURSOR")]
            cursor: String,
        }
        if let Ok(entry) = serde_json::from_slice::<Entry>(line.bytes) {
            self.cursor = Some(entry.cursor);
        }
        let cursor = self.cursor.clone().map(|cursor| Cursor::Journald { cursor });
        let observed = self.clock.now();
        batcher.push(&self.source, self.sequence, observed, line.bytes, cursor);
        self.sequence += 1;
    }

    async fn send(&self, batcher: &mut Batcher) -> Result<(), mpsc::error::SendError<Batch>> {
        while let Some(batch) = batcher.next_ready() {
            let records = batch.records.len() as u64;
            let bytes: u64 = batch.records.iter().map(|record| record.bytes.len() as u64).sum();
            let last = batch.records.last().map(|record| record.observed);
            self.sender.send(batch).await?;
            self.statuses.update(0, |status| {
                status.records += records;
                status.bytes += bytes;
                status.last_record = last;
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use vigie_event::{ManualClock, Timestamp};

    use super::*;

    /// A program that answers as `journalctl` would: entries after the cursor given, three at a
    /// time, then it dies.
    fn program(folder: &Path) -> PathBuf {
        script(
            folder,
            r#"#!/bin/sh
n=0
for argument; do
  case "$argument" in --after-cursor=s=*) n=${argument#--after-cursor=s=} ;; esac
done
for step in 1 2 3; do
  n=$((n + 1))
  echo "{\"MESSAGE\":\"entry $n\",\"__CURSOR\":\"s=$n\"}"
done
echo "it died" >&2
exit 1
"#,
        )
    }

    fn script(folder: &Path, text: &str) -> PathBuf {
        let path = folder.join("journalctl");
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    fn clock() -> Arc<dyn Clock> {
        Arc::new(ManualClock::at(Timestamp::from_seconds(1_767_607_933)))
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn goes_on_after_the_cursor_when_the_child_died() {
        let folder = tempfile::tempdir().unwrap();
        let (sender, mut receiver) = mpsc::channel(4);
        let options = JournaldOptions {
            program: program(folder.path()),
            cursors: vec![(source(), Cursor::Journald { cursor: "s=10".into() })],
            from: From::End,
        };
        let journald = follow(options, clock(), sender);
        let mut entries = Vec::new();
        while entries.len() < 9 {
            let batch = receiver.recv().await.unwrap();
            let last = batch.records.last().unwrap().bytes.clone();
            let Some(Cursor::Journald { cursor }) = batch.cursor else { panic!("no cursor") };
            assert!(String::from_utf8(last).unwrap().contains(&format!("\"{cursor}\"")));
            entries.extend(batch.records.into_iter().map(|record| record.bytes));
        }
        for (number, entry) in (11..).zip(&entries) {
            let expected =
                format!("{{\"MESSAGE\":\"entry {number}\",\"__CURSOR\":\"s={number}\"}}");
            assert_eq!(String::from_utf8_lossy(entry), expected);
        }
        drop(journald);
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_missing_program_is_a_status() {
        let (sender, mut receiver) = mpsc::channel(4);
        let program = PathBuf::from("/nonexistent/journalctl");
        let journald = follow(JournaldOptions { program, ..Default::default() }, clock(), sender);
        assert!(receiver.recv().await.is_none());
        let status = journald.statuses().list().remove(0);
        assert!(matches!(status.state, SensorState::Absent { .. }), "{status:?}");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn the_first_look_tells_how_it_went() {
        async fn check(text: &str, expected: impl Fn(&SensorState) -> bool) {
            let folder = tempfile::tempdir().unwrap();
            let (sender, _receiver) = mpsc::channel(4);
            let program = script(folder.path(), text);
            let options = JournaldOptions { program, ..Default::default() };
            let journald = follow(options, clock(), sender);
            journald.statuses().looked_at().await;
            let status = journald.statuses().list().remove(0);
            assert!(expected(&status.state), "{text}: {status:?}");
        }
        check("#!/bin/sh\nexec sleep 60\n", |state| *state == SensorState::Reading).await;
        check("#!/bin/sh\necho 'No journal files were found.' >&2\nexit 1\n", |state| {
            matches!(state, SensorState::Failed { error } if error.contains("No journal files"))
        })
        .await;
        let entry = r#"{"MESSAGE":"m","__CURSOR":"s=1"}"#;
        check(&format!("#!/bin/sh\necho '{entry}'\nexec sleep 60\n"), |state| {
            *state == SensorState::Reading
        })
        .await;
    }
}
