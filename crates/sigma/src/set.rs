//! The rules that were loaded together.

use rustc_hash::FxHashMap;

use crate::correlate::Correlation;
use crate::engine::Engine;
use crate::load;
use crate::{Diagnostic, Pipelines, Placeholders, Rule, RuleIndex};

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
    pub(crate) rules: Vec<Rule>,
    pub(crate) by_id: FxHashMap<String, RuleIndex>,
    pub(crate) version: u64,
    pub(crate) engine: Engine,
    /// In an order in which inputs stand before what they feed.
    pub(crate) correlations: Vec<Correlation>,
    /// By rule: the correlations that it feeds.
    pub(crate) feeds: Vec<Box<[Feed]>>,
    /// Lists of fields that correlations group by or count; each is looked up once an event.
    pub(crate) selectors: Vec<Box<[vigie_event::FieldId]>>,
}

/// A correlation that a rule feeds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Feed {
    /// The place in [`RuleSet::correlations`].
    pub correlation: u32,
    /// The place among its inputs.
    pub input: u32,
    /// The place among the selectors of the fields to group by.
    pub group: u32,
    /// The place among the selectors of the fields whose values are looked at, where any are.
    pub values: Option<u32>,
}

impl RuleSet {
    /// Loads all rules that can be read; what cannot becomes a diagnostic, in the order of files
    /// and lines, and takes no other rule with it, save the correlations that name it. A text
    /// may hold several YAML documents. Sigma filters among them are applied to the rules that
    /// they name.
    ///
    /// No text makes this panic or run long: documents are bounded in size, depth, aliases,
    /// regular expressions and condition length.
    pub fn load<'t>(texts: impl IntoIterator<Item = RuleText<'t>>) -> (Self, Vec<Diagnostic>) {
        Self::load_with(texts, &Pipelines::default(), &Placeholders::default())
    }

    /// Loads rules as [`RuleSet::load`] does, changed by `pipelines`, and with their placeholders
    /// filled in: by pipelines first, then from `placeholders`.
    pub fn load_with<'t>(
        texts: impl IntoIterator<Item = RuleText<'t>>,
        pipelines: &Pipelines,
        placeholders: &Placeholders,
    ) -> (Self, Vec<Diagnostic>) {
        let texts: Vec<RuleText<'_>> = texts.into_iter().collect();
        load::load(&texts, pipelines, placeholders)
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
        self.rule(*self.by_id.get(id)?)
    }

    /// A fingerprint of the content of all rules, whatever their order.
    pub fn version(&self) -> u64 {
        self.version
    }
}
