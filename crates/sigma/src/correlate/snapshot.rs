//! Windows as bytes and back.
//!
//! Layout (integers as in [`codec`](super::codec)): the magic `VSIG`, a version byte, then
//!
//! - clocks: their number, each `source` fixed, `time` signed;
//! - correlations: their number, each rule id text, rule version text, and a length-prefixed
//!   block, so that one that is gone or changed can be skipped:
//!   - `hand`, `turn`, number of free places, each place;
//!   - ghosts: how many were added, words of a filter (0: none), both filters' words fixed;
//!   - number of places, each a tag byte (0 free, 1 taken), and where taken: `key`, `owner`,
//!     `source` fixed; `entered`, `born`; `last` signed; `heard`; the open alert (tag byte,
//!     `window` fixed, `first`, `last` signed, `count`); trace (number, each); the level of
//!     sampling, a byte; cells (number, each `time` signed against the one before, `id` raw,
//!     `weight`, `scale` byte, `value`); what only some have (tag byte, `live` byte, the group's
//!     texts, both sets of chains: number of chains, each as cells are).
//!
//! Everything that later behaviour depends on is in it, the order of eviction included, so a
//! restored correlator goes on as the first would have, to the byte.

use std::collections::VecDeque;

use vigie_event::EventId;

use super::cell::Cell;
use super::clocks::Clocks;
use super::codec::{Reader, Writer};
use super::pool::{Pool, Slot};
use super::trace::Trace;
use super::window::{Extra, Open, Window};
use super::{SnapshotError, WindowKey};

const MAGIC: &[u8] = b"VSIG";
const VERSION: u8 = 2;

/// A correlation's windows, and whose they are.
pub(super) struct Part<'p> {
    pub rule_id: &'p str,
    pub rule_version: &'p str,
    pub pool: &'p Pool,
}

/// Writes everything.
pub(super) fn write<'p>(
    clocks: &Clocks,
    parts: impl ExactSizeIterator<Item = Part<'p>>,
) -> Vec<u8> {
    let mut writer = Writer::default();
    for byte in MAGIC {
        writer.byte(*byte);
    }
    writer.byte(VERSION);
    let clocks = clocks.sorted();
    writer.number(clocks.len() as u64);
    for (source, time) in clocks {
        writer.fixed(source);
        writer.signed(time);
    }
    writer.number(parts.len() as u64);
    for part in parts {
        writer.text(part.rule_id);
        writer.text(part.rule_version);
        let mut block = Writer::default();
        write_pool(part.pool, &mut block);
        writer.raw(&block.finish());
    }
    writer.finish()
}

fn write_pool(pool: &Pool, writer: &mut Writer) {
    writer.number(u64::from(pool.hand));
    writer.number(pool.turn);
    writer.number(pool.free.len() as u64);
    for place in &pool.free {
        writer.number(u64::from(*place));
    }
    writer.number(pool.ghosts.added);
    let [newer, older] = &pool.ghosts.filters;
    writer.number(newer.len() as u64);
    for word in newer.iter().chain(older) {
        writer.fixed(*word);
    }
    writer.number(pool.slots.len() as u64);
    for slot in &pool.slots {
        writer.byte(u8::from(slot.taken));
        if slot.taken {
            write_slot(slot, writer);
        }
    }
}

fn write_slot(slot: &Slot, writer: &mut Writer) {
    writer.fixed(slot.key);
    writer.fixed(slot.owner);
    writer.fixed(slot.source);
    writer.number(slot.entered);
    writer.number(slot.born);
    // What bounds the cells from above follows from them.
    let Window { cells, open, trace, last, heard, events: _, sampling, extra } = &slot.window;
    writer.signed(*last);
    writer.number(*heard);
    writer.byte(u8::from(open.is_some()));
    if let Some(open) = open {
        writer.fixed(open.window.0);
        writer.signed(open.first);
        writer.signed(open.last);
        writer.number(open.count);
    }
    let trace = trace.shortened();
    writer.number(trace.len() as u64);
    for short in trace {
        writer.number(u64::from(short));
    }
    writer.byte(sampling.level);
    write_cells(cells.iter(), writer);
    writer.byte(u8::from(extra.is_some()));
    if let Some(extra) = extra {
        let Extra { chains, settled, group, live } = &**extra;
        writer.byte(u8::from(*live));
        writer.number(group.len() as u64);
        for text in group {
            writer.text(text);
        }
        for chains in [chains, settled] {
            writer.number(chains.best.len() as u64);
            for chain in &chains.best {
                write_cells(chain.iter(), writer);
            }
        }
    }
}

fn write_cells<'c>(cells: impl ExactSizeIterator<Item = &'c Cell>, writer: &mut Writer) {
    writer.number(cells.len() as u64);
    let mut before = 0i64;
    for cell in cells {
        writer.signed(cell.time.wrapping_sub(before));
        before = cell.time;
        writer.wide(cell.id.as_u128());
        writer.number(u64::from(cell.weight));
        writer.byte(cell.scale);
        writer.number(cell.value);
    }
}

/// What a snapshot holds for a correlation, not yet taken apart.
pub(super) struct Block<'r> {
    pub rule_id: &'r str,
    pub rule_version: &'r str,
    pub bytes: &'r [u8],
}

/// The clocks and the correlations' blocks.
pub(super) fn read(snapshot: &[u8]) -> Result<(Clocks, Vec<Block<'_>>), SnapshotError> {
    let mut reader = Reader::new(snapshot);
    if reader.take(MAGIC.len()) != Ok(MAGIC) {
        return Err(SnapshotError::NotASnapshot);
    }
    let version = reader.byte()?;
    if version != VERSION {
        return Err(SnapshotError::Version(version));
    }
    let mut clocks = Vec::new();
    for _ in 0..reader.count()? {
        let source = reader.fixed()?;
        clocks.push((source, reader.signed()?));
    }
    let mut blocks = Vec::new();
    for _ in 0..reader.count()? {
        let rule_id = reader.text()?;
        let rule_version = reader.text()?;
        blocks.push(Block { rule_id, rule_version, bytes: reader.raw()? });
    }
    if !reader.is_empty() {
        return Err(reader.damaged());
    }
    Ok((clocks.into_iter().collect(), blocks))
}

/// Fills an empty pool from a correlation's block.
pub(super) fn read_pool(bytes: &[u8], pool: &mut Pool) -> Result<(), SnapshotError> {
    let mut reader = Reader::new(bytes);
    pool.hand = reader.small()?;
    pool.turn = reader.number()?;
    let mut free = Vec::new();
    for _ in 0..reader.count()? {
        free.push(reader.small()?);
    }
    pool.ghosts.added = reader.number()?;
    let words = reader.count()?;
    for filter in &mut pool.ghosts.filters {
        for _ in 0..words {
            filter.push(reader.fixed()?);
        }
    }
    if words != 0 && !words.is_power_of_two() {
        return Err(reader.damaged());
    }
    let mut slots = Vec::new();
    let mut keys = rustc_hash::FxHashSet::default();
    for _ in 0..reader.count()? {
        let slot = match reader.byte()? {
            0 => Pool::vacant(),
            1 => read_slot(&mut reader)?,
            _ => return Err(reader.damaged()),
        };
        if slot.taken && !keys.insert(slot.key) {
            return Err(reader.damaged());
        }
        slots.push(slot);
    }
    // The free places must be exactly those that no window takes.
    let mut sorted = free.clone();
    sorted.sort_unstable();
    let vacant = slots.iter().enumerate().filter(|(_, slot)| !slot.taken);
    if !reader.is_empty() || !sorted.into_iter().eq(vacant.map(|(place, _)| place as u32)) {
        return Err(reader.damaged());
    }
    pool.restore(slots, free);
    Ok(())
}

fn read_slot(reader: &mut Reader<'_>) -> Result<Slot, SnapshotError> {
    let mut slot = Pool::vacant();
    slot.taken = true;
    slot.key = reader.fixed()?;
    slot.owner = reader.fixed()?;
    slot.source = reader.fixed()?;
    slot.entered = reader.number()?;
    slot.born = reader.number()?;
    let window = &mut slot.window;
    window.last = reader.signed()?;
    window.heard = reader.number()?;
    if reader.byte()? == 1 {
        window.open = Some(Open {
            window: WindowKey(reader.fixed()?),
            first: reader.signed()?,
            last: reader.signed()?,
            count: reader.number()?,
        });
    }
    let mut trace = VecDeque::new();
    for _ in 0..reader.count()? {
        trace.push_back(reader.small()?);
    }
    window.trace = Trace::restore(trace);
    window.sampling.level = reader.byte()?;
    window.cells = read_cells(reader)?.into();
    window.bound();
    if reader.byte()? == 1 {
        let mut extra = Extra { live: reader.byte()? == 1, ..Extra::default() };
        for _ in 0..reader.count()? {
            extra.group.push(reader.text()?.into());
        }
        for chains in [&mut extra.chains, &mut extra.settled] {
            for _ in 0..reader.count()? {
                chains.best.push(read_cells(reader)?);
            }
        }
        window.extra = Some(Box::new(extra));
    }
    Ok(slot)
}

fn read_cells(reader: &mut Reader<'_>) -> Result<Vec<Cell>, SnapshotError> {
    let mut cells = Vec::new();
    let mut before = 0i64;
    for _ in 0..reader.count()? {
        before = before.wrapping_add(reader.signed()?);
        cells.push(Cell {
            time: before,
            id: EventId::from_u128(reader.wide()?),
            weight: reader.small()?,
            scale: reader.byte()?,
            value: reader.number()?,
        });
    }
    Ok(cells)
}
