//! `%name%` in the values of a search with the modifier `expand`.

use vigie_yaml::{Kind, Node, Refusal, shown};

use super::search::Match;

/// Values that one search key may come to hold.
const MAX_VALUES: usize = 20_000;

/// What a placeholder stands for.
pub(crate) enum Lookup<'v> {
    /// These values, one after the other.
    Values(&'v [String]),
    /// Any text.
    Wildcard,
    /// Nothing known: it stays.
    Unknown,
}

/// A piece of a value.
enum Piece<'t> {
    Text(&'t str),
    Name(&'t str),
}

/// Replaces the placeholders that `lookup` knows.
pub(crate) fn expand<'v>(
    found: &mut Match,
    lookup: impl Fn(&str) -> Lookup<'v>,
) -> Result<(), Refusal> {
    if !found.has_modifier("expand") {
        return Ok(());
    }
    let any = if found.has_modifier("re") { ".*" } else { "*" };
    let mut expanded: Vec<Node> = Vec::with_capacity(found.values.len());
    for node in &found.values {
        let Kind::Text(text) = &node.kind else {
            expanded.push(node.clone());
            continue;
        };
        let mut texts = vec![String::new()];
        for piece in pieces(text) {
            let name = match piece {
                Piece::Text(text) => {
                    for written in &mut texts {
                        written.push_str(text);
                    }
                    continue;
                }
                Piece::Name(name) => name,
            };
            texts = match lookup(name) {
                Lookup::Values(values) => {
                    if texts.len().saturating_mul(values.len()) + expanded.len() > MAX_VALUES {
                        let message =
                            format!("placeholder `{}` gives over 20,000 values", shown(name));
                        return Err(Refusal::new(node.at, message, "give it fewer"));
                    }
                    let mut longer = Vec::with_capacity(texts.len() * values.len());
                    for value in values {
                        longer.extend(texts.iter().map(|text| format!("{text}{value}")));
                    }
                    longer
                }
                Lookup::Wildcard => texts.into_iter().map(|text| text + any).collect(),
                Lookup::Unknown => {
                    texts.into_iter().map(|text| format!("{text}%{name}%")).collect()
                }
            };
        }
        let made =
            texts.into_iter().map(|text| Node { at: node.at, kind: Kind::Text(text.into()) });
        expanded.extend(made);
    }
    found.listed |= expanded.len() > 1;
    found.values = expanded;
    Ok(())
}

/// The first placeholder in a text.
pub(super) fn first(text: &str) -> Option<&str> {
    pieces(text).into_iter().find_map(|piece| match piece {
        Piece::Name(name) => Some(name),
        Piece::Text(_) => None,
    })
}

/// The text without the escapes of `%`.
pub(super) fn unescaped(text: &str) -> String {
    text.replace("\\%", "%")
}

/// Cuts at placeholders; `\%` is a percent sign.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut start, mut open) = (0, None);
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '%' if !escaped => {
                if let Some(from) = open {
                    let name = text.get(from + 1..at).unwrap_or_default();
                    if !name.is_empty() {
                        pieces.push(Piece::Text(text.get(start..from).unwrap_or_default()));
                        pieces.push(Piece::Name(name));
                        (start, open) = (at + 1, None);
                        escaped = false;
                        continue;
                    }
                }
                open = Some(at);
            }
            c if !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')) => open = None,
            _ => {}
        }
        escaped = c == '\\' && !escaped;
    }
    pieces.push(Piece::Text(text.get(start..).unwrap_or_default()));
    pieces
}
