//! Stopping and going on: each line exactly once, whatever happened meanwhile.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use super::rig::{Rig, append_to, line, write_at_rate, write_lines};

/// Reads 1,000 lines, stops, lets `meanwhile` happen (which may write lines from 1,000 up to the
/// number that it returns), goes on.
async fn check(name: &str, meanwhile: impl FnOnce(&Path, File) -> u64) {
    let mut rig = Rig::new();
    let mut file = append_to(&rig.path);
    write_lines(&mut file, 0..1_000);
    rig.start().await;
    rig.receive(1_000).await;
    rig.kill().await;
    let count = meanwhile(&rig.path, file);
    rig.start().await;
    let mut last = append_to(&rig.path);
    write_lines(&mut last, count..count + 1);
    rig.receive(count + 1).await;
    rig.journal.assert_complete(count + 1);
    rig.journal.assert_in_order();
    assert!(rig.status().lost.is_nothing(), "{name}: {:?}", rig.status());
}

fn gzip(from: &Path, to: &Path) {
    let modified = fs::metadata(from).unwrap().modified().unwrap();
    let mut encoder =
        flate2::write::GzEncoder::new(File::create(to).unwrap(), flate2::Compression::fast());
    encoder.write_all(&fs::read(from).unwrap()).unwrap();
    // As gzip does.
    encoder.finish().unwrap().set_modified(modified).unwrap();
    fs::remove_file(from).unwrap();
}

fn zstd(from: &Path, to: &Path) {
    fs::write(to, zstd::encode_all(File::open(from).unwrap(), 1).unwrap()).unwrap();
    fs::remove_file(from).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_happened() {
    check("nothing", |_, _| 1_000).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_grew() {
    check("grew", |_, mut file| {
        write_lines(&mut file, 1_000..2_000);
        2_000
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_was_renamed() {
    check("renamed", |path, mut file| {
        write_lines(&mut file, 1_000..2_000);
        fs::rename(path, path.with_extension("log.1")).unwrap();
        write_lines(&mut append_to(path), 2_000..3_000);
        3_000
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_was_renamed_by_date_and_nothing_took_its_place() {
    check("dated", |path, mut file| {
        write_lines(&mut file, 1_000..2_000);
        fs::rename(path, path.with_extension("log-20260105")).unwrap();
        2_000
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_was_renamed_to_a_name_of_any_kind() {
    check("any name", |path, mut file| {
        write_lines(&mut file, 1_000..2_000);
        fs::rename(path, path.with_file_name("set aside")).unwrap();
        write_lines(&mut append_to(path), 2_000..2_010);
        2_010
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_was_renamed_three_times_and_compressed() {
    check("compressed", |path, mut file| {
        write_lines(&mut file, 1_000..2_000);
        fs::rename(path, path.with_extension("log.3")).unwrap();
        gzip(&path.with_extension("log.3"), &path.with_extension("log.3.gz"));
        write_lines(&mut append_to(path), 2_000..3_000);
        fs::rename(path, path.with_extension("log.2")).unwrap();
        zstd(&path.with_extension("log.2"), &path.with_extension("log.2.zst"));
        write_lines(&mut append_to(path), 3_000..4_000);
        fs::rename(path, path.with_extension("log.1")).unwrap();
        write_lines(&mut append_to(path), 4_000..5_000);
        5_000
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_was_copied_and_truncated() {
    check("copytruncate", |path, mut file| {
        write_lines(&mut file, 1_000..1_500);
        fs::copy(path, path.with_extension("log.1")).unwrap();
        file.set_len(0).unwrap();
        // More than there was: the size alone does not tell.
        write_lines(&mut file, 1_500..9_000);
        9_000
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn its_inode_was_used_again() {
    check("inode", |path, mut file| {
        write_lines(&mut file, 1_000..2_000);
        // The copy has a new inode, the new file the old one.
        fs::copy(path, path.with_extension("log.1")).unwrap();
        drop(file);
        fs::remove_file(path).unwrap();
        write_lines(&mut append_to(path), 2_000..4_000);
        4_000
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_made_copies() {
    check("copies", |path, mut file| {
        fs::copy(path, path.with_extension("log.2026-backup")).unwrap();
        write_lines(&mut file, 1_000..2_000);
        fs::copy(path, path.with_extension("log.1.old")).unwrap();
        2_000
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_was_moved_to_another_inode() {
    check("moved", |path, mut file| {
        write_lines(&mut file, 1_000..2_000);
        fs::copy(path, path.with_extension("new")).unwrap();
        fs::rename(path.with_extension("new"), path).unwrap();
        2_000
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_gone_is_a_gap() {
    let mut rig = Rig::new();
    let mut file = append_to(&rig.path);
    write_lines(&mut file, 0..10);
    rig.start().await;
    rig.receive(10).await;
    rig.kill().await;
    fs::remove_file(&rig.path).unwrap();
    write_lines(&mut append_to(&rig.path), 10..20);
    rig.start().await;
    rig.receive(20).await;
    rig.journal.assert_complete(20);
    assert_eq!(rig.status().lost.gaps, 1);
}

/// Logs with a header begin all alike.
#[tokio::test(flavor = "multi_thread")]
async fn a_shared_first_line_does_not_deceive() {
    let mut rig = Rig::new();
    let header = "#fields ts uid\n";
    let mut count = 0;
    let mut add = |path: &Path, header: &str, more: u64| {
        let text: String = (count..count + more).map(line).collect();
        append_to(path).write_all(format!("{header}{text}").as_bytes()).unwrap();
        count += more;
        count
    };
    add(&rig.path, header, 500);
    rig.start().await;
    rig.receive(501).await;
    rig.kill().await;
    add(&rig.path, "", 300);
    fs::rename(&rig.path, rig.file("app.log.2")).unwrap();
    add(&rig.path, header, 400);
    fs::rename(&rig.path, rig.file("app.log.1")).unwrap();
    let count = add(&rig.path, header, 900);
    rig.start().await;
    rig.receive(count + 3).await;
    rig.journal.lines.retain(|line| !line.starts_with(b"#"));
    rig.journal.assert_complete(count);
    rig.journal.assert_in_order();
}

/// Killed again and again in the middle of everything, under load and rotation.
#[tokio::test(flavor = "multi_thread")]
async fn killed_in_the_middle_of_everything() {
    const COUNT: u64 = 60_000;
    let mut rig = Rig::new();
    rig.capacity = 4;
    let path = rig.path.clone();
    let mut rotation = 0;
    let writer = std::thread::spawn(move || {
        write_at_rate(&path, COUNT, 6_007, |file, _| {
            rotation += 1;
            for n in (1..9).rev() {
                let _ = fs::rename(
                    path.with_extension(format!("log.{n}")),
                    path.with_extension(format!("log.{}", n + 1)),
                );
            }
            let copy = path.with_extension("log.1");
            if rotation % 2 == 0 {
                fs::copy(&path, copy).unwrap();
                file.set_len(0).unwrap();
            } else {
                fs::rename(&path, copy).unwrap();
                *file = append_to(&path);
            }
        })
    });
    let mut kills = 0;
    let mut goal = 0;
    while !writer.is_finished() {
        rig.start().await;
        goal = rig.journal.lines.len() + 1_500 + goal % 977;
        rig.receive_until(|journal| journal.lines.len() >= goal || writer.is_finished()).await;
        rig.kill().await;
        kills += 1;
    }
    writer.join().unwrap();
    rig.start().await;
    rig.receive(COUNT).await;
    rig.journal.assert_complete(COUNT);
    assert!(kills > 5, "{kills}");
    eprintln!("killed {kills} times");
}
