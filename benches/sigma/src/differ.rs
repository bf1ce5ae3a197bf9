//! Matches that only one of the two engines reports.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rsigma_eval::JsonEvent;
use vigie_sigma::Matcher;

use crate::corpus::{Corpus, flat, parsed};
use crate::speed::{other_engine, other_logsource, own_rules};

/// Lines shown of each difference.
const SHOWN: usize = 2;

pub fn run(corpus: &Corpus) {
    let rules = own_rules(corpus);
    let engine = other_engine(corpus, false);
    for (name, lines) in
        [("windows", &corpus.windows), ("linux", &corpus.linux), ("eve", &corpus.eve)]
    {
        let events = parsed(lines);
        let mut matcher = Matcher::new(Arc::clone(&rules));
        let (mut both, mut pairs) = (0, 0);
        // By which engine alone, and the rule: the events.
        let mut alone: BTreeMap<(&str, String), Vec<usize>> = BTreeMap::new();
        for (index, event) in events.iter().enumerate() {
            let own: BTreeSet<String> = matcher
                .matches(event)
                .iter()
                .filter_map(|rule| rules.rule(*rule))
                .map(|rule| rule.reference.id.clone())
                .collect();
            let value = flat(event);
            let mut other = BTreeSet::new();
            // The other engine takes one logsource; an event of several is asked for each.
            for source in event.logsources {
                let logsource = other_logsource(std::slice::from_ref(source));
                let found = engine.evaluate_with_logsource(&JsonEvent::borrow(&value), &logsource);
                other.extend(found.into_iter().filter_map(|result| result.header.rule_id.clone()));
            }
            pairs += own.union(&other).count();
            both += own.intersection(&other).count();
            for rule in own.difference(&other) {
                alone.entry(("vigie", rule.clone())).or_default().push(index);
            }
            for rule in other.difference(&own) {
                alone.entry(("rsigma", rule.clone())).or_default().push(index);
            }
        }
        println!("{name}: {} events, {pairs} matches, {both} of them by both", events.len());
        for ((engine, rule), found) in &alone {
            let file = rules.by_id(rule).map_or("a rule that vigie refused", |rule| &rule.file);
            let file = file.rsplit('/').next().unwrap_or(file);
            println!("  only {engine}: {file} ({rule}), {} events", found.len());
            for index in found.iter().take(SHOWN) {
                let text = lines.get(*index).map_or("", String::as_str);
                println!("    {}", text.chars().take(300).collect::<String>());
            }
        }
    }
}
