//! Series of events: order, numbers, very many values, and what does not come.

// Tests may panic; the lints know it only inside `#[test]` functions.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use support::{Stream, event_of, load, rules, shown};
use vigie_event::{Event, Source, Timestamp, Value, field};
use vigie_sigma::{Correlator, Firing};

/// Rules `a`, `b`, `c`, `d` over events of that action, and a correlation.
fn with(correlation: &str) -> String {
    let rules: Vec<String> = ["a", "b", "c", "d"]
        .map(|name| {
            format!(
                "title: {name}\nname: {name}\nid: {name}\nlogsource: {{service: sshd}}\ndetection: {{s: {{event.action: {name}}}, condition: s}}\n---\n"
            )
        })
        .into();
    let text = rules.concat();
    format!("{text}title: x\nid: x\ncorrelation: {correlation}\n")
}

/// Feeds events `second action`, comma-separated; tells what fired.
fn check(correlation: &str, events: &str, expected: &str) {
    let mut stream = Stream::new(rules(&with(correlation)));
    let found: Vec<String> = events
        .split(", ")
        .filter_map(|event| {
            let (second, action) = event.split_once(' ').unwrap();
            let fields = [("event.action", action), ("host.name", "h")];
            let fired = stream.at(second.parse().unwrap(), &fields);
            (!fired.is_empty()).then(|| format!("{second}:{}", shown(&stream.rules, &fired)))
        })
        .collect();
    assert_eq!(found.join(" "), expected, "{correlation} on {events}");
}

#[test]
fn rules_in_their_order() {
    let ordered = |rules: &str, condition: &str| {
        format!(
            "{{type: temporal_ordered, rules: [{rules}], group-by: host.name, timespan: 1m{condition}}}"
        )
    };
    let two = ordered("a, b", "");
    check(&two, "0 a, 10 b", "10:x+2");
    check(&two, "0 b, 10 a", "");
    check(&two, "0 b, 10 a, 20 b", "20:x+2");
    check(&two, "0 a, 61 b", "");
    check(&two, "0 a, 60 b, 70 a", "60:x+2 70:x=3");
    // Many of the first: the alert begins with the last of them and counts all.
    check(&two, "0 a, 1 a, 2 a, 3 b", "3:x+4");
    let three = ordered("a, b, c", "");
    check(&three, "0 a, 1 b, 2 c", "2:x+3");
    check(&three, "0 b, 1 a, 2 c", "");
    check(&three, "0 a, 1 b, 40 a, 41 a, 59 c", "59:x+3");
    check(&three, "0 a, 1 b, 40 a, 50 b, 99 c", "99:x+4");
    check(&three, "0 a, 1 b, 40 a, 61 c", "");
    // Two of the three, in their order.
    check(&ordered("a, b, c", ", condition: {gte: 2}"), "0 b, 1 a, 2 c", "2:x+2");
    check(&ordered("c, b, a", ", condition: {gte: 2}"), "0 a, 1 b, 2 c", "");
}

#[test]
fn an_event_that_comes_late_finds_its_place_in_the_order() {
    let two = "{type: temporal_ordered, rules: [a, b], group-by: host.name, timespan: 1m}";
    check(two, "10 b, 5 a", "5:x+2");
    // Logs often know only seconds.
    check(two, "10 b, 10 a", "10:x+2");
    let three = "{type: temporal_ordered, rules: [a, b, c], group-by: host.name, timespan: 1m}";
    check(three, "0 a, 20 c, 10 b", "10:x+3");
    check(three, "0 a, 1 a, 2 a, 3 a, 20 c, 10 b", "10:x+6");
    check(three, "20 c, 10 b, 0 d, 0 a", "0:x+3");
}

#[test]
fn a_flood_of_one_step_does_not_hide_the_others() {
    let text =
        with("{type: temporal_ordered, rules: [a, b, c], group-by: host.name, timespan: 1h}");
    let mut stream = Stream::new(rules(&text));
    let mut at =
        |second, action| stream.at(second, &[("event.action", action), ("host.name", "h")]);
    at(0, "a");
    at(1, "b");
    for n in 0..10_000 {
        assert!(at(2 + n / 10, if n % 2 == 0 { "a" } else { "b" }).is_empty());
    }
    assert_eq!(at(1_100, "c").len(), 1);
}

#[test]
fn one_event_is_not_two_steps() {
    let text = "title: a\nid: a\nlogsource: {service: sshd}\ndetection: {s: {event.action: a}, condition: s}\n---\ntitle: b\nid: b\nlogsource: {service: sshd}\ndetection: {s: {event.action: [a, b]}, condition: s}\n---\ntitle: x\nid: x\ncorrelation: {type: temporal_ordered, rules: [a, b], group-by: host.name, timespan: 1m}\n";
    let mut stream = Stream::new(rules(text));
    assert!(stream.at(0, &[("event.action", "a"), ("host.name", "h")]).is_empty());
    assert_eq!(stream.at(1, &[("event.action", "b"), ("host.name", "h")]).len(), 1);
}

/// A number of an event of rule `a`, at a second.
fn number(second: i64, offset: u64, value: Value) -> Event {
    let fields =
        [("event.action", Value::Fixed("a")), ("host.name", Value::Fixed("h")), ("n", value)];
    let mut event = event_of("", fields);
    event.offset = offset;
    event.finish(Timestamp::from_seconds(1_700_000_000 + second));
    event
}

/// Feeds numbers at 1 s of distance; tells at which places it raised.
fn numbers(condition: &str, numbers: &[&str], expected: &[usize]) {
    let (kind, condition) = condition.split_once(' ').unwrap();
    let text = with(&format!(
        "{{type: {kind}, rules: [a], group-by: host.name, timespan: 10s, condition: {{field: n, {condition}}}}}"
    ));
    let mut stream = Stream::new(rules(&text));
    let mut found = Vec::new();
    for (place, written) in numbers.iter().enumerate() {
        let event = number(place as i64, place as u64, Value::Made((*written).into()));
        if stream.feed(&event).iter().any(|firing| firing.raised) {
            found.push(place);
        }
        assert!(stream.feed(&event).is_empty(), "counted twice");
    }
    assert_eq!(found, expected, "{kind} {condition} of {numbers:?}");
}

#[test]
fn numbers_are_computed_with() {
    numbers("value_sum gt: 10", &["4", "6", "0.5", "9"], &[2]);
    numbers("value_sum gte: 10", &["4", "x", "-1", "3", "", "4"], &[5]);
    numbers("value_sum lt: 0", &["4", "-3", "-2"], &[2]);
    // The first has left the ten seconds.
    numbers(
        "value_sum gte: 20",
        &["19", "0", "0", "0", "0", "0", "0", "0", "0", "0", "0", "1"],
        &[],
    );
    numbers("value_avg gt: 5", &["1", "5", "9", "6"], &[3]);
    numbers("value_avg lte: 2", &["4", "3", "-1"], &[2]);
    numbers("value_median gt: 5", &["1", "9", "9"], &[2]);
    numbers("value_median eq: 3", &["1", "2", "3", "4", "5"], &[4]);
    numbers("value_median neq: 1", &["1", "1", "1", "2", "2", "2", "2"], &[6]);
    numbers("value_percentile percentile: 90, gte: 100", &["1", "1", "100"], &[2]);
    numbers("value_percentile percentile: 0, gt: 1", &["1", "5", "9"], &[]);
    numbers("value_percentile percentile: 100, gt: 8, lt: 10", &["1", "20", "9"], &[]);
    numbers("value_percentile percentile: 100, gt: 8, lt: 10", &["1", "9", "20"], &[1]);
}

#[test]
fn a_value_that_is_rare_in_its_group() {
    let text = with(
        "{type: value_percentile, rules: [a], group-by: host.name, timespan: 1d, condition: {field: n, lte: 1}}",
    );
    let mut stream = Stream::new(rules(&text));
    for n in 0..99 {
        assert!(stream.feed(&number(n, n as u64, Value::Fixed("bash"))).is_empty(), "{n}");
    }
    assert_eq!(stream.feed(&number(99, 99, Value::Fixed("nc"))).len(), 1);
}

/// Feeds `count` events with `value_of` them; tells at which the alert was raised.
fn raised_at(text: &str, count: u64, value_of: impl Fn(u64) -> Value) -> Option<u64> {
    let mut stream = Stream::new(rules(text));
    (0..count).find(|n| {
        // A hundred a second.
        let event = number((n / 100) as i64, *n, value_of(*n));
        stream.feed(&event).iter().any(|firing| firing.raised)
    })
}

#[test]
fn very_many_distinct_values_are_counted_within_the_stated_error() {
    let text = |least: u64| {
        with(&format!(
            "{{type: value_count, rules: [a], group-by: host.name, timespan: 1h, condition: {{field: n, gte: {least}}}}}"
        ))
    };
    // Exact up to 4,096.
    assert_eq!(raised_at(&text(4_000), 5_000, |n| Value::Integer(n as i64)), Some(3_999));
    // Each comes twice.
    let found = raised_at(&text(20_000), 60_000, |n| Value::Integer(n as i64 / 2)).unwrap();
    let error = (found as f64 / 2.0 - 20_000.0).abs() / 20_000.0;
    assert!(error < 3.0 * 0.031_25, "{found}");
}

#[test]
fn distinct_values_leave_the_window_also_where_they_are_sampled() {
    let text = with(
        "{type: value_count, rules: [a], group-by: host.name, timespan: 10s, condition: {field: n, gte: 8000}}",
    );
    // Ten seconds hold a thousand.
    assert_eq!(raised_at(&text, 30_000, |n| Value::Integer(n as i64)), None);
}

#[test]
fn percentiles_of_very_many_numbers_are_within_the_stated_error() {
    let text = with(
        "{type: value_percentile, rules: [a], group-by: host.name, timespan: 1d, condition: {field: n, percentile: 90, gte: 100}}",
    );
    // After n events a share of n/100,000 is large; a tenth is reached at 10,000 of them.
    let mut large = 0u64;
    let found = raised_at(&text, 40_000, |n| {
        let is_large = (n.wrapping_mul(2_654_435_761) >> 16) % 40_000 < n;
        Value::Integer(if is_large { 100 } else { 1 })
    })
    .unwrap();
    for n in 0..=found {
        large += u64::from((n.wrapping_mul(2_654_435_761) >> 16) % 40_000 < n);
    }
    let share = large as f64 / found as f64;
    assert!((share - 0.1).abs() < 3.0 * 0.016, "{share} at {found}");
}

#[test]
fn sums_of_very_many_numbers() {
    let text = with(
        "{type: value_sum, rules: [a], group-by: host.name, timespan: 1h, condition: {field: n, gte: 30000}}",
    );
    assert_eq!(raised_at(&text, 20_000, |_| Value::Integer(3)), Some(9_999));
}

#[test]
fn aliases_name_the_field_of_a_value_too() {
    let text = "title: a\nname: a\nlogsource: {service: sshd}\ndetection: {s: {event.action: a}, condition: s}\n---\ntitle: b\nname: b\nlogsource: {service: sshd}\ndetection: {s: {event.action: b}, condition: s}\n---\ntitle: x\nid: x\ncorrelation:\n    type: value_count\n    rules: [a, b]\n    group-by: [who]\n    timespan: 1m\n    condition: {field: what, gte: 2}\n    aliases: {who: {a: user.name, b: host.name}, what: {a: n, b: m}}\n";
    let mut stream = Stream::new(rules(text));
    assert!(stream.at(0, &[("event.action", "a"), ("user.name", "u"), ("n", "1")]).is_empty());
    assert!(stream.at(1, &[("event.action", "b"), ("host.name", "u"), ("m", "1")]).is_empty());
    assert_eq!(stream.at(2, &[("event.action", "b"), ("host.name", "u"), ("m", "2")]).len(), 1);
}

const ABSENCE: &str = "{type: absence, rules: [a], group-by: host.name, timespan: 10m}";

/// An event of a source, read so many seconds behind its time; `None`: nobody knows when.
fn said(source: u64, second: i64, lag: Option<i64>, action: &str, host: &str) -> Event {
    let mut event = support::event(&[("event.action", action), ("host.name", host)]);
    event.source = Some(Source::file("log", source, None));
    let time = Timestamp::from_seconds(1_700_000_000 + second);
    if let Some(lag) = lag {
        event.observed = Timestamp::from_seconds(1_700_000_000 + second + lag);
    }
    event.offset = second as u64;
    event.finish(time);
    event
}

#[test]
fn what_does_not_come_is_noticed_by_what_does() {
    let mut stream = Stream::new(rules(&with(ABSENCE)));
    let mut at = |second, action: &str, host: &str| -> Vec<Firing> {
        stream.feed(&said(1, second, None, action, host))
    };
    for minute in 0..5 {
        assert!(at(minute * 300, "a", "one").is_empty());
        assert!(at(minute * 300 + 1, "a", "two").is_empty());
    }
    // The last of `one` came at 1,200 s; half a minute is for late ones.
    assert!(at(1_500, "a", "two").is_empty());
    assert!(at(1_830, "d", "other").is_empty());
    let fired = at(1_831, "d", "other");
    assert_eq!(fired.len(), 1);
    let Firing { raised, overdue, group, first, last, events, .. } = &fired[0];
    assert!(*raised && *overdue);
    assert_eq!(group, &[(field::HOST_NAME, "one".into())]);
    assert_eq!(events.len(), 1);
    assert_eq!(first.seconds(), 1_700_001_200);
    assert_eq!(last.seconds(), 1_700_001_800);
    // Once, until it comes again and stays away again.
    assert!(at(1_900, "a", "two").is_empty());
    assert!(at(2_400, "a", "two").is_empty());
    assert!(at(2_401, "a", "one").is_empty());
    assert!(at(2_900, "a", "two").is_empty());
    assert_eq!(at(3_040, "d", "other").len(), 1);
    // It was away, although the event that tells it is its own.
    assert_eq!(at(9_000, "a", "two").len(), 1);
}

#[test]
fn other_sources_tell_the_time_only_where_all_is_live() {
    let check = |lag: Option<i64>, other_lag: Option<i64>, expected: usize| {
        let mut stream = Stream::new(rules(&with(ABSENCE)));
        assert!(stream.feed(&said(1, 0, lag, "a", "one")).is_empty());
        let fired = stream.feed(&said(2, 3_600, other_lag, "d", "other"));
        assert_eq!(fired.len(), expected, "{lag:?} {other_lag:?}");
    };
    check(Some(1), Some(1), 1);
    // A file of last month, then a live event; a live group, then such a file; two files.
    check(Some(2_592_000), Some(1), 0);
    check(Some(1), Some(2_592_000), 0);
    check(None, None, 0);
}

#[test]
fn an_absence_is_no_input() {
    let text = format!(
        "{}---\ntitle: y\nid: y\ncorrelation: {{type: event_count, rules: x, timespan: 1h, condition: {{gte: 2}}}}\n",
        with(ABSENCE)
    );
    let (rules, diagnostics) = load(&text);
    assert_eq!(rules.rules().len(), 5);
    assert!(diagnostics[0].contains("is of type `absence`"), "{diagnostics:?}");
}

#[test]
fn waiting_goes_on_after_a_restart() {
    let mut stream = Stream::new(rules(&with(ABSENCE)));
    stream.feed(&said(1, 0, Some(0), "a", "one"));
    stream.feed(&said(1, 60, Some(0), "a", "two"));
    stream.feed(&said(1, 500, Some(0), "a", "two"));
    let snapshot = stream.correlator.snapshot();
    let mut restored = Correlator::restore(Arc::clone(&stream.rules), &snapshot).unwrap();
    let mut fired = Vec::new();
    restored.observe(&said(2, 700, Some(0), "d", "x"), &[], &mut fired);
    restored.observe(&said(1, 2_000, Some(0), "d", "x"), &[], &mut fired);
    let groups: Vec<&str> = fired.iter().map(|firing| &*firing.group[0].1).collect();
    assert_eq!(groups, ["one", "two"]);
}

#[test]
fn late_events_are_counted() {
    let mut stream = Stream::new(rules(&with(
        "{type: event_count, rules: [a], group-by: host.name, timespan: 1h, condition: {gte: 3}}",
    )));
    let mut fired = 0;
    for second in [100, 100, 71, 60] {
        fired += stream.feed(&said(1, second, None, "a", "h")).len();
    }
    assert_eq!((stream.correlator.late(), fired), (0, 1));
    stream.feed(&said(1, 200, None, "a", "h"));
    assert!(stream.feed(&said(1, 169, None, "a", "h")).iter().all(|firing| !firing.raised));
    assert_eq!(stream.correlator.late(), 1);
}
