//! Whatever a rule file holds, loading and matching neither panic nor stall.

// Tests may panic; the lints know it only inside `#[test]` functions.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use support::{event_of, load};
use vigie_event::Value;
use vigie_sigma::{Correlator, Matcher};

const GOOD: &str = "title: a
id: a
name: a
logsource: {service: sshd}
detection:
    s: {b|contains|all: ['x*', '?y'], c|re|i: '^a+$', d|cidr: 10.0.0.0/8, e|base64offset|contains: abc}
    k: [word, 'w*d', {f: null}]
    t: &t {g|hour|gte: 5, h|fieldref: b}
    u: *t
    condition: s or (k and not 2 of s*) or 1 of t* or u
level: high
vigie: {title: {fr: à}, actions: [block_ip], category: malware}
---
title: b
correlation:
    type: value_count
    rules: [a]
    group-by: [x]
    timespan: 5m
    condition: {field: b, gte: 3}
    aliases: {x: {a: b}}
";

fn try_out(text: &str) {
    let (rules, diagnostics) = load(text);
    assert!(diagnostics.iter().all(|diagnostic| diagnostic.starts_with("test.yml:")));
    let mut matcher = Matcher::new(Arc::clone(&rules));
    let mut correlator = Correlator::new(rules);
    let mut fired = Vec::new();
    for raw in ["", "xxy word aaa", "é\u{0}\u{FFFD}"] {
        let value = || Value::Made(raw.into());
        let event = event_of(raw, [("b", value()), ("c", value()), ("f", Value::Null)]);
        correlator.observe(&event, matcher.matches(&event), &mut fired);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn mutated_rules(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..4u8, "[-a-z0-9:|*&!%@`'\"{}\\[\\], \n\t\\\\#?>éß\u{0}]{0,5}"), 1..12),
    ) {
        let mut text: Vec<char> = GOOD.chars().collect();
        for (place, length, with) in edits {
            let start = place.index(text.len());
            let end = (start + length as usize).min(text.len());
            text.splice(start..end, with.chars());
        }
        try_out(&text.into_iter().collect::<String>());
    }
}

#[test]
fn large_and_deep_texts_are_dealt_with_in_time() {
    let rule = |body: &str| format!("title: t\nlogsource: {{service: sshd}}\ndetection:\n{body}\n");
    let list = |value: &str, count: usize| vec![value; count].join(", ");
    let names: Vec<String> = (0..2_000)
        .map(|n| {
            format!(
                "title: t{n}\ncorrelation: {{type: temporal, rules: [nobody{n}], timespan: 1m}}\n"
            )
        })
        .collect();
    let texts = [
        "---\n".repeat(50_000),
        "[".repeat(100_000),
        "a: ".repeat(50_000),
        format!("{{{}}}", "a: {".repeat(50_000)),
        "? ".repeat(100_000),
        "- ".repeat(100_000),
        rule(&format!("    s: {{a: [{}]}}\n    condition: s", list("x", 60_000))),
        rule(&format!("    s: {{a|contains: '{}'}}\n    condition: s", "*a".repeat(4_000))),
        rule(&format!("    s: {{a: b}}\n    condition: {}s", "s and ".repeat(1_300))),
        rule(&format!("    s: {{a|re: ['{}']}}\n    condition: s", "(a{30}){30}".repeat(50))),
        rule(&format!("    s: {{a|re: [{}]}}\n    condition: s", list("'\\w{1,50}x'", 500))),
        names.join("---\n"),
    ];
    let start = Instant::now();
    for text in &texts {
        try_out(text);
    }
    // It takes about a second; without the bounds, minutes.
    assert!(start.elapsed() < Duration::from_mins(1), "{:?}", start.elapsed());
}
