//! Inputs in their order: how far has a group come, and since when?
//!
//! For every input, and every number of inputs before it, the chain that ends with it and
//! *began last* is kept: any event that can lengthen another chain in time can lengthen this
//! one. So a flood of the first input neither takes memory nor hides what it led to.

use super::cell::Cell;

/// The best chains of a group.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Chains {
    /// By last input and length; empty where there is none.
    pub best: Vec<Vec<Cell>>,
}

/// What is looked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Order {
    pub inputs: usize,
    /// Whether no input may be left out.
    pub whole: bool,
    /// In nanoseconds.
    pub timespan: i64,
}

impl Chains {
    /// Takes a cell in that is not older than those before it. Calls `done` with every chain
    /// that it ends; the first for which that answers true is given back.
    pub fn add(
        &mut self,
        cell: Cell,
        order: Order,
        done: impl Fn(&[Cell]) -> bool,
    ) -> Option<&[Cell]> {
        let last = cell.value as usize;
        if last >= order.inputs {
            return None;
        }
        if self.best.is_empty() {
            self.best.resize_with(order.inputs * order.inputs, Vec::new);
        }
        let lengths = if order.whole { last + 1..=last + 1 } else { 1..=last + 1 };
        let mut complete = None;
        for length in lengths.rev() {
            if !self.lengthen(cell, length, order) {
                continue;
            }
            let place = last * order.inputs + length - 1;
            if complete.is_none() && self.best.get(place).is_some_and(|chain| done(chain)) {
                complete = Some(place);
            }
        }
        complete.and_then(|place| self.best.get(place)).map(Vec::as_slice)
    }

    /// Makes the best chain of this length that ends with `cell`; tells whether there is a new
    /// one.
    fn lengthen(&mut self, cell: Cell, length: usize, order: Order) -> bool {
        let last = cell.value as usize;
        let place = last * order.inputs + length - 1;
        if length == 1 {
            let Some(chain) = self.best.get_mut(place) else {
                return false;
            };
            let before = chain.first().filter(|old| is_within(old.time, cell.time, order));
            let weight = before.map_or(0, |old| old.weight).saturating_add(cell.weight);
            chain.clear();
            chain.push(Cell { weight, ..cell });
            return true;
        }
        let before = (length - 2..last)
            .rev()
            .map(|input| input * order.inputs + length - 2)
            .filter(|place| self.best.get(*place).is_some_and(|chain| fits(chain, &cell, order)))
            .max_by_key(|place| self.start_of(*place));
        let Some(before) = before else {
            return false;
        };
        // The chain that began last stays; of two that began together the one that ended first.
        if self.start_of(place) >= self.start_of(before) {
            return false;
        }
        let mut chain = self.best.get_mut(place).map(std::mem::take).unwrap_or_default();
        chain.clear();
        chain.extend_from_slice(self.best.get(before).map(Vec::as_slice).unwrap_or_default());
        chain.push(cell);
        if let Some(kept) = self.best.get_mut(place) {
            *kept = chain;
        }
        true
    }

    fn start_of(&self, place: usize) -> Option<i64> {
        self.best.get(place)?.first().map(|cell| cell.time)
    }
}

fn is_within(start: i64, end: i64, order: Order) -> bool {
    end >= start && end.saturating_sub(start) <= order.timespan
}

/// Whether `cell` may follow: not before its last event, within the timespan of its first, and
/// an event of its own. Equal times count as in order, since many logs know only seconds.
fn fits(chain: &[Cell], cell: &Cell, order: Order) -> bool {
    let (Some(first), Some(last)) = (chain.first(), chain.last()) else {
        return false;
    };
    last.time <= cell.time
        && is_within(first.time, cell.time, order)
        && chain.iter().all(|other| other.id != cell.id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use vigie_event::EventId;

    fn check(inputs: usize, least: usize, events: &[(i64, u64)], expected: Option<usize>) {
        let order = Order { inputs, whole: least == inputs, timespan: 100 };
        let mut chains = Chains::default();
        let found = events.iter().enumerate().position(|(number, (time, input))| {
            let id = EventId::from_u128(number as u128 + 1);
            let cell = Cell { time: *time, id, weight: 1, scale: 0, value: *input };
            chains.add(cell, order, |chain| chain.len() >= least).is_some()
        });
        assert_eq!(found, expected, "{events:?}");
    }

    #[test]
    fn inputs_in_their_order_within_the_timespan() {
        check(2, 2, &[(0, 0), (1, 1)], Some(1));
        check(2, 2, &[(0, 1), (1, 0)], None);
        check(2, 2, &[(0, 1), (1, 0), (1, 1)], Some(2));
        check(2, 2, &[(0, 0), (101, 1)], None);
        check(3, 3, &[(0, 0), (1, 1), (2, 0), (3, 0), (100, 2)], Some(4));
        check(3, 3, &[(0, 0), (50, 0), (60, 1), (140, 2)], Some(3));
        check(3, 3, &[(0, 0), (10, 1), (50, 0), (140, 2)], None);
        check(3, 3, &[(0, 0), (10, 1), (50, 0), (60, 1), (140, 2)], Some(4));
    }

    #[test]
    fn fewer_than_all_of_them() {
        check(3, 2, &[(0, 0), (1, 2)], Some(1));
        check(3, 2, &[(0, 1), (1, 2)], Some(1));
        check(3, 2, &[(0, 2), (1, 1), (2, 0)], None);
        check(4, 3, &[(0, 0), (1, 3), (2, 1), (3, 3)], Some(3));
    }
}
