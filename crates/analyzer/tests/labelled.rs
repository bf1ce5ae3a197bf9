//! The analyst on labelled cases of others: how much is found, how much is wrong. The figures stand
//! in `benches/README.md`; run with `--nocapture` to see them and each wrong verdict.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use common::{Reader, cases, incidents, shipped};
use serde_json::Value;
use vigie_analyzer::alertfile::{self, read};
use vigie_event::{Format, Incident, Severity, Verdict};
use vigie_sigma::{Matcher, RuleSet};

/// Right and wrong, of what was to be found and of what was not.
#[derive(Default)]
struct Matrix {
    found: usize,
    missed: usize,
    false_alarms: usize,
    silent: usize,
}

impl Matrix {
    fn count(&mut self, expected: bool, found: bool) {
        *match (expected, found) {
            (true, true) => &mut self.found,
            (true, false) => &mut self.missed,
            (false, true) => &mut self.false_alarms,
            (false, false) => &mut self.silent,
        } += 1;
    }

    fn right(&self) -> usize {
        self.found + self.silent
    }

    fn of(&self) -> usize {
        self.right() + self.missed + self.false_alarms
    }

    fn precision(&self) -> f64 {
        self.found as f64 / (self.found + self.false_alarms).max(1) as f64
    }

    fn recall(&self) -> f64 {
        self.found as f64 / (self.found + self.missed).max(1) as f64
    }

    fn tell(&self, name: &str) {
        println!(
            "{name}: {} of {} right, precision {:.1} %, recall {:.1} % ({} found, {} missed, {} false alarms, {} rightly silent)",
            self.right(),
            self.of(),
            self.precision() * 100.0,
            self.recall() * 100.0,
            self.found,
            self.missed,
            self.false_alarms,
            self.silent
        );
    }
}

/// Alerts of a detection tool, told into attacks and false alarms.
#[test]
fn alerts_of_another_tool() {
    let Some(cases) = cases("soc-triage") else { return };
    let mut all = Matrix::default();
    let mut by_severity: BTreeMap<String, Matrix> = BTreeMap::new();
    for case in &cases {
        let reading = read(&case["alert"].to_string());
        let judged = alertfile::judge(reading.alerts.into_iter().next().unwrap());
        let attack = case["expect"]["label"] == "TP";
        let found = !judged.is_false_positive;
        all.count(attack, found);
        let severity = case["expect"]["wazuh_priority"].as_str().unwrap().to_owned();
        by_severity.entry(severity).or_default().count(attack, found);
        if attack != found {
            let why: Vec<&str> = judged.reasons.iter().map(|(why, ..)| why.en.as_str()).collect();
            println!(
                "wrong: {} called {}: {} ({}, {} %): {why:?}",
                case["description"],
                if found { "an attack" } else { "a false alarm" },
                case["case"],
                judged.kind,
                judged.false_positive
            );
        }
    }
    all.tell("soc-triage");
    for (severity, matrix) in &by_severity {
        matrix.tell(severity);
    }
    assert!(all.right() * 89 >= all.of() * 75, "{} of {}", all.right(), all.of());
}

/// An incident with the verdict on it.
type Found = (Incident, Verdict);

/// What was found in the lines of one case.
fn found_in(rules: &Arc<RuleSet>, lines: &[String], format: Option<Format>) -> Vec<Found> {
    let lines = lines.iter().map(|line| (line.as_str(), format));
    let found = incidents(rules, lines, None, |_| {});
    found.into_iter().map(|(incident, _, verdict)| (incident, verdict)).collect()
}

/// An address in one spelling.
fn same(address: &str) -> String {
    let parsed: Result<std::net::IpAddr, _> = address.parse();
    parsed.map_or_else(|_| address.to_owned(), |address| address.to_canonical().to_string())
}

/// The addresses that an incident is about.
fn sources((incident, _): &Found) -> Vec<String> {
    let found = incident.entities.values("source.ip").iter();
    found.map(ToString::to_string).collect()
}

fn lines_of(case: &Value) -> Vec<String> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    match &case["lines"] {
        Value::Array(lines) => lines.iter().filter_map(text).collect(),
        _ => text(&case["line"]).into_iter().collect(),
    }
}

/// Lines with the level that another tool gives them: 10 and more is high.
#[test]
fn lines_with_levels() {
    let Some(cases) = cases("wazuh") else { return };
    let rules = shipped();
    let mut levels: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut quiet = (0_usize, 0_usize);
    for case in &cases {
        let expect = &case["expect"];
        let level = expect["level"].as_u64().unwrap_or(0);
        let found = found_in(&rules, &lines_of(case), None);
        let worst = found.iter().map(|(_, verdict)| verdict.severity).max();
        if expect["pass"] == false {
            quiet.1 += 1;
            quiet.0 += usize::from(worst.is_none_or(|worst| worst < Severity::High));
            continue;
        }
        let name = match level {
            0..=2 => "level 0–2, high or worse",
            3..=9 => "level 3–9, high or worse",
            _ => "level 10 and more, any incident",
        };
        let hit = if level >= 10 {
            worst.is_some()
        } else {
            worst.is_some_and(|worst| worst >= Severity::High)
        };
        let entry = levels.entry(name).or_default();
        entry.1 += 1;
        entry.0 += usize::from(hit);
        if level <= 2 && hit {
            println!("wazuh: {} is of level {level}, and is {worst:?} here", case["case"]);
        }
    }
    for (name, (hits, of)) in &levels {
        println!("wazuh, {name}: {hits} of {of}");
    }
    println!("wazuh, must not fire: {} of {} below high", quiet.0, quiet.1);
}

/// Logs with the alerts of another tool's scenarios.
#[test]
fn scenarios() {
    let Some(cases) = cases("crowdsec") else { return };
    let rules = shipped();
    let mut all = Matrix::default();
    let mut by_behaviour: BTreeMap<String, Matrix> = BTreeMap::new();
    for case in cases.iter().filter(|case| case["kind"] == "scenario") {
        let found = found_in(&rules, &lines_of(case), None);
        let accused: BTreeSet<String> =
            found.iter().flat_map(sources).map(|source| same(&source)).collect();
        let alerts = case["expect"]["alerts"].as_array().cloned().unwrap_or_default();
        if alerts.is_empty() {
            all.count(false, !found.is_empty());
            continue;
        }
        for alert in &alerts {
            let value = alert["value"].as_str().unwrap_or_default();
            let hit = accused.contains(&same(value));
            all.count(true, hit);
            let behaviour = alert["behavior"].as_str().unwrap_or("none").to_owned();
            by_behaviour.entry(behaviour).or_default().count(true, hit);
            if !hit {
                println!("missed: {} ({})", alert["scenario"], case["log_type"]);
            }
        }
    }
    all.tell("crowdsec");
    for (name, matrix) in &by_behaviour {
        matrix.tell(name);
    }
    assert!(all.found >= 178, "{} of {} alerts found", all.found, all.found + all.missed);
}

/// Requests of an attack set: those of paranoia level 1 found, ordinary ones silent.
#[test]
fn web_requests() {
    let Some(cases) = cases("web-attacks") else { return };
    let rules = shipped();
    // One request makes no series: what rules match by itself is all there can be.
    let mut matcher = Matcher::new(Arc::clone(&rules));
    let mut reader = Reader::new();
    let mut suites: BTreeMap<String, Matrix> = BTreeMap::new();
    let mut by_category: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for case in &cases {
        let expect = &case["expect"];
        let attack = expect["attack"] == true;
        if attack && expect["paranoia"].as_u64().is_some_and(|level| level > 1) {
            continue;
        }
        let mut found = false;
        for line in lines_of(case) {
            reader.read(&line, Some(Format::Nginx), |event| {
                let mut hits = matcher.matches(event).iter();
                found |= hits.any(|rule| rules.rule(*rule).is_some_and(|rule| !rule.silent));
            });
        }
        let suite = case["suite"].as_str().unwrap_or_default().to_owned();
        suites.entry(suite).or_default().count(attack, found);
        if attack {
            let category = expect["category"].as_str().unwrap_or("none").to_owned();
            let entry = by_category.entry(category).or_default();
            entry.1 += 1;
            entry.0 += usize::from(found);
        }
    }
    for (name, matrix) in &suites {
        matrix.tell(name);
    }
    for (category, (hits, of)) in &by_category {
        println!("web-attacks, {category}: {hits} of {of}");
    }
}
