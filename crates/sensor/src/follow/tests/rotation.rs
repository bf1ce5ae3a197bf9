//! Every kind of rotation, under load: each line exactly once.

use std::fs::{self, File};
use std::io::{self, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::rig::{Rig, append_to, line, lines_of, number, write_at_rate, write_lines};

const COUNT: u64 = 45_000;
const EVERY: u64 = 7_001;

fn shift(rig_path: &std::path::Path) {
    let numbered = |n: u32| rig_path.with_extension(format!("log.{n}"));
    for n in (1..9).rev() {
        let _ = fs::rename(numbered(n), numbered(n + 1));
    }
}

/// Follows while `rotate` is done to the file every 7,001 lines; whether lines must be in order.
async fn check(mut rotate: impl FnMut(&std::path::Path, &mut File, u64) + Send + 'static) {
    let mut rig = Rig::new();
    rig.start().await;
    let path = rig.path.clone();
    let writer = std::thread::spawn(move || {
        write_at_rate(&path, COUNT, EVERY, |file, number| rotate(&path, file, number))
    });
    rig.receive(COUNT).await;
    let took = writer.join().unwrap();
    rig.journal.assert_complete(COUNT);
    rig.journal.assert_in_order();
    assert!(rig.status().lost.is_nothing());
    assert_eq!(rig.status().records, COUNT);
    eprintln!("{:.0} lines/s", COUNT as f64 / took.as_secs_f64());
}

#[tokio::test(flavor = "multi_thread")]
async fn renaming_and_creating() {
    check(|path, file, _| {
        shift(path);
        fs::rename(path, path.with_extension("log.1")).unwrap();
        *file = append_to(path);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn renaming_with_a_writer_that_notices_late() {
    check(|path, file, number| {
        // Every second time the new file is there; the writer goes on with the old one.
        if number / EVERY % 2 == 1 {
            shift(path);
            fs::rename(path, path.with_extension("log.1")).unwrap();
            File::create(path).unwrap();
        } else {
            *file = append_to(path);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_and_creating_anew() {
    check(|path, file, _| {
        fs::remove_file(path).unwrap();
        *file = append_to(path);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rotating_twice_between_two_looks() {
    check(|path, file, _| {
        // The second of the three files stays empty; the path leads elsewhere at once.
        for _ in 0..2 {
            shift(path);
            fs::rename(path, path.with_extension("log.1")).unwrap();
            *file = append_to(path);
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retargeting_a_link() {
    let generation = AtomicU64::new(0);
    check(move |path, file, _| {
        let target = format!("app-{}.log", generation.fetch_add(1, Ordering::Relaxed));
        let link = path.with_extension("new");
        std::os::unix::fs::symlink(&target, &link).unwrap();
        *file = append_to(&path.with_file_name(target));
        let first = fs::symlink_metadata(path).unwrap().is_file();
        if first {
            fs::rename(path, path.with_extension("first")).unwrap();
        }
        fs::rename(link, path).unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copying_and_truncating() {
    // Between the end of the copy and the truncation nothing is written here, so that nothing
    // can be lost.
    check(|path, file, _| {
        shift(path);
        fs::copy(path, path.with_extension("log.1")).unwrap();
        file.set_len(0).unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn copying_and_truncating_beside_the_writer() {
    let mut rig = Rig::new();
    rig.start().await;
    let path = rig.path.clone();
    let writing = {
        let path = path.clone();
        std::thread::spawn(move || write_at_rate(&path, COUNT, COUNT, |_, _| {}))
    };
    let last = Arc::new(Mutex::new(false));
    let rotator = {
        let (path, last) = (path.clone(), Arc::clone(&last));
        std::thread::spawn(move || {
            let mut rotations = 0;
            while !*last.lock().unwrap() {
                if fs::metadata(&path).is_ok_and(|found| found.len() > 300_000) {
                    let copy = path.with_extension(format!("log.{rotations}"));
                    fs::copy(&path, copy).unwrap();
                    File::options().write(true).open(&path).unwrap().set_len(0).unwrap();
                    rotations += 1;
                }
                std::thread::yield_now();
            }
            rotations
        })
    };
    // The writer's last line is in the file unless it fell between copy and truncation: then it is
    // nowhere, or it was read in time.
    let mut written = Some(writing);
    rig.receive_until(|_| written.as_ref().is_some_and(std::thread::JoinHandle::is_finished)).await;
    written.take().unwrap().join().unwrap();
    *last.lock().unwrap() = true;
    let rotations = rotator.join().unwrap();
    assert!(rotations > 2, "{rotations}");
    let mut there = lines_of(&path);
    for rotation in 0..rotations {
        there.extend(lines_of(&path.with_extension(format!("log.{rotation}"))));
    }
    there.sort_unstable();
    there.dedup();
    let is_there = |journal: &super::rig::Journal| {
        let read: std::collections::HashSet<_> =
            journal.lines.iter().map(|line| number(line)).collect();
        there.iter().all(|number| read.contains(number))
    };
    rig.receive_until(is_there).await;
    let mut read: Vec<_> = rig.journal.lines.iter().map(|line| number(line)).collect();
    let all = read.len();
    read.sort_unstable();
    read.dedup();
    assert_eq!(read.len(), all, "doubled");
    eprintln!(
        "{rotations} rotations: {} of {COUNT} lines left in the files, {all} read",
        there.len()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn truncating_once_everything_has_been_read() {
    let mut rig = Rig::new();
    let mut file = append_to(&rig.path);
    rig.start().await;
    let mut count = 0;
    for round in 0..20 {
        // Sometimes the new content is longer than the old one was.
        let more = 10 + round * 37 % 100;
        write_lines(&mut file, count..count + more);
        count += more;
        rig.receive(count).await;
        file.set_len(0).unwrap();
    }
    rig.journal.assert_complete(count);
    rig.journal.assert_in_order();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_does_not_append_leaves_a_hole() {
    let mut rig = Rig::new();
    rig.start().await;
    let mut file = File::create(&rig.path).unwrap();
    let mut count = 0;
    for _ in 0..5 {
        write_lines(&mut file, count..count + 1_000);
        count += 1_000;
        rig.receive(count).await;
        file.set_len(0).unwrap();
    }
    rig.journal.assert_complete(count);
}

/// Everything happens while the channel is full: what is not read yet is in the copies alone.
#[tokio::test(flavor = "multi_thread")]
async fn truncations_while_held_back_are_read_from_the_copies() {
    let mut rig = Rig::new();
    rig.capacity = 1;
    let mut file = append_to(&rig.path);
    write_lines(&mut file, 0..30_000);
    rig.start().await;
    // It has begun, and stands before a full channel.
    rig.receive_until(|journal| !journal.lines.is_empty()).await;
    let mut count = 30_000;
    for _ in 0..3 {
        shift(&rig.path);
        fs::copy(&rig.path, rig.path.with_extension("log.1")).unwrap();
        file.set_len(0).unwrap();
        write_lines(&mut file, count..count + 20_000);
        count += 20_000;
    }
    rig.receive(count).await;
    rig.journal.assert_complete(count);
    rig.journal.assert_in_order();
}

#[tokio::test(flavor = "multi_thread")]
async fn renames_while_held_back_are_found() {
    let mut rig = Rig::new();
    rig.capacity = 1;
    let mut file = append_to(&rig.path);
    write_lines(&mut file, 0..30_000);
    rig.start().await;
    rig.receive_until(|journal| !journal.lines.is_empty()).await;
    let mut count = 30_000;
    for _ in 0..4 {
        shift(&rig.path);
        fs::rename(&rig.path, rig.path.with_extension("log.1")).unwrap();
        file = append_to(&rig.path);
        write_lines(&mut file, count..count + 20_000);
        count += 20_000;
    }
    rig.receive(count).await;
    rig.journal.assert_complete(count);
    rig.journal.assert_in_order();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_unfinished_line_of_a_truncated_file_is_taken_from_its_copy() {
    let mut rig = Rig::new();
    let mut file = append_to(&rig.path);
    rig.start().await;
    let text = line(0);
    let (first, second) = text.split_at(20);
    file.write_all(first.as_bytes()).unwrap();
    // Until it has been read, which shows in nothing else: the next line's arrival in another
    // file cannot tell. The result is the same either way.
    file.write_all(second.as_bytes()).unwrap();
    file.write_all(&line(1).as_bytes()[..10]).unwrap();
    rig.receive(1).await;
    file.write_all(&line(1).as_bytes()[10..]).unwrap();
    io::copy(&mut File::open(&rig.path).unwrap(), &mut append_to(&rig.file("app.log.1"))).unwrap();
    file.set_len(0).unwrap();
    write_lines(&mut file, 2..3);
    rig.receive(3).await;
    rig.journal.assert_complete(3);
}
