//! Feeds events to the windows of all correlations.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use vigie_event::{Event, Timestamp, fingerprint};

use super::group::{self, Keys};
use super::pool::Pool;
use super::snapshot;
use super::window::{Outcome, Raised, Sighting};
use super::{Correlation, Firing, LATENESS, SnapshotError, WindowKey};
use crate::set::Feed;
use crate::spec::Aggregate;
use crate::{RuleIndex, RuleSet};

/// Windows of all correlations together: about 60 MB when every one is full.
const WINDOWS: usize = 131_072;
/// Bounds of one correlation's windows.
const LEAST_WINDOWS: usize = 2_048;
const MOST_WINDOWS: usize = 32_768;
/// Sources of which the time is followed; windows of further ones only give way to others.
const MAX_CLOCKS: usize = 4_096;

/// Correlation windows: event time, bounded memory, no event counted twice.
///
/// Every group of a correlation has a window that slides over its events. When the condition
/// holds in a window an alert is raised; it grows with each further event of the group until
/// none came for the timespan, and only then may another be raised. A correlation that is an
/// input of another feeds it whenever it raises, and `temporal` ones when it grows as well: they
/// ask when something was last seen.
///
/// Events may come late: up to 30 s after newer ones they are counted in the right window. A
/// time that lies further ahead of the time of reading than that is replaced by the latter,
/// since whoever forges a time could else push out the windows of a slow attack.
#[derive(Debug)]
pub struct Correlator {
    rules: Arc<RuleSet>,
    pools: Vec<Pool>,
    /// By source: the time of its newest arrival.
    clocks: FxHashMap<u64, i64>,
    keys: Keys,
    pending: Vec<(RuleIndex, Cause)>,
    dropped: Vec<String>,
}

/// Why a rule feeds correlations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// A detection matched.
    Matched,
    /// A correlation raised an alert.
    Raised,
    /// A correlation's alert grew.
    Grew,
}

/// What the correlations need to know of an event.
#[derive(Clone, Copy)]
struct Arrival<'e> {
    event: &'e Event,
    time: i64,
    source: u64,
    owner: u64,
}

impl Correlator {
    /// A correlator without windows.
    pub fn new(rules: Arc<RuleSet>) -> Self {
        let correlations = rules.correlations.len();
        let capacity = (WINDOWS / correlations.max(1)).clamp(LEAST_WINDOWS, MOST_WINDOWS);
        Self {
            pools: (0..correlations).map(|_| Pool::new(capacity)).collect(),
            clocks: FxHashMap::default(),
            keys: Keys::new(rules.selectors.len()),
            pending: Vec::with_capacity(64),
            dropped: Vec::new(),
            rules,
        }
    }

    /// Feeds an event and the detections that it matched; appends what fired to `fired`.
    pub fn observe(&mut self, event: &Event, matched: &[RuleIndex], fired: &mut Vec<Firing>) {
        let feeds = |rule: &RuleIndex| !feeds_of(&self.rules, *rule).is_empty();
        if !matched.iter().any(feeds) {
            return;
        }
        let arrival = self.arrive(event);
        self.keys.next_event();
        self.pending.clear();
        self.pending.extend(matched.iter().map(|rule| (*rule, Cause::Matched)));
        let rules = Arc::clone(&self.rules);
        let mut next = 0;
        while let Some((rule, cause)) = self.pending.get(next).copied() {
            next += 1;
            for feed in feeds_of(&rules, rule) {
                if let Some(correlation) = rules.correlations.get(feed.correlation as usize) {
                    self.feed(&rules, correlation, *feed, cause, arrival, fired);
                }
            }
        }
    }

    /// Settles the event's time and moves its source's clock.
    fn arrive<'e>(&mut self, event: &'e Event) -> Arrival<'e> {
        let latest = event.observed.nanos().saturating_add(LATENESS);
        let was_read = event.observed != Timestamp::default();
        let time = if was_read && event.time.nanos() > latest {
            event.observed.nanos()
        } else {
            event.time.nanos()
        };
        let source = event.source.as_ref().map_or(0, |source| source.fingerprint);
        // The clock follows the newest arrival even backwards: one wrong time far ahead must not
        // make everything after it late.
        if self.clocks.len() < MAX_CLOCKS || self.clocks.contains_key(&source) {
            self.clocks.insert(source, time);
        }
        Arrival { event, time, source, owner: group::owner(event) }
    }

    fn feed(
        &mut self,
        rules: &RuleSet,
        correlation: &Correlation,
        feed: Feed,
        cause: Cause,
        arrival: Arrival<'_>,
        fired: &mut Vec<Firing>,
    ) {
        let temporal = correlation.aggregate == Aggregate::Temporal;
        if cause == Cause::Grew && !temporal {
            return;
        }
        let Arrival { event, time, source, owner } = arrival;
        let group_place = correlation.groups.get(feed.input as usize).copied().unwrap_or(0);
        let Some(key) = self.hash(rules, event, group_place) else {
            return;
        };
        let value = match correlation.aggregate {
            Aggregate::EventCount => Some(0),
            Aggregate::Temporal => Some(u64::from(feed.input)),
            Aggregate::ValueCount | Aggregate::NewValue => {
                self.hash(rules, event, correlation.values)
            }
        };
        let Some(value) = value else {
            return;
        };
        let weight = if cause == Cause::Matched { u64::from(event.repeat.max(1)) } else { 1 };
        let Some(pool) = self.pools.get_mut(feed.correlation as usize) else {
            return;
        };
        let clocks = &self.clocks;
        pool.sweep(|slot| {
            let over = slot
                .window
                .last
                .saturating_add(correlation.timespan)
                .saturating_add(LATENESS);
            slot.key != key && clocks.get(&slot.source).is_some_and(|clock| *clock > over)
        });
        let place = pool.place(key, owner, source);
        let sighting = Sighting { time, id: event.id, weight, value };
        let outcome = pool.change(place, source, |window| {
            let outcome = window.hear(correlation, sighting);
            if let Outcome::Raised(raised) = &outcome {
                let name = window_key(rules, correlation, key, raised);
                // A new value is an alert of its own, whatever else the group does.
                if correlation.aggregate != Aggregate::NewValue {
                    window.raise(name, raised);
                }
            }
            outcome
        });
        match outcome {
            Some(Outcome::Grown(open)) => {
                fired.push(Firing {
                    rule: correlation.rule,
                    window: open.window,
                    raised: false,
                    group: Vec::new(),
                    events: Vec::new(),
                    first: Timestamp::from_nanos(open.first),
                    last: Timestamp::from_nanos(open.last),
                    count: open.count,
                });
                self.pending.push((correlation.rule, Cause::Grew));
            }
            Some(Outcome::Raised(raised)) => {
                let window = window_key(rules, correlation, key, &raised);
                let fields = rules.selectors.get(group_place as usize);
                let fields = fields.map(|fields| &**fields).unwrap_or_default();
                let (first, last) = raised.times();
                fired.push(Firing {
                    rule: correlation.rule,
                    window,
                    raised: true,
                    group: group::values(event, &correlation.group_by, fields),
                    events: raised.events,
                    first,
                    last,
                    count: raised.count,
                });
                self.pending.push((correlation.rule, Cause::Raised));
            }
            Some(Outcome::Known | Outcome::Counted) | None => {}
        }
    }

    fn hash(&mut self, rules: &RuleSet, event: &Event, selector: u32) -> Option<u64> {
        let fields = rules.selectors.get(selector as usize)?;
        self.keys.hash(event, selector, fields)
    }

    /// All windows as bytes: versioned and compact.
    pub fn snapshot(&self) -> Vec<u8> {
        let parts = self.rules.correlations.iter().zip(&self.pools).map(|(correlation, pool)| {
            let rule = self.rules.rule(correlation.rule).map(|rule| &rule.reference);
            snapshot::Part {
                rule_id: rule.map_or("", |rule| &rule.id),
                rule_version: rule.map_or("", |rule| &rule.version),
                pool,
            }
        });
        snapshot::write(&self.clocks, parts)
    }

    /// The windows of a snapshot, for `rules`. Windows of correlations that are gone or changed
    /// are dropped; [`Correlator::dropped`] names these.
    ///
    /// # Errors
    /// The bytes are no snapshot, of another format version, or damaged.
    pub fn restore(rules: Arc<RuleSet>, snapshot: &[u8]) -> Result<Self, SnapshotError> {
        let mut correlator = Self::new(rules);
        let (clocks, blocks) = snapshot::read(snapshot)?;
        correlator.clocks = clocks;
        for block in blocks {
            let rule = correlator.rules.by_id(block.rule_id);
            let place = rule
                .filter(|rule| rule.reference.version == block.rule_version)
                .and_then(|rule| {
                    let correlations = &correlator.rules.correlations;
                    correlations.iter().position(|correlation| correlation.rule == rule.index)
                });
            match place.and_then(|place| correlator.pools.get_mut(place)) {
                Some(pool) => snapshot::read_pool(block.bytes, pool)?,
                None => correlator.dropped.push(block.rule_id.to_owned()),
            }
        }
        Ok(correlator)
    }

    /// Ids of the correlations whose windows could not be restored, since they are gone or
    /// changed.
    pub fn dropped(&self) -> &[String] {
        &self.dropped
    }

    /// Windows that are live at the moment.
    pub fn windows(&self) -> usize {
        self.pools.iter().map(Pool::len).sum()
    }
}

fn feeds_of(rules: &RuleSet, rule: RuleIndex) -> &[Feed] {
    rules.feeds.get(rule.index()).map(|feeds| &**feeds).unwrap_or_default()
}

fn window_key(
    rules: &RuleSet,
    correlation: &Correlation,
    group: u64,
    raised: &Raised,
) -> WindowKey {
    let id = rules.rule(correlation.rule).map_or("", |rule| &rule.reference.id);
    let first = raised.events.first().copied().unwrap_or_default();
    let mut bytes = Vec::with_capacity(id.len() + 24);
    bytes.extend_from_slice(&group.to_le_bytes());
    bytes.extend_from_slice(&first.as_u128().to_le_bytes());
    bytes.extend_from_slice(id.as_bytes());
    WindowKey(fingerprint(&bytes))
}
