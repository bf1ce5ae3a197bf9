//! The JSON shapes of the command line and the API (see `docs/cli.md`): one object each, with
//! `kind` first, and texts in the reader's language.

use serde_json::{Value, json};

use crate::{Alert, Decision, Event, Incident, Lang, Stats, Verdict, field};

/// `{"kind": "alert", …}`
pub fn alert(alert: &Alert, lang: Lang) -> Value {
    json!({
        "kind": "alert",
        "id": alert.id,
        "@timestamp": alert.last_seen,
        "first_seen": alert.first_seen,
        "rule": {
            "id": alert.rule.id,
            "title": alert.rule.title.get(lang),
            "level": alert.rule.level,
            "version": alert.rule.version,
        },
        "tags": alert.tags,
        "group": alert.group,
        "entities": alert.entities,
        "events": alert.events,
        "count": alert.count,
        "evidence": alert.evidence,
        "incident": alert.incident,
    })
}

/// `{"kind": "incident", …}`
pub fn incident(incident: &Incident, lang: Lang) -> Value {
    let reasons: Vec<Value> = incident
        .reasons
        .iter()
        .map(|reason| {
            json!({
                "alert": reason.alert,
                "reason": reason.reason,
                "field": reason.field,
                "value": reason.value,
                "text": reason.sentence(lang),
            })
        })
        .collect();
    json!({
        "kind": "incident",
        "id": incident.id,
        "title": incident.title.get(lang),
        "status": incident.status,
        "close_reason": incident.close_reason,
        "owner": incident.owner,
        "severity": incident.severity,
        "first_seen": incident.first_seen,
        "last_seen": incident.last_seen,
        "actor": incident.actor,
        "entities": incident.entities,
        "alerts": incident.alerts,
        "reasons": reasons,
    })
}

/// `{"kind": "verdict", …}`
pub fn verdict(verdict: &Verdict, lang: Lang) -> Value {
    let rationale: Vec<Value> = verdict
        .rationale
        .iter()
        .map(|claim| json!({ "claim": claim.claim.get(lang), "events": claim.events }))
        .collect();
    let recommendations: Vec<Value> = verdict
        .recommendations
        .iter()
        .map(|advice| {
            json!({
                "action": advice.action,
                "target": advice.target,
                "reason": advice.reason.get(lang),
            })
        })
        .collect();
    let indicators: Vec<Value> = verdict
        .autonomy
        .indicators
        .iter()
        .map(|sign| {
            json!({
                "name": sign.name,
                "text": sign.text.get(lang),
                "value": sign.value,
                "threshold": sign.threshold,
                "points": sign.points,
                "events": sign.events,
            })
        })
        .collect();
    let texts = |texts: &[crate::Localized]| -> Vec<String> {
        texts.iter().map(|text| text.get(lang).to_owned()).collect()
    };
    json!({
        "kind": "verdict",
        "incident": verdict.incident,
        "analyst": verdict.analyst,
        "@timestamp": verdict.time,
        "severity": verdict.severity,
        "category": verdict.category,
        "confidence": verdict.confidence,
        "false_positive": verdict.false_positive,
        "attack": verdict.attack,
        "autonomy": {
            "score": verdict.autonomy.score,
            "band": verdict.autonomy.band,
            "confidence": verdict.autonomy.confidence,
            "indicators": indicators,
            "counter_evidence": texts(&verdict.autonomy.counter_evidence),
        },
        "summary": verdict.summary.get(lang),
        "rationale": rationale,
        "recommendations": recommendations,
        "advice": texts(&verdict.advice),
        "open_questions": texts(&verdict.open_questions),
    })
}

/// `{"kind": "decision", …}`
pub fn decision(decision: &Decision) -> Value {
    json!({
        "kind": "decision",
        "id": decision.id,
        "incident": decision.incident,
        "action": decision.action,
        "target": decision.target,
        "duration_s": decision.duration_s,
        "mode": decision.mode,
        "status": decision.status,
        "policy": decision.policy,
        "reason": decision.reason,
        "@timestamp": decision.created,
        "expires": decision.expires,
    })
}

/// `{"kind": "stats", …}`
pub fn stats(stats: &Stats) -> Value {
    let mut object = json!({ "kind": "stats" });
    if let (Value::Object(object), Ok(Value::Object(totals))) =
        (&mut object, serde_json::to_value(stats))
    {
        object.extend(totals);
    }
    object
}

/// One event with flat dotted keys.
pub fn event(event: &Event) -> Value {
    let mut object = serde_json::Map::new();
    object.insert("@timestamp".into(), event.time.to_string().into());
    object.insert("event.id".into(), event.id.to_string().into());
    object.insert("event.kind".into(), event.kind.name().into());
    object.insert("event.dataset".into(), event.dataset.into());
    object.insert("event.created".into(), event.observed.to_string().into());
    if event.repeat > 1 {
        object.insert("event.repeat".into(), event.repeat.into());
    }
    if let Some(source) = &event.source {
        object.insert("log.file.path".into(), source.name.clone().into());
    }
    object.insert("log.offset".into(), event.offset.into());
    for (id, value) in event.fields() {
        if id != field::EVENT_KIND {
            object.insert(id.name().into(), value.to_json());
        }
    }
    object.insert("event.original".into(), event.text().into());
    Value::Object(object)
}
