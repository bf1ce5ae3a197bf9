//! The `detection` section: searches, and the condition over them.

use regex::Regex;
use rustc_hash::FxHashMap;
use vigie_event::FieldId;

use super::condition::{self, Search};
use super::modifier::SearchKey;
use super::{regular, value};
use crate::diagnostic::{Refusal, Warnings, nearest, shown};
use crate::expr::{Arena, NodeId};
use crate::predicate::{Predicate, RegexSource, Subject, Test};
use crate::yaml::{Kind, Node, Position};

/// Search identifiers of a rule.
const MAX_SEARCHES: usize = 1_000;
/// Regular expressions of a rule; SigmaHQ's rules have 30 at most.
const MAX_REGEXES: usize = 128;

/// Reads detections into one arena, so that what they share is shared.
#[derive(Debug, Default)]
pub(crate) struct DetectionReader {
    pub arena: Arena,
    pub regexes: FxHashMap<RegexSource, Regex>,
    regexes_of_rule: usize,
}

impl DetectionReader {
    /// What the `detection` section asks.
    pub fn read(&mut self, detection: &Node, warnings: &mut Warnings) -> Result<NodeId, Refusal> {
        self.regexes_of_rule = 0;
        if !matches!(detection.kind, Kind::Map(_)) {
            let message = format!("`detection` is {}, not a map", detection.what());
            return Err(Refusal::new(detection.at, message, "list search identifiers in it"));
        }
        let Some(condition) = detection.entry("condition") else {
            let names = detection.entries().iter().map(|entry| entry.key.as_str());
            let mend = names
                .filter(|name| strsim::damerau_levenshtein(name, "condition") <= 2)
                .map(|name| format!("did you mean `condition` with `{}`?", shown(name)))
                .next();
            let mend = mend.unwrap_or_else(|| "add `condition: selection`".to_owned());
            return Err(Refusal::new(detection.at, "`detection` has no `condition`", mend));
        };
        let mut searches = Vec::new();
        for entry in detection.entries() {
            match entry.key.as_str() {
                "condition" => {}
                "timeframe" => warnings.add(
                    entry.at,
                    "`timeframe` is obsolete and has no effect",
                    "write a correlation rule with `timespan`",
                ),
                name if searches.len() < MAX_SEARCHES => {
                    let node = self.search(&entry.value, warnings)?;
                    let name = name.to_owned();
                    searches.push(Search { name, at: entry.at, node, used: false });
                }
                _ => return Err(Refusal::new(entry.at, "over 1,000 search identifiers", "")),
            }
        }
        let mut roots = Vec::new();
        for condition in condition.value.members() {
            let text = condition.text("condition")?;
            roots.push(condition::parse(&text, condition.at, &mut searches, &mut self.arena)?);
        }
        for search in searches.iter().filter(|search| !search.used) {
            let message = format!("the condition does not name `{}`", shown(&search.name));
            warnings.add(search.at, message, "name it or remove it");
        }
        self.arena
            .or(roots)
            .ok_or_else(|| Refusal::new(condition.at, "`condition` is empty", "name a search"))
    }

    /// A map (all of it), a list of maps (any), or keywords (any).
    fn search(&mut self, node: &Node, warnings: &mut Warnings) -> Result<NodeId, Refusal> {
        match &node.kind {
            Kind::Map(_) => self.map(node, warnings),
            Kind::List(members) => {
                let mut children = Vec::with_capacity(members.len());
                for member in members {
                    children.push(match &member.kind {
                        Kind::Map(_) => self.map(member, warnings)?,
                        Kind::List(_) => {
                            let message = "a list in a list of searches";
                            return Err(Refusal::new(member.at, message, "flatten it"));
                        }
                        _ => self.value(&SearchKey::keyword(member.at), member)?,
                    });
                }
                self.arena.or(children).ok_or_else(|| empty(node.at))
            }
            Kind::Null => Err(empty(node.at)),
            _ => self.value(&SearchKey::keyword(node.at), node),
        }
    }

    fn map(&mut self, node: &Node, warnings: &mut Warnings) -> Result<NodeId, Refusal> {
        let mut children = Vec::with_capacity(node.entries().len());
        for entry in node.entries() {
            let key = SearchKey::parse(&entry.key, entry.at)?;
            children.push(self.entry(&key, &entry.value, warnings)?);
        }
        self.arena.and(children).ok_or_else(|| empty(node.at))
    }

    /// One `field|modifiers: value or values`.
    fn entry(
        &mut self,
        key: &SearchKey<'_>,
        node: &Node,
        warnings: &mut Warnings,
    ) -> Result<NodeId, Refusal> {
        let listed = matches!(node.kind, Kind::List(_));
        let values = node.members();
        if values.is_empty() {
            return Err(empty(node.at));
        }
        if key.all && values.len() == 1 {
            warnings.add(key.at, "`all` over a single value has no effect", "remove it");
        }
        let mut children = Vec::with_capacity(values.len());
        for value in values {
            if listed && value.kind == Kind::Null {
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
        let regex = regular::compile(source, at)?;
        self.regexes.insert(source.clone(), regex);
        Ok(())
    }
}

fn empty(at: Position) -> Refusal {
    Refusal::new(at, "an empty search or list of values", "give it at least one value")
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
