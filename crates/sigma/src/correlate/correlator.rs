//! Feeds events to the windows of all correlations.

use std::sync::Arc;

use smallvec::SmallVec;
use vigie_event::{CompactString, Event, FieldId, Timestamp, fingerprint};

use super::clocks::Clocks;
use super::group::{self, Keys};
use super::overdue::{Deadlines, Due, Watch};
use super::pool::Pool;
use super::snapshot;
use super::window::{Extra, Open, Outcome, Raised, Sighting};
use super::{Correlation, Firing, LATENESS, SnapshotError, WindowKey};
use crate::set::Feed;
use crate::spec::Aggregate;
use crate::{RuleIndex, RuleSet};

/// Windows of all correlations together: about 60 MB when every one is full.
const WINDOWS: usize = 131_072;
/// Bounds of one correlation's windows.
const LEAST_WINDOWS: usize = 2_048;
const MOST_WINDOWS: usize = 32_768;

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
///
/// How exact: counts, sums and means are exact up to 1,024 events in a window, beyond that a
/// window's edge is up to a 1,024th of the timespan off. Distinct values, percentiles and shares
/// are exact up to 4,096 values or events, beyond that estimated from at least 1,024 of them:
/// with a standard error of 3.1 % of the count, and of at most 1.6 % of the rank.
#[derive(Debug)]
pub struct Correlator {
    rules: Arc<RuleSet>,
    pools: Vec<Pool>,
    clocks: Clocks,
    keys: Keys,
    pending: Vec<(RuleIndex, Cause)>,
    dropped: Vec<String>,
    deadlines: Deadlines,
    /// Whether any correlation waits for what does not come.
    waits: bool,
    late: u64,
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
    /// Whether it was read when it happened.
    live: bool,
}

impl Correlator {
    /// A correlator without windows.
    pub fn new(rules: Arc<RuleSet>) -> Self {
        let correlations = rules.correlations.len();
        let capacity = (WINDOWS / correlations.max(1)).clamp(LEAST_WINDOWS, MOST_WINDOWS);
        Self {
            pools: (0..correlations).map(|_| Pool::new(capacity)).collect(),
            clocks: Clocks::default(),
            keys: Keys::new(rules.selectors.len()),
            pending: Vec::with_capacity(64),
            dropped: Vec::new(),
            deadlines: Deadlines::default(),
            waits: rules.correlations.iter().any(|c| c.aggregate == Aggregate::Absence),
            late: 0,
            rules,
        }
    }

    /// Feeds an event and the detections that it matched; appends what fired to `fired`.
    #[inline]
    pub fn observe(&mut self, event: &Event, matched: &[RuleIndex], fired: &mut Vec<Firing>) {
        if !matched.is_empty() || self.waits {
            self.take_in(event, matched, fired);
        }
    }

    fn take_in(&mut self, event: &Event, matched: &[RuleIndex], fired: &mut Vec<Firing>) {
        let feeds_none = matched.iter().all(|rule| feeds_of(&self.rules, *rule).is_empty());
        if feeds_none && !self.waits {
            return;
        }
        let arrival = self.arrive(event);
        if self.waits {
            self.find_overdue(arrival, fired);
        }
        if feeds_none {
            return;
        }
        let Self { rules, pools, clocks, keys, pending, deadlines, .. } = self;
        keys.next_event();
        pending.clear();
        pending.extend(matched.iter().map(|rule| (*rule, Cause::Matched)));
        let mut feeder = Feeder { rules, pools, clocks, keys, deadlines, arrival };
        let mut next = 0;
        while let Some((rule, cause)) = pending.get(next).copied() {
            next += 1;
            for feed in feeds_of(rules, rule) {
                if let Some((rule, cause)) = feeder.feed(*feed, cause, fired)
                    && !feeds_of(rules, rule).is_empty()
                {
                    pending.push((rule, cause));
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
        if let Some(clock) = self.clocks.set(source, time) {
            self.late += u64::from(time < clock.saturating_sub(LATENESS));
        }
        let lag = event.observed.nanos().saturating_sub(time);
        let live = was_read && lag <= LATENESS;
        Arrival { event, time, source, live }
    }

    /// Raises what is overdue now.
    fn find_overdue(&mut self, arrival: Arrival<'_>, fired: &mut Vec<Firing>) {
        if self.deadlines.len() > 2 * WINDOWS {
            self.deadlines = Deadlines::default();
            self.wait_again();
        }
        let live = arrival.live.then_some(Watch::Live);
        for watch in std::iter::once(Watch::Source(arrival.source)).chain(live) {
            while let Some(due) = self.deadlines.next_before(watch, arrival.time) {
                self.look_after(watch, due, arrival.time, fired);
            }
        }
    }

    /// Looks at a group that was due: it may have been heard of since, be gone, or be overdue.
    fn look_after(&mut self, watch: Watch, due: Due, now: i64, fired: &mut Vec<Firing>) {
        let Self { rules, pools, deadlines, .. } = self;
        let found = rules.correlations.get(due.correlation as usize);
        let pool = pools.get_mut(due.correlation as usize);
        let (Some(correlation), Some(pool)) = (found, pool) else {
            return;
        };
        let Some(slot) = pool.find(due.key) else {
            return;
        };
        let watched = match watch {
            Watch::Source(source) => slot.source == source,
            Watch::Live => slot.window.extra.as_ref().is_some_and(|extra| extra.live),
        };
        // One that changed its source is waited for there.
        if !watched || slot.window.open.is_some() {
            return;
        }
        let Some(last) = slot.window.cells.back().copied() else {
            return;
        };
        let time = deadline(correlation, last.time);
        // Heard of since: it takes its turn, so that what is overdue is told in order.
        if time >= now || time > due.time {
            deadlines.wait(watch, Due { time, ..due });
            return;
        }
        let end = last.time.saturating_add(correlation.timespan);
        let raised = Raised { first: last.time, last: end, count: 1, events: vec![last.id] };
        let window = window_key(rules, correlation, due.key, &raised);
        slot.window.open = Some(Open { window, first: last.time, last: end, count: 1 });
        let values = slot.window.extra.iter().flat_map(|extra| extra.group.iter().cloned());
        let group = correlation.group_by.iter().copied().zip(values).collect();
        fired.push(Firing { overdue: true, ..new_alert(correlation, window, group, raised) });
    }

    /// Events that came over 30 s after newer ones of their source, since this was made or
    /// restored.
    pub fn late(&self) -> u64 {
        self.late
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
                Some(pool) => {
                    snapshot::read_pool(block.bytes, pool)?;
                }
                None => correlator.dropped.push(block.rule_id.to_owned()),
            }
        }
        correlator.wait_again();
        Ok(correlator)
    }

    /// Waits for the groups of restored windows.
    fn wait_again(&mut self) {
        let Self { rules, pools, deadlines, .. } = self;
        for (place, (correlation, pool)) in rules.correlations.iter().zip(pools).enumerate() {
            if correlation.aggregate != Aggregate::Absence {
                continue;
            }
            for slot in pool.slots.iter().filter(|slot| slot.taken && slot.window.open.is_none()) {
                let Some(last) = slot.window.cells.back() else {
                    continue;
                };
                let time = deadline(correlation, last.time);
                let due = Due { time, correlation: place as u32, key: slot.key };
                deadlines.wait(Watch::Source(slot.source), due);
                if slot.window.extra.as_ref().is_some_and(|extra| extra.live) {
                    deadlines.wait(Watch::Live, due);
                }
            }
        }
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
    clocks: &'f Clocks,
    keys: &'f mut Keys,
    deadlines: &'f mut Deadlines,
    arrival: Arrival<'f>,
}

impl Feeder<'_> {
    /// Feeds one correlation; appends what fired to `fired` and tells which rule did, and how.
    fn feed(
        &mut self,
        feed: Feed,
        cause: Cause,
        fired: &mut Vec<Firing>,
    ) -> Option<(RuleIndex, Cause)> {
        let rules = self.rules;
        let correlation = rules.correlations.get(feed.correlation as usize)?;
        if cause == Cause::Grew && !correlation.aggregate.counts_inputs() {
            return None;
        }
        let Arrival { event, time, source, .. } = self.arrival;
        let key = self.hash(feed.group)?;
        let value = match correlation.aggregate {
            Aggregate::EventCount | Aggregate::Absence => 0,
            Aggregate::Temporal | Aggregate::TemporalOrdered => u64::from(feed.input),
            Aggregate::ValueCount | Aggregate::NewValue | Aggregate::ValueShare => {
                self.hash(feed.values?)?
            }
            Aggregate::ValueSum | Aggregate::ValueAverage | Aggregate::ValuePercentile(_) => {
                let field = rules.selectors.get(feed.values? as usize)?.first()?;
                group::number(event, *field)?.to_bits()
            }
        };
        let weight = if cause == Cause::Matched { u64::from(event.repeat.max(1)) } else { 1 };
        let clocks = self.clocks;
        let pool = self.pools.get_mut(feed.correlation as usize)?;
        let place = pool.place(key, || group::owner(event), source);
        let sighting = Sighting { time, id: event.id(), weight, value };
        if correlation.aggregate == Aggregate::Absence {
            self.expect(feed, place, sighting);
            return None;
        }
        let how = pool.change(place, source, |window| {
            match window.hear(correlation, sighting) {
                Outcome::Known | Outcome::Counted => None,
                Outcome::Grown(open) => {
                    fired.push(grown(correlation, open));
                    Some(Cause::Grew)
                }
                Outcome::Raised(raised) => {
                    let name = window_key(rules, correlation, key, &raised);
                    // A new value is an alert of its own, whatever else the group does.
                    if correlation.aggregate != Aggregate::NewValue {
                        window.raise(name, &raised);
                    }
                    let fields = rules.selectors.get(feed.group as usize)?;
                    let group = group::values(event, &correlation.group_by, fields);
                    fired.push(new_alert(correlation, name, group, raised));
                    Some(Cause::Raised)
                }
            }
        });
        pool.sweep(|slot| {
            let lasts = correlation.timespan.saturating_add(LATENESS);
            let over = slot.window.last.saturating_add(lasts);
            slot.key != key && clocks.get(slot.source).is_some_and(|clock| clock > over)
        });
        how.flatten().map(|how| (correlation.rule, how))
    }

    /// Takes in what was waited for, and waits for the next.
    fn expect(&mut self, feed: Feed, place: u32, sighting: Sighting) {
        let Arrival { event, source, live, .. } = self.arrival;
        let correlation = self.rules.correlations.get(feed.correlation as usize);
        let pool = self.pools.get_mut(feed.correlation as usize);
        let fields = self.rules.selectors.get(feed.group as usize);
        let (Some(correlation), Some(pool), Some(fields)) = (correlation, pool, fields) else {
            return;
        };
        let Some(slot) = pool.slot(place) else {
            return;
        };
        let (key, before) = (slot.key, slot.source);
        let was_live = slot.window.extra.as_ref().is_some_and(|extra| extra.live);
        let is_new = slot.window.extra.is_none() || slot.window.open.is_some();
        pool.change(place, source, |window| {
            let extra = window.extra.get_or_insert_with(|| {
                let named = group::values(event, &correlation.group_by, fields);
                let group = named.into_iter().map(|(_, value)| value).collect();
                Box::new(Extra { group, ..Extra::default() })
            });
            extra.live = live;
            // An alert that it is missing is over.
            window.open = None;
            window.hear(correlation, sighting);
        });
        let time = deadline(correlation, sighting.time);
        let due = Due { time, correlation: feed.correlation, key };
        if is_new || before != source {
            self.deadlines.wait(Watch::Source(source), due);
        }
        if live && (is_new || !was_live) {
            self.deadlines.wait(Watch::Live, due);
        }
    }

    fn hash(&mut self, selector: u32) -> Option<u64> {
        let selectors = &self.rules.selectors;
        self.keys.hash(self.arrival.event, selector, || selectors.get(selector as usize))
    }
}

fn grown(correlation: &Correlation, open: Open) -> Firing {
    Firing {
        rule: correlation.rule,
        window: open.window,
        raised: false,
        overdue: false,
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
    group: Vec<(FieldId, CompactString)>,
    raised: Raised,
) -> Firing {
    let Raised { first, last, count, events } = raised;
    Firing {
        rule: correlation.rule,
        window,
        raised: true,
        overdue: false,
        group,
        events,
        first: Timestamp::from_nanos(first),
        last: Timestamp::from_nanos(last),
        count,
    }
}

/// When a group that was last heard of at `last` is overdue, late events allowed for.
fn deadline(correlation: &Correlation, last: i64) -> i64 {
    last.saturating_add(correlation.timespan).saturating_add(LATENESS)
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
    let mut bytes: SmallVec<[u8; 128]> = SmallVec::new();
    bytes.extend_from_slice(&group.to_le_bytes());
    bytes.extend_from_slice(&first.as_u128().to_le_bytes());
    bytes.extend_from_slice(id.as_bytes());
    WindowKey(fingerprint(&bytes))
}
