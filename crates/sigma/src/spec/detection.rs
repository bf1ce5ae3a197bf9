//! From searches and conditions to expressions.

use rustc_hash::FxHashMap;
use vigie_event::FieldId;
use vigie_yaml::{Kind, Node, Position, Refusal, shown};

use super::condition::{self, Search};
use super::modifier::SearchKey;
use super::search::{Clause, DetectionSpec, Item, Match, SearchSpec, empty};
use super::value;
use crate::diagnostic::{Warnings, nearest};
use crate::expr::{Arena, NodeId};
use crate::predicate::{Predicate, RegexSource, Subject, Test};
use crate::regular::Regular;

/// Regular expressions of a rule; SigmaHQ's rules have 30 at most.
const MAX_REGEXES: usize = 128;

/// Reads detections into one arena, so that what they share is shared.
#[derive(Debug, Default)]
pub(crate) struct DetectionReader {
    pub arena: Arena,
    pub regexes: FxHashMap<RegexSource, Regular>,
    regexes_of_rule: usize,
}

impl DetectionReader {
    /// What `detection` asks.
    pub fn read(
        &mut self,
        detection: &DetectionSpec,
        warnings: &mut Warnings,
    ) -> Result<NodeId, Refusal> {
        self.regexes_of_rule = 0;
        let mut clauses = Vec::with_capacity(1 + detection.added.len());
        for clause in detection.clauses() {
            clauses.extend(self.clause(clause, warnings)?);
        }
        self.arena.and(clauses).ok_or_else(|| {
            let mend = "let pipelines leave something of it";
            Refusal::new(detection.at, "nothing is left of the detection", mend)
        })
    }

    /// What a clause asks; nothing where pipelines left nothing of it.
    fn clause(
        &mut self,
        clause: &Clause,
        warnings: &mut Warnings,
    ) -> Result<Option<NodeId>, Refusal> {
        let mut searches = Vec::with_capacity(clause.searches.len());
        for SearchSpec { name, at, body } in &clause.searches {
            let node = self.item(body, warnings)?;
            searches.push(Search { name: name.clone(), at: *at, node, used: false });
        }
        let mut roots = Vec::new();
        for (text, at) in &clause.conditions {
            roots.extend(condition::parse(text, *at, &mut searches, &mut self.arena)?);
        }
        for search in searches.iter().filter(|search| !search.used) {
            let message = format!("the condition does not name `{}`", shown(&search.name));
            warnings.add(search.at, message, "name it or remove it");
        }
        let root = self.arena.or(roots);
        Ok(root.map(|root| if clause.negated { self.arena.not(root) } else { root }))
    }

    fn item(&mut self, item: &Item, warnings: &mut Warnings) -> Result<Option<NodeId>, Refusal> {
        let (items, all) = match item {
            Item::All(items) => (items, true),
            Item::Any(items) => (items, false),
            Item::Dropped => return Ok(None),
            Item::Match(found) => {
                let key = found.key();
                let key = SearchKey::parse(&key, found.at)?;
                return self.entry(&key, found, warnings).map(Some);
            }
        };
        let mut children = Vec::with_capacity(items.len());
        for item in items {
            children.extend(self.item(item, warnings)?);
        }
        Ok(if all { self.arena.and(children) } else { self.arena.or(children) })
    }

    /// One `field|modifiers: value or values`.
    fn entry(
        &mut self,
        key: &SearchKey<'_>,
        found: &Match,
        warnings: &mut Warnings,
    ) -> Result<NodeId, Refusal> {
        let Match { values, listed, .. } = found;
        if values.is_empty() {
            return Err(empty(found.values_at));
        }
        if key.all && values.len() == 1 {
            warnings.add(key.at, "`all` over a single value has no effect", "remove it");
        }
        let mut children = Vec::with_capacity(values.len());
        for value in values {
            if *listed && value.kind == Kind::Null {
                let mend = "give `null` a search of its own and join them in the condition";
                warnings.add(value.at, "`null` cannot be part of a list of values", mend);
            }
            children.push(self.value(key, value)?);
        }
        let node = if key.all && !key.negated {
            self.arena.and(children)
        } else {
            self.arena.or(children)
        };
        let node = node.ok_or_else(|| empty(key.at))?;
        Ok(if key.negated { self.arena.not(node) } else { node })
    }

    /// One value: any of the tests that it stands for.
    fn value(&mut self, key: &SearchKey<'_>, node: &Node) -> Result<NodeId, Refusal> {
        let subject = if key.field.is_empty() {
            Subject::Record
        } else {
            let Some(field) = FieldId::intern(key.field) else {
                let message = "field name of over 256 bytes, or over 65,536 names in all";
                return Err(Refusal::new(key.at, message, ""));
            };
            Subject::Field(field)
        };
        let (tests, denied) = value::tests(key, node)?;
        let mut children = Vec::with_capacity(tests.len());
        for test in tests {
            if let Test::Regex(source) = &test {
                self.compile(source, node.at)?;
            }
            children.push(self.arena.atom(Predicate { subject, test }));
        }
        let node = self.arena.or(children).ok_or_else(|| empty(key.at))?;
        Ok(if denied { self.arena.not(node) } else { node })
    }

    fn compile(&mut self, source: &RegexSource, at: Position) -> Result<(), Refusal> {
        self.regexes_of_rule += 1;
        if self.regexes_of_rule > MAX_REGEXES {
            return Err(Refusal::new(at, "over 128 regular expressions", "split the rule"));
        }
        if self.regexes.contains_key(source) {
            return Ok(());
        }
        let regex = Regular::new(source, at)?;
        self.regexes.insert(source.clone(), regex);
        Ok(())
    }
}

/// Names that stand where `name` was meant, among a document's keys.
pub(super) fn missing(root: &Node, name: &str) -> Refusal {
    let near = root
        .entries()
        .iter()
        .find(|entry| nearest(&entry.key, [name]).starts_with("did you mean"))
        .map(|entry| format!("did you mean `{name}` with `{}`?", shown(&entry.key)));
    Refusal::new(root.at, format!("the rule has no `{name}`"), near.unwrap_or_default())
}
