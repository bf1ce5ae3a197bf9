//! The journal on the machine's own disk, as its users see it.

// A test that panics has failed, and says where.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;
use vigie_event::{Batch, Clock, Cursor, ManualClock, Record, Source, SourceKind, Timestamp};
use vigie_store::journal::{
    Compression, Journal, JournalError, JournalOptions, Position, Retained,
};

const START: Timestamp = Timestamp::from_seconds(1_800_000_000);

fn options() -> JournalOptions {
    JournalOptions {
        segment_bytes: 64 << 10,
        reserve_bytes: 0,
        clock: Arc::new(ManualClock::at(START)),
        ..JournalOptions::default()
    }
}

fn open(dir: &Path) -> Journal {
    let (journal, recovery) = Journal::open(dir, options()).unwrap();
    assert!(recovery.is_clean(), "{recovery:?}");
    journal
}

fn line(position: u64) -> Vec<u8> {
    format!("Failed password for user{position} from 192.0.2.{} port 22", position % 250)
        .into_bytes()
}

/// Lines with the numbers from `first` on.
fn batch(name: &str, first: u64, count: u64) -> Batch {
    let source = Source::named(SourceKind::Http, name, None);
    let records = (first..first + count)
        .map(|number| Record {
            source: Arc::clone(&source),
            offset: number,
            observed: START.plus_seconds(number as i64),
            bytes: line(number),
        })
        .collect();
    Batch { source, cursor: Some(Cursor::Sequence { number: first + count }), records }
}

fn check_lines(journal: &Journal, from: u64, expected: std::ops::Range<u64>) {
    let mut reader = journal.reader(Position(from));
    let mut next = expected.start;
    while let Some(stored) = reader.next().unwrap() {
        assert_eq!(stored.first, Position(next));
        for record in &stored.batch.records {
            assert_eq!(record.bytes, line(next));
            assert_eq!((record.offset, record.observed), (next, START.plus_seconds(next as i64)));
            next += 1;
        }
    }
    assert_eq!(next, expected.end);
    assert_eq!(reader.position(), Position(expected.end));
}

/// Two readers take chunks in turn whose ends lie within batches.
#[tokio::test]
async fn readers_that_share_a_journal_share_no_batch() {
    const CHUNK: u64 = 250;
    let dir = TempDir::new().unwrap();
    let (journal, _) = Journal::open(dir.path(), options()).unwrap();
    for first in (0..10_000).step_by(100) {
        journal.append(batch("a", first, 100)).await.unwrap();
    }
    let mut readers = [journal.reader(Position(0)), journal.reader(Position(0))];
    let mut firsts = Vec::new();
    for chunk in 0..10_000 / CHUNK {
        let reader = &mut readers[chunk as usize % 2];
        reader.skip_to(Position(chunk * CHUNK));
        while reader.position() < Position((chunk + 1) * CHUNK) {
            let Some(stored) = reader.next().unwrap() else { break };
            assert_eq!(stored.batch.records.len(), 100);
            firsts.push(stored.first.0);
        }
    }
    assert_eq!(firsts, (0..10_000).step_by(100).collect::<Vec<_>>());
    assert!(journal.damage().is_empty(), "what is passed by is not lost");
}

#[tokio::test]
async fn what_is_appended_is_read_from_any_position() {
    let dir = TempDir::new().unwrap();
    for compression in [Compression::Never, Compression::Always, Compression::WhenIdle] {
        let dir = dir.path().join(format!("{compression:?}"));
        let (journal, _) =
            Journal::open(&dir, JournalOptions { compression, ..options() }).unwrap();
        for first in (0..10_000).step_by(100) {
            let end = journal.append(batch("a", first, 100)).await.unwrap();
            assert_eq!(end, Position(first + 100));
        }
        for from in [0, 1, 99, 100, 5_050, 9_999, 10_000] {
            check_lines(&journal, from, from..10_000);
        }
        assert!(journal.reader(Position(10_001)).next().unwrap().is_none());
        drop(journal);
        let journal = open(&dir);
        for from in [0, 7_777] {
            check_lines(&journal, from, from..10_000);
        }
        let source = Source::named(SourceKind::Http, "a", None);
        assert_eq!(journal.cursors(), [(source, Cursor::Sequence { number: 10_000 })]);
    }
}

#[tokio::test]
async fn many_appenders_share_the_commits() {
    let dir = TempDir::new().unwrap();
    let journal = open(dir.path());
    let tasks: Vec<_> = (0..50)
        .map(|appender: u64| {
            let journal = journal.clone();
            tokio::spawn(async move {
                let mut last = Position(0);
                for first in 0..20 {
                    let name = format!("agent{appender}");
                    let end = journal.append(batch(&name, first * 3, 3)).await.unwrap();
                    assert!(end > last);
                    last = end;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(journal.end(), Position(3_000));
    assert_eq!(journal.cursors().len(), 50);
    let mut reader = journal.reader(Position(0));
    let mut offsets: HashMap<String, u64> = HashMap::new();
    while let Some(view) = reader.next_view().unwrap() {
        let next = offsets.entry(view.source().name.clone()).or_default();
        for record in view.records() {
            assert_eq!((record.offset, record.bytes), (*next, line(*next).as_slice()));
            *next += 1;
        }
        assert_eq!(view.cursor(), Some(Cursor::Sequence { number: *next }));
    }
    assert!(offsets.values().all(|next| *next == 60));
}

#[tokio::test]
async fn a_reader_follows_the_end() {
    let dir = TempDir::new().unwrap();
    let journal = open(dir.path());
    let follower = tokio::spawn({
        let journal = journal.clone();
        async move {
            let mut end = journal.watch();
            let mut reader = journal.reader(Position(0));
            while reader.position() < Position(500) {
                end.wait_for(|end| *end > reader.position()).await.unwrap();
                while let Some(stored) = reader.next().unwrap() {
                    assert_eq!(stored.batch.records[0].bytes, line(stored.first.0));
                }
            }
        }
    });
    for first in 0..500 {
        journal.append(batch("a", first, 1)).await.unwrap();
    }
    follower.await.unwrap();
}

#[tokio::test]
async fn a_batch_without_records_moves_the_cursor_alone() {
    let dir = TempDir::new().unwrap();
    let journal = open(dir.path());
    journal.append(batch("a", 0, 2)).await.unwrap();
    let mut empty = batch("a", 2, 0);
    empty.cursor = Some(Cursor::Journald { cursor: "s=1".into() });
    assert_eq!(journal.append(empty.clone()).await.unwrap(), Position(2));
    journal.append(batch("b", 2, 1)).await.unwrap();
    check_lines(&journal, 0, 0..3);
    drop(journal);
    let cursors = open(dir.path()).cursors();
    assert!(cursors.contains(&(empty.source, empty.cursor.unwrap())), "{cursors:?}");
    assert_eq!(cursors.len(), 2);
}

#[tokio::test]
async fn a_second_opener_is_told_who_has_it() {
    let dir = TempDir::new().unwrap();
    let journal = open(dir.path());
    let error = Journal::open(dir.path(), options()).unwrap_err();
    assert!(matches!(error, JournalError::Locked { .. }));
    let text = error.to_string();
    assert!(text.contains(&std::process::id().to_string()), "{text}");
    drop(journal);
    open(dir.path());
}

#[tokio::test]
async fn retention_drops_whole_segments_that_nobody_needs() {
    let dir = TempDir::new().unwrap();
    let clock = Arc::new(ManualClock::at(START));
    let options = JournalOptions {
        segment_bytes: 2_000,
        max_bytes: Some(20_000),
        max_age_s: Some(3_600),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        compression: Compression::Never,
        ..options()
    };
    let (journal, _) = Journal::open(dir.path(), options.clone()).unwrap();
    journal.append(batch("early", 0, 10)).await.unwrap();
    for first in (10..1_000).step_by(10) {
        journal.append(batch("a", first, 10)).await.unwrap();
    }
    assert_eq!(journal.retain(Position(0), START).unwrap(), Retained::default());
    assert_eq!(journal.start(), Position(0));

    let retained = journal.retain(Position(500), START).unwrap();
    assert!(retained.segments > 1);
    assert!(journal.start() <= Position(500) && journal.start() > Position(450));
    assert_eq!(retained.records, journal.start().0);
    check_lines(&journal, 0, journal.start().0..1_000);

    journal.retain(Position(1_000), START).unwrap();
    let start = journal.start();
    assert!(journal.bytes() <= 20_000 && start < Position(950), "{start} {}", journal.bytes());
    journal.retain(Position(1_000), START.plus_seconds(3_600)).unwrap();
    assert_eq!(journal.start(), start);
    clock.set(START.plus_seconds(3_601));
    journal.retain(Position(1_000), clock.now()).unwrap();
    assert!(journal.start() > start && journal.start() < Position(1_000));
    check_lines(&journal, 0, journal.start().0..1_000);

    let kept = journal.start();
    assert_eq!(journal.cursors().len(), 2, "the early source's cursor outlives its records");
    drop(journal);
    let (journal, recovery) = Journal::open(dir.path(), options).unwrap();
    assert!(recovery.is_clean());
    assert_eq!((journal.start(), journal.end()), (kept, Position(1_000)));
    assert_eq!(journal.cursors().len(), 2);
}

#[tokio::test]
async fn a_segment_is_closed_when_it_is_old() {
    let dir = TempDir::new().unwrap();
    let clock = Arc::new(ManualClock::at(START));
    let options = JournalOptions { clock: Arc::clone(&clock) as Arc<dyn Clock>, ..options() };
    let (journal, _) = Journal::open(dir.path(), options).unwrap();
    let segments = || {
        let names = std::fs::read_dir(dir.path()).unwrap();
        names.filter(|name| name.as_ref().unwrap().file_name() != "lock").count()
    };
    journal.append(batch("a", 0, 1)).await.unwrap();
    clock.set(START.plus_seconds(86_400));
    journal.append(batch("a", 1, 1)).await.unwrap();
    assert_eq!(segments(), 1);
    clock.set(START.plus_seconds(86_401));
    journal.append(batch("a", 2, 1)).await.unwrap();
    assert_eq!(segments(), 2);
    check_lines(&journal, 0, 0..3);
}

#[tokio::test]
async fn a_file_cut_short_at_any_byte_opens_with_what_is_whole() {
    let dir = TempDir::new().unwrap();
    let journal = open(dir.path());
    for first in 0..4 {
        journal.append(batch("a", first * 2, 2)).await.unwrap();
    }
    drop(journal);
    let segment = dir.path().join("0000000000000000.segment");
    let whole = std::fs::read(&segment).unwrap();
    let mut last_end = 8;
    for length in (1_024..whole.len()).rev().step_by(5) {
        std::fs::write(&segment, &whole[..length]).unwrap();
        let (journal, recovery) = Journal::open(dir.path(), options()).unwrap();
        let end = journal.end().0;
        assert!(end <= last_end && end % 2 == 0);
        check_lines(&journal, 0, 0..end);
        let cut = recovery.cut.map_or(0, |cut| cut.bytes);
        let left = std::fs::metadata(&segment).unwrap().len();
        assert_eq!(left + cut, length as u64);
        last_end = end;
    }
    assert!(last_end <= 2, "{last_end}");
}

#[tokio::test]
async fn a_view_reads_beside_the_writer_and_changes_nothing() {
    let dir = TempDir::new().unwrap();
    let clock = Arc::new(ManualClock::at(START));
    let options = JournalOptions {
        segment_bytes: 2_000,
        max_bytes: Some(20_000),
        clock: Arc::clone(&clock) as Arc<dyn Clock>,
        compression: Compression::Never,
        ..options()
    };
    assert!(Journal::view(&dir.path().join("nowhere")).is_err());
    let (journal, _) = Journal::open(dir.path(), options).unwrap();
    for first in (0..1_000).step_by(10) {
        clock.set(START.plus_seconds(first as i64));
        journal.append(batch("a", first, 10)).await.unwrap();
    }
    // What is half written is no record yet, and stays where it is.
    let mut names: Vec<_> =
        std::fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    names.sort();
    let last = names.iter().rfind(|path| path.extension().is_some()).unwrap();
    let mut torn = std::fs::read(last).unwrap();
    torn.extend_from_slice(b"VJB1 half");
    std::fs::write(last, &torn).unwrap();

    let view = Journal::view(dir.path()).unwrap();
    assert_eq!((view.start(), view.end()), (Position(0), Position(1_000)));
    for from in [0, 5, 500, 999] {
        check_lines(&view, from, from..1_000);
    }
    assert_eq!(std::fs::read(last).unwrap(), torn);
    let refused = view.append(batch("b", 0, 1)).await;
    assert!(matches!(refused, Err(JournalError::Closed)), "{refused:?}");
    assert_eq!(
        view.retain(Position(1_000), START.plus_seconds(1 << 30)).unwrap(),
        Retained::default()
    );

    // All that came at some time or later stands behind the position that is named for it.
    for second in [-5, 0, 499, 990, 5_000] {
        let at = view.at(START.plus_seconds(second)).0;
        let first = u64::try_from(second).unwrap_or(0).min(1_000);
        assert!(at <= first && first.saturating_sub(at) < 100, "{second}: {at}");
    }

    // The writer drops what is old; the view goes on behind it.
    journal.retain(Position(1_000), clock.now()).unwrap();
    let kept = journal.start();
    assert!(kept > Position(100));
    check_lines(&view, 0, kept.0..1_000);
    assert_eq!(view.start(), kept);
}
