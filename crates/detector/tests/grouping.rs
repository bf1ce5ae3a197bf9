//! Which alerts are one, and which alerts are one incident.
//!
//! One case a reason to group, so that they can be read beside each other; hence the length.
// Helpers of tests are test code.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{RULES, Stream, detector, rules, rules_of, run, summary};
use vigie_detector::{Detector, Settings};
use vigie_event::{EVIDENCE_PER_ALERT, Event};

const ATTACKER: &str = "203.0.113.7";
const OTHER: &str = "198.51.100.9";

fn check(events: &[Event], expected: &str) {
    let expected: String = expected.lines().map(str::trim).filter(|line| !line.is_empty()).fold(
        String::new(),
        |mut text, line| {
            text.push_str(line);
            text.push('\n');
            text
        },
    );
    assert_eq!(summary(&run(events)), expected);
}

#[test]
fn a_scanner_is_one_alert_that_grows() {
    let mut stream = Stream::default();
    let events: Vec<_> =
        (0..5_000).map(|n| stream.request(n, ATTACKER, &format!("/{n}/.env"))).collect();
    check(
        &events,
        "# Probe for secrets from 203.0.113.7: medium
         Probe for secrets ×5000 [first 203.0.113.7]",
    );
    let changes = run(&events);
    let alert = &changes.alerts[0];
    assert_eq!(alert.events.len(), 100);
    assert_eq!(alert.evidence.len(), EVIDENCE_PER_ALERT);
    assert_eq!(alert.evidence[0].raw, events[0].text());
    assert_eq!(alert.entities.values("url.path").len(), 100);
    assert_eq!(alert.first_seen, events[0].time);
    assert_eq!(alert.last_seen, events[4_999].time);
    assert_eq!(changes.incidents[0].title.fr, "Recherche de secrets depuis 203.0.113.7");
}

const MARK: &str = "
title: Password file
id: 00000000-0000-4000-8000-000000000020
tags: [attack.t1003.008]
logsource: { product: linux, service: sudo }
detection: { it: { process.command_line|contains: passwd }, condition: it }
level: informational
";

#[test]
fn what_is_informational_joins_an_incident_and_opens_none() {
    let mut stream = Stream::default();
    let events = [
        stream.sudo(0, "alice", "root", "/usr/bin/passwd bob"),
        stream.sudo(60, "carol", "root", "/usr/bin/cat /etc/passwd"),
        // The event opens the incident by another rule, and the mark joins it.
        stream.sudo(120, "carol", "root", "/usr/bin/env PASSWD=/etc/passwd /bin/bash"),
        stream.sudo(180, "carol", "root", "/usr/bin/tee /etc/passwd"),
        stream.sudo(240, "alice", "root", "/usr/bin/passwd bob"),
    ];
    let rules = rules_of(&format!("{RULES}---{MARK}"));
    let run = |marks_open| {
        let settings = Settings { marks_open, ..Settings::default() };
        let mut detector = Detector::new(Arc::clone(&rules), settings);
        for event in &events {
            detector.observe(event);
        }
        detector.take_changes()
    };
    assert_eq!(
        summary(&run(false)),
        "# Shell through sudo, account carol: high\n\
         Shell through sudo ×1 [first carol]\n\
         Password file ×2 [same_account carol]\n"
    );
    assert_eq!(run(true).incidents.len(), 2);
}

#[test]
fn after_a_pause_an_alert_is_raised_anew() {
    let mut stream = Stream::default();
    let events: Vec<_> =
        [0, 600, 1_201].into_iter().map(|at| stream.request(at, ATTACKER, "/.env")).collect();
    check(
        &events,
        "# Probe for secrets from 203.0.113.7: medium
         Probe for secrets ×2 [first 203.0.113.7]
         Probe for secrets ×1 [same_address 203.0.113.7]",
    );
}

#[test]
fn after_an_hour_an_incident_is_opened_anew() {
    let mut stream = Stream::default();
    let joined: Vec<_> =
        [0, 3_600].into_iter().map(|at| stream.request(at, ATTACKER, "/.env")).collect();
    assert_eq!(run(&joined).incidents.len(), 1);
    let apart: Vec<_> =
        [0, 3_601].into_iter().map(|at| stream.request(at, ATTACKER, "/.env")).collect();
    assert_eq!(run(&apart).incidents.len(), 2);
}

#[test]
fn the_worst_rule_names_the_incident() {
    let mut stream = Stream::default();
    let events = [
        stream.request(0, ATTACKER, "/.env"),
        stream.request(1, ATTACKER, "/?q=select"),
        stream.request(2, ATTACKER, "/.env"),
    ];
    check(
        &events,
        "# Injection from 203.0.113.7: high
         Probe for secrets ×2 [first 203.0.113.7]
         Injection ×1 [same_address 203.0.113.7]",
    );
}

#[test]
fn two_attackers_are_two_incidents() {
    let mut stream = Stream::default();
    let events = [
        stream.request(0, ATTACKER, "/.env"),
        stream.request(1, OTHER, "/.env"),
        stream.request(2, ATTACKER, "/?q=select"),
    ];
    check(
        &events,
        "# Injection from 203.0.113.7: high
         Probe for secrets ×1 [first 203.0.113.7]
         Injection ×1 [same_address 203.0.113.7]
         # Probe for secrets from 198.51.100.9: medium
         Probe for secrets ×1 [first 198.51.100.9]",
    );
}

#[test]
fn neighbours_join_only_in_the_same_trade() {
    let mut stream = Stream::default();
    let events = [
        stream.request(0, "203.0.113.7", "/.env"),
        stream.request(1, "203.0.113.99", "/.env"),
        stream.request(2, "203.0.113.50", "/?q=select"),
        stream.request(3, "203.0.114.7", "/.env"),
    ];
    check(
        &events,
        "# Probe for secrets from 203.0.113.7: medium
         Probe for secrets ×1 [first 203.0.113.7]
         Probe for secrets ×1 [same_network 203.0.113.0/24]
         # Injection from 203.0.113.50: high
         Injection ×1 [first 203.0.113.50]
         # Probe for secrets from 203.0.114.7: medium
         Probe for secrets ×1 [first 203.0.114.7]",
    );
}

#[test]
fn neighbours_in_ipv6_share_a_64() {
    let mut stream = Stream::default();
    let events = [
        stream.request(0, "2001:db8:0:1::7", "/.env"),
        stream.request(1, "2001:db8:0:1:ffff::8", "/.env"),
        stream.request(2, "2001:db8:0:2::7", "/.env"),
    ];
    let changes = run(&events);
    assert_eq!(changes.incidents.len(), 2);
    assert_eq!(
        changes.incidents[0].reasons[1].sentence(vigie_event::Lang::En),
        "same network 2001:db8:0:1::/64"
    );
}

#[test]
fn neighbours_in_a_private_network_are_different_machines() {
    let mut stream = Stream::default();
    let events =
        [stream.request(0, "192.168.56.7", "/.env"), stream.request(1, "192.168.56.8", "/.env")];
    assert_eq!(run(&events).incidents.len(), 2);
}

#[test]
fn guessing_and_getting_in_are_one_incident() {
    let mut stream = Stream::default();
    let mut events: Vec<_> = (0..8).map(|n| stream.login(n, "failure", ATTACKER, "root")).collect();
    events.push(stream.login(20, "success", ATTACKER, "root"));
    events.push(stream.login(21, "failure", OTHER, "root"));
    check(
        &events,
        "# Login after failures from 203.0.113.7: critical
         SSH brute force ×8 [first 203.0.113.7]
         Login after failures ×9 [same_address 203.0.113.7]",
    );
    let changes = run(&events);
    let brute_force = &changes.alerts[0];
    assert_eq!(brute_force.group.get("source.ip"), Some(ATTACKER));
    let raw: Vec<_> = brute_force.evidence.iter().map(|evidence| evidence.raw.as_str()).collect();
    let expected: Vec<_> = events[..EVIDENCE_PER_ALERT].iter().map(Event::text).collect();
    assert_eq!(raw, expected);
    assert_eq!(changes.incidents[0].entities.values("user.name"), ["root"]);
    assert_eq!(changes.incidents[0].actor.value, ATTACKER);
}

#[test]
fn what_an_intruder_does_inside_belongs_to_him() {
    let mut stream = Stream::default();
    let mut events = vec![stream.request(0, ATTACKER, "/?q=select")];
    events.push(stream.login(60, "success", ATTACKER, "alice"));
    events.push(stream.sudo(120, "alice", "root", "/bin/bash"));
    events.push(stream.user_created(180, "backdoor", "web-1"));
    events.push(stream.sudo(240, "root", "www", "/bin/bash"));
    // Another machine, another person.
    events.push(stream.user_created(300, "bob", "db-1"));
    check(
        &events,
        "# Injection from 203.0.113.7: high
         Injection ×1 [first 203.0.113.7]
         Shell through sudo ×1 [taken_account alice]
         User added ×1 [same_host web-1]
         Shell through sudo ×1 [taken_account root]
         # User added on db-1: low
         User added ×1 [first db-1]",
    );
}

#[test]
fn guessing_at_a_stolen_account_does_not_join_its_thief() {
    let mut stream = Stream::default();
    let mut events = vec![stream.request(0, ATTACKER, "/?q=select")];
    events.push(stream.login(1, "success", ATTACKER, "root"));
    events.extend((2..8).map(|n| stream.login(n, "failure", OTHER, "root")));
    let changes = run(&events);
    assert_eq!(changes.incidents.len(), 2, "{}", summary(&changes));
}

#[test]
fn logging_in_with_a_stolen_account_does() {
    let mut stream = Stream::default();
    let mut events = vec![stream.request(0, ATTACKER, "/?q=select")];
    events.push(stream.login(1, "success", ATTACKER, "alice"));
    events.push(stream.login(2, "failure", OTHER, "alice"));
    events.push(stream.login(3, "success", OTHER, "alice"));
    check(
        &events,
        "# Login after failures from 203.0.113.7: critical
         Injection ×1 [first 203.0.113.7]
         Login after failures ×2 [taken_account alice]",
    );
}

/// An intruder in web-1 as `user`; the address of web-1 is 10.0.0.20, that of ci-1 10.0.0.50.
fn intrusion(stream: &mut Stream, user: &str) -> Vec<Event> {
    vec![
        stream.reached(0, ATTACKER, "web-1", "10.0.0.20"),
        stream.reached(0, OTHER, "ci-1", "10.0.0.50"),
        stream.request(1, ATTACKER, "/?q=select"),
        stream.login(60, "success", ATTACKER, user),
    ]
}

/// `user` logs in on db-1 from `from`, and there does what raises an alert.
fn on_the_next_host(stream: &mut Stream, from: &str, user: &str) -> Vec<Event> {
    vec![
        stream.login_on(120, "success", from, user, "db-1"),
        stream.sudo_on(180, user, "root", "/bin/bash", "db-1"),
        stream.user_created(240, "backdoor", "db-1"),
    ]
}

#[test]
fn who_moves_on_from_a_host_takes_his_incident_along() {
    let mut stream = Stream::default();
    let mut events = intrusion(&mut stream, "deploy");
    // Even the failures there are his: they come from the machine that he holds.
    events.extend((0..5).map(|n| stream.login_on(100 + n, "failure", "10.0.0.20", "root", "db-1")));
    events.extend(on_the_next_host(&mut stream, "10.0.0.20", "deploy"));
    // And on from there, to the third machine.
    events.push(stream.reached(290, "10.0.0.20", "db-1", "10.0.0.30"));
    events.push(stream.login_on(300, "success", "10.0.0.30", "deploy", "files-1"));
    events.push(stream.sudo_on(310, "deploy", "root", "/bin/bash", "files-1"));
    check(
        &events,
        "# Login after failures from 203.0.113.7: critical
         Injection ×1 [first 203.0.113.7]
         SSH brute force ×5 [from_host web-1]
         Login after failures ×6 [same_address 10.0.0.20]
         Shell through sudo ×1 [taken_account deploy]
         User added ×1 [same_host db-1]
         Shell through sudo ×1 [taken_account deploy]",
    );
    let reason = &run(&events).incidents[0].reasons[1];
    let sentence = reason.sentence(vigie_event::Lang::En);
    assert_eq!(sentence, "from host web-1, where the actor had got in");
}

#[test]
fn a_login_that_is_the_alert_itself_is_the_actors() {
    let rule = "
---
title: Account from several addresses
id: 00000000-0000-4000-8000-000000000010
tags: [attack.t1078]
correlation:
  type: value_count
  rules: [success]
  group-by: [user.name]
  timespan: 1h
  condition: { field: source.ip, gte: 2 }
level: low
";
    let rules = common::rules_of(&format!("{}{rule}", common::RULES));
    let mut detector = vigie_detector::Detector::new(rules, vigie_detector::Settings::default());
    let mut stream = Stream::default();
    let mut events = intrusion(&mut stream, "deploy");
    events.push(stream.login_on(120, "success", "10.0.0.20", "deploy", "db-1"));
    for event in &events {
        detector.observe(event);
    }
    assert_eq!(
        summary(&detector.take_changes()),
        "# Injection from 203.0.113.7: high\n\
         Injection ×1 [first 203.0.113.7]\n\
         Account from several addresses ×2 [taken_account deploy]\n"
    );
}

#[test]
fn a_root_shell_moves_on_too() {
    let mut stream = Stream::default();
    let mut events = intrusion(&mut stream, "deploy");
    events.push(stream.sudo(90, "deploy", "root", "/usr/bin/id"));
    events.extend(on_the_next_host(&mut stream, "10.0.0.20", "root"));
    assert_eq!(run(&events).incidents.len(), 1);
}

/// An intrusion as `taken`, and a login on the next host by `user` from `from`: what he does
/// there is an incident of its own.
fn check_apart(taken: &str, from: &str, user: &str, why: &str) {
    let mut stream = Stream::default();
    let mut events = intrusion(&mut stream, taken);
    events.extend(on_the_next_host(&mut stream, from, user));
    let changes = run(&events);
    assert!(changes.incidents.len() >= 2, "{why}:\n{}", summary(&changes));
    assert_eq!(changes.incidents[0].alerts.len(), 1, "{why}:\n{}", summary(&changes));
}

#[test]
fn the_same_name_or_the_same_way_in_chains_nothing() {
    check_apart("root", "10.0.0.99", "root", "everybody has a root");
    check_apart("Admin", "10.0.0.99", "Admin", "nearly everybody has an admin");
    check_apart("deploy", "10.0.0.50", "deploy", "from a known host that nobody got into");
    check_apart("deploy", OTHER, "deploy", "from outside, on another host");
    check_apart("deploy", "10.0.0.20", "carol", "a colleague from the same machine");
    check_apart("deploy", "10.0.0.99", "carol", "somebody from somewhere inside");
}

#[test]
fn a_taken_account_is_followed_from_an_unknown_inside_address() {
    let mut stream = Stream::default();
    let mut events = intrusion(&mut stream, "deploy");
    events.extend(on_the_next_host(&mut stream, "10.0.0.99", "deploy"));
    // What others do on that host is not his: he may not be the one who logged in.
    check(
        &events,
        "# Injection from 203.0.113.7: high
         Injection ×1 [first 203.0.113.7]
         Shell through sudo ×1 [taken_account deploy]
         # User added on db-1: low
         User added ×1 [first db-1]",
    );
}

#[test]
fn an_address_behind_which_several_hosts_stand_ties_nothing() {
    let mut stream = Stream::default();
    let mut events = intrusion(&mut stream, "deploy");
    events.insert(1, stream.reached(0, OTHER, "mail-1", "10.0.0.20"));
    events.extend((0..5).map(|n| stream.login_on(100 + n, "failure", "10.0.0.20", "root", "db-1")));
    assert_eq!(run(&events).incidents.len(), 2);
}

#[test]
fn after_the_gap_moving_on_is_another_story() {
    let mut stream = Stream::default();
    let mut events = intrusion(&mut stream, "deploy");
    events.push(stream.login_on(4_000, "success", "10.0.0.20", "deploy", "db-1"));
    events.push(stream.sudo_on(4_010, "deploy", "root", "/bin/bash", "db-1"));
    assert_eq!(run(&events).incidents.len(), 2);
}

#[test]
fn a_person_at_work_is_one_incident_of_his_own() {
    let mut stream = Stream::default();
    let events = [
        stream.sudo(0, "carol", "root", "/bin/bash"),
        stream.sudo(1_000, "carol", "root", "/bin/bash"),
        stream.sudo(2_000, "dave", "root", "/bin/bash"),
    ];
    check(
        &events,
        "# Shell through sudo, account carol: high
         Shell through sudo ×1 [first carol]
         Shell through sudo ×1 [same_account carol]
         # Shell through sudo, account dave: high
         Shell through sudo ×1 [first dave]",
    );
}

#[test]
fn spraying_names_all_accounts_tried() {
    let mut stream = Stream::default();
    let users = ["anna", "ben", "chris", "dora", "emil"];
    let events: Vec<_> = users
        .iter()
        .enumerate()
        .map(|(n, user)| stream.login(n as i64 * 60, "failure", ATTACKER, user))
        .collect();
    let changes = run(&events);
    let spraying =
        changes.alerts.iter().find(|alert| alert.rule.title.en == "Password spraying").unwrap();
    assert_eq!(spraying.entities.values("user.name"), users);
}

#[test]
fn a_replay_gives_the_same_ids() {
    let mut stream = Stream::default();
    let mut events: Vec<_> =
        (0..50).map(|n| stream.login(n * 7, "failure", ATTACKER, "root")).collect();
    events.extend((0..50).map(|n| stream.request(400 + n, OTHER, "/.env")));
    let first = run(&events);
    assert!(!first.alerts.is_empty());
    assert_eq!(first, run(&events));

    // Handed out in pieces, the newest form of each is the same.
    let mut detector = detector();
    let mut pieces = vigie_detector::Changes::default();
    for event in &events {
        detector.observe(event);
        let changes = detector.take_changes();
        for alert in changes.alerts {
            pieces.alerts.retain(|known| known.id != alert.id);
            pieces.alerts.push(alert);
        }
        for incident in changes.incidents {
            pieces.incidents.retain(|known| known.id != incident.id);
            pieces.incidents.push(incident);
        }
    }
    pieces.alerts.sort_by_key(|alert| alert.id);
    pieces.incidents.sort_by_key(|incident| incident.id);
    assert_eq!(first, pieces);
}

#[test]
fn an_event_delivered_twice_counts_once() {
    let mut stream = Stream::default();
    let event = stream.request(0, ATTACKER, "/.env");
    let changes = run(&[event.clone(), event]);
    assert_eq!(changes.alerts[0].count, 1);
}

#[test]
fn a_log_written_again_from_its_beginning_counts_once() {
    let mut stream = Stream::default();
    let logins: Vec<_> = (0..2_000)
        .map(|n| stream.login(n / 4, "failure", ATTACKER, &format!("user{}", n % 7)))
        .collect();
    let requests: Vec<_> = (0..2_000).map(|n| stream.request(n / 4, OTHER, "/.env")).collect();
    let mut events: Vec<_> =
        logins.iter().zip(&requests).flat_map(|(a, b)| [a, b]).cloned().collect();
    let once = run(&events);
    assert!(once.alerts.iter().any(|alert| alert.count == 2_000), "{once:?}");
    events.extend_from_within(..3_000);
    assert_eq!(run(&events), once);

    // Across a restart too.
    let mut detector = detector();
    for event in &events[..4_000] {
        detector.observe(event);
    }
    detector.take_changes();
    let snapshot = detector.snapshot();
    let mut detector = Detector::restore(rules(), Settings::default(), &snapshot).unwrap();
    for event in &events[4_000..] {
        detector.observe(event);
    }
    assert!(detector.take_changes().is_empty());
}

#[test]
fn an_older_file_read_after_the_newer_tears_nothing_apart() {
    let mut stream = Stream::default();
    let newer: Vec<_> =
        (0..20).map(|n| stream.request(100_000 + n * 30, ATTACKER, "/.env")).collect();
    let older: Vec<_> = (0..3_000).map(|n| stream.request(n * 10, ATTACKER, "/.env")).collect();
    let mut events = newer.clone();
    events.extend(older);
    assert_eq!(run(&events).incidents.len(), 2);
    assert_eq!(run(&events).alerts.len(), 2);

    // Beside each other, as an import beside the live stream.
    let mut stream = Stream::default();
    let mut beside = Vec::new();
    for n in 0..200 {
        beside.push(stream.request(100_000 + n, ATTACKER, "/.env"));
        beside.push(stream.request(n, ATTACKER, "/.env"));
    }
    let changes = run(&beside);
    assert_eq!((changes.incidents.len(), changes.alerts.len()), (2, 2));
}

#[test]
fn what_did_not_change_is_not_handed_out_again() {
    let mut stream = Stream::default();
    let mut detector = detector();
    detector.observe(&stream.request(0, ATTACKER, "/.env"));
    detector.observe(&stream.request(0, OTHER, "/.env"));
    assert_eq!(detector.take_changes().alerts.len(), 2);
    assert!(detector.take_changes().is_empty());
    detector.observe(&stream.request(1, OTHER, "/.env"));
    let changes = detector.take_changes();
    assert_eq!((changes.alerts.len(), changes.incidents.len()), (1, 1));
    assert_eq!(changes.alerts[0].count, 2);
    assert_eq!(changes.incidents[0].revision, 2);
    assert_eq!(detector.stats().by_rule["00000000-0000-4000-8000-000000000006"], 2);
}
