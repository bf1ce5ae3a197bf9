//! An event that matches nothing costs no allocation; one that makes an alert grow neither.
//!
//! One test in a binary of its own: the allocator counts for the whole process.

// Tests may panic; the lints know it only inside `#[test]` functions.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};
use support::{Stream, event, event_of, rules};
use vigie_event::{Event, Timestamp, Value};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

const RULES: &str = "
title: failure
name: failure
logsource: {service: sshd}
detection: {s: {event.action: ssh_login, event.outcome: failure}, condition: s}
---
title: brute force
id: brute
correlation: {type: event_count, rules: failure, group-by: [source.ip], timespan: 2m, condition: {gte: 5}}
---
title: success
name: success
logsource: {service: sshd}
detection: {s: {event.action: ssh_login, event.outcome: success}, condition: s}
---
title: success after brute force
id: after
correlation: {type: temporal_ordered, rules: [brute, success], group-by: [source.ip], timespan: 1h}
---
title: everything that can be asked
logsource: {service: sshd}
detection:
    text: {a: x, b|contains: [one, two, three, four, five, six], c|startswith: y, d|endswith: z}
    lazy: {a|re: '^never[0-9]+$', b|cidr: 10.0.0.0/8, n|gt: 1000, c|fieldref: d, e: 'g?o*b'}
    cased: {a|cased: Never, b|windash|contains: ' -never'}
    words: [never, 'no?where']
    condition: 1 of them
";

fn quiet() -> Vec<Event> {
    let list = Value::List([Value::Fixed("No"), Value::Integer(3)].into());
    vec![
        event(&[("event.action", "ssh_connection"), ("source.ip", "192.0.2.1")]),
        event(&[("event.action", "ssh_login"), ("event.outcome", "success"), ("a", "neveR")]),
        event_of(
            "Éa raw record",
            [
                ("a", Value::Fixed("x")),
                ("b", Value::Fixed("nothing of it")),
                ("c", Value::Address("192.0.2.1".parse().unwrap())),
                ("n", Value::Integer(12)),
                ("d", Value::Float(1.25)),
                ("e", list),
            ],
        ),
    ]
}

#[test]
fn quiet_events_and_growing_alerts_cost_no_allocation() {
    let mut stream = Stream::new(rules(RULES));
    let quiet = quiet();
    let mut failures: Vec<Event> = Vec::new();
    for second in 0..2_000 {
        let mut failure = event(&[
            ("event.action", "ssh_login"),
            ("event.outcome", "failure"),
            ("source.ip", "192.0.2.1"),
        ]);
        failure.offset = second as u64;
        failure.finish(Timestamp::from_seconds(1_700_000_000 + second));
        failures.push(failure);
    }
    let mut fired = Vec::with_capacity(16);
    let mut grown = 0;
    let mut run = |events: &[Event]| {
        for event in events {
            let matched = stream.matcher.matches(event);
            fired.clear();
            stream.correlator.observe(event, matched, &mut fired);
            grown += fired.len();
        }
    };
    // Lets buffers grow, raises the alert, and makes ready what learning from each event wants.
    run(&quiet);
    run(&failures[..1_000]);
    for _ in 0..200 {
        run(&quiet);
    }
    let region = Region::new(ALLOCATOR);
    for _ in 0..100 {
        run(&quiet);
    }
    run(&failures[1_000..]);
    let change = region.change();
    assert_eq!((change.allocations, change.reallocations), (0, 0), "{change:?}");
    assert_eq!(grown, 1_996);
}
