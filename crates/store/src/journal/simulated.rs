//! A disk that loses and tears whatever was not made durable.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::disk::{Disk, DiskFile};

const SECTOR: usize = 512;

/// A disk in memory; clones are the same disk.
#[derive(Clone)]
pub(super) struct Simulated(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    names: HashMap<String, usize>,
    durable_names: HashMap<String, usize>,
    pending_names: Vec<NameChange>,
    files: Vec<Content>,
    random: Random,
    faults: Faults,
    crashed: bool,
    /// Rises with each crash: files opened before do not work any more.
    boot: u64,
    operations: u64,
    /// A file with bytes that cannot be read.
    unreadable: Option<(usize, std::ops::Range<usize>)>,
}

#[derive(Clone, Default)]
struct Content {
    now: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Truncate(usize),
}

#[derive(Clone)]
enum NameChange {
    Set(String, usize),
    Rename(String, String, usize),
    Remove(String),
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    /// The power fails at this operation from now.
    pub(super) crash_in: Option<u64>,
    /// Bytes that fit on the disk.
    pub(super) capacity: Option<usize>,
    /// One in so many `sync` calls fails and loses what it should have written.
    pub(super) sync_fails_one_in: Option<u64>,
    /// One in so many writes or truncations fails.
    pub(super) write_fails_one_in: Option<u64>,
}

/// Xorshift: the same numbers for the same seed.
pub(super) struct Random(u64);

impl Default for Random {
    fn default() -> Self {
        Self::new(1)
    }
}

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) % bound.max(1)
    }

    fn one_in(&mut self, n: Option<u64>) -> bool {
        n.is_some_and(|n| self.below(n) == 0)
    }
}

fn power_is_off() -> io::Error {
    io::Error::other("the power is off")
}

impl Simulated {
    pub(super) fn new(seed: u64) -> Self {
        let state = State { random: Random::new(seed), ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets what goes wrong from now on.
    pub(super) fn set_faults(&self, faults: Faults) {
        let mut state = self.state();
        state.faults = faults;
        state.operations = 0;
    }

    /// Whether the power has failed.
    pub(super) fn is_crashed(&self) -> bool {
        self.state().crashed
    }

    /// The power fails, unless it has, and comes back: of what was not durable some is there.
    pub(super) fn restart(&self) {
        let state = &mut *self.state();
        let mode = state.random.below(3);
        for change in std::mem::take(&mut state.pending_names) {
            if mode == 1 || (mode == 2 && state.random.below(2) == 0) {
                apply_name(&mut state.durable_names, change);
            }
        }
        state.names = state.durable_names.clone();
        for content in &mut state.files {
            for change in std::mem::take(&mut content.pending) {
                persist(&mut content.durable, &change, mode, &mut state.random);
            }
            content.now = content.durable.clone();
        }
        state.crashed = false;
        state.faults = Faults::default();
        state.boot += 1;
    }

    /// The process dies and the machine goes on: what was written is there, durable or not.
    pub(super) fn kill(&self) {
        let mut state = self.state();
        state.crashed = false;
        state.faults = Faults::default();
        state.boot += 1;
    }

    /// Flips bits of a durable file.
    pub(super) fn rot(&self, name: &str, offset: usize, length: usize) {
        let mut state = self.state();
        let file = state.names[name];
        let content = &mut state.files[file];
        assert!(content.pending.is_empty());
        for byte in &mut content.durable[offset..offset + length] {
            *byte ^= 0x55;
        }
        content.now = content.durable.clone();
    }

    /// Makes bytes of a file unreadable.
    pub(super) fn break_at(&self, name: &str, bytes: std::ops::Range<usize>) {
        let mut state = self.state();
        state.unreadable = Some((state.names[name], bytes));
    }

    /// The bytes of a file as programs see them.
    pub(super) fn content(&self, name: &str) -> Vec<u8> {
        let state = self.state();
        state.files[state.names[name]].now.clone()
    }
}

/// Lets of one change reach the disk: nothing (mode 0), all (1), or some sectors (2).
fn persist(durable: &mut Vec<u8>, change: &Change, mode: u64, random: &mut Random) {
    match change {
        Change::Truncate(length) => {
            if mode == 1 || (mode == 2 && random.below(2) == 0) {
                durable.resize(*length, 0);
            }
        }
        Change::Write(offset, bytes) => {
            let mut at = 0;
            while at < bytes.len() {
                let next = ((offset + at) / SECTOR + 1) * SECTOR - offset;
                let part = &bytes[at..next.min(bytes.len())];
                if mode == 1 || (mode == 2 && random.below(3) != 0) {
                    put(durable, offset + at, part);
                }
                at += part.len();
            }
        }
    }
}

fn put(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    if content.len() < offset + bytes.len() {
        content.resize(offset + bytes.len(), 0);
    }
    content[offset..offset + bytes.len()].copy_from_slice(bytes);
}

fn apply_name(names: &mut HashMap<String, usize>, change: NameChange) {
    match change {
        NameChange::Set(name, file) => {
            names.insert(name, file);
        }
        NameChange::Rename(from, to, file) => {
            names.remove(&from);
            names.insert(to, file);
        }
        NameChange::Remove(name) => {
            names.remove(&name);
        }
    }
}

impl State {
    /// Counts one operation; an error when the power is off. `Ok(false)`: it fails with this one.
    fn step(&mut self) -> io::Result<bool> {
        if self.crashed {
            return Err(power_is_off());
        }
        self.operations += 1;
        if self.faults.crash_in.is_some_and(|at| self.operations >= at) {
            self.crashed = true;
            return Ok(false);
        }
        Ok(true)
    }

    fn whole_step(&mut self) -> io::Result<()> {
        if self.step()? { Ok(()) } else { Err(power_is_off()) }
    }

    fn rename_now(&mut self, change: NameChange) {
        apply_name(&mut self.names, change.clone());
        self.pending_names.push(change);
    }

    fn used(&self) -> usize {
        self.names.values().map(|file| self.files[*file].now.len()).sum()
    }
}

struct OpenFile {
    disk: Simulated,
    file: usize,
    boot: u64,
}

impl OpenFile {
    fn state(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.disk.state();
        if state.boot == self.boot { Ok(state) } else { Err(power_is_off()) }
    }
}

impl Disk for Simulated {
    fn list(&self) -> io::Result<Vec<String>> {
        let mut state = self.state();
        state.whole_step()?;
        Ok(state.names.keys().cloned().collect())
    }

    fn create(&self, name: &str) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.state();
        state.whole_step()?;
        let file = state.files.len();
        state.files.push(Content::default());
        state.rename_now(NameChange::Set(name.to_owned(), file));
        Ok(Box::new(OpenFile { disk: self.clone(), file, boot: state.boot }))
    }

    fn open(&self, name: &str, _write: bool) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.state();
        state.whole_step()?;
        let file = *state.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(Box::new(OpenFile { disk: self.clone(), file, boot: state.boot }))
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.state();
        state.whole_step()?;
        let file = *state.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        state.rename_now(NameChange::Rename(from.to_owned(), to.to_owned(), file));
        Ok(())
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut state = self.state();
        state.whole_step()?;
        if !state.names.contains_key(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.rename_now(NameChange::Remove(name.to_owned()));
        Ok(())
    }

    fn sync_names(&self) -> io::Result<()> {
        let mut state = self.state();
        state.whole_step()?;
        state.pending_names.clear();
        state.durable_names = state.names.clone();
        Ok(())
    }

    fn free(&self) -> io::Result<u64> {
        let state = self.state();
        let capacity = state.faults.capacity.unwrap_or(usize::MAX);
        Ok(capacity.saturating_sub(state.used()) as u64)
    }

    fn path(&self, name: &str) -> PathBuf {
        PathBuf::from("/simulated").join(name)
    }

    fn salt(&self) -> u32 {
        self.state().random.below(1 << 32) as u32
    }
}

impl DiskFile for OpenFile {
    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut state = self.state()?;
        state.whole_step()?;
        let asked = offset as usize..offset as usize + buffer.len();
        if let Some((file, bad)) = &state.unreadable
            && *file == self.file
            && asked.start < bad.end
            && bad.start < asked.end
        {
            return Err(rustix::io::Errno::IO.into());
        }
        let from = state.files[self.file].now.get(offset as usize..).unwrap_or_default();
        let length = from.len().min(buffer.len());
        buffer[..length].copy_from_slice(&from[..length]);
        Ok(length)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let state = &mut *self.state()?;
        let whole = state.step()?;
        let room = state.faults.capacity.map(|capacity| capacity.saturating_sub(state.used()));
        let beyond = state.files[self.file].now.len().saturating_sub(offset as usize);
        let fits = room.map_or(bytes.len(), |room| bytes.len().min(room + beyond));
        let broken = state.random.one_in(state.faults.write_fails_one_in);
        let written = match (whole, broken) {
            (true, false) => fits,
            _ => state.random.below(bytes.len() as u64 + 1) as usize,
        };
        let content = &mut state.files[self.file];
        put(&mut content.now, offset as usize, &bytes[..written]);
        content.pending.push(Change::Write(offset as usize, bytes[..written].to_vec()));
        match (whole, broken) {
            (false, _) => Err(power_is_off()),
            (true, true) => Err(io::Error::other("bad block")),
            _ if fits < bytes.len() => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }

    fn truncate(&self, length: u64) -> io::Result<()> {
        let state = &mut *self.state()?;
        state.whole_step()?;
        if state.random.one_in(state.faults.write_fails_one_in) {
            return Err(io::Error::other("bad block"));
        }
        let content = &mut state.files[self.file];
        content.now.resize(length as usize, 0);
        content.pending.push(Change::Truncate(length as usize));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let state = &mut *self.state()?;
        let whole = state.step()?;
        let broken = state.random.one_in(state.faults.sync_fails_one_in);
        let content = &mut state.files[self.file];
        if whole && !broken {
            content.durable = content.now.clone();
            content.pending.clear();
            return Ok(());
        }
        if whole {
            // As Linux does: some pages reach the disk, the others count as clean and stay in
            // memory only, so the next sync succeeds without having written them.
            for change in std::mem::take(&mut content.pending) {
                persist(&mut content.durable, &change, 2, &mut state.random);
            }
            return Err(io::Error::other("lost pages"));
        }
        Err(power_is_off())
    }

    fn length(&self) -> io::Result<u64> {
        let mut state = self.state()?;
        state.whole_step()?;
        Ok(state.files[self.file].now.len() as u64)
    }
}
