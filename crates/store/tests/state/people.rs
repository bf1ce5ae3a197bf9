//! What people change, who they are, and the trace that it leaves.

use vigie_event::{CloseReason, IncidentStatus, Lang, Severity, Timestamp};
use vigie_store::state::{
    AuditChain, AuditFilter, NewSession, PageRequest, Role, State, StateError,
};

use crate::fixtures::{NOW, by_hand, commit, incident, incident_id, on_both};

#[tokio::test]
async fn each_change_leaves_a_row_in_the_chain() {
    on_both(async |state| {
        commit(&state, 1, &[], &[incident(1, 1, Severity::High)]).await;
        let id = incident_id(1);
        state.assign(id, Some("zoé"), "admin", NOW).await.unwrap();
        let reason = Some(CloseReason::TruePositive);
        state.set_incident_status(id, IncidentStatus::Closed, reason, "zoé", NOW).await.unwrap();
        let note = state.add_note(id, "  l’attaque\nest finie ", "zoé", NOW).await.unwrap();
        state.allow("192.0.2.77/24".parse().unwrap(), "office", None, "zoé", NOW).await.unwrap();
        state.disallow("192.0.2.0/24".parse().unwrap(), "zoé", NOW).await.unwrap();
        state.set_setting("mail.password", &"hunter2", "admin", NOW).await.unwrap();
        state.remember("last", &7).await.unwrap();
        state.note_in_audit("zoé", "user.login", "zoé", serde_json::json!({}), NOW).await.unwrap();

        let rows = state.audit_after(0, 100).await.unwrap();
        let told: Vec<_> =
            rows.iter().map(|row| (row.actor.as_str(), row.action.as_str())).collect();
        let expected = [
            ("admin", "incident.assign"),
            ("zoé", "incident.status"),
            ("zoé", "incident.note"),
            ("zoé", "allow.add"),
            ("zoé", "allow.remove"),
            ("admin", "setting.set"),
            ("zoé", "user.login"),
        ];
        assert_eq!(told, expected);
        assert_eq!(rows[1].detail, r#"{"from":"open","to":"closed","reason":"true_positive"}"#);
        assert!(rows.iter().all(|row| !row.detail.contains("hunter2")));

        let report = state.verify_audit().await.unwrap();
        assert_eq!((report.rows, report.broken), (7, None));
        assert_eq!(report.head, rows[6].hash);
        // Offline, from an export.
        let mut chain = AuditChain::default();
        for row in &rows {
            let exported = serde_json::to_string(row).unwrap();
            chain.follow(&serde_json::from_str(&exported).unwrap()).unwrap();
        }
        assert_eq!(chain.report(None).head, report.head);

        let filter = AuditFilter { target: Some(id.to_string()), ..AuditFilter::default() };
        let page = state.audit(&filter, &PageRequest::first(2)).await.unwrap();
        let actions: Vec<_> = page.items.iter().map(|row| row.action.as_str()).collect();
        assert_eq!(actions, ["incident.note", "incident.status"]);
        assert!(page.next.is_some());
        let detail = state.incident(id).await.unwrap().unwrap();
        assert_eq!(detail.notes, std::slice::from_ref(&note));
        assert_eq!(note.text, "l’attaque\nest finie");
    })
    .await;
}

/// The hash of the documented layout, made by another program (`hashlib` over the same bytes).
#[test]
fn the_chain_is_what_its_documentation_says() {
    let row = serde_json::from_value(serde_json::json!({
        "seq": 1, "@timestamp": "2026-01-05T10:12:13.123456Z", "actor": "zoé",
        "action": "ban.lift", "target": "x", "detail": "{}",
        "previous": "0".repeat(64), "hash": REFERENCE,
    }));
    let row: vigie_store::state::AuditRow = row.unwrap();
    assert_eq!(row.expected_hash(), REFERENCE);
}

const REFERENCE: &str = "1615525e8d47ee2832a46d056d41b0adf45035e5059d68a7b6aac9c1eb2f308a";

#[tokio::test]
async fn tampering_shows() {
    for (sql, expected) in [
        ("UPDATE audit SET detail = '{\"note\":99}' WHERE seq = 5", Some((5, "changed"))),
        ("UPDATE audit SET actor = 'somebody' WHERE seq = 1", Some((1, "changed"))),
        ("UPDATE audit SET time = time + 1000000000 WHERE seq = 8", Some((8, "changed"))),
        ("DELETE FROM audit WHERE seq = 4", Some((5, "row 4 is missing"))),
        ("DELETE FROM audit WHERE seq = 1", Some((2, "row 1 is missing"))),
        (
            "UPDATE audit SET hash = (SELECT hash || 'x' FROM audit WHERE seq = 3) WHERE seq = 4",
            Some((4, "changed")),
        ),
        (
            "UPDATE audit SET previous = (SELECT hash FROM audit WHERE seq = 2) WHERE seq = 7",
            Some((7, "does not follow")),
        ),
        // The chain alone cannot tell this; the head, kept elsewhere, can.
        ("DELETE FROM audit WHERE seq = 8", None),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state.db");
        let state = State::open(&path).await.unwrap();
        for n in 0..8 {
            let detail = serde_json::json!({ "note": n });
            state.note_in_audit("zoé", "incident.note", "x", detail, NOW).await.unwrap();
        }
        let before = state.verify_audit().await.unwrap();
        assert_eq!((before.rows, &before.broken), (8, &None));
        by_hand(&path, sql).await;
        let after = state.verify_audit().await.unwrap();
        match expected {
            Some((seq, problem)) => {
                let broken = after.broken.expect(sql);
                assert_eq!(broken.seq, seq, "{sql}");
                assert!(broken.problem.contains(problem), "{sql}: {}", broken.problem);
            }
            None => assert_ne!(after.head, before.head),
        }
        state.close().await.unwrap();
    }
}

#[tokio::test]
async fn changes_that_make_no_sense_are_refused() {
    let state = State::in_memory().await.unwrap();
    commit(&state, 1, &[], &[incident(1, 1, Severity::High)]).await;
    let (id, missing) = (incident_id(1), incident_id(2));
    let reason = Some(CloseReason::Undetermined);
    for result in [
        state.set_incident_status(id, IncidentStatus::Closed, None, "z", NOW).await.map(drop),
        state.set_incident_status(id, IncidentStatus::Open, reason, "z", NOW).await.map(drop),
        state.add_note(id, " \n", "z", NOW).await.map(drop),
        state.add_note(id, &"x".repeat(20_001), "z", NOW).await.map(drop),
        state.create_user("", Role::Viewer, None, "z", NOW).await.map(drop),
        state.create_user(" a", Role::Viewer, None, "z", NOW).await.map(drop),
        state.create_user("a\nb", Role::Viewer, None, "z", NOW).await.map(drop),
        state.create_user(&"x".repeat(65), Role::Viewer, None, "z", NOW).await.map(drop),
        "root".parse::<Role>().map(drop),
    ] {
        assert!(matches!(result, Err(StateError::Invalid(_))), "{result:?}");
    }
    for result in [
        state.assign(missing, None, "z", NOW).await.map(drop),
        state.add_note(missing, "x", "z", NOW).await.map(drop),
        state.disallow("192.0.2.0/24".parse().unwrap(), "z", NOW).await,
        state.set_role("nobody", Role::Admin, "z", NOW).await,
        state.delete_user("nobody", "z", NOW).await,
    ] {
        assert!(matches!(result, Err(StateError::NotFound { .. })), "{result:?}");
    }
    assert_eq!(state.audit_after(0, 10).await.unwrap(), [], "what did not happen is not noted");
}

#[tokio::test]
async fn settings_and_the_allowlist_hold_what_was_put() {
    on_both(async |state| {
        assert_eq!(state.setting::<Vec<u8>>("list").await.unwrap(), None);
        state.set_setting("list", &vec![1, 2], "z", NOW).await.unwrap();
        state.set_setting("list", &vec![3], "z", NOW).await.unwrap();
        assert_eq!(state.setting("list").await.unwrap(), Some(vec![3]));
        let wrong = state.setting::<String>("list").await;
        assert!(matches!(wrong, Err(StateError::Body { .. })), "{wrong:?}");

        let soon = Some(NOW.plus_seconds(10));
        for (target, reason, expires) in [
            ("2001:db8::/32", "lab", None),
            ("192.0.2.9/24", "first", soon),
            ("192.0.2.0/24", "second", soon),
            ("198.51.100.1/32", "monitoring", None),
        ] {
            state.allow(target.parse().unwrap(), reason, expires, "z", NOW).await.unwrap();
        }
        let allowed = async |now: Timestamp| {
            let allowed = state.allowed(now).await.unwrap();
            allowed.into_iter().map(|entry| format!("{} {}", entry.target, entry.reason)).collect()
        };
        let now: Vec<String> = allowed(NOW).await;
        assert_eq!(now, ["192.0.2.0/24 second", "198.51.100.1/32 monitoring", "2001:db8::/32 lab"]);
        let later: Vec<String> = allowed(NOW.plus_seconds(10)).await;
        assert_eq!(later, ["198.51.100.1/32 monitoring", "2001:db8::/32 lab"]);
    })
    .await;
}

#[tokio::test]
async fn an_administrator_always_remains() {
    on_both(async |state| {
        assert_eq!(state.user_count().await.unwrap(), 0);
        let zoe = state.create_user("zoé", Role::Admin, Some("hash"), "setup", NOW).await.unwrap();
        assert_eq!(state.user_by_name("zoé").await.unwrap(), Some(zoe));
        let twice = state.create_user("zoé", Role::Viewer, None, "setup", NOW).await;
        assert!(matches!(twice, Err(StateError::Conflict(_))));
        state.create_user("max", Role::Viewer, None, "zoé", NOW).await.unwrap();
        for result in [
            state.set_role("zoé", Role::Analyst, "zoé", NOW).await,
            state.set_disabled("zoé", true, "zoé", NOW).await,
            state.delete_user("zoé", "zoé", NOW).await,
        ] {
            assert!(matches!(result, Err(StateError::Conflict(_))), "{result:?}");
        }
        state.set_role("max", Role::Admin, "zoé", NOW).await.unwrap();
        state.set_user_lang("max", Lang::Fr).await.unwrap();
        state.note_login("max", NOW.plus_seconds(5)).await.unwrap();
        state.delete_user("zoé", "max", NOW).await.unwrap();
        let users = state.users().await.unwrap();
        assert_eq!(users.len(), 1);
        assert_eq!((users[0].name.as_str(), users[0].role), ("max", Role::Admin));
        assert_eq!((users[0].lang, users[0].last_login), (Lang::Fr, Some(NOW.plus_seconds(5))));
    })
    .await;
}

fn session(hash: &str, user: &str, seconds: i64) -> NewSession {
    NewSession {
        token_hash: hash.to_owned(),
        user: user.to_owned(),
        expires: NOW.plus_seconds(seconds),
        client: "x".repeat(500),
    }
}

#[tokio::test]
async fn sessions_end_in_time_and_with_their_user() {
    on_both(async |state| {
        for (name, role) in [("zoé", Role::Admin), ("max", Role::Viewer)] {
            state.create_user(name, role, Some("hash"), "setup", NOW).await.unwrap();
        }
        for (hash, user, seconds) in [("a", "max", 10), ("b", "max", 100), ("c", "zoé", 100)] {
            state.create_session(&session(hash, user, seconds), NOW).await.unwrap();
        }
        let nobody = state.create_session(&session("d", "nobody", 10), NOW).await;
        assert!(matches!(nobody, Err(StateError::Conflict(_))), "{nobody:?}");
        let who = async |hash: &str, seconds: i64| {
            let found = state.session(hash, NOW.plus_seconds(seconds)).await.unwrap();
            found.map(|session| session.user.name)
        };
        assert_eq!(who("a", 9).await.as_deref(), Some("max"));
        assert_eq!(who("a", 10).await, None);
        assert_eq!(who("x", 0).await, None);
        state.touch_session("a", NOW.plus_seconds(50), NOW.plus_seconds(5)).await.unwrap();
        assert_eq!(who("a", 49).await.as_deref(), Some("max"));
        let of_max = state.sessions_of("max", NOW).await.unwrap();
        let hashes: Vec<_> = of_max.iter().map(|session| session.token_hash.as_str()).collect();
        assert_eq!(hashes, ["a", "b"], "last used first");
        assert_eq!(of_max[0].client.len(), 200);

        state.delete_session("a").await.unwrap();
        assert_eq!(who("a", 0).await, None);
        state.set_password_hash("max", "new", "zoé", NOW).await.unwrap();
        assert_eq!(who("b", 0).await, None, "a new password ends them");
        let max = state.user_by_name("max").await.unwrap().unwrap();
        assert_eq!(max.password_hash.as_deref(), Some("new"));

        state.create_session(&session("e", "max", 100), NOW).await.unwrap();
        state.set_disabled("max", true, "zoé", NOW).await.unwrap();
        state.set_disabled("max", false, "zoé", NOW).await.unwrap();
        assert_eq!(who("e", 0).await, None);
        state.create_session(&session("f", "max", 100), NOW).await.unwrap();
        state.delete_user("max", "zoé", NOW).await.unwrap();
        assert_eq!(who("f", 0).await, None);
        assert_eq!(who("c", 0).await.as_deref(), Some("zoé"));
    })
    .await;
}

#[tokio::test]
async fn a_login_link_works_once_and_not_too_late() {
    on_both(async |state| {
        state.create_user("zoé", Role::Admin, None, "setup", NOW).await.unwrap();
        state.create_user("max", Role::Viewer, None, "setup", NOW).await.unwrap();
        let soon = NOW.plus_seconds(10);
        for (hash, user) in [("a", "zoé"), ("b", "zoé"), ("c", "max")] {
            state.create_login_link(hash, user, soon).await.unwrap();
        }
        state.set_disabled("max", true, "zoé", NOW).await.unwrap();
        let take = async |hash: &str, now: Timestamp| {
            state.take_login_link(hash, now).await.unwrap().map(|user| user.name)
        };
        assert_eq!(take("x", NOW).await, None);
        assert_eq!(take("a", NOW).await.as_deref(), Some("zoé"));
        assert_eq!(take("a", NOW).await, None, "only once");
        assert_eq!(take("c", NOW).await, None, "disabled");
        assert_eq!(take("b", soon).await, None, "too late");
        assert_eq!(take("b", NOW).await, None, "used up by trying");
    })
    .await;
}
