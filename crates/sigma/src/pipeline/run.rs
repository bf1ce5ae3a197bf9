//! Pipelines on their way through one rule.

use rustc_hash::{FxHashMap, FxHashSet};
use vigie_yaml::{Kind, Node, Refusal, shown};

use super::item::{Change, FieldTest, MatchTest, Operator, ProcessingItem, RuleTest};
use super::{Pipelines, change};
use crate::rule::LogsourceSpec;
use crate::spec::{Clause, DetectionSpec, Item, Match, SearchSpec};

/// A rule under the pipelines.
#[derive(Debug)]
pub(crate) struct Subject<'s> {
    /// Its document.
    pub root: &'s Node,
    pub tags: &'s [String],
    pub logsource: &'s mut LogsourceSpec,
    /// What it detects; a correlation detects nothing itself.
    pub detection: Option<&'s mut DetectionSpec>,
}

/// What pipelines did to a rule, as far as correlations need to know.
#[derive(Debug, Default)]
pub(crate) struct Applied<'p> {
    /// The items that were applied, in order.
    items: Vec<&'p ProcessingItem>,
    memory: Memory,
}

/// What is noted on the way.
#[derive(Debug, Default)]
pub(super) struct Memory {
    applied: FxHashSet<String>,
    state: FxHashMap<String, String>,
    attributes: FxHashMap<String, String>,
}

impl Applied<'_> {
    /// The name that `field` has after them: of several the first.
    pub fn name_of(&self, field: &str) -> String {
        let mut name = field.to_owned();
        for item in self.items.iter().filter(|item| item.change.renames()) {
            if self.memory.fits_field(item, &name)
                && let Some(first) = change::names_of(&item.change, &name).into_iter().next()
            {
                name = first;
            }
        }
        name
    }
}

/// Applies all pipelines to a rule.
pub(crate) fn apply<'p>(
    pipelines: &'p Pipelines,
    mut subject: Subject<'_>,
) -> Result<Applied<'p>, Refusal> {
    let mut applied = Applied::default();
    for pipeline in &pipelines.all {
        for item in &pipeline.items {
            run(pipelines, item, &mut subject, &mut applied)
                .map_err(|refusal| by(&pipeline.name, refusal))?;
        }
    }
    Ok(applied)
}

/// Says which pipeline refused.
fn by(pipeline: &str, refusal: Refusal) -> Refusal {
    let message = format!("pipeline `{}`: {}", shown(pipeline), refusal.message);
    Refusal { message, ..refusal }
}

fn run<'p>(
    pipelines: &'p Pipelines,
    item: &'p ProcessingItem,
    subject: &mut Subject<'_>,
    applied: &mut Applied<'p>,
) -> Result<(), Refusal> {
    if !item.rules.passes(|test| applied.memory.fits_rule(test, subject)) {
        return Ok(());
    }
    match &item.change {
        Change::Nothing => {}
        Change::Nest(items) => {
            for item in items {
                run(pipelines, item, subject, applied)?;
            }
        }
        Change::RefuseRule(message) => {
            return Err(Refusal::new(subject.root.at, shown(message), ""));
        }
        Change::SetState(key, value) => {
            applied.memory.state.insert(key.clone(), value.clone());
        }
        Change::SetAttribute(key, value) => {
            applied.memory.attributes.insert(key.clone(), value.clone());
        }
        Change::SetLogsource(logsource) => subject.logsource.clone_from(logsource),
        Change::AddCondition { search, template, negated } => {
            if let Some(detection) = &mut subject.detection {
                let search =
                    if *template { filled(search, subject.logsource)? } else { search.clone() };
                let conditions = vec![(search.name.clone(), search.at)];
                let clause = Clause { searches: vec![search], conditions, negated: *negated };
                detection.added.push(clause);
            }
        }
        _ => {
            if let Some(detection) = &mut subject.detection {
                let memory = &applied.memory;
                detection.change(&mut |found| {
                    if !memory.fits_match(item, &found) {
                        return Ok(Item::Match(Box::new(found)));
                    }
                    change::change(pipelines, item, found)
                })?;
            }
        }
    }
    applied.items.push(item);
    applied.memory.applied.extend(item.id.clone());
    Ok(())
}

/// A search with `$category`, `$product` and `$service` filled in.
fn filled(search: &SearchSpec, logsource: &LogsourceSpec) -> Result<SearchSpec, Refusal> {
    let LogsourceSpec { category, product, service } = logsource;
    let body = search.body.clone().changed(&mut |mut found| {
        for value in &mut found.values {
            if let Kind::Text(text) = &mut value.kind {
                for (name, part) in
                    [("category", category), ("product", product), ("service", service)]
                {
                    let part = part.as_deref().unwrap_or_default();
                    *text = text.replace(&format!("${{{name}}}"), part).into();
                    *text = text.replace(&format!("${name}"), part).into();
                }
            }
        }
        Ok(Item::Match(Box::new(found)))
    })?;
    Ok(SearchSpec { body, ..search.clone() })
}

impl Memory {
    fn has_state(&self, key: &str, value: &str) -> bool {
        self.state.get(key).is_some_and(|known| known == value)
    }

    fn fits_rule(&self, test: &RuleTest, subject: &Subject<'_>) -> bool {
        let any_match = |fits: &mut dyn FnMut(&Match) -> bool| {
            subject.detection.as_ref().is_some_and(|detection| detection.any_match(fits))
        };
        match test {
            RuleTest::Logsource(wanted) => {
                subject.detection.is_some() && wanted.covers(subject.logsource)
            }
            RuleTest::HasMatch { field, value } => any_match(&mut |found| {
                field.as_deref().unwrap_or_default() == found.field
                    && found.values.iter().any(|node| is_value(node, value))
            }),
            RuleTest::HasField(field) => any_match(&mut |found| found.field == *field),
            RuleTest::Applied(id) => self.applied.contains(id),
            RuleTest::State(key, value) => self.has_state(key, value),
            RuleTest::IsDetection => subject.detection.is_some(),
            RuleTest::IsCorrelation => subject.detection.is_none(),
            RuleTest::Attribute { name, value, operator } => {
                let own = self.attributes.get(name).cloned();
                let from_document = || -> Vec<String> {
                    let nodes = subject.root.get(name).map(Node::members).unwrap_or_default();
                    nodes.iter().filter_map(Node::scalar).map(String::from).collect()
                };
                let found = own.map_or_else(from_document, |text| vec![text]);
                found.iter().any(|found| operator.holds(name, found, value))
            }
            RuleTest::Tag(tag) => subject.tags.iter().any(|own| own == tag),
        }
    }

    fn fits_match(&self, item: &ProcessingItem, found: &Match) -> bool {
        let applied = |id: &String| found.applied.contains(id);
        let quantified = |all: bool, test: &dyn Fn(&Node) -> bool| {
            if all { found.values.iter().all(test) } else { found.values.iter().any(test) }
        };
        let fits = item.matches.passes(|test| match test {
            MatchTest::Text { pattern, all, negated } => {
                let is_text = |node: &Node| {
                    node.scalar().is_some_and(|text| pattern.is_match(&text) != *negated)
                };
                quantified(*all, &is_text)
            }
            MatchTest::Value { value, all } => quantified(*all, &|node| is_value(node, value)),
            MatchTest::HasWildcard { all } => quantified(*all, &has_wildcard),
            MatchTest::IsNull { all } => quantified(*all, &|node| node.kind == Kind::Null),
            MatchTest::Applied(id) => applied(id),
            MatchTest::State(key, value) => self.has_state(key, value),
        });
        fits && item.fields.passes(|test| match test {
            FieldTest::Applied(id) => applied(id),
            test => self.fits_name(test, &found.field),
        })
    }

    fn fits_field(&self, item: &ProcessingItem, field: &str) -> bool {
        item.fields.passes(|test| self.fits_name(test, field))
    }

    fn fits_name(&self, test: &FieldTest, field: &str) -> bool {
        match test {
            FieldTest::Within { names, included } => names.has(field) == *included,
            FieldTest::Applied(id) => self.applied.contains(id),
            FieldTest::State(key, value) => self.has_state(key, value),
        }
    }
}

fn is_value(node: &Node, value: &str) -> bool {
    node.scalar().is_some_and(|text| text.eq_ignore_ascii_case(value))
}

fn has_wildcard(node: &Node) -> bool {
    let Kind::Text(text) = &node.kind else {
        return false;
    };
    let mut escaped = false;
    text.chars().any(|c| {
        let found = !escaped && matches!(c, '*' | '?');
        escaped = c == '\\' && !escaped;
        found
    })
}

impl Operator {
    /// Whether an attribute stands so to a value; levels and statuses by their rank, dates by
    /// their text.
    fn holds(self, attribute: &str, found: &str, value: &str) -> bool {
        let rank = |text: &str| {
            let ranks: &[&str] = match attribute {
                "level" => &["informational", "low", "medium", "high", "critical"],
                "status" => &["unsupported", "deprecated", "experimental", "test", "stable"],
                _ => &[],
            };
            ranks.iter().position(|rank| *rank == text)
        };
        let ordering = match (rank(found), rank(value)) {
            (Some(found), Some(value)) => found.cmp(&value),
            _ => match (found.parse::<f64>(), value.parse::<f64>()) {
                (Ok(found), Ok(value)) => found.total_cmp(&value),
                _ => found.cmp(value),
            },
        };
        match self {
            Self::Equal => ordering.is_eq(),
            Self::NotEqual => ordering.is_ne(),
            Self::Less => ordering.is_lt(),
            Self::LessOrEqual => ordering.is_le(),
            Self::Greater => ordering.is_gt(),
            Self::GreaterOrEqual => ordering.is_ge(),
        }
    }
}
