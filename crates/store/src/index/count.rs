//! Counting events by the values of a field: a walk over the field's terms.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use tantivy::query::Query;
use tantivy::schema::IndexRecordOption;
use tantivy::termdict::TermMerger;
use tantivy::{BitSet, InvertedIndexReader, Searcher};

use super::collect::Matching;
use super::schema::{EventSchema, SEPARATOR};
use super::terms::after_prefix;

/// The terms of one segment, and which events count.
struct SegmentTerms {
    index: Arc<InvertedIndexReader>,
    matching: BitSet,
}

/// The `limit` most frequent values of the field called `name` among the events that match, most
/// frequent first, then by value. Memory does not grow with the number of values.
pub(super) fn count_by(
    searchers: &[Searcher],
    schema: &EventSchema,
    query: &dyn Query,
    name: &str,
    (from, to): (i64, i64),
    limit: usize,
) -> tantivy::Result<Vec<(String, u64)>> {
    let mut segments = Vec::new();
    for searcher in searchers {
        for (ordinal, matching) in searcher.search(query, &Matching { from, to })? {
            if matching.len() > 0 {
                let reader = searcher.segment_reader(ordinal);
                segments
                    .push(SegmentTerms { index: reader.inverted_index(schema.fields)?, matching });
            }
        }
    }
    let prefix = format!("{name}{SEPARATOR}").into_bytes();
    let end = after_prefix(&prefix);
    let mut streams = Vec::with_capacity(segments.len());
    for segment in &segments {
        let mut range = segment.index.terms().range().ge(&prefix);
        if let Some(end) = &end {
            range = range.lt(end);
        }
        streams.push(range.into_stream()?);
    }
    let mut top: BinaryHeap<Reverse<(u64, Reverse<String>)>> = BinaryHeap::new();
    let mut terms = TermMerger::new(streams);
    while terms.advance() {
        let mut count = 0;
        for (index, term) in terms.current_segment_ords_and_term_infos() {
            let Some(segment) = segments.get(index) else { continue };
            let mut postings =
                segment.index.read_block_postings_from_terminfo(&term, IndexRecordOption::Basic)?;
            while !postings.docs().is_empty() {
                let docs = postings.docs().iter();
                count += docs.filter(|doc| segment.matching.contains(**doc)).count() as u64;
                postings.advance();
            }
        }
        let least = top.peek().map_or(0, |Reverse((least, _))| *least);
        if count == 0 || (top.len() >= limit && count <= least) {
            continue;
        }
        let value = terms.key().get(prefix.len()..).unwrap_or_default();
        top.push(Reverse((count, Reverse(String::from_utf8_lossy(value).into_owned()))));
        if top.len() > limit {
            top.pop();
        }
    }
    let mut counts: Vec<_> =
        top.into_iter().map(|Reverse((count, Reverse(value)))| (value, count)).collect();
    counts.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Ok(counts)
}
