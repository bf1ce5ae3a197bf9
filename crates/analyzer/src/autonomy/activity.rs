//! What each actor did lately, kept while events pass by: a bounded number of actors, and of each a
//! bounded number of actions, as numbers and not as text.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use rustc_hash::FxHashMap;
use vigie_event::{
    ByWording, CompactString, Event, Incident, Timestamp, field, fingerprint, unmapped,
};

use super::action::{Action, Names, action_of};
use super::planted::Planted;
use super::ties::Ties;
use super::words::{Commands, Words};

/// Actors kept; where there are so many, the quarter that has been quiet longest is forgotten.
pub const MOST_ACTORS: usize = 1_024;
/// Actions kept of each; the newest.
pub const MOST_ACTIONS: usize = 128;
/// Actions that an actor has room for at once; many have more.
const ACTIONS_AT_FIRST: usize = 16;
/// Blocks of work kept of each.
pub(super) const MOST_BLOCKS: usize = 32;
/// Actions looked at of actors that are one; the newest.
const MOST_JOINED: usize = 512;
/// Two records of one moment about the same thing are one action.
const SAME_MOMENT_NS: i64 = 100_000_000;
/// Seconds before an incident's first alert that belong to its work too.
const BEFORE_S: i64 = 600;
/// Taken accounts whose work is looked at, each on each machine.
const MOST_ACCOUNTS: usize = 16;
/// Addresses of one network whose work is looked at as that of one actor.
const MOST_ADDRESSES: usize = 16;
/// Actors tied by planted values whose work is looked at as that of one.
const MOST_TIED: usize = 16;
/// Wordings of which it is remembered what they tell.
const MOST_WORDINGS: usize = 512;
/// A pause that ends a block of work, in seconds.
pub(super) const GATE_S: i64 = 120;

/// A stretch of work without a pause of [`GATE_S`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub first: Timestamp,
    pub last: Timestamp,
    /// Kinds of actions in it, as bits.
    pub kinds: u64,
}

/// What one actor did.
#[derive(Clone, Debug)]
pub struct Activity {
    pub(super) actions: Vec<Action>,
    /// Where the oldest of them stands once there are [`MOST_ACTIONS`].
    pub(super) start: usize,
    pub(super) total: u64,
    pub(super) blocks: Vec<Block>,
    /// The last user agent as its hash, and what it names.
    pub(super) agent: (u64, Words),
}

impl Activity {
    fn new() -> Self {
        Self {
            actions: Vec::with_capacity(ACTIONS_AT_FIRST),
            start: 0,
            total: 0,
            blocks: Vec::new(),
            agent: (0, Words::default()),
        }
    }

    /// How many actions there were, forgotten ones included.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// The actions that are kept, oldest first.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        let (newer, older) = self.actions.split_at(self.start.min(self.actions.len()));
        older.iter().chain(newer)
    }

    fn last(&self) -> Option<&Action> {
        let at = self.start.checked_sub(1).unwrap_or(self.actions.len().saturating_sub(1));
        self.actions.get(at)
    }

    /// Adds the action that `event` shows, unless another event of that moment did.
    fn add(&mut self, action: Action, kind: u64, event: &Event) {
        if let Some(last) = self.last()
            && event.time.since(last.time).abs() < SAME_MOMENT_NS
            && (last.payload, last.target) == (action.payload, action.target)
        {
            return;
        }
        let action = Action { time: event.time, event: event.id(), ..action };
        let kinds = 1 << (kind % 64);
        match self.blocks.last_mut() {
            Some(block) if action.time.since(block.last) < GATE_S * 1_000_000_000 => {
                block.last = block.last.max(action.time);
                block.kinds |= kinds;
            }
            _ => {
                if self.blocks.len() == MOST_BLOCKS {
                    self.blocks.remove(0);
                }
                self.blocks.push(Block { first: action.time, last: action.time, kinds });
            }
        }
        self.total += 1;
        if self.actions.len() < MOST_ACTIONS {
            self.actions.push(action);
        } else if let Some(oldest) = self.actions.get_mut(self.start) {
            *oldest = action;
            self.start = (self.start + 1) % MOST_ACTIONS;
        }
    }

    /// The same, with only what happened from `first` to `last`; the total stays where nothing is
    /// left out.
    pub fn within(&self, first: Timestamp, last: Timestamp) -> Cow<'_, Self> {
        let inside = |action: &&Action| first <= action.time && action.time <= last;
        let worked = |block: &&Block| block.last >= first && block.first <= last;
        let all = self.actions.iter().all(|action| inside(&action));
        if all && self.blocks.iter().all(|block| worked(&block)) {
            return Cow::Borrowed(self);
        }
        let actions: Vec<Action> = self.actions().filter(inside).copied().collect();
        let total = if all { self.total } else { actions.len() as u64 };
        let blocks = self.blocks.iter().filter(worked).copied().collect();
        Cow::Owned(Self { actions, start: 0, total, blocks, agent: self.agent })
    }

    /// Takes in what another did, as the work of one.
    fn join(&mut self, other: &Self) {
        let mut actions: Vec<Action> = self.actions().copied().collect();
        actions.extend(other.actions().copied());
        actions.sort_by_key(|action| action.time);
        actions.drain(..actions.len().saturating_sub(MOST_JOINED));
        let mut blocks = std::mem::take(&mut self.blocks);
        blocks.extend_from_slice(&other.blocks);
        blocks.sort_by_key(|block| block.first);
        for block in blocks {
            match self.blocks.last_mut() {
                Some(last) if block.first.since(last.last) < GATE_S * 1_000_000_000 => {
                    last.last = last.last.max(block.last);
                    last.kinds |= block.kinds;
                }
                _ => self.blocks.push(block),
            }
        }
        self.total += other.total;
        (self.actions, self.start) = (actions, 0);
    }
}

/// What all actors did lately.
#[derive(Clone, Debug)]
pub struct Activities {
    pub(super) actors: FxHashMap<u64, Activity>,
    pub(super) ties: Ties,
    planted: Planted,
    commands: Commands,
    names: Names,
    /// What events of a wording tell; `None`: nothing that counts for anybody.
    told: ByWording<Option<Told>>,
}

/// What an event tells: whose action, and of which kind; without its time and id.
#[derive(Clone, Copy, Debug)]
struct Told {
    actor: u64,
    kind: u64,
    action: Action,
}

impl Default for Activities {
    fn default() -> Self {
        Self::watching(Planted::default())
    }
}

impl Activities {
    /// Nobody yet; values of `planted` are looked for.
    pub fn watching(planted: Planted) -> Self {
        Self {
            actors: FxHashMap::default(),
            ties: Ties::default(),
            planted,
            commands: Commands::default(),
            names: Names::default(),
            told: ByWording::with_places(MOST_WORDINGS),
        }
    }

    /// Takes in an event: an action of its source address, else of who began its session, else of its
    /// account on its host. What names none of them, and what only accompanies an action, counts for
    /// nobody.
    pub fn observe(&mut self, event: &Event) {
        if let Some(told) = self.told.get(event) {
            if let Some(Told { actor, kind, action }) = told {
                activity_of(&mut self.actors, actor).add(action, kind, event);
            }
            return;
        }
        let name =
            event.fixed_of(field::EVENT_ACTION).or_else(|| event.text_of(field::EVENT_ACTION));
        let session = self.ties.session(event, name);
        let by_name = self.names.of(event, name);
        let accompanies = by_name.accompanies;
        // What is a session's, a page's or a planted value's depends on what was before.
        let alone = !Ties::has_sessions(event);
        if accompanies && session.is_none() {
            if alone {
                self.told.put(event, None);
            }
            return;
        }
        let address = event.address_of(field::SOURCE_IP).map(|from| address_key(unmapped(from)));
        let account = || {
            let user = event.text_of(field::USER_NAME)?;
            Some(account_key(user, event.text_of(field::HOST_NAME)?))
        };
        let named = address.or_else(account);
        let owner = session.and_then(|session| self.ties.owner(session, named));
        let Some(key) = address.or(owner).or(named).filter(|_| !accompanies) else {
            if alone {
                self.told.put(event, None);
            }
            return;
        };
        let (served, used) = self.planted.marks(event);
        if served != 0 || used != 0 {
            self.ties.planted(key, event.time, served, used);
        }
        let activity = activity_of(&mut self.actors, key);
        let (mut action, kind) = action_of(event, by_name, &mut activity.agent, &mut self.commands);
        (action.served, action.used) = (served, used);
        activity.add(action, kind, event);
        if alone && served == 0 && used == 0 && event.text_of(field::USER_AGENT_ORIGINAL).is_none()
        {
            self.told.put(event, Some(Told { actor: key, kind, action }));
        }
    }

    /// What the actor did whose address this is. One /64 is one actor: whoever has an address of
    /// version 6 has them all.
    pub fn of_address(&self, address: &str) -> Option<&Activity> {
        self.actors.get(&address_key(unmapped(address.parse().ok()?)))
    }

    /// What the account did on that host by itself, where no address is known.
    pub fn of_account(&self, user: &str, host: &str) -> Option<&Activity> {
        self.actors.get(&account_key(user, host))
    }

    /// What the actor of `incident` did in its time and in the ten minutes before; with it, what was
    /// done from the other addresses of his network that are in the incident, by the accounts that he
    /// took, and by those whom a planted value ties to him: who fetched the page, and who used what
    /// stands in it.
    pub fn of_incident(&self, incident: &Incident) -> Option<Cow<'_, Activity>> {
        let actor = &incident.actor;
        let own = Some(actor.value.as_str()).filter(|_| actor.field == "user.name");
        let taken = incident.reasons.iter().filter(|why| why.reason == "taken_account");
        let mut users: Vec<&str> = taken.map(|why| why.value.as_str()).chain(own).collect();
        users.sort_unstable();
        users.dedup();
        let hosts = incident.entities.values("host.name");
        let accounts = users.iter().flat_map(|user| hosts.iter().map(move |host| (user, host)));
        let accounts = accounts.map(|(user, host)| account_key(user, host));
        let address = actor.value.parse().ok().map(|address| address_key(unmapped(address)));
        let mut keys: Vec<u64> = address
            .into_iter()
            .chain(neighbours(&actor.value, incident.entities.values("source.ip")))
            .chain(accounts.filter(|key| self.actors.contains_key(key)).take(MOST_ACCOUNTS))
            .collect();
        let known = keys.len();
        let fetched = self.ties.join(&mut keys, known + MOST_TIED);
        let first = incident.first_seen.plus_seconds(-BEFORE_S);
        let first = fetched.map_or(first, |fetched| first.min(fetched));
        keys.iter()
            .filter_map(|key| self.actors.get(key))
            .map(|activity| activity.within(first, incident.last_seen))
            .reduce(|mut all, one| {
                all.to_mut().join(&one);
                all
            })
    }

    /// How many actors are kept.
    pub fn len(&self) -> usize {
        self.actors.len()
    }

    /// Whether none is.
    pub fn is_empty(&self) -> bool {
        self.actors.is_empty()
    }
}

/// What that actor did; he is new where he is not known.
fn activity_of(actors: &mut FxHashMap<u64, Activity>, actor: u64) -> &mut Activity {
    // Whether this one is among them is not asked: it would take a look more each time.
    if actors.len() >= MOST_ACTORS {
        forget(actors);
    }
    actors.entry(actor).or_insert_with(Activity::new)
}

fn forget(actors: &mut FxHashMap<u64, Activity>) {
    let last = |activity: &Activity| activity.blocks.last().map(|block| block.last);
    let mut times: Vec<_> = actors.values().map(last).collect();
    let quarter = times.len() / 4;
    let (_, oldest, _) = times.select_nth_unstable(quarter);
    let oldest = *oldest;
    actors.retain(|_, activity| last(activity) > oldest);
}

/// An address of version 4, or the network of 64 bits around one of version 6.
fn address_key(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(v4) => u64::from(u32::from(v4)),
        IpAddr::V6(v6) => fingerprint(v6.octets().split_at(8).0),
    }
}

/// The keys of those of `values` that are in the network of 24 bits around `own`, without its own.
fn neighbours(own: &str, values: &[CompactString]) -> Vec<u64> {
    let parsed = |text: &str| text.parse().ok().map(unmapped);
    let Some(IpAddr::V4(own)) = parsed(own) else { return Vec::new() };
    let near = |address: &Ipv4Addr| {
        *address != own && address.octets().split_at(3).0 == own.octets().split_at(3).0
    };
    let addresses = values.iter().filter_map(|value| match parsed(value) {
        Some(IpAddr::V4(address)) => Some(address).filter(near),
        _ => None,
    });
    let mut keys: Vec<u64> =
        addresses.take(MOST_ADDRESSES).map(|address| address_key(address.into())).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn account_key(user: &str, host: &str) -> u64 {
    fingerprint(user.as_bytes()) ^ fingerprint(host.as_bytes()).rotate_left(32)
}
