//! Many at once: nothing is lost, nothing is given twice, nobody hears of a locked database.

use std::collections::HashSet;

use tokio::task::JoinSet;
use vigie_event::{IncidentStatus, Severity};
use vigie_store::state::{
    IncidentFilter, OutboxStatus, PageRequest, ResponseBatch, State, TicketFilter,
};

use crate::fixtures::{NOW, alert, commit, incident, incident_id};
use crate::response::ticket;

async fn everybody_at_once(state: State) {
    let incidents: Vec<_> = (0..20).map(|n| incident(n, 1, Severity::High)).collect();
    commit(&state, 1, &[], &incidents).await;
    let mut tasks = JoinSet::new();
    for n in 0..40_u64 {
        let writing = state.clone();
        tasks.spawn(async move {
            commit(&writing, n + 2, &[alert(n, n % 20)], &[]).await;
            let tickets = vec![ticket(&format!("ticket {n}"))];
            let batch = ResponseBatch { tickets, ..ResponseBatch::default() };
            let saved = writing.save_response(&batch).await.unwrap();
            let status = IncidentStatus::InProgress;
            let id = incident_id(n % 20);
            writing.set_incident_status(id, status, None, "zoé", NOW).await.unwrap();
            writing.add_note(id, "seen", "zoé", NOW).await.unwrap();
            Some(saved.tickets[0].id.clone())
        });
        let reading = state.clone();
        tasks.spawn(async move {
            let filter = IncidentFilter::default();
            for _ in 0..5 {
                let page = reading.incidents(&filter, &PageRequest::default()).await.unwrap();
                assert_eq!(page.items.len(), 20);
                reading.overview(NOW, NOW).await.unwrap();
            }
            None
        });
        // Half-way gone clients leave nothing half done.
        let leaving = state.clone();
        tasks.spawn(async move {
            let batch = ResponseBatch { tickets: vec![ticket("gone")], ..ResponseBatch::default() };
            let saving = leaving.save_response(&batch);
            let _ = tokio::time::timeout(std::time::Duration::from_micros(n * 50), saving).await;
            None
        });
    }
    let mut ids = HashSet::new();
    while let Some(id) = tasks.join_next().await {
        if let Some(id) = id.unwrap() {
            assert!(ids.insert(id), "a number was given twice");
        }
    }
    let page = state.tickets(&TicketFilter::default(), &PageRequest::first(100)).await.unwrap();
    let numbers: Vec<_> = page.items.iter().rev().map(|ticket| ticket.id.clone()).collect();
    let expected: Vec<_> = (1..=numbers.len()).map(|n| format!("TKT-{n:04}")).collect();
    assert_eq!(numbers, expected, "no gaps");
    assert!(numbers.len() == 40 || numbers.len() == 41);
    let report = state.verify_audit().await.unwrap();
    assert_eq!((report.rows, report.broken), (80, None));
    assert_eq!(state.detector_checkpoint().await.unwrap().position.0, 41);
    let outbox = state.outbox(&[OutboxStatus::Pending], &PageRequest::default()).await.unwrap();
    assert_eq!(outbox.items, []);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everybody_at_once_on_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let state = State::open(&folder.path().join("state.db")).await.unwrap();
    everybody_at_once(state).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn everybody_at_once_in_memory() {
    everybody_at_once(State::in_memory().await.unwrap()).await;
}

/// Two processes, such as the centre and a command beside it, wait for each other.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_openings_of_one_file_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let (a, b) = (State::open(&path).await.unwrap(), State::open(&path).await.unwrap());
    let mut tasks = JoinSet::new();
    for n in 0..60 {
        let state = if n % 2 == 0 { a.clone() } else { b.clone() };
        tasks.spawn(async move {
            let detail = serde_json::json!({ "n": n });
            state.note_in_audit("zoé", "test", "x", detail, NOW).await.unwrap();
        });
    }
    while let Some(done) = tasks.join_next().await {
        done.unwrap();
    }
    let report = a.verify_audit().await.unwrap();
    assert_eq!((report.rows, report.broken), (60, None));
}
