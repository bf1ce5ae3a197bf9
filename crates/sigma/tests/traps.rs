//! Each of these was a real bug in some engine.

// Tests may panic; the lints know it only inside `#[test]` functions.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use support::{event, event_of, load, matches, rule, rules};
use vigie_event::{Event, Logsource, Logsources, Value};
use vigie_sigma::Matcher;

fn check(detection: &str, fields: &[(&str, &str)], expected: bool) {
    assert_eq!(matches(detection, &event(fields)), expected, "{detection} on {fields:?}");
}

#[test]
fn selection_or_not_filter_has_no_witness() {
    let detection =
        "    selection: {a: x}\n    filter: {b: y}\n    condition: selection or not filter";
    check(detection, &[("a", "x"), ("b", "y")], true);
    check(detection, &[], true);
    check(detection, &[("b", "y")], false);
}

#[test]
fn a_cased_needle_is_not_looked_for_in_folded_text() {
    for (key, value, text, expected) in [
        ("a|cased", "Root", "Root", true),
        ("a|cased", "Root", "root", false),
        ("a", "Root", "rOOT", true),
        ("a|contains|cased", "Oo", "rOot", true),
        ("a|contains|cased", "OO", "rOot", false),
        ("a|endswith|cased", "*T", "rooT", true),
        ("a|cased", "R?ot", "Root", true),
        ("a|cased", "r?ot", "Root", false),
        ("a|re", "^R", "root", false),
        ("a|re|i", "^R", "root", true),
    ] {
        check(
            &format!("    s: {{'{key}': '{value}'}}\n    condition: s"),
            &[("a", text)],
            expected,
        );
    }
}

#[test]
fn lists_numbers_booleans_and_addresses_are_compared_by_their_text() {
    let list = Value::List([Value::Integer(22), Value::Fixed("B"), Value::Null].into());
    let event = event_of(
        "",
        [
            ("list", list),
            ("number", Value::Integer(4_688)),
            ("float", Value::Float(1.5)),
            ("truth", Value::Boolean(true)),
            ("address", Value::Address("2001:db8::1".parse().unwrap())),
        ],
    );
    for (key, value, expected) in [
        ("list", "22", true),
        ("list", "'b'", true),
        ("list", "22*", true),
        ("list|gt", "21", true),
        ("list|re", "'^B$'", true),
        ("list", "'22, b'", false),
        ("number", "4688", true),
        ("number", "'4688'", true),
        ("number|startswith", "46", true),
        ("number|lte", "4688", true),
        ("number|lt", "4688", false),
        ("number|gt", "4687.5", true),
        ("float", "1.5", true),
        ("float", "1.50", true),
        ("truth", "true", true),
        ("truth", "'True'", true),
        ("address", "'2001:DB8::1'", true),
        ("address|cidr", "'2001:db8::/32'", true),
        ("address|cidr", "'10.0.0.0/8'", false),
    ] {
        let detection = format!("    s: {{{key}: {value}}}\n    condition: s");
        assert_eq!(matches(&detection, &event), expected, "{key}: {value}");
    }
}

#[test]
fn integers_of_rules_match_text_of_events() {
    for value in ["4688", "'4688'"] {
        check(
            &format!("    s: {{EventID: {value}}}\n    condition: s"),
            &[("EventID", "4688")],
            true,
        );
    }
    check("    s: {EventID|gte: 4688}\n    condition: s", &[("EventID", "4688")], true);
    check("    s: {EventID|gte: 4688}\n    condition: s", &[("EventID", "many")], false);
}

#[test]
fn folding_may_change_the_length_of_text() {
    // The Kelvin sign has three bytes, `k` has one.
    check("    s: {a|endswith: 'k'}\n    condition: s", &[("a", "100 \u{212A}")], true);
    check("    s: {a|contains: '\u{212A}elvin'}\n    condition: s", &[("a", "x KELVIN y")], true);
    check("    s: {a: '?elvin'}\n    condition: s", &[("a", "\u{212A}elvin")], true);
    check("    s: {a: 'ÉCOLE'}\n    condition: s", &[("a", "école")], true);
    check("    s: {a: 'Σίσυφος'}\n    condition: s", &[("a", "ΣΊΣΥΦΟΣ")], true);
}

#[test]
fn null_empty_and_absent_are_told_apart() {
    let of = |value| event_of("", [("a", value)]);
    let (null, empty, list) = (of(Value::Null), of(Value::Fixed("")), of(Value::List([].into())));
    let (absent, text) = (event(&[]), event(&[("a", "x")]));
    for (key, value, expected) in [
        ("a", "null", [true, false, true, true, false]),
        ("a", "''", [false, true, false, false, false]),
        ("a|exists", "true", [true, true, true, false, true]),
        ("a|exists", "false", [false, false, false, true, false]),
        ("a", "'*'", [false, true, false, false, true]),
        ("a|contains", "''", [false, true, false, false, true]),
        ("a|neq", "x", [true, true, true, true, false]),
        ("a|neq", "null", [false, true, false, false, true]),
    ] {
        let detection = format!("    s: {{{key}: {value}}}\n    condition: s");
        let found = [&null, &empty, &list, &absent, &text].map(|event| matches(&detection, event));
        assert_eq!(found, expected, "{key}: {value}");
    }
}

#[test]
fn windash_takes_all_dashes_for_one_another_in_every_mixture() {
    let detection = "    s: {a|windash|contains: ' -a -b'}\n    condition: s";
    for text in ["x -a -b", "x /a -b", "x -a /b", "x /a /b y", "x –a —b", "x ―A /B"] {
        check(detection, &[("a", text)], true);
    }
    check(detection, &[("a", "x -a b")], false);
    let many = format!("    s: {{a|windash: '{}'}}\n    condition: s", " -a".repeat(200));
    check(&many, &[("a", &" /a".repeat(200))], true);
}

#[test]
fn a_needle_inside_another_is_found() {
    let needles: Vec<String> =
        ["he", "she", "hers", "his", "s", "er", "ers"].map(|n| format!("'{n}'")).into();
    let detection =
        format!("    s: {{a|contains|all: [{}]}}\n    condition: s", needles.join(", "));
    check(&detection, &[("a", "usHERS and HIS")], true);
    check(&detection, &[("a", "usHER and HIS")], false);
}

#[test]
fn them_leaves_out_hidden_searches() {
    let detection = "    _hidden: {a: x}\n    shown: {b: y}\n    condition: 1 of them";
    assert!(!matches_with_warning(detection, &event(&[("a", "x")])));
    assert!(matches_with_warning(detection, &event(&[("b", "y")])));
}

fn matches_with_warning(detection: &str, event: &Event) -> bool {
    let (rules, diagnostics) = load(&rule(detection));
    assert!(diagnostics.iter().all(|diagnostic| diagnostic.contains("warning")), "{diagnostics:?}");
    !Matcher::new(rules).matches(event).is_empty()
}

#[test]
fn so_many_of_the_searches() {
    let detection = "    s_a: {a: x}\n    s_b: {b: x}\n    s_c: {c: x}\n    condition: 2 of s_*";
    check(detection, &[("a", "x"), ("c", "x")], true);
    check(detection, &[("b", "x"), ("c", "x")], true);
    check(detection, &[("b", "x")], false);
    let nested = "    s_a: {a: x}\n    s_b: {b: x}\n    s_c: {c: x}\n    t_1: {d: x}\n    t_2: {e: x}\n    t_3: {f: x}\n    condition: 2 of s_* and not 2 of t_*";
    check(nested, &[("a", "x"), ("c", "x"), ("d", "x")], true);
    check(nested, &[("a", "x"), ("c", "x"), ("d", "x"), ("f", "x")], false);
}

#[test]
fn what_cannot_be_meant_is_refused_with_its_place() {
    for (detection, place, part) in [
        ("    s: {a: x}\n    condition: 1 of x*", "6:16", "names `x*`"),
        ("    s: {a: []}\n    condition: s", "5:12", "empty search"),
        ("    s: {}\n    condition: s", "5:8", "empty search"),
        ("    s: []\n    condition: s", "5:8", "empty search"),
        ("    s: {a|contain: x}\n    condition: s", "5:9", "did you mean `contains`?"),
        ("    s: {a|re: '('}\n    condition: s", "5:15", "regular expression"),
        ("    s: {a|re: 'x(?=y)'}\n    condition: s", "5:15", "look-around"),
        ("    s: {a|re|contains: x}\n    condition: s", "5:9", "contradict"),
        ("    s: {a: {b: c}}\n    condition: s", "5:12", "found a map"),
        ("    s: {a: x}\n    condition: s and", "6:16", "ends too early"),
        ("    s: {a: x}\n    conditoin: s", "5:5", "did you mean `condition`"),
        ("    s: {a|re: 'a{1000}{1000}'}\n    condition: s", "5:15", "repetitions"),
    ] {
        let (rules, diagnostics) = load(&rule(detection));
        assert!(rules.rules().is_empty(), "{detection}");
        let found = &diagnostics[0];
        assert!(found.starts_with(&format!("test.yml:{place}: error: ")), "{found}, not {place}");
        assert!(found.contains(part), "{found} lacks {part}");
    }
}

#[test]
fn documents_are_refused_one_by_one() {
    let good =
        |id: &str| rule("    s: {a: x}\n    condition: s").replace("id: r", &format!("id: {id}"));
    let text = [
        good("one"),
        "title: [\n".into(),
        good("one"),
        "title: no detection\nlogsource: {service: x}\ndetections: {}\n".into(),
        good("two").replace("title: t", "level: hihg\ntitle: t"),
        "- just\n- a list\n".into(),
        good("three"),
    ]
    .join("---\n");
    let (rules, diagnostics) = load(&text);
    let ids: Vec<_> = rules.rules().iter().map(|rule| rule.reference.id.as_str()).collect();
    assert_eq!(ids, ["one", "three"]);
    for (diagnostic, part) in diagnostics.iter().zip([
        "invalid YAML",
        "`one` is taken by test.yml:1",
        "did you mean `detection`?",
        "did you mean `high`?",
        "a list, not a rule",
    ]) {
        assert!(diagnostic.contains(part), "{diagnostic} lacks {part}");
    }
    assert_eq!(diagnostics.len(), 5, "{diagnostics:#?}");
}

#[test]
fn an_event_of_several_logsources_gets_the_rules_of_each_once() {
    static REGISTRY: Logsources = &[
        Logsource { category: Some("registry_set"), product: Some("windows"), service: None },
        Logsource { category: Some("registry_event"), product: Some("windows"), service: None },
    ];
    let of = |logsource: &str| {
        let id = logsource.replace([':', ' ', ',', '{', '}'], "");
        format!(
            "title: t\nid: {id}\nlogsource: {logsource}\ndetection:\n    s: {{a: x}}\n    condition: s\n---\n"
        )
    };
    let text = [
        "{category: registry_set}",
        "{category: registry_event, product: windows}",
        "{product: windows}",
        "{category: registry_add}",
        "{product: linux}",
        "{service: sysmon}",
    ]
    .map(of)
    .concat();
    let mut matcher = Matcher::new(rules(&text));
    let mut event = event(&[("a", "x")]);
    event.logsources = REGISTRY;
    assert_eq!(matcher.matches(&event).len(), 3);
    // Nothing is known of the event: every rule is tried, and that is counted.
    event.logsources = &[];
    assert_eq!(matcher.matches(&event).len(), 6);
    assert_eq!(matcher.unrouted(), 1);
}

#[test]
fn keywords_are_looked_for_in_the_record_and_in_what_was_unescaped() {
    let keywords = "    k: ['Evil*Service', 4711]\n    condition: k";
    let all = "    k: {'|all': [evil, service]}\n    condition: k";
    let regex = "    k: {'|re': 'ev[iy]l'}\n    condition: k";
    for (detection, raw, expected) in [
        (keywords, "started EVILservice", true),
        (keywords, "code 14711!", true),
        (keywords, "service evil", false),
        (all, "service evil", true),
        (all, "service", false),
        (regex, "an evyl thing", true),
        (regex, "an EVYL thing", false),
    ] {
        assert_eq!(matches(detection, &event_of(raw, [])), expected, "{raw}");
    }
    let unescaped = Value::Made(r"C:\evil\service.exe".into());
    let json = event_of(r#"{"path": "C:\\evil\\service.exe"}"#, [("path", unescaped)]);
    assert!(matches(
        r"    k: ['C:\evil\service']
    condition: k",
        &json
    ));
}

#[test]
fn a_list_of_maps_is_any_of_them() {
    let detection =
        "    s:\n        - {a: x, b: y}\n        - c: z\n        - keyword\n    condition: s";
    check(detection, &[("a", "x"), ("b", "y")], true);
    check(detection, &[("c", "z")], true);
    check(detection, &[("a", "x")], false);
    assert!(matches(detection, &event_of("a KEYWORD here", [])));
}

#[test]
fn fields_are_compared_with_each_other() {
    for (key, fields, expected) in [
        ("a|fieldref", [("a", "X"), ("b", "x")], true),
        ("a|fieldref|cased", [("a", "X"), ("b", "x")], false),
        ("a|fieldref", [("a", ""), ("c", "")], false),
        ("a|fieldref|endswith", [("a", "the end"), ("b", "END")], true),
        ("a|fieldref|neq", [("a", "x"), ("b", "y")], true),
    ] {
        check(&format!("    s: {{{key}: b}}\n    condition: s"), &fields, expected);
    }
}

#[test]
fn parts_of_a_date() {
    let fields = [("t", "2026-01-05T22:30:00Z")];
    for (modifiers, value, expected) in [
        ("hour", 22, true),
        ("hour|gte", 22, true),
        ("hour|lt", 22, false),
        ("minute", 30, true),
        ("day", 5, true),
        ("week", 2, true),
        ("month|neq", 1, false),
        ("year", 2026, true),
    ] {
        check(&format!("    s: {{t|{modifiers}: {value}}}\n    condition: s"), &fields, expected);
    }
    let mut event = event(&[]);
    event.finish(vigie_event::Timestamp::parse("2026-01-05T22:30:00Z").unwrap());
    assert!(matches("    s: {'@timestamp|hour': 22}\n    condition: s", &event));
}

#[test]
fn what_the_event_itself_tells_is_a_field() {
    let mut event = event_of("raw text", []);
    event.dataset = "sshd";
    for (field, value) in [
        ("event.dataset", "sshd"),
        ("event.kind", "event"),
        ("log.file.path", "test.log"),
        ("event.original", "raw*"),
    ] {
        let detection = format!("    s: {{{field}: '{value}'}}\n    condition: s");
        assert!(matches(&detection, &event), "{field}");
    }
}

#[test]
fn conditions_in_a_list_are_any_of_them() {
    let detection = "    s: {a: x}\n    t: {b: y}\n    condition: [s, t]";
    check(detection, &[("b", "y")], true);
    check(detection, &[("a", "y")], false);
}

#[test]
fn all_of_nothing_is_refused_instead_of_always_true() {
    for condition in ["all of x*", "1 of x*", "not all of x*", "s and all of x*"] {
        let (rules, diagnostics) =
            load(&rule(&format!("    s: {{a: b}}\n    condition: {condition}")));
        assert!(rules.rules().is_empty(), "{condition}");
        assert!(diagnostics[0].contains("no search identifier"), "{diagnostics:?}");
    }
}

#[test]
fn an_empty_list_is_refused_instead_of_never_or_always_true() {
    for search in ["{a: []}", "[]", "{}", "{a|contains|all: []}", "[{a: []}]", "{a|neq: []}"] {
        let (rules, diagnostics) = load(&rule(&format!("    s: {search}\n    condition: s")));
        assert!(rules.rules().is_empty(), "{search}");
        assert!(diagnostics[0].contains("empty search or list"), "{diagnostics:?}");
    }
}

#[test]
fn modifiers_that_contradict_each_other_are_refused() {
    for modifiers in [
        "contains|startswith",
        "startswith|endswith",
        "re|contains",
        "re|base64",
        "cidr|gt",
        "lt|gte",
        "exists|neq",
        "exists|contains",
        "fieldref|re",
        "utf16le|utf16be",
        "base64|base64offset",
        "hour|month",
        "cidr|cased",
        "gt|windash",
        "cidr|expand",
    ] {
        let detection = format!("    s: {{a|{modifiers}: 1}}\n    condition: s");
        let (rules, diagnostics) = load(&rule(&detection));
        assert!(rules.rules().is_empty(), "{modifiers}");
        assert!(diagnostics[0].contains("contradict each other"), "{diagnostics:?}");
    }
}

const COUNTED: &str = "title: one
id: id-one
name: name-one
logsource: {service: sshd}
detection: {s: {a: x}, condition: s}
---
";

fn counting(rules: &str) -> String {
    format!(
        "title: count\nid: count\ncorrelation: {{type: event_count, rules: [{rules}], group-by: [u], timespan: 1m, condition: {{gte: 2}}}}\n"
    )
}

#[test]
fn correlations_know_their_rules_by_name_and_by_id_and_from_below() {
    for text in [
        format!("{COUNTED}{}", counting("name-one")),
        format!("{COUNTED}{}", counting("id-one")),
        // Before what it names.
        format!("{}---\n{COUNTED}", counting("name-one")),
    ] {
        let mut stream = support::Stream::new(rules(&text));
        assert!(stream.at(0, &[("a", "x"), ("u", "v")]).is_empty());
        assert_eq!(stream.at(1, &[("a", "x"), ("u", "v")]).len(), 1, "{text}");
    }
}

#[test]
fn nested_correlations_fire_with_what_they_stand_on() {
    let text = format!(
        "{COUNTED}{}---\ntitle: both\nid: both\ncorrelation: {{type: event_count, rules: [count], group-by: [u], timespan: 1h, condition: {{gte: 2}}}}\n",
        counting("id-one")
    );
    let mut stream = support::Stream::new(rules(&text));
    let fired: Vec<String> = [0, 1, 100, 101]
        .map(|second| {
            let fired = stream.at(second, &[("a", "x"), ("u", "v")]);
            support::shown(&stream.rules, &fired)
        })
        .into();
    assert_eq!(fired, ["", "count+2", "", "count+2 both+2"]);
}

#[test]
fn correlations_in_a_circle_are_refused_and_the_rest_load() {
    let circle = |name: &str, other: &str| {
        format!(
            "title: {name}\nname: {name}\ncorrelation: {{type: temporal, rules: [{other}, id-one], group-by: [u], timespan: 1m}}\n---\n"
        )
    };
    let text = format!(
        "{COUNTED}{}{}{}{}",
        circle("p", "q"),
        circle("q", "r"),
        circle("r", "p"),
        counting("id-one")
    );
    let (rules, diagnostics) = load(&text);
    assert_eq!(rules.rules().len(), 2);
    assert_eq!(diagnostics.len(), 3, "{diagnostics:?}");
    assert!(diagnostics.iter().any(|found| found.contains("stands on itself")));
}

#[test]
fn late_and_duplicate_events_count_once_and_where_they_belong() {
    let text = format!("{COUNTED}{}", counting("id-one"));
    let mut stream = support::Stream::new(rules(&text));
    let mut first = event(&[("a", "x"), ("u", "v")]);
    first.finish(vigie_event::Timestamp::from_seconds(1_700_000_000));
    assert!(stream.feed(&first).is_empty());
    // It comes again, at once and after a newer one of another group.
    assert!(stream.feed(&first).is_empty());
    assert!(stream.at(20, &[("a", "x"), ("u", "w")]).is_empty());
    assert!(stream.feed(&first).is_empty());
    // A late one of the same minute.
    assert_eq!(stream.at(-10, &[("a", "x"), ("u", "v")]).len(), 1);
    assert!(stream.feed(&first).is_empty(), "counted again after the alert");
}
