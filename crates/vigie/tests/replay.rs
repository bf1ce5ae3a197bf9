//! The same records give the same alerts, incidents and verdicts, however they come in.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;

use common::{Centre, objects, shared_data, stdout_of, wait_for};
use serde_json::Value;
use vigie_event::Lang;
use vigie_store::journal::{Journal, JournalOptions};
use vigie_store::state::{AlertFilter, IncidentFilter, PageRequest, State};

/// What must be equal: of alerts id, rule, count and incident; of incidents id, alerts and actor; of
/// verdicts severity and autonomy, under the incident's id and a word.
type Found = BTreeMap<String, Value>;

fn scan(dir: &Path, file: &str) -> Found {
    let reference = ["--json", "scan", "--timezone", "UTC", file];
    objects(&stdout_of(dir, &reference))
        .into_iter()
        .filter(|object| object["kind"] != "decision" && object["kind"] != "stats")
        .map(|object| essence(&object))
        .collect()
}

fn essence(object: &Value) -> (String, Value) {
    if object["kind"] == "verdict" {
        let signs = object["autonomy"]["indicators"].as_array().unwrap();
        let signs: Vec<Value> = signs
            .iter()
            .map(|sign| serde_json::json!([sign["name"], sign["points"], sign["events"]]))
            .collect();
        let kept = serde_json::json!([object["severity"], object["autonomy"]["score"], signs]);
        return (format!("verdict {}", object["incident"].as_str().unwrap()), kept);
    }
    let kept = match object["kind"].as_str() {
        Some("alert") => {
            serde_json::json!([object["rule"]["id"], object["count"], object["incident"]])
        }
        _ => serde_json::json!([object["alerts"], object["actor"]]),
    };
    (object["id"].as_str().unwrap().to_owned(), kept)
}

/// An intrusion as the simulator tells it, in one file of mixed lines with years in their times.
fn log(dir: &Path) -> String {
    let lines = stdout_of(
        dir,
        &[
            "simulate",
            "--scenario",
            "ssh-brute-force",
            "--seed",
            "3",
            "--start",
            "2026-01-05T10:00:00Z",
        ],
    );
    assert!(lines.lines().count() > 20);
    lines
}

#[test]
fn a_file_scanned_twice_gives_the_same() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("auth.log"), log(dir.path())).unwrap();
    let first = scan(dir.path(), "auth.log");
    assert!(first.len() > 2, "nothing was found");
    assert_eq!(first, scan(dir.path(), "auth.log"));
    // A compressed copy is the same log.
    let packed =
        zstd::encode_all(&*std::fs::read(dir.path().join("auth.log")).unwrap(), 1).unwrap();
    std::fs::write(dir.path().join("auth.log.1.zst"), packed).unwrap();
    assert_eq!(first, scan(dir.path(), "auth.log.1.zst"));
}

#[test]
fn real_logs_scanned_twice_give_the_same() {
    let Some(samples) = shared_data("loghub") else { return };
    let mut some = false;
    for entry in std::fs::read_dir(samples).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "log") {
            let name = path.display().to_string();
            assert_eq!(scan(Path::new("/"), &name), scan(Path::new("/"), &name), "{name}");
            some = true;
        }
    }
    assert!(some, "no log in loghub");
}

#[test]
fn live_and_split_over_restarts_gives_what_a_scan_gives() {
    let dir = tempfile::tempdir().unwrap();
    let text = log(dir.path());
    std::fs::write(dir.path().join("scanned.log"), &text).unwrap();
    let expected = scan(dir.path(), "scanned.log");

    let live = dir.path().join("live.log");
    std::fs::write(&live, "").unwrap();
    let configuration =
        format!("[sources]\nfiles = [{:?}]\njournald = \"never\"\n", live.display().to_string());
    let lines: Vec<&str> = text.lines().collect();
    let mut out = std::fs::OpenOptions::new().append(true).open(&live).unwrap();
    // Three lives of one centre; what is written between two of them is read by the next.
    for (at, part) in lines.chunks(lines.len().div_ceil(5)).enumerate() {
        let centre = (at % 2 == 0).then(|| Centre::start(dir.path(), &configuration, &[]));
        for line in part {
            writeln!(out, "{line}").unwrap();
        }
        if let Some(centre) = centre {
            let bytes = out.metadata().unwrap().len();
            wait_for("the log is read", || (read_up_to(dir.path()) == bytes).then_some(()));
            // The middle one ends in peace, with its memory kept.
            if at == 2 { centre.stop() } else { centre.kill() }
        }
    }
    let state = dir.path().join("data/state.sqlite");
    Centre::start(dir.path(), &configuration, &[]).stop();
    let last = Centre::start(dir.path(), &configuration, &[]);
    // What the stop found last is judged after it.
    let found = wait_for("every incident is judged", || found_in(&state));
    last.stop();
    assert_eq!(found, expected);
}

/// How far the live log is in the journal: the end of its last line.
fn read_up_to(dir: &Path) -> u64 {
    // The journal is locked by its centre; a copy is read.
    let copy = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(dir.join("data/journal")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().is_some_and(|name| name != "lock") {
            std::fs::copy(&path, copy.path().join(path.file_name().unwrap())).unwrap();
        }
    }
    let Ok((journal, _)) = Journal::open(copy.path(), JournalOptions::default()) else { return 0 };
    journal
        .cursors()
        .iter()
        .find_map(|(_, cursor)| match cursor {
            vigie_event::Cursor::File { offset, .. } => Some(*offset),
            _ => None,
        })
        .unwrap_or(0)
}

/// What the state holds, once every incident is judged.
fn found_in(path: &Path) -> Option<Found> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let state = State::open(path).await.unwrap();
        if !state.cases_to_judge(1).await.unwrap().is_empty() {
            return None;
        }
        let page = PageRequest { limit: 500, after: None };
        let alerts = state.alerts(&AlertFilter::default(), &page).await.unwrap().items;
        let incidents = state.incidents(&IncidentFilter::default(), &page).await.unwrap().items;
        let alerts = alerts.iter().map(|alert| {
            vigie_event::wire::to_value(vigie_event::wire::alert(alert, Lang::default()))
        });
        let verdicts: Option<Vec<_>> = incidents.iter().map(|one| one.verdict.as_ref()).collect();
        let verdicts = verdicts?.into_iter().map(|verdict| {
            vigie_event::wire::to_value(vigie_event::wire::verdict(verdict, Lang::default()))
        });
        let incidents = incidents.iter().map(|one| {
            vigie_event::wire::to_value(vigie_event::wire::incident(&one.incident, Lang::default()))
        });
        Some(alerts.chain(incidents).chain(verdicts).map(|object| essence(&object)).collect())
    })
}
