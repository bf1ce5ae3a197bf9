//! Feeds events to the windows of all correlations.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use vigie_event::{Event, FieldId, Timestamp, fingerprint};

use super::group::{self, Keys};
use super::pool::Pool;
use super::snapshot;
use super::window::{Open, Outcome, Raised, Sighting};
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
        if matched.iter().all(|rule| feeds_of(&self.rules, *rule).is_empty()) {
            return;
        }
        let arrival = self.arrive(event);
        let Self { rules, pools, clocks, keys, pending, .. } = self;
        keys.next_event();
        pending.clear();
        pending.extend(matched.iter().map(|rule| (*rule, Cause::Matched)));
        let mut feeder = Feeder { rules, pools, clocks, keys, arrival };
        let mut next = 0;
        while let Some((rule, cause)) = pending.get(next).copied() {
            next += 1;
            for feed in feeds_of(rules, rule) {
                let Some(firing) = feeder.feed(*feed, cause) else {
                    continue;
                };
                let cause = if firing.raised { Cause::Raised } else { Cause::Grew };
                pending.push((firing.rule, cause));
                fired.push(firing);
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
        if let Some(clock) = self.clocks.get_mut(&source) {
            *clock = time;
        } else if self.clocks.len() < MAX_CLOCKS {
            self.clocks.insert(source, time);
        }
        Arrival { event, time, source, owner: group::owner(event) }
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
            let place =
                rule.filter(|rule| rule.reference.version == block.rule_version).and_then(|rule| {
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

/// One event on its way through the windows.
struct Feeder<'f> {
    rules: &'f RuleSet,
    pools: &'f mut [Pool],
    clocks: &'f FxHashMap<u64, i64>,
    keys: &'f mut Keys,
    arrival: Arrival<'f>,
}

impl Feeder<'_> {
    /// Feeds one correlation; tells what fired.
    fn feed(&mut self, feed: Feed, cause: Cause) -> Option<Firing> {
        let rules = self.rules;
        let correlation = rules.correlations.get(feed.correlation as usize)?;
        if cause == Cause::Grew && correlation.aggregate != Aggregate::Temporal {
            return None;
        }
        let Arrival { event, time, source, owner } = self.arrival;
        let group_place = correlation.groups.get(feed.input as usize).copied()?;
        let key = self.hash(group_place)?;
        let value = match correlation.aggregate {
            Aggregate::EventCount => 0,
            Aggregate::Temporal => u64::from(feed.input),
            Aggregate::ValueCount | Aggregate::NewValue => self.hash(correlation.values)?,
        };
        let weight = if cause == Cause::Matched { u64::from(event.repeat.max(1)) } else { 1 };
        let clocks = self.clocks;
        let pool = self.pools.get_mut(feed.correlation as usize)?;
        let place = pool.place(key, owner, source);
        let sighting = Sighting { time, id: event.id, weight, value };
        let fired = pool.change(place, source, |window| {
            match window.hear(correlation, sighting) {
                Outcome::Known | Outcome::Counted => None,
                Outcome::Grown(open) => Some(grown(correlation, open)),
                Outcome::Raised(raised) => {
                    let name = window_key(rules, correlation, key, &raised);
                    // A new value is an alert of its own, whatever else the group does.
                    if correlation.aggregate != Aggregate::NewValue {
                        window.raise(name, &raised);
                    }
                    let fields = rules.selectors.get(group_place as usize)?;
                    let group = group::values(event, &correlation.group_by, fields);
                    Some(new_alert(correlation, name, group, raised))
                }
            }
        });
        pool.sweep(|slot| {
            let lasts = correlation.timespan.saturating_add(LATENESS);
            let over = slot.window.last.saturating_add(lasts);
            slot.key != key && clocks.get(&slot.source).is_some_and(|clock| *clock > over)
        });
        fired.flatten()
    }

    fn hash(&mut self, selector: u32) -> Option<u64> {
        let fields = self.rules.selectors.get(selector as usize)?;
        self.keys.hash(self.arrival.event, selector, fields)
    }
}

fn grown(correlation: &Correlation, open: Open) -> Firing {
    Firing {
        rule: correlation.rule,
        window: open.window,
        raised: false,
        group: Vec::new(),
        events: Vec::new(),
        first: Timestamp::from_nanos(open.first),
        last: Timestamp::from_nanos(open.last),
        count: open.count,
    }
}

fn new_alert(
    correlation: &Correlation,
    window: WindowKey,
    group: Vec<(FieldId, Box<str>)>,
    raised: Raised,
) -> Firing {
    let Raised { first, last, count, events } = raised;
    Firing {
        rule: correlation.rule,
        window,
        raised: true,
        group,
        events,
        first: Timestamp::from_nanos(first),
        last: Timestamp::from_nanos(last),
        count,
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
