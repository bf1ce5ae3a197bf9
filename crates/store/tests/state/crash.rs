//! A killed process: what was acknowledged is there, and the checkpoint agrees with its effects.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

use vigie_event::Severity;
use vigie_store::journal::Position;
use vigie_store::state::{AlertFilter, DetectionBatch, IncidentFilter, PageRequest, State};

use crate::fixtures::{alert, incident};

/// Names the database to the process that is going to be killed.
const DATABASE: &str = "VIGIE_TEST_CRASH_DATABASE";

/// Not a test of its own: what the killed process runs. Batch `n` brings alert and incident `n`
/// and a snapshot of `n`; its position is `n + 1`.
#[tokio::test]
async fn commits_until_killed() {
    let Ok(path) = std::env::var(DATABASE) else { return };
    let state = State::open(Path::new(&path)).await.unwrap();
    let first = state.detector_checkpoint().await.unwrap().position.0;
    for n in first.. {
        let position = Position(n + 1);
        let batch = DetectionBatch {
            position,
            alerts: &[alert(n, n)],
            incidents: &[incident(n, 1, Severity::High)],
            snapshot: Some((position, n.to_le_bytes().repeat(1_000))),
            activities: None,
        };
        state.commit_detection(&batch).await.unwrap();
        println!("committed {}", n + 1);
    }
}

fn start(path: &Path) -> Child {
    #[allow(clippy::disallowed_methods, reason = "the test starts itself, to kill it")]
    std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::commits_until_killed", "--nocapture"])
        .env(DATABASE, path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

#[tokio::test]
async fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let mut acknowledged = 0;
    for round in 1..=4 {
        let mut child = start(&path);
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut seen = 0;
        for line in lines {
            let line = line.unwrap();
            let Some((_, number)) = line.split_once("committed ") else { continue };
            acknowledged = number.trim().parse::<u64>().unwrap();
            seen += 1;
            // Killed while the next ones are on their way.
            if seen == 3 * round + 2 {
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        assert!(seen >= 3 * round + 2, "killed too early: {seen}");

        let state = State::open(&path).await.unwrap();
        let checkpoint = state.detector_checkpoint().await.unwrap();
        let position = checkpoint.position.0;
        assert!(position >= acknowledged, "{position} < {acknowledged}");
        assert_eq!(checkpoint.snapshot_position.0, position);
        assert_eq!(checkpoint.snapshot, Some((position - 1).to_le_bytes().repeat(1_000)));
        let page = PageRequest::first(1_000);
        let alerts = state.alerts(&AlertFilter::default(), &page).await.unwrap();
        let incidents = state.incidents(&IncidentFilter::default(), &page).await.unwrap();
        assert_eq!(alerts.items.len() as u64, position, "effects and position disagree");
        assert_eq!(incidents.items.len() as u64, position);
        state.close().await.unwrap();
    }
}
