//! Neither a restart changes anything, nor how many events are taken in together.
// Helpers of tests are test code.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use common::{RULES, Stream, rules, rules_of};
use proptest::prelude::*;
use vigie_detector::{Changes, Command, Detector, RestoreError, Settings};
use vigie_event::{CloseReason, Event};

fn events() -> impl Strategy<Value = Vec<Event>> {
    let step = (0_u8..9, 0_usize..5, 0_usize..3, 0_i64..900);
    prop::collection::vec(step, 1..120).prop_map(|steps| {
        let mut stream = Stream::default();
        let mut at = 0;
        let addresses = ["203.0.113.7", "203.0.113.8", "198.51.100.9", "10.0.0.5", "2001:db8::7"];
        let users = ["root", "alice", "bob"];
        steps
            .into_iter()
            .map(|(kind, address, user, pause)| {
                at += pause * pause / 900;
                let (address, user) = (addresses[address], users[user]);
                match kind {
                    0 => stream.request(at, address, "/.env"),
                    1 => stream.request(at, address, "/?q=select"),
                    2 => stream.login(at, "success", address, user),
                    3 => stream.sudo(at, user, "root", "/bin/bash"),
                    4 => stream.user_created(at, user, "web-1"),
                    5 => stream.reached(at, "198.51.100.9", "web-1", address),
                    6 => stream.login_on(at, "success", address, user, "db-1"),
                    _ => stream.login(at, "failure", address, user),
                }
            })
            .collect()
    })
}

fn restored(detector: &Detector, settings: Settings) -> Detector {
    Detector::restore(rules(), settings, &detector.snapshot()).unwrap()
}

fn json(changes: &Changes) -> String {
    format!(
        "{}\n{}",
        serde_json::to_string_pretty(&changes.alerts).unwrap(),
        serde_json::to_string_pretty(&changes.incidents).unwrap()
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn a_restored_detector_goes_on_as_if_nothing_had_been(
        events in events(),
        cuts in prop::collection::vec(0.0_f64..1.0, 1..4),
        takes in prop::collection::vec(any::<bool>(), 120),
        small in any::<bool>(),
    ) {
        let settings = if small {
            Settings { max_alerts: 3, max_incidents: 2, ..Settings::default() }
        } else {
            Settings::default()
        };
        let mut straight = Detector::new(rules(), settings);
        let mut restarted = Detector::new(rules(), settings);
        for (place, event) in events.iter().enumerate() {
            let cut = |cut: &f64| (cut * events.len() as f64) as usize == place;
            if cuts.iter().any(cut) {
                restarted = restored(&restarted, settings);
            }
            straight.observe(event);
            restarted.observe(event);
            if takes[place] {
                prop_assert_eq!(json(&straight.take_changes()), json(&restarted.take_changes()));
            }
        }
        let mut ending = restored(&straight, settings);
        let rest = straight.take_changes();
        prop_assert_eq!(json(&rest), json(&restarted.take_changes()));
        prop_assert_eq!(straight.snapshot(), restored(&straight, settings).snapshot());
        // Where nothing follows, all that is open is handed out so too.
        prop_assert_eq!(json(&ending.end()), json(&rest));
        let left = ending.stats();
        prop_assert_eq!((left.open_alerts, left.open_incidents), (0, 0));
        prop_assert!(ending.take_changes().is_empty());
    }

    #[test]
    fn events_taken_in_together_are_as_if_each_came_alone(
        events in events(),
        again in prop::collection::vec((0_usize..120, any::<bool>()), 120),
        together in 1_usize..70,
        small in any::<bool>(),
    ) {
        let settings = if small {
            Settings { max_alerts: 3, max_incidents: 2, ..Settings::default() }
        } else {
            Settings::default()
        };
        // Some are delivered twice.
        let mut delivered: Vec<&Event> = Vec::new();
        for (event, (earlier, repeated)) in events.iter().zip(&again) {
            delivered.push(event);
            delivered.extend(delivered.get(*earlier).copied().filter(|_| *repeated));
        }
        let mut alone = Detector::new(rules(), settings);
        let mut grouped = Detector::new(rules(), settings);
        for some in delivered.chunks(together) {
            for event in some {
                alone.observe(event);
            }
            grouped.observe_all(some);
            prop_assert_eq!(json(&alone.take_changes()), json(&grouped.take_changes()));
        }
        prop_assert_eq!(alone.snapshot(), grouped.snapshot());
    }
}

#[test]
fn what_was_closed_stays_closed() {
    let mut stream = Stream::default();
    let mut detector = common::detector();
    detector.observe(&stream.request(0, "203.0.113.7", "/.env"));
    let incident = detector.take_changes().incidents[0].id;
    let reason = CloseReason::FalsePositive;
    detector.apply(Command::Close { incident, reason, by: "alice".into() });
    let mut detector = restored(&detector, Settings::default());
    detector.observe(&stream.request(1, "203.0.113.7", "/.env"));
    let changes = detector.take_changes();
    assert_eq!(changes.incidents.len(), 2);
    assert_eq!(changes.incidents.iter().filter(|other| other.id == incident).count(), 1);
}

#[test]
fn only_what_belongs_to_changed_rules_is_dropped() {
    let mut stream = Stream::default();
    let mut detector = common::detector();
    detector.observe(&stream.request(0, "203.0.113.7", "/.env"));
    detector.observe(&stream.request(0, "198.51.100.9", "/?q=select"));
    let before = detector.take_changes();

    let changed = rules_of(&RULES.replace("|contains: .env", "|endswith: .env"));
    let snapshot = detector.snapshot();
    let mut detector = Detector::restore(changed, Settings::default(), &snapshot).unwrap();
    assert_eq!(detector.dropped(), ["00000000-0000-4000-8000-000000000006"]);
    assert!(detector.take_changes().is_empty());
    detector.observe(&stream.request(1, "203.0.113.7", "/.env"));
    detector.observe(&stream.request(1, "198.51.100.9", "/?q=select"));
    let after = detector.take_changes();
    let counts: Vec<_> = after.alerts.iter().map(|alert| alert.count).collect();
    assert_eq!(counts.iter().sum::<u64>(), 3, "one grew, one was raised anew");
    let ids = |changes: &Changes| changes.incidents.iter().map(|i| i.id).collect::<Vec<_>>();
    assert_eq!(ids(&before), ids(&after), "incidents stay");
}

#[test]
fn damage_is_told_and_never_panics() {
    let mut stream = Stream::default();
    let mut detector = common::detector();
    for n in 0..20 {
        detector.observe(&stream.login(n, "failure", "203.0.113.7", "root"));
    }
    let snapshot = detector.snapshot();
    let restore = |bytes: &[u8]| Detector::restore(rules(), Settings::default(), bytes);
    assert!(restore(&snapshot).is_ok());
    assert!(matches!(restore(b""), Err(RestoreError::NotASnapshot)));
    assert!(matches!(restore(b"hello, world"), Err(RestoreError::NotASnapshot)));
    let mut newer = snapshot.clone();
    newer[4] = 200;
    assert!(matches!(restore(&newer), Err(RestoreError::Version(200))));
    for place in (6..snapshot.len()).step_by(snapshot.len() / 50) {
        let mut damaged = snapshot.clone();
        damaged[place] ^= 0x20;
        assert!(matches!(restore(&damaged), Err(RestoreError::Damaged)), "{place}");
        assert!(restore(&snapshot[..place]).is_err());
    }
}
