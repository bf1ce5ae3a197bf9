//! All of SigmaHQ's rules load: those with placeholders once these have values.

// Tests may panic; the lints know it only inside `#[test]` functions.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use vigie_sigma::{DiagnosticLevel, Pipelines, Placeholders, RuleSet, RuleText};

fn rule_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            rule_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            found.push(path);
        }
    }
}

#[test]
fn sigmahq_loads() {
    let folder =
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data/sigma-rules"));
    if !folder.is_dir() {
        println!("skipped: SigmaHQ's rules are not on this machine");
        return;
    }
    let mut files = Vec::new();
    rule_files(folder, &mut files);
    files.sort();
    let texts: Vec<(String, String)> = files
        .iter()
        .map(|path| {
            let name = path.strip_prefix(folder).unwrap().display().to_string();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    let start = Instant::now();
    let (rules, diagnostics) =
        RuleSet::load(texts.iter().map(|(file, text)| RuleText { file, text }));
    let seconds = start.elapsed().as_secs_f64();

    let refused: Vec<_> =
        diagnostics.iter().filter(|found| found.level == DiagnosticLevel::Error).collect();
    println!("{} of {} files load in {seconds:.2} s", rules.rules().len(), texts.len());
    for refusal in &refused {
        println!("refused: {refusal}");
    }
    for warning in diagnostics.iter().filter(|found| found.level == DiagnosticLevel::Warning) {
        println!("{warning}");
    }
    let mut placeholders = Placeholders::new();
    for refusal in &refused {
        let name = refusal.message.split('%').nth(1);
        let name = name.filter(|_| refusal.message.starts_with("the placeholder `%"));
        let name = name.unwrap_or_else(|| panic!("refused for another reason: {refusal}"));
        placeholders.set(name, ["value".to_owned()]);
    }
    assert_eq!(rules.rules().len() + refused.len(), texts.len());
    // Some have several.
    for _ in 0..4 {
        let (rules, diagnostics) = RuleSet::load_with(
            texts.iter().map(|(file, text)| RuleText { file, text }),
            &Pipelines::default(),
            &placeholders,
        );
        let refused: Vec<_> =
            diagnostics.iter().filter(|found| found.level == DiagnosticLevel::Error).collect();
        if refused.is_empty() {
            assert_eq!(rules.rules().len(), texts.len());
            return;
        }
        for refusal in refused {
            let name = refusal.message.split('%').nth(1);
            placeholders.set(name.unwrap_or_else(|| panic!("{refusal}")), ["value".to_owned()]);
        }
    }
    panic!("refused with all placeholders given");
}
