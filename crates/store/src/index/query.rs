//! The query language: Lucene's, with ECS names as fields.
//!
//! `source.ip:203.0.113.7 AND event.action:ssh_login`, free words and `"phrases in quotes"`,
//! `user.name:adm*`, `source.ip:203.0.113.0/24`, `destination.port:[1 TO 1023]`,
//! `@timestamp:[2026-11-20 TO 2026-11-21]`, `user.name:*`, `user.name: IN [root admin]`, `NOT`,
//! `-`, `OR`, brackets. Words that stand next to each other must all be there.

use std::cmp::Ordering;
use std::net::{IpAddr, Ipv6Addr};
use std::ops::Bound;
use std::sync::Arc;

use ipnet::{IpNet, Ipv6Net};
use tantivy::Term;
use tantivy::query::{
    AllQuery, BooleanQuery, Occur, PhrasePrefixQuery, PhraseQuery, Query, RangeQuery, TermQuery,
};
use tantivy::query_grammar::{
    Delimiter, UserInputAst, UserInputBound, UserInputLeaf, UserInputLiteral, parse_query,
    parse_query_lenient,
};
use tantivy::schema::IndexRecordOption;
use vigie_event::{EventId, Timestamp, unmapped};

use super::QueryError;
use super::schema::{EventSchema, SEPARATOR, is_by_words};
use super::stored::tie_of;
use super::terms::{TermsQuery, Test, wildcard};
use super::words::words_of;

const MAX_BYTES: usize = 8_192;
/// The parser calls itself for each bracket.
const MAX_BRACKETS: usize = 64;
const NANOS_A_DAY: i64 = 86_400_000_000_000;

/// A query that the search library can run.
pub(super) fn compile(text: &str, schema: &EventSchema) -> Result<Box<dyn Query>, QueryError> {
    let lowering = Lowering { text, schema };
    lowering.query(parse(text)?)
}

fn parse(text: &str) -> Result<UserInputAst, QueryError> {
    let refuse = |at: usize, problem: String, mend: &str| QueryError {
        column: text.get(..at).unwrap_or(text).chars().count() + 1,
        problem,
        mend: mend.to_owned(),
    };
    if text.len() > MAX_BYTES {
        let problem = format!("the query has {} bytes", text.len());
        return Err(refuse(MAX_BYTES, problem, "at most 8,192 are read"));
    }
    if text.matches('(').count() > MAX_BRACKETS {
        return Err(refuse(0, "too many brackets".to_owned(), "at most 64 are read"));
    }
    if let Ok(ast) = parse_query(&quote_ipv6(text)) {
        return Ok(ast);
    }
    let (_, errors) = parse_query_lenient(text);
    let (at, problem) = errors
        .into_iter()
        .next()
        .map_or((0, "cannot be read".to_owned()), |error| (error.pos, error.message));
    Err(refuse(
        at,
        problem,
        "put values with special characters in double quotes, but not the ends of ranges",
    ))
}

/// The query with IPv6 addresses and networks in double quotes, as the parser wants them because
/// of their colons.
fn quote_ipv6(text: &str) -> String {
    let is_ipv6 = |part: &str| part.parse::<Ipv6Addr>().is_ok() || part.parse::<Ipv6Net>().is_ok();
    let mut quoted = String::with_capacity(text.len() + 8);
    let mut in_quotes = false;
    for part in text.split_inclusive(|c: char| c.is_whitespace() || "\"()".contains(c)) {
        let end = part.trim_end_matches(|c: char| c.is_whitespace() || "\"()".contains(c)).len();
        let (token, delimiter) = part.split_at(end);
        let (name, value) = match token.split_once(':') {
            Some((name, value)) if is_ipv6(value) => (Some(name), value),
            _ => (None, token),
        };
        if !in_quotes && value.contains(':') && is_ipv6(value) {
            quoted.extend(name.into_iter().flat_map(|name| [name, ":"]));
            quoted.extend(["\"", value, "\"", delimiter]);
        } else {
            quoted.push_str(part);
        }
        in_quotes ^= delimiter == "\"";
    }
    quoted
}

/// Turns what was parsed into queries.
struct Lowering<'q> {
    text: &'q str,
    schema: &'q EventSchema,
}

impl Lowering<'_> {
    fn refuse<T>(&self, at: &str, problem: impl Into<String>, mend: &str) -> Result<T, QueryError> {
        let before = self.text.find(at).and_then(|index| self.text.get(..index));
        Err(QueryError {
            column: before.map_or(1, |before| before.chars().count() + 1),
            problem: problem.into(),
            mend: mend.to_owned(),
        })
    }

    fn query(&self, ast: UserInputAst) -> Result<Box<dyn Query>, QueryError> {
        match ast {
            UserInputAst::Leaf(leaf) => self.leaf(*leaf),
            UserInputAst::Boost(inner, _) => self.query(*inner),
            UserInputAst::Clause(parts) if parts.is_empty() => Ok(Box::new(AllQuery)),
            UserInputAst::Clause(parts) => {
                let mut clauses: Vec<(Occur, Box<dyn Query>)> = Vec::with_capacity(parts.len() + 1);
                for (occur, part) in parts {
                    clauses.push((occur.unwrap_or(Occur::Must), self.query(part)?));
                }
                if clauses.iter().all(|(occur, _)| *occur == Occur::MustNot) {
                    clauses.push((Occur::Must, Box::new(AllQuery)));
                }
                Ok(Box::new(BooleanQuery::new(clauses)))
            }
        }
    }

    fn leaf(&self, leaf: UserInputLeaf) -> Result<Box<dyn Query>, QueryError> {
        match leaf {
            UserInputLeaf::All => Ok(Box::new(AllQuery)),
            UserInputLeaf::Literal(literal) => match literal.field_name.as_deref() {
                None => self.words(&literal),
                Some(name) if is_by_words(name) => self.words(&literal),
                Some(name) => self.value(name, &literal),
            },
            UserInputLeaf::Range { field: Some(name), lower, upper } => {
                self.range(&name, &lower, &upper)
            }
            UserInputLeaf::Range { field: None, lower, .. } => self.refuse(
                lower.term_str(),
                "a range without a field",
                "write it as field:[from TO to]",
            ),
            UserInputLeaf::Set { field, elements } => {
                let mut clauses = Vec::with_capacity(elements.len());
                for element in elements {
                    let literal = UserInputLiteral {
                        field_name: field.clone(),
                        phrase: element,
                        delimiter: Delimiter::DoubleQuotes,
                        slop: 0,
                        prefix: false,
                    };
                    let query = self.leaf(UserInputLeaf::Literal(literal))?;
                    clauses.push((Occur::Should, query));
                }
                Ok(Box::new(BooleanQuery::new(clauses)))
            }
            UserInputLeaf::Exists { field } if is_by_words(&field) => self.refuse(
                &field,
                format!("whether {field} is there is not kept"),
                "look for a word of it instead",
            ),
            UserInputLeaf::Exists { field } if matches!(&*field, "@timestamp" | "event.id") => {
                Ok(Box::new(AllQuery))
            }
            UserInputLeaf::Exists { field } => Ok(self.terms(&field, Arc::new(|_| true))),
            UserInputLeaf::Regex { pattern, .. } => self.refuse(
                &pattern,
                "regular expressions are not supported",
                "use the wildcards * and ?, or put the value in double quotes",
            ),
        }
    }

    /// Words of the raw record.
    fn words(&self, literal: &UserInputLiteral) -> Result<Box<dyn Query>, QueryError> {
        let phrase = literal.phrase.as_str();
        let words = words_of(phrase);
        let field = self.schema.words;
        if literal.delimiter == Delimiter::None && phrase.contains(['*', '?']) {
            if !phrase.chars().all(|c| c.is_alphanumeric() || c == '*' || c == '?') {
                return self.refuse(
                    phrase,
                    "a wildcard among several words",
                    "use wildcards in single words, or in the value of a field",
                );
            }
            let fixed = phrase.split(['*', '?']).next().unwrap_or_default().to_lowercase();
            let test: Test = Arc::new(wildcard(phrase));
            return Ok(Box::new(TermsQuery { field, prefix: fixed.into(), skip: 0, test }));
        }
        let mut terms: Vec<Term> =
            words.iter().map(|word| Term::from_field_text(field, word)).collect();
        match (terms.len(), literal.prefix) {
            (0, _) => self.refuse(
                phrase,
                "no letters or digits to look for",
                "write a word of the record",
            ),
            (1, true) => {
                let prefix = words.concat().into_bytes();
                Ok(Box::new(TermsQuery { field, prefix, skip: 0, test: Arc::new(|_| true) }))
            }
            (1, false) => {
                let term = terms.remove(0);
                Ok(Box::new(TermQuery::new(term, IndexRecordOption::Basic)))
            }
            (_, true) => Ok(Box::new(PhrasePrefixQuery::new(terms))),
            (_, false) => {
                let mut query = PhraseQuery::new(terms);
                query.set_slop(literal.slop);
                Ok(Box::new(query))
            }
        }
    }

    /// A value of the field called `name`.
    fn value(&self, name: &str, literal: &UserInputLiteral) -> Result<Box<dyn Query>, QueryError> {
        let value = literal.phrase.as_str();
        let plain = literal.delimiter == Delimiter::None;
        match name {
            "@timestamp" => {
                let (from, to) = self.instant(value)?;
                return Ok(self.times(Bound::Included(from), Bound::Excluded(to)));
            }
            "event.id" => return self.id(value),
            _ => {}
        }
        if let Ok(net) = value.parse::<IpNet>() {
            let within = move |value: &str| {
                value.parse::<IpAddr>().is_ok_and(|address| net.contains(&unmapped(address)))
            };
            return Ok(self.terms(name, Arc::new(within)));
        }
        if literal.prefix {
            let start = value.to_owned();
            return Ok(self.terms(name, Arc::new(move |value| value.starts_with(&start))));
        }
        if plain && value.contains(['*', '?']) {
            return Ok(self.terms(name, Arc::new(wildcard(value))));
        }
        let value = match value.parse::<IpAddr>() {
            Ok(address) => unmapped(address).to_string(),
            Err(_) => value.to_owned(),
        };
        let term = Term::from_field_text(self.schema.fields, &format!("{name}{SEPARATOR}{value}"));
        Ok(Box::new(TermQuery::new(term, IndexRecordOption::Basic)))
    }

    fn id(&self, value: &str) -> Result<Box<dyn Query>, QueryError> {
        let Ok(id) = value.parse::<EventId>() else {
            return self.refuse(value, "this is no event id", "ids look like 019a…-…-7…-…-…");
        };
        let term = || Term::from_field_u64(self.schema.tie, tie_of(id));
        let same = RangeQuery::new(Bound::Included(term()), Bound::Included(term()));
        let at = id.time().nanos();
        let millisecond =
            self.times(Bound::Included(at), Bound::Excluded(at.saturating_add(1_000_000)));
        Ok(Box::new(BooleanQuery::intersection(vec![millisecond, Box::new(same)])))
    }

    fn terms(&self, name: &str, test: Test) -> Box<dyn Query> {
        let prefix = format!("{name}{SEPARATOR}").into_bytes();
        let skip = prefix.len();
        Box::new(TermsQuery { field: self.schema.fields, prefix, skip, test })
    }

    fn times(&self, from: Bound<i64>, to: Bound<i64>) -> Box<dyn Query> {
        let term = |nanos| Term::from_field_i64(self.schema.time, nanos);
        Box::new(RangeQuery::new(from.map(term), to.map(term)))
    }

    fn range(
        &self,
        name: &str,
        lower: &UserInputBound,
        upper: &UserInputBound,
    ) -> Result<Box<dyn Query>, QueryError> {
        if name == "@timestamp" {
            let from = match lower {
                UserInputBound::Inclusive(text) => Bound::Included(self.instant(text)?.0),
                UserInputBound::Exclusive(text) => Bound::Included(self.instant(text)?.1),
                UserInputBound::Unbounded => Bound::Included(i64::MIN),
            };
            let to = match upper {
                UserInputBound::Inclusive(text) => Bound::Excluded(self.instant(text)?.1),
                UserInputBound::Exclusive(text) => Bound::Excluded(self.instant(text)?.0),
                UserInputBound::Unbounded => Bound::Included(i64::MAX),
            };
            return Ok(self.times(from, to));
        }
        if is_by_words(name) {
            return self.refuse(name, format!("{name} has no order"), "look for its words");
        }
        let (lower, upper) = (Edge::new(lower), Edge::new(upper));
        let test = move |value: &str| {
            lower.as_ref().is_none_or(|edge| edge.allows(value, Ordering::Greater))
                && upper.as_ref().is_none_or(|edge| edge.allows(value, Ordering::Less))
        };
        Ok(self.terms(name, Arc::new(test)))
    }

    /// The nanoseconds of an instant, or the first of a day and of the day after.
    fn instant(&self, text: &str) -> Result<(i64, i64), QueryError> {
        let day = || Timestamp::parse(&format!("{text}T00:00:00Z"));
        if text.len() == 10
            && let Ok(start) = day()
        {
            return Ok((start.nanos(), start.nanos().saturating_add(NANOS_A_DAY)));
        }
        match Timestamp::parse(text) {
            Ok(time) => Ok((time.nanos(), time.nanos().saturating_add(1))),
            Err(_) => self.refuse(
                text,
                "this is no time",
                "write a day such as 2026-11-21, or a range such as [2026-11-21T10:00:00Z TO *]",
            ),
        }
    }
}

/// One end of a range: compared as numbers where it is one, as addresses where it is one, else as
/// text.
struct Edge {
    text: String,
    number: Option<f64>,
    address: Option<IpAddr>,
    inclusive: bool,
}

impl Edge {
    fn new(bound: &UserInputBound) -> Option<Self> {
        let (text, inclusive) = match bound {
            UserInputBound::Inclusive(text) => (text.clone(), true),
            UserInputBound::Exclusive(text) => (text.clone(), false),
            UserInputBound::Unbounded => return None,
        };
        let number = text.parse().ok();
        let address = text.parse().ok();
        Some(Self { text, number, address, inclusive })
    }

    fn allows(&self, value: &str, side: Ordering) -> bool {
        let order = match (self.number, self.address) {
            (Some(edge), _) => value.parse::<f64>().ok().and_then(|value| value.partial_cmp(&edge)),
            (_, Some(edge)) => value
                .parse::<IpAddr>()
                .ok()
                .filter(|value| value.is_ipv4() == edge.is_ipv4())
                .map(|value| value.cmp(&edge)),
            _ => Some(value.cmp(self.text.as_str())),
        };
        order.is_some_and(|order| order == side || (self.inclusive && order == Ordering::Equal))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_refused(query: &str, column: usize, problem: &str) {
        let error = compile(query, &EventSchema::new()).map(|_| ()).unwrap_err();
        assert_eq!(error.column, column, "{query}: {error}");
        assert!(error.problem.contains(problem), "{query}: {error}");
        assert!(!error.mend.is_empty());
    }

    #[test]
    fn bad_queries_are_told_with_their_column() {
        check_refused("source.ip:1 AND (user.name:a", 29, "");
        check_refused("root [1 TO 2]", 7, "a range without a field");
        check_refused("user.name:/ro.t/", 12, "regular expressions");
        check_refused("été @timestamp:yesterday", 16, "no time");
        check_refused("event.id:7", 10, "no event id");
        check_refused("message:*", 1, "not kept");
        check_refused("\"--\"", 2, "no letters");
        check_refused(&"(".repeat(100), 1, "brackets");
        check_refused(&"a ".repeat(5_000), 8_193, "bytes");
    }

    #[test]
    fn everything_else_compiles() {
        for query in [
            "",
            "*",
            "failed password",
            "\"failed password\"~2",
            "\"failed pass\"*",
            "fail* OR accept?d",
            "source.ip:203.0.113.0/24",
            "source.ip:2001:db8::1",
            "source.ip:\"2001:db8::/32\"",
            "destination.port:[1 TO 1023] AND NOT user.name:root",
            "destination.port:>=1024",
            "@timestamp:2026-11-21",
            "@timestamp:[2026-11-21T10:00:00Z TO *]",
            "@timestamp:>2026-11-21T10:00:00Z",
            "@timestamp:\"2026-11-21T10:00:00Z\"",
            "user.name: IN [root admin]",
            "user.name:*",
            "-user.name:root +failed",
            "winlog.event_data.Image:\"C:\\\\Windows\\\\cmd.exe\"",
        ] {
            if let Err(error) = compile(query, &EventSchema::new()) {
                panic!("{query}: {error}");
            }
        }
    }

    #[test]
    fn ipv6_is_quoted_for_the_parser() {
        for (query, expected) in [
            ("source.ip:2001:db8::1 AND a", "source.ip:\"2001:db8::1\" AND a"),
            ("(source.ip:2001:db8::/32)", "(source.ip:\"2001:db8::/32\")"),
            ("::1", "\"::1\""),
            ("a:\"x 2001:db8::1 y\" b:1", "a:\"x 2001:db8::1 y\" b:1"),
            ("source.ip:\"2001:db8::1\"", "source.ip:\"2001:db8::1\""),
            ("a:bc:de", "a:bc:de"),
        ] {
            assert_eq!(quote_ipv6(query), expected);
        }
    }

    proptest::proptest! {
        #[test]
        fn no_query_breaks_it(query in "[a-z.:*?\"'()\\[\\]{}<>=~^/\\\\ ORAND+-]{0,40}") {
            let _ = compile(&query, &EventSchema::new());
        }
    }
}
