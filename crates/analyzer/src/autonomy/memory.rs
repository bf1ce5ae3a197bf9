//! What actors did, as bytes, so that a restart forgets nothing.
//!
//! Layout, numbers little-endian:
//!
//! | bytes | what |
//! |---|---|
//! | 4 | `VGAC` |
//! | 2 | format version, [`VERSION`] |
//! | … | number of sessions (4), of each its key and its owner's (16), oldest first |
//! | … | number of pages (4), of each its number (1), how many fetched it (4), of each key and time (16) |
//! | … | number of uses of planted values (4), of each user, reader, time fetched (24) |
//! | … | the actors in order of their keys: key (8), total (8), number of blocks (2), of actions (2), user agent (8 + 1), the blocks (24 each), the actions (50 each), oldest first |
//! | 8 | XXH3 of everything before |

use rustc_hash::FxHashMap;
use vigie_event::{EventId, Timestamp, fingerprint};

use super::action::Action;
use super::activity::{Activities, Activity, Block, MOST_ACTIONS, MOST_ACTORS, MOST_BLOCKS};
use super::ties::{MOST_READERS, MOST_SESSIONS, MOST_USES, Ties, Use};
use super::words::Words;

const MAGIC: &[u8; 4] = b"VGAC";
/// Raised with every change of the format.
const VERSION: u16 = 2;
const HEADER: usize = 4 + 2;
const CHECKSUM: usize = 8;

/// Bytes that are no memory of what actors did.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// The bytes are something else.
    #[error("not a memory of what actors did")]
    NotAMemory,
    /// Written by another version of the format.
    #[error("what actors did is kept in format {0}, this program reads format {VERSION}")]
    Version(u16),
    /// The checksum does not fit, or the bytes end early.
    #[error("the memory of what actors did is damaged")]
    Damaged,
}

impl Activities {
    /// All of it as bytes; at most some 8 MB.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut actors: Vec<_> = self.actors.iter().collect();
        actors.sort_unstable_by_key(|(key, _)| **key);
        let mut bytes = Vec::with_capacity(64 + self.actors.len() * 1_024);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        write_ties(&mut bytes, &self.ties);
        for (key, activity) in actors {
            bytes.extend_from_slice(&key.to_le_bytes());
            bytes.extend_from_slice(&activity.total.to_le_bytes());
            bytes.extend_from_slice(&(activity.blocks.len() as u16).to_le_bytes());
            bytes.extend_from_slice(&(activity.actions().count() as u16).to_le_bytes());
            bytes.extend_from_slice(&activity.agent.0.to_le_bytes());
            bytes.push(activity.agent.1.bits());
            for block in &activity.blocks {
                bytes.extend_from_slice(&block.first.nanos().to_le_bytes());
                bytes.extend_from_slice(&block.last.nanos().to_le_bytes());
                bytes.extend_from_slice(&block.kinds.to_le_bytes());
            }
            activity.actions().for_each(|action| write(&mut bytes, action));
        }
        let sum = fingerprint(&bytes);
        bytes.extend_from_slice(&sum.to_le_bytes());
        bytes
    }

    /// Goes on from what [`Activities::to_bytes`] wrote, in place of what is here.
    ///
    /// # Errors
    /// When the bytes are something else, of another version, or damaged; nothing changes then.
    pub fn remember(&mut self, bytes: &[u8]) -> Result<(), MemoryError> {
        if bytes.len() < HEADER + CHECKSUM || !bytes.starts_with(MAGIC) {
            return Err(MemoryError::NotAMemory);
        }
        let (body, sum) = bytes.split_at(bytes.len() - CHECKSUM);
        let mut rest = Rest(body.get(MAGIC.len()..).unwrap_or_default());
        let version = u16::from_le_bytes(rest.take()?);
        if version != VERSION {
            return Err(MemoryError::Version(version));
        }
        if fingerprint(body).to_le_bytes() != sum {
            return Err(MemoryError::Damaged);
        }
        let ties = rest.ties()?;
        let mut actors = FxHashMap::default();
        while !rest.0.is_empty() {
            let key = rest.number()?;
            actors.insert(key, rest.activity()?);
            if actors.len() > MOST_ACTORS {
                return Err(MemoryError::Damaged);
            }
        }
        (self.actors, self.ties) = (actors, ties);
        Ok(())
    }
}

fn write_ties(bytes: &mut Vec<u8>, ties: &Ties) {
    let count = |bytes: &mut Vec<u8>, count: usize| {
        bytes.extend_from_slice(&(count as u32).to_le_bytes());
    };
    count(bytes, ties.order.len());
    for key in &ties.order {
        let owner = ties.sessions.get(key).copied().unwrap_or_default();
        bytes.extend_from_slice(&key.to_le_bytes());
        bytes.extend_from_slice(&owner.to_le_bytes());
    }
    let mut pages: Vec<_> = ties.readers.iter().collect();
    pages.sort_unstable_by_key(|(page, _)| **page);
    count(bytes, pages.len());
    for (page, readers) in pages {
        bytes.push(*page);
        count(bytes, readers.len());
        for (reader, time) in readers {
            bytes.extend_from_slice(&reader.to_le_bytes());
            bytes.extend_from_slice(&time.nanos().to_le_bytes());
        }
    }
    count(bytes, ties.uses.len());
    for tie in &ties.uses {
        bytes.extend_from_slice(&tie.user.to_le_bytes());
        bytes.extend_from_slice(&tie.reader.to_le_bytes());
        bytes.extend_from_slice(&tie.fetched.nanos().to_le_bytes());
    }
}

fn write(bytes: &mut Vec<u8>, action: &Action) {
    bytes.extend_from_slice(&action.time.nanos().to_le_bytes());
    bytes.extend_from_slice(&action.event.as_u128().to_le_bytes());
    for number in [action.payload, action.stem, action.target, action.user, action.order] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    bytes.extend_from_slice(&action.port.to_le_bytes());
    let flags = [action.failed, action.login, action.invented];
    bytes.push(flags.iter().rev().fold(0, |bits, flag| bits << 1 | u8::from(*flag)));
    bytes.extend_from_slice(&[action.words.bits(), action.served, action.used]);
}

/// Bytes that are still to be read.
struct Rest<'b>(&'b [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], MemoryError> {
        let (taken, rest) = self.0.split_first_chunk::<N>().ok_or(MemoryError::Damaged)?;
        self.0 = rest;
        Ok(*taken)
    }

    fn number(&mut self) -> Result<u64, MemoryError> {
        self.take().map(u64::from_le_bytes)
    }

    fn short(&mut self) -> Result<u32, MemoryError> {
        self.take().map(u32::from_le_bytes)
    }

    fn count(&mut self, most: usize) -> Result<usize, MemoryError> {
        let count = usize::from(u16::from_le_bytes(self.take()?));
        if count > most { Err(MemoryError::Damaged) } else { Ok(count) }
    }

    fn ties(&mut self) -> Result<Ties, MemoryError> {
        let mut ties = Ties::default();
        for _ in 0..self.many(MOST_SESSIONS)? {
            let (key, owner) = (self.number()?, self.number()?);
            if ties.sessions.insert(key, owner).is_none() {
                ties.order.push_back(key);
            }
        }
        for _ in 0..self.many(usize::from(u8::MAX))? {
            let [page] = self.take()?;
            let readers = 0..self.many(MOST_READERS + 1)?;
            let readers = readers.map(|_| Ok((self.number()?, self.time()?)));
            ties.readers.insert(page, readers.collect::<Result<_, MemoryError>>()?);
        }
        for _ in 0..self.many(MOST_USES)? {
            let (user, reader) = (self.number()?, self.number()?);
            ties.uses.push_back(Use { user, reader, fetched: self.time()? });
        }
        Ok(ties)
    }

    fn many(&mut self, most: usize) -> Result<usize, MemoryError> {
        let count = self.short()? as usize;
        if count > most { Err(MemoryError::Damaged) } else { Ok(count) }
    }

    fn time(&mut self) -> Result<Timestamp, MemoryError> {
        self.take().map(|bytes| Timestamp::from_nanos(i64::from_le_bytes(bytes)))
    }

    fn words(&mut self) -> Result<Words, MemoryError> {
        self.take().map(|[bits]| Words::from_bits(bits))
    }

    fn activity(&mut self) -> Result<Activity, MemoryError> {
        let total = self.number()?;
        let blocks = self.count(MOST_BLOCKS)?;
        let actions = self.count(MOST_ACTIONS)?;
        let agent = (self.number()?, self.words()?);
        let block =
            |_| Ok(Block { first: self.time()?, last: self.time()?, kinds: self.number()? });
        let blocks = (0..blocks).map(block).collect::<Result<_, MemoryError>>()?;
        let actions = (0..actions).map(|_| self.action()).collect::<Result<_, MemoryError>>()?;
        Ok(Activity { actions, start: 0, total, blocks, agent })
    }

    fn action(&mut self) -> Result<Action, MemoryError> {
        let time = self.time()?;
        let event = EventId::from_u128(u128::from_le_bytes(self.take()?));
        let (payload, stem, target) = (self.short()?, self.short()?, self.short()?);
        let (user, order) = (self.short()?, self.short()?);
        let port = u16::from_le_bytes(self.take()?);
        let [flags] = self.take()?;
        Ok(Action {
            time,
            event,
            payload,
            stem,
            target,
            user,
            order,
            port,
            failed: flags & 1 != 0,
            login: flags & 2 != 0,
            invented: flags & 4 != 0,
            words: self.words()?,
            served: self.take().map(|[page]| page)?,
            used: self.take().map(|[page]| page)?,
        })
    }
}
