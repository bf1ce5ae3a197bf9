//! Incidents and verdicts for this crate's tests.

use vigie_event::{
    Action, Actor, AlertId, Autonomy, Category, Entities, FieldValues, Incident, IncidentId,
    IncidentStatus, Localized, Recommendation, Severity, Timestamp, Verdict,
};

pub(crate) const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

/// An open incident whose actor is `address`.
pub(crate) fn incident(address: &str) -> Incident {
    let mut entities = Entities::default();
    entities.add("source.ip", address);
    Incident {
        id: IncidentId::derive(NOW, &[address.as_bytes()]),
        title: Localized::new("SSH brute force", "Force brute SSH"),
        status: IncidentStatus::Open,
        close_reason: None,
        owner: None,
        severity: Severity::High,
        first_seen: NOW,
        last_seen: NOW,
        actor: Actor { field: "source.ip".into(), value: address.into() },
        entities,
        alerts: vec![AlertId::default()],
        reasons: Vec::new(),
        revision: 1,
    }
}

/// A sure verdict on `incident`; with `ban` it recommends to ban the actor.
pub(crate) fn verdict(incident: &Incident, severity: Severity, ban: bool) -> Verdict {
    let mut recommendations = Vec::new();
    if ban {
        recommendations.push(recommend(&incident.actor.value));
    }
    Verdict {
        incident: incident.id,
        revision: incident.revision,
        analyst: "built-in".into(),
        time: NOW,
        severity,
        category: Category::BruteForce,
        confidence: 90,
        false_positive: 5,
        attack: Vec::new(),
        autonomy: Autonomy::default(),
        summary: Localized::new("Passwords are being guessed.", "Des mots de passe sont devinés."),
        rationale: Vec::new(),
        recommendations,
        advice: Vec::new(),
        open_questions: Vec::new(),
        model: None,
    }
}

pub(crate) fn recommend(address: &str) -> Recommendation {
    Recommendation {
        action: Action::BlockIp,
        target: FieldValues::one("source.ip", address),
        reason: Localized::default(),
    }
}
