//! What people's closings may do to a verdict, and what they may never do.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use proptest::prelude::*;
use vigie_analyzer::{Background, BuiltIn, Case, Known, Names, learning};
use vigie_event::{
    Action, Actor, Alert, AlertId, Category, Closings, Earlier, Entities, EventId, Guidance,
    Incident, IncidentId, IncidentStatus, Localized, Past, Precedent, PrecedentKey, RuleRef,
    Severity, Timestamp, Verdict,
};

const START: Timestamp = Timestamp::from_seconds(1_763_600_000);

fn alert(number: u128, rule: &str, level: Severity, count: u64) -> Alert {
    let mut entities = Entities::default();
    entities.add("source.ip", "203.0.113.7");
    entities.add("host.name", "web-01");
    entities.add("user.name", "root");
    Alert {
        id: AlertId::from_u128(number),
        rule: RuleRef {
            id: rule.to_owned(),
            title: Localized::new(format!("Rule {rule}"), format!("Règle {rule}")),
            level,
            version: String::new(),
        }
        .into(),
        tags: vec!["attack.credential-access".into(), "attack.t1110".into()].into(),
        group: [("source.ip".to_owned(), "203.0.113.7".to_owned())].into(),
        entities,
        first_seen: START,
        last_seen: START.plus_seconds(60),
        count,
        events: vec![EventId::from_u128(number)],
        evidence: Vec::new(),
        incident: None,
    }
}

fn judge(alerts: &[Alert], background: &Background<'_>) -> Verdict {
    let mut entities = Entities::default();
    for alert in alerts {
        entities.merge(&alert.entities);
    }
    let incident = Incident {
        id: IncidentId::from_u128(1),
        title: Localized::new("Incident", "Incident"),
        status: IncidentStatus::Open,
        close_reason: None,
        owner: None,
        severity: Severity::Medium,
        first_seen: START,
        last_seen: START.plus_seconds(60),
        actor: Actor { field: "source.ip".into(), value: "203.0.113.7".into() },
        entities,
        alerts: alerts.iter().map(|alert| alert.id).collect(),
        reasons: Vec::new(),
        revision: 1,
    };
    let guidance = Guidance {
        category: Some(Category::BruteForce),
        actions: vec![Action::BlockIp, Action::CreateTicket],
        ..Guidance::default()
    };
    let case = Case { incident: &incident, alerts, guidance: &|_| Some(&guidance), now: START };
    BuiltIn::new().judge_knowing(&case, background)
}

fn precedent(rule: &str, field: &str, value: &str, closings: Closings) -> Precedent {
    let key = PrecedentKey { rule: rule.into(), field: field.into(), value: value.into() };
    Precedent { key, closings }
}

fn past(precedents: Vec<Precedent>) -> Past {
    Past { precedents, earlier: Some(Earlier::default()) }
}

fn knowing(alerts: &[Alert], past: &Past) -> Verdict {
    judge(alerts, &Background { past: Some(past), ..Background::default() })
}

fn benign(times: u32, attacks: u32) -> Closings {
    Closings { benign_true_positive: times, true_positive: attacks, ..Closings::default() }
}

#[test]
fn fourteen_of_fifteen_on_this_host_is_told_and_counts() {
    let alerts = [alert(1, "a", Severity::Medium, 40)];
    let plain = judge(&alerts, &Background::default());
    let source = precedent("a", "source.ip", "203.0.113.7", benign(2, 0));
    let host = precedent("a", "host.name", "web-01", benign(14, 1));
    let learned = knowing(&alerts, &past(vec![host, source]));
    assert!(learned.false_positive > plain.false_positive + 20, "{learned:?}");
    assert!(learned.confidence < plain.confidence);
    let told = |needle: &str| learned.rationale.iter().any(|claim| claim.claim.en.contains(needle));
    assert!(told("closed as benign 14 times of 15 on this host (web-01)"), "{learned:#?}");
    let fr = "clos comme bénin 14 fois sur 15 sur cette machine (web-01)";
    assert!(learned.rationale.iter().any(|claim| claim.claim.fr.contains(fr)));
    assert!(told("The first incident about 203.0.113.7"));
}

#[test]
fn a_stranger_is_vouched_for_by_half() {
    let alerts = [alert(1, "a", Severity::Medium, 40)];
    let host = || precedent("a", "host.name", "web-01", benign(8, 0));
    let source = precedent("a", "source.ip", "203.0.113.7", benign(1, 0));
    let stranger = knowing(&alerts, &past(vec![host()]));
    let known = knowing(&alerts, &past(vec![host(), source]));
    assert!(stranger.false_positive < known.false_positive);
    assert!(stranger.rationale.iter().any(|claim| claim.claim.en.contains("it counts half")));
}

#[test]
fn attacks_make_surer_and_an_unknown_rule_keeps_its_own_estimate() {
    let alerts = [alert(1, "a", Severity::Medium, 40), alert(2, "b", Severity::Medium, 40)];
    let plain = judge(&alerts, &Background::default());
    let one =
        knowing(&alerts, &past(vec![precedent("a", "source.ip", "203.0.113.7", benign(50, 0))]));
    assert_eq!(one.false_positive, plain.false_positive, "rule b has no precedent");
    let attacks = past(vec![precedent("a", "source.ip", "203.0.113.7", benign(0, 6))]);
    let sure = knowing(&alerts, &attacks);
    assert!(sure.confidence > plain.confidence && sure.false_positive < plain.false_positive);
}

#[test]
fn the_owners_lists_raise_and_never_quieten_what_is_high() {
    let lists = |critical: &[&str], denied: &[&str], allowed: &[&str]| Known {
        critical: Names::of(critical),
        denied: Names::of(denied),
        allowed: Names::of(allowed),
        ..Known::default()
    };
    let with = |level, known: &Known| {
        let alerts = [alert(1, "a", level, 40)];
        judge(&alerts, &Background { known: Some(known), ..Background::default() })
    };
    let none = Known::default();
    let asset = lists(&["WEB-01"], &[], &[]);
    assert_eq!(with(Severity::Medium, &asset).severity, Severity::High);
    assert_eq!(with(Severity::High, &asset).severity, Severity::High);
    let friend = lists(&[], &[], &["203.0.113.0/24"]);
    assert!(
        with(Severity::Medium, &friend).false_positive
            > with(Severity::Medium, &none).false_positive
    );
    assert_eq!(
        with(Severity::High, &friend).false_positive,
        with(Severity::High, &none).false_positive
    );
    let foe = lists(&[], &["203.0.113.7"], &[]);
    assert!(with(Severity::Medium, &foe).confidence > with(Severity::Medium, &none).confidence);
}

prop_compose! {
    fn any_precedent()(
        rule in "[abc]",
        entity in prop::sample::select(vec![
            ("", ""), ("source.ip", "203.0.113.7"), ("host.name", "web-01"), ("user.name", "root"),
            ("host.name", "db-01"),
        ]),
        a in 0_u32..5_000, b in 0_u32..5_000, c in 0_u32..5_000, d in 0_u32..5_000,
    ) -> Precedent {
        let closings = Closings {
            true_positive: a, benign_true_positive: b, false_positive: c, undetermined: d,
        };
        precedent(&rule, entity.0, entity.1, closings)
    }
}

proptest! {
    /// Whatever people closed: severity, actions and everything but the two estimates stay, and what
    /// is high or critical is decided on as without it.
    #[test]
    fn closings_never_silence(
        precedents in prop::collection::vec(any_precedent(), 0..12),
        levels in prop::collection::vec(0_usize..5, 1..4),
        count in 1_u64..500,
    ) {
        let alerts: Vec<Alert> = levels
            .iter()
            .enumerate()
            .map(|(n, level)| {
                let rule = ["a", "b", "c"][n % 3];
                alert(n as u128 + 1, rule, Severity::ALL[*level], count)
            })
            .collect();
        let plain = judge(&alerts, &Background::default());
        let learned = knowing(&alerts, &past(precedents));
        prop_assert_eq!(learned.severity, plain.severity);
        prop_assert_eq!(&learned.recommendations, &plain.recommendations);
        prop_assert_eq!(learned.category, plain.category);
        prop_assert!((5..=99).contains(&learned.confidence));
        prop_assert!((1..=95).contains(&learned.false_positive));
        if plain.severity >= Severity::High {
            prop_assert!(learned.confidence >= plain.confidence);
            let most = plain.false_positive.max(learning::MOST_FOR_HIGH);
            prop_assert!(learned.false_positive <= most);
        }
    }
}
