//! The events that rules matched lately: evidence for the correlations that they may complete.
//!
//! A correlation fires on its fifth event and names the four before it; this is where their raw
//! records and entities are found. A ring of fixed size, so no flood makes it grow: what it has
//! pushed out keeps its id in the alert, and its raw record in the journal.

use std::collections::VecDeque;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use vigie_event::{Event, EventId, Evidence, Source, Timestamp};

use crate::clocks::to_micros;
use crate::facets::{self, Facet, Facets};

/// Events in the ring; a power of two.
const EVENTS: u64 = 8_192;
/// Bytes of raw records and facets in the ring.
const ARENA: u64 = 2 << 20;
/// Hash buckets; a power of two.
const BUCKETS: usize = 16_384;
/// Bytes kept of a raw record, as in [`Evidence`].
const RAW_BYTES: usize = 2_048;
/// No place in the ring.
const NONE: u16 = u16::MAX;

#[derive(Clone, Debug)]
struct Entry {
    id: EventId,
    time: Timestamp,
    offset: u64,
    /// Place in all bytes ever written; the arena holds the last [`ARENA`] of them.
    start: u64,
    raw_bytes: u16,
    facet_bytes: u16,
    /// Place of the entry before it in its bucket; one that is newer by now has pushed that out.
    before: u16,
}

/// Entries in a row that are of one source: these need not name it each.
#[derive(Debug)]
struct Run {
    /// Number of its first entry, from 0.
    first: u64,
    source: Option<Arc<Source>>,
}

/// The ring.
#[derive(Debug)]
pub(crate) struct Recent {
    entries: Vec<Entry>,
    /// Of all entries in the ring, oldest first.
    runs: VecDeque<Run>,
    /// Entries ever made: the next one's number.
    made: u64,
    /// Place of the newest entry of each bucket.
    buckets: Vec<u16>,
    /// Entries that stand in the buckets, or were pushed out before. Two in a row are never near
    /// each other there, so they are put in together when something is looked for.
    sorted: u64,
    arena: Vec<u8>,
    /// Bytes ever written, those skipped at the arena's end included.
    written: u64,
}

/// An event of the ring.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RecentEvent<'r> {
    entry: &'r Entry,
    source: Option<&'r Arc<Source>>,
    raw: &'r [u8],
    facets: &'r [u8],
}

impl Default for Recent {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            runs: VecDeque::new(),
            made: 0,
            buckets: vec![NONE; BUCKETS],
            sorted: 0,
            arena: Vec::with_capacity(ARENA as usize),
            written: 0,
        }
    }
}

impl Recent {
    /// Keeps `event`, whose facets are `facets`. Allocates nothing once the ring is full.
    pub(crate) fn push(&mut self, event: &Event, facets: &Facets) {
        let text = event.text();
        let end = text.floor_char_boundary(RAW_BYTES.min(text.len()));
        let raw = text.as_bytes().get(..end).unwrap_or_default();
        let facets = facets.bytes();
        let length = (raw.len() + facets.len()) as u64;
        let room = ARENA - self.written % ARENA;
        let start = if length > room { self.written + room } else { self.written };
        self.write(start, raw, facets);
        self.written = start + length;
        self.put(
            Entry {
                id: event.id(),
                time: to_micros(event.time),
                offset: event.offset,
                start,
                raw_bytes: raw.len() as u16,
                facet_bytes: facets.len() as u16,
                before: NONE,
            },
            event.source.as_ref(),
        );
    }

    /// The event called `id`, while the ring holds it.
    pub(crate) fn find(&mut self, id: EventId) -> Option<RecentEvent<'_>> {
        self.sort();
        let mut place = *self.buckets.get(bucket_of(id))?;
        let mut least_age = 0;
        while let Some(entry) = self.entries.get(usize::from(place)) {
            // What is not older than the one before it has taken the place of one that was.
            let age = self.made.wrapping_sub(u64::from(place) + 1) % EVENTS;
            if age < least_age {
                return None;
            }
            if entry.id == id {
                return self.resolve(self.made - 1 - age, entry);
            }
            least_age = age + 1;
            place = entry.before;
        }
        None
    }

    fn write(&mut self, start: u64, raw: &[u8], facets: &[u8]) {
        let place = (start % ARENA) as usize;
        let middle = place + raw.len();
        let end = middle + facets.len();
        if self.arena.len() < end {
            self.arena.resize(end, 0);
        }
        if let Some(target) = self.arena.get_mut(place..end) {
            let (front, back) = target.split_at_mut(raw.len());
            front.copy_from_slice(raw);
            back.copy_from_slice(facets);
        }
    }

    /// Puts those entries into the buckets that are not there yet.
    fn sort(&mut self) {
        let first = self.sorted.max(self.made.saturating_sub(EVENTS));
        for number in first..self.made {
            let place = (number % EVENTS) as usize;
            if let Some(entry) = self.entries.get_mut(place)
                && let Some(newest) = self.buckets.get_mut(bucket_of(entry.id))
            {
                entry.before = std::mem::replace(newest, place as u16);
            }
        }
        self.sorted = self.made;
    }

    /// Puts `entry` of `source` into the place of the oldest.
    fn put(&mut self, entry: Entry, source: Option<&Arc<Source>>) {
        let goes_on = self.runs.back().is_some_and(|run| match (&run.source, source) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        });
        if !goes_on {
            let oldest = self.made.saturating_sub(EVENTS);
            while self.runs.get(1).is_some_and(|next| next.first <= oldest) {
                self.runs.pop_front();
            }
            self.runs.push_back(Run { first: self.made, source: source.cloned() });
        }
        match self.entries.get_mut((self.made % EVENTS) as usize) {
            Some(old) => *old = entry,
            None => self.entries.push(entry),
        }
        self.made += 1;
    }

    /// The entry with this number (from 1), unless it was pushed out.
    fn entry(&self, number: u64) -> Option<&Entry> {
        let index = number.checked_sub(1)?;
        if self.made - index > EVENTS {
            return None;
        }
        self.entries.get((index % EVENTS) as usize)
    }

    /// The event of the entry with this number, from 0.
    fn resolve<'r>(&'r self, number: u64, entry: &'r Entry) -> Option<RecentEvent<'r>> {
        if self.written - entry.start > ARENA {
            return None;
        }
        let place = (entry.start % ARENA) as usize;
        let middle = place + usize::from(entry.raw_bytes);
        let run = self.runs.partition_point(|run| run.first <= number).checked_sub(1)?;
        Some(RecentEvent {
            entry,
            source: self.runs.get(run)?.source.as_ref(),
            raw: self.arena.get(place..middle)?,
            facets: self.arena.get(middle..middle + usize::from(entry.facet_bytes))?,
        })
    }

    /// The ring as plain values.
    pub(crate) fn save(&self) -> SavedRecent {
        let mut sources: Vec<Source> = Vec::new();
        let mut events = Vec::new();
        let oldest = self.made.saturating_sub(EVENTS);
        for number in oldest + 1..=self.made {
            let entry = self.entry(number);
            let Some(event) = entry.and_then(|entry| self.resolve(number - 1, entry)) else {
                continue;
            };
            let entry = event.entry;
            let source = event.source.map(|source| &**source).map(|source| {
                let known = sources.iter().position(|kept| kept == source);
                known.unwrap_or_else(|| {
                    sources.push(source.clone());
                    sources.len() - 1
                })
            });
            events.push(SavedEvent {
                number,
                id: entry.id,
                time: entry.time,
                source,
                offset: entry.offset,
                start: entry.start,
                raw: String::from_utf8_lossy(event.raw).into_owned(),
                facets: to_hex(event.facets),
            });
        }
        SavedRecent { sources, events, made: self.made, written: self.written }
    }

    /// The ring that [`Recent::save`] wrote.
    pub(crate) fn restore(saved: SavedRecent) -> Self {
        let mut recent = Self::default();
        let sources: Vec<Arc<Source>> = saved.sources.into_iter().map(Arc::new).collect();
        let filler = Entry {
            id: EventId::default(),
            time: Timestamp::default(),
            offset: 0,
            start: 0,
            raw_bytes: 0,
            facet_bytes: 0,
            before: NONE,
        };
        recent.entries = vec![filler; saved.made.min(EVENTS) as usize];
        for event in saved.events {
            let facets = from_hex(&event.facets);
            recent.made = event.number.saturating_sub(1);
            recent.sorted = recent.made;
            recent.write(event.start, event.raw.as_bytes(), &facets);
            let source = event.source.and_then(|index| sources.get(index));
            recent.put(
                Entry {
                    id: event.id,
                    time: event.time,
                    offset: event.offset,
                    start: event.start,
                    raw_bytes: event.raw.len() as u16,
                    facet_bytes: facets.len() as u16,
                    before: NONE,
                },
                source,
            );
            recent.sort();
        }
        recent.made = saved.made;
        recent.sorted = saved.made;
        recent.written = saved.written;
        recent
    }
}

impl<'r> RecentEvent<'r> {
    /// It as evidence.
    pub(crate) fn evidence(self) -> Evidence {
        Evidence {
            event: self.entry.id,
            time: self.entry.time,
            source: self.source.map_or("", |source| &source.name).into(),
            offset: self.entry.offset,
            raw: facets::text_of(self.raw).into_owned(),
        }
    }

    /// Its entities.
    pub(crate) fn facets(self) -> impl Iterator<Item = (Facet<'r>, u64)> {
        facets::iter(self.facets).map(|facet| (facet, facet.hash()))
    }
}

fn bucket_of(id: EventId) -> usize {
    // The low bits of an identifier are those of a hash.
    id.as_u128() as usize & (BUCKETS - 1)
}

/// The ring in a snapshot.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct SavedRecent {
    sources: Vec<Source>,
    events: Vec<SavedEvent>,
    made: u64,
    written: u64,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedEvent {
    number: u64,
    id: EventId,
    time: Timestamp,
    source: Option<usize>,
    offset: u64,
    start: u64,
    raw: String,
    /// In hexadecimal: half the size of a list of numbers.
    facets: String,
}

fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| DIGITS.get(usize::from(value)).copied().map_or('0', char::from);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn from_hex(text: &str) -> Vec<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16).unwrap_or(0) as u8;
    let pairs = text.as_bytes().chunks_exact(2);
    pairs.map(|pair| pair.iter().fold(0, |value, byte| value << 4 | digit(*byte))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigie_event::{RecordRef, field};

    fn push(recent: &mut Recent, number: u64, raw: &[u8]) -> EventId {
        let source = Source::file("auth.log", 1, None);
        let mut event = Event::default();
        let time = Timestamp::from_seconds(1_700_000_000 + number as i64);
        event.begin(&RecordRef { source: &source, offset: number, observed: time, bytes: raw });
        event.fields_mut().1.fixed(field::USER_NAME, "root");
        event.finish(time);
        let mut facets = Facets::default();
        facets.read(&event);
        recent.push(&event, &facets);
        event.id()
    }

    #[test]
    fn finds_what_it_holds_and_no_more() {
        let mut recent = Recent::default();
        let ids: Vec<_> = (0..EVENTS + 10)
            .map(|n| push(&mut recent, n, format!("line {n}").as_bytes()))
            .collect();
        assert!(recent.find(ids[9]).is_none());
        let found = recent.find(ids[10]).unwrap().evidence();
        assert_eq!((found.raw.as_str(), found.offset), ("line 10", 10));
        let newest = recent.find(*ids.last().unwrap()).unwrap();
        assert_eq!(newest.facets().map(|(facet, _)| facet.text()).collect::<Vec<_>>(), ["root"]);
    }

    #[test]
    fn long_records_push_each_other_out() {
        let mut recent = Recent::default();
        let line = vec![b'x'; 5_000];
        let ids: Vec<_> = (0..2_000).map(|n| push(&mut recent, n, &line)).collect();
        assert!(recent.find(ids[0]).is_none());
        assert_eq!(recent.find(ids[1_999]).unwrap().evidence().raw.len(), RAW_BYTES);
        let held = ids.iter().filter(|id| recent.find(**id).is_some()).count();
        assert!((900..=1_024).contains(&held), "{held}");
    }

    #[test]
    fn a_restored_ring_holds_and_loses_the_same() {
        let mut recent = Recent::default();
        let mut ids: Vec<_> =
            (0..3_000).map(|n| push(&mut recent, n, &vec![b'x'; 1_500 + n as usize % 7])).collect();
        let text = serde_json::to_string(&recent.save()).unwrap();
        let mut again = Recent::restore(serde_json::from_str(&text).unwrap());
        for n in 3_000..4_000 {
            ids.push(push(&mut recent, n, b"short"));
            push(&mut again, n, b"short");
        }
        for id in ids {
            let (one, other) = (recent.find(id), again.find(id));
            assert_eq!(one.map(RecentEvent::evidence), other.map(RecentEvent::evidence));
        }
    }
}
