//! A folder with a log in it, somebody who writes it, and a journal that receives it.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::sync::mpsc;
use vigie_event::{Batch, Cursor, ManualClock, Source, Timestamp};

use super::super::{FollowFile, FollowOptions, Follower, From, follow};
use crate::batch::{MAX_BYTES, MAX_RECORDS};

pub const DEADLINE: Duration = Duration::from_mins(1);

pub fn observed() -> Timestamp {
    Timestamp::from_seconds(1_767_607_933)
}

/// What has been received, as a journal would keep it.
#[derive(Default)]
pub struct Journal {
    pub lines: Vec<Vec<u8>>,
    pub sources: Vec<Arc<Source>>,
    cursors: HashMap<Arc<Source>, Cursor>,
}

impl Journal {
    pub fn append(&mut self, batch: Batch) {
        let bytes: usize = batch.records.iter().map(|record| record.bytes.len()).sum();
        assert!(!batch.records.is_empty() && batch.records.len() <= MAX_RECORDS);
        assert!(bytes <= MAX_BYTES || batch.records.len() == 1);
        if self.sources.last() != Some(&batch.source) {
            self.sources.push(Arc::clone(&batch.source));
        }
        let Some(Cursor::File { fingerprint, offset, .. }) = batch.cursor else {
            panic!("no file cursor: {:?}", batch.cursor);
        };
        assert_eq!(fingerprint, batch.source.fingerprint);
        for record in batch.records {
            assert_eq!(record.observed, observed());
            assert!(record.offset + record.bytes.len() as u64 <= offset);
            self.lines.push(record.bytes);
        }
        self.cursors.insert(batch.source, batch.cursor.unwrap());
    }

    pub fn cursors(&self) -> Vec<(Arc<Source>, Cursor)> {
        self.cursors.iter().map(|(source, cursor)| (Arc::clone(source), cursor.clone())).collect()
    }

    /// Checks that the lines numbered 0 to `count` came exactly once each.
    pub fn assert_complete(&self, count: u64) {
        let mut times = vec![0_u32; count as usize];
        for line in &self.lines {
            times[number(line) as usize] += 1;
        }
        let missing: Vec<_> = (0..count).filter(|n| times[*n as usize] == 0).collect();
        let doubled: Vec<_> = (0..count).filter(|n| times[*n as usize] > 1).collect();
        assert!(
            missing.is_empty() && doubled.is_empty(),
            "{} missing from {:?}, {} doubled from {:?}",
            missing.len(),
            missing.first(),
            doubled.len(),
            doubled.first()
        );
    }

    pub fn assert_in_order(&self) {
        assert!(self.lines.is_sorted_by_key(|line| number(line)));
    }
}

pub fn line(number: u64) -> String {
    format!("line {number} {:016x} padded like a line of a log\n", number.wrapping_mul(0x9E37_79B9))
}

pub fn number(line: &[u8]) -> u64 {
    let text = std::str::from_utf8(line).unwrap();
    let number = text.strip_prefix("line ").and_then(|rest| rest.split(' ').next());
    let number = number.unwrap_or_else(|| panic!("torn line {text:?}")).parse().unwrap();
    assert_eq!(format!("{text}\n"), self::line(number), "torn line");
    number
}

pub struct Rig {
    pub folder: TempDir,
    pub path: PathBuf,
    pub journal: Journal,
    pub from: From,
    pub capacity: usize,
    running: Option<(Follower, mpsc::Receiver<Batch>)>,
}

impl Rig {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.log");
        Self {
            folder,
            path,
            journal: Journal::default(),
            from: From::Start,
            capacity: 16,
            running: None,
        }
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts to follow, from the journal's cursors.
    pub async fn start(&mut self) {
        let (sender, receiver) = mpsc::channel(self.capacity);
        let options = FollowOptions {
            files: vec![FollowFile { path: self.path.clone(), format: None }],
            cursors: self.journal.cursors(),
            from: self.from,
        };
        let clock = Arc::new(ManualClock::at(observed()));
        let mut follower = follow(options, clock, sender).unwrap();
        if self.capacity > 1 {
            follower.first_look().await;
        }
        self.running = Some((follower, receiver));
    }

    /// Stops at once; what is still in the channel is lost with the process.
    pub async fn kill(&mut self) {
        if let Some((follower, receiver)) = self.running.take() {
            drop(receiver);
            follower.stop().await;
        }
    }

    pub fn status(&self) -> crate::SensorStatus {
        self.running.as_ref().unwrap().0.statuses().list().remove(0)
    }

    /// Receives until there are `count` lines in the journal; fails after the deadline, or when
    /// there are more.
    pub async fn receive(&mut self, count: u64) {
        let (_, receiver) = self.running.as_mut().unwrap();
        let deadline = tokio::time::Instant::now() + DEADLINE;
        while (self.journal.lines.len() as u64) < count {
            match tokio::time::timeout_at(deadline, receiver.recv()).await {
                Ok(Some(batch)) => self.journal.append(batch),
                other => {
                    let have = self.journal.lines.len();
                    let last = self.journal.lines.last().map(|line| String::from_utf8_lossy(line));
                    panic!("{have} of {count} lines, last {last:?}: {}", other.is_ok());
                }
            }
        }
        assert_eq!(self.journal.lines.len() as u64, count, "too many lines");
    }

    /// Receives what comes until `done`.
    pub async fn receive_until(&mut self, mut done: impl FnMut(&Journal) -> bool) {
        let (_, receiver) = self.running.as_mut().unwrap();
        let deadline = tokio::time::Instant::now() + DEADLINE;
        while !done(&self.journal) {
            assert!(tokio::time::Instant::now() < deadline, "not done in time");
            let wait = Duration::from_millis(5);
            if let Ok(Some(batch)) = tokio::time::timeout(wait, receiver.recv()).await {
                self.journal.append(batch);
            }
        }
    }

    /// Waits for a status.
    pub async fn wait_for(&self, condition: impl Fn(&crate::SensorStatus) -> bool) {
        let deadline = Instant::now() + DEADLINE;
        while !condition(&self.status()) {
            assert!(Instant::now() < deadline, "{:?}", self.status());
            tokio::task::yield_now().await;
        }
    }
}

pub fn append_to(path: &Path) -> File {
    OpenOptions::new().append(true).create(true).open(path).unwrap()
}

pub fn write_lines(file: &mut File, numbers: std::ops::Range<u64>) {
    let text: String = numbers.map(line).collect();
    file.write_all(text.as_bytes()).unwrap();
}

pub fn lines_of(path: &Path) -> Vec<u64> {
    let text = fs::read(path).unwrap_or_default();
    text.split_inclusive(|byte| *byte == b'\n')
        .filter_map(|line| line.strip_suffix(b"\n"))
        .map(number)
        .collect()
}

/// Writes numbered lines one by one at a rate of at least 20,000 a second, and between two of
/// them, every `every` lines, lets `rotate` do something to the file.
pub fn write_at_rate(
    path: &Path,
    count: u64,
    every: u64,
    mut rotate: impl FnMut(&mut File, u64),
) -> Duration {
    const PER_MILLISECOND: u64 = 25;
    let began = Instant::now();
    let mut file = append_to(path);
    for number in 0..count {
        if number > 0 && number % every == 0 {
            rotate(&mut file, number);
        }
        file.write_all(line(number).as_bytes()).unwrap();
        // Pacing, not waiting for anything.
        let due = began + Duration::from_micros(number * 1_000 / PER_MILLISECOND);
        if let Some(early) = due.checked_duration_since(Instant::now())
            && early > Duration::from_millis(1)
        {
            std::thread::sleep(early);
        }
    }
    began.elapsed()
}
