//! SigmaHQ's rules on SigmaHQ's own cases: EVTX files and the rule that each must fire.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::HashMap;

use common::{objects, run, shared_data};
use serde_json::Value;

#[test]
fn every_case_fires_its_rule() {
    let (Some(folder), Some(rules)) = (shared_data("sigma-regression"), shared_data("sigma-rules"))
    else {
        return;
    };
    let cases = std::fs::read_to_string(folder.join("cases.jsonl")).unwrap();
    let cases: Vec<Value> = objects(&cases);
    let files: Vec<String> = cases
        .iter()
        .map(|case| folder.join(case["file"].as_str().unwrap()).display().to_string())
        .collect();
    let mut arguments = vec!["rules", "match", "--json", "--rules", rules.to_str().unwrap()];
    arguments.extend(files.iter().map(String::as_str));
    let dir = tempfile::tempdir().unwrap();
    // It complains of rules with placeholders that have no values, and goes on.
    let output = run(dir.path(), &arguments);
    let mut found: HashMap<(String, String), u64> = HashMap::new();
    for hit in objects(&String::from_utf8(output.stdout).unwrap()) {
        let text = |name: &str| hit[name].as_str().unwrap_or_default().to_owned();
        *found.entry((text("file"), text("rule_id"))).or_default() += 1;
    }
    for (case, file) in cases.iter().zip(files) {
        let rule = case["expect"]["rule_id"].as_str().unwrap();
        let least = case["expect"]["match_count"].as_u64().unwrap_or(1);
        let times = found.get(&(file, rule.to_owned())).copied().unwrap_or(0);
        assert!(times >= least, "{rule} fired {times} times of {least}: {}", case["rule"]);
    }
}
