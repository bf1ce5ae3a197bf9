//! The time that one verdict takes; the bound is 1 ms.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use jiff::tz::TimeZone;
use vigie_analyzer::autonomy::Activities;
use vigie_analyzer::{Background, BuiltIn, Case};
use vigie_detector::{Detector, Settings};
use vigie_event::{
    Action, Actor, Alert, AlertId, Category, Entities, Event, EventId, Guidance, Incident,
    IncidentId, IncidentStatus, Localized, RecordRef, RuleRef, Severity, Source, Timestamp,
};
use vigie_parser::{Options, Parser, Reference};
use vigie_sensor::simulate;
use vigie_sigma::{RuleSet, RuleText};

/// A large incident: `number` alerts of 20 rules, each with 100 events and 100 accounts.
fn alerts(number: u128) -> Vec<Alert> {
    let start = Timestamp::from_seconds(1_763_600_000);
    (0..number)
        .map(|n| {
            let mut entities = Entities::default();
            let source = format!("203.0.113.{}", n % 250);
            entities.add("source.ip", &source);
            for user in 0..100 {
                entities.add("user.name", &format!("user{user}"));
            }
            Alert {
                id: AlertId::from_u128(n),
                rule: RuleRef {
                    id: format!("rule {}", n % 20),
                    title: Localized::new("SSH brute force", "Force brute SSH"),
                    level: Severity::High,
                    version: String::new(),
                }
                .into(),
                tags: vec!["attack.credential-access".into(), "attack.t1110.001".into()].into(),
                group: [("source.ip".to_owned(), source)].into(),
                entities,
                first_seen: start,
                last_seen: start.plus_seconds(600),
                count: 5_000,
                events: (0..100).map(|event| EventId::from_u128(n * 1_000 + event)).collect(),
                evidence: Vec::new(),
                incident: None,
            }
        })
        .collect()
}

fn judge(criterion: &mut Criterion) {
    let guidance = Guidance {
        category: Some(Category::BruteForce),
        actions: vec![Action::BlockIp, Action::CreateTicket],
        recommendations: vec![Localized::new("Ban the address", "Bannir l’adresse")],
        ..Guidance::default()
    };
    for number in [1, 10, 100] {
        let alerts = alerts(number);
        let mut entities = Entities::default();
        for alert in &alerts {
            entities.merge(&alert.entities);
        }
        let incident = Incident {
            id: IncidentId::from_u128(1),
            title: Localized::new("SSH brute force", "Force brute SSH"),
            status: IncidentStatus::Open,
            close_reason: None,
            owner: None,
            severity: Severity::High,
            first_seen: Timestamp::default(),
            last_seen: Timestamp::default(),
            actor: Actor { field: "source.ip".into(), value: "203.0.113.0".into() },
            entities,
            alerts: alerts.iter().map(|alert| alert.id).collect(),
            reasons: Vec::new(),
            revision: 1,
        };
        let case = Case {
            incident: &incident,
            alerts: &alerts,
            guidance: &|_| Some(&guidance),
            now: Timestamp::default(),
        };
        criterion.bench_function(&format!("judge {number} alerts"), |bencher| {
            bencher.iter(|| BuiltIn::new().judge(black_box(&case)));
        });
    }
}

/// An intrusion whose actor was watched: what he did from all addresses and accounts is read too.
fn judge_watched(criterion: &mut Criterion) {
    let rules = RULES.iter().map(|(file, text)| RuleText { file, text });
    let (rules, _) = RuleSet::load(rules);
    let mut detector = Detector::new(Arc::new(rules), Settings::default());
    let mut activities = Activities::default();
    let start = Timestamp::from_seconds(1_763_600_000);
    let mut parser =
        Parser::new(Options { timezone: TimeZone::UTC, reference: Reference::Observed });
    let mut event = Event::default();
    for record in simulate::scenario("intrusion", 1, start).into_iter().flatten() {
        let source = Source::file(record.source, 1, Some(record.format));
        let line = record.line.as_bytes();
        let record = RecordRef { source: &source, offset: 0, observed: start, bytes: line };
        parser.parse(&record, &mut event);
        activities.observe(&event);
        detector.observe(&event);
    }
    let found = detector.take_changes();
    let Some(incident) = found.incidents.iter().max_by_key(|incident| incident.alerts.len()) else {
        return;
    };
    let alerts: Vec<Alert> =
        found.alerts.iter().filter(|one| one.incident == Some(incident.id)).cloned().collect();
    let case = Case { incident, alerts: &alerts, guidance: &|_| None, now: incident.last_seen };
    criterion.bench_function("judge a watched intrusion", |bencher| {
        bencher.iter(|| {
            let activity = activities.of_incident(black_box(incident));
            let activity = activity.as_deref();
            let background = Background { activity, ..Background::default() };
            BuiltIn::new().judge_knowing(&case, &background)
        });
    });
}

/// Rules that tell of it.
const RULES: [(&str, &str); 4] = [
    ("accounts.yml", include_str!("../../../rules/accounts.yml")),
    ("network.yml", include_str!("../../../rules/network.yml")),
    ("ssh_brute_force.yml", include_str!("../../../rules/ssh_brute_force.yml")),
    ("sudo.yml", include_str!("../../../rules/sudo.yml")),
];

criterion_group!(benches, judge, judge_watched);
criterion_main!(benches);
