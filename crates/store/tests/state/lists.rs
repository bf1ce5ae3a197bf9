//! Pages, filters and the dashboard's figures.

use std::collections::HashSet;

use vigie_event::{IncidentStatus, Severity, Timestamp};
use vigie_store::state::{
    AlertFilter, IncidentFilter, IncidentSort, PAGE_LIMIT_MAX, PageRequest, State, StateError,
};

use crate::fixtures::{NOW, alert, commit, incident, incident_id, on_both};

/// All incidents of `filter`, page by page.
async fn all(state: &State, filter: &IncidentFilter, limit: u64) -> Vec<u64> {
    let mut found = Vec::new();
    let mut page = PageRequest::first(limit);
    loop {
        let part = state.incidents(filter, &page).await.unwrap();
        assert!(part.items.len() as u64 <= limit.max(1));
        found.extend(part.items.iter().map(|item| {
            let title = &item.incident.title.en;
            title.rsplit(' ').next().unwrap().parse::<u64>().unwrap()
        }));
        match part.next {
            Some(after) => page = PageRequest::after(limit, after),
            None => return found,
        }
    }
}

#[tokio::test]
async fn pages_cover_everything_once_in_order() {
    on_both(async |state| {
        let severities = [Severity::Low, Severity::Critical, Severity::Medium];
        // Equal times, so that the identifier has to decide.
        let mut incidents: Vec<_> =
            (0..23).map(|n| incident(n, 1, severities[n as usize % 3])).collect();
        for incident in &mut incidents[5..15] {
            incident.last_seen = NOW;
        }
        commit(&state, 1, &[], &incidents).await;
        for sort in [IncidentSort::Newest, IncidentSort::Severity] {
            let filter = IncidentFilter { sort, ..IncidentFilter::default() };
            let whole = all(&state, &filter, 1_000).await;
            assert_eq!(whole.iter().collect::<HashSet<_>>().len(), 23);
            for limit in [1, 4, 23] {
                assert_eq!(all(&state, &filter, limit).await, whole, "{sort:?} {limit}");
            }
            let rank = |n: &u64| incidents[*n as usize].severity;
            let time = |n: &u64| incidents[*n as usize].last_seen;
            let ordered = match sort {
                IncidentSort::Newest => whole.is_sorted_by(|a, b| time(a) >= time(b)),
                IncidentSort::Severity => {
                    whole.is_sorted_by(|a, b| (rank(a), time(a)) >= (rank(b), time(b)))
                }
            };
            assert!(ordered, "{whole:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn lists_go_on_past_ten_thousand() {
    let state = State::in_memory().await.unwrap();
    let alerts: Vec<_> = (0..12_345).map(|n| alert(n, n)).collect();
    commit(&state, 1, &alerts, &[]).await;
    let mut seen = HashSet::new();
    let mut page = PageRequest::first(PAGE_LIMIT_MAX + 5);
    loop {
        let part = state.alerts(&AlertFilter::default(), &page).await.unwrap();
        seen.extend(part.items.iter().map(|alert| alert.id));
        match part.next {
            Some(after) => page.after = Some(after),
            None => break,
        }
    }
    assert_eq!(seen.len(), 12_345);
}

#[tokio::test]
async fn filters_hold_together_and_apart() {
    let state = State::in_memory().await.unwrap();
    let mut incidents: Vec<_> = (0..6).map(|n| incident(n, 1, Severity::Low)).collect();
    incidents[4].severity = Severity::Critical;
    incidents[5].title.en = "100%_real\\ thing 5".to_owned();
    let alerts: Vec<_> = (0..6).map(|n| alert(n, n)).collect();
    commit(&state, 1, &alerts, &incidents).await;
    state.assign(incident_id(2), Some("zoé"), "admin", NOW).await.unwrap();
    let in_progress = IncidentStatus::InProgress;
    state.set_incident_status(incident_id(3), in_progress, None, "zoé", NOW).await.unwrap();

    let any = IncidentFilter::default;
    let text = |text: &str| IncidentFilter { text: Some(text.to_owned()), ..any() };
    let time = |n: i64| Some(NOW.plus_seconds(n));
    for (filter, expected) in [
        (IncidentFilter { status: vec![in_progress], ..any() }, vec![3]),
        (IncidentFilter { min_severity: Some(Severity::High), ..any() }, vec![4]),
        (IncidentFilter { owner: Some("zoé".to_owned()), ..any() }, vec![2]),
        (IncidentFilter { actor: Some("203.0.113.1".to_owned()), ..any() }, vec![1]),
        (IncidentFilter { rule: Some("rule-1".to_owned()), ..any() }, vec![4, 1]),
        (IncidentFilter { from: time(6), ..any() }, vec![5]),
        (IncidentFilter { to: time(1), ..any() }, vec![0]),
        (IncidentFilter { from: time(3), to: time(4), ..any() }, vec![3, 2]),
        (text("SERVEUR-é4"), vec![4]),
        (text("  force brute 0 "), vec![0]),
        (text("100%_real\\"), vec![5]),
        (text("%"), vec![5]),
        (text("a_b"), vec![]),
        (text("'; DROP TABLE incident; --"), vec![]),
        (text(" "), vec![5, 4, 3, 2, 1, 0]),
    ] {
        assert_eq!(all(&state, &filter, 2).await, expected, "{filter:?}");
    }
    let alerts = |filter: AlertFilter| {
        let state = state.clone();
        async move { state.alerts(&filter, &PageRequest::default()).await.unwrap().items.len() }
    };
    let any = AlertFilter::default;
    assert_eq!(alerts(AlertFilter { rule: Some("rule-2".to_owned()), ..any() }).await, 2);
    assert_eq!(alerts(AlertFilter { source: Some("203.0.113.5".to_owned()), ..any() }).await, 1);
    assert_eq!(alerts(AlertFilter { text: Some("T1110".to_owned()), ..any() }).await, 6);
    assert_eq!(alerts(AlertFilter { min_severity: Some(Severity::Critical), ..any() }).await, 0);
    assert_eq!(alerts(AlertFilter { from: time(4), ..any() }).await, 2);
}

#[tokio::test]
async fn cursors_that_no_page_gave_are_refused() {
    let state = State::in_memory().await.unwrap();
    for cursor in ["", "x", "12", "1.5", "é.a", "9999999999999999999999.a"] {
        let page = PageRequest::after(10, cursor);
        let result = state.incidents(&IncidentFilter::default(), &page).await;
        let only_numbers = cursor == "1.5";
        assert_eq!(matches!(result, Err(StateError::BadCursor(_))), !only_numbers, "{cursor}");
    }
}

#[tokio::test]
async fn the_overview_counts() {
    on_both(async |state| {
        let incidents = [
            incident(1, 1, Severity::High),
            incident(2, 1, Severity::High),
            incident(3, 1, Severity::Low),
        ];
        let mut alerts: Vec<_> = (0..10).map(|n| alert(n, if n < 7 { 1 } else { 2 })).collect();
        // One long ago, one of a day ago to the hour.
        alerts[0].last_seen = NOW.plus_seconds(-80 * 3_600);
        alerts[1].last_seen = NOW.plus_seconds(-23 * 3_600);
        commit(&state, 1, &alerts, &incidents).await;
        let reason = Some(vigie_event::CloseReason::TruePositive);
        let closed = IncidentStatus::Closed;
        state.set_incident_status(incident_id(2), closed, reason, "zoé", NOW).await.unwrap();

        let now = NOW.plus_seconds(60);
        let overview = state.overview(NOW.plus_seconds(-48 * 3_600), now).await.unwrap();
        let expected = [
            (Severity::Critical, 0),
            (Severity::High, 1),
            (Severity::Medium, 0),
            (Severity::Low, 1),
            (Severity::Informational, 0),
        ];
        assert_eq!(overview.open_incidents, expected);
        assert_eq!(overview.open_incident_count(), 2);
        assert_eq!(overview.alerts, 9);
        let hours: Vec<u64> = overview.alerts_per_hour.iter().map(|hour| hour.alerts).collect();
        assert_eq!((hours.len(), hours[0], hours[23], hours.iter().sum::<u64>()), (24, 1, 8, 9));
        assert_eq!(overview.alerts_per_hour[23].hour, hour_of(now));
        let rules: Vec<_> =
            overview.top_rules.iter().map(|rule| (rule.id.as_str(), rule.alerts)).collect();
        assert_eq!(rules, [("rule-1", 6), ("rule-2", 3)]);
        assert_eq!(overview.top_rules[0].title.en, "Rule 1");
        let sources: Vec<_> = overview
            .top_sources
            .iter()
            .map(|source| (source.address.as_str(), source.alerts))
            .collect();
        assert_eq!(sources, [("203.0.113.1", 6), ("203.0.113.2", 3)]);
    })
    .await;
}

fn hour_of(time: Timestamp) -> Timestamp {
    Timestamp::from_seconds(time.seconds().div_euclid(3_600) * 3_600)
}
