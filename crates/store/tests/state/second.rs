//! Second verdicts: who waits for one, and what one cannot do.

use vigie_event::{CloseReason, IncidentStatus, ModelStatus, ModelTrace, Severity, Verdict};
use vigie_store::state::{Agreement, CASE_ALERTS, IncidentFilter, PageRequest, State};

use crate::fixtures::{NOW, alert, commit, incident, incident_id, verdict};

fn second(n: u64, revision: u64, severity: Severity, agrees: bool) -> Verdict {
    let model = Some(ModelTrace { agrees, ..ModelTrace::default() });
    Verdict { model, ..verdict(n, revision, "tiny", severity) }
}

async fn waiting(state: &State) -> Vec<(u64, u64)> {
    let known = |id| (1..9).find(|n| incident_id(*n) == id).unwrap();
    let waiting = state.cases_to_ask(NOW, 10).await.unwrap();
    waiting.iter().map(|one| (known(one.incident), one.revision)).collect()
}

#[tokio::test]
async fn what_the_first_analyst_has_judged_waits_for_the_second() {
    let state = State::in_memory().await.unwrap();
    for n in 1..=3 {
        commit(&state, n, &[], &[incident(n, 1, Severity::High)]).await;
    }
    assert_eq!(waiting(&state).await, [], "not judged yet");
    for (n, severity) in [(1, Severity::Medium), (2, Severity::Critical), (3, Severity::Medium)] {
        state.save_verdicts(&[verdict(n, 1, "built-in", severity)]).await.unwrap();
    }
    assert_eq!(waiting(&state).await, [(2, 1), (3, 1), (1, 1)], "the worst, then the newest");
    state.save_second(&second(2, 1, Severity::Critical, true)).await.unwrap();
    state.give_up_asking(incident_id(1), 1).await.unwrap();
    let reason = Some(CloseReason::TruePositive);
    let closed = IncidentStatus::Closed;
    state.set_incident_status(incident_id(3), closed, reason, "zoé", NOW).await.unwrap();
    assert_eq!(waiting(&state).await, []);
    assert_eq!(state.case_to_ask(incident_id(3)).await.unwrap(), None, "people have closed it");

    // It grows: it is judged anew, and waits anew. An answer about the older form changes that not.
    commit(&state, 4, &[], &[incident(2, 2, Severity::High)]).await;
    state.save_verdicts(&[verdict(2, 2, "built-in", Severity::Critical)]).await.unwrap();
    state.save_second(&second(2, 1, Severity::Critical, false)).await.unwrap();
    assert_eq!(waiting(&state).await, [(2, 2)]);
    let case = state.case_to_ask(incident_id(2)).await.unwrap().unwrap();
    assert_eq!((case.first.revision, case.first.analyst.as_str()), (2, "built-in"));
    assert_eq!(state.agreement().await.unwrap(), Agreement { verdicts: 1, agree: 0 });
}

#[tokio::test]
async fn only_first_verdicts_of_late_are_asked_about() {
    let state = State::in_memory().await.unwrap();
    for (n, given) in [(1, 0), (2, 100), (3, 200)] {
        commit(&state, n, &[], &[incident(n, 1, Severity::High)]).await;
        let time = NOW.plus_seconds(given);
        let first = Verdict { time, ..verdict(n, 1, "built-in", Severity::High) };
        state.save_verdicts(&[first]).await.unwrap();
    }
    for (since, expected) in [(0, 3), (100, 2), (101, 1), (201, 0)] {
        let waiting = state.cases_to_ask(NOW.plus_seconds(since), 10).await.unwrap();
        assert_eq!(waiting.len(), expected, "{since}");
    }
    assert_eq!(state.cases_to_ask(NOW, 1).await.unwrap()[0].incident, incident_id(3));
}

#[tokio::test]
async fn a_tag_is_found_behind_any_number_of_alerts_and_in_tags_alone() {
    let state = State::in_memory().await.unwrap();
    let tag = "llm.injection";
    let mut alerts: Vec<_> = (0..CASE_ALERTS + 5).map(|n| alert(n, 1)).collect();
    alerts[0].tags = [&*alerts[0].tags, &[tag.to_owned()]].concat().into();
    let mut quoting = alert(5_000, 2);
    quoting.entities.add("user.name", tag);
    quoting.tags = [&*quoting.tags, &["llm.injections".to_owned()]].concat().into();
    alerts.push(quoting);
    let incidents = [incident(1, 1, Severity::High), incident(2, 1, Severity::High)];
    commit(&state, 1, &alerts, &incidents).await;
    state.save_verdicts(&[verdict(1, 1, "built-in", Severity::High)]).await.unwrap();
    let case = state.case_to_ask(incident_id(1)).await.unwrap().unwrap();
    assert!(!case.alerts.iter().any(|alert| alert.tags.iter().any(|one| one == tag)));
    for (n, expected) in [(1, true), (2, false), (3, false)] {
        assert_eq!(state.carries(incident_id(n), tag).await.unwrap(), expected, "{n}");
    }
}

#[tokio::test]
async fn a_second_verdict_decides_nothing_and_lowers_nothing() {
    let state = State::in_memory().await.unwrap();
    commit(&state, 1, &[], &[incident(1, 1, Severity::High)]).await;
    state.save_verdicts(&[verdict(1, 1, "built-in", Severity::High)]).await.unwrap();
    for (given, expected) in [
        (Severity::Informational, Severity::High),
        (Severity::Critical, Severity::Critical),
        (Severity::Low, Severity::Critical),
    ] {
        state.save_second(&second(1, 1, given, false)).await.unwrap();
        let detail = state.incident(incident_id(1)).await.unwrap().unwrap();
        assert_eq!(detail.incident.severity, expected, "{given}");
        assert_eq!(detail.incident.status, IncidentStatus::Open);
        assert_eq!(detail.verdicts.len(), 2);
        let to_decide = state.verdicts_to_decide(10).await.unwrap();
        assert!(to_decide.iter().all(|(verdict, _)| verdict.analyst == "built-in"));
    }
    let page = state.incidents(&IncidentFilter::default(), &PageRequest::default()).await.unwrap();
    assert_eq!(page.items[0].verdict.as_ref().unwrap().analyst, "built-in", "in lists");
    let own = verdict(1, 1, "built-in", Severity::Low);
    assert!(state.save_second(&own).await.is_err(), "no model takes the first one's place");
    assert!(state.save_second(&second(9, 1, Severity::Low, true)).await.is_err(), "unknown");
}

#[tokio::test]
async fn the_model_s_status_is_kept_and_forgotten() {
    let state = State::in_memory().await.unwrap();
    assert_eq!(state.model_status().await.unwrap(), None);
    let status = ModelStatus { model: "tiny".into(), reachable: true, ..ModelStatus::default() };
    state.set_model_status(Some(&status)).await.unwrap();
    assert_eq!(state.model_status().await.unwrap(), Some(status));
    state.set_model_status(None).await.unwrap();
    assert_eq!(state.model_status().await.unwrap(), None);
}
