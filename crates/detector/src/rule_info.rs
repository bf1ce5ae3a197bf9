//! What the detector keeps at hand about each rule.

use std::sync::Arc;

use vigie_event::{FieldId, RuleRef, Severity, fingerprint};
use vigie_sigma::{Rule, RuleSet};

use crate::settings::Settings;

#[derive(Debug)]
pub(crate) struct RuleInfo {
    pub(crate) reference: Arc<RuleRef>,
    pub(crate) tags: Arc<[String]>,
    /// It raises no alerts of its own.
    pub(crate) silent: bool,
    /// Its alerts join incidents and open none.
    pub(crate) marks: bool,
    /// Its alerts end after a longer pause, in seconds.
    pub(crate) gap_s: u64,
    pub(crate) group_by: Vec<FieldId>,
    pub(crate) families: Vec<u64>,
}

/// The rules of `set` by index.
pub(crate) fn table(set: &RuleSet, settings: &Settings) -> Vec<RuleInfo> {
    set.rules().iter().map(|rule| info(rule, settings)).collect()
}

fn info(rule: &Rule, settings: &Settings) -> RuleInfo {
    // The correlator closes its windows; a minute more leaves the last word to it.
    let window_s = rule.timespan_s.map_or(0, |timespan| timespan.saturating_add(60));
    RuleInfo {
        reference: Arc::new(rule.reference.clone()),
        tags: rule.tags.as_slice().into(),
        silent: rule.silent,
        marks: rule.reference.level == Severity::Informational,
        gap_s: window_s.max(u64::from(settings.alert_gap_s)),
        group_by: rule.group_by.clone(),
        families: families(rule),
    }
}

/// The rule's ATT&CK techniques without sub-techniques; its category where it names none.
fn families(rule: &Rule) -> Vec<u64> {
    let mut families: Vec<u64> = rule
        .tags
        .iter()
        .filter_map(|tag| technique(tag))
        .map(|technique| fingerprint(technique.to_ascii_lowercase().as_bytes()))
        .collect();
    if families.is_empty()
        && let Some(category) = rule.guidance.category
    {
        families.push(fingerprint(category.name().as_bytes()));
    }
    families.sort_unstable();
    families.dedup();
    families
}

/// `attack.t1110.001` → `t1110`.
fn technique(tag: &str) -> Option<&str> {
    let (namespace, name) = tag.split_once('.')?;
    let technique = name.split('.').next()?;
    let digits = technique.strip_prefix(['t', 'T'])?;
    let is_technique = namespace.eq_ignore_ascii_case("attack")
        && digits.len() == 4
        && digits.bytes().all(|byte| byte.is_ascii_digit());
    is_technique.then_some(technique)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn techniques_stand_in_tags() {
        for (tag, expected) in [
            ("attack.t1110.001", Some("t1110")),
            ("attack.T1110", Some("T1110")),
            ("attack.credential-access", None),
            ("attack.ta0006", None),
            ("cve.2024-1", None),
            ("t1110", None),
        ] {
            assert_eq!(technique(tag), expected, "{tag}");
        }
    }
}
