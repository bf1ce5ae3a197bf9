//! What a connection's earlier lines told.

use std::fmt;
use std::net::IpAddr;

use rustc_hash::FxHasher;
use vigie_event::{Timestamp, field};

use std::hash::Hasher;

use crate::line::Line;

/// Connections remembered; a power of two. Each takes 32 bytes.
const SLOTS: usize = 4_096;
/// After that many seconds without a line, a process id belongs to somebody else. The server
/// gives clients two minutes to authenticate by default.
const FORGET_AFTER: u32 = 600;

/// What the connections before authentication have told so far, by host and process id. Bounded:
/// a connection may be forgotten for another that has its place. Process ids are given out in
/// order, so connections of one time stand side by side, and share cache lines instead of places.
#[derive(Debug)]
pub struct Memory {
    slots: Box<[Connection]>,
    /// A byte of the key of each: of most new connections it tells that they are, without a look
    /// at a slot that nobody has looked at lately.
    marks: Box<[u8]>,
}

/// Where a connection stands, and what tells it from others that stand there.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    index: usize,
    key: u32,
}

impl Place {
    #[inline]
    fn of(Server(hasher): &Server, pid: u32) -> Self {
        let mut hasher = hasher.clone();
        let start = hasher.finish() >> 20;
        hasher.write_u32(pid);
        let index = start.wrapping_add(u64::from(pid)) as usize & (SLOTS - 1);
        Self { index, key: (hasher.finish() >> 32) as u32 }
    }
}

/// A host's server, of which a source tells: what its connections' places have in common.
#[derive(Clone)]
pub struct Server(FxHasher);

impl Server {
    pub fn of(origin: u64, host: &str) -> Self {
        let mut hasher = FxHasher::default();
        hasher.write_u64(origin);
        hasher.write(host.as_bytes());
        Self(hasher)
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Server").field(&self.0.finish()).finish()
    }
}

/// One connection, half a cache line long.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
pub struct Connection {
    key: u32,
    /// The time of its last line in seconds, which may go round.
    seen: u32,
    /// Where it comes from, once a line has told.
    pub address: Option<IpAddr>,
    /// A failure was told of without an address.
    pub pending: bool,
    /// A failure was told of with the address.
    pub failed: bool,
    /// It is authenticated.
    pub accepted: bool,
}

impl Connection {
    /// Starts over, for a process id that serves a new connection.
    pub fn forget(&mut self) {
        *self = Self { key: self.key, seen: self.seen, ..Self::default() };
    }

    /// Whether a failure waits for its address; it waits no longer.
    pub fn take_pending(&mut self) -> bool {
        std::mem::take(&mut self.pending)
    }
}

impl Default for Memory {
    fn default() -> Self {
        Self { slots: vec![Connection::default(); SLOTS].into(), marks: vec![0; SLOTS].into() }
    }
}

impl Memory {
    /// Whether the connection at `place`, which a line of that time belongs to, is remembered.
    #[inline]
    fn knows(&self, Place { index, key }: Place, time: Timestamp) -> bool {
        self.marks.get(index) == Some(&mark_of(key))
            && self.slots.get(index).is_some_and(|slot| {
                let away = (time.seconds() as u32).wrapping_sub(slot.seen);
                slot.key == key && away.cast_signed().unsigned_abs() <= FORGET_AFTER
            })
    }

    /// The connection at `place`, which a line of that time belongs to. One that is not remembered
    /// has told nothing; it is from now on where it is `made`.
    #[inline]
    fn connection(&mut self, place: Place, time: Timestamp, made: bool) -> Option<&mut Connection> {
        let known = self.knows(place, time);
        if !known && !made {
            return None;
        }
        let Place { index, key } = place;
        let (slot, mark) = (self.slots.get_mut(index)?, self.marks.get_mut(index)?);
        let seen = time.seconds() as u32;
        if known {
            slot.seen = seen;
        } else {
            *mark = mark_of(key);
            *slot = Connection { key, seen, ..Connection::default() };
        }
        Some(slot)
    }
}

/// The byte of a key that stands apart.
#[inline]
fn mark_of(key: u32) -> u8 {
    (key >> 24) as u8
}

impl Line<'_, '_> {
    /// The connection of this line, to add to what it has told; without a process id there is none.
    #[inline]
    pub(super) fn connection(&mut self) -> Option<&mut Connection> {
        self.look_up(true)
    }

    /// What the connection of this line has told so far, where it has told anything.
    #[inline]
    pub(super) fn known_connection(&mut self) -> Option<&mut Connection> {
        self.look_up(false)
    }

    fn look_up(&mut self, made: bool) -> Option<&mut Connection> {
        self.asked = true;
        if self.pid == 0 {
            return None;
        }
        let place = self.place.get_or_insert_with(|| match self.server {
            Some(server) => Place::of(server, self.pid),
            None => Place::of(&Server::of(self.origin, self.host), self.pid),
        });
        self.memory.connection(*place, self.time, made)
    }

    /// Remembers where the connection comes from.
    pub(super) fn remember_address(&mut self) {
        let Some(vigie_event::ValueRef::Address(address)) = self.fields.get(field::SOURCE_IP)
        else {
            return;
        };
        if let Some(connection) = self.connection() {
            connection.address = Some(address);
        }
    }

    /// Fills `source.ip` from memory where the message has no address of its own. Whether there
    /// is an address now.
    pub(super) fn recall_address(&mut self) -> bool {
        if self.fields.has(field::SOURCE_IP) || self.fields.has(field::SOURCE_ADDRESS) {
            return true;
        }
        let Some(address) = self.known_connection().and_then(|known| known.address) else {
            return false;
        };
        self.fields.address(field::SOURCE_IP, address);
        self.recalled = true;
        true
    }

    /// A failure: remembered as told where the address is known, else as pending. Whether the
    /// address is known.
    pub(super) fn failed(&mut self) -> bool {
        if let Some(vigie_event::ValueRef::Address(address)) = self.fields.get(field::SOURCE_IP) {
            if let Some(connection) = self.connection() {
                connection.address = Some(address);
                connection.failed = true;
            }
            return true;
        }
        let known = self.recall_address();
        if let Some(connection) = self.connection() {
            connection.failed |= known;
            connection.pending |= !known;
        }
        known
    }
}
