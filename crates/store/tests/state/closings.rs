//! What closings are remembered under, and how they are taken back.

use vigie_event::{CloseReason, IncidentStatus, Severity};
use vigie_store::state::{AuditFilter, PageRequest, State, StateError};

use crate::fixtures::{NOW, alert, commit, incident, incident_id, on_both};

async fn close(state: &State, n: u64, reason: CloseReason) {
    let closed = IncidentStatus::Closed;
    state.set_incident_status(incident_id(n), closed, Some(reason), "zoé", NOW).await.unwrap();
}

/// Closings of `rule-1` as (attacks, benign, false, undetermined): anywhere, and for one address.
async fn counts(state: &State) -> Vec<(String, [u32; 4])> {
    let precedents = state.precedents(Some("rule-1"), &PageRequest::default()).await.unwrap().items;
    let told = precedents.into_iter().filter(|one| one.key.field != "user.name").map(|one| {
        let all = one.closings;
        let counts =
            [all.true_positive, all.benign_true_positive, all.false_positive, all.undetermined];
        (one.key.value, counts)
    });
    told.collect()
}

#[tokio::test]
async fn closings_count_once_and_are_replaced_and_taken_back() {
    on_both(async |state| {
        // Three incidents of rule-1, of two addresses.
        let numbers = [1, 4, 251];
        let alerts = numbers.map(|n| alert(n, n));
        let incidents = numbers.map(|n| incident(n, 1, Severity::High));
        let alerts = [alerts[0].clone(), alerts[1].clone()];
        commit(&state, 1, &alerts, &incidents).await;
        assert!(counts(&state).await.is_empty());

        close(&state, 1, CloseReason::FalsePositive).await;
        close(&state, 1, CloseReason::FalsePositive).await;
        close(&state, 4, CloseReason::BenignTruePositive).await;
        let both = counts(&state).await;
        assert_eq!(both[0], (String::new(), [0, 1, 1, 0]));
        assert_eq!(both[1], ("203.0.113.1".to_owned(), [0, 0, 1, 0]));

        // Another reason replaces the first; opening again takes it back.
        close(&state, 1, CloseReason::TruePositive).await;
        assert_eq!(counts(&state).await[0].1, [1, 1, 0, 0]);
        let open = IncidentStatus::Open;
        state.set_incident_status(incident_id(1), open, None, "zoé", NOW).await.unwrap();
        assert_eq!(counts(&state).await[0].1, [0, 1, 0, 0]);

        // An incident is no precedent of itself.
        let mine = state.past(&incidents[1], &alerts[1..]).await.unwrap();
        assert!(mine.precedents.is_empty(), "{mine:?}");
        let other = state.past(&incidents[0], &alerts[..1]).await.unwrap();
        assert_eq!(other.precedents.len(), 1, "the rule anywhere: {other:?}");
        assert_eq!(other.earlier.unwrap().incidents, 0);

        // The newer incident of the same address knows of the older one and how it was closed.
        close(&state, 1, CloseReason::TruePositive).await;
        let later = state.past(&incidents[2], &[]).await.unwrap().earlier.unwrap();
        assert_eq!((later.incidents, later.closings.true_positive), (1, 1));

        // Pages of one key each: all keys, each with all of its reasons, in order.
        let whole = state.precedents(None, &PageRequest::default()).await.unwrap();
        assert_eq!(whole.next, None);
        let keys = u64::try_from(whole.items.len()).unwrap();
        assert_eq!(state.count_precedents(None).await.unwrap(), keys);
        let (mut paged, mut page) = (Vec::new(), PageRequest::first(1));
        loop {
            let found = state.precedents(None, &page).await.unwrap();
            paged.extend(found.items);
            let Some(next) = found.next else { break };
            page = PageRequest::after(1, next);
        }
        assert_eq!(paged, whole.items);
        let bad = PageRequest::after(1, "nonsense");
        assert!(matches!(state.precedents(None, &bad).await, Err(StateError::BadCursor(_))));

        let gone = state.forget_closings(Some("rule-1"), "admin", NOW).await.unwrap();
        assert!(gone >= 4, "{gone}");
        assert!(counts(&state).await.is_empty());
        let filter =
            AuditFilter { action: Some("learning.reset".to_owned()), ..AuditFilter::default() };
        let audit = state.audit(&filter, &PageRequest::default()).await.unwrap();
        assert_eq!((audit.items.len(), audit.items[0].target.as_str()), (1, "rule-1"));
    })
    .await;
}
