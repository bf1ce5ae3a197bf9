//! What makes the work of two one: a session that goes on under other accounts, and a value that was
//! planted for whoever fetched a page and is used from elsewhere.

use std::collections::VecDeque;
use std::sync::LazyLock;

use rustc_hash::FxHashMap;
use vigie_event::{Event, FieldId, Timestamp, field};

use super::action::{hash_of, mixed};

/// Sessions kept; when there are more, the oldest is forgotten.
pub(super) const MOST_SESSIONS: usize = 4_096;
/// Uses of planted values kept; the newest.
pub(super) const MOST_USES: usize = 256;
/// Actors kept of those who fetched one page; the newest. A page that more have fetched within a day
/// tells nothing about who uses its values.
pub(super) const MOST_READERS: usize = 4;
/// How long a fetched page ties, in seconds.
const FETCHED_S: i64 = 86_400;
/// `ses=` of what runs in no session.
const NO_SESSION: &str = "4294967295";
/// Logon sessions that every Windows machine has: the system's and its services'.
const SYSTEM_SESSIONS: [&str; 5] = ["0x0", "0x3e3", "0x3e4", "0x3e5", "0x3e7"];

/// Fields that hold the session of an event, by where it is from.
struct Fields {
    audit: Option<FieldId>,
    sequence: Option<FieldId>,
    opened: Option<FieldId>,
    of_subject: Option<FieldId>,
    of_process: Option<FieldId>,
}

static FIELDS: LazyLock<Fields> = LazyLock::new(|| Fields {
    audit: FieldId::intern("auditd.session"),
    sequence: FieldId::intern("auditd.sequence"),
    opened: FieldId::intern("TargetLogonId"),
    of_subject: FieldId::intern("SubjectLogonId"),
    of_process: FieldId::intern("LogonId"),
});

/// Which session an event belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Session {
    /// The machine and the session's number on it.
    pub(super) key: u64,
    /// The event begins it: an earlier one of that number is over.
    pub(super) begins: bool,
}

/// A value of a page used by somebody else than who fetched it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Use {
    pub(super) user: u64,
    pub(super) reader: u64,
    /// When the page was fetched.
    pub(super) fetched: Timestamp,
}

/// What ties actors, by their keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Ties {
    /// Who began a session.
    pub(super) sessions: FxHashMap<u64, u64>,
    /// Their keys, oldest first.
    pub(super) order: VecDeque<u64>,
    /// Who fetched a page and when, by the page's number, the newest last.
    pub(super) readers: FxHashMap<u8, VecDeque<(u64, Timestamp)>>,
    pub(super) uses: VecDeque<Use>,
    /// The audit record last seen that names a session for the records of its number: not kept over a
    /// restart.
    record: (u64, u64),
}

impl Ties {
    /// Whether events like this one name sessions.
    pub(super) fn has_sessions(event: &Event) -> bool {
        event.dataset == "auditd" || event.dataset.starts_with("windows")
    }

    /// The session of an event; `None` for one that belongs to none.
    pub(super) fn session(&mut self, event: &Event, name: Option<&str>) -> Option<Session> {
        let machine = || mixed(hash_of(event, field::HOST_NAME), hash_of(event, field::SENSOR_ID));
        if event.dataset == "auditd" {
            let number = FIELDS.audit.and_then(|id| event.text_of(id));
            let number = number.filter(|number| *number != NO_SESSION);
            let sequence = FIELDS.sequence.map_or(0, |id| hash_of(event, id));
            let record = mixed(sequence, 0) ^ machine();
            let Some(number) = number else {
                // What a call ran stands in a record of its own, without the session.
                return Some(self.record)
                    .filter(|(last, _)| *last == record && name == Some("execve"))
                    .map(|(_, key)| Session { key, begins: false });
            };
            let key = session_key(machine(), number);
            self.record = (record, key);
            return Some(Session { key, begins: name == Some("login") });
        }
        if !Self::has_sessions(event) {
            return None;
        }
        let number = |id: Option<FieldId>| id.and_then(|id| event.text_of(id));
        let opened = number(FIELDS.opened).filter(|_| name == Some("windows_logon"));
        let own = || number(FIELDS.of_subject).or_else(|| number(FIELDS.of_process));
        let number = opened.or_else(own).filter(|number| !SYSTEM_SESSIONS.contains(number))?;
        Some(Session { key: session_key(machine(), number), begins: opened.is_some() })
    }

    /// Whose work an event of the session is: who began it, or `actor`, whom the event itself names and
    /// who began it where nobody is known to have.
    pub(super) fn owner(&mut self, session: Session, actor: Option<u64>) -> Option<u64> {
        if session.begins && self.sessions.remove(&session.key).is_some() {
            self.order.retain(|key| *key != session.key);
        }
        if let Some(owner) = self.sessions.get(&session.key) {
            return Some(*owner);
        }
        let actor = actor?;
        if self.order.len() == MOST_SESSIONS
            && let Some(oldest) = self.order.pop_front()
        {
            self.sessions.remove(&oldest);
        }
        self.sessions.insert(session.key, actor);
        self.order.push_back(session.key);
        Some(actor)
    }

    /// Notes that `actor` fetched the page with planted values `served`, and used a value of the page
    /// `used`; pages count from 1, 0 is none.
    pub(super) fn planted(&mut self, actor: u64, time: Timestamp, served: u8, used: u8) {
        if served != 0 {
            let readers = self.readers.entry(served).or_default();
            readers.retain(|(reader, at)| {
                *reader != actor && time.since(*at) < FETCHED_S * 1_000_000_000
            });
            readers.push_back((actor, time));
            // One more than counts, so that too many are known as such.
            if readers.len() > MOST_READERS + 1 {
                readers.pop_front();
            }
        }
        if used == 0 {
            return;
        }
        let Some(readers) = self.readers.get(&used) else { return };
        let lately = readers.iter().filter(|(_, at)| time.since(*at) < FETCHED_S * 1_000_000_000);
        let lately: Vec<_> = lately.copied().collect();
        let known = lately.iter().any(|(reader, _)| *reader == actor);
        if let Some((reader, fetched)) = lately.last().copied()
            && !known
            && lately.len() <= MOST_READERS
        {
            let found = Use { user: actor, reader, fetched };
            if self.uses.contains(&found) {
                return;
            }
            if self.uses.len() == MOST_USES {
                self.uses.pop_front();
            }
            self.uses.push_back(found);
        }
    }

    /// Adds those whom planted values tie to one of `actors`, up to `most` in all. Returns when the
    /// earliest of the pages was fetched.
    pub(super) fn join(&self, actors: &mut Vec<u64>, most: usize) -> Option<Timestamp> {
        let mut first: Option<Timestamp> = None;
        let mut done = 0;
        while let Some(actor) = actors.get(done).copied() {
            done += 1;
            for tie in self.uses.iter().filter(|tie| tie.user == actor || tie.reader == actor) {
                first = Some(first.map_or(tie.fetched, |first| first.min(tie.fetched)));
                let other = if tie.user == actor { tie.reader } else { tie.user };
                if actors.len() < most && !actors.contains(&other) {
                    actors.push(other);
                }
            }
        }
        first
    }
}

fn session_key(machine: u64, number: &str) -> u64 {
    machine.rotate_left(17) ^ vigie_event::fingerprint(number.as_bytes())
}
