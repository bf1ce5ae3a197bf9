//! Searching the days.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use tantivy::collector::Count;
use tantivy::schema::Value;
use tantivy::{DocAddress, Searcher, TantivyDocument, TantivyError};
use vigie_event::{EventId, Timestamp};

use super::collect::{Buckets, Key, Newest};
use super::count::count_by;
use super::day::{Day, Days};
use super::query::compile;
use super::schema::is_by_words;
use super::stored::decode;
use super::{IndexError, QueryError};

/// Hits on a page at most.
const MAX_LIMIT: usize = 10_000;
/// Buckets of a histogram at most.
const MAX_BUCKETS: usize = 10_000;

/// What to look for.
#[derive(Clone, Debug, Default)]
pub struct SearchRequest {
    /// The query, as Lucene writes it; empty: everything.
    pub query: String,
    /// Events from this time on; `None`: no limit.
    pub from: Option<Timestamp>,
    /// Events before this time; `None`: no limit.
    pub to: Option<Timestamp>,
    /// Hits on the page, 1–10,000.
    pub limit: usize,
    /// The page after this one ([`Page::next`]).
    pub after: Option<PageCursor>,
}

/// Where a page ended. Its text form is opaque.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct PageCursor {
    time: i64,
    tie: u64,
}

impl fmt::Display for PageCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}-{:x}", self.time.cast_unsigned(), self.tie)
    }
}

impl FromStr for PageCursor {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (time, low) = text.split_once('-')?;
            let time = u64::from_str_radix(time, 16).ok()?.cast_signed();
            Some(Self { time, tie: u64::from_str_radix(low, 16).ok()? })
        };
        read().ok_or_else(|| "this is no page cursor: start again without one".to_owned())
    }
}

impl From<PageCursor> for String {
    fn from(cursor: PageCursor) -> Self {
        cursor.to_string()
    }
}

impl TryFrom<String> for PageCursor {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

/// One page of a list, and how to get the next.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// To be asked for next; `None`: this is the last page.
    pub next: Option<PageCursor>,
}

/// An event that was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hit {
    /// The event.
    pub id: EventId,
    /// When it happened.
    pub time: Timestamp,
    /// Flat dotted keys as [`vigie_event::wire::event`] writes them, without `event.original`.
    pub fields: Map<String, Json>,
    /// The raw record as text. Written by whoever writes logs: hostile.
    pub raw: String,
}

/// Searches what has been committed. Clones are handles of one index. All calls block while the
/// disk is read.
#[derive(Clone)]
pub struct EventSearcher {
    days: Arc<Days>,
}

impl fmt::Debug for EventSearcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EventSearcher").field("dir", &self.days.dir()).finish()
    }
}

fn bounds(from: Option<Timestamp>, to: Option<Timestamp>) -> (i64, i64) {
    (from.map_or(i64::MIN, Timestamp::nanos), to.map_or(i64::MAX, Timestamp::nanos))
}

impl EventSearcher {
    pub(super) fn new(days: Arc<Days>) -> Self {
        Self { days }
    }

    /// One page of the events that match, newest first.
    ///
    /// # Errors
    /// The query cannot be read ([`IndexError::Query`]), or a day cannot be.
    pub fn search(&self, request: &SearchRequest) -> Result<Page<Hit>, IndexError> {
        let query = compile(&request.query, &self.days.schema)?;
        let (from, to) = bounds(request.from, request.to);
        let limit = request.limit.clamp(1, MAX_LIMIT);
        let before: Option<Key> = request.after.map(|after| (after.time, after.tie));
        let latest = before.map_or(i64::MAX, |(time, _)| time);
        // One more than asked for tells whether there is a next page.
        let newest = Newest { from, to, before, limit: limit + 1 };
        let mut found: Vec<(Key, Day, DocAddress)> = Vec::new();
        let mut searchers: Vec<(Day, Searcher)> = Vec::new();
        for (day, span) in self.days.between(from, to) {
            if span.from > latest {
                continue;
            }
            if found.get(limit).is_some_and(|((time, _), _, _)| *time > span.to) {
                break;
            }
            let searcher = self.days.searcher(day)?;
            let hits =
                searcher.search(&*query, &newest).map_err(|error| self.days.error(day, error))?;
            found.extend(hits.into_iter().map(|(key, address)| (key, day, address)));
            found.sort_unstable_by_key(|(key, _, _)| std::cmp::Reverse(*key));
            found.truncate(limit + 1);
            searchers.push((day, searcher));
        }
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found
            .last()
            .filter(|_| more)
            .map(|((time, tie), _, _)| PageCursor { time: *time, tie: *tie });
        let mut items = Vec::with_capacity(found.len());
        for (key, day, address) in found {
            let searcher = searchers.iter().find(|(known, _)| *known == day);
            if let Some((_, searcher)) = searcher {
                items.push(
                    self.hit(searcher, key, address)
                        .map_err(|error| self.days.error(day, error))?,
                );
            }
        }
        Ok(Page { items, next })
    }

    fn hit(&self, searcher: &Searcher, key: Key, address: DocAddress) -> tantivy::Result<Hit> {
        let document: TantivyDocument = searcher.doc(address)?;
        let time = Timestamp::from_nanos(key.0);
        document
            .get_first(self.days.schema.event)
            .and_then(|value| value.as_bytes().and_then(|bytes| decode(bytes, time, key.1)))
            .map(|event| Hit { id: event.id, time, fields: event.fields, raw: event.raw })
            .ok_or_else(|| TantivyError::InternalError("a stored event is damaged".to_owned()))
    }

    /// The event with this id.
    ///
    /// # Errors
    /// A day cannot be read.
    pub fn get(&self, id: EventId) -> Result<Option<Hit>, IndexError> {
        let request = SearchRequest {
            query: format!("event.id:{id}"),
            from: Some(id.time()),
            to: Some(id.time().plus_nanos(1_000_000)),
            limit: 1,
            after: None,
        };
        Ok(self.search(&request)?.items.into_iter().next())
    }

    /// How many events match.
    ///
    /// # Errors
    /// As [`EventSearcher::search`].
    pub fn count(
        &self,
        query: &str,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<u64, IndexError> {
        let query = compile(query, &self.days.schema)?;
        let (from, to) = bounds(from, to);
        let mut total = 0;
        for (day, span) in self.days.between(from, to) {
            let searcher = self.days.searcher(day)?;
            let count = if span.is_within(from, to) {
                searcher.search(&*query, &Count).map(|count| count as u64)
            } else {
                let width = i64::MAX;
                let buckets = Buckets { from, to, width, count: 3 };
                searcher.search(&*query, &buckets).map(|counts| counts.iter().sum())
            };
            total += count.map_err(|error| self.days.error(day, error))?;
        }
        Ok(total)
    }

    /// The `limit` most frequent values of the field called `field`, with how many of the
    /// matching events have each; most frequent first.
    ///
    /// # Errors
    /// As [`EventSearcher::search`]; or the field is prose, whose values are not kept apart.
    pub fn count_by(
        &self,
        query: &str,
        field: &str,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        limit: usize,
    ) -> Result<Vec<(String, u64)>, IndexError> {
        if is_by_words(field) || matches!(field, "@timestamp" | "event.id") {
            return Err(IndexError::Query(QueryError {
                column: 1,
                problem: format!("events cannot be counted by {field}"),
                mend: "count by a field with short values, such as source.ip".to_owned(),
            }));
        }
        let query = compile(query, &self.days.schema)?;
        let (from, to) = bounds(from, to);
        let days = self.days.between(from, to);
        let searchers: Result<Vec<Searcher>, IndexError> =
            days.iter().map(|(day, _)| self.days.searcher(*day)).collect();
        let limit = limit.clamp(1, MAX_LIMIT);
        count_by(&searchers?, &self.days.schema, &*query, field, (from, to), limit).map_err(
            |error| {
                let path = self.days.dir().to_owned();
                IndexError::Day { path, error: Arc::new(error) }
            },
        )
    }

    /// How many events match in each of `buckets` (1–10,000) spans of equal width from `from` up
    /// to `to`: the start of each span and the count.
    ///
    /// # Errors
    /// As [`EventSearcher::search`].
    pub fn histogram(
        &self,
        query: &str,
        from: Timestamp,
        to: Timestamp,
        buckets: usize,
    ) -> Result<Vec<(Timestamp, u64)>, IndexError> {
        let query = compile(query, &self.days.schema)?;
        let count = buckets.clamp(1, MAX_BUCKETS);
        let length = to.since(from).max(1);
        let width =
            length.div_euclid(count as i64) + i64::from(length.rem_euclid(count as i64) != 0);
        let collector = Buckets { from: from.nanos(), to: to.nanos(), width, count };
        let mut total = vec![0; count];
        for (day, _) in self.days.between(from.nanos(), to.nanos()) {
            let searcher = self.days.searcher(day)?;
            let counts = searcher
                .search(&*query, &collector)
                .map_err(|error| self.days.error(day, error))?;
            total.iter_mut().zip(counts).for_each(|(total, count)| *total += count);
        }
        let start = |index: usize| from.plus_nanos(width.saturating_mul(index as i64));
        Ok(total.into_iter().enumerate().map(|(index, count)| (start(index), count)).collect())
    }
}
