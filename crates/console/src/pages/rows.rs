//! Incidents as rows of a table.

use vigie_event::{DecisionStatus, IncidentId, IncidentStatus, Severity, Timestamp};
use vigie_store::state::{DecisionFilter, IncidentSummary, PageRequest, State, StateError};

use crate::i18n::Text;
use crate::shown::Shown;
use crate::words;

/// Decisions of an incident among which the weightiest is shown.
const DECISIONS: u64 = 20;

/// An incident in a table.
pub(crate) struct IncidentRow {
    pub id: IncidentId,
    pub title: Shown,
    pub severity: Severity,
    pub status: IncidentStatus,
    pub status_key: &'static str,
    pub actor_field: String,
    pub actor: Shown,
    pub alerts: usize,
    pub owner: Option<Shown>,
    pub last_seen: Timestamp,
    pub verdict: Option<RowVerdict>,
    pub response: Option<RowResponse>,
}

/// The verdict in short.
pub(crate) struct RowVerdict {
    pub category: &'static str,
    pub confidence: u8,
}

/// The weightiest decision in short.
pub(crate) struct RowResponse {
    pub action: String,
    pub status: String,
}

/// The rows of `incidents`.
pub(crate) async fn rows(
    state: &State,
    t: Text,
    incidents: Vec<IncidentSummary>,
) -> Result<Vec<IncidentRow>, StateError> {
    let mut rows = Vec::with_capacity(incidents.len());
    for IncidentSummary { incident, verdict } in incidents {
        rows.push(IncidentRow {
            response: response(state, t, incident.id).await?,
            id: incident.id,
            title: Shown::brief(t.pick(&incident.title)),
            severity: incident.severity,
            status: incident.status,
            status_key: words::incident_status(incident.status),
            actor_field: actor_field(t, &incident.actor.field),
            actor: Shown::cut(&incident.actor.value, 64),
            alerts: incident.alerts.len(),
            owner: incident.owner.as_deref().map(Shown::brief),
            last_seen: incident.last_seen,
            verdict: verdict.map(|verdict| RowVerdict {
                category: verdict.category.label(t.lang()),
                confidence: verdict.confidence,
            }),
        });
    }
    Ok(rows)
}

/// The name of an actor's field for people.
pub(crate) fn actor_field(t: Text, field: &str) -> String {
    match words::actor(field) {
        Some(key) => t.s(key).into_owned(),
        None => t.with("actor-other", "field", Shown::cut(field, 40)).into_owned(),
    }
}

/// The decision that matters most: an action that stands before one that was refused or is over,
/// then in the order of the list of actions.
async fn response(
    state: &State,
    t: Text,
    incident: IncidentId,
) -> Result<Option<RowResponse>, StateError> {
    let filter = DecisionFilter { incident: Some(incident), ..DecisionFilter::default() };
    let decisions = state.decisions(&filter, &PageRequest::first(DECISIONS)).await?;
    let weightiest = decisions.items.iter().map(|stored| &stored.decision).min_by_key(|decision| {
        let over = matches!(
            decision.status,
            DecisionStatus::Refused | DecisionStatus::Expired | DecisionStatus::Undone
        );
        (over, decision.action)
    });
    Ok(weightiest.map(|decision| RowResponse {
        action: decision.action.label(t.lang()).to_owned(),
        status: decision.status.label(t.lang()).to_owned(),
    }))
}
