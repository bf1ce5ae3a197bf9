//! Series of events: what raises an alert, what makes it grow, and what does not.

// Tests may panic; the lints know it only inside `#[test]` functions.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use support::{Stream, load, rules, shown};
use vigie_event::{Timestamp, field};
use vigie_sigma::{Correlator, SnapshotError};

const FAILURE: &str = "
title: Failed login
id: failure
name: failed_login
logsource: {service: sshd}
detection:
    login: {event.action: ssh_login, event.outcome: failure}
    condition: login
---
title: Successful login
id: success
name: good_login
logsource: {service: sshd}
detection:
    login: {event.action: ssh_login, event.outcome: success}
    condition: login
";

fn with(correlation: &str) -> String {
    format!("{FAILURE}---\n{correlation}\n")
}

fn brute_force(condition: &str) -> String {
    with(&format!(
        "title: Brute force\nid: brute\nname: brute_force\ncorrelation:\n    type: event_count\n    rules: [failed_login]\n    group-by: [source.ip]\n    timespan: 2m\n    condition: {condition}"
    ))
}

fn failure<'f>(address: &'f str, user: &'f str) -> [(&'f str, &'f str); 4] {
    [
        ("event.action", "ssh_login"),
        ("event.outcome", "failure"),
        ("source.ip", address),
        ("user.name", user),
    ]
}

fn success<'f>(address: &'f str, user: &'f str) -> [(&'f str, &'f str); 4] {
    let mut fields = failure(address, user);
    fields[1].1 = "success";
    fields
}

/// Feeds failures of one address at these seconds; tells what fired at each.
fn check(text: &str, seconds: &[i64], expected: &[&str]) {
    let mut stream = Stream::new(rules(text));
    let found: Vec<String> = seconds
        .iter()
        .map(|second| {
            let fired = stream.at(*second, &failure("192.0.2.1", "root"));
            shown(&stream.rules, &fired)
        })
        .collect();
    assert_eq!(found, expected, "{seconds:?}");
}

#[test]
fn an_event_count_slides_and_then_grows() {
    let text = brute_force("{gte: 3}");
    check(&text, &[0, 60, 120], &["", "", "brute+3"]);
    check(&text, &[0, 60, 121], &["", "", ""]);
    check(&text, &[0, 100, 121, 200], &["", "", "", "brute+3"]);
    // Grows while gaps are within two minutes, then begins anew.
    check(
        &text,
        &[0, 1, 2, 100, 220, 341, 342, 343],
        &["", "", "brute+3", "brute=4", "brute=5", "", "", "brute+3"],
    );
}

#[test]
fn conditions_that_are_no_threshold() {
    check(&brute_force("{eq: 2}"), &[0, 1, 2], &["", "brute+2", "brute=3"]);
    check(&brute_force("{gt: 1, lte: 2}"), &[0, 1], &["", "brute+2"]);
    check(&brute_force("{neq: 1}"), &[0, 1], &["", "brute+2"]);
}

#[test]
fn late_events_count_where_they_belong() {
    check(&brute_force("{gte: 3}"), &[0, 130, 115], &["", "", ""]);
    // 10, 110 and 130 are within two minutes although 110 comes last.
    check(&brute_force("{gte: 3}"), &[10, 130, 110], &["", "", "brute+3"]);
    // Older by far than what is known: an older file read after a newer one.
    check(&brute_force("{gte: 3}"), &[9_000, 9_001, 0, 1, 2], &["", "", "", "", "brute+3"]);
}

#[test]
fn an_event_that_arrives_twice_counts_once() {
    let mut stream = Stream::new(rules(&brute_force("{gte: 3}")));
    let mut event = support::event(&failure("192.0.2.1", "root"));
    event.finish(Timestamp::from_seconds(1_700_000_000));
    for _ in 0..5 {
        assert!(stream.feed(&event).is_empty());
    }
    stream.at(1, &failure("192.0.2.1", "root"));
    assert!(stream.feed(&event).is_empty());
    let fired = stream.at(2, &failure("192.0.2.1", "root"));
    assert_eq!(shown(&stream.rules, &fired), "brute+3");
    assert!(stream.feed(&event).is_empty(), "an open alert counted an event twice");
}

#[test]
fn a_repeated_message_counts_as_often_as_it_says() {
    let mut stream = Stream::new(rules(&brute_force("{gte: 3}")));
    let mut event = support::event(&failure("192.0.2.1", "root"));
    event.repeat = 3;
    event.finish(Timestamp::from_seconds(1_700_000_000));
    let fired = stream.feed(&event);
    assert_eq!(shown(&stream.rules, &fired), "brute+3");
}

#[test]
fn groups_are_apart_and_an_event_without_the_field_has_none() {
    let mut stream = Stream::new(rules(&brute_force("{gte: 2}")));
    assert!(stream.at(0, &failure("192.0.2.1", "a")).is_empty());
    assert!(stream.at(0, &failure("192.0.2.2", "a")).is_empty());
    let groupless = &failure("", "")[..2];
    for second in 1..4 {
        assert!(stream.at(second, groupless).is_empty());
    }
    let fired = stream.at(4, &failure("192.0.2.2", "b"));
    assert_eq!(fired.len(), 1);
    assert_eq!(fired[0].group, [(field::SOURCE_IP, "192.0.2.2".into())]);
    assert_eq!(fired[0].events.len(), 2);
    assert_eq!(fired[0].first, Timestamp::from_seconds(1_700_000_000));
    assert_eq!(fired[0].last, Timestamp::from_seconds(1_700_000_004));
}

#[test]
fn values_that_run_into_each_other_are_different_groups() {
    let text = brute_force("{gte: 2}").replace("[source.ip]", "[source.ip, user.name]");
    let mut stream = Stream::new(rules(&text));
    assert!(stream.at(0, &failure("a", "bc")).is_empty());
    assert!(stream.at(0, &failure("ab", "c")).is_empty());
    assert_eq!(stream.at(0, &failure("ab", "c")).len(), 1);
}

#[test]
fn large_thresholds_are_reached_on_time() {
    let text = brute_force("{gte: 5000}");
    let mut stream = Stream::new(rules(&text));
    for n in 0..5_000 {
        // 80 events a second: two minutes hold 9,600.
        let fired = stream.at(n / 80, &failure("192.0.2.1", "root"));
        assert_eq!(fired.len(), usize::from(n == 4_999), "event {n}");
    }
}

#[test]
fn a_value_count_counts_each_value_once() {
    let text = with(
        "title: Spraying\nid: spray\ncorrelation:\n    type: value_count\n    rules: failed_login\n    group-by: source.ip\n    timespan: 10m\n    condition: {field: user.name, gte: 3}",
    );
    let mut stream = Stream::new(rules(&text));
    let mut at = |second, user| {
        let fired = stream.at(second, &failure("192.0.2.1", user));
        shown(&stream.rules, &fired)
    };
    assert_eq!(at(0, "a"), "");
    assert_eq!(at(1, "a"), "");
    assert_eq!(at(2, "b"), "");
    assert_eq!(at(500, "b"), "");
    // `a` was last seen over ten minutes ago.
    assert_eq!(at(602, "c"), "");
    assert_eq!(at(603, "a"), "spray+4");
    assert_eq!(at(604, "a"), "spray=5");
}

#[test]
fn a_temporal_correlation_wants_all_its_rules_in_any_order() {
    let text = with(
        "title: Both\nid: both\ncorrelation:\n    type: temporal\n    rules: [failed_login, good_login]\n    group-by: [user.name]\n    timespan: 5m",
    );
    for order in [[true, false], [false, true]] {
        let mut stream = Stream::new(rules(&text));
        let fired: Vec<usize> = order
            .iter()
            .enumerate()
            .map(|(second, failed)| {
                let fields =
                    if *failed { failure("192.0.2.1", "u") } else { success("192.0.2.9", "u") };
                stream.at(second as i64, &fields).len()
            })
            .collect();
        assert_eq!(fired, [0, 1]);
    }
    let mut stream = Stream::new(rules(&text));
    stream.at(0, &failure("192.0.2.1", "u"));
    assert!(stream.at(301, &success("192.0.2.1", "u")).is_empty());
    assert!(stream.at(302, &success("192.0.2.1", "other")).is_empty());
}

#[test]
fn aliases_name_different_fields_of_different_rules() {
    let text = with(
        "title: Relay\nid: relay\ncorrelation:\n    type: temporal\n    rules: [failed_login, good_login]\n    group-by: [peer]\n    timespan: 5m\n    aliases:\n        peer: {failed_login: source.ip, good_login: user.name}",
    );
    let mut stream = Stream::new(rules(&text));
    stream.at(0, &failure("192.0.2.1", "u"));
    let fired = stream.at(1, &success("192.0.2.9", "192.0.2.1"));
    assert_eq!(shown(&stream.rules, &fired), "relay+2");
    assert_eq!(fired[0].group[0].0.name(), "peer");
    assert_eq!(&*fired[0].group[0].1, "192.0.2.1");
}

#[test]
fn a_new_value_fires_for_each_value_but_the_groups_first() {
    let text = with(
        "title: New address\nid: new\ncorrelation:\n    type: new_value\n    rules: good_login\n    group-by: user.name\n    timespan: 30d\n    condition: {field: source.ip}",
    );
    let mut stream = Stream::new(rules(&text));
    let day = 86_400;
    let mut at = |second, address, user| {
        let fired = stream.at(second, &success(address, user));
        shown(&stream.rules, &fired)
    };
    assert_eq!(at(0, "192.0.2.1", "ada"), "");
    assert_eq!(at(1, "192.0.2.1", "ada"), "");
    assert_eq!(at(2, "192.0.2.2", "ada"), "new+1");
    assert_eq!(at(3, "192.0.2.2", "ada"), "");
    assert_eq!(at(4, "192.0.2.3", "ada"), "new+1");
    assert_eq!(at(5, "192.0.2.3", "bob"), "");
    // Kept alive by use, forgotten without.
    assert_eq!(at(20 * day, "192.0.2.1", "ada"), "");
    assert_eq!(at(40 * day, "192.0.2.1", "ada"), "");
    assert_eq!(at(40 * day, "192.0.2.2", "ada"), "new+1");
    // Nothing for a whole timespan: the group starts afresh.
    assert_eq!(at(80 * day, "192.0.2.9", "ada"), "");
}

const NESTED: &str = "title: Success after brute force\nid: after\ncorrelation:\n    type: temporal\n    rules: [brute_force, good_login]\n    group-by: [source.ip]\n    timespan: 10m";

#[test]
fn a_correlation_feeds_another_also_while_it_grows() {
    let text = format!("{}---\n{NESTED}\n", brute_force("{gte: 3}"));
    let mut stream = Stream::new(rules(&text));
    for second in 0..20 {
        stream.at(second * 60, &failure("192.0.2.1", "root"));
    }
    // Raised 18 minutes ago, grown a minute ago.
    let fired = stream.at(1_200, &success("192.0.2.1", "root"));
    assert_eq!(shown(&stream.rules, &fired), "after+19");
    assert!(stream.at(1_201, &success("192.0.2.2", "root")).is_empty());
}

#[test]
fn inputs_are_silent_unless_a_correlation_lets_them_speak() {
    let silent = |text: &str| -> Vec<String> {
        let rules = rules(text);
        let silent = rules.rules().iter().filter(|rule| rule.silent);
        silent.map(|rule| rule.reference.id.clone()).collect()
    };
    assert_eq!(silent(&brute_force("{gte: 3}")), ["failure"]);
    let speaking =
        brute_force("{gte: 3}").replace("    timespan: 2m", "    generate: true\n    timespan: 2m");
    assert!(silent(&speaking).is_empty());
    let nested = format!("{}---\n{NESTED}\n", brute_force("{gte: 3}"));
    assert_eq!(silent(&nested), ["failure", "success", "brute"]);
    let nested = format!("{nested}generate: true\n");
    assert_eq!(silent(&nested), ["failure"]);
}

#[test]
fn correlations_that_cannot_be_are_refused_with_what_stands_on_them() {
    let check = |correlation: &str, parts: &[&str]| {
        let (rules, diagnostics) = load(&with(correlation));
        assert_eq!(rules.rules().len(), 2, "{correlation}");
        assert_eq!(diagnostics.len(), parts.len(), "{diagnostics:#?}");
        for (diagnostic, part) in diagnostics.iter().zip(parts) {
            assert!(diagnostic.contains(part), "{diagnostic} lacks {part}");
        }
    };
    let temporal = |name: &str, inputs: &str| {
        format!(
            "title: {name}\nname: {name}\ncorrelation: {{type: temporal, rules: [{inputs}], timespan: 1m, group-by: [a]}}"
        )
    };
    check(&temporal("x", "failed_logn"), &["did you mean `failed_login`?"]);
    check(&temporal("x", "x"), &["stands on itself"]);
    check(&temporal("x", "failure, failed_login"), &["by id and by name"]);
    let circle = format!("{}\n---\n{}", temporal("x", "y"), temporal("y", "x"));
    check(&circle, &["`y` is refused", "stands on itself by `x`"]);
    let chain = format!("{}\n---\n{}", temporal("x", "y"), temporal("y", "nobody"));
    check(&chain, &["`y` is refused", "no rule has the id or name `nobody`"]);
    let alias = "title: x\ncorrelation: {type: temporal, rules: [failed_login, good_login], timespan: 1m, group-by: [p], aliases: {p: {failed_login: source.ip}}}";
    check(alias, &["alias `p` has no field for rule `good_login`"]);
    let deep: Vec<String> = (0..40)
        .map(|n| {
            temporal(
                &format!("c{n}"),
                &if n == 39 { "failure".into() } else { format!("c{}", n + 1) },
            )
        })
        .collect();
    let (rules, diagnostics) = load(&with(&deep.join("\n---\n")));
    assert!(diagnostics.iter().any(|diagnostic| diagnostic.contains("16 deep")));
    assert!(rules.rules().len() < 42);
}

#[test]
fn windows_keep_their_names_over_restarts_and_reloads() {
    let text = brute_force("{gte: 2}");
    let key = |text: &str| {
        let mut stream = Stream::new(rules(text));
        stream.at(0, &failure("192.0.2.1", "root"));
        stream.at(1, &failure("192.0.2.1", "root"))[0].window
    };
    assert_eq!(key(&text), key(&text));
    let reordered = format!(
        "title: Other\nlogsource: {{service: x}}\ndetection: {{s: {{a: 1}}, condition: s}}\n---\n{text}"
    );
    assert_eq!(key(&text), key(&reordered));
    assert_ne!(key(&text), key(&text.replace("id: brute", "id: brute2")));
}

#[test]
fn a_correlations_version_follows_its_inputs() {
    let version = |text: &str| rules(text).by_id("brute").unwrap().reference.version.clone();
    let text = brute_force("{gte: 2}");
    assert_eq!(version(&text), version(&format!("# a comment\n{text}")));
    assert_ne!(version(&text), version(&text.replace("{gte: 2}", "{gte: 3}")));
    assert_ne!(version(&text), version(&text.replace("outcome: failure", "outcome: error")));
    assert_eq!(version(&text), version(&text.replace("outcome: success", "outcome: ok")));
    assert_eq!(version(&text).len(), 16);
}

#[test]
fn snapshots_of_changed_rules_are_dropped_and_named() {
    let mut stream = Stream::new(rules(&brute_force("{gte: 3}")));
    stream.at(0, &failure("192.0.2.1", "root"));
    let snapshot = stream.correlator.snapshot();
    let same = Correlator::restore(Arc::clone(&stream.rules), &snapshot).unwrap();
    assert_eq!((same.windows(), same.dropped().len()), (1, 0));
    let changed = Correlator::restore(rules(&brute_force("{gte: 4}")), &snapshot).unwrap();
    assert_eq!((changed.windows(), changed.dropped()), (0, &["brute".to_owned()][..]));
}

#[test]
fn damaged_snapshots_are_errors() {
    let mut stream = Stream::new(rules(&brute_force("{gte: 3}")));
    for second in 0..4 {
        stream.at(second, &failure("192.0.2.1", "root"));
        stream.at(second, &failure("192.0.2.2", "root"));
    }
    let snapshot = stream.correlator.snapshot();
    let restore = |bytes: &[u8]| Correlator::restore(Arc::clone(&stream.rules), bytes).map(|_| ());
    assert_eq!(restore(&snapshot), Ok(()));
    assert_eq!(restore(b""), Err(SnapshotError::NotASnapshot));
    assert_eq!(restore(b"VSIG\x09"), Err(SnapshotError::Version(9)));
    for length in 5..snapshot.len() {
        assert!(restore(&snapshot[..length]).is_err(), "cut at {length}");
    }
    for place in 0..snapshot.len() {
        for bit in 0..8 {
            let mut flipped = snapshot.clone();
            flipped[place] ^= 1 << bit;
            // Whatever it says, it must not panic.
            let _ = restore(&flipped);
        }
    }
}

#[test]
fn a_time_forged_ahead_does_not_push_out_a_slow_attack() {
    let mut stream = Stream::new(rules(&brute_force("{gte: 3}")));
    let mut at = |observed: i64, second: i64, offset: u64| {
        let mut event = support::event(&failure("192.0.2.1", "root"));
        event.observed = Timestamp::from_seconds(1_700_000_000 + observed);
        event.offset = offset;
        event.finish(Timestamp::from_seconds(1_700_000_000 + second));
        let fired = stream.feed(&event);
        shown(&stream.rules, &fired)
    };
    assert_eq!(at(0, 0, 1), "");
    // Claims to be from next year; counted at its time of reading.
    assert_eq!(at(10, 31_536_000, 2), "");
    assert_eq!(at(20, 20, 3), "brute+3");
}
