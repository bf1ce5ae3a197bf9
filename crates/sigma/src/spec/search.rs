//! The `detection` section as it is written, for filters and pipelines to change before it is
//! compiled.

use vigie_yaml::{Kind, Node, Position, Refusal, shown};

use crate::diagnostic::Warnings;

/// Search identifiers of a rule.
const MAX_SEARCHES: usize = 1_000;
/// Values of a rule that filters, pipelines and placeholders may leave.
pub(crate) const MAX_VALUES: usize = 200_000;

/// What a rule detects: its own clause, and those that filters and pipelines added.
#[derive(Clone, Debug)]
pub(crate) struct DetectionSpec {
    pub at: Position,
    pub main: Clause,
    /// Each must hold as well.
    pub added: Vec<Clause>,
}

/// Searches and the conditions over them, of which any must hold.
#[derive(Clone, Debug)]
pub(crate) struct Clause {
    pub searches: Vec<SearchSpec>,
    pub conditions: Vec<(String, Position)>,
    /// None of the conditions must hold.
    pub negated: bool,
}

/// A search identifier with its search.
#[derive(Clone, Debug)]
pub(crate) struct SearchSpec {
    pub name: String,
    pub at: Position,
    pub body: Item,
}

/// A part of a search.
#[derive(Clone, Debug)]
pub(crate) enum Item {
    All(Vec<Item>),
    Any(Vec<Item>),
    Match(Box<Match>),
    /// A pipeline took it out.
    Dropped,
}

/// One `field|modifiers: values`; keywords have no field.
#[derive(Clone, Debug)]
pub(crate) struct Match {
    pub field: String,
    /// Behind the field, each after `|`.
    pub modifiers: String,
    pub at: Position,
    /// Where the values begin.
    pub values_at: Position,
    pub values: Vec<Node>,
    pub listed: bool,
    /// Ids of the processing items that were applied.
    pub applied: Vec<String>,
}

impl Match {
    /// The search key as it would be written.
    pub fn key(&self) -> String {
        format!("{}{}", self.field, self.modifiers)
    }

    pub fn has_modifier(&self, name: &str) -> bool {
        self.modifiers.split('|').any(|modifier| modifier == name)
    }

    fn keyword(node: &Node) -> Self {
        Self {
            field: String::new(),
            modifiers: String::new(),
            at: node.at,
            values_at: node.at,
            values: vec![node.clone()],
            listed: false,
            applied: Vec::new(),
        }
    }
}

impl DetectionSpec {
    /// Reads a `detection` section.
    pub fn read(detection: &Node, warnings: &mut Warnings) -> Result<Self, Refusal> {
        let main = Clause::read(detection, "detection", &[], warnings)?;
        Ok(Self { at: detection.at, main, added: Vec::new() })
    }

    /// Every clause.
    pub fn clauses(&self) -> impl Iterator<Item = &Clause> {
        std::iter::once(&self.main).chain(&self.added)
    }

    /// Calls `each` with every match, until one answers true.
    pub fn any_match(&self, mut each: impl FnMut(&Match) -> bool) -> bool {
        self.clauses()
            .flat_map(|clause| &clause.searches)
            .any(|search| search.body.any_match(&mut each))
    }

    /// Folds what is asked into bytes for a fingerprint.
    pub fn fold_into(&self, out: &mut Vec<u8>) {
        for clause in self.clauses() {
            out.push(u8::from(clause.negated));
            for (text, _) in &clause.conditions {
                out.extend_from_slice(text.as_bytes());
                out.push(0);
            }
            for search in &clause.searches {
                out.extend_from_slice(search.name.as_bytes());
                out.push(0);
                search.body.fold_into(out);
            }
        }
    }

    /// Replaces every match by what `change` makes of it, as long as the rule stays bounded.
    pub fn change(
        &mut self,
        change: &mut impl FnMut(Match) -> Result<Item, Refusal>,
    ) -> Result<(), Refusal> {
        let mut values = 0;
        let at = self.at;
        let change = &mut |found| {
            let item = change(found)?;
            values += item.values();
            if values > MAX_VALUES {
                return Err(too_many(at));
            }
            Ok(item)
        };
        for clause in std::iter::once(&mut self.main).chain(&mut self.added) {
            for search in &mut clause.searches {
                let body = std::mem::replace(&mut search.body, Item::Dropped);
                search.body = body.changed(change)?;
            }
        }
        Ok(())
    }
}

impl Item {
    /// How many values are looked for, each under each name.
    fn values(&self) -> usize {
        match self {
            Self::All(items) | Self::Any(items) => items.iter().map(Self::values).sum(),
            Self::Match(found) => found.values.len().max(1),
            Self::Dropped => 0,
        }
    }

    fn fold_into(&self, out: &mut Vec<u8>) {
        match self {
            Self::All(items) | Self::Any(items) => {
                out.push(if matches!(self, Self::All(_)) { b'&' } else { b'|' });
                for item in items {
                    item.fold_into(out);
                }
                out.push(b'.');
            }
            Self::Match(found) => {
                out.push(b'=');
                out.extend_from_slice(found.key().as_bytes());
                out.push(0);
                for value in &found.values {
                    value.fold_into(out);
                }
            }
            Self::Dropped => out.push(b'-'),
        }
    }

    fn any_match(&self, each: &mut impl FnMut(&Match) -> bool) -> bool {
        match self {
            Self::All(items) | Self::Any(items) => items.iter().any(|item| item.any_match(each)),
            Self::Match(found) => each(found),
            Self::Dropped => false,
        }
    }

    /// With every match replaced by what `change` makes of it.
    pub fn changed(
        self,
        change: &mut impl FnMut(Match) -> Result<Self, Refusal>,
    ) -> Result<Self, Refusal> {
        let mut each = |items: Vec<Self>| -> Result<Vec<Self>, Refusal> {
            items.into_iter().map(|item| item.changed(change)).collect()
        };
        Ok(match self {
            Self::All(items) => Self::All(each(items)?),
            Self::Any(items) => Self::Any(each(items)?),
            Self::Match(found) => return change(*found),
            Self::Dropped => Self::Dropped,
        })
    }
}

impl Clause {
    /// Reads a map of searches with a condition; `others` are keys that mean something else.
    pub fn read(
        section: &Node,
        what: &str,
        others: &[&str],
        warnings: &mut Warnings,
    ) -> Result<Self, Refusal> {
        if !matches!(section.kind, Kind::Map(_)) {
            let message = format!("`{what}` is {}, not a map", section.what());
            return Err(Refusal::new(section.at, message, "list search identifiers in it"));
        }
        let Some(condition) = section.entry("condition") else {
            let names = section.entries().iter().map(|entry| entry.key.as_str());
            let mend = names
                .filter(|name| strsim::damerau_levenshtein(name, "condition") <= 2)
                .map(|name| format!("did you mean `condition` with `{}`?", shown(name)))
                .next();
            let mend = mend.unwrap_or_else(|| "add `condition: selection`".to_owned());
            return Err(Refusal::new(section.at, format!("`{what}` has no `condition`"), mend));
        };
        let mut searches = Vec::new();
        for entry in section.entries() {
            match entry.key.as_str() {
                "condition" => {}
                "timeframe" => warnings.add(
                    entry.at,
                    "`timeframe` is obsolete and has no effect",
                    "write a correlation rule with `timespan`",
                ),
                name if others.contains(&name) => {}
                name if searches.len() < MAX_SEARCHES => {
                    let body = search(&entry.value)?;
                    searches.push(SearchSpec { name: name.to_owned(), at: entry.at, body });
                }
                _ => return Err(Refusal::new(entry.at, "over 1,000 search identifiers", "")),
            }
        }
        let mut conditions = Vec::new();
        for condition in condition.value.members() {
            conditions.push((condition.text("condition")?.into_owned(), condition.at));
        }
        if conditions.is_empty() {
            return Err(Refusal::new(condition.at, "`condition` is empty", "name a search"));
        }
        Ok(Self { searches, conditions, negated: false })
    }
}

/// A map (all of it), a list of maps (any), or keywords (any).
pub(crate) fn search(node: &Node) -> Result<Item, Refusal> {
    match &node.kind {
        Kind::Map(_) => map(node),
        Kind::List(members) => {
            let mut items = Vec::with_capacity(members.len());
            for member in members {
                items.push(match &member.kind {
                    Kind::Map(_) => map(member)?,
                    Kind::List(_) => {
                        let message = "a list in a list of searches";
                        return Err(Refusal::new(member.at, message, "flatten it"));
                    }
                    _ => Item::Match(Box::new(Match::keyword(member))),
                });
            }
            if items.is_empty() { Err(empty(node.at)) } else { Ok(Item::Any(items)) }
        }
        Kind::Null => Err(empty(node.at)),
        _ => Ok(Item::Match(Box::new(Match::keyword(node)))),
    }
}

fn map(node: &Node) -> Result<Item, Refusal> {
    let mut items = Vec::with_capacity(node.entries().len());
    for entry in node.entries() {
        let (field, modifiers) =
            entry.key.find('|').map_or((entry.key.as_str(), ""), |at| entry.key.split_at(at));
        let values = entry.value.members().to_vec();
        if values.is_empty() {
            return Err(empty(entry.value.at));
        }
        items.push(Item::Match(Box::new(Match {
            field: field.to_owned(),
            modifiers: modifiers.to_owned(),
            at: entry.at,
            values_at: entry.value.at,
            values,
            listed: matches!(entry.value.kind, Kind::List(_)),
            applied: Vec::new(),
        })));
    }
    if items.is_empty() { Err(empty(node.at)) } else { Ok(Item::All(items)) }
}

pub(super) fn empty(at: Position) -> Refusal {
    Refusal::new(at, "an empty search or list of values", "give it at least one value")
}

pub(crate) fn too_many(at: Position) -> Refusal {
    let message = "pipelines and placeholders make over 200,000 values of the rule";
    Refusal::new(at, message, "map fields to fewer names, or give placeholders fewer values")
}
