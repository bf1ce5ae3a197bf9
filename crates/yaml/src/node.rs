//! A YAML node that knows where it stands.

use std::borrow::Cow;

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::Refusal;

/// A place in a file.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Position {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
}

/// A node and where it begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Where it begins.
    pub at: Position,
    /// What it is.
    pub kind: Kind,
}

/// What a node is. Numbers keep the text that they were written as.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Kind {
    /// `~`, `null` or nothing at all.
    Null,
    /// `true` or `false`.
    Boolean(bool),
    /// A whole number.
    Integer(i64, CompactString),
    /// Any other number.
    Float(f64, CompactString),
    /// Text.
    Text(CompactString),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order in which it was written; no key stands in it twice.
    Map(Vec<Entry>),
}

/// A key with its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The key.
    pub key: CompactString,
    /// Where the key begins.
    pub at: Position,
    /// The value.
    pub value: Node,
}

impl Node {
    /// The value of `key`, where this is a map that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value)
    }

    /// The entry of `key`, where this is a map that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    /// The entries of a map; none of anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            Kind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The members of a list; anything else is its own only member.
    pub fn members(&self) -> &[Node] {
        match &self.kind {
            Kind::List(members) => members,
            _ => std::slice::from_ref(self),
        }
    }

    /// What it is, in words.
    pub const fn what(&self) -> &'static str {
        match self.kind {
            Kind::Null => "nothing",
            Kind::Boolean(_) => "a boolean",
            Kind::Integer(..) | Kind::Float(..) => "a number",
            Kind::Text(_) => "text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    /// A scalar as the text that it was written as; `None` for null, lists and maps.
    pub fn scalar(&self) -> Option<Cow<'_, str>> {
        match &self.kind {
            Kind::Text(text) | Kind::Integer(_, text) | Kind::Float(_, text) => {
                Some(Cow::Borrowed(text))
            }
            Kind::Boolean(truth) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
            Kind::Null | Kind::List(_) | Kind::Map(_) => None,
        }
    }

    /// A scalar as text, or the refusal that `name` wants text.
    pub fn text(&self, name: &str) -> Result<Cow<'_, str>, Refusal> {
        self.scalar().ok_or_else(|| {
            Refusal::new(self.at, format!("`{name}` is {}, not text", self.what()), "")
        })
    }

    /// Folds the content, not the form, into bytes for a fingerprint.
    pub fn fold_into(&self, out: &mut Vec<u8>) {
        let mut tagged = |tag: u8, text: &str| {
            out.push(tag);
            out.extend_from_slice(&(text.len() as u64).to_le_bytes());
            out.extend_from_slice(text.as_bytes());
        };
        match &self.kind {
            Kind::Null => tagged(b'n', ""),
            Kind::Boolean(truth) => tagged(b'b', if *truth { "1" } else { "0" }),
            Kind::Integer(_, text) | Kind::Float(_, text) => tagged(b'd', text),
            Kind::Text(text) => tagged(b't', text),
            Kind::List(members) => {
                out.push(b'[');
                for member in members {
                    member.fold_into(out);
                }
                out.push(b']');
            }
            Kind::Map(entries) => {
                tagged(b'{', "");
                for entry in entries {
                    out.extend_from_slice(&(entry.key.len() as u64).to_le_bytes());
                    out.extend_from_slice(entry.key.as_bytes());
                    entry.value.fold_into(out);
                }
                out.push(b'}');
            }
        }
    }
}
