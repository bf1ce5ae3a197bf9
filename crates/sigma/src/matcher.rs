//! One event against all rules.

use std::sync::Arc;

use vigie_event::Event;

use crate::{RuleIndex, RuleSet};

/// Per-worker scratch for stateless matching.
#[derive(Debug)]
pub struct Matcher {
    rules: Arc<RuleSet>,
    matched: Vec<RuleIndex>,
}

impl Matcher {
    /// A matcher for `rules`.
    pub fn new(rules: Arc<RuleSet>) -> Self {
        Self { rules, matched: Vec::new() }
    }

    /// The detections, silent ones included, that `event` matches, by ascending index.
    pub fn matches(&mut self, event: &Event) -> &[RuleIndex] {
        let _ = (&self.rules, event);
        &self.matched
    }
}
