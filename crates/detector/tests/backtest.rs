//! A back-test that sees only what matches, and what a bystander wants, finds what a detector finds
//! that sees all events, alert by alert and incident by incident.
// Helpers of tests are test code.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{RULES, Stream, rules_of};
use proptest::prelude::*;
use vigie_detector::{BackTest, Bystander, Changes, Detector, Settings};
use vigie_event::Event;
use vigie_sigma::{Matcher, RuleSet};

/// Rules that single logins and commands which succeed match none of.
fn rules() -> Arc<RuleSet> {
    let about_successes = ["0002", "0004", "0008"];
    let others = RULES.split("---\n").filter(|rule| {
        !about_successes.iter().any(|end| rule.contains(&format!("-00000000{end}\n")))
    });
    let rules = rules_of(&others.collect::<Vec<_>>().join("---\n"));
    assert_eq!(rules.rules().len(), 6);
    rules
}

fn events() -> impl Strategy<Value = Vec<Event>> {
    let step = (0_u8..12, 0_usize..4, 0_usize..3, 0_usize..2, 0_i64..300);
    prop::collection::vec(step, 20..200).prop_map(|steps| {
        let mut stream = Stream::default();
        let mut at = 0;
        let addresses = ["203.0.113.7", "198.51.100.9", "10.0.0.5", "10.0.0.6"];
        let (users, hosts) = (["root", "alice", "bob"], ["web-1", "db-1"]);
        let steps = steps.into_iter().map(|(kind, address, user, host, pause)| {
            at += pause * pause / 300;
            let (from, user, host) = (addresses[address], users[user], hosts[host]);
            match kind {
                0 => stream.request(at, from, "/.env"),
                1 => stream.request(at, from, "/"),
                2 => stream.login_on(at, "success", from, user, host),
                3 => stream.sudo_on(at, user, "root", "/bin/ls", host),
                4 | 5 => stream.user_created(at, user, host),
                6 => stream.reached(at, "192.0.2.9", host, from),
                _ => stream.login_on(at, "failure", from, user, host),
            }
        });
        steps.collect()
    })
}

fn json(changes: &Changes) -> String {
    let alerts = serde_json::to_string_pretty(&changes.alerts).unwrap();
    format!("{alerts}\n{}", serde_json::to_string_pretty(&changes.incidents).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]
    #[test]
    fn parts_give_what_the_whole_gives(events in events(), chunk in 1_usize..60) {
        let rules = rules();
        let mut detector = Detector::new(Arc::clone(&rules), Settings::default());
        for event in &events {
            detector.observe(event);
        }
        let whole = detector.take_changes();

        let mut test = BackTest::new(Arc::clone(&rules), Settings::default());
        let mut matcher = Matcher::new(Arc::clone(&rules));
        let mut bystanders = [Bystander::default(), Bystander::default()];
        let mut left_out = 0;
        for (number, part) in events.chunks(chunk).enumerate() {
            let bystander = &mut bystanders[number % 2];
            for event in part {
                let matched = matcher.matches(event);
                if !matched.is_empty() || bystander.wants(event) {
                    test.observe(event, matched);
                } else {
                    left_out += 1;
                }
            }
        }
        let (parts, histories) = test.finish();
        prop_assert_eq!(json(&parts), json(&whole));
        prop_assert!(left_out < events.len());
        for history in histories {
            let alerts = whole.alerts.iter().filter(|alert| alert.rule.id == history.rule);
            let (count, events) = alerts.fold((0, 0), |(n, e), alert| (n + 1, e + alert.count));
            prop_assert_eq!((history.alerts, history.events), (count, events));
        }
    }
}
