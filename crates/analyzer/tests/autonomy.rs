//! What must hold of the autonomy score of incidents.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use vigie_analyzer::{BuiltIn, Case};
use vigie_event::{
    Actor, Alert, AlertId, Autonomy, AutonomyBand, Entities, EventId, Evidence, Incident,
    IncidentId, IncidentStatus, Localized, RuleRef, Severity, Timestamp,
};

/// Work of one actor: seconds since the start of each action, and what it is made of.
struct Work {
    actions: Vec<f64>,
    tags: &'static [&'static [&'static str]],
    hosts: usize,
    users: usize,
    line: fn(usize) -> String,
}

const GUESSING: &[&str] = &["attack.credential-access", "attack.t1110"];
const SCANNING: &[&str] = &["attack.discovery", "attack.t1046"];
const RUNNING: &[&str] = &["attack.execution", "attack.t1059"];
const MOVING: &[&str] = &["attack.lateral-movement", "attack.t1021"];

fn score(work: &Work) -> Autonomy {
    let start = Timestamp::from_seconds(1_767_607_200);
    let at = |seconds: f64| start.plus_nanos((seconds * 1e9) as i64);
    let mut entities = Entities::default();
    entities.add("source.ip", "203.0.113.7");
    (0..work.hosts).for_each(|n| entities.add("host.name", &format!("host{n}")));
    (0..work.users).for_each(|n| entities.add("user.name", &format!("user{n}")));
    let events: Vec<(EventId, Timestamp)> = work
        .actions
        .iter()
        .enumerate()
        .map(|(n, seconds)| (EventId::of_record(at(*seconds), 1, n as u64, b"x"), at(*seconds)))
        .collect();
    // Each rule sees its share of the actions, one after the other.
    let share = events.len().div_ceil(work.tags.len());
    let alerts: Vec<Alert> = events
        .chunks(share)
        .zip(work.tags)
        .enumerate()
        .map(|(n, (events, tags))| Alert {
            id: AlertId::from_u128(n as u128 + 1),
            rule: RuleRef {
                id: format!("rule {n}"),
                title: Localized::new("Rule", "Règle"),
                level: Severity::High,
                version: String::new(),
            }
            .into(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            group: [("source.ip".to_owned(), "203.0.113.7".to_owned())].into(),
            entities: entities.clone(),
            first_seen: events[0].1,
            last_seen: events[events.len() - 1].1,
            count: events.len() as u64,
            events: events.iter().map(|(id, _)| *id).collect(),
            evidence: events
                .iter()
                .take(10)
                .enumerate()
                .map(|(n, (event, time))| Evidence {
                    event: *event,
                    time: *time,
                    source: "auth.log".into(),
                    offset: n as u64,
                    raw: (work.line)(n),
                })
                .collect(),
            incident: None,
        })
        .collect();
    let incident = Incident {
        id: IncidentId::from_u128(1),
        title: Localized::new("Incident", "Incident"),
        status: IncidentStatus::Open,
        close_reason: None,
        owner: None,
        severity: Severity::High,
        first_seen: events[0].1,
        last_seen: events[events.len() - 1].1,
        actor: Actor { field: "source.ip".into(), value: "203.0.113.7".into() },
        entities,
        alerts: alerts.iter().map(|alert| alert.id).collect(),
        reasons: Vec::new(),
        revision: 1,
    };
    let case = Case { incident: &incident, alerts: &alerts, guidance: &|_| None, now: start };
    BuiltIn::new().judge(&case).autonomy
}

/// Numbers that look random and are the same in every run.
fn noise(n: usize) -> f64 {
    let hash = (n as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    ((hash ^ hash >> 29).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 40) as f64 / f64::from(1 << 24)
}

/// `number` actions with gaps from `least` to `most` seconds, `jitter` seconds added to each.
fn actions(number: usize, (least, most): (f64, f64), jitter: f64) -> Vec<f64> {
    let mut now = 0.0;
    (0..number)
        .map(|n| {
            now += least + (most - least) * noise(n) + jitter * noise(n + 7_919);
            now
        })
        .collect()
}

fn varied(n: usize) -> String {
    ["id", "cat passwd", "ls home", "find keys", "ps", "ss", "curl meta", "history"][n % 8]
        .to_owned()
}

fn same(n: usize) -> String {
    format!("Failed password for root from 203.0.113.7 port {}", 40_000 + n)
}

fn agent(jitter: f64) -> Work {
    Work {
        actions: actions(120, (2.0, 7.0), jitter),
        tags: &[SCANNING, GUESSING, RUNNING, MOVING],
        hosts: 6,
        users: 3,
        line: varied,
    }
}

#[test]
fn too_little_is_no_score() {
    let check = |number: usize, gap: f64, enough: bool| {
        let work = Work { actions: actions(number, (gap, gap), 0.0), ..agent(0.0) };
        let autonomy = score(&work);
        assert_eq!(autonomy.score.is_some(), enough, "{number} actions {gap} s apart");
        assert_eq!(autonomy.band == AutonomyBand::InsufficientData, !enough);
        assert!(!autonomy.counter_evidence.is_empty());
    };
    check(19, 10.0, false);
    check(200, 0.1, false);
    check(20, 10.0, true);
}

#[test]
fn an_agent_like_course_is_automated_and_each_sign_has_events() {
    let autonomy = score(&agent(0.0));
    assert!((25..=59).contains(&autonomy.score.unwrap()), "{autonomy:?}");
    for name in ["tempo.median_gap", "phase.tactics"] {
        let sign = autonomy.indicators.iter().find(|sign| sign.name == name).expect(name);
        assert!(sign.points > 0.0 && !sign.events.is_empty(), "{sign:?}");
    }
    assert!(autonomy.confidence > 0);
}

#[test]
fn tools_stay_under_60() {
    let check = |name: &str, work: &Work| {
        let autonomy = score(work);
        assert!(autonomy.score.is_none_or(|score| score < 60), "{name}: {autonomy:?}");
        autonomy
    };
    let tool = |number, gaps, tags, hosts| Work {
        actions: actions(number, gaps, 0.0),
        tags,
        hosts,
        users: 1,
        line: same,
    };
    check("nmap", &tool(2_000, (0.02, 0.06), &[SCANNING], 1));
    let hydra = check("hydra", &tool(500, (0.3, 0.9), &[GUESSING], 1));
    assert!(
        hydra.indicators.iter().all(|sign| !sign.name.starts_with("tempo.") || sign.points == 0.0)
    );
    check("ffuf", &tool(5_000, (0.01, 0.03), &[SCANNING], 1));
    check("nuclei", &tool(3_000, (0.01, 0.2), &[SCANNING, GUESSING], 30));
    check("Ansible", &tool(300, (0.5, 3.0), &[RUNNING, MOVING], 40));
    check("monitor", &tool(600, (30.0, 30.0), &[SCANNING], 5));
    check("crawler", &tool(4_000, (1.0, 9.0), &[SCANNING], 1));
}

#[test]
fn people_stay_under_60() {
    for person in 0..300_usize {
        let pace = 3.0 + 40.0 * noise(person);
        let work = Work {
            actions: actions(60, (1.0, pace * 2.0), pace * noise(person + 1)),
            tags: &[RUNNING, MOVING, SCANNING],
            hosts: 1 + person % 4,
            users: 1,
            line: varied,
        };
        assert!(score(&work).score.is_none_or(|score| score < 60), "{person}");
    }
}

#[test]
fn random_sleep_moves_at_most_one_band() {
    let place = |autonomy: &Autonomy| match autonomy.band {
        AutonomyBand::InsufficientData | AutonomyBand::NoSign => 0_i32,
        AutonomyBand::Automated => 1,
        AutonomyBand::ProbableAgent => 2,
        AutonomyBand::StrongEvidence => 3,
    };
    let still = place(&score(&agent(0.0)));
    for tenths in 0..=50 {
        let slept = place(&score(&agent(f64::from(tenths) / 10.0)));
        assert!((still - slept).abs() <= 1, "{tenths} tenths of a second");
    }
}
