//! Any text as a pipeline: it is read or refused, and rules that it changed run.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use vigie_sigma::{Pipelines, Placeholders, RuleSet, RuleText};

/// Rules with all that pipelines change.
const RULES: &str = include_str!("../seeds/rules.yml");

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
