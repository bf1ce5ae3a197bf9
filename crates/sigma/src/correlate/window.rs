//! The live state of one group of one correlation.
//!
//! Until its alert is raised a window keeps a *cell* for each event (or each distinct value)
//! that may still count, sorted by time: a true sliding window, in which a late event finds its
//! place. Once the alert is open, events make it grow while gaps stay within the timespan; only
//! a trace of the newest ids is kept then, to count no event twice.

use std::collections::VecDeque;

use vigie_event::{EVENTS_PER_ALERT, EventId};

use super::{Correlation, LATENESS, WindowKey};
use crate::spec::{Aggregate, MAX_DISTINCT};

/// Cells up to which every event has its own; beyond, events nearer to each other than a 1,024th
/// of the timespan share one.
const EXACT_CELLS: usize = 1_024;
/// Cells that a window never exceeds; the oldest give way.
const MAX_CELLS: usize = 4_096;
/// Ids of the newest events of an open alert, by which events that arrive twice are known.
const TRACE: usize = 256;

/// An event, or all events with one value, that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    /// In nanoseconds; of the last event where there were several.
    pub time: i64,
    /// The last event.
    pub id: EventId,
    /// How many events.
    pub weight: u64,
    /// Hash of the value, or the input's number; 0 where events are counted.
    pub value: u64,
}

/// An alert that was raised and grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Open {
    pub window: WindowKey,
    pub first: i64,
    pub last: i64,
    pub count: u64,
}

/// One group of one correlation.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Window {
    pub cells: VecDeque<Cell>,
    pub open: Option<Open>,
    /// Ids seen lately, shortened: 256 of them mistake one event in 16 million for another.
    pub trace: VecDeque<u32>,
    /// Time of the newest event, in nanoseconds.
    pub last: i64,
    /// Events heard.
    pub heard: u64,
}

/// An event as a window sees it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sighting {
    pub time: i64,
    pub id: EventId,
    pub weight: u64,
    pub value: u64,
}

/// What an event did to a window.
#[derive(Debug, PartialEq)]
pub(super) enum Outcome {
    /// It was counted already.
    Known,
    /// It is counted; the condition does not hold.
    Counted,
    /// The open alert counts it.
    Grown(Open),
    /// The condition holds.
    Raised(Raised),
}

/// The events that made a condition hold.
#[derive(Debug, PartialEq)]
pub(super) struct Raised {
    pub first: i64,
    pub last: i64,
    pub count: u64,
    /// Oldest first, at most 100.
    pub events: Vec<EventId>,
}

impl Window {
    /// Takes an event in.
    pub fn hear(&mut self, correlation: &Correlation, sighting: Sighting) -> Outcome {
        self.heard = self.heard.saturating_add(1);
        self.last = self.last.max(sighting.time);
        if let Some(open) = &mut self.open {
            let near = sighting.time >= open.first.saturating_sub(correlation.timespan)
                && sighting.time <= open.last.saturating_add(correlation.timespan);
            if near {
                if !remember(&mut self.trace, sighting.id) {
                    return Outcome::Known;
                }
                open.first = open.first.min(sighting.time);
                open.last = open.last.max(sighting.time);
                open.count = open.count.saturating_add(sighting.weight);
                return Outcome::Grown(*open);
            }
            self.open = None;
            self.trace.clear();
        }
        match correlation.aggregate {
            Aggregate::EventCount => self.count(correlation, sighting),
            Aggregate::ValueCount | Aggregate::Temporal => self.distinct(correlation, sighting),
            Aggregate::NewValue => self.new_value(correlation, sighting),
        }
    }

    /// Opens the alert that `raised` tells of.
    pub fn raise(&mut self, window: WindowKey, raised: &Raised) {
        self.trace.clear();
        let newest = self.cells.len().saturating_sub(TRACE);
        for cell in self.cells.iter().skip(newest) {
            self.trace.push_back(short(cell.id));
        }
        self.cells = VecDeque::new();
        let Raised { first, last, count, .. } = *raised;
        self.open = Some(Open { window, first, last, count });
    }

    fn count(&mut self, correlation: &Correlation, sighting: Sighting) -> Outcome {
        let order = (sighting.time, sighting.id);
        // Nearly every event is the newest.
        let newest = self.cells.back().is_none_or(|last| (last.time, last.id) < order);
        let place = if newest {
            self.cells.len()
        } else {
            self.cells.partition_point(|cell| (cell.time, cell.id) < order)
        };
        if self.cells.get(place).is_some_and(|cell| (cell.time, cell.id) == order) {
            return Outcome::Known;
        }
        let coarse = self.cells.len() >= EXACT_CELLS;
        if coarse && !remember(&mut self.trace, sighting.id) {
            return Outcome::Known;
        }
        let grain = correlation.timespan / EXACT_CELLS as i64;
        match place.checked_sub(1).and_then(|before| self.cells.get_mut(before)) {
            Some(before) if coarse && sighting.time.saturating_sub(before.time) <= grain => {
                before.weight = before.weight.saturating_add(sighting.weight);
            }
            _ => self.cells.insert(place, sighting.into()),
        }
        self.forget(correlation, sighting.time);
        self.evaluate(correlation, sighting.time)
    }

    fn distinct(&mut self, correlation: &Correlation, sighting: Sighting) -> Outcome {
        let mut cell = Cell::from(sighting);
        if let Some(place) = self.cells.iter().position(|cell| cell.value == sighting.value) {
            if let Some(before) = self.cells.get_mut(place) {
                if before.id == sighting.id {
                    return Outcome::Known;
                }
                let lapsed = before.time < sighting.time.saturating_sub(correlation.timespan);
                let earlier = if lapsed { 0 } else { before.weight };
                before.weight = earlier.saturating_add(sighting.weight);
                cell.weight = before.weight;
                if before.time > sighting.time {
                    return self.evaluate(correlation, sighting.time);
                }
            }
            self.cells.remove(place);
        }
        let place =
            self.cells.partition_point(|other| (other.time, other.id) < (cell.time, cell.id));
        self.cells.insert(place, cell);
        if self.cells.len() > MAX_DISTINCT as usize {
            self.cells.pop_front();
        }
        self.forget(correlation, sighting.time);
        self.evaluate(correlation, sighting.time)
    }

    /// A group that was not heard of for a whole timespan starts afresh.
    fn new_value(&mut self, correlation: &Correlation, sighting: Sighting) -> Outcome {
        let horizon = sighting.time.saturating_sub(correlation.timespan);
        if let Some(place) = self.cells.iter().position(|cell| cell.value == sighting.value) {
            let lapsed = self.cells.get(place).is_none_or(|cell| cell.time < horizon);
            if !lapsed {
                if let Some(cell) = self.cells.get_mut(place) {
                    cell.time = cell.time.max(sighting.time);
                    cell.id = sighting.id;
                }
                return Outcome::Counted;
            }
        }
        self.cells.retain(|cell| cell.time >= horizon);
        let first_ever = self.cells.is_empty();
        self.cells.push_back(sighting.into());
        if self.cells.len() > MAX_DISTINCT as usize {
            let oldest = (0..self.cells.len())
                .min_by_key(|place| self.cells.get(*place).map(|cell| cell.time));
            if let Some(oldest) = oldest {
                self.cells.remove(oldest);
            }
        }
        if first_ever {
            return Outcome::Counted;
        }
        let Sighting { time, id, weight, .. } = sighting;
        Outcome::Raised(Raised { first: time, last: time, count: weight, events: vec![id] })
    }

    /// Drops cells that no event from now on, late ones included, can count with.
    fn forget(&mut self, correlation: &Correlation, time: i64) {
        let horizon = time.saturating_sub(correlation.timespan).saturating_sub(LATENESS);
        while self.cells.front().is_some_and(|cell| cell.time < horizon)
            || self.cells.len() > MAX_CELLS
        {
            self.cells.pop_front();
        }
    }

    /// Whether the condition holds in any window of the timespan's length that contains `time`
    /// and ends at an event.
    fn evaluate(&self, correlation: &Correlation, time: i64) -> Outcome {
        let latest_end = time.saturating_add(correlation.timespan);
        let newest = self.cells.back().is_some_and(|last| last.time <= time);
        let first_end = if newest {
            self.cells.len() - 1
        } else {
            self.cells.partition_point(|cell| cell.time < time)
        };
        let mut ends: Option<(i64, usize)> = None;
        for (place, cell) in self.cells.iter().enumerate().skip(first_end) {
            if cell.time > latest_end {
                break;
            }
            // Of events at one time the window ends behind the last.
            let same_time = self.cells.get(place + 1).is_some_and(|next| next.time == cell.time);
            if same_time {
                continue;
            }
            let start = cell.time.saturating_sub(correlation.timespan);
            let from = self.first_from(start);
            let measured = match correlation.aggregate {
                Aggregate::EventCount => weight(self.cells.range(from..=place)),
                // Each cell is a distinct value.
                _ => (place + 1 - from) as u64,
            };
            if correlation.range.holds(measured) {
                ends = Some((start, place));
                break;
            }
        }
        let Some((start, place)) = ends else {
            return Outcome::Counted;
        };
        let from = self.first_from(start);
        let counted = || self.cells.range(from..=place);
        Outcome::Raised(Raised {
            first: counted().next().map_or(time, |cell| cell.time),
            last: counted().next_back().map_or(time, |cell| cell.time),
            count: weight(counted()),
            events: counted().take(EVENTS_PER_ALERT).map(|cell| cell.id).collect(),
        })
    }

    /// The place of the first cell at `start` or later: often the very first, since older ones
    /// are dropped.
    fn first_from(&self, start: i64) -> usize {
        if self.cells.front().is_none_or(|first| first.time >= start) {
            return 0;
        }
        self.cells.partition_point(|cell| cell.time < start)
    }
}

impl From<Sighting> for Cell {
    fn from(sighting: Sighting) -> Self {
        let Sighting { time, id, weight, value } = sighting;
        Self { time, id, weight, value }
    }
}

fn weight<'c>(cells: impl Iterator<Item = &'c Cell>) -> u64 {
    cells.map(|cell| cell.weight).fold(0, u64::saturating_add)
}

fn short(id: EventId) -> u32 {
    id.as_u128() as u32
}

/// Notes an id; tells whether it is new.
fn remember(trace: &mut VecDeque<u32>, id: EventId) -> bool {
    let short = short(id);
    if trace.contains(&short) {
        return false;
    }
    if trace.len() >= TRACE {
        trace.pop_front();
    }
    trace.push_back(short);
    true
}
