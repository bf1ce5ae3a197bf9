//! Opening: twice, with a newer schema, and what cannot be opened.

use vigie_event::Severity;
use vigie_store::state::{IncidentFilter, PageRequest, State, StateError};

use crate::fixtures::{by_hand, commit, incident};

#[tokio::test]
async fn what_was_kept_is_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("état #1?.db");
    for n in 0..3 {
        let state = State::open(&path).await.unwrap();
        let page = state.incidents(&IncidentFilter::default(), &PageRequest::default()).await;
        assert_eq!(page.unwrap().items.len() as u64, n);
        commit(&state, n, &[], &[incident(n, 1, Severity::Low)]).await;
        state.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_newer_schema_is_refused_and_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    State::open(&path).await.unwrap().close().await.unwrap();
    by_hand(&path, "INSERT INTO seaql_migrations (version, applied_at) VALUES ('m0099_x', 1)")
        .await;
    let error = State::open(&path).await.unwrap_err();
    assert!(matches!(&error, StateError::NewerSchema { step, .. } if step == "m0099_x"));
    let text = error.to_string();
    assert!(text.contains(&path.display().to_string()), "{text}");
    assert!(text.contains("newer version of Vigie"), "{text}");
    by_hand(&path, "DELETE FROM seaql_migrations WHERE version = 'm0099_x'").await;
    State::open(&path).await.unwrap();
}

#[tokio::test]
async fn what_cannot_be_opened_says_where_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("missing/state.db");
    let error = State::open(&missing).await.unwrap_err();
    assert!(matches!(error, StateError::Open { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(&missing.display().to_string()) && text.contains("check that"), "{text}");

    let garbage = folder.path().join("garbage.db");
    std::fs::write(&garbage, "this is no database, only text ".repeat(1_000)).unwrap();
    let error = State::open(&garbage).await.unwrap_err();
    assert!(matches!(error, StateError::Damaged { .. }), "{error:?}");
    assert!(error.to_string().contains("restore a backup"), "{error}");
}
