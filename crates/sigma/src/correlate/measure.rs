//! Does the condition hold, in a window that contains a given time?

use std::collections::VecDeque;

use vigie_event::EVENTS_PER_ALERT;

use super::Correlation;
use super::cell::Cell;
use super::window::{Outcome, Raised};
use crate::spec::Aggregate;

/// Whether the condition holds in any window of the timespan's length that contains `time` and
/// ends at an event. `value` is that of the event at hand.
pub(super) fn evaluate(
    cells: &VecDeque<Cell>,
    correlation: &Correlation,
    time: i64,
    value: u64,
) -> Outcome {
    let latest_end = time.saturating_add(correlation.timespan);
    let newest = cells.back().is_some_and(|last| last.time <= time);
    let first_end = if newest {
        cells.len().saturating_sub(1)
    } else {
        cells.partition_point(|cell| cell.time < time)
    };
    let mut found: Option<(usize, usize)> = None;
    for (place, cell) in cells.iter().enumerate().skip(first_end) {
        if cell.time > latest_end {
            break;
        }
        // Of events at one time the window ends behind the last.
        let same_time = cells.get(place + 1).is_some_and(|next| next.time == cell.time);
        if same_time {
            continue;
        }
        let from = first_from(cells, cell.time.saturating_sub(correlation.timespan));
        if holds(correlation, value, || cells.range(from..=place)) {
            found = Some((from, place));
            break;
        }
    }
    let Some((from, place)) = found else {
        return Outcome::Counted;
    };
    let counted = || cells.range(from..=place);
    let many = counted().map(Cell::events).fold(0, u64::saturating_add);
    Outcome::Raised(Raised {
        first: counted().next().map_or(time, |cell| cell.time),
        last: counted().next_back().map_or(time, |cell| cell.time),
        count: many,
        events: counted().take(EVENTS_PER_ALERT).map(|cell| cell.id).collect(),
    })
}

fn holds<'c, I: Iterator<Item = &'c Cell>>(
    correlation: &Correlation,
    value: u64,
    cells: impl Fn() -> I,
) -> bool {
    let range = &correlation.range;
    let events = |cells: I| cells.map(Cell::events).fold(0, u64::saturating_add) as f64;
    match correlation.aggregate {
        Aggregate::EventCount => range.holds(events(cells())),
        // Each cell is a distinct value, or one of as many as it stands for.
        Aggregate::ValueCount | Aggregate::Temporal => {
            range.holds(cells().map(Cell::cells).sum::<u64>() as f64)
        }
        Aggregate::ValueSum => range.holds(cells().map(Cell::number).sum()),
        Aggregate::ValueAverage => {
            range.holds(cells().map(Cell::number).sum::<f64>() / events(cells()).max(1.0))
        }
        Aggregate::ValuePercentile(thousandths) => {
            let rank = (events(cells()) * f64::from(thousandths) / 100_000.0).ceil().max(1.0);
            percentile_holds(correlation, rank, cells)
        }
        Aggregate::ValueShare => {
            let same = events_where(cells(), |cell| cell.value == value);
            range.holds(100.0 * same / events(cells()).max(1.0))
        }
        Aggregate::TemporalOrdered | Aggregate::NewValue | Aggregate::Absence => false,
    }
}

/// Whether the number at `rank` (from 1, in ascending order) is in the range. It need not be
/// found for that: it is over a bound where fewer numbers than its rank are not.
fn percentile_holds<'c, I: Iterator<Item = &'c Cell>>(
    correlation: &Correlation,
    rank: f64,
    cells: impl Fn() -> I,
) -> bool {
    let range = &correlation.range;
    let up_to = |bound: f64| events_where(cells(), |cell| cell.number() <= bound);
    let under = |bound: f64| events_where(cells(), |cell| cell.number() < bound);
    let from = if range.above { up_to(range.least) < rank } else { under(range.least) < rank };
    let to = if range.below { under(range.most) >= rank } else { up_to(range.most) >= rank };
    let excepted = range.except.is_some_and(|except| under(except) < rank && up_to(except) >= rank);
    from && to && !excepted
}

fn events_where<'c>(cells: impl Iterator<Item = &'c Cell>, wanted: impl Fn(&Cell) -> bool) -> f64 {
    cells.filter(|cell| wanted(cell)).map(Cell::events).fold(0, u64::saturating_add) as f64
}

/// The place of the first cell at `start` or later: often the very first, since older ones are
/// dropped.
fn first_from(cells: &VecDeque<Cell>, start: i64) -> usize {
    if cells.front().is_none_or(|first| first.time >= start) {
        return 0;
    }
    cells.partition_point(|cell| cell.time < start)
}
