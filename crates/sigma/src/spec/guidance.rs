//! The custom key `vigie`: what the author tells the people who get the alerts.
//!
//! A mistake in it is a warning: the rule detects all the same.

use vigie_event::{Action, Category, Guidance, Localized};
use vigie_yaml::{Kind, Node, shown};

use crate::diagnostic::{Warnings, nearest};

const KEYS: [&str; 6] =
    ["title", "explanation", "recommendations", "false_positives", "category", "actions"];

/// The guidance and the French title.
pub(super) fn read(node: &Node, warnings: &mut Warnings) -> (Guidance, String) {
    let mut guidance = Guidance::default();
    let mut french_title = String::new();
    if !matches!(node.kind, Kind::Map(_)) {
        warnings.add(node.at, format!("`vigie` is {}, not a map", node.what()), "");
        return (guidance, french_title);
    }
    for entry in node.entries() {
        let value = &entry.value;
        match entry.key.as_str() {
            "title" => french_title = localized(value, true, warnings).fr,
            "explanation" => guidance.explanation = localized(value, false, warnings),
            "recommendations" => guidance.recommendations = list(value, warnings),
            "false_positives" => guidance.false_positives = list(value, warnings),
            "category" => guidance.category = category(value, warnings),
            "actions" => {
                guidance.actions =
                    value.members().iter().filter_map(|node| action(node, warnings)).collect();
            }
            name => {
                let message = format!("unknown key `{}` in `vigie`", shown(name));
                warnings.add(entry.at, message, nearest(name, KEYS));
            }
        }
    }
    (guidance, french_title)
}

fn list(node: &Node, warnings: &mut Warnings) -> Vec<Localized> {
    node.members().iter().map(|member| localized(member, false, warnings)).collect()
}

/// `{en, fr}`, or English text alone. `french_alone`: the English text stands elsewhere.
fn localized(node: &Node, french_alone: bool, warnings: &mut Warnings) -> Localized {
    if let Some(text) = node.scalar() {
        return Localized::new(text.trim(), "");
    }
    let mut text = Localized::default();
    for entry in node.entries() {
        let value = entry.value.scalar().unwrap_or_default().trim().to_owned();
        match entry.key.as_str() {
            "en" => text.en = value,
            "fr" => text.fr = value,
            name => {
                let message = format!("unknown language `{}`", shown(name));
                warnings.add(entry.at, message, "the languages are `en` and `fr`");
            }
        }
    }
    if text.en.is_empty() && !french_alone {
        warnings.add(node.at, "a text without English", "write `en:` beside `fr:`");
    }
    text
}

fn category(node: &Node, warnings: &mut Warnings) -> Option<Category> {
    let text = node.scalar().unwrap_or_default();
    let found = Category::ALL.into_iter().find(|category| category.name() == text);
    if found.is_none() {
        let mend = nearest(&text, Category::ALL.map(Category::name));
        warnings.add(node.at, format!("unknown category `{}`", shown(&text)), mend);
    }
    found
}

fn action(node: &Node, warnings: &mut Warnings) -> Option<Action> {
    let text = node.scalar().unwrap_or_default();
    let found = Action::ALL.iter().copied().find(|action| action.name() == text);
    if found.is_none() {
        let mend = nearest(&text, Action::ALL.iter().map(|action| action.name()));
        warnings.add(node.at, format!("unknown action `{}`", shown(&text)), mend);
    }
    found
}
