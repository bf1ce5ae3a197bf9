//! Checkpoints, alerts, incidents, and the way to a verdict.

use vigie_event::{CloseReason, IncidentStatus, Severity};
use vigie_store::journal::Position;
use vigie_store::state::{
    AlertFilter, CASE_ALERTS, DetectionBatch, IncidentFilter, PageRequest, ResponseBatch, State,
    StateError,
};

use crate::fixtures::{
    NOW, alert, alert_id, by_hand, commit, incident, incident_id, on_both, verdict,
};

async fn severity(state: &State, n: u64) -> Severity {
    state.incident(incident_id(n)).await.unwrap().unwrap().incident.severity
}

#[tokio::test]
async fn a_checkpoint_moves_with_its_effects_and_never_back() {
    on_both(async |state| {
        let checkpoint = state.detector_checkpoint().await.unwrap();
        assert_eq!((checkpoint.position, checkpoint.snapshot), (Position(0), None));

        let snapshot = |at: u64, byte: u8| Some((Position(at), vec![byte; 100_000]));
        for (position, snapshot, expected) in [
            (10, None, (10, 0, None)),
            (20, snapshot(20, 1), (20, 20, Some(1))),
            (30, None, (30, 20, Some(1))),
            (25, None, (30, 20, Some(1))),
            (40, snapshot(15, 2), (40, 20, Some(1))),
            (50, snapshot(50, 3), (50, 50, Some(3))),
        ] {
            let position = Position(position);
            let batch = DetectionBatch { position, snapshot, ..DetectionBatch::default() };
            state.commit_detection(&batch).await.unwrap();
            let now = state.detector_checkpoint().await.unwrap();
            let byte = now.snapshot.as_ref().map(|bytes| bytes[99_999]);
            assert_eq!((now.position.0, now.snapshot_position.0, byte), expected);
            assert_eq!((now.activities.as_ref(), now.needed()), (None, now.snapshot_position));
        }

        let position = Position(60);
        let activities = Some((Position(45), vec![7; 1_000]));
        let batch = DetectionBatch {
            position,
            activities,
            snapshot: snapshot(60, 4),
            ..Default::default()
        };
        state.commit_detection(&batch).await.unwrap();
        let now = state.detector_checkpoint().await.unwrap();
        assert_eq!(now.activities, Some((Position(45), vec![7; 1_000])));
        assert_eq!((now.needed(), now.snapshot_position), (Position(45), Position(60)));
    })
    .await;
}

#[tokio::test]
async fn committing_again_changes_nothing_and_older_forms_do_not_win() {
    on_both(async |state| {
        let (small, mut grown) = (alert(1, 1), alert(1, 1));
        grown.count = 9;
        let (first, second) = (incident(1, 1, Severity::Medium), incident(1, 2, Severity::High));
        commit(&state, 1, std::slice::from_ref(&small), std::slice::from_ref(&first)).await;
        let detail = state.incident(incident_id(1)).await.unwrap().unwrap();
        assert_eq!((detail.incident, detail.alerts), (first.clone(), vec![small.clone()]));

        commit(&state, 2, std::slice::from_ref(&grown), std::slice::from_ref(&second)).await;
        // A replay after a crash goes through the older forms again.
        commit(&state, 2, &[small], &[first]).await;
        commit(&state, 2, std::slice::from_ref(&grown), std::slice::from_ref(&second)).await;
        let detail = state.incident(incident_id(1)).await.unwrap().unwrap();
        assert_eq!((detail.incident, detail.alerts), (second, vec![grown.clone()]));
        assert_eq!(state.alert(alert_id(1)).await.unwrap(), Some(grown));
        assert_eq!(state.alert(alert_id(2)).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn what_people_set_stays_when_the_incident_grows() {
    on_both(async |state| {
        commit(&state, 1, &[], &[incident(1, 1, Severity::Medium)]).await;
        let id = incident_id(1);
        state.assign(id, Some("zoé"), "admin", NOW).await.unwrap();
        let reason = Some(CloseReason::FalsePositive);
        state.set_incident_status(id, IncidentStatus::Closed, reason, "zoé", NOW).await.unwrap();
        commit(&state, 2, &[], &[incident(1, 2, Severity::High)]).await;
        let stored = state.incident(id).await.unwrap().unwrap().incident;
        assert_eq!(stored.status, IncidentStatus::Closed);
        assert_eq!(stored.close_reason, reason);
        assert_eq!(stored.owner.as_deref(), Some("zoé"));
        assert_eq!((stored.revision, stored.severity), (2, Severity::High));
        let closed = state.closed_among(&[id, incident_id(9)]).await.unwrap();
        assert_eq!(closed, [(id, CloseReason::FalsePositive)]);
    })
    .await;
}

/// A detector that lost its memory counts revisions from the start.
#[tokio::test]
async fn an_incident_goes_on_although_its_revisions_began_anew() {
    let state = State::in_memory().await.unwrap();
    commit(&state, 1, &[], &[incident(1, 7, Severity::Medium)]).await;
    state.save_verdicts(&[verdict(1, 7, "built-in", Severity::Medium)]).await.unwrap();
    let mut anew = incident(1, 1, Severity::Medium);
    anew.last_seen = NOW.plus_seconds(500);
    commit(&state, 2, &[], &[anew]).await;
    let cases = state.cases_to_judge(10).await.unwrap();
    assert_eq!(cases.iter().map(|(case, _)| case.revision).collect::<Vec<_>>(), [8]);
}

#[tokio::test]
async fn a_damaged_row_takes_no_other_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let state = State::open(&path).await.unwrap();
    let incidents = [1, 2, 3].map(|number| incident(number, 1, Severity::High));
    commit(&state, 1, &[alert(1, 1), alert(2, 1), alert(3, 2)], &incidents).await;
    let verdicts = [2, 3].map(|number| verdict(number, 1, "built-in", Severity::High));
    state.save_verdicts(&verdicts).await.unwrap();
    let break_row = async |table: &str, column: &str, id: String| {
        by_hand(&path, &format!("UPDATE {table} SET body = '{{' WHERE {column} = '{id}'")).await;
    };
    break_row("alert", "id", alert_id(1).to_string()).await;
    break_row("verdict", "incident_id", incident_id(2).to_string()).await;

    // Judged by the alerts that can be read; decided where the verdict can be.
    let cases = state.cases_to_judge(10).await.unwrap();
    assert_eq!(cases.len(), 1);
    assert_eq!(cases[0].1, [alert(2, 1)]);
    let decide = state.verdicts_to_decide(10).await.unwrap();
    assert_eq!(decide.len(), 1);
    assert_eq!(decide[0].1.id, incident_id(3));
    assert_eq!(state.verdicts_to_decide(10).await.unwrap().len(), 1);
    let detail = state.incident(incident_id(1)).await.unwrap().unwrap();
    assert_eq!(detail.alerts, [alert(2, 1)]);

    break_row("incident", "id", incident_id(1).to_string()).await;
    assert!(state.cases_to_judge(10).await.unwrap().is_empty());
    let page = PageRequest { limit: 10, after: None };
    let listed = state.incidents(&IncidentFilter::default(), &page).await.unwrap().items;
    assert_eq!(listed.len(), 2);
    // The detector's next form of it is whole again.
    commit(&state, 2, &[], &[incident(1, 2, Severity::High)]).await;
    assert_eq!(state.cases_to_judge(10).await.unwrap().len(), 1);
    state.close().await.unwrap();
}

#[tokio::test]
async fn each_revision_is_judged_once_and_each_verdict_decided_once() {
    on_both(async |state| {
        let incidents = [incident(1, 1, Severity::Medium), incident(2, 1, Severity::Critical)];
        commit(&state, 1, &[alert(2, 2), alert(1, 1), alert(3, 1)], &incidents).await;
        let cases = state.cases_to_judge(10).await.unwrap();
        let seen: Vec<_> = cases.iter().map(|(case, alerts)| (case.id, alerts.len())).collect();
        assert_eq!(seen, [(incident_id(2), 1), (incident_id(1), 2)], "the worst first");
        assert_eq!(cases[1].1, [alert(1, 1), alert(3, 1)], "oldest first");

        let low = verdict(1, 1, "built-in", Severity::Low);
        state.save_verdicts(std::slice::from_ref(&low)).await.unwrap();
        assert_eq!(state.cases_to_judge(10).await.unwrap().len(), 1);
        assert_eq!(severity(&state, 1).await, Severity::Low, "the verdict's");
        let to_decide = state.verdicts_to_decide(10).await.unwrap();
        assert_eq!(to_decide.iter().map(|(verdict, _)| verdict).collect::<Vec<_>>(), [&low]);

        state.save_decisions(&low, &ResponseBatch::default()).await.unwrap();
        assert_eq!(state.verdicts_to_decide(10).await.unwrap(), []);
        state.save_verdicts(&[low]).await.unwrap();
        assert_eq!(state.verdicts_to_decide(10).await.unwrap(), [], "the same verdict again");

        commit(&state, 2, &[], &[incident(1, 2, Severity::High)]).await;
        assert_eq!(severity(&state, 1).await, Severity::Low, "until it is judged again");
        let case = state.cases_to_judge(10).await.unwrap().pop().unwrap().0;
        assert_eq!((case.revision, case.severity), (2, Severity::High), "the alerts' worst");
        state.save_verdicts(&[verdict(1, 2, "built-in", Severity::High)]).await.unwrap();
        assert_eq!(state.verdicts_to_decide(10).await.unwrap().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_model_can_raise_a_severity_and_not_lower_it() {
    let state = State::in_memory().await.unwrap();
    commit(&state, 1, &[], &[incident(1, 1, Severity::Medium)]).await;
    for (analyst, revision, given, expected) in [
        ("built-in", 1, Severity::High, Severity::High),
        ("model", 1, Severity::Informational, Severity::High),
        ("model", 2, Severity::Critical, Severity::Critical),
        ("built-in", 2, Severity::Low, Severity::Critical),
        ("built-in", 1, Severity::Low, Severity::Critical),
    ] {
        state.save_verdicts(&[verdict(1, revision, analyst, given)]).await.unwrap();
        assert_eq!(severity(&state, 1).await, expected, "{analyst} {revision} {given}");
    }
    let page = state.incidents(&IncidentFilter::default(), &PageRequest::default()).await.unwrap();
    let newest = page.items[0].verdict.as_ref().unwrap();
    assert_eq!(newest.revision, 2);
    let unknown = state.save_verdicts(&[verdict(9, 1, "built-in", Severity::Low)]).await;
    assert!(matches!(unknown, Err(StateError::Conflict(_))), "{unknown:?}");
}

#[tokio::test]
async fn verdicts_on_closed_incidents_wait() {
    let state = State::in_memory().await.unwrap();
    commit(&state, 1, &[], &[incident(1, 1, Severity::High)]).await;
    state.save_verdicts(&[verdict(1, 1, "built-in", Severity::High)]).await.unwrap();
    let id = incident_id(1);
    let reason = Some(CloseReason::FalsePositive);
    state.set_incident_status(id, IncidentStatus::Closed, reason, "zoé", NOW).await.unwrap();
    assert_eq!(state.verdicts_to_decide(10).await.unwrap(), []);
    state.set_incident_status(id, IncidentStatus::Open, None, "zoé", NOW).await.unwrap();
    assert_eq!(state.verdicts_to_decide(10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_case_holds_the_newest_alerts() {
    let state = State::in_memory().await.unwrap();
    let many: Vec<_> = (0..CASE_ALERTS + 500).map(|n| alert(n, 1)).collect();
    commit(&state, 1, &many, &[incident(1, 1, Severity::High)]).await;
    let (_, alerts) = state.cases_to_judge(1).await.unwrap().pop().unwrap();
    assert_eq!(alerts, many[500..]);
    let filter = AlertFilter { incident: Some(incident_id(1)), ..AlertFilter::default() };
    let page = state.alerts(&filter, &PageRequest::first(1)).await.unwrap();
    assert_eq!(page.items, many[many.len() - 1..]);
}
