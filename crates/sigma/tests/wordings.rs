//! What is remembered by an event's wording, and what is not.

// Tests may panic; the lints know it only inside `#[test]` functions.
#![allow(clippy::unwrap_used)]

mod support;

use std::num::NonZeroU64;

use support::{event_of, rule, rules};
use vigie_event::{Timestamp, Value, Wording};
use vigie_sigma::Matcher;

#[test]
fn what_events_of_one_wording_do_not_share_is_asked_each_time() {
    let said = |number| Wording { head: 1, said: NonZeroU64::new(number).unwrap() };
    let event = |raw: &str, pid: i64, at: i64, wording| {
        let fields = [("user.name", Value::Fixed("root")), ("process.pid", Value::Integer(pid))];
        let mut event = event_of(raw, fields);
        event.finish(Timestamp::from_seconds(at));
        event.set_wording(Some(wording));
        event
    };
    for (detection, apart) in [
        ("    s: {user.name: root}\n    condition: s", false),
        ("    s: {user.name: root, process.pid: 7}\n    condition: s", true),
        ("    s: {user.name: root, '@timestamp': 7}\n    condition: s", true),
        ("    s: {user.name: root}\n    k: [needle]\n    condition: s and k", true),
    ] {
        let mut matcher = Matcher::new(rules(&rule(detection)));
        for round in 0..2_000 {
            let is = round % 3 == 0;
            let (raw, number) = if is { ("a needle", 7) } else { ("no more", 8) };
            let expected = is || !apart;
            let event = event(raw, number, number, said(4));
            assert_eq!(matcher.matches(&event).len(), usize::from(expected), "{detection}");
        }
    }
    // Nothing is asked twice where nothing can differ.
    let mut matcher = Matcher::new(rules(&rule("    s: {user.name: root}\n    condition: s")));
    for number in [4, 8, 4] {
        assert_eq!(matcher.matches(&event("", 1, 1, said(number))).len(), 1);
    }
}
