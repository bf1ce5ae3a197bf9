//! A correlator that was stored and restored goes on as one that never stopped, to the byte.

// Tests may panic; the lints know it only inside `#[test]` functions.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use proptest::prelude::*;
use support::{Stream, rules};
use vigie_event::{Event, Timestamp};
use vigie_sigma::{Correlator, Firing, RuleSet};

const RULES: &str = "
title: a
name: a
logsource: {service: sshd}
detection: {s: {event.action: a}, condition: s}
---
title: b
name: b
logsource: {service: sshd}
detection: {s: {event.action: b}, condition: s}
---
title: count
name: count
correlation: {type: event_count, rules: a, group-by: [user.name], timespan: 1m, condition: {gte: 3}}
---
title: values
name: values
correlation: {type: value_count, rules: [a, b], group-by: [source.ip], timespan: 2m, condition: {field: user.name, gte: 3}}
---
title: both
name: both
correlation: {type: temporal, rules: [count, b], group-by: [user.name], timespan: 1m}
---
title: new
name: new
correlation: {type: new_value, rules: [a, b], group-by: [user.name], timespan: 5m, condition: {field: source.ip}}
---
title: order
name: order
correlation: {type: temporal_ordered, rules: [b, a, count], group-by: [user.name], timespan: 2m}
---
title: sum
name: sum
correlation: {type: value_sum, rules: [a], group-by: [user.name], timespan: 1m, condition: {field: n, gte: 30}}
---
title: average
name: average
correlation: {type: value_avg, rules: [a, b], group-by: [user.name], timespan: 1m, condition: {field: n, gt: 50, lt: 51}}
---
title: median
name: median
correlation: {type: value_median, rules: [a, b], group-by: [user.name], timespan: 5m, condition: {field: n, eq: 7}}
---
title: share
name: share
correlation: {type: value_percentile, rules: [a, b], group-by: [user.name], timespan: 5m, condition: {field: n, lt: 20}}
---
title: absence
name: absence
correlation: {type: absence, rules: [a], group-by: [user.name], timespan: 1m}
---
title: nested
name: nested
correlation: {type: event_count, rules: [both, values], group-by: [source.ip], timespan: 10m, condition: {gte: 2}}
";

fn event(number: usize, (second, action, user, address, source): (i64, bool, u8, u8, u8)) -> Event {
    let user = format!("u{user}");
    let address = format!("192.0.2.{address}");
    let action = if action { "a" } else { "b" };
    let fields = [("event.action", action), ("user.name", &user), ("source.ip", &address)];
    let mut event = support::event(&fields);
    let (_, mut slots) = event.fields_mut();
    slots.integer(vigie_event::FieldId::intern("n").unwrap(), number as i64 * 7 % 100);
    if second % 3 == 0 {
        event.observed = Timestamp::from_seconds(1_700_000_000 + second);
    }
    event.source = Some(vigie_event::Source::file("log", u64::from(source), None));
    event.offset = number as u64;
    event.finish(Timestamp::from_seconds(1_700_000_000 + second));
    event
}

fn feed(rules: &Arc<RuleSet>, correlator: &mut Correlator, events: &[Event]) -> Vec<Firing> {
    let mut matcher = vigie_sigma::Matcher::new(Arc::clone(rules));
    let mut fired = Vec::new();
    for event in events {
        correlator.observe(event, matcher.matches(event), &mut fired);
    }
    fired
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn restored_goes_on_as_if_it_never_stopped(
        steps in prop::collection::vec((-40..60i64, any::<bool>(), 0..4u8, 0..5u8, 0..2u8), 1..300),
        cut in any::<prop::sample::Index>(),
    ) {
        let rules = rules(RULES);
        let mut second = 0;
        let mut events: Vec<Event> = steps
            .iter()
            .enumerate()
            .map(|(number, step)| {
                second += step.0;
                event(number, (second, step.1, step.2, step.3, step.4))
            })
            .collect();
        // Some arrive twice.
        let again: Vec<Event> = events.iter().step_by(7).cloned().collect();
        events.extend(again);
        let cut = cut.index(events.len());

        let mut straight = Correlator::new(Arc::clone(&rules));
        let all = feed(&rules, &mut straight, &events);

        let mut first = Correlator::new(Arc::clone(&rules));
        let mut parts = feed(&rules, &mut first, &events[..cut]);
        let snapshot = first.snapshot();
        let mut second = Correlator::restore(Arc::clone(&rules), &snapshot).unwrap();
        prop_assert_eq!(second.snapshot(), snapshot);
        parts.extend(feed(&rules, &mut second, &events[cut..]));
        prop_assert_eq!(parts, all);
        prop_assert_eq!(second.snapshot(), straight.snapshot());
    }
}

#[test]
fn a_full_correlator_is_restored_with_its_order_of_eviction() {
    let rules = rules(RULES);
    let events: Vec<Event> = (0..60_000)
        .map(|n| {
            let user = format!("user{}", n % 50_021);
            let address = format!("10.{}.{}.{}", n % 3, n / 256 % 256, n % 256);
            let fields = [("event.action", "a"), ("user.name", &*user)];
            let mut event = support::event(&fields);
            let (_, mut slots) = event.fields_mut();
            slots.address(vigie_event::field::SOURCE_IP, address.parse().unwrap());
            event.offset = n;
            event.finish(Timestamp::from_seconds(1_700_000_000 + n as i64 / 1_000));
            event
        })
        .collect();
    let mut straight = Stream::new(Arc::clone(&rules)).correlator;
    feed(&rules, &mut straight, &events);
    let mut first = Correlator::new(Arc::clone(&rules));
    feed(&rules, &mut first, &events[..40_000]);
    let mut second = Correlator::restore(Arc::clone(&rules), &first.snapshot()).unwrap();
    feed(&rules, &mut second, &events[40_000..]);
    assert!(second.windows() > 30_000, "{}", second.windows());
    assert!(second.snapshot() == straight.snapshot());
}
