//! From text to documents.

use std::borrow::Cow;

use compact_str::CompactString;
use rustc_hash::{FxHashMap, FxHashSet};
use saphyr::Scalar;
use saphyr_parser::{Event, Marker, Parser, ScalarStyle, Tag};

use crate::{Entry, Kind, Node, Position, Refusal, shown};

/// The largest document, in bytes; the longest of SigmaHQ's rules has 60 kB.
const MAX_BYTES: usize = 1 << 20;
/// How deep lists and maps may nest; a rule needs six levels.
const MAX_DEPTH: usize = 32;
/// Nodes of a document with aliases written out; the largest of SigmaHQ's rules has 2,000.
const MAX_NODES: usize = 100_000;

/// One YAML document of a file, or why it cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// The line where it begins, from 1.
    pub line: usize,
    /// Its root.
    pub root: Result<Node, Refusal>,
}

/// The documents of a file in order. Empty ones are left out.
pub fn documents(text: &str) -> Vec<Document> {
    pieces(text)
        .into_iter()
        .filter(|(_, piece)| !is_blank(piece))
        .filter_map(|(line, piece)| {
            let root = Reader::new(line).read(piece).transpose()?;
            let line = root.as_ref().map_or(line, |root| root.at.line);
            Some(Document { line, root })
        })
        .collect()
}

/// Cuts at lines that begin with `---` or `...`: neither can stand there inside a document
/// (YAML 1.2.2 §9.1.2). Each piece comes with the number of its first line.
fn pieces(text: &str) -> Vec<(usize, &str)> {
    let mut pieces = Vec::new();
    let (mut start, mut start_line, mut offset) = (0, 1, 0);
    for (index, line) in text.split_inclusive('\n').enumerate() {
        let marks = |marker| {
            line.strip_prefix(marker)
                .is_some_and(|rest| rest.trim_start().is_empty() || rest.starts_with([' ', '\t']))
        };
        if marks("---") && offset > start {
            pieces.push((start_line, text.get(start..offset).unwrap_or_default()));
            (start, start_line) = (offset, index + 1);
        } else if marks("...") {
            pieces.push((start_line, text.get(start..offset).unwrap_or_default()));
            (start, start_line) = (offset + line.len(), index + 2);
        }
        offset += line.len();
    }
    pieces.push((start_line, text.get(start..).unwrap_or_default()));
    pieces
}

/// Whether a piece holds only comments and markers.
fn is_blank(piece: &str) -> bool {
    piece.trim_start_matches('\u{FEFF}').lines().all(|line| {
        let line = line.trim();
        line.is_empty() || line.starts_with('#') || line == "---"
    })
}

struct Reader {
    /// Added to the parser's line numbers.
    lines_before: usize,
    nodes: usize,
    anchors: FxHashMap<usize, (Node, usize)>,
    open: Vec<Open>,
}

/// A list or map whose end has not come yet.
struct Open {
    node: Node,
    anchor: usize,
    /// Node count when it was opened, to know its size for aliases.
    nodes_before: usize,
    key: Option<(CompactString, Position)>,
    keys: FxHashSet<CompactString>,
}

impl Reader {
    fn new(line: usize) -> Self {
        Self { lines_before: line - 1, nodes: 0, anchors: FxHashMap::default(), open: Vec::new() }
    }

    fn at(&self, marker: Marker) -> Position {
        Position { line: marker.line() + self.lines_before, column: marker.col() + 1 }
    }

    fn read(mut self, text: &str) -> Result<Option<Node>, Refusal> {
        if text.len() > MAX_BYTES {
            let at = Position { line: self.lines_before + 1, column: 1 };
            return Err(Refusal::new(at, "document of over 1 MiB", "split it into several rules"));
        }
        let mut parser = Parser::new_from_str(text);
        while let Some(event) = parser.next_event() {
            let (event, span) = event.map_err(|error| {
                let info = shown(error.info());
                Refusal::new(self.at(*error.marker()), format!("invalid YAML: {info}"), "")
            })?;
            let at = self.at(span.start);
            let done = match event {
                Event::Scalar(text, style, anchor, tag) => {
                    let kind = scalar(text, style, tag.as_ref(), at)?;
                    self.count(1, at)?;
                    self.add(Node { at, kind }, anchor, 1)?
                }
                Event::SequenceStart(anchor, _) => {
                    self.begin(Kind::List(Vec::new()), anchor, at)?;
                    None
                }
                Event::MappingStart(anchor, _) => {
                    self.begin(Kind::Map(Vec::new()), anchor, at)?;
                    None
                }
                Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                    Some(open) => {
                        let size = self.nodes - open.nodes_before;
                        self.add(open.node, open.anchor, size)?
                    }
                    None => None,
                },
                Event::Alias(anchor) => {
                    let Some((node, size)) = self.anchors.get(&anchor) else {
                        return Err(Refusal::new(
                            at,
                            "alias of an anchor that is not complete",
                            "",
                        ));
                    };
                    let (node, size) = (node, *size);
                    // Counted before it is copied, so that an alias bomb costs nothing.
                    self.nodes = self.nodes.saturating_add(size);
                    if self.nodes > MAX_NODES {
                        return Err(too_many_nodes(at));
                    }
                    let node = node.clone();
                    if self.open.len() + depth(&node) > MAX_DEPTH {
                        return Err(too_deep(at));
                    }
                    self.add(node, 0, size)?
                }
                Event::Nothing
                | Event::StreamStart
                | Event::StreamEnd
                | Event::DocumentStart(_)
                | Event::DocumentEnd => None,
            };
            if done.is_some() {
                return Ok(done);
            }
        }
        Ok(None)
    }

    fn count(&mut self, nodes: usize, at: Position) -> Result<(), Refusal> {
        self.nodes = self.nodes.saturating_add(nodes);
        if self.nodes > MAX_NODES { Err(too_many_nodes(at)) } else { Ok(()) }
    }

    fn begin(&mut self, kind: Kind, anchor: usize, at: Position) -> Result<(), Refusal> {
        if self.open.len() >= MAX_DEPTH {
            return Err(too_deep(at));
        }
        let nodes_before = self.nodes;
        self.count(1, at)?;
        self.open.push(Open {
            node: Node { at, kind },
            anchor,
            nodes_before,
            key: None,
            keys: FxHashSet::default(),
        });
        Ok(())
    }

    /// Puts a complete node where it belongs; gives it back when it is the document's root.
    fn add(&mut self, node: Node, anchor: usize, size: usize) -> Result<Option<Node>, Refusal> {
        if anchor > 0 {
            self.count(size, node.at)?;
            self.anchors.insert(anchor, (node.clone(), size));
        }
        let Some(parent) = self.open.last_mut() else {
            return Ok(Some(node));
        };
        match &mut parent.node.kind {
            Kind::List(members) => members.push(node),
            Kind::Map(entries) => {
                if let Some((key, at)) = parent.key.take() {
                    entries.push(Entry { key, at, value: node });
                    return Ok(None);
                }
                let Some(key) = key_of(&node) else {
                    let message = format!("a key is {}, not text", node.what());
                    return Err(Refusal::new(node.at, message, ""));
                };
                if !parent.keys.insert(key.clone()) {
                    let message = format!("key `{}` stands twice", shown(&key));
                    return Err(Refusal::new(node.at, message, "merge the two"));
                }
                parent.key = Some((key, node.at));
            }
            _ => {}
        }
        Ok(None)
    }
}

fn key_of(node: &Node) -> Option<CompactString> {
    match &node.kind {
        Kind::Null => Some(CompactString::default()),
        _ => node.scalar().map(CompactString::from),
    }
}

fn too_many_nodes(at: Position) -> Refusal {
    Refusal::new(at, "document of over 100,000 values, aliases written out", "split the rule")
}

fn too_deep(at: Position) -> Refusal {
    Refusal::new(at, "lists and maps nest over 32 levels deep", "flatten the rule")
}

/// How many lists and maps stand in one another; bounded since it was read within the bound.
fn depth(node: &Node) -> usize {
    match &node.kind {
        Kind::List(members) => 1 + members.iter().map(depth).max().unwrap_or(0),
        Kind::Map(entries) => {
            1 + entries.iter().map(|entry| depth(&entry.value)).max().unwrap_or(0)
        }
        _ => 0,
    }
}

fn scalar(
    text: Cow<'_, str>,
    style: ScalarStyle,
    tag: Option<&Cow<'_, Tag>>,
    at: Position,
) -> Result<Kind, Refusal> {
    let written = CompactString::from(text.as_ref());
    let Some(value) = Scalar::parse_from_cow_and_metadata(text, style, tag) else {
        let message = format!("`{}` is not what its tag says", shown(&written));
        return Err(Refusal::new(at, message, "remove the tag"));
    };
    Ok(match value {
        Scalar::Null => Kind::Null,
        Scalar::Boolean(truth) => Kind::Boolean(truth),
        Scalar::Integer(number) => Kind::Integer(number, written),
        Scalar::FloatingPoint(number) => Kind::Float(number.into_inner(), written),
        Scalar::String(_) => Kind::Text(written),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn roots(text: &str) -> Vec<Result<Node, Refusal>> {
        documents(text).into_iter().map(|document| document.root).collect()
    }

    fn refusal(text: &str) -> Refusal {
        roots(text).remove(0).unwrap_err()
    }

    #[test]
    fn knows_lines_and_columns() {
        let read = documents("# note\n---\ntitle: a\n---\n\nlist:\n  - 1\n  - 'x'\n");
        assert_eq!(read.len(), 2);
        assert_eq!((read[0].line, read[1].line), (3, 6));
        let root = read[1].root.as_ref().unwrap();
        let members = root.get("list").unwrap().members();
        assert_eq!(members[1].at, Position { line: 8, column: 5 });
        assert_eq!(members[0].kind, Kind::Integer(1, "1".into()));
    }

    #[test]
    fn a_broken_document_takes_no_other_with_it() {
        let read = roots("a: 1\n---\nb: [\n---\nc: 3\n");
        assert!(read[0].is_ok() && read[1].is_err() && read[2].is_ok());
        assert!(read[1].as_ref().unwrap_err().at.line >= 3);
    }

    #[test]
    fn markers_inside_block_text_end_the_document_only_at_the_line_start() {
        let read = roots("a: |\n  ---\n  x\nb: 2\n");
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].as_ref().unwrap().get("b").unwrap().scalar().unwrap(), "2");
    }

    #[test]
    fn an_alias_bomb_is_refused_at_once() {
        let mut text = String::from("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for n in 1..12 {
            let alias = format!("*a{}", n - 1);
            let ten = [alias.as_str(); 10].join(",");
            text.extend(["a", &n.to_string(), ": &a", &n.to_string(), " [", &ten, "]\n"]);
        }
        assert!(refusal(&text).message.contains("100,000"));
    }

    #[test]
    fn nesting_is_bounded_through_aliases_too() {
        assert!(refusal(&"[".repeat(200)).message.contains("deep"));
        let nested = format!("{}x{}", "[".repeat(20), "]".repeat(20));
        let text = format!("a: &a {nested}\nb: {}*a{}\n", "[".repeat(20), "]".repeat(20));
        assert!(refusal(&text).message.contains("deep"));
    }

    #[test]
    fn refuses_double_keys_and_large_documents() {
        assert_eq!(refusal("a: 1\nb: 2\na: 3\n").at, Position { line: 3, column: 1 });
        assert!(refusal(&format!("a: {}", "x".repeat(MAX_BYTES))).message.contains("1 MiB"));
    }

    #[test]
    fn aliases_of_themselves_end() {
        assert!(refusal("a: &a [*a]\n").message.contains("alias"));
    }

    #[test]
    fn scalars_keep_how_they_were_written() {
        let root =
            roots("a: 007\nb: '4688'\nc: ~\nd: True\ne: 1.50\nf:\ng: ''\n").remove(0).unwrap();
        let kind = |key: &str| root.get(key).unwrap().kind.clone();
        assert_eq!(kind("a"), Kind::Integer(7, "007".into()));
        assert_eq!(kind("b"), Kind::Text("4688".into()));
        assert_eq!(kind("c"), Kind::Null);
        assert_eq!(kind("d"), Kind::Boolean(true));
        assert_eq!(kind("e"), Kind::Float(1.5, "1.50".into()));
        assert_eq!(kind("f"), Kind::Null);
        assert_eq!(kind("g"), Kind::Text(CompactString::default()));
    }
}
