//! Alerts, incidents and what follows from them, made to order.

use std::future::Future;
use std::path::Path;

use sea_orm::{ConnectionTrait, Database};
use vigie_event::{
    Action, Actor, Alert, AlertId, Decision, DecisionId, DecisionStatus, Entities, EventId,
    Incident, IncidentId, IncidentStatus, Localized, MergeReason, Mode, RuleRef, Severity,
    Timestamp, Verdict,
};
use vigie_store::journal::Position;
use vigie_store::state::{DetectionBatch, State};

pub const NOW: Timestamp = Timestamp::from_seconds(1_767_607_933);

/// Runs `scenario` on a state in memory and on one in a file.
pub async fn on_both<F: Future<Output = ()>>(scenario: impl Fn(State) -> F) {
    scenario(State::in_memory().await.unwrap()).await;
    let folder = tempfile::tempdir().unwrap();
    let state = State::open(&folder.path().join("state.db")).await.unwrap();
    scenario(state.clone()).await;
    state.close().await.unwrap();
}

/// Changes the database behind Vigie's back.
pub async fn by_hand(path: &Path, sql: &str) {
    let db = Database::connect(format!("sqlite://{}", path.display())).await.unwrap();
    db.execute_unprepared(sql).await.unwrap();
    db.close().await.unwrap();
}

pub fn incident_id(n: u64) -> IncidentId {
    IncidentId::derive(NOW, &[&n.to_be_bytes()])
}

pub fn alert_id(n: u64) -> AlertId {
    AlertId::derive(NOW, &[&n.to_be_bytes()])
}

/// Alert `n` of incident `incident`, `n` seconds after [`NOW`].
pub fn alert(n: u64, incident: u64) -> Alert {
    let mut entities = Entities::default();
    entities.add("source.ip", &format!("203.0.113.{}", incident % 250));
    entities.add("user.name", &format!("user{n}"));
    let time = NOW.plus_seconds(n as i64);
    Alert {
        id: alert_id(n),
        rule: RuleRef {
            id: format!("rule-{}", incident % 3),
            title: Localized::new(format!("Rule {}", incident % 3), ""),
            level: Severity::High,
            version: "0123456789abcdef".to_owned(),
        }
        .into(),
        tags: vec!["attack.t1110.001".to_owned()].into(),
        group: [("source.ip".to_owned(), "203.0.113.1".to_owned())].into(),
        entities,
        first_seen: time,
        last_seen: time,
        count: 5,
        events: vec![EventId::of_record(time, 1, n, b"line")],
        evidence: Vec::new(),
        incident: Some(incident_id(incident)),
    }
}

/// Incident `n` at revision `revision`, last seen that many seconds after its beginning.
pub fn incident(n: u64, revision: u64, severity: Severity) -> Incident {
    let actor = format!("203.0.113.{}", n % 250);
    let mut entities = Entities::default();
    entities.add("source.ip", &actor);
    entities.add("host.name", &format!("Serveur-É{n}"));
    Incident {
        id: incident_id(n),
        title: Localized::new(format!("Brute force {n}"), format!("Force brute {n}")),
        status: IncidentStatus::Open,
        close_reason: None,
        owner: None,
        severity,
        first_seen: NOW.plus_seconds(n as i64),
        last_seen: NOW.plus_seconds((n + revision) as i64),
        actor: Actor { field: "source.ip".into(), value: actor.as_str().into() },
        entities,
        alerts: vec![alert_id(n)],
        reasons: vec![MergeReason {
            alert: alert_id(n),
            reason: "first".into(),
            field: "source.ip".into(),
            value: actor.into(),
        }],
        revision,
    }
}

pub fn verdict(incident: u64, revision: u64, analyst: &str, severity: Severity) -> Verdict {
    let verdict = serde_json::json!({
        "incident": incident_id(incident),
        "revision": revision,
        "analyst": analyst,
        "time": NOW.plus_seconds(revision as i64),
        "severity": severity,
        "category": "brute_force",
        "confidence": 90,
        "false_positive": 5,
        "attack": [],
        "autonomy": {
            "score": 12, "band": "no_sign", "confidence": 40,
            "indicators": [], "counter_evidence": [],
        },
        "summary": { "en": "Brute force", "fr": "Force brute" },
        "rationale": [], "recommendations": [], "advice": [], "open_questions": [],
    });
    serde_json::from_value(verdict).unwrap()
}

pub fn decision_id(n: u64) -> DecisionId {
    DecisionId::derive(NOW, &[&n.to_be_bytes()])
}

pub fn decision(n: u64, incident: u64, status: DecisionStatus) -> Decision {
    Decision {
        id: decision_id(n),
        incident: incident_id(incident),
        action: Action::BlockIp,
        target: [("source.ip".to_owned(), format!("203.0.113.{n}"))].into(),
        duration_s: Some(3_600),
        mode: Mode::Enforce,
        status,
        policy: "ban-brute-force".into(),
        reason: Localized::new("five failures", "cinq échecs"),
        created: NOW.plus_seconds(n as i64),
        expires: Some(NOW.plus_seconds(n as i64 + 3_600)),
    }
}

/// Commits `alerts` and `incidents` at `position`.
pub async fn commit(state: &State, position: u64, alerts: &[Alert], incidents: &[Incident]) {
    let position = Position(position);
    let batch = DetectionBatch { position, alerts, incidents, ..DetectionBatch::default() };
    state.commit_detection(&batch).await.unwrap();
}
