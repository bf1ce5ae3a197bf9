//! The rules that are shipped load without a single finding.

// Tests may panic; the lints know it only inside `#[test]` functions.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::fs;
use std::path::Path;

use vigie_sigma::{RuleSet, RuleText};

#[test]
fn shipped_rules_load_without_findings() {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules"));
    let mut texts: Vec<(String, String)> = fs::read_dir(folder)
        .map(|entries| {
            entries
                .map(|entry| entry.unwrap().path())
                .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
                .map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap()))
                .collect()
        })
        .unwrap_or_default();
    texts.sort();
    let (rules, diagnostics) =
        RuleSet::load(texts.iter().map(|(file, text)| RuleText { file, text }));
    println!("{} rules in {} files", rules.rules().len(), texts.len());
    let findings: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}
