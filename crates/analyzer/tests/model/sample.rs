//! An incident for the tests: guessing from one address, seen by two rules.

use std::time::Duration;

use vigie_analyzer::model::{Model, Prompt};
use vigie_analyzer::{BuiltIn, Case};
use vigie_event::{
    Action, Actor, Alert, AlertId, Category, Entities, EventId, Evidence, Guidance, Incident,
    IncidentId, IncidentStatus, Lang, Localized, RuleRef, Severity, Timestamp, Verdict,
};

pub const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

pub struct Sample {
    pub incident: Incident,
    pub alerts: Vec<Alert>,
    pub guidance: Guidance,
}

impl Sample {
    /// Number `n`: guessing `count` times, with `raw` among the evidence.
    pub fn new(n: u8, count: u64, raw: &str) -> Self {
        let address = format!("203.0.113.{n}");
        let mut entities = Entities::default();
        entities.add("source.ip", &address);
        entities.add("user.name", "root");
        entities.add("host.name", "web1");
        let event = EventId::from_u128(u128::from(n) * 1_000);
        let alert = Alert {
            id: AlertId::from_u128(u128::from(n)),
            rule: RuleRef {
                id: "guessing".into(),
                title: Localized::new("SSH brute force", "Force brute SSH"),
                level: Severity::High,
                version: String::new(),
            }
            .into(),
            tags: vec!["attack.credential-access".into(), "attack.t1110.001".into()].into(),
            group: [("source.ip".to_owned(), address.clone())].into(),
            entities: entities.clone(),
            first_seen: NOW,
            last_seen: NOW.plus_seconds(60),
            count,
            events: vec![event],
            evidence: vec![Evidence {
                event,
                time: NOW,
                source: "/var/log/auth.log".into(),
                offset: 0,
                raw: raw.to_owned(),
            }],
            incident: None,
        };
        let incident = Incident {
            id: IncidentId::from_u128(u128::from(n)),
            title: Localized::new("SSH brute force", "Force brute SSH"),
            status: IncidentStatus::Open,
            close_reason: None,
            owner: None,
            severity: Severity::High,
            first_seen: NOW,
            last_seen: NOW.plus_seconds(60),
            actor: Actor { field: "source.ip".into(), value: address.into() },
            entities,
            alerts: vec![alert.id],
            reasons: Vec::new(),
            revision: 1,
        };
        let guidance = Guidance {
            category: Some(Category::BruteForce),
            actions: vec![Action::BlockIp],
            ..Guidance::default()
        };
        Self { incident, alerts: vec![alert], guidance }
    }

    /// Says `what` about the incident as a case.
    pub fn with<T>(&self, what: impl FnOnce(&Case<'_>, &Verdict) -> T) -> T {
        let guidance = |_: &str| Some(&self.guidance);
        let case = Case {
            incident: &self.incident,
            alerts: &self.alerts,
            guidance: &guidance,
            now: NOW.plus_seconds(61),
        };
        let first = BuiltIn::new().judge(&case);
        what(&case, &first)
    }

    pub fn prompt(&self, lang: Lang) -> Prompt {
        self.with(|case, first| Prompt::of(case, first, "tiny", false, lang, 42))
    }
}

pub fn model() -> Model {
    Model {
        name: "tiny".to_owned(),
        max_tokens: 150,
        timeout: Duration::from_millis(700),
        notes: false,
        lang: Lang::En,
    }
}

/// A valid answer.
pub const GOOD: &str = r#"{"facts":[0,1],"category":"brute_force","severity":"high","confidence":70,"false_positive":5,"actions":[0],"questions":[1],"close":false}"#;
