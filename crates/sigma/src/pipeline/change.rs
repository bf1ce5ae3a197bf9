//! What a transformation makes of one match.

use vigie_event::CompactString;
use vigie_yaml::{Kind, Node, Refusal, shown};

use super::Pipelines;
use super::item::{Case, Change, ProcessingItem, Target};
use crate::predicate::Number;
use crate::spec::{Item, Lookup, MAX_VALUES, Match, expand, too_many};

/// Applies a transformation to a match that its conditions let through.
pub(super) fn change(
    pipelines: &Pipelines,
    item: &ProcessingItem,
    mut found: Match,
) -> Result<Item, Refusal> {
    let before = found.field.clone();
    match &item.change {
        change if change.renames() => return renamed(item, found),
        Change::DropMatches => return Ok(Item::Dropped),
        Change::RefuseMatch(message) => {
            return Err(Refusal::new(found.at, shown(message), ""));
        }
        Change::Values(names) => expand(&mut found, |name| match pipelines.vars.get(name) {
            Some(values) if names.has(name) => Lookup::Values(values),
            _ => Lookup::Unknown,
        })?,
        Change::Wildcards(names) => {
            let lookup =
                |name: &str| if names.has(name) { Lookup::Wildcard } else { Lookup::Unknown };
            expand(&mut found, lookup)?;
        }
        Change::ReplaceText { pattern, with } => {
            each_text(&mut found, |text| pattern.replace_all(text, with.as_str()).into());
        }
        Change::MapText(mapping) => map_text(&mut found, |text| mapping.get(text))?,
        Change::SetValue(value) => {
            let at = found.values_at;
            found.values = vec![Node { at, kind: value.kind.clone() }];
            found.listed = false;
        }
        Change::ConvertType(target) => convert(&mut found, *target)?,
        Change::Case(case) => each_text(&mut found, |text| cased(*case, text).into()),
        Change::Hashes { algorithms, prefix, drop_algorithm } => {
            let naming = Naming { algorithms, prefix, drop_algorithm: *drop_algorithm };
            return Ok(hashes(found, &naming, item));
        }
        _ => {}
    }
    if found.field == before {
        note(&mut found, item);
    }
    Ok(Item::Match(Box::new(found)))
}

fn note(found: &mut Match, item: &ProcessingItem) {
    found.applied.extend(item.id.clone());
}

/// The names that a field gets; none where it keeps its own.
pub(super) fn names_of(change: &Change, field: &str) -> Vec<String> {
    match change {
        Change::MapFields(mapping) => mapping.get(field).cloned().unwrap_or_default(),
        Change::MapPrefixes(prefixes) if !field.is_empty() => prefixes
            .iter()
            .find_map(|(prefix, new)| {
                let rest = field.strip_prefix(prefix.as_str())?;
                Some(new.iter().map(|new| format!("{new}{rest}")).collect())
            })
            .unwrap_or_default(),
        Change::PrefixFields(prefix) if !field.is_empty() => vec![format!("{prefix}{field}")],
        Change::SuffixFields(suffix) if !field.is_empty() => vec![format!("{field}{suffix}")],
        _ => Vec::new(),
    }
}

/// The match under its new names: any of them, or, where it is denied, all.
fn renamed(item: &ProcessingItem, mut found: Match) -> Result<Item, Refusal> {
    if found.has_modifier("fieldref") {
        for value in &mut found.values {
            if let Kind::Text(text) = &mut value.kind
                && let Some(first) = names_of(&item.change, text).into_iter().next()
            {
                *text = first.into();
            }
        }
    }
    let names = names_of(&item.change, &found.field);
    if names.is_empty() {
        return Ok(Item::Match(Box::new(found)));
    }
    if names.len().saturating_mul(found.values.len()) > MAX_VALUES {
        return Err(too_many(found.at));
    }
    note(&mut found, item);
    let absent = found.has_modifier("exists")
        && found.values.iter().any(|value| value.kind == Kind::Boolean(false));
    if found.has_modifier("neq") || absent {
        return Ok(Item::All(under(&names, &found)));
    }
    // Null is a field that is nowhere, under whatever name.
    let (nulls, values): (Vec<Node>, Vec<Node>) =
        std::mem::take(&mut found.values).into_iter().partition(|value| value.kind == Kind::Null);
    let mut items = Vec::with_capacity(names.len() + 1);
    if !nulls.is_empty() {
        let listed = found.listed && values.is_empty();
        items.push(Item::All(under(&names, &Match { values: nulls, listed, ..found.clone() })));
    }
    if !values.is_empty() {
        items.extend(under(&names, &Match { values, ..found }));
    }
    Ok(Item::Any(items))
}

/// A match under each of several names.
fn under(names: &[String], found: &Match) -> Vec<Item> {
    let called = |field: &String| Match { field: field.clone(), ..found.clone() };
    names.iter().map(|field| Item::Match(Box::new(called(field)))).collect()
}

fn each_text(found: &mut Match, change: impl Fn(&str) -> CompactString) {
    for value in &mut found.values {
        if let Kind::Text(text) = &mut value.kind {
            *text = change(text);
        }
    }
}

fn map_text<'m>(
    found: &mut Match,
    mapping: impl Fn(&str) -> Option<&'m Vec<String>>,
) -> Result<(), Refusal> {
    let mut mapped = Vec::with_capacity(found.values.len());
    for value in std::mem::take(&mut found.values) {
        let texts = match &value.kind {
            Kind::Text(text) => mapping(text),
            _ => None,
        };
        match texts {
            None => mapped.push(value),
            Some(texts) => {
                let made =
                    texts.iter().map(|text| Node { at: value.at, kind: Kind::Text(text.into()) });
                mapped.extend(made);
            }
        }
        if mapped.len() > MAX_VALUES {
            return Err(too_many(found.at));
        }
    }
    found.listed |= mapped.len() > 1;
    found.values = mapped;
    Ok(())
}

fn convert(found: &mut Match, target: Target) -> Result<(), Refusal> {
    for value in &mut found.values {
        let Some(text) = value.scalar().map(CompactString::from) else {
            continue;
        };
        value.kind = match target {
            Target::Text => Kind::Text(text),
            Target::Number => match Number::parse(&text) {
                Some(Number::Integer(number)) => Kind::Integer(number, text),
                Some(Number::Float(number)) => Kind::Float(number, text),
                None => {
                    let message = format!("`{}` is no number", shown(&text));
                    return Err(Refusal::new(
                        value.at,
                        message,
                        "correct the pipeline's condition",
                    ));
                }
            },
        };
    }
    Ok(())
}

fn cased(case: Case, text: &str) -> String {
    match case {
        Case::Lower => text.to_lowercase(),
        Case::Upper => text.to_uppercase(),
        Case::Snake => {
            let mut snake = String::with_capacity(text.len() + 8);
            let mut before_lower = false;
            for c in text.chars() {
                if c.is_uppercase() && before_lower {
                    snake.push('_');
                }
                before_lower = c.is_lowercase() || c.is_numeric();
                snake.extend(c.to_lowercase());
            }
            snake
        }
    }
}

/// How fields of hashes are called.
struct Naming<'n> {
    algorithms: &'n [String],
    prefix: &'n str,
    drop_algorithm: bool,
}

impl Naming<'_> {
    /// The field and the hash of `SHA256=…`, or of a hash alone, by its length.
    fn split<'t>(&self, text: &'t str) -> Option<(String, &'t str)> {
        let trimmed = text.trim_matches('*');
        let (name, hash) = if let Some((name, hash)) = trimmed.split_once(['=', '|', ':']) {
            (name, hash)
        } else {
            let by_length = [(32, "MD5"), (40, "SHA1"), (64, "SHA256"), (128, "SHA512")];
            let (_, name) = by_length.iter().find(|(length, _)| *length == trimmed.len())?;
            (*name, trimmed)
        };
        let known = self.algorithms.iter().find(|known| known.eq_ignore_ascii_case(name))?;
        let algorithm = if self.drop_algorithm { "" } else { known.as_str() };
        Some((format!("{}{algorithm}", self.prefix), hash))
    }
}

/// `Hashes|contains: SHA256=…` as a field for each algorithm. What is not understood stays.
fn hashes(mut found: Match, naming: &Naming<'_>, item: &ProcessingItem) -> Item {
    if !matches!(found.field.as_str(), "Hashes" | "Hash") {
        return Item::Match(Box::new(found));
    }
    let mut by_field: Vec<(String, Vec<Node>)> = Vec::new();
    for value in &found.values {
        let split = match &value.kind {
            Kind::Text(text) => naming.split(text),
            _ => None,
        };
        let Some((field, hash)) = split else {
            return Item::Match(Box::new(found));
        };
        let node = Node { at: value.at, kind: Kind::Text(hash.into()) };
        match by_field.iter_mut().find(|(known, _)| *known == field) {
            Some((_, nodes)) => nodes.push(node),
            None => by_field.push((field, vec![node])),
        }
    }
    note(&mut found, item);
    let all = found.has_modifier("all");
    let denied = found.has_modifier("neq");
    let modifiers = if denied { "|neq" } else { "" };
    let items = by_field
        .into_iter()
        .map(|(field, values)| {
            let listed = values.len() > 1;
            let modifiers = modifiers.to_owned();
            Item::Match(Box::new(Match { field, modifiers, values, listed, ..found.clone() }))
        })
        .collect();
    if all || denied { Item::All(items) } else { Item::Any(items) }
}
