//! What a window keeps of an event, and how it keeps fewer of them.

use std::collections::VecDeque;

use vigie_event::{EventId, fingerprint};

/// Cells of a window that is sampled: more, and only every other one is kept. At the fewest a
/// quarter of them remain, so that what is estimated from them has a standard error of
/// 1/√1,024, 3.1 %.
pub(super) const SAMPLE: usize = 4_096;

/// An event, or all events with one value, that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cell {
    /// In nanoseconds; of the last event where there were several.
    pub time: i64,
    /// The last event.
    pub id: EventId,
    /// How many events.
    pub weight: u32,
    /// It stands for 2 to this power cells, of which the others were not kept.
    pub scale: u8,
    /// Hash of the value, the input's number, or the bits of a number; 0 where events are
    /// counted.
    pub value: u64,
}

impl Cell {
    /// Events that it stands for.
    pub fn events(&self) -> u64 {
        u64::from(self.weight) << self.scale.min(MOST)
    }

    /// Cells that it stands for.
    pub const fn cells(&self) -> u64 {
        1 << if self.scale < MOST { self.scale } else { MOST }
    }

    pub const fn number(&self) -> f64 {
        f64::from_bits(self.value)
    }
}

/// The highest power: one cell in four thousand million.
const MOST: u8 = 32;

/// Adaptive sampling. Every key is hashed, and while a window is at level *n* only keys whose
/// hash ends in *n* zero bits have a cell, which counts 2ⁿ-fold. Unlike a sketch such as
/// `HyperLogLog` this keeps for each cell when it was last seen, so that values leave the window
/// one by one, and it is exact until the window is full.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Sampling {
    pub level: u8,
    /// No cell stands for more than 2 to this power.
    pub highest: u8,
}

impl Sampling {
    /// Whether a key with this hash has a cell.
    pub fn keeps(self, hash: u64) -> bool {
        hash.trailing_zeros() >= u32::from(self.level)
    }

    /// Drops cells until there is room, by the hash that `hash_of` tells.
    pub fn shrink(&mut self, cells: &mut VecDeque<Cell>, hash_of: fn(&Cell) -> u64) {
        while cells.len() > SAMPLE && self.level < MOST {
            self.level += 1;
            self.highest = self.highest.max(self.level);
            let sampling = *self;
            cells.retain(|cell| sampling.keeps(hash_of(cell)));
            for cell in cells.iter_mut() {
                cell.scale = cell.scale.max(sampling.level);
            }
        }
    }

    /// As many as so many cells can stand for.
    pub fn most(self, cells: usize) -> u64 {
        (cells as u64).saturating_mul(1 << self.highest.min(MOST))
    }

    /// Takes more keys again where few cells are left.
    pub fn relax(&mut self, cells: usize) {
        if self.level > 0 && cells < SAMPLE / 4 {
            self.level -= 1;
        }
    }
}

/// The hash of a value; values are hashes already, but of any kind.
pub(super) fn hash_of_value(cell: &Cell) -> u64 {
    fingerprint(&cell.value.to_le_bytes())
}

/// The hash of an event.
pub(super) fn hash_of_event(cell: &Cell) -> u64 {
    fingerprint(&cell.id.as_u128().to_le_bytes())
}
