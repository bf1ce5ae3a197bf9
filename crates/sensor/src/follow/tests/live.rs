//! Files that come, go, may not be read, and hold anything.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use vigie_event::Lang;

use super::super::From;
use super::rig::{Rig, append_to, line, write_lines};
use crate::{MAX_LINE, SensorState};

#[tokio::test(flavor = "multi_thread")]
async fn begins_at_the_end_of_an_unknown_file() {
    let mut rig = Rig::new();
    rig.from = From::End;
    let mut file = append_to(&rig.path);
    write_lines(&mut file, 500..600);
    // The line that is being written belongs to the future.
    file.write_all(&line(0).as_bytes()[..9]).unwrap();
    rig.start().await;
    file.write_all(&line(0).as_bytes()[9..]).unwrap();
    write_lines(&mut file, 1..10);
    rig.receive(10).await;
    rig.journal.assert_complete(10);
}

#[tokio::test(flavor = "multi_thread")]
async fn waits_for_a_folder_and_a_file() {
    let mut rig = Rig::new();
    rig.from = From::End;
    rig.path = rig.file("later").join("app.log");
    rig.start().await;
    let status = rig.status();
    assert!(matches!(status.state, SensorState::Waiting { .. }), "{status:?}");
    assert!(status.sentence(Lang::En).contains("waiting for the folder"), "{status:?}");
    fs::create_dir(rig.path.parent().unwrap()).unwrap();
    rig.wait_for(|status| status.sentence(Lang::Fr).contains("apparition du fichier")).await;
    write_lines(&mut append_to(&rig.path), 0..10);
    rig.receive(10).await;
    rig.journal.assert_complete(10);
    rig.wait_for(|status| status.state == SensorState::Reading).await;
    rig.wait_for(|status| status.records == 10).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_what_may_not_be_read_until_it_may() {
    let mut rig = Rig::new();
    write_lines(&mut append_to(&rig.path), 0..10);
    fs::set_permissions(&rig.path, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&rig.path).is_ok() {
        // The superuser may read everything: a folder serves as what cannot be read.
        fs::remove_file(&rig.path).unwrap();
        fs::create_dir(&rig.path).unwrap();
        rig.start().await;
        rig.wait_for(|status| matches!(status.state, SensorState::Failed { .. })).await;
        fs::remove_dir(&rig.path).unwrap();
        write_lines(&mut append_to(&rig.path), 0..10);
    } else {
        rig.start().await;
        rig.wait_for(|status| matches!(status.state, SensorState::Denied { .. })).await;
        fs::set_permissions(&rig.path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    rig.receive(10).await;
    rig.journal.assert_complete(10);
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_a_line_until_its_end_comes() {
    let mut rig = Rig::new();
    let mut file = append_to(&rig.path);
    rig.start().await;
    let text = [line(0), line(1)].concat();
    for piece in text.as_bytes().chunks(3) {
        file.write_all(piece).unwrap();
    }
    rig.receive(2).await;
    rig.journal.assert_complete(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn passes_anything_through() {
    let mut rig = Rig::new();
    let mut file = append_to(&rig.path);
    rig.start().await;
    let long = vec![b'x'; 10_000_000];
    let too_long = vec![b'y'; MAX_LINE + 77];
    let lines = [&b"\xff\xfe\0 binary"[..], b"", b"dos\r", &long, &too_long, b"end"];
    for line in lines {
        file.write_all(line).unwrap();
        file.write_all(b"\n").unwrap();
    }
    rig.receive(6).await;
    let expected = [&b"\xff\xfe\0 binary"[..], b"", b"dos", &long, &too_long[..MAX_LINE], b"end"];
    assert!(rig.journal.lines == expected);
    rig.wait_for(|status| status.lost.cut_lines == 1 && status.lost.cut_bytes == 77).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_copy_is_not_read_again() {
    let mut rig = Rig::new();
    let mut file = append_to(&rig.path);
    rig.start().await;
    write_lines(&mut file, 0..100);
    rig.receive(100).await;
    // As an editor saves: a new file with the old content and more.
    let copy = rig.file("app.log~");
    fs::copy(&rig.path, &copy).unwrap();
    write_lines(&mut append_to(&copy), 100..200);
    fs::rename(copy, &rig.path).unwrap();
    rig.receive(200).await;
    rig.journal.assert_complete(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn renamed_away_and_back() {
    let mut rig = Rig::new();
    let mut file = append_to(&rig.path);
    rig.start().await;
    write_lines(&mut file, 0..100);
    rig.receive(100).await;
    let away = rig.file("app.log.1");
    fs::rename(&rig.path, &away).unwrap();
    write_lines(&mut file, 100..200);
    rig.receive(200).await;
    rig.wait_for(|status| matches!(status.state, SensorState::Waiting { .. })).await;
    fs::rename(&away, &rig.path).unwrap();
    write_lines(&mut file, 200..300);
    rig.receive(300).await;
    rig.journal.assert_complete(300);
    assert_eq!(rig.journal.sources.len(), 1);
}
