//! Processing pipelines: what rules must be told about the events at hand.
//!
//! Sigma's rules speak of a taxonomy of their own; a pipeline (pySigma's YAML) tells how fields,
//! values and logsources are called here. pySigma turns rules into queries; what its pipelines
//! say about the query itself has no meaning for rules that are run, and is a warning.

mod change;
mod gate;
mod item;
mod read;
mod run;

use rustc_hash::FxHashMap;

use crate::diagnostic::Warnings;
use crate::{Diagnostic, DiagnosticLevel, RuleSource};
use item::ProcessingItem;

pub(crate) use run::{Applied, Subject, apply};

/// Processing pipelines, in the order in which they are applied: by their `priority`, and of one
/// priority as they were read.
#[derive(Debug, Default)]
pub struct Pipelines {
    all: Vec<Pipeline>,
    vars: FxHashMap<String, Vec<String>>,
}

/// One pipeline.
#[derive(Debug)]
pub(crate) struct Pipeline {
    name: String,
    priority: i64,
    vars: FxHashMap<String, Vec<String>>,
    items: Vec<ProcessingItem>,
}

impl Pipelines {
    /// Reads all pipelines that can be read; what cannot becomes a diagnostic. A text may hold
    /// several YAML documents. What concerns only queries is a warning.
    pub fn read<'t, S: Into<RuleSource<'t>>>(
        sources: impl IntoIterator<Item = S>,
    ) -> (Self, Vec<Diagnostic>) {
        let mut pipelines = Self::default();
        let mut diagnostics = Vec::new();
        for source in sources {
            let source: RuleSource<'_> = source.into();
            let file = source.file();
            for document in source.documents() {
                let mut warnings = Warnings::default();
                let read = document.root.and_then(|root| read::pipeline(&root, &mut warnings));
                diagnostics.extend(
                    warnings
                        .0
                        .into_iter()
                        .map(|found| Diagnostic::of(found, file, DiagnosticLevel::Warning)),
                );
                match read {
                    Ok(pipeline) => pipelines.all.push(pipeline),
                    Err(refusal) => {
                        diagnostics.push(Diagnostic::of(refusal, file, DiagnosticLevel::Error));
                    }
                }
            }
        }
        pipelines.all.sort_by_key(|pipeline| pipeline.priority);
        for pipeline in &pipelines.all {
            pipelines.vars.extend(pipeline.vars.clone());
        }
        (pipelines, diagnostics)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Their names, in the order in which they are applied.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|pipeline| pipeline.name.as_str())
    }
}

/// What the placeholders of rules (`%name%` under the modifier `expand`) stand for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placeholders(FxHashMap<String, Vec<String>>);

impl Placeholders {
    /// No placeholder stands for anything.
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `name` (without its percent signs) stand for any of `values`; `*` and `?` in them
    /// are wildcards.
    pub fn set(&mut self, name: impl Into<String>, values: impl IntoIterator<Item = String>) {
        self.0.insert(name.into(), values.into_iter().collect());
    }

    pub(crate) fn get(&self, name: &str) -> Option<&[String]> {
        self.0.get(name).map(Vec::as_slice).filter(|values| !values.is_empty())
    }
}

impl FromIterator<(String, Vec<String>)> for Placeholders {
    fn from_iter<I: IntoIterator<Item = (String, Vec<String>)>>(lists: I) -> Self {
        Self(lists.into_iter().collect())
    }
}
