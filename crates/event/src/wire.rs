//! The JSON shapes of the command line and the API (see `docs/cli.md`): one object each, with
//! `kind` first, and texts in the reader's language.
//!
//! Each function gives a view that serialises straight from what it borrows; [`to_value`] makes
//! a tree of it for those who add members of their own.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::{
    Action, Actor, Alert, AlertId, Attack, AutonomyBand, Category, Claim, CloseReason, Decision,
    DecisionId, DecisionStatus, Entities, Event, EventId, Evidence, FieldValues, Incident,
    IncidentId, IncidentStatus, Indicator, Lang, Localized, MergeReason, Mode, ModelTrace,
    Severity, Stats, Timestamp, Verdict, field,
};

/// A view as a tree.
pub fn to_value(view: impl Serialize) -> Value {
    serde_json::to_value(view).unwrap_or_default()
}

/// `{"kind": "alert", …}`
pub fn alert(alert: &Alert, lang: Lang) -> impl Serialize + use<'_> {
    #[derive(Serialize)]
    struct Rule<'a> {
        id: &'a str,
        title: &'a str,
        level: Severity,
        version: &'a str,
    }

    #[derive(Serialize)]
    struct View<'a> {
        kind: &'static str,
        id: AlertId,
        #[serde(rename = "@timestamp")]
        time: Timestamp,
        first_seen: Timestamp,
        rule: Rule<'a>,
        tags: &'a [String],
        group: &'a FieldValues,
        entities: &'a Entities,
        events: &'a [EventId],
        count: u64,
        evidence: &'a [Evidence],
        incident: Option<IncidentId>,
    }

    View {
        kind: "alert",
        id: alert.id,
        time: alert.last_seen,
        first_seen: alert.first_seen,
        rule: Rule {
            id: &alert.rule.id,
            title: alert.rule.title.get(lang),
            level: alert.rule.level,
            version: &alert.rule.version,
        },
        tags: &alert.tags,
        group: &alert.group,
        entities: &alert.entities,
        events: &alert.events,
        count: alert.count,
        evidence: &alert.evidence,
        incident: alert.incident,
    }
}

/// `{"kind": "incident", …}`
pub fn incident(incident: &Incident, lang: Lang) -> impl Serialize + use<'_> {
    #[derive(Serialize)]
    struct Merge<'a> {
        alert: AlertId,
        reason: &'a str,
        field: &'a str,
        value: &'a str,
        text: String,
    }

    #[derive(Serialize)]
    struct View<'a> {
        kind: &'static str,
        id: IncidentId,
        title: &'a str,
        status: IncidentStatus,
        close_reason: Option<CloseReason>,
        owner: Option<&'a str>,
        severity: Severity,
        first_seen: Timestamp,
        last_seen: Timestamp,
        actor: &'a Actor,
        entities: &'a Entities,
        alerts: &'a [AlertId],
        reasons: Each<'a, MergeReason, Merge<'a>>,
    }

    fn merge(reason: &MergeReason, lang: Lang) -> Merge<'_> {
        Merge {
            alert: reason.alert,
            reason: &reason.reason,
            field: &reason.field,
            value: &reason.value,
            text: reason.sentence(lang),
        }
    }

    View {
        kind: "incident",
        id: incident.id,
        title: incident.title.get(lang),
        status: incident.status,
        close_reason: incident.close_reason,
        owner: incident.owner.as_deref(),
        severity: incident.severity,
        first_seen: incident.first_seen,
        last_seen: incident.last_seen,
        actor: &incident.actor,
        entities: &incident.entities,
        alerts: &incident.alerts,
        reasons: Each { of: &incident.reasons, view: merge, lang },
    }
}

/// `{"kind": "verdict", …}`
pub fn verdict(verdict: &Verdict, lang: Lang) -> impl Serialize + use<'_> {
    #[derive(Serialize)]
    struct Sign<'a> {
        name: &'a str,
        text: &'a str,
        value: f64,
        threshold: f64,
        points: f64,
        events: &'a [EventId],
    }

    #[derive(Serialize)]
    struct Autonomy<'a> {
        score: Option<u8>,
        band: AutonomyBand,
        confidence: u8,
        indicators: Each<'a, Indicator, Sign<'a>>,
        counter_evidence: Each<'a, Localized, &'a str>,
    }

    #[derive(Serialize)]
    struct Backed<'a> {
        claim: &'a str,
        events: &'a [EventId],
    }

    #[derive(Serialize)]
    struct Recommendation<'a> {
        action: Action,
        target: &'a FieldValues,
        reason: &'a str,
    }

    #[derive(Serialize)]
    struct View<'a> {
        kind: &'static str,
        incident: IncidentId,
        analyst: &'a str,
        #[serde(rename = "@timestamp")]
        time: Timestamp,
        severity: Severity,
        category: Category,
        confidence: u8,
        false_positive: u8,
        attack: &'a [Attack],
        autonomy: Autonomy<'a>,
        summary: &'a str,
        rationale: Each<'a, Claim, Backed<'a>>,
        recommendations: Each<'a, crate::Recommendation, Recommendation<'a>>,
        advice: Each<'a, Localized, &'a str>,
        open_questions: Each<'a, Localized, &'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        model: Option<&'a ModelTrace>,
    }

    fn sign(sign: &Indicator, lang: Lang) -> Sign<'_> {
        Sign {
            name: &sign.name,
            text: sign.text.get(lang),
            value: sign.value,
            threshold: sign.threshold,
            points: sign.points,
            events: &sign.events,
        }
    }

    fn backed(claim: &Claim, lang: Lang) -> Backed<'_> {
        Backed { claim: claim.claim.get(lang), events: &claim.events }
    }

    fn recommendation(advice: &crate::Recommendation, lang: Lang) -> Recommendation<'_> {
        Recommendation {
            action: advice.action,
            target: &advice.target,
            reason: advice.reason.get(lang),
        }
    }

    View {
        kind: "verdict",
        incident: verdict.incident,
        analyst: &verdict.analyst,
        time: verdict.time,
        severity: verdict.severity,
        category: verdict.category,
        confidence: verdict.confidence,
        false_positive: verdict.false_positive,
        attack: &verdict.attack,
        autonomy: Autonomy {
            score: verdict.autonomy.score,
            band: verdict.autonomy.band,
            confidence: verdict.autonomy.confidence,
            indicators: Each { of: &verdict.autonomy.indicators, view: sign, lang },
            counter_evidence: texts(&verdict.autonomy.counter_evidence, lang),
        },
        summary: verdict.summary.get(lang),
        rationale: Each { of: &verdict.rationale, view: backed, lang },
        recommendations: Each { of: &verdict.recommendations, view: recommendation, lang },
        advice: texts(&verdict.advice, lang),
        open_questions: texts(&verdict.open_questions, lang),
        model: verdict.model.as_ref(),
    }
}

/// `{"kind": "decision", …}`
pub fn decision(decision: &Decision, lang: Lang) -> impl Serialize + use<'_> {
    #[derive(Serialize)]
    struct View<'a> {
        kind: &'static str,
        id: DecisionId,
        incident: IncidentId,
        action: Action,
        target: &'a FieldValues,
        duration_s: Option<u64>,
        mode: Mode,
        status: DecisionStatus,
        policy: &'a str,
        reason: &'a str,
        #[serde(rename = "@timestamp")]
        time: Timestamp,
        expires: Option<Timestamp>,
    }

    View {
        kind: "decision",
        id: decision.id,
        incident: decision.incident,
        action: decision.action,
        target: &decision.target,
        duration_s: decision.duration_s,
        mode: decision.mode,
        status: decision.status,
        policy: &decision.policy,
        reason: decision.reason.get(lang),
        time: decision.created,
        expires: decision.expires,
    }
}

/// `{"kind": "stats", …}`
pub fn stats(stats: &Stats) -> impl Serialize + use<'_> {
    #[derive(Serialize)]
    struct View<'a> {
        kind: &'static str,
        #[serde(flatten)]
        stats: &'a Stats,
    }

    View { kind: "stats", stats }
}

/// One event with flat dotted keys.
pub fn event(event: &Event) -> impl Serialize + use<'_> {
    struct View<'a>(&'a Event);

    impl Serialize for View<'_> {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            let event = self.0;
            let mut object = serializer.serialize_map(None)?;
            object.serialize_entry("@timestamp", &event.time)?;
            object.serialize_entry("event.id", &event.id())?;
            object.serialize_entry("event.kind", event.kind.name())?;
            object.serialize_entry("event.dataset", event.dataset)?;
            object.serialize_entry("event.created", &event.observed)?;
            if event.repeat > 1 {
                object.serialize_entry("event.repeat", &event.repeat)?;
            }
            if let Some(source) = &event.source {
                object.serialize_entry("log.file.path", &source.name)?;
            }
            object.serialize_entry("log.offset", &event.offset)?;
            for (id, value) in event.fields() {
                if id != field::EVENT_KIND {
                    object.serialize_entry(id.name(), &value)?;
                }
            }
            object.serialize_entry("event.original", event.text())?;
            object.end()
        }
    }

    View(event)
}

/// A list whose members' views are made as they are written.
struct Each<'a, T, V> {
    of: &'a [T],
    view: fn(&'a T, Lang) -> V,
    lang: Lang,
}

impl<T, V: Serialize> Serialize for Each<'_, T, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.of.iter().map(|one| (self.view)(one, self.lang)))
    }
}

fn texts(texts: &[Localized], lang: Lang) -> Each<'_, Localized, &str> {
    Each { of: texts, view: Localized::get, lang }
}
