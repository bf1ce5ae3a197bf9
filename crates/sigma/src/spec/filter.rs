//! Sigma filters: what is taken out of other rules.

use vigie_yaml::{Node, Position, Refusal, shown};

use super::search::Clause;
use crate::diagnostic::Warnings;
use crate::rule::LogsourceSpec;

/// A filter.
#[derive(Clone, Debug)]
pub(crate) struct FilterSpec {
    pub at: Position,
    pub title: String,
    /// Ids or names of rules; `None`: any rule.
    pub rules: Option<Vec<(String, Position)>>,
    pub logsource: LogsourceSpec,
    /// What must hold besides.
    pub clause: Clause,
}

impl FilterSpec {
    /// Reads the `filter` section of the document `root`.
    ///
    /// The specification writes what is to be suppressed (`condition: selection`), pySigma what
    /// must hold (`condition: not selection`). Both mean the same here: a condition that begins
    /// with `not` must hold, any other must not.
    pub fn read(root: &Node, section: &Node, warnings: &mut Warnings) -> Result<Self, Refusal> {
        let title = root.get("title").and_then(Node::scalar).unwrap_or_default().into_owned();
        let mut clause = Clause::read(section, "filter", &["rules"], warnings)?;
        if clause.conditions.len() > 1 {
            let message = "a filter has one condition";
            return Err(Refusal::new(section.at, message, "join them with `or`"));
        }
        let condition = clause.conditions.first().map_or("", |(text, _)| text.trim_start());
        clause.negated = !condition.get(..4).is_some_and(|start| {
            start.eq_ignore_ascii_case("not ") || start.eq_ignore_ascii_case("not(")
        });
        let Some(rules) = section.get("rules") else {
            let mend = "write `rules: any`, or list ids or names";
            return Err(Refusal::new(section.at, "the filter does not say of which rules", mend));
        };
        let is_any = rules.scalar().is_some_and(|text| text.eq_ignore_ascii_case("any"));
        let mut names = Vec::new();
        if !is_any {
            for member in rules.members() {
                names.push((member.text("rules")?.into_owned(), member.at));
            }
            if names.is_empty() {
                return Err(Refusal::new(
                    rules.at,
                    "the filter names no rule",
                    "write `rules: any`",
                ));
            }
        }
        Ok(Self {
            at: root.at,
            title: shown(&title),
            rules: (!is_any).then_some(names),
            logsource: super::metadata::logsource(root)?,
            clause,
        })
    }

    /// Whether a rule with this logsource is meant, as far as the filter names one.
    pub fn fits(&self, logsource: &LogsourceSpec) -> bool {
        self.logsource.covers(logsource)
    }
}
