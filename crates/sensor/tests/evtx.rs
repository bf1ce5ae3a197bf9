//! Windows event log files: real ones, and damaged ones.

// Tests may panic; the lints know it only inside `#[test]` functions.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use vigie_event::{ManualClock, Timestamp};
use vigie_sensor::{Lost, Reader};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");

fn files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![
        Path::new(DATA).join("sigma-regression/regression_data"),
        Path::new(DATA).join("sigma-crossmatch/evtx"),
    ];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "evtx") {
                found.push(path);
            }
        }
    }
    found.sort();
    if found.is_empty() {
        println!("skipped: there are no EVTX files on this machine");
    }
    found
}

fn read(path: &Path) -> (Vec<String>, Lost, Option<String>) {
    let clock = ManualClock::at(Timestamp::from_seconds(1_767_607_933));
    let mut reader = match Reader::open(path, None, &clock) {
        Ok(reader) => reader,
        Err(error) => return (Vec::new(), Lost::default(), Some(error.to_string())),
    };
    let mut lines = Vec::new();
    loop {
        match reader.next() {
            Ok(Some(record)) => lines.push(String::from_utf8_lossy(record.bytes).into_owned()),
            Ok(None) => return (lines, reader.lost(), None),
            Err(error) => return (lines, reader.lost(), Some(error.to_string())),
        }
    }
}

#[test]
fn real_files_give_all_their_events() {
    let files = files();
    for path in &files {
        let (lines, lost, error) = read(path);
        assert!(error.is_none() && lost.is_nothing(), "{}: {error:?} {lost:?}", path.display());
        assert!(!lines.is_empty(), "{}", path.display());
        for line in lines {
            let event: serde_json::Value = serde_json::from_str(&line).unwrap();
            assert!(event["Event"]["System"]["Channel"].is_string(), "{line}");
        }
    }
}

#[test]
fn a_compressed_file_gives_the_same_events() {
    let Some(path) = files().into_iter().next() else { return };
    let folder = tempfile::tempdir().unwrap();
    let packed = folder.path().join("log.evtx.gz");
    let mut encoder = flate2::write::GzEncoder::new(
        fs::File::create(&packed).unwrap(),
        flate2::Compression::fast(),
    );
    encoder.write_all(&fs::read(&path).unwrap()).unwrap();
    encoder.finish().unwrap();
    assert_eq!(read(&packed).0, read(&path).0);
}

#[test]
fn a_torn_header_is_told_with_its_mend() {
    let folder = tempfile::tempdir().unwrap();
    let torn = folder.path().join("torn.evtx");
    fs::write(&torn, b"ElfFile\0and no more").unwrap();
    let (lines, _, error) = read(&torn);
    let error = error.unwrap();
    assert!(lines.is_empty());
    assert!(error.contains("torn.evtx: damaged Windows event log") && error.contains("wevtutil"));
}

#[test]
fn damage_costs_what_it_hits_and_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let damaged = folder.path().join("damaged.evtx");
    // A fixed sequence of places and values: the same damage on every run.
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = |below: usize| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        (random % below as u64) as usize
    };
    let mut told = 0;
    for path in files().iter().step_by(4) {
        let whole = fs::read(path).unwrap();
        for round in 0..8 {
            let mut bytes = whole.clone();
            match round {
                0 => bytes.truncate(8 + next(bytes.len() - 8)),
                _ => {
                    for _ in 0..64 {
                        let place = 8 + next(bytes.len() - 8);
                        bytes[place] = next(256) as u8;
                    }
                }
            }
            fs::write(&damaged, &bytes).unwrap();
            let (lines, lost, error) = read(&damaged);
            assert!(lines.len() <= read(path).0.len() * 2 + 1);
            told += usize::from(!lost.is_nothing() || error.is_some());
        }
    }
    assert!(files().is_empty() || told > 0, "no damage was noticed");
}
