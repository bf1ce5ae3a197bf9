//! What a disk does to the state.

use sea_orm::ConnectionTrait;

use super::{State, StateError};

/// Runs `pragma` on the writing connection of a new database, then writes until it fails.
async fn fails_after(pragma: &str) -> (String, StateError) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.db");
    let state = State::open(&path).await.unwrap();
    state.remember("before", &1).await.unwrap();
    state.shared.writer.execute_unprepared(pragma).await.unwrap();
    for n in 0..1_000 {
        if let Err(error) = state.remember(&format!("key {n}"), &"x".repeat(10_000)).await {
            let kept: Option<u8> = state.setting("before").await.unwrap();
            assert_eq!(kept, Some(1), "reading goes on");
            return (path.display().to_string(), error);
        }
    }
    panic!("nothing failed after {pragma}");
}

#[tokio::test]
async fn a_full_disk_is_named_with_its_mend() {
    let (path, error) = fails_after("PRAGMA max_page_count = 120").await;
    assert!(matches!(error, StateError::Full { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(&path) && text.contains("free some space"), "{text}");
}

#[tokio::test]
async fn a_read_only_disk_is_named_with_its_mend() {
    let (path, error) = fails_after("PRAGMA query_only = ON").await;
    assert!(matches!(error, StateError::ReadOnly { .. }), "{error:?}");
    let text = error.to_string();
    assert!(text.contains(&path) && text.contains("writable"), "{text}");
}

/// The writer must sync each commit, and readers must not be able to write.
#[tokio::test]
async fn connections_are_set_up_as_promised() {
    let folder = tempfile::tempdir().unwrap();
    let state = State::open(&folder.path().join("state.db")).await.unwrap();
    let shared = &state.shared;
    for (connection, pragma, expected) in [
        (&shared.writer, "synchronous", "2"),
        (&shared.writer, "journal_mode", "wal"),
        (&shared.writer, "foreign_keys", "1"),
        (&shared.readers, "query_only", "1"),
    ] {
        let sql = format!("SELECT CAST({pragma} AS TEXT) AS value FROM pragma_{pragma}");
        let statement = sea_orm::Statement::from_string(connection.get_database_backend(), sql);
        let row = connection.query_one_raw(statement).await.unwrap().unwrap();
        let value: String = row.try_get("", "value").unwrap();
        assert_eq!(value, expected, "{pragma}");
    }
}
