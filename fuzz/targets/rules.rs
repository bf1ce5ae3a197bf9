//! Any text as a rule file: it is loaded or refused, and what is loaded runs.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use vigie_sigma::{RuleSet, RuleText};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(bytes) else { return Corpus::Reject };
    let (rules, diagnostics) = RuleSet::load([RuleText { file: "rules.yml", text }]);
    vigie_fuzz::check(&diagnostics);
    vigie_fuzz::run(rules);
    Corpus::Keep
});
