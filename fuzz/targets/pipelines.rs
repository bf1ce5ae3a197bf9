//! Any text as a pipeline: it is read or refused, and rules that it changed run.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use vigie_sigma::{Pipelines, Placeholders, RuleSet, RuleText};

/// Rules with all that pipelines change: fields, values of every kind, placeholders, keywords,
/// logsources, filters and correlations.
const RULES: &str = r"title: a
name: a
logsource: {product: linux, service: sshd}
tags: [attack.t1110]
detection:
    s: {a|contains|all: ['x*', '?y'], c|re|i: '^a+$', d|cidr: 192.0.2.0/24, user.name: root}
    k: [word, 'w*d', {e: null}]
    t: {c|gte: 1, h|fieldref: b, p|expand: 'x%q%'}
    condition: s or (k and not 2 of s*) or 1 of t*
level: high
---
title: b
logsource: {category: process_creation, product: windows}
detection:
    s: {Image|endswith: \cmd.exe, Hashes|contains: MD5=0123456789ABCDEF0123456789ABCDEF, EventID: 1}
    condition: s
---
title: c
logsource: {category: webserver}
detection:
    s: {c-uri|contains: [UNION, select], cs-method: GET, sc-status: 200}
    condition: s
---
title: f
logsource: {service: sshd}
filter: {rules: any, s: {user.name|startswith: x}, condition: not s}
---
title: d
correlation: {type: value_count, rules: a, group-by: [x], timespan: 5m, condition: {field: b, gte: 1}, aliases: {x: {a: d}}}
";

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(bytes) else { return Corpus::Reject };
    let (pipelines, diagnostics) = Pipelines::read([RuleText { file: "pipeline.yml", text }]);
    vigie_fuzz::check(&diagnostics);
    let rules = RuleText { file: "rules.yml", text: RULES };
    let (rules, diagnostics) = RuleSet::load_with([rules], &pipelines, &Placeholders::new());
    vigie_fuzz::check(&diagnostics);
    vigie_fuzz::run(rules);
    Corpus::Keep
});
