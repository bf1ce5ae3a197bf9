//! The live state of one group of one correlation.
//!
//! Until its alert is raised a window keeps a *cell* for each event (or each distinct value)
//! that may still count, sorted by time: a true sliding window, in which a late event finds its
//! place. Once the alert is open, events make it grow while gaps stay within the timespan; only
//! a trace of the newest ids is kept then, to count no event twice.

use std::collections::VecDeque;

use vigie_event::{CompactString, EventId};

use super::cell::{Cell, SAMPLE, Sampling, hash_of_event, hash_of_value};
use super::chains::{Chains, Order};
use super::measure::evaluate;
use super::trace::Trace;
use super::{Correlation, LATENESS, WindowKey};
use crate::spec::Aggregate;

/// Cells up to which every event has its own; beyond, events nearer to each other than a 1,024th
/// of the timespan share one, where they are only counted or added up.
const EXACT_CELLS: usize = 1_024;
/// Cells that a window never exceeds; the oldest give way.
const MAX_CELLS: usize = SAMPLE;
/// Values that `new_value` knows of a group; the one longest unseen gives way.
const MAX_KNOWN: usize = 1_024;
/// Cells for which a window that starts over keeps the room: few windows have more.
const KEPT_CELLS: usize = 8;
/// Events of an ordered correlation that a late one may still come before.
const MAX_ORDERED_CELLS: usize = 64;

/// An alert that was raised and grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Open {
    pub window: WindowKey,
    pub first: i64,
    pub last: i64,
    pub count: u64,
}

/// One group of one correlation. In the order of its parts; see [`Slot`](super::pool::Slot).
#[derive(Clone, Debug, Default, PartialEq)]
#[repr(C)]
pub(super) struct Window {
    /// Time of the newest event, in nanoseconds.
    pub last: i64,
    pub cells: VecDeque<Cell>,
    /// Events heard.
    pub heard: u64,
    pub open: Option<Open>,
    pub sampling: Sampling,
    /// What only some correlations need.
    pub extra: Option<Box<Extra>>,
    /// Events that the cells stand for, or more; kept where events are counted or added up.
    pub events: u64,
    /// Events seen lately.
    pub trace: Trace,
}

/// What windows of inputs in order, and of absences, keep besides.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Extra {
    /// The chains of all events, and of those that have left the cells.
    pub chains: Chains,
    pub settled: Chains,
    /// The group's values, to name it when nothing comes.
    pub group: Vec<CompactString>,
    /// Whether the last event was read when it happened.
    pub live: bool,
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
                if !self.trace.remember(sighting.id) {
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
            Aggregate::EventCount | Aggregate::ValueSum | Aggregate::ValueAverage => {
                self.count(correlation, sighting)
            }
            Aggregate::ValuePercentile(_) | Aggregate::ValueShare => {
                self.sample(correlation, sighting)
            }
            Aggregate::ValueCount | Aggregate::Temporal => self.distinct(correlation, sighting),
            Aggregate::TemporalOrdered => self.ordered(correlation, sighting),
            Aggregate::NewValue => self.new_value(correlation, sighting),
            Aggregate::Absence => self.expected(sighting),
        }
    }

    /// One that has heard nothing, with the memory of this one where that is small.
    pub fn emptied(self) -> Self {
        let Self { mut cells, mut trace, .. } = self;
        if cells.capacity() > KEPT_CELLS {
            cells = VecDeque::new();
        }
        cells.clear();
        trace.empty();
        Self { cells, trace, ..Self::default() }
    }

    /// Opens the alert that `raised` tells of.
    pub fn raise(&mut self, window: WindowKey, raised: &Raised) {
        self.trace.begin(self.cells.iter().map(|cell| cell.id));
        self.cells = VecDeque::new();
        self.events = 0;
        self.sampling = Sampling::default();
        self.extra = None;
        let Raised { first, last, count, .. } = *raised;
        self.open = Some(Open { window, first, last, count });
    }

    /// Finds the bounds of restored cells.
    pub fn bound(&mut self) {
        self.events = self.cells.iter().map(Cell::events).fold(0, u64::saturating_add);
        let highest = self.cells.iter().map(|cell| cell.scale).max();
        self.sampling.highest = highest.unwrap_or(0).max(self.sampling.level);
    }

    fn count(&mut self, correlation: &Correlation, sighting: Sighting) -> Outcome {
        let order = (sighting.time, sighting.id);
        let place = place_of(&self.cells, order);
        if self.cells.get(place).is_some_and(|cell| (cell.time, cell.id) == order) {
            return Outcome::Known;
        }
        let coarse = self.cells.len() >= EXACT_CELLS;
        if coarse && !self.trace.remember(sighting.id) {
            return Outcome::Known;
        }
        let grain = correlation.timespan / EXACT_CELLS as i64;
        let adds_up = correlation.aggregate != Aggregate::EventCount;
        let mut cell = Cell::from(sighting);
        if adds_up {
            cell.value = (cell.number() * f64::from(cell.weight)).to_bits();
        }
        self.events = self.events.saturating_add(u64::from(cell.weight));
        match place.checked_sub(1).and_then(|before| self.cells.get_mut(before)) {
            Some(before) if coarse && sighting.time.saturating_sub(before.time) <= grain => {
                before.weight = before.weight.saturating_add(cell.weight);
                if adds_up {
                    before.value = (before.number() + cell.number()).to_bits();
                }
            }
            _ => put(&mut self.cells, place, cell),
        }
        self.forget(correlation, sighting.time);
        // Most events of all make no condition hold, and too few of them tell that at once.
        if !adds_up && (self.events as f64) < correlation.range.least {
            return Outcome::Counted;
        }
        evaluate(&self.cells, correlation, sighting.time, sighting.value)
    }

    /// Every event by itself; of very many, a sample.
    fn sample(&mut self, correlation: &Correlation, sighting: Sighting) -> Outcome {
        let mut cell = Cell::from(sighting);
        cell.scale = self.sampling.level;
        let order = (cell.time, cell.id);
        let place = place_of(&self.cells, order);
        if self.cells.get(place).is_some_and(|cell| (cell.time, cell.id) == order) {
            return Outcome::Known;
        }
        if self.sampling.level == 0 || self.sampling.keeps(hash_of_event(&cell)) {
            put(&mut self.cells, place, cell);
            self.sampling.shrink(&mut self.cells, hash_of_event);
        }
        self.forget(correlation, sighting.time);
        evaluate(&self.cells, correlation, sighting.time, sighting.value)
    }

    fn distinct(&mut self, correlation: &Correlation, sighting: Sighting) -> Outcome {
        let mut cell = Cell::from(sighting);
        if self.sampling.level > 0 && !self.sampling.keeps(hash_of_value(&cell)) {
            self.forget(correlation, sighting.time);
            return Outcome::Counted;
        }
        if let Some(place) = self.cells.iter().position(|cell| cell.value == sighting.value) {
            if let Some(before) = self.cells.get_mut(place) {
                if before.id == sighting.id {
                    return Outcome::Known;
                }
                let lapsed = before.time < sighting.time.saturating_sub(correlation.timespan);
                let earlier = if lapsed { 0 } else { before.weight };
                before.weight = earlier.saturating_add(cell.weight);
                cell.weight = before.weight;
                if before.time > sighting.time {
                    return evaluate(&self.cells, correlation, sighting.time, sighting.value);
                }
            }
            self.cells.remove(place);
        }
        cell.scale = self.sampling.level;
        let place = place_of(&self.cells, (cell.time, cell.id));
        put(&mut self.cells, place, cell);
        self.sampling.shrink(&mut self.cells, hash_of_value);
        self.forget(correlation, sighting.time);
        if (self.sampling.most(self.cells.len()) as f64) < correlation.range.least {
            return Outcome::Counted;
        }
        evaluate(&self.cells, correlation, sighting.time, sighting.value)
    }

    fn ordered(&mut self, correlation: &Correlation, sighting: Sighting) -> Outcome {
        let cell = Cell::from(sighting);
        let order = Order {
            inputs: correlation.inputs,
            whole: correlation.range.least >= correlation.inputs as f64,
            timespan: correlation.timespan,
        };
        let done = |chain: &[Cell]| correlation.range.holds(chain.len() as f64);
        let key = |cell: &Cell| (cell.time, cell.value, cell.id);
        let newest = self.cells.back().is_none_or(|last| key(last) < key(&cell));
        let place = if newest {
            self.cells.len()
        } else {
            self.cells.partition_point(|other| key(other) < key(&cell))
        };
        if self.cells.get(place).is_some_and(|other| key(other) == key(&cell)) {
            return Outcome::Known;
        }
        let extra = self.extra.get_or_insert_default();
        let complete = if place == self.cells.len() {
            // Of a run of one input its first and its last event tell all.
            let run =
                place >= 2 && self.cells.range(place - 2..).all(|other| other.value == cell.value);
            match self.cells.back_mut().filter(|_| run) {
                Some(last) => {
                    let weight = last.weight.saturating_add(cell.weight);
                    *last = Cell { weight, ..cell };
                }
                None => self.cells.push_back(cell),
            }
            extra.chains.add(cell, order, done)
        } else {
            self.cells.insert(place, cell);
            extra.chains.clone_from(&extra.settled);
            let mut complete = None;
            for cell in &self.cells {
                if let Some(chain) = extra.chains.add(*cell, order, done) {
                    complete = Some(chain.to_vec());
                    break;
                }
            }
            let outcome = complete.as_deref().map(whole_chain);
            if let Some(outcome) = outcome {
                return outcome;
            }
            None
        };
        let outcome = complete.map_or(Outcome::Counted, whole_chain);
        while self.cells.len() > MAX_ORDERED_CELLS {
            let Some(oldest) = self.cells.pop_front() else {
                break;
            };
            extra.settled.add(oldest, order, |_| false);
        }
        self.forget(correlation, sighting.time);
        outcome
    }

    /// What was waited for came.
    fn expected(&mut self, sighting: Sighting) -> Outcome {
        let newest = self.cells.back().is_none_or(|last| last.time <= sighting.time);
        if newest {
            self.cells.clear();
            self.cells.push_back(sighting.into());
        }
        Outcome::Counted
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
        if self.cells.len() > MAX_KNOWN {
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
            let gone = self.cells.pop_front().map_or(0, |cell| cell.events());
            self.events = self.events.saturating_sub(gone);
        }
        self.sampling.relax(self.cells.len());
    }
}

/// Where a cell of that time and event stands or would stand: nearly every event is the newest.
fn place_of(cells: &VecDeque<Cell>, order: (i64, EventId)) -> usize {
    if cells.back().is_none_or(|last| (last.time, last.id) < order) {
        cells.len()
    } else {
        cells.partition_point(|cell| (cell.time, cell.id) < order)
    }
}

fn put(cells: &mut VecDeque<Cell>, place: usize, cell: Cell) {
    if place == cells.len() {
        cells.push_back(cell);
    } else {
        cells.insert(place, cell);
    }
}

fn whole_chain(chain: &[Cell]) -> Outcome {
    Outcome::Raised(Raised {
        first: chain.first().map_or(0, |cell| cell.time),
        last: chain.last().map_or(0, |cell| cell.time),
        count: chain.iter().map(Cell::events).fold(0, u64::saturating_add),
        events: chain.iter().map(|cell| cell.id).collect(),
    })
}

impl From<Sighting> for Cell {
    fn from(sighting: Sighting) -> Self {
        let Sighting { time, id, weight, value } = sighting;
        Self { time, id, weight: u32::try_from(weight).unwrap_or(u32::MAX), scale: 0, value }
    }
}
