//! The rules that were loaded together.

use rustc_hash::FxHashMap;
use vigie_yaml::Document;

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

/// What rules, or pipelines, are read from.
#[derive(Clone, Copy, Debug)]
pub enum RuleSource<'t> {
    /// A file's text.
    Text(RuleText<'t>),
    /// A file that was read ahead.
    Packed {
        /// The file, as diagnostics name it.
        file: &'t str,
        /// What [`vigie_yaml::pack`] made of its documents.
        documents: &'t [u8],
    },
}

impl<'t> From<RuleText<'t>> for RuleSource<'t> {
    fn from(text: RuleText<'t>) -> Self {
        Self::Text(text)
    }
}

impl<'t> RuleSource<'t> {
    /// The file, as diagnostics name it.
    pub const fn file(&self) -> &'t str {
        match self {
            Self::Text(RuleText { file, .. }) | Self::Packed { file, .. } => file,
        }
    }

    /// Its documents; one that cannot be read is refused by itself.
    pub(crate) fn documents(&self) -> Vec<Document> {
        match self {
            Self::Text(RuleText { text, .. }) => vigie_yaml::documents(text),
            Self::Packed { documents, .. } => vigie_yaml::unpack(documents),
        }
    }

    /// Whether these are pipelines rather than rules: such have `transformations` at their top.
    pub fn is_pipeline(&self) -> bool {
        const SECTION: &str = "transformations";
        let has = |document: Document| document.root.is_ok_and(|root| root.get(SECTION).is_some());
        match self {
            Self::Text(_) => self.may_have(SECTION),
            Self::Packed { .. } => self.may_have(SECTION) && self.documents().into_iter().any(has),
        }
    }

    /// Whether one of its documents may have `key` at its top.
    pub(crate) fn may_have(&self, key: &str) -> bool {
        match self {
            Self::Text(RuleText { text, .. }) => text.lines().any(|line| {
                let after = line.strip_prefix(key).and_then(|rest| rest.strip_prefix(':'));
                after.is_some_and(|rest| rest.trim_end().is_empty() || rest.starts_with(' '))
            }),
            Self::Packed { documents, .. } => {
                memchr::memmem::find(documents, key.as_bytes()).is_some()
            }
        }
    }
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
    pub fn load<'t, S: Into<RuleSource<'t>>>(
        sources: impl IntoIterator<Item = S>,
    ) -> (Self, Vec<Diagnostic>) {
        Self::load_with(sources, &Pipelines::default(), &Placeholders::default())
    }

    /// Loads rules as [`RuleSet::load`] does, changed by `pipelines`, and with their placeholders
    /// filled in: by pipelines first, then from `placeholders`.
    pub fn load_with<'t, S: Into<RuleSource<'t>>>(
        sources: impl IntoIterator<Item = S>,
        pipelines: &Pipelines,
        placeholders: &Placeholders,
    ) -> (Self, Vec<Diagnostic>) {
        let sources: Vec<RuleSource<'_>> = sources.into_iter().map(Into::into).collect();
        load::load(&sources, pipelines, placeholders)
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
