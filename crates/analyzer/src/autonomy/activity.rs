//! What each actor did lately, kept while events pass by: a bounded number of actors, and of each a
//! bounded number of actions, as numbers and not as text.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

use rustc_hash::FxHashMap;
use vigie_event::{
    ByWording, Event, EventId, FieldId, Incident, Timestamp, field, fingerprint, unmapped,
};

use super::planted::Planted;
use super::ties::Ties;
use super::words::{self, Commands, Words};

/// Actors kept; when there are more, the quarter that has been quiet longest is forgotten.
pub const MOST_ACTORS: usize = 1_024;
/// Actions kept of each; the newest.
pub const MOST_ACTIONS: usize = 128;
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

/// One thing that an actor did. Texts are kept as their hashes; 0: there is none.
#[derive(Clone, Copy, Debug)]
pub struct Action {
    /// When.
    pub time: Timestamp,
    /// The event that shows it.
    pub event: EventId,
    /// What exactly was asked for.
    pub(super) payload: u32,
    /// What it has in common with a variation of it: a program, a page, an account.
    pub(super) stem: u32,
    /// The machine and service it was done to.
    pub(super) target: u32,
    /// The account.
    pub(super) user: u32,
    /// The first letters of the payload, in alphabetical order.
    pub(super) order: u32,
    /// The port; 0: none.
    pub(super) port: u16,
    pub(super) failed: bool,
    pub(super) login: bool,
    /// A login under a name that does not exist there.
    pub(super) invented: bool,
    pub(super) words: Words,
    /// The page with planted values that was handed out, and that whose value is used, from 1.
    pub(super) served: u8,
    pub(super) used: u8,
}

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
            actions: Vec::new(),
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

    fn add(&mut self, action: Action, kind: u64) {
        if let Some(last) = self.last()
            && action.time.since(last.time).abs() < SAME_MOMENT_NS
            && (last.payload, last.target) == (action.payload, action.target)
        {
            return;
        }
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
    /// What events of a wording tell; `None`: nothing that counts for anybody.
    told: ByWording<Option<Told>>,
}

/// What an event tells: whose action, and of which kind.
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
            told: ByWording::with_places(MOST_WORDINGS),
        }
    }

    /// Takes in an event: an action of its source address, else of who began its session, else of its
    /// account on its host. What names none of them, and what only accompanies an action, counts for
    /// nobody.
    pub fn observe(&mut self, event: &Event) {
        if let Some(told) = self.told.get(event) {
            if let Some(Told { actor, kind, action }) = told {
                let action = Action { time: event.time, event: event.id(), ..action };
                self.activity(actor).add(action, kind);
            }
            return;
        }
        let name =
            event.fixed_of(field::EVENT_ACTION).or_else(|| event.text_of(field::EVENT_ACTION));
        let session = self.ties.session(event, name);
        let accompanies = name.is_some_and(accompanies);
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
        let mut agent = self.actors.get(&key).map_or_else(Default::default, |known| known.agent);
        let (mut action, kind) = action_of(event, name, &mut agent, &mut self.commands);
        (action.served, action.used) = (served, used);
        let activity = self.activity(key);
        activity.agent = agent;
        activity.add(action, kind);
        if alone && served == 0 && used == 0 && event.text_of(field::USER_AGENT_ORIGINAL).is_none()
        {
            self.told.put(event, Some(Told { actor: key, kind, action }));
        }
    }

    /// What that actor did; he is new where he is not known.
    fn activity(&mut self, actor: u64) -> &mut Activity {
        if self.actors.len() >= MOST_ACTORS && !self.actors.contains_key(&actor) {
            self.forget();
        }
        self.actors.entry(actor).or_insert_with(Activity::new)
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

    fn forget(&mut self) {
        let last = |activity: &Activity| activity.blocks.last().map(|block| block.last);
        let mut times: Vec<_> = self.actors.values().map(last).collect();
        let quarter = times.len() / 4;
        let (_, oldest, _) = times.select_nth_unstable(quarter);
        let oldest = *oldest;
        self.actors.retain(|_, activity| last(activity) > oldest);
    }
}

/// Whether records of that name only accompany an action.
fn accompanies(name: &str) -> bool {
    matches!(
        name,
        "ssh_connection"
            | "ssh_connection_closed"
            | "ssh_disconnect"
            | "ssh_invalid_user"
            | "ssh_listen"
            | "ssh_kex_error"
            | "session_opened"
            | "session_closed"
            | "pam_auth_failure"
            | "pam_user_unknown"
            | "windows_logoff"
            | "group_created"
            // Audit records: what a call was made of, and the steps of a login beside the login.
            | "syscall"
            | "proctitle"
            | "cwd"
            | "path"
            | "login"
            | "cred_acq"
            | "cred_disp"
            | "cred_refr"
            | "user_acct"
            | "user_start"
            | "user_end"
            | "user_logout"
    )
}

/// An address of version 4, or the network of 64 bits around one of version 6.
fn address_key(address: IpAddr) -> u64 {
    match address {
        IpAddr::V4(v4) => u64::from(u32::from(v4)),
        IpAddr::V6(v6) => fingerprint(v6.octets().split_at(8).0),
    }
}

/// The keys of those of `values` that are in the network of 24 bits around `own`, without its own.
fn neighbours(own: &str, values: &[String]) -> Vec<u64> {
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

fn hash(text: &str) -> u32 {
    // 0 stands for nothing.
    (fingerprint(text.as_bytes()) as u32).max(1)
}

/// Two hashes as one number.
pub(super) fn mixed(one: u32, other: u32) -> u64 {
    u64::from(one) << 32 | u64::from(other)
}

/// Any value of the field as a hash.
pub(super) fn hash_of(event: &Event, id: FieldId) -> u32 {
    event.render(id).filter(|text| !text.is_empty()).map_or(0, |text| hash(&text))
}

fn action_of(
    event: &Event,
    name: Option<&str>,
    agent: &mut (u64, Words),
    commands: &mut Commands,
) -> (Action, u64) {
    let user = event.text_of(field::USER_NAME);
    let account = user.map_or(0, hash);
    let port = event.integer_of(field::DESTINATION_PORT).and_then(|port| u16::try_from(port).ok());
    let status = event.integer_of(field::HTTP_RESPONSE_STATUS_CODE);
    let failed = event.text_of(field::EVENT_OUTCOME) == Some("failure")
        || status.is_some_and(|status| status >= 400);
    let login = name.is_some_and(|name| name.ends_with("login") || name.ends_with("logon"));
    let host = hash_of(event, field::HOST_NAME) ^ hash_of(event, field::DESTINATION_IP);
    let kind = fingerprint(name.unwrap_or(event.dataset).as_bytes());
    let mut words = Words::default();

    let path = event.text_of(field::URL_ORIGINAL).or_else(|| event.text_of(field::URL_PATH));
    let (payload, stem, order) = if let Some(path) = path {
        if let Some(origin) = event.text_of(field::USER_AGENT_ORIGINAL) {
            let number = fingerprint(origin.as_bytes());
            if agent.0 != number {
                *agent = (number, words::of_user_agent(origin));
            }
            words = agent.1;
        }
        let method = hash_of(event, field::HTTP_REQUEST_METHOD);
        (hash(path) ^ method, web_stem(path), first_letters(path))
    } else if let Some(command) = event.text_of(field::PROCESS_COMMAND_LINE) {
        words = commands.of(command);
        let program = command.split_whitespace().next().unwrap_or_default();
        (hash(command), hash(program), first_letters(command))
    } else if let Some(question) = event.text_of(field::DNS_QUESTION_NAME) {
        (hash(question), 0, first_letters(question))
    } else if let Some(user) = user {
        (account ^ kind as u32, account, first_letters(user))
    } else {
        (kind as u32 ^ u32::from(port.unwrap_or(0)), 0, 0)
    };
    let invented = failed && login && user.is_some_and(|user| invented(event, user));
    let action = Action {
        time: event.time,
        event: event.id(),
        payload,
        stem,
        // A service is told by its port where there is one, else by its log.
        target: host ^ port.map_or_else(|| hash(event.dataset), |port| u32::from(port) + 1),
        user: account,
        order,
        port: port.unwrap_or(0),
        failed,
        login: login && !failed,
        invented,
        words,
        served: 0,
        used: 0,
    };
    (action, kind)
}

/// sshd says it right before a name that is no account: `Failed password for invalid user …`.
fn invented(event: &Event, user: &str) -> bool {
    let text = event.text();
    let place = user.as_ptr().addr().wrapping_sub(text.as_ptr().addr());
    let before = text.get(..place).unwrap_or_default();
    before.ends_with(" for invalid user ") || before.ends_with(" for illegal user ")
}

/// The page without its parameters, or the folder where there are none; nothing for the root.
fn web_stem(path: &str) -> u32 {
    let stem = match path.split_once('?') {
        Some((page, _)) => page,
        None => path.rsplit_once('/').map_or("", |(folder, _)| folder),
    };
    if stem.trim_matches('/').is_empty() { 0 } else { hash(stem) }
}

fn first_letters(text: &str) -> u32 {
    let mut letters = [0_u8; 4];
    let skipped = text.trim_start_matches('/').as_bytes();
    for (place, letter) in letters.iter_mut().zip(skipped) {
        *place = *letter;
    }
    u32::from_be_bytes(letters)
}
