//! A query for the events that have any of the terms of one field which pass a test: wildcards,
//! networks, ranges.

use std::fmt;
use std::sync::Arc;

use tantivy::query::{
    BitSetDocSet, ConstScorer, EnableScoring, Explanation, Query, Scorer, Weight,
};
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{BitSet, DocId, Score, SegmentReader, TantivyError};

/// Whether a term's value is wanted.
pub(super) type Test = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Events with a term that starts with `prefix` and whose rest behind `skip` bytes passes `test`.
#[derive(Clone)]
pub(super) struct TermsQuery {
    pub(super) field: Field,
    pub(super) prefix: Vec<u8>,
    pub(super) skip: usize,
    pub(super) test: Test,
}

impl fmt::Debug for TermsQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TermsQuery").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl Query for TermsQuery {
    fn weight(&self, _: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }
}

impl Weight for TermsQuery {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let mut matching = BitSet::with_max_value(reader.max_doc());
        let index = reader.inverted_index(self.field)?;
        let mut range = index.terms().range().ge(&self.prefix);
        let end = after_prefix(&self.prefix);
        if let Some(end) = &end {
            range = range.lt(end);
        }
        let mut terms = range.into_stream()?;
        while terms.advance() {
            let value = terms.key().get(self.skip..).unwrap_or_default();
            if !std::str::from_utf8(value).is_ok_and(|value| (self.test)(value)) {
                continue;
            }
            let mut postings =
                index.read_block_postings_from_terminfo(terms.value(), IndexRecordOption::Basic)?;
            while !postings.docs().is_empty() {
                for doc in postings.docs() {
                    matching.insert(*doc);
                }
                postings.advance();
            }
        }
        Ok(Box::new(ConstScorer::new(BitSetDocSet::from(matching), boost)))
    }

    fn explain(&self, _: &SegmentReader, _: DocId) -> tantivy::Result<Explanation> {
        Err(TantivyError::InvalidArgument("terms are not scored".to_owned()))
    }
}

/// The first key behind all that start with `prefix`.
pub(super) fn after_prefix(prefix: &[u8]) -> Option<Vec<u8>> {
    let mut end = prefix.to_vec();
    while let Some(last) = end.pop() {
        if last < u8::MAX {
            end.push(last + 1);
            return Some(end);
        }
    }
    None
}

/// A pattern of text, `*` (any text) and `?` (any one character), matched without regard to case.
pub(super) fn wildcard(pattern: &str) -> impl Fn(&str) -> bool + Send + Sync + 'static {
    let pattern: Vec<char> = pattern.chars().flat_map(char::to_lowercase).collect();
    move |value| {
        let value: Vec<char> = value.chars().flat_map(char::to_lowercase).collect();
        let (mut p, mut v) = (0, 0);
        // Where to go back to: behind the last star, and how far it had reached.
        let mut star = None;
        while v < value.len() {
            match pattern.get(p) {
                Some('*') => {
                    star = Some((p + 1, v));
                    p += 1;
                }
                Some(wanted) if *wanted == '?' || Some(wanted) == value.get(v) => {
                    p += 1;
                    v += 1;
                }
                _ => match &mut star {
                    Some((after, reached)) => {
                        *reached += 1;
                        (p, v) = (*after, *reached);
                    }
                    None => return false,
                },
            }
        }
        pattern.get(p..).is_some_and(|rest| rest.iter().all(|c| *c == '*'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_match_whole_values() {
        for (pattern, value, expected) in [
            ("adm*", "Administrator", true),
            ("*min*", "Administrator", true),
            ("a?min*", "admin", true),
            ("adm", "admin", false),
            ("*", "", true),
            ("?", "", false),
            ("*a*b", "aab", true),
            ("*a*b", "aabc", false),
            ("é*", "École", true),
        ] {
            assert_eq!(wildcard(pattern)(value), expected, "{pattern} {value}");
        }
    }

    #[test]
    fn the_end_of_a_prefix() {
        assert_eq!(after_prefix(b"ab"), Some(b"ac".to_vec()));
        assert_eq!(after_prefix(b"a\xff"), Some(b"b".to_vec()));
        assert_eq!(after_prefix(b"\xff"), None);
    }
}
