//! How long commits and lists take, on a file.
//!
//! `cargo bench -p vigie-store --bench state -- [DIRECTORY]`

#![allow(clippy::indexing_slicing, clippy::unwrap_used)]

use std::future::Future;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use vigie_event::{
    Actor, Alert, AlertId, Entities, EventId, Evidence, Incident, IncidentId, IncidentStatus,
    Localized, RuleRef, Severity, Timestamp,
};
use vigie_store::journal::Position;
use vigie_store::state::{
    AlertFilter, DetectionBatch, IncidentFilter, IncidentSort, PageRequest, State,
};

const NOW: Timestamp = Timestamp::from_seconds(1_767_607_933);
const MANY: u64 = 100_000;

fn alert(n: u64) -> Alert {
    let time = NOW.plus_seconds(n as i64);
    let mut entities = Entities::default();
    entities.add("source.ip", &format!("203.0.113.{}", n % 250));
    entities.add("user.name", "root");
    let evidence = |k| Evidence {
        event: EventId::of_record(time, 1, k, b"line"),
        time,
        source: "/var/log/auth.log".into(),
        offset: k,
        raw: "Failed password for root from 203.0.113.7 port 4242 ssh2".repeat(2),
    };
    Alert {
        id: AlertId::derive(time, &[&n.to_be_bytes()]),
        rule: RuleRef {
            id: format!("rule-{}", n % 40),
            title: Localized::new("Password guessing over SSH", "Essai de mots de passe par SSH"),
            level: Severity::High,
            version: "0123456789abcdef".to_owned(),
        }
        .into(),
        tags: vec!["attack.t1110.001".to_owned()].into(),
        group: [("source.ip".to_owned(), "203.0.113.7".to_owned())].into(),
        entities,
        first_seen: time,
        last_seen: time,
        count: 10,
        events: (0..10).map(|k| EventId::of_record(time, 1, k, b"line")).collect(),
        evidence: (0..5).map(evidence).collect(),
        incident: Some(incident_id(n)),
    }
}

fn incident_id(n: u64) -> IncidentId {
    IncidentId::derive(NOW, &[&n.to_be_bytes()])
}

fn incident(n: u64) -> Incident {
    let alert = alert(n);
    Incident {
        id: incident_id(n),
        title: Localized::new("Password guessing over SSH", "Essai de mots de passe par SSH"),
        status: IncidentStatus::Open,
        close_reason: None,
        owner: None,
        severity: Severity::ALL[(n % 5) as usize],
        first_seen: alert.first_seen,
        last_seen: alert.last_seen,
        actor: Actor { field: "source.ip".into(), value: format!("203.0.113.{}", n % 250).into() },
        entities: alert.entities,
        alerts: vec![alert.id],
        reasons: Vec::new(),
        revision: 1,
    }
}

async fn measure<F: Future<Output = ()>>(what: &str, times: u64, mut work: impl FnMut(u64) -> F) {
    let mut taken = Vec::new();
    for n in 0..times {
        let begun = Instant::now();
        work(n).await;
        taken.push(begun.elapsed());
    }
    taken.sort_unstable();
    let millis = |at: usize| taken.get(at).map_or(0.0, Duration::as_secs_f64) * 1_000.0;
    let (half, most) = (taken.len() / 2, taken.len() * 99 / 100);
    println!("{what}: p50 {:.2} ms, p99 {:.2} ms", millis(half), millis(most));
}

#[tokio::main]
async fn main() {
    let place = std::env::args().nth(1).filter(|place| !place.starts_with('-'));
    let place = place.map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(place).unwrap();
    let state = State::open(&folder.path().join("state.db")).await.unwrap();

    let begun = Instant::now();
    for start in (0..MANY).step_by(5_000) {
        let alerts: Vec<_> = (start..start + 5_000).map(alert).collect();
        let incidents: Vec<_> = (start..start + 5_000).map(incident).collect();
        let position = Position(start + 5_000);
        let batch = DetectionBatch {
            position,
            alerts: &alerts,
            incidents: &incidents,
            ..DetectionBatch::default()
        };
        state.commit_detection(&batch).await.unwrap();
    }
    let rate = (2 * MANY) as f64 / begun.elapsed().as_secs_f64();
    println!("bulk: {rate:.0} alerts and incidents a second, 5,000 of each a commit");

    let commit = |n: u64| {
        let state = state.clone();
        async move {
            let alerts: Vec<_> = (0..3).map(|k| alert(MANY + 3 * n + k)).collect();
            let incidents = [incident(MANY + n)];
            let position = Position(MANY + n);
            let batch = DetectionBatch {
                position,
                alerts: &alerts,
                incidents: &incidents,
                ..DetectionBatch::default()
            };
            state.commit_detection(&batch).await.unwrap();
        }
    };
    measure("commit of 3 alerts and 1 incident", 500, commit).await;
    let note = |n: u64| {
        let state = state.clone();
        async move { drop(state.add_note(incident_id(n), "seen", "zoé", NOW).await.unwrap()) }
    };
    measure("a note with its audit row", 200, note).await;
    let due = |_| {
        let state = state.clone();
        async move { drop(state.cases_to_judge(64).await.unwrap()) }
    };
    measure("64 cases to judge among 100,000", 50, due).await;
    for sort in [IncidentSort::Newest, IncidentSort::Severity] {
        let list = |_| {
            let state = state.clone();
            async move {
                let filter = IncidentFilter { sort, ..IncidentFilter::default() };
                let mut page = PageRequest::first(50);
                for _ in 0..5 {
                    page.after = state.incidents(&filter, &page).await.unwrap().next;
                }
            }
        };
        measure(&format!("5 pages of 50 incidents of 100,000, {sort:?}"), 50, list).await;
    }
    let text = |_| {
        let state = state.clone();
        async move {
            let text = Some("no such text".to_owned());
            let filter = AlertFilter { text, ..AlertFilter::default() };
            drop(state.alerts(&filter, &PageRequest::default()).await.unwrap());
        }
    };
    measure("text search over 100,000 alerts, nothing found", 10, text).await;
    let overview = |_| {
        let state = state.clone();
        let now = NOW.plus_seconds(MANY as i64);
        async move { drop(state.overview(now.plus_seconds(-86_400), now).await.unwrap()) }
    };
    measure("overview over 100,000 alerts, 86,400 in the window", 20, overview).await;
}
