//! All windows of one correlation, bounded.
//!
//! Whoever writes logs can invent groups without end: random user names, random addresses. So
//! windows are bounded in number and in cells, and the question is which one gives way:
//!
//! 1. A source address (an IPv6 /64) has a share of a sixteenth. Past it, its own windows give
//!    way: who floods with random names from one address loses his own.
//! 2. When the whole is full, the window that was heard least gives way: windows are classed by
//!    the logarithm of the events heard, and in the lowest class the oldest goes. A flood from
//!    many addresses is many windows of one event each, so it evicts its own kind; to push out
//!    a slow attack of which *n* events were heard, it must first fill the whole pool with
//!    windows that were heard as often.
//!
//! 3. A window of a single event outlives only as many other single events as the pool has room
//!    for. But of windows that gave way the keys are known for a while ([`Ghosts`]), some four to
//!    eight hundred thousand for a pool of full size: when the group is heard of again its window
//!    ranks as one that was heard twice. A slow attack loses its first event by that, not itself.
//!
//! Windows whose timespan is over, by the clock of the source that last fed them, go as well:
//! one place is looked at for every fourth event, in turn, so that the work is spread evenly.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use super::ghosts::Ghosts;
use super::window::Window;

/// No window.
const NONE: u32 = u32::MAX;
/// Classes by the logarithm of events heard: 1, 2–3, 4–7 … 128 and more.
const CLASSES: usize = 8;
/// Windows of one owner that are looked at, oldest first, for the one to give way.
const OWNER_LOOKS: usize = 32;
/// One owner's share of a pool: one in so many.
const OWNER_SHARE: usize = 16;
/// Cells of a pool for each window that it has room for.
const CELLS_PER_WINDOW: usize = 8;

/// Events of a pool between two looks for windows that are over, and places that are looked at
/// then: together, since nobody has looked at them lately.
const SWEEP_EVERY: u64 = 64;
const SWEEP_PLACES: u32 = 16;
/// Places of windows that are remembered by their keys: attacks come in bursts.
const LATELY: usize = 256;

/// The list of a class, or of an owner.
#[derive(Clone, Copy, Debug)]
struct List {
    head: u32,
    tail: u32,
    len: u32,
}

const EMPTY: List = List { head: NONE, tail: NONE, len: 0 };

#[derive(Clone, Copy, Debug)]
struct Link {
    prev: u32,
    next: u32,
}

const UNLINKED: Link = Link { prev: NONE, next: NONE };

/// Which of a window's two links.
#[derive(Clone, Copy)]
enum Chain {
    Class,
    Owner,
}

/// A place for a window. In the order of its parts, which begins with what every event looks at:
/// that takes two cache lines of four, three while an alert is open.
#[derive(Debug)]
#[repr(C, align(64))]
pub(super) struct Slot {
    pub key: u64,
    /// The source that last fed it.
    pub source: u64,
    pub taken: bool,
    class: u8,
    pub window: Window,
    /// Hash of the source address that made it; 0: none, and no share.
    pub owner: u64,
    /// When it came into its class and, since an owner's list is never sorted anew, when it was
    /// made; in events of the pool.
    pub entered: u64,
    pub born: u64,
    by_class: Link,
    by_owner: Link,
}

/// The windows of a correlation.
#[derive(Debug)]
pub(super) struct Pool {
    pub slots: Vec<Slot>,
    pub free: Vec<u32>,
    /// The place that the next event looks at for windows that are over.
    pub hand: u32,
    /// Counts events, to order windows by age.
    pub turn: u64,
    capacity: usize,
    cells: usize,
    place_of: FxHashMap<u64, u32>,
    /// Where windows were found last, by the lowest bits of their keys; only a window itself tells
    /// whether it is still there.
    lately: Box<[u32]>,
    classes: [List; CLASSES],
    owners: FxHashMap<u64, List>,
    pub ghosts: Ghosts,
}

impl Pool {
    pub fn new(capacity: usize) -> Self {
        Self {
            slots: Vec::new(),
            free: Vec::new(),
            hand: 0,
            turn: 0,
            capacity,
            cells: 0,
            place_of: FxHashMap::default(),
            lately: vec![NONE; LATELY].into(),
            classes: [EMPTY; CLASSES],
            owners: FxHashMap::default(),
            ghosts: Ghosts::default(),
        }
    }

    /// Windows in it.
    pub fn len(&self) -> usize {
        self.place_of.len()
    }

    pub fn slot(&self, place: u32) -> Option<&Slot> {
        self.slots.get(place as usize)
    }

    /// The window of `key`, where there is one.
    pub fn find(&mut self, key: u64) -> Option<&mut Slot> {
        let place = self.place_of.get(&key)?;
        self.slots.get_mut(*place as usize)
    }

    /// The place of the window of `key`, made where there is none: for the owner that `owner`
    /// tells.
    pub fn place(&mut self, key: u64, owner: impl FnOnce() -> u64, source: u64) -> u32 {
        self.turn += 1;
        let lately = key as usize % LATELY;
        if let Some(place) = self.lately.get(lately).copied()
            && self.slot(place).is_some_and(|slot| slot.taken && slot.key == key)
        {
            return place;
        }
        let place = match self.place_of.get(&key) {
            Some(place) => *place,
            None => self.make(key, owner(), source),
        };
        if let Some(lately) = self.lately.get_mut(lately) {
            *lately = place;
        }
        place
    }

    /// A new window.
    fn make(&mut self, key: u64, owner: u64, source: u64) -> u32 {
        let share = (self.capacity / OWNER_SHARE).max(1);
        let windows_of_owner = self.owners.get(&owner).map_or(0, |list| list.len as usize);
        if owner != 0 && windows_of_owner >= share {
            self.evict_of(owner);
        } else if self.len() >= self.capacity {
            self.evict_least(NONE);
        }
        let turn = self.turn;
        let heard = u64::from(self.ghosts.knows(key));
        let place = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Self::vacant());
            self.slots.len() as u32 - 1
        });
        if let Some(slot) = self.slots.get_mut(place as usize) {
            (slot.key, slot.owner, slot.source) = (key, owner, source);
            (slot.entered, slot.born, slot.taken) = (turn, turn, true);
            slot.window.heard = heard;
        }
        self.place_of.insert(key, place);
        self.enter_class(place);
        self.enter_owner(place);
        place
    }

    /// Changes a window by `change` and then keeps the bounds.
    pub fn change<T>(
        &mut self,
        place: u32,
        source: u64,
        change: impl FnOnce(&mut Window) -> T,
    ) -> Option<T> {
        let turn = self.turn;
        let slot = self.slots.get_mut(place as usize)?;
        slot.source = source;
        let before = slot.window.cells.len();
        let answer = change(&mut slot.window);
        let after = slot.window.cells.len();
        let (old, new) = (slot.class, class_of(slot.window.heard));
        self.cells = (self.cells + after).saturating_sub(before);
        if old != new {
            self.leave_class(place);
            if let Some(slot) = self.slots.get_mut(place as usize) {
                slot.class = new;
                slot.entered = turn;
            }
            self.enter_class(place);
        }
        while self.cells > self.capacity * CELLS_PER_WINDOW && self.evict_least(place) {}
        Some(answer)
    }

    /// Looks at some places from time to time and frees those of whose windows `over` says so.
    pub fn sweep(&mut self, over: impl Fn(&Slot) -> bool) {
        if !self.turn.is_multiple_of(SWEEP_EVERY) {
            return;
        }
        for _ in 0..SWEEP_PLACES {
            if self.hand as usize >= self.slots.len() {
                self.hand = 0;
            }
            let place = self.hand;
            self.hand = self.hand.wrapping_add(1);
            if self.slot(place).is_some_and(|slot| slot.taken && over(slot)) {
                self.remove(place);
            }
        }
    }

    /// Puts restored windows back: in the order of their places, with `free` as it was.
    pub fn restore(&mut self, slots: Vec<Slot>, free: Vec<u32>) {
        self.slots = slots;
        self.free = free;
        let mut taken: Vec<u32> = Vec::new();
        for (place, slot) in self.slots.iter_mut().enumerate() {
            slot.class = class_of(slot.window.heard);
            if slot.taken {
                taken.push(place as u32);
                self.place_of.insert(slot.key, place as u32);
                self.cells += slot.window.cells.len();
            }
        }
        taken.sort_by_key(|place| self.slot(*place).map(|slot| slot.entered));
        for place in &taken {
            self.enter_class(*place);
        }
        taken.sort_by_key(|place| self.slot(*place).map(|slot| slot.born));
        for place in &taken {
            self.enter_owner(*place);
        }
        while self.len() > self.capacity && self.evict_least(NONE) {}
    }

    /// A free place, or one for a restored window.
    pub fn vacant() -> Slot {
        Slot {
            key: 0,
            owner: 0,
            source: 0,
            entered: 0,
            born: 0,
            taken: false,
            window: Window::default(),
            class: 0,
            by_class: UNLINKED,
            by_owner: UNLINKED,
        }
    }

    fn remove(&mut self, place: u32) {
        self.leave_class(place);
        self.leave_owner(place);
        let Some(slot) = self.slots.get_mut(place as usize) else {
            return;
        };
        self.cells = self.cells.saturating_sub(slot.window.cells.len());
        self.place_of.remove(&slot.key);
        let window = std::mem::take(&mut slot.window).emptied();
        *slot = Slot { window, ..Self::vacant() };
        self.free.push(place);
    }

    /// Removes a window before its time.
    fn evict(&mut self, place: u32) {
        if let Some(key) = self.slot(place).map(|slot| slot.key) {
            self.ghosts.note(key, self.capacity);
        }
        self.remove(place);
    }

    /// Removes the oldest window of the lowest class, save `spared`; tells whether there was one.
    fn evict_least(&mut self, spared: u32) -> bool {
        for list in self.classes {
            let mut place = list.head;
            if place == spared {
                place = self.slot(place).map_or(NONE, |slot| slot.by_class.next);
            }
            if place != NONE {
                self.evict(place);
                return true;
            }
        }
        false
    }

    /// Removes the least heard of an owner's oldest windows.
    fn evict_of(&mut self, owner: u64) {
        let mut place = self.owners.get(&owner).map_or(NONE, |list| list.head);
        let mut least = (u8::MAX, NONE);
        for _ in 0..OWNER_LOOKS {
            let Some(slot) = self.slot(place) else {
                break;
            };
            if slot.class < least.0 {
                least = (slot.class, place);
            }
            place = slot.by_owner.next;
        }
        if least.1 != NONE {
            self.evict(least.1);
        }
    }

    /// Puts a window behind all others of its class.
    fn enter_class(&mut self, place: u32) {
        let class = self.slot(place).map_or(0, |slot| slot.class);
        if let Some(list) = self.classes.get_mut(class as usize) {
            link(&mut self.slots, Chain::Class, place, list);
        }
    }

    fn leave_class(&mut self, place: u32) {
        let class = self.slot(place).map_or(0, |slot| slot.class);
        if let Some(list) = self.classes.get_mut(class as usize) {
            unlink(&mut self.slots, Chain::Class, place, list);
        }
    }

    /// Puts a window behind all others of its owner, if it has one.
    fn enter_owner(&mut self, place: u32) {
        let owner = self.slot(place).map_or(0, |slot| slot.owner);
        if owner != 0 {
            let list = self.owners.entry(owner).or_insert(EMPTY);
            link(&mut self.slots, Chain::Owner, place, list);
        }
    }

    fn leave_owner(&mut self, place: u32) {
        let owner = self.slot(place).map_or(0, |slot| slot.owner);
        if let Entry::Occupied(mut list) = self.owners.entry(owner) {
            unlink(&mut self.slots, Chain::Owner, place, list.get_mut());
            if list.get().len == 0 {
                list.remove();
            }
        }
    }
}

/// Puts a window at the end of a list.
fn link(slots: &mut [Slot], chain: Chain, place: u32, list: &mut List) {
    let Some(link) = link_of(slots, chain, place) else {
        return;
    };
    *link = Link { prev: list.tail, next: NONE };
    match link_of(slots, chain, list.tail) {
        Some(before) => before.next = place,
        None => list.head = place,
    }
    list.tail = place;
    list.len += 1;
}

/// Takes a window out of its list.
fn unlink(slots: &mut [Slot], chain: Chain, place: u32, list: &mut List) {
    let Some(Link { prev, next }) = link_of(slots, chain, place).copied() else {
        return;
    };
    match link_of(slots, chain, prev) {
        Some(before) => before.next = next,
        None => list.head = next,
    }
    match link_of(slots, chain, next) {
        Some(after) => after.prev = prev,
        None => list.tail = prev,
    }
    list.len = list.len.saturating_sub(1);
}

fn link_of(slots: &mut [Slot], chain: Chain, place: u32) -> Option<&mut Link> {
    let slot = slots.get_mut(place as usize)?;
    Some(match chain {
        Chain::Class => &mut slot.by_class,
        Chain::Owner => &mut slot.by_owner,
    })
}

fn class_of(heard: u64) -> u8 {
    (heard.max(1).ilog2() as u8).min(CLASSES as u8 - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hear(pool: &mut Pool, key: u64, owner: u64) {
        let place = pool.place(key, || owner, 0);
        pool.change(place, 0, |window| window.heard += 1);
    }

    #[test]
    fn one_address_floods_only_itself() {
        let mut pool = Pool::new(64);
        for key in 0..10 {
            hear(&mut pool, key, 100 + key);
        }
        for key in 1_000..3_000 {
            hear(&mut pool, key, 7);
        }
        assert!((0..10).all(|key| pool.place_of.contains_key(&key)));
        assert_eq!(pool.len(), 10 + 64 / OWNER_SHARE);
    }

    #[test]
    fn a_flood_of_addresses_evicts_its_own_kind() {
        let mut pool = Pool::new(64);
        for _ in 0..2 {
            hear(&mut pool, 1, 1);
        }
        for key in 1_000..11_000 {
            hear(&mut pool, key, key);
        }
        assert!(pool.place_of.contains_key(&1), "the slow attack's window was evicted");
        assert_eq!(pool.len(), 64);
        assert_eq!(pool.owners.len(), 64);
    }

    #[test]
    fn a_flood_of_pairs_does_not_reach_what_was_heard_more() {
        let mut pool = Pool::new(64);
        for _ in 0..4 {
            hear(&mut pool, 1, 1);
        }
        for key in 1_000..11_000 {
            hear(&mut pool, key, key);
            hear(&mut pool, key, key);
        }
        assert!(pool.place_of.contains_key(&1));
    }

    #[test]
    fn swept_windows_leave_no_trace() {
        let mut pool = Pool::new(1_024);
        for key in 0..50 {
            hear(&mut pool, key, key % 5);
        }
        pool.turn = SWEEP_EVERY;
        let rounds = 50_u32.div_ceil(SWEEP_PLACES);
        for _ in 0..rounds {
            pool.sweep(|slot| slot.key % 2 == 0);
        }
        assert_eq!(pool.len(), 25);
        for _ in 0..rounds {
            pool.sweep(|_| true);
        }
        assert_eq!((pool.len(), pool.owners.len(), pool.cells), (0, 0, 0));
        assert!(pool.classes.iter().all(|list| list.len == 0 && list.head == NONE));
    }
}
