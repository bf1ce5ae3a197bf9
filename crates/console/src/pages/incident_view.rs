//! An incident with all that belongs to it, as its page shows it.

use std::collections::{BTreeMap, HashMap};

use vigie_event::{
    Alert, AlertId, Decision, Entities, EventId, Incident, IncidentId, IncidentStatus, Severity,
    Timestamp,
};
use vigie_store::state::{IncidentDetail, StoredDecision, Ticket, TicketStatus};

use super::rows;
use super::timeline::{self, Moment};
use super::verdict_view::VerdictView;
use crate::i18n::Text;
use crate::shown::Shown;
use crate::words;

/// Lines of raw evidence on a page.
const EVIDENCE: usize = 200;
/// Lines of raw evidence before the fold.
const FIRST_EVIDENCE: usize = 10;
/// Alerts before the fold.
const FIRST_ALERTS: usize = 6;
/// Characters from which on a line may need to be scrolled on a narrow screen.
const SCROLLS_FROM: usize = 500;
/// Values of an entity shown before the fold.
const VALUES: usize = 6;
/// Tags shown with an alert.
const TAGS: usize = 12;

/// Everything on an incident's page.
pub(crate) struct IncidentView {
    pub id: IncidentId,
    pub title: Shown,
    pub severity: Severity,
    pub status: IncidentStatus,
    pub status_key: &'static str,
    pub close_reason: Option<&'static str>,
    pub actor_field: String,
    pub actor: Shown,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    pub owner: Option<Shown>,
    pub is_mine: bool,
    /// Events counted by its alerts.
    pub events: u64,
    pub verdicts: Vec<VerdictView>,
    pub decisions: Vec<DecisionView>,
    pub alert_total: usize,
    /// The first alerts, worst first.
    pub alerts: Vec<AlertView>,
    /// The alerts behind the fold.
    pub more_alerts: Vec<AlertView>,
    pub timeline: Vec<Moment>,
    /// The first lines.
    pub evidence: Vec<EvidenceView>,
    /// What stands behind the fold.
    pub more_evidence: Vec<EvidenceView>,
    /// Lines kept with its alerts.
    pub evidence_total: usize,
    /// Lines that are kept and not on the page.
    pub evidence_left_out: usize,
    pub notes: Vec<NoteView>,
    pub tickets: Vec<TicketView>,
    pub entities: Vec<EntityView>,
}

/// A decision.
pub(crate) struct DecisionView {
    pub action: String,
    pub targets: Vec<Shown>,
    pub duration: Option<String>,
    pub status: String,
    pub tone: &'static str,
    pub mode: String,
    pub policy: Shown,
    pub reason: Shown,
    pub created: Timestamp,
    pub expires: Option<Timestamp>,
}

/// An alert and why it belongs here.
pub(crate) struct AlertView {
    pub id: AlertId,
    pub level: Severity,
    pub title: Shown,
    pub merged: Option<Shown>,
    pub count: u64,
    pub first_seen: Timestamp,
    pub last_seen: Timestamp,
    pub rule: Shown,
    pub version: Shown,
    pub tags: Vec<Shown>,
}

/// A raw line.
pub(crate) struct EvidenceView {
    pub id: EventId,
    pub number: usize,
    pub time: Timestamp,
    pub source: Shown,
    pub offset: u64,
    pub raw: Shown,
    /// Whether it may be too long for its box, which then must be within reach of the keyboard.
    pub scrolls: bool,
}

/// What somebody wrote.
pub(crate) struct NoteView {
    pub text: String,
    pub by: Shown,
    pub time: Timestamp,
}

/// A ticket in short.
pub(crate) struct TicketView {
    pub id: String,
    pub status: String,
    pub tone: &'static str,
}

/// The values of one entity field.
pub(crate) struct EntityView {
    pub name: String,
    pub total: usize,
    pub values: Vec<Shown>,
    pub rest: Vec<Shown>,
}

impl IncidentView {
    /// The page of `detail` as `reader` sees it.
    pub(crate) fn of(detail: &IncidentDetail, t: Text, reader: &str) -> Self {
        let incident = &detail.incident;
        let (mut evidence, evidence_total) = evidence(&detail.alerts);
        let evidence_left_out = evidence_total - evidence.len();
        let numbers: HashMap<EventId, usize> =
            evidence.iter().map(|line| (line.id, line.number)).collect();
        let more_evidence = evidence.split_off(FIRST_EVIDENCE.min(evidence.len()));
        let mut alerts: Vec<AlertView> =
            detail.alerts.iter().map(|one| alert(one, incident, t)).collect();
        // The timeline has them in the order of time.
        alerts.sort_by_key(|alert| (std::cmp::Reverse(alert.level), alert.first_seen));
        let mut verdicts: Vec<VerdictView> =
            detail.verdicts.iter().map(|one| VerdictView::of(one, t, &numbers)).collect();
        verdicts.sort_by_key(|verdict| !verdict.built_in);
        let more_alerts = alerts.split_off(FIRST_ALERTS.min(alerts.len()));
        Self {
            id: incident.id,
            title: Shown::cut(t.pick(&incident.title), 300),
            severity: incident.severity,
            status: incident.status,
            status_key: words::incident_status(incident.status),
            close_reason: incident.close_reason.map(words::close_reason),
            actor_field: rows::actor_field(t, &incident.actor.field),
            actor: Shown::brief(&incident.actor.value),
            first_seen: incident.first_seen,
            last_seen: incident.last_seen,
            owner: incident.owner.as_deref().map(Shown::brief),
            is_mine: incident.owner.as_deref() == Some(reader),
            events: detail.alerts.iter().map(|alert| alert.count).sum(),
            verdicts,
            decisions: decisions(&detail.decisions, t),
            alert_total: detail.alerts.len(),
            alerts,
            more_alerts,
            timeline: timeline::moments(detail, t),
            evidence,
            more_evidence,
            evidence_total,
            evidence_left_out,
            notes: detail
                .notes
                .iter()
                .map(|note| NoteView {
                    text: note
                        .text
                        .lines()
                        .map(|line| Shown::long(line).to_string())
                        .collect::<Vec<_>>()
                        .join("\n"),
                    by: Shown::brief(&note.author),
                    time: note.time,
                })
                .collect(),
            tickets: detail.tickets.iter().map(|one| ticket(one, t)).collect(),
            entities: entities(&incident.entities, t),
        }
    }
}

/// Newest first; what was decided together in the order of the list of actions.
fn decisions(stored: &[StoredDecision], t: Text) -> Vec<DecisionView> {
    let mut decisions: Vec<&Decision> = stored.iter().map(|one| &one.decision).collect();
    decisions.sort_by_key(|decision| (std::cmp::Reverse(decision.created), decision.action));
    decisions.into_iter().map(|one| decision(one, t)).collect()
}

fn decision(decision: &Decision, t: Text) -> DecisionView {
    DecisionView {
        action: decision.action.label(t.lang()).to_owned(),
        targets: decision.target.values().map(|value| Shown::cut(value, 80)).collect(),
        duration: decision.duration_s.map(|seconds| t.duration(seconds)),
        status: decision.status.label(t.lang()).to_owned(),
        tone: words::decision_tone(decision.status),
        mode: decision.mode.label(t.lang()).to_owned(),
        policy: Shown::brief(&decision.policy),
        reason: Shown::prose(t.pick(&decision.reason)),
        created: decision.created,
        expires: decision.expires,
    }
}

fn alert(alert: &Alert, incident: &Incident, t: Text) -> AlertView {
    let reason = incident.reasons.iter().find(|reason| reason.alert == alert.id);
    AlertView {
        id: alert.id,
        level: alert.rule.level,
        title: Shown::brief(t.pick(&alert.rule.title)),
        merged: reason.map(|reason| Shown::brief(&reason.sentence(t.lang()))),
        count: alert.count,
        first_seen: alert.first_seen,
        last_seen: alert.last_seen,
        rule: Shown::brief(&alert.rule.id),
        version: Shown::cut(&alert.rule.version, 16),
        tags: alert.tags.iter().take(TAGS).map(|tag| Shown::cut(tag, 60)).collect(),
    }
}

/// The first raw lines of all alerts, each once, in the order of time, numbered from 1; and how many
/// there are.
fn evidence(alerts: &[Alert]) -> (Vec<EvidenceView>, usize) {
    let lines: BTreeMap<_, _> = alerts
        .iter()
        .flat_map(|alert| &alert.evidence)
        .map(|line| ((line.time, line.event), line))
        .collect();
    let total = lines.len();
    let shown = lines.into_values().take(EVIDENCE).enumerate().map(|(index, line)| {
        let raw = Shown::long(&line.raw);
        EvidenceView {
            id: line.event,
            number: index + 1,
            time: line.time,
            source: Shown::brief(&line.source),
            offset: line.offset,
            scrolls: raw.as_str().chars().nth(SCROLLS_FROM).is_some(),
            raw,
        }
    });
    (shown.collect(), total)
}

fn ticket(ticket: &Ticket, t: Text) -> TicketView {
    TicketView {
        id: ticket.id.clone(),
        status: t.s(words::ticket_status(ticket.status)).into_owned(),
        tone: if ticket.status == TicketStatus::Open { "open" } else { "closed" },
    }
}

fn entities(entities: &Entities, t: Text) -> Vec<EntityView> {
    entities
        .iter()
        .map(|(field, values)| {
            let mut shown: Vec<Shown> = values.iter().map(|value| Shown::brief(value)).collect();
            let rest = shown.split_off(VALUES.min(shown.len()));
            EntityView {
                name: match words::entity(field) {
                    Some(key) => t.s(key).into_owned(),
                    None => Shown::cut(field, 60).to_string(),
                },
                total: values.len(),
                values: shown,
                rest,
            }
        })
        .collect()
}
