//! One alert, under whatever names its tool gives to what it says.

use serde::Serialize;
use serde_json::{Map, Value};
use vigie_event::{Severity, Timestamp};

use crate::attack;

/// One alert as the file tells it. Text fields are hostile: show them escaped.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ReadAlert {
    /// Line where it begins, from 1.
    pub line: usize,
    /// Its id; `None`: unknown.
    pub id: Option<String>,
    /// Its type as the file words it; `None`: unknown.
    pub name: Option<String>,
    /// What it says, in prose.
    pub description: Option<String>,
    /// Its severity, where the file states one that is known.
    pub severity: Option<Severity>,
    /// When it happened.
    pub time: Option<Timestamp>,
    /// Where it comes from: an address or a name.
    pub source: Option<String>,
    /// What it is about: an address or a name.
    pub target: Option<String>,
    /// The account in question.
    pub user: Option<String>,
    /// ATT&CK techniques that it names itself, as far as ATT&CK knows them.
    pub techniques: Vec<&'static str>,
    /// The whole alert as read.
    pub fields: Map<String, Value>,
}

// Names that tools give to one thing, the usual ones first; a dot steps into an object.
const IDS: &[&str] = &["alert_id", "id", "uuid", "_id", "event_id", "alert.signature_id"];
const NAMES: &[&str] = &[
    "alert_type",
    "type",
    "attack_type",
    "rule.name",
    "rule.description",
    "rule.title",
    "alert.signature",
    "rule_name",
    "signature",
    "title",
    "name",
    "event_type",
    "eventid",
    "category",
];
const DESCRIPTIONS: &[&str] =
    &["description", "message", "details", "summary", "full_log", "msg", "desc", "alert.category"];
const SEVERITIES: &[&str] = &[
    "severity",
    "level",
    "criticality",
    "priority",
    "rule.severity",
    "rule.level",
    "event.severity_label",
    "gravité",
    "gravite",
    "niveau",
    "sévérité",
    "severite",
];
const TIMES: &[&str] = &["timestamp", "@timestamp", "time", "datetime", "date", "created_at"];
const SOURCES: &[&str] = &[
    "source_ip",
    "src_ip",
    "src",
    "source.ip",
    "attacker_ip",
    "srcip",
    "data.srcip",
    "data.src_ip",
    "client_ip",
    "remote_ip",
    "ip",
    "source",
    "source_host",
    "src_host",
    "group.source.ip",
    "entities.source.ip",
];
const TARGETS: &[&str] = &[
    "destination_ip",
    "dest_ip",
    "dst_ip",
    "dst",
    "destination.ip",
    "target_ip",
    "target",
    "destination",
    "dstip",
    "data.dstip",
    "target_host",
    "host.name",
    "hostname",
    "host",
    "agent.name",
    "server",
    "asset",
    "entities.destination.ip",
    "entities.host.name",
];
const USERS: &[&str] = &[
    "user",
    "username",
    "user.name",
    "account",
    "target_user",
    "data.dstuser",
    "entities.user.name",
];
const TECHNIQUES: &[&str] = &[
    "technique",
    "technique_id",
    "techniques",
    "mitre",
    "mitre_attack",
    "mitre_technique",
    "mitre_techniques",
    "attack",
    "tags",
    "rule.mitre.id",
    "threat.technique.id",
    "alert.metadata.mitre_technique_id",
];

impl ReadAlert {
    /// The alert that `fields` tell, which begin in that line.
    pub(super) fn of(fields: Map<String, Value>, line: usize) -> Self {
        let text = |names| find(&fields, names).and_then(as_text);
        let known = |names| text(names).filter(|value| !is_unknown(value));
        Self {
            line,
            id: text(IDS),
            name: text(NAMES),
            description: text(DESCRIPTIONS),
            severity: SEVERITIES
                .iter()
                .find_map(|name| step(&fields, name)?.as_str()?.parse().ok())
                .or_else(|| numbered(&fields)),
            time: TIMES.iter().find_map(|name| time(step(&fields, name)?)),
            source: known(SOURCES),
            target: known(TARGETS),
            user: known(USERS),
            techniques: techniques(&fields),
            fields,
        }
    }
}

/// The severities that two tools write as numbers: Suricata's 1 (worst) to 4 and Wazuh's levels 0 to
/// 15. Other numbers say nothing, since some count up and some down.
fn numbered(fields: &Map<String, Value>) -> Option<Severity> {
    let number = |name| step(fields, name).and_then(Value::as_u64);
    if let Some(suricata) = number("alert.severity") {
        return Some(match suricata {
            0 | 1 => Severity::High,
            2 => Severity::Medium,
            3 => Severity::Low,
            _ => Severity::Informational,
        });
    }
    Some(match number("rule.level")? {
        0..=3 => Severity::Informational,
        4..=6 => Severity::Low,
        7..=11 => Severity::Medium,
        12..=14 => Severity::High,
        _ => Severity::Critical,
    })
}

/// Techniques that the alert names: `T1110.001`, `attack.t1110`, `T1110 - Brute Force`.
fn techniques(fields: &Map<String, Value>) -> Vec<&'static str> {
    let mut named = Vec::new();
    let mut add = |text: &str| {
        let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '.');
        for word in words {
            let word = word.strip_prefix("attack.").unwrap_or(word).trim_matches('.');
            if let Some(technique) = attack::technique(word)
                && !named.contains(&technique.id)
                && named.len() < 10
            {
                named.push(technique.id);
            }
        }
    };
    for name in TECHNIQUES {
        match step(fields, name) {
            Some(Value::String(text)) => add(text),
            Some(Value::Array(texts)) => texts.iter().filter_map(Value::as_str).for_each(&mut add),
            _ => {}
        }
    }
    named
}

/// Words by which tools say that they do not know.
fn is_unknown(value: &str) -> bool {
    ["unknown", "inconnu", "inconnue", "n/a", "na", "none", "null", "-", "?", "any"]
        .iter()
        .any(|word| value.eq_ignore_ascii_case(word))
}

/// Whether the object says what it is, so that it is an alert and no wrapper around some.
pub(super) fn is_named(fields: &Map<String, Value>) -> bool {
    find(fields, NAMES).is_some()
}

/// The first of the names under which there is a text or a number.
fn find<'f>(fields: &'f Map<String, Value>, names: &[&str]) -> Option<&'f Value> {
    names.iter().filter_map(|name| step(fields, name)).find(|value| as_text(value).is_some())
}

/// The value under `name`, as one flat key or as a path through objects.
fn step<'f>(fields: &'f Map<String, Value>, name: &str) -> Option<&'f Value> {
    if let Some(value) = fields.get(name) {
        return Some(value);
    }
    if let Some((first, rest)) = name.split_once('.') {
        return step(fields.get(first)?.as_object()?, rest);
    }
    // `Severity`, `SourceIP`: the same name in another case.
    fields.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// The text under `name`, a key or a path through objects.
pub(super) fn path_of<'f>(fields: &'f Map<String, Value>, name: &str) -> Option<&'f str> {
    step(fields, name)?.as_str().filter(|text| !text.is_empty())
}

fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(members) => members.first().and_then(as_text),
        _ => None,
    }
}

/// RFC 3339, the same without a zone (taken as UTC) or with a space, or Unix seconds, milliseconds,
/// microseconds or nanoseconds. `None` for what is no time, or none up to the year 2262.
fn time(value: &Value) -> Option<Timestamp> {
    if let Some(number) = value.as_f64() {
        // A time of now in one of them lies far outside the others.
        let seconds = match number {
            seconds if seconds < 1e11 => seconds,
            millis if millis < 1e14 => millis / 1e3,
            micros if micros < 1e17 => micros / 1e6,
            nanos => nanos / 1e9,
        };
        let known = (1.0..(i64::MAX / 1_000_000_000) as f64).contains(&seconds);
        return known.then(|| Timestamp::from_seconds(seconds as i64));
    }
    let text = value.as_str()?.trim();
    // Suricata and Wazuh write the zone without its colon: +0100.
    let zone = text.len().checked_sub(5).and_then(|at| text.split_at_checked(at));
    let zoned = zone.filter(|(_, zone)| {
        zone.starts_with(['+', '-']) && zone.bytes().skip(1).all(|byte| byte.is_ascii_digit())
    });
    if let Some((front, zone)) = zoned {
        let (hours, minutes) = zone.split_at_checked(3)?;
        return Timestamp::parse(&format!("{front}{hours}:{minutes}")).ok();
    }
    Timestamp::parse(text).or_else(|_| Timestamp::parse(&format!("{text}Z"))).ok()
}
