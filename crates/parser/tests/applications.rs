//! Applications' own logs, as three other tools label them: is it a failure and whose, who is in
//! it, and is it known at all? Run with `--nocapture` for the figures, which stand in
//! `benches/README.md`, and with `VIGIE_MISSES=1` for what is missed.
#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

mod common;

use std::collections::BTreeMap;

use common::{Bench, cases, score};
use serde_json::Value;
use vigie_event::{Event, EventKind, FieldId, field};

/// Right and all, by service.
#[derive(Default)]
struct Tally {
    by_name: BTreeMap<String, (usize, usize)>,
    misses: Vec<String>,
}

impl Tally {
    fn count(&mut self, name: &str, miss: Option<String>) {
        let entry = self.by_name.entry(name.to_owned()).or_default();
        entry.0 += usize::from(miss.is_none());
        entry.1 += 1;
        self.misses.extend(miss);
    }

    /// Prints each service and the total, which must be right at least so often.
    fn tell(&self, suite: &str, at_least: usize) {
        let each: Vec<String> =
            self.by_name.iter().map(|(name, (right, of))| format!("{name} {right}/{of}")).collect();
        println!("{suite}: {}", each.join(", "));
        let (right, of) =
            self.by_name.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        score(suite, right, of, at_least, &self.misses);
    }
}

/// The lines of one service go to one parser in their order.
fn bench() -> Bench {
    Bench::new("Europe/Zurich", "2005-08-14T12:00:00Z", None)
}

#[test]
fn failures_that_fail2ban_counts() {
    let Some(cases) = cases("fail2ban") else { return };
    let mut tally = Tally::default();
    let mut benches: BTreeMap<String, Bench> = BTreeMap::new();
    for case in &cases {
        let service = case["log_type"].as_str().unwrap();
        let line = case["line"].as_str().unwrap();
        let event = benches.entry(service.to_owned()).or_insert_with(bench).parse(line.as_bytes());
        let wrong = failure(&event, &case["expect"]);
        tally.count(service, wrong.map(|wrong| format!("{service} {wrong}: {line:.300}")));
    }
    tally.tell("fail2ban, all services", 0);
}

/// What is wrong: a failure from the wrong address, none, or one where none is.
fn failure(event: &Event, expect: &Value) -> Option<String> {
    let failed = event.text_of(field::EVENT_OUTCOME) == Some("failure");
    if expect["match"] != true {
        return failed.then(|| "unexpected failure".to_owned());
    }
    if !failed {
        return Some(format!("no failure ({})", event.dataset));
    }
    let found =
        [field::SOURCE_IP, field::SOURCE_ADDRESS].into_iter().find_map(|id| event.render(id));
    (found.as_deref() != expect["host"].as_str())
        .then(|| format!("source {found:?} for {} ({})", expect["host"], event.dataset))
}

/// What `CrowdSec` calls it, and where it may stand here.
const NAMES: &[(&str, &[&str])] = &[
    ("source_ip", &["source.ip", "source.address"]),
    ("target_user", &["user.name"]),
    ("username", &["user.name"]),
    ("http_status", &["http.response.status_code"]),
    ("http_verb", &["http.request.method"]),
    ("http_path", &["url.original", "url.path"]),
];

#[test]
fn who_is_in_crowdsecs_lines() {
    let Some(cases) = cases("crowdsec") else { return };
    let mut tally = Tally::default();
    for case in cases.iter().filter(|case| case["kind"] == "parse") {
        let name = case["log_type"].as_str().unwrap();
        let line = case["line"].as_str().or_else(|| case["lines"][0].as_str()).unwrap();
        let event = bench().parse(line.as_bytes());
        let meta = &case["expect"]["meta"];
        let wrong: Vec<String> = NAMES
            .iter()
            .filter_map(|(theirs, ours)| {
                let wanted = meta[*theirs].as_str()?.trim_matches('\'');
                let found: Vec<_> =
                    ours.iter().filter_map(|name| event.render(FieldId::find(name)?)).collect();
                let fits = found.iter().any(|found| {
                    found == wanted || (wanted.starts_with("//") && found.ends_with(wanted))
                });
                (!fits).then(|| format!("{theirs} {found:?} for {wanted:?}"))
            })
            .collect();
        let wrong = (!wrong.is_empty())
            .then(|| format!("{name} ({}) {}: {line:.300}", event.dataset, wrong.join("; ")));
        tally.count(name, wrong);
    }
    tally.tell("crowdsec, parsed fields", 0);
}

#[test]
fn lines_that_wazuh_decodes() {
    let Some(cases) = cases("wazuh") else { return };
    let (mut known, mut failures) = (Tally::default(), Tally::default());
    for case in &cases {
        let expect = &case["expect"];
        let Some(decoder) = expect["decoder"].as_str() else { continue };
        let line = case["line"].as_str().or_else(|| case["lines"][0].as_str()).unwrap();
        let event = bench().parse(line.as_bytes());
        let unknown = event.kind == EventKind::Unparsed;
        known.count(decoder, unknown.then(|| format!("{decoder}: {line:.200}")));
        let groups = expect["groups"].to_string();
        if groups.contains("authentication_failed") && line.contains(|c: char| c.is_ascii_digit()) {
            let failed = event.text_of(field::EVENT_OUTCOME) == Some("failure");
            failures.count(decoder, (!failed).then(|| format!("{decoder}: {line:.200}")));
        }
    }
    known.tell("wazuh, recognised", 0);
    failures.tell("wazuh, authentication failed", 0);
}
