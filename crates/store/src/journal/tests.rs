//! The journal on a disk that fails, tears, loses and rots.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use proptest::prelude::*;
use vigie_event::{Batch, Cursor, ManualClock, Record, Source, SourceKind, Timestamp};

use super::frame::{FRAME_HEAD_BYTES, FrameHead};
use super::head::{HEAD_BYTES, Head, file_name};
use super::simulated::{Faults, Random, Simulated};
use super::*;

fn options() -> JournalOptions {
    JournalOptions {
        segment_bytes: 16 << 10,
        reserve_bytes: 0,
        clock: Arc::new(ManualClock::at(Timestamp::from_seconds(1_000_000))),
        ..JournalOptions::default()
    }
}

fn open(disk: &Simulated) -> (Journal, Recovery) {
    Journal::open_on(Arc::new(disk.clone()), None, options()).unwrap()
}

fn batch(source: &Arc<Source>, sequence: u64, records: u64, size: usize) -> Batch {
    let records = (0..records)
        .map(|index| {
            let mut bytes = format!("{}/{sequence}/{index}/", source.name).into_bytes();
            // Not compressible, so that frames have many sectors.
            let mut random = Random::new(sequence * 1000 + index);
            bytes.extend((0..size).map(|_| random.below(256) as u8));
            Record {
                source: Arc::clone(source),
                offset: sequence * 1000 + index,
                observed: Timestamp::from_seconds(sequence as i64),
                bytes,
            }
        })
        .collect();
    let cursor = Some(Cursor::Sequence { number: sequence });
    Batch { source: Arc::clone(source), cursor, records }
}

fn source(name: &str) -> Arc<Source> {
    Source::named(SourceKind::Http, name, None)
}

fn block_on<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Everything that can be read, by position.
fn read_all(journal: &Journal) -> BTreeMap<u64, Record> {
    let mut reader = journal.reader(Position(0));
    let mut records = BTreeMap::new();
    while let Some(stored) = reader.next().unwrap() {
        for (position, record) in (stored.first.0..).zip(stored.batch.records) {
            assert!(records.insert(position, record).is_none(), "{position} was read twice");
        }
    }
    assert_eq!(reader.position(), journal.end());
    records
}

/// One source that waits for each acknowledgement, as sensors do.
struct Sender {
    source: Arc<Source>,
    /// The sequence of the next batch.
    next: u64,
    shape: Random,
}

impl Sender {
    /// The batch with that sequence; the same whenever it is asked for.
    fn batch(&mut self, seed: u64) -> Batch {
        self.shape = Random::new(seed ^ (self.next << 8) ^ self.source.fingerprint);
        let records = self.shape.below(6);
        let size = self.shape.below(1500) as usize;
        batch(&self.source, self.next, records, size)
    }
}

/// Sends, crashes and opens again, many times; after each opening all that was acknowledged is
/// there once, in order, where it was, and what the cursors say is what is there.
fn survives(seed: u64) {
    let disk = Simulated::new(seed);
    let mut random = Random::new(seed ^ 0xABCD);
    let mut senders: Vec<Sender> = ["a", "b", "c"]
        .map(|name| Sender { source: source(name), next: 1, shape: Random::new(1) })
        .into();
    let mut acknowledged: BTreeMap<u64, Record> = BTreeMap::new();
    for _ in 0..6 {
        disk.set_faults(Faults { crash_in: Some(random.below(400) + 1), ..Faults::default() });
        let opened = Journal::open_on(Arc::new(disk.clone()), None, options());
        if let Ok((journal, _)) = opened {
            let faults = Faults {
                crash_in: Some(random.below(250) + 1),
                sync_fails_one_in: (random.below(2) == 0).then_some(8),
                write_fails_one_in: (random.below(2) == 0).then_some(8),
                capacity: (random.below(3) == 0).then_some(60_000),
            };
            disk.set_faults(faults);
            run_until_crash(&disk, &journal, &mut senders, &mut acknowledged, seed);
        }
        if random.below(2) == 0 {
            // What a new process shows must outlast a power failure that comes next.
            disk.kill();
            let (journal, _) = open(&disk);
            verify(&journal, &mut senders, &acknowledged, seed);
            acknowledged = read_all(&journal);
        }
        disk.restart();
        let (journal, _) = open(&disk);
        verify(&journal, &mut senders, &acknowledged, seed);
        acknowledged = read_all(&journal);
        // Appending goes on, and is there after a clean end.
        let sender = &mut senders[0];
        let batch = sender.batch(seed);
        sender.next += 1;
        let records = batch.records.clone();
        let end = block_on(journal.append(batch)).unwrap();
        acknowledged.extend((end.0 - records.len() as u64..).zip(records));
        drop(journal);
        let (journal, recovery) = open(&disk);
        assert_eq!(recovery, Recovery::default());
        assert_eq!(read_all(&journal), acknowledged);
    }
}

fn run_until_crash(
    disk: &Simulated,
    journal: &Journal,
    senders: &mut [Sender],
    acknowledged: &mut BTreeMap<u64, Record>,
    seed: u64,
) {
    let mut reader = journal.reader(Position(0));
    for _ in 0..100 {
        let batches: Vec<Batch> = senders.iter_mut().map(|sender| sender.batch(seed)).collect();
        let outcomes = block_on(async {
            let appends: Vec<_> = batches
                .iter()
                .map(|batch| {
                    let (journal, batch) = (journal.clone(), batch.clone());
                    tokio::spawn(async move { journal.append(batch).await })
                })
                .collect();
            let mut outcomes = Vec::new();
            for append in appends {
                outcomes.push(append.await.unwrap());
            }
            outcomes
        });
        for ((sender, batch), outcome) in senders.iter_mut().zip(batches).zip(outcomes) {
            if let Ok(end) = outcome {
                let first = end.0 - batch.records.len() as u64;
                for (position, record) in (first..).zip(batch.records) {
                    let before = acknowledged.insert(position, record);
                    assert!(before.is_none(), "position {position} was given twice");
                }
                sender.next += 1;
            }
        }
        // What a reader has seen counts as acknowledged: it must never go away.
        while let Ok(Some(stored)) = reader.next() {
            for (position, record) in (stored.first.0..).zip(stored.batch.records) {
                let known = acknowledged.get(&position);
                assert!(known.is_none_or(|known| *known == record), "{position} has changed");
                assert!(known.is_some(), "{position} was seen before it was acknowledged");
            }
        }
        if disk.is_crashed() {
            return;
        }
    }
}

fn verify(
    journal: &Journal,
    senders: &mut [Sender],
    acknowledged: &BTreeMap<u64, Record>,
    seed: u64,
) {
    let records = read_all(journal);
    assert!(journal.damage().is_empty(), "{:?}", journal.damage());
    assert!(records.keys().copied().eq(0..journal.end().0), "positions without a gap");
    for (position, record) in acknowledged {
        assert_eq!(records.get(position), Some(record), "acknowledged at {position}");
    }
    let mut met = HashSet::new();
    for record in records.values() {
        let what = (record.source.name.clone(), record.offset);
        assert!(met.insert(what), "{record:?} is there twice");
    }
    let cursors: HashMap<String, u64> = journal
        .cursors()
        .into_iter()
        .map(|(source, cursor)| match cursor {
            Cursor::Sequence { number } => (source.name.clone(), number),
            other => panic!("{other:?}"),
        })
        .collect();
    for sender in senders {
        let read = cursors.get(&sender.source.name).copied().unwrap_or(0);
        // The batch in flight may have got there or not; nothing else.
        assert!(read + 1 == sender.next || read == sender.next, "{read} of {}", sender.next);
        let mut expected = Vec::new();
        let upto = read;
        for sequence in 1..=upto {
            sender.next = sequence;
            expected.extend(sender.batch(seed).records);
        }
        sender.next = upto + 1;
        let there: Vec<_> =
            records.values().filter(|record| record.source == sender.source).cloned().collect();
        assert_eq!(there, expected, "records of {}", sender.source.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, max_shrink_iters: 0, ..ProptestConfig::default() })]
    #[test]
    fn nothing_acknowledged_is_lost_doubled_or_moved(seed in any::<u64>()) {
        survives(seed);
    }
}

/// The frames of a segment: offset and head.
fn frames(disk: &Simulated, name: &str) -> Vec<(usize, FrameHead)> {
    let bytes = disk.content(name);
    let salt = Head::decode(&bytes).unwrap().salt;
    let mut at = HEAD_BYTES;
    let mut frames = Vec::new();
    while let Some(head) = FrameHead::decode(&bytes[at..], salt) {
        frames.push((at, head));
        at += head.frame_bytes() as usize;
    }
    assert_eq!(at, bytes.len());
    frames
}

/// A journal of `count` batches of 3 records in one segment or several.
fn filled(seed: u64, count: u64, size: usize) -> Simulated {
    let disk = Simulated::new(seed);
    let (journal, _) = open(&disk);
    for sequence in 1..=count {
        block_on(journal.append(batch(&source("a"), sequence, 3, size))).unwrap();
    }
    drop(journal);
    disk
}

#[test]
fn a_rotten_batch_is_skipped_and_told() {
    for (what, in_frame) in [("head", 9), ("body", FRAME_HEAD_BYTES + 40)] {
        let disk = filled(3, 10, 100);
        let name = file_name(Position(0));
        let (offset, head) = frames(&disk, &name)[5];
        disk.rot(&name, offset + in_frame, 1);
        let (journal, recovery) = open(&disk);
        let path = disk.path(&name);
        let damage = Damage { path, offset: offset as u64, first: head.first, end: head.end() };
        assert_eq!(recovery.damage, std::slice::from_ref(&damage), "{what}");
        assert_eq!(recovery.cut, None, "{what}");
        let positions: Vec<u64> = read_all(&journal).into_keys().collect();
        let expected: Vec<u64> = (0..30).filter(|position| !(12..15).contains(position)).collect();
        assert_eq!(positions, expected, "{what}");
        assert_eq!(journal.damage(), [damage], "told once: {what}");
        let end = block_on(journal.append(batch(&source("a"), 11, 1, 10))).unwrap();
        assert_eq!(end, Position(31), "{what}");
    }
}

#[test]
fn a_place_that_the_disk_cannot_read_is_skipped_and_told() {
    let disk = filled(15, 20, 200);
    let name = file_name(Position(0));
    let all = frames(&disk, &name);
    disk.break_at(&name, 5_000..5_010);
    let (journal, recovery) = open(&disk);
    let page = 4096..8192;
    let lost: Vec<u64> = all
        .iter()
        .filter(|(at, head)| *at < page.end && page.start < at + head.frame_bytes() as usize)
        .flat_map(|(_, head)| head.first.0..head.end().0)
        .collect();
    assert!(lost.len() > 6);
    let [damage] = recovery.damage.as_slice() else { panic!("{recovery:?}") };
    assert!((damage.first.0..damage.end.0).eq(lost.iter().copied()));
    let read: Vec<u64> = read_all(&journal).into_keys().collect();
    assert!(read.iter().copied().eq((0..60).filter(|position| !lost.contains(position))));
}

#[test]
fn rot_in_an_older_segment_is_told_by_the_reader() {
    let disk = filled(4, 30, 600);
    let name = file_name(Position(0));
    let all = frames(&disk, &name);
    let (last, head) = all[all.len() - 1];
    disk.rot(&name, last + 2, 1);
    disk.rot(&name, all[2].0 + 50, 1);
    let (journal, recovery) = open(&disk);
    assert!(recovery.is_clean());
    let read = read_all(&journal);
    assert_eq!(read.len(), 90 - 6);
    let ranges: Vec<_> =
        journal.damage().into_iter().map(|damage| (damage.first, damage.end)).collect();
    assert_eq!(ranges, [(all[2].1.first, all[2].1.end()), (head.first, head.end())]);
}

#[test]
fn a_rotten_table_of_cursors_is_made_up_for_by_older_segments() {
    let disk = Simulated::new(5);
    let (journal, _) = open(&disk);
    block_on(journal.append(batch(&source("early"), 7, 1, 10))).unwrap();
    for sequence in 1..=30 {
        block_on(journal.append(batch(&source("a"), sequence, 3, 600))).unwrap();
    }
    let expected = journal.cursors();
    assert_eq!(expected.len(), 2);
    drop(journal);
    let state = disk.list().unwrap();
    let last = state.iter().filter(|name| name.ends_with(".segment")).max().unwrap();
    assert_ne!(*last, file_name(Position(0)));
    disk.rot(last, HEAD_BYTES + FRAME_HEAD_BYTES + 3, 1);
    let (journal, _) = open(&disk);
    assert_eq!(journal.cursors(), expected);
    assert_eq!(read_all(&journal).len(), 91);
}

#[test]
fn a_segment_without_a_head_is_set_aside() {
    let disk = filled(6, 30, 600);
    let first = file_name(Position(0));
    disk.rot(&first, 0, HEAD_BYTES);
    let (journal, recovery) = open(&disk);
    let [damage] = recovery.damage.as_slice() else { panic!("{recovery:?}") };
    assert_eq!((damage.first, damage.end), (Position(0), journal.start()));
    assert_eq!(journal.end(), Position(90));
    assert!(disk.list().unwrap().contains(&format!("{first}.damaged")));
    let read = read_all(&journal);
    assert!(read.keys().copied().eq(journal.start().0..90));
}

#[test]
fn positions_go_on_behind_the_consumers_when_the_end_is_lost() {
    let disk = filled(7, 3, 100);
    disk.rot(&file_name(Position(0)), 0, HEAD_BYTES);
    let options = JournalOptions { not_before: Position(9), ..options() };
    let (journal, recovery) = Journal::open_on(Arc::new(disk.clone()), None, options).unwrap();
    assert!(!recovery.is_clean());
    assert_eq!(journal.end(), Position(9));
    let end = block_on(journal.append(batch(&source("a"), 4, 2, 10))).unwrap();
    assert_eq!(end, Position(11));
    let read = read_all(&journal);
    assert!(read.keys().copied().eq(9..11));
}

#[test]
fn a_torn_tail_is_cut_and_counted() {
    let disk = filled(8, 4, 100);
    let name = file_name(Position(0));
    let length = disk.content(&name).len() as u64;
    let (last, _) = frames(&disk, &name)[4];
    disk.rot(&name, last + 60, 1);
    let (journal, recovery) = open(&disk);
    let cut = Cut {
        path: disk.path(&name),
        offset: last as u64,
        bytes: length - last as u64,
        batches: 1,
        records: 3,
    };
    assert_eq!(recovery, Recovery { cut: Some(cut), damage: Vec::new() });
    assert_eq!(journal.end(), Position(9));
    assert_eq!(read_all(&journal).len(), 9);
}

#[test]
fn a_full_disk_refuses_and_goes_on_when_there_is_room() {
    let disk = filled(9, 2, 100);
    let (journal, _) = open(&disk);
    disk.set_faults(Faults { capacity: Some(2_500), ..Faults::default() });
    for _ in 0..3 {
        let error = block_on(journal.append(batch(&source("b"), 1, 3, 2_000))).unwrap_err();
        assert!(error.is_out_of_room(), "{error}");
        let text = error.to_string();
        assert!(text.contains("/simulated/0000000000000000.segment"), "{text}");
    }
    assert_eq!(journal.end(), Position(6));
    disk.set_faults(Faults::default());
    let end = block_on(journal.append(batch(&source("b"), 1, 3, 2_000))).unwrap();
    assert_eq!(end, Position(9));
    drop(journal);
    disk.restart();
    let (journal, recovery) = open(&disk);
    assert!(recovery.is_clean());
    assert_eq!(read_all(&journal).len(), 9);
}

#[test]
fn the_reserve_is_kept_free() {
    let disk = Simulated::new(10);
    let options = JournalOptions { reserve_bytes: 10_000, ..options() };
    let (journal, _) = Journal::open_on(Arc::new(disk.clone()), None, options).unwrap();
    disk.set_faults(Faults { capacity: Some(20_000), ..Faults::default() });
    let mut sent = 0;
    let error = loop {
        match block_on(journal.append(batch(&source("a"), sent + 1, 1, 1_000))) {
            Ok(_) => sent += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, JournalError::Reserve { reserve: 10_000, .. }), "{error}");
    assert!((3..9).contains(&sent), "{sent}");
    disk.set_faults(Faults::default());
    block_on(journal.append(batch(&source("a"), sent + 1, 1, 1_000))).unwrap();
    assert_eq!(read_all(&journal).len() as u64, sent + 1);
}

#[test]
fn after_a_failed_sync_the_segment_is_left_and_the_batch_can_be_sent_again() {
    let disk = filled(11, 2, 100);
    let (journal, _) = open(&disk);
    disk.set_faults(Faults { sync_fails_one_in: Some(1), ..Faults::default() });
    let again = batch(&source("a"), 3, 3, 2_000);
    block_on(journal.append(again.clone())).unwrap_err();
    disk.set_faults(Faults::default());
    assert_eq!(journal.end(), Position(6));
    assert_eq!(block_on(journal.append(again)).unwrap(), Position(9));
    let names = disk.list().unwrap();
    assert!(names.contains(&file_name(Position(6))), "a new segment: {names:?}");
    disk.restart();
    let (journal, recovery) = open(&disk);
    assert!(recovery.is_clean(), "{recovery:?}");
    assert_eq!(read_all(&journal).len(), 9);
}

#[test]
fn a_batch_that_is_too_large_is_refused_alone() {
    let disk = Simulated::new(12);
    let options = JournalOptions { max_batch_bytes: 1_000, ..options() };
    let (journal, _) = Journal::open_on(Arc::new(disk), None, options).unwrap();
    block_on(async {
        let (small, large) = tokio::join!(
            journal.append(batch(&source("a"), 1, 1, 10)),
            journal.append(batch(&source("b"), 1, 1, 2_000)),
        );
        assert_eq!(small.unwrap(), Position(1));
        let error = large.unwrap_err();
        assert!(matches!(error, JournalError::TooLarge { limit: 1_000, .. }), "{error}");
    });
    assert_eq!(journal.cursors().len(), 1);
}

#[test]
fn a_log_line_cannot_pass_for_a_frame() {
    let disk = filled(13, 1, 10);
    let forged = disk.content(&file_name(Position(0)));
    let disk = Simulated::new(14);
    let (journal, _) = open(&disk);
    let mut hostile = batch(&source("a"), 1, 1, 0);
    hostile.records[0].bytes = forged;
    block_on(journal.append(hostile)).unwrap();
    block_on(journal.append(batch(&source("a"), 2, 1, 0))).unwrap();
    drop(journal);
    let name = file_name(Position(0));
    disk.rot(&name, frames(&disk, &name)[1].0 + 5, 1);
    let (journal, recovery) = open(&disk);
    assert_eq!(recovery.damage.len(), 1);
    let read: Vec<_> = read_all(&journal).into_iter().collect();
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].0, 1);
    assert!(read[0].1.bytes.starts_with(b"a/2/0/"));
}
