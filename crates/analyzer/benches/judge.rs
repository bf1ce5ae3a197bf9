//! The time that one verdict takes; the bound is 1 ms.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use vigie_analyzer::{BuiltIn, Case};
use vigie_event::{
    Action, Actor, Alert, AlertId, Category, Entities, EventId, Guidance, Incident, IncidentId,
    IncidentStatus, Localized, RuleRef, Severity, Timestamp,
};

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
                },
                tags: vec!["attack.credential-access".into(), "attack.t1110.001".into()],
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

criterion_group!(benches, judge);
criterion_main!(benches);
