//! Whatever a rule file holds, loading and matching neither panic nor stall.

// Tests may panic; the lints know it only inside `#[test]` functions.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use support::{event_of, load};
use vigie_event::Value;
use vigie_sigma::{Correlator, Matcher, Pipelines, Placeholders, RuleSet, RuleText};

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
title: c
correlation: {type: temporal_ordered, rules: [a, b], group-by: [x], timespan: 1h, condition: {gte: 2}}
---
title: d
correlation: {type: value_percentile, rules: a, timespan: 1h, condition: {field: b, percentile: 99.5, gt: -1.5}}
---
title: e
correlation: {type: absence, rules: a, timespan: 1h}
---
title: f
logsource: {service: sshd}
filter: {rules: any, s: {p|expand: '%q%'}, condition: not s}
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

const PIPELINE: &str = "name: p
priority: 10
vars: {q: [a, b]}
transformations:
    - {id: m, type: field_name_mapping, mapping: {b: [c, d], p: q}}
    - {type: value_placeholders, include: [q]}
    - {type: replace_string, regex: '(a)+', replacement: '\\1$'}
    - {type: hashes_fields, valid_hash_algos: [MD5], field_prefix: h}
    - type: nest
      items: [{type: case, method: upper}, {type: set_value, value: 1}]
      rule_conditions: {r: {type: tag, tag: a}, s: {type: is_sigma_rule}}
      rule_cond_expr: not (r or s) and s
    - {type: add_condition, conditions: {z: '$service'}, template: true, negated: true}
    - type: drop_detection_item
      field_name_conditions: [{type: include_fields, fields: ['^x'], mode: re}]
finalizers: []
";

/// Loads the rules under a pipeline.
fn under(pipeline: &str) {
    let (pipelines, _) = Pipelines::read([RuleText { file: "p.yml", text: pipeline }]);
    let rules = RuleText { file: "test.yml", text: GOOD };
    let (rules, _) = RuleSet::load_with([rules], &pipelines, &Placeholders::new());
    let event = event_of("word", [("c", Value::Made("xxy".into()))]);
    Matcher::new(Arc::new(rules)).matches(&event);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn mutated_pipelines(
        edits in prop::collection::vec((any::<prop::sample::Index>(), 0..4u8, "[-a-z0-9:|*&!%@`'\"{}\\[\\], \n\t\\\\#?>éß\u{0}]{0,5}"), 1..12),
    ) {
        let mut text: Vec<char> = PIPELINE.chars().collect();
        for (place, length, with) in edits {
            let start = place.index(text.len());
            let end = (start + length as usize).min(text.len());
            text.splice(start..end, with.chars());
        }
        under(&text.into_iter().collect::<String>());
    }

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

#[test]
fn nasty_rules_are_refused_with_a_reason() {
    let list = |value: &str, count: usize| vec![value; count].join(", ");
    let mut aliases = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for n in 1..10 {
        let alias = format!("*a{}", n - 1);
        let ten = list(&alias, 10);
        aliases.extend(["a", &n.to_string(), ": &a", &n.to_string(), " [", &ten, "]\n"]);
    }
    let deep = |kind: &str| format!("title: t\nx: {}", kind.repeat(100));
    let search = |search: &str| {
        format!(
            "title: t\nlogsource: {{service: sshd}}\ndetection:\n    s: {search}\n    condition: s\n"
        )
    };
    for (text, part) in [
        (aliases, "100,000 values"),
        (search(&format!("{{a: [{}]}}", list("x", 100_000))), "100,000 values"),
        (deep("["), "32 levels"),
        (deep("{a: "), "32 levels"),
        ("a: &a [*a]\n".to_owned(), "alias"),
        (search("{a|re: '(a{1000}){1000}'}"), "repetitions"),
        (search("{a|re: '\\w{1000}{100}'}"), "repetitions"),
        (search(&format!("{{a|re: '{}'}}", "(".repeat(1_000))), "regular expression"),
        (search(&format!("{{a|re: [{}]}}", list("'x.*y.*z'", 129))), "128 regular expressions"),
        (search(&format!("{{a: '{}'}}", "*a".repeat(5_000))), "8,192 bytes"),
    ] {
        let (rules, diagnostics) = load(&text);
        assert!(rules.rules().is_empty(), "{part}");
        assert!(
            diagnostics.iter().any(|found| found.contains(part)),
            "{diagnostics:?} lacks {part}"
        );
    }
}

#[test]
fn nasty_pipelines_are_refused_with_a_reason() {
    let doubling = "    - {type: field_name_mapping, mapping: {a: [a, a, a, a]}}\n".repeat(60);
    let wide: Vec<String> = (0..50_000).map(|n| format!("f{n}")).collect();
    let wide =
        format!("    - {{type: field_name_mapping, mapping: {{a: [{}]}}}}\n", wide.join(", "));
    for transformations in [doubling, wide] {
        let text = format!("name: p\ntransformations:\n{transformations}");
        let (pipelines, findings) = Pipelines::read([RuleText { file: "p.yml", text: &text }]);
        assert!(findings.is_empty(), "{findings:?}");
        let rule = support::rule("    s: {a: [1, 2, 3, 4, 5]}\n    condition: s");
        let rule = RuleText { file: "test.yml", text: &rule };
        let (rules, findings) = RuleSet::load_with([rule], &pipelines, &Placeholders::new());
        assert!(rules.rules().is_empty());
        assert!(findings[0].message.contains("over 200,000 values"), "{findings:?}");
    }
}

#[test]
fn matching_hostile_text_takes_time_in_proportion_to_its_length() {
    let text = "title: t
logsource: {service: sshd}
detection:
    s:
        a|re: ['(a+)+$', '(a|a)*b', '(.*a){12}c', '^(([a-z])+.)+[A-Z]([a-z])+$']
    t:
        a: ['*a*a*a*a*a*a*a*b', 'a?*?a*?a?*b?', '*a*?*a*?*c*']
    condition: 1 of them
";
    let (rules, diagnostics) = load(text);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let mut matcher = Matcher::new(rules);
    let event = event_of("", [("a", Value::Made("a".repeat(200_000).into()))]);
    let start = Instant::now();
    matcher.matches(&event);
    // Half a second where it is linear; for ever where it backtracks.
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}
