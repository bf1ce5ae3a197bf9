//! Filters, placeholders and processing pipelines.

// Tests may panic; the lints know it only inside `#[test]` functions.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use support::{Stream, event, load, rule};
use vigie_sigma::{Diagnostic, Matcher, Pipelines, Placeholders, RuleSet, RuleText};

fn load_with(
    text: &str,
    pipelines: &[&str],
    placeholders: &Placeholders,
) -> (Arc<RuleSet>, Vec<String>) {
    let texts = pipelines.iter().map(|text| RuleText { file: "pipeline.yml", text });
    let (pipelines, mut findings) = Pipelines::read(texts);
    let rule = RuleText { file: "test.yml", text };
    let (rules, more) = RuleSet::load_with([rule], &pipelines, placeholders);
    findings.extend(more);
    (Arc::new(rules), findings.iter().map(Diagnostic::to_string).collect())
}

/// Whether the rules with these ids match an event of these fields.
fn matched(rules: &Arc<RuleSet>, fields: &[(&str, &str)]) -> Vec<String> {
    let mut matcher = Matcher::new(Arc::clone(rules));
    let event = event(fields);
    let found = matcher.matches(&event).iter();
    found.map(|rule| rules.rule(*rule).unwrap().reference.id.clone()).collect()
}

// Filters.

const RULES: &str = "title: a
id: id-a
name: name-a
logsource: {product: linux, service: sshd}
detection: {sel: {a: x}, other: {z: z}, condition: 1 of them}
---
title: b
id: id-b
logsource: {service: sshd}
detection: {sel: {a: x}, condition: sel}
---
";

fn filter(logsource: &str, rules: &str, condition: &str) -> String {
    format!(
        "{RULES}title: f\nlogsource: {{{logsource}}}\nfilter:\n    rules: {rules}\n    sel: {{u|startswith: adm_}}\n    sel2: {{u|endswith: _x}}\n    condition: {condition}\n"
    )
}

#[test]
fn filters_take_matches_out_of_the_rules_they_name() {
    let check = |text: &str, user: &str, expected: &[&str]| {
        let (rules, findings) = load(text);
        assert!(findings.iter().all(|found| found.contains("does not name")), "{findings:?}");
        assert_eq!(matched(&rules, &[("a", "x"), ("u", user)]), expected, "{text}");
    };
    let both = filter("service: sshd", "any", "sel");
    check(&both, "adm_1", &[]);
    check(&both, "other", &["id-a", "id-b"]);
    // As pySigma writes it.
    check(&filter("service: sshd", "any", "not sel"), "adm_1", &[]);
    check(&filter("service: sshd", "any", "not sel"), "other", &["id-a", "id-b"]);
    check(&filter("service: sshd", "any", "1 of sel*"), "me_x", &[]);
    check(&filter("service: sshd", "any", "not 1 of them"), "me_x", &[]);
    // By id and by name; a rule's logsource must be as narrow as the filter's.
    check(&filter("service: sshd", "[id-b]", "sel"), "adm_1", &["id-a"]);
    check(&filter("service: sshd", "name-a", "sel"), "adm_1", &["id-b"]);
    check(&filter("product: linux", "any", "sel"), "adm_1", &["id-b"]);
}

#[test]
fn filters_that_apply_to_nothing_are_told() {
    for (text, part) in [
        (filter("service: sshd", "[id-c]", "sel and sel2"), "`id-c`, which is no rule"),
        (filter("service: sshd", "[id-a, nobody]", "sel and sel2"), "`nobody`, which is no rule"),
        (filter("product: windows", "any", "sel and sel2"), "`f` applies to no rule"),
        (filter("product: windows", "[id-a]", "sel and sel2"), "`f` applies to no rule"),
        (filter("service: sshd", "[]", "sel and sel2"), "names no rule"),
        (filter("service: sshd", "any", "sel and sel3"), "did you mean `sel"),
        (filter("service: sshd", "any", "sel").replace("    rules: any\n", ""), "rules: any"),
    ] {
        let (rules, findings) = load(&text);
        assert!(findings.iter().any(|found| found.contains(part)), "{findings:?} lacks {part}");
        assert!(rules.rules().len() == 2 || part.contains("sel"), "{text}");
    }
}

#[test]
fn a_filter_changes_the_version_of_its_rules_alone() {
    let version = |text: &str, id: &str| load(text).0.by_id(id).unwrap().reference.version.clone();
    let (without, with) = (RULES, filter("service: sshd", "id-b", "sel"));
    assert_eq!(version(without, "id-a"), version(&with, "id-a"));
    assert_ne!(version(without, "id-b"), version(&with, "id-b"));
}

// Placeholders.

#[test]
fn placeholders_stand_for_values() {
    let lists: Placeholders = [
        ("admins".to_owned(), vec!["root".to_owned(), "adm_*".to_owned()]),
        ("empty".to_owned(), Vec::new()),
    ]
    .into_iter()
    .collect();
    let check = |search: &str, value: &str, expected: bool| {
        let text = rule(&format!("    s: {{{search}}}\n    condition: s"));
        let (rules, findings) = load_with(&text, &[], &lists);
        assert!(findings.is_empty(), "{findings:?}");
        assert_eq!(matched(&rules, &[("a", value)]).len(), usize::from(expected), "{search}");
    };
    check("a|expand: '%admins%'", "Root", true);
    check("a|expand: '%admins%'", "adm_7", true);
    check("a|expand: '%admins%'", "me", false);
    check("a|expand|contains: '-%admins%-'", "x-root-x", true);
    check("a|expand: [me, '%admins%']", "me", true);
    check("a|expand|re: '^%admins%+$'", "roottt", true);
    check(r"a|expand: '100\%'", "100%", true);
    // Not without the modifier.
    check("a: '%admins%'", "root", false);
    check("a|expand: '50% of 100%x'", "50% of 100%x", true);
}

#[test]
fn a_placeholder_without_values_is_told_with_its_mend() {
    for (name, lists) in [
        ("nobody", Placeholders::new()),
        ("empty", [("empty".to_owned(), Vec::new())].into_iter().collect()),
    ] {
        let text = rule(&format!("    s: {{a|expand: '%{name}%'}}\n    condition: s"));
        let (rules, findings) = load_with(&text, &[], &lists);
        assert!(rules.rules().is_empty());
        assert!(
            findings[0].contains(&format!("`%{name}%` has no values (give it some")),
            "{findings:?}"
        );
    }
}

#[test]
fn placeholders_are_bounded() {
    let many: Vec<String> = (0..200).map(|n| n.to_string()).collect();
    let lists = [("n".to_owned(), many)].into_iter().collect();
    let text = rule("    s: {a|expand: '%n%-%n%-%n%'}\n    condition: s");
    let (_, findings) = load_with(&text, &[], &lists);
    assert!(findings[0].contains("over 20,000 values"), "{findings:?}");
}

// Pipelines.

/// Loads one rule with this search under a pipeline of these transformations, in flow style.
fn under(search: &str, transformations: &str) -> (Arc<RuleSet>, Vec<String>) {
    let text = format!(
        "title: t\nid: r\nlevel: high\nstatus: test\ntags: [attack.t1059]\nlogsource: {{service: sshd}}\ndetection:\n    s: {search}\n    condition: s\n"
    );
    let pipeline = format!(
        "name: p\nvars: {{admins: [root, adm_*], one: 1}}\ntransformations:\n{transformations}\n"
    );
    load_with(&text, &[&pipeline], &Placeholders::new())
}

fn check(search: &str, transformations: &str, fields: &[(&str, &str)], expected: bool) {
    let (rules, findings) = under(search, transformations);
    assert!(findings.is_empty(), "{transformations}: {findings:?}");
    let found = matched(&rules, fields).len() == 1;
    assert_eq!(found, expected, "{search} under {transformations} on {fields:?}");
}

fn refused(search: &str, transformations: &str, part: &str) {
    let (_, findings) = under(search, transformations);
    assert!(findings.iter().any(|found| found.contains(part)), "{findings:?} lacks {part}");
}

#[test]
fn fields_get_other_names() {
    let map = "  - {type: field_name_mapping, mapping: {a: b, c: [d, e], f: f2}}";
    check("{a: x}", map, &[("b", "x")], true);
    check("{a: x}", map, &[("a", "x")], false);
    check("{a|contains: x}", map, &[("b", "axa")], true);
    for field in ["d", "e"] {
        check("{c: x}", map, &[(field, "x")], true);
    }
    check("{c: x}", map, &[("c", "x")], false);
    // Denied is denied of all.
    check("{c|neq: x}", map, &[("d", "x"), ("e", "y")], false);
    check("{c|neq: x}", map, &[("d", "y"), ("e", "y")], true);
    check("{c|exists: false}", map, &[("e", "y")], false);
    check("{c: null}", map, &[("d", "x")], false);
    check("{c: null}", map, &[("f", "x")], true);
    check("{c|exists: true}", map, &[("e", "y")], true);
    check("{a|fieldref: f}", map, &[("b", "x"), ("f2", "x")], true);
    let prefix = "  - {type: field_name_prefix_mapping, mapping: {win.: [w., v.], win.long.: l.}}";
    check("{win.a: x}", prefix, &[("v.a", "x")], true);
    check("{win.long.a: x}", prefix, &[("l.a", "x")], true);
    let any = "  - {type: field_name_prefix_mapping, mapping: {'': ['', p.]}}";
    check("{a: x}", any, &[("p.a", "x")], true);
    check("{a: x}", any, &[("a", "x")], true);
    check("{a: x}", "  - {type: field_name_prefix, prefix: p.}", &[("p.a", "x")], true);
    check("{a: x}", "  - {type: field_name_suffix, suffix: .s}", &[("a.s", "x")], true);
    // One after the other.
    let twice = "  - {type: field_name_mapping, mapping: {a: b}}\n  - {type: field_name_mapping, mapping: {b: c}}";
    check("{a: x}", twice, &[("c", "x")], true);
}

#[test]
fn values_are_changed() {
    for (search, transformation, value, expected) in [
        ("{a: xay}", r"replace_string, regex: 'x(.)y', replacement: '<\1>'", "<a>", true),
        ("{a: $1}", r"replace_string, regex: '1', replacement: '$2'", "$$2", true),
        ("{a: [x, y]}", "map_string, mapping: {x: [p, q]}", "q", true),
        ("{a: [x, y]}", "map_string, mapping: {x: [p, q]}", "y", true),
        ("{a: [x, y]}", "map_string, mapping: {x: [p, q]}", "x", false),
        ("{a: x}", "set_value, value: 7", "7", true),
        ("{a: '0x10'}", "convert_type, target_type: str", "0x10", true),
        ("{a|gte: 4}", "convert_type, target_type: num", "5", true),
        ("{a|cased: SomeName}", "case, method: snake_case", "some_name", true),
        ("{a|cased: Ab}", "case, method: upper", "AB", true),
        ("{a|cased: Ab}", "case", "ab", true),
        ("{a|expand: '%admins%'}", "value_placeholders", "adm_x", true),
        ("{a|expand: 'n%one%'}", "value_placeholders, include: [one]", "n1", true),
        ("{a|expand: 'n%nobody%x'}", "wildcard_placeholders", "n-any-x", true),
    ] {
        check(search, &format!("  - {{type: {transformation}}}"), &[("a", value)], expected);
    }
    refused("{a: x}", "  - {type: convert_type, target_type: num}", "`x` is no number");
    refused(
        "{a|expand: '%admins%'}",
        "  - {type: value_placeholders, exclude: [admins]}",
        "no values",
    );
    refused("{a|expand: '%one%'}", "  - {type: query_expression_placeholders}", "query language");
}

#[test]
fn hashes_become_fields() {
    let hashes = "  - {type: hashes_fields, field_prefix: file.hash.}";
    let sha = "a".repeat(64);
    let search = format!("{{Hashes|contains: ['MD5=0123', 'SHA256={sha}']}}");
    check(&search, hashes, &[("file.hash.SHA256", &sha)], true);
    check(&search, hashes, &[("file.hash.MD5", "0123")], true);
    check(&search, hashes, &[("file.hash.MD5", &sha)], false);
    check(&format!("{{Hash: {sha}}}"), hashes, &[("file.hash.SHA256", &sha)], true);
    // What is not understood stays.
    check("{Hashes|contains: unknown}", hashes, &[("Hashes", "x unknown")], true);
}

#[test]
fn items_are_dropped_and_conditions_added() {
    let drop = "  - {type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [b]}]}";
    check("{a: x, b: y}", drop, &[("a", "x")], true);
    check("[{b: y}, {a: x}]", drop, &[("b", "y")], false);
    refused("{b: y}", drop, "nothing is left of the detection");
    let add = "  - {type: add_condition, conditions: {e: [1, 2], s: '$service'}, template: true}";
    check("{a: x}", add, &[("a", "x"), ("e", "2"), ("s", "sshd")], true);
    check("{a: x}", add, &[("a", "x"), ("e", "2")], false);
    check("{a: x}", add, &[("e", "2"), ("s", "sshd")], false);
    let not = "  - {type: add_condition, conditions: {e: 1}, negated: true}";
    check("{a: x}", not, &[("a", "x"), ("e", "1")], false);
    check("{a: x}", not, &[("a", "x")], true);
    // What was added is changed by what follows.
    let mapped = format!("{not}\n  - {{type: field_name_mapping, mapping: {{e: f}}}}");
    check("{a: x}", &mapped, &[("a", "x"), ("f", "1")], false);
}

#[test]
fn rules_are_routed_by_their_new_logsource() {
    let change = "  - {type: change_logsource, category: webserver}";
    check("{a: x}", change, &[("a", "x")], false);
    let (rules, _) = under("{a: x}", change);
    let mut matcher = Matcher::new(Arc::clone(&rules));
    let mut event = event(&[("a", "x")]);
    event.logsources = support::WEB;
    assert_eq!(matcher.matches(&event).len(), 1);
}

#[test]
fn items_have_conditions() {
    // A mapping of `a` to `b` that is applied or not.
    let cases = [
        ("rule_conditions: [{type: logsource, service: sshd}]", true),
        ("rule_conditions: [{type: logsource, service: sshd, product: linux}]", false),
        ("rule_conditions: [{type: logsource, product: linux}], rule_cond_not: true", true),
        ("rule_conditions: [{type: contains_detection_item, field: a, value: X}]", true),
        ("rule_conditions: [{type: contains_field, field: z}]", false),
        ("rule_conditions: [{type: is_sigma_rule}]", true),
        ("rule_conditions: [{type: is_sigma_correlation_rule}]", false),
        ("rule_conditions: [{type: tag, tag: attack.t1059}]", true),
        (
            "rule_conditions: [{type: rule_attribute, attribute: level, value: medium, op: gte}]",
            true,
        ),
        ("rule_conditions: [{type: rule_attribute, attribute: level, value: high, op: gt}]", false),
        ("rule_conditions: [{type: rule_attribute, attribute: title, value: t}]", true),
        ("rule_conditions: [{type: tag, tag: x}, {type: is_sigma_rule}], rule_cond_op: or", true),
        ("rule_conditions: [{type: tag, tag: x}, {type: is_sigma_rule}]", false),
        (
            "rule_conditions: {p: {type: tag, tag: x}, q: {type: is_sigma_rule}}, rule_cond_expr: 'not p and (q or p)'",
            true,
        ),
        ("field_name_conditions: [{type: include_fields, fields: [a]}]", true),
        ("field_name_conditions: [{type: include_fields, fields: ['[b-z]'], mode: re}]", false),
        ("field_name_conditions: [{type: exclude_fields, fields: [a]}]", false),
        ("detection_item_conditions: [{type: match_string, cond: any, pattern: '^x'}]", true),
        ("detection_item_conditions: [{type: match_string, cond: all, pattern: '^x'}]", true),
        (
            "detection_item_conditions: [{type: match_string, cond: any, pattern: x, negate: true}]",
            false,
        ),
        ("detection_item_conditions: [{type: match_value, cond: any, value: x}]", true),
        ("detection_item_conditions: [{type: contains_wildcard, cond: any}]", false),
        ("detection_item_conditions: [{type: is_null, cond: any}]", false),
        (
            "detection_item_conditions: [{type: is_null, cond: any}], detection_item_cond_not: true",
            true,
        ),
        ("rule_conditions: [{type: processing_item_applied, processing_item_id: other}]", false),
        ("rule_conditions: [{type: processing_item_applied, processing_item_id: first}]", true),
        ("rule_conditions: [{type: processing_state, key: k, val: v}]", true),
        ("field_name_conditions: [{type: processing_state, key: k, val: w}]", false),
    ];
    for (condition, applied) in cases {
        let transformations = format!(
            "  - {{id: first, type: set_state, key: k, val: v}}\n  - {{type: field_name_mapping, mapping: {{a: b}}, {condition}}}"
        );
        check("{a: x}", &transformations, &[("b", "x")], applied);
        check("{a: x}", &transformations, &[("a", "x")], !applied);
    }
}

#[test]
fn items_know_what_was_done_to_a_match() {
    let transformations = "  - {id: m, type: field_name_mapping, mapping: {a: b}}
  - {type: field_name_suffix, suffix: .s, field_name_conditions: [{type: processing_item_applied, processing_item_id: m}]}";
    check("{a: x, c: y}", transformations, &[("b.s", "x"), ("c", "y")], true);
}

#[test]
fn items_nest_and_refuse() {
    let nest = "  - type: nest
    rule_conditions: [{type: tag, tag: attack.t1059}]
    items:
      - {type: field_name_mapping, mapping: {a: b}}
      - {type: field_name_mapping, mapping: {b: c}}";
    check("{a: x}", nest, &[("c", "x")], true);
    refused("{a: x}", "  - {type: rule_failure, message: not here}", "pipeline `p`: not here");
    let failure = "  - {type: detection_item_failure, message: no such field, field_name_conditions: [{type: include_fields, fields: [a]}]}";
    refused("{a: x}", failure, "no such field");
    check("{b: x}", failure, &[("b", "x")], true);
}

#[test]
fn pipelines_are_applied_by_their_priority() {
    let pipeline = |priority: i64, from: &str, to: &str| {
        format!(
            "name: p{priority}\npriority: {priority}\ntransformations: [{{type: field_name_mapping, mapping: {{{from}: {to}}}}}]\n"
        )
    };
    let (late, early) = (pipeline(20, "b", "c"), pipeline(10, "a", "b"));
    let text = rule("    s: {a: x}\n    condition: s");
    let (rules, findings) = load_with(&text, &[&late, &early], &Placeholders::new());
    assert!(findings.is_empty(), "{findings:?}");
    assert_eq!(matched(&rules, &[("c", "x")]).len(), 1);
    let (pipelines, _) =
        Pipelines::read([late, early].iter().map(|text| RuleText { file: "p", text }));
    assert_eq!(pipelines.names().collect::<Vec<_>>(), ["p10", "p20"]);
    let version = |rules: &RuleSet| rules.rules()[0].reference.version.clone();
    assert_ne!(version(&rules), version(&load(&text).0));
}

#[test]
fn what_concerns_queries_is_told_and_what_is_wrong_refused() {
    let note = |part: &str, transformations: &str| {
        let (rules, findings) = under("{a: x}", transformations);
        assert!(findings[0].contains(part), "{findings:?} lacks {part}");
        assert_eq!(rules.rules().len(), 1);
    };
    note("queries alone", "  - {type: set_field, fields: [a]}");
    note("queries alone", "  - {type: case}\nfinalizers: [{type: concat}]");
    note("queries alone", "  - {type: case}\npostprocessing: [{type: embed, prefix: x}]");
    note("did you mean `field_name_mapping`", "  - {type: field_name_maping, mapping: {}}");
    note("`mapping` is missing", "  - {type: field_name_mapping}");
    note("regular expression", "  - {type: replace_string, regex: '(', replacement: x}");
    note(
        "no condition is named `r`",
        "  - {type: case, rule_conditions: {p: {type: is_sigma_rule}}, rule_cond_expr: p and r}",
    );
    note("did you mean `logsource`", "  - {type: case, rule_conditions: [{type: logsorce}]}");
    note(
        "32 levels",
        &format!(
            "  - {{type: case, rule_conditions: {{p: {{type: is_sigma_rule}}}}, rule_cond_expr: '{}p'}}",
            "not ".repeat(5_000)
        ),
    );
}

#[test]
fn correlations_group_by_the_new_names() {
    let text = "title: a\nname: a\nlogsource: {service: sshd}\ndetection: {s: {src: '*'}, condition: s}\n---\ntitle: n\nname: n\ncorrelation: {type: event_count, rules: a, group-by: src, timespan: 1m, condition: {gte: 1}}\n---\ntitle: x\nid: x\ncorrelation: {type: value_count, rules: n, group-by: [src], timespan: 10m, condition: {field: usr, gte: 2}}\n";
    let pipeline = "name: p\ntransformations: [{type: field_name_mapping, mapping: {src: source.ip, usr: user.name}, rule_conditions: [{type: logsource, service: sshd}]}]\n";
    let (rules, findings) = load_with(text, &[pipeline], &Placeholders::new());
    assert!(findings.is_empty(), "{findings:?}");
    let mut stream = Stream::new(rules);
    assert_eq!(stream.at(0, &[("source.ip", "192.0.2.1"), ("user.name", "a")]).len(), 1);
    let fired = stream.at(200, &[("source.ip", "192.0.2.1"), ("user.name", "b")]);
    assert_eq!(support::shown(&stream.rules, &fired), "n+1 x+2");
    assert_eq!(fired[1].group[0].1, "192.0.2.1");
}
