//! What is remembered of events, and what each is asked anew.

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

#[test]
fn networks_numbers_and_times_are_asked_of_each_event() {
    let detection = "
    root: {user.name: root}
    near: {source.ip|cidr: [10.0.0.0/8, 192.0.2.0/24]}
    high: {process.pid|gt: 100}
    late: {'@timestamp|hour|gte': 22}
    condition: root and (not near or high or late)";
    for user in ["root", "guest"] {
        // Once they are known to the memory, as texts too and in lists.
        let mut matcher = Matcher::new(rules(&rule(detection)));
        for round in 0..3_000_u32 {
            let address =
                ["10.9.8.7", "192.0.2.7", "198.51.100.7", "10.1.1.1 "][round as usize % 4];
            let (pid, hour) = (i64::from(round % 7 * 30), i64::from(round % 24));
            let value = match round % 3 {
                0 => Value::Made(address.into()),
                1 => Value::List([Value::Fixed("x"), Value::Made(address.into())].into()),
                _ => address.parse().map_or(Value::Made(address.into()), Value::Address),
            };
            let user_name = Value::Made(user.into());
            let fields = [
                ("user.name", user_name),
                ("source.ip", value),
                ("process.pid", Value::Integer(pid)),
            ];
            let mut event = event_of("", fields);
            event.finish(Timestamp::from_seconds(hour * 3_600));
            let is_near = !address.starts_with("198");
            let expected = user == "root" && (!is_near || pid > 100 || hour >= 22);
            assert_eq!(
                matcher.matches(&event).len(),
                usize::from(expected),
                "{address} {pid} {hour}"
            );
        }
    }
}

#[test]
fn what_long_questions_told_is_of_that_value_alone() {
    let detection = "
    s:
        - {process.command_line|re: '^/usr/bin/[a-m]+ [0-9]*7$'}
        - {process.command_line: '*/[n-z]*tail?1'}
        - {process.name|re: 'x$'}
    condition: s";
    let mut matcher = Matcher::new(rules(&rule(detection)));
    for round in 0..20_000_u32 {
        // Some come again soon, some late, some never.
        let number = [round % 7, round % 300, round][round as usize % 3];
        let command = match number % 3 {
            0 => format!("/usr/bin/cat {number}"),
            1 => format!("/[n-z]{number}tail-1"),
            _ => format!("/usr/bin/sort {number}7"),
        };
        let name = if number % 5 == 0 { "vox" } else { "vim" };
        let expected = match number % 3 {
            0 => number % 10 == 7,
            1 => true,
            _ => false,
        };
        let fields = [
            ("process.command_line", Value::Made(command.as_str().into())),
            ("process.name", Value::Made(name.into())),
        ];
        let event = event_of("", fields);
        let expected = usize::from(expected || name == "vox");
        assert_eq!(matcher.matches(&event).len(), expected, "{command} {name}");
    }
}
