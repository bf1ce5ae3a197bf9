//! `selection and not 1 of filter*`: the condition over the searches.

use vigie_yaml::{Position, Refusal, shown};

use crate::diagnostic::nearest;
use crate::expr::{Arena, NodeId};

/// The longest condition, in bytes; SigmaHQ's longest has 400.
const MAX_BYTES: usize = 8_192;
/// How deep parentheses and `not` may nest.
const MAX_DEPTH: usize = 64;

/// A search identifier with what it asks.
pub(super) struct Search {
    pub name: String,
    pub at: Position,
    /// What it asks; nothing where pipelines left nothing of it.
    pub node: Option<NodeId>,
    /// Whether a condition has named it.
    pub used: bool,
}

/// Reads a condition; marks the searches that it names. What asks nothing is left out of it.
pub(super) fn parse(
    text: &str,
    at: Position,
    searches: &mut [Search],
    arena: &mut Arena,
) -> Result<Option<NodeId>, Refusal> {
    if text.len() > MAX_BYTES {
        return Err(Refusal::new(at, "condition of over 8,192 bytes", "split the rule"));
    }
    if text.contains('|') {
        let mend = "write a correlation rule of type `event_count` or `value_count`";
        return Err(Refusal::new(at, "aggregations in conditions are obsolete", mend));
    }
    let mut parser = Parser { tokens: tokens(text), next: 0, depth: 0, at, searches, arena };
    let node = parser.or()?;
    match parser.peek() {
        None => Ok(node),
        Some(rest) => {
            let message = format!("unexpected `{}` in the condition", shown(rest));
            Err(Refusal::new(at, message, "join the parts with `and` or `or`"))
        }
    }
}

fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    for word in text.split_whitespace() {
        let mut rest = word;
        while let Some(at) = rest.find(['(', ')']) {
            let (before, from) = rest.split_at(at);
            if !before.is_empty() {
                tokens.push(before);
            }
            let (parenthesis, after) = from.split_at(1);
            tokens.push(parenthesis);
            rest = after;
        }
        if !rest.is_empty() {
            tokens.push(rest);
        }
    }
    tokens
}

struct Parser<'c> {
    tokens: Vec<&'c str>,
    next: usize,
    depth: usize,
    at: Position,
    searches: &'c mut [Search],
    arena: &'c mut Arena,
}

impl<'c> Parser<'c> {
    fn peek(&self) -> Option<&'c str> {
        self.tokens.get(self.next).copied()
    }

    fn take_word(&mut self, word: &str) -> bool {
        let taken = self.peek().is_some_and(|token| token.eq_ignore_ascii_case(word));
        self.next += usize::from(taken);
        taken
    }

    fn refuse(&self, message: impl Into<String>, mend: impl Into<String>) -> Refusal {
        Refusal::new(self.at, message, mend)
    }

    fn or(&mut self) -> Result<Option<NodeId>, Refusal> {
        let mut children = vec![self.and()?];
        while self.take_word("or") {
            children.push(self.and()?);
        }
        Ok(self.arena.or(children.into_iter().flatten().collect()))
    }

    fn and(&mut self) -> Result<Option<NodeId>, Refusal> {
        let mut children = vec![self.not()?];
        while self.take_word("and") {
            children.push(self.not()?);
        }
        Ok(self.arena.and(children.into_iter().flatten().collect()))
    }

    fn not(&mut self) -> Result<Option<NodeId>, Refusal> {
        if !self.take_word("not") {
            return self.operand();
        }
        self.deeper()?;
        let child = self.not()?;
        self.depth -= 1;
        Ok(child.map(|child| self.arena.not(child)))
    }

    fn operand(&mut self) -> Result<Option<NodeId>, Refusal> {
        let Some(token) = self.peek() else {
            return Err(self.refuse("the condition ends too early", "name a search identifier"));
        };
        self.next += 1;
        if token == "(" {
            self.deeper()?;
            let node = self.or()?;
            self.depth -= 1;
            if !self.take_word(")") {
                return Err(self.refuse("a parenthesis is not closed", "add `)`"));
            }
            return Ok(node);
        }
        let quantified = self.peek().is_some_and(|next| next.eq_ignore_ascii_case("of"));
        if quantified {
            self.next += 1;
            return self.quantified(token);
        }
        let Some(search) = self.searches.iter_mut().find(|search| search.name == token) else {
            return Err(self.unknown(token));
        };
        search.used = true;
        Ok(search.node)
    }

    /// `1 of them`, `all of selection*`, `2 of selection*`, behind `of`.
    fn quantified(&mut self, quantifier: &str) -> Result<Option<NodeId>, Refusal> {
        let Some(pattern) = self.peek() else {
            return Err(self.refuse("`of` wants `them` or a pattern", "write `1 of selection*`"));
        };
        self.next += 1;
        let them = pattern.eq_ignore_ascii_case("them");
        let mut children = Vec::new();
        let mut dropped = false;
        for search in self.searches.iter_mut() {
            let hidden = search.name.starts_with('_') && !pattern.starts_with('_');
            if !hidden && (them || wildcard(pattern, &search.name)) {
                search.used = true;
                dropped |= search.node.is_none();
                children.extend(search.node);
            }
        }
        if children.is_empty() {
            return if dropped { Ok(None) } else { Err(self.unknown(pattern)) };
        }
        let count = children.len();
        let least = match quantifier.to_ascii_lowercase().as_str() {
            "all" => count,
            "any" => 1,
            number => number.parse().unwrap_or(0),
        };
        self.arena.at_least(least, children).map(Some).ok_or_else(|| {
            let message = format!(
                "`{} of {}` cannot hold: there are {count}",
                shown(quantifier),
                shown(pattern)
            );
            self.refuse(message, "write `1 of`, `all of` or a number up to theirs")
        })
    }

    fn unknown(&self, name: &str) -> Refusal {
        let message =
            format!("the condition names `{}`, which is no search identifier", shown(name));
        let mend = nearest(name, self.searches.iter().map(|search| search.name.as_str()));
        self.refuse(message, mend)
    }

    fn deeper(&mut self) -> Result<(), Refusal> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.refuse("the condition nests over 64 levels deep", "flatten it"));
        }
        Ok(())
    }
}

/// Whether `name` fits `pattern`, in which `*` stands for any characters.
fn wildcard(pattern: &str, name: &str) -> bool {
    let Some((head, mut pattern)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let Some(mut rest) = name.strip_prefix(head) else {
        return false;
    };
    while let Some((middle, after)) = pattern.split_once('*') {
        let Some((_, behind)) = rest.split_once(middle) else {
            return false;
        };
        (rest, pattern) = (behind, after);
    }
    rest.ends_with(pattern)
}

#[cfg(test)]
mod tests {
    use vigie_event::field;

    use super::*;
    use crate::expr::Node;
    use crate::predicate::{Predicate, Subject, Test};

    fn searches(arena: &mut Arena) -> Vec<Search> {
        [
            ("sel_a", field::SOURCE_IP),
            ("sel_b", field::USER_NAME),
            ("_hidden", field::HOST_NAME),
            ("filter", field::PROCESS_PID),
        ]
        .into_iter()
        .map(|(name, field)| {
            let predicate = Predicate { subject: Subject::Field(field), test: Test::Present };
            let node = arena.atom(predicate);
            Search { name: name.into(), at: Position::default(), node: Some(node), used: false }
        })
        .collect()
    }

    /// The expression in prefix form.
    fn shape(arena: &Arena, node: NodeId) -> String {
        let list = |name: &str, children: &[NodeId]| {
            let children: Vec<_> = children.iter().map(|child| shape(arena, *child)).collect();
            format!("{name}({})", children.join(" "))
        };
        match arena.node(node).unwrap() {
            Node::Atom(atom) => ["a", "b", "h", "f"][atom.index()].to_owned(),
            Node::Not(child) => format!("!{}", shape(arena, *child)),
            Node::And(children) => list("and", children),
            Node::Or(children) => list("or", children),
            Node::AtLeast(least, children) => list(&format!("{least}of"), children),
        }
    }

    fn check(text: &str, expected: &str) {
        let mut arena = Arena::default();
        let mut searches = searches(&mut arena);
        let found = match parse(text, Position::default(), &mut searches, &mut arena) {
            Ok(node) => shape(&arena, node.unwrap()),
            Err(refusal) => format!("{} ({})", refusal.message, refusal.mend),
        };
        assert!(found.contains(expected), "{text}: {found}, not {expected}");
    }

    #[test]
    fn binds_not_before_and_before_or() {
        check("sel_a", "a");
        check("sel_a or sel_b and not filter", "or(a and(b !f))");
        check("(sel_a or sel_b) and not filter", "and(or(a b) !f)");
        check("(sel_a OR sel_b)AND NOT(filter)", "and(or(a b) !f)");
        check("not not sel_a", "a");
    }

    #[test]
    fn quantifies() {
        check("1 of sel*", "or(a b)");
        check("all of sel_*", "and(a b)");
        check("1 of them", "or(a b f)");
        check("2 of them", "2of(a b f)");
        check("any of *_b", "b");
        check("1 of _*", "h");
        check("1 of *l*a", "a");
    }

    #[test]
    fn refuses_with_a_mend() {
        check("sel_c", "names `sel_c`, which is no search identifier (did you mean `sel_a`?)");
        check("all of x*", "names `x*`");
        check("4 of them", "there are 3");
        check("0 of them", "cannot hold");
        check("sel_a sel_b", "unexpected `sel_b`");
        check("sel_a and", "ends too early");
        check("(sel_a", "not closed");
        check("sel_a | count() > 5", "correlation rule");
        check(&"(".repeat(5_000), "64 levels");
        check(&"not ".repeat(1_000), "64 levels");
        check("", "ends too early");
    }
}
