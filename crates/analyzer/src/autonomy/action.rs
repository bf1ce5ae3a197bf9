//! What an event tells of an action: what was asked for, of which machine, under which account.

use vigie_event::{Event, EventId, FieldId, Timestamp, field, fingerprint};

use super::words::{self, Commands, Words};

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

/// What the name of an event's action tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Named {
    /// Records of that name only accompany an action.
    pub(super) accompanies: bool,
    login: bool,
    kind: u64,
}

impl Named {
    fn of(name: &str) -> Self {
        Self {
            accompanies: accompanies(name),
            login: name.ends_with("login") || name.ends_with("logon"),
            kind: fingerprint(name.as_bytes()),
        }
    }

    /// Of an event whose action has no name, its log tells the kind.
    fn of_log(dataset: &str) -> Self {
        Self { accompanies: false, login: false, kind: fingerprint(dataset.as_bytes()) }
    }
}

/// Names that are remembered; a power of two.
const MOST_NAMES: usize = 64;

/// What the names told that parsers know beforehand, by their addresses. Bounded: a name has one
/// place, and takes it from another.
#[derive(Clone, Debug)]
pub(super) struct Names(Box<[Option<(&'static str, Named)>]>);

impl Default for Names {
    fn default() -> Self {
        Self(vec![None; MOST_NAMES].into())
    }
}

impl Names {
    /// What the name of `event`'s action tells; `name` is that name.
    pub(super) fn of(&mut self, event: &Event, name: Option<&str>) -> Named {
        const SPREAD: u64 = 0x9E37_79B9_7F4A_7C15;
        let Some(name) = name else { return Named::of_log(event.dataset) };
        let Some(fixed) = event.fixed_of(field::EVENT_ACTION) else { return Named::of(name) };
        let mixed = (fixed.as_ptr() as u64).wrapping_mul(SPREAD);
        let Some(place) = self.0.get_mut((mixed >> (u64::BITS - MOST_NAMES.ilog2())) as usize)
        else {
            return Named::of(name);
        };
        match place {
            Some((known, named)) if std::ptr::eq(*known, fixed) => *named,
            _ => place.insert((fixed, Named::of(name))).1,
        }
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
    match event.text_of(id) {
        Some(text) if !text.is_empty() => hash(text),
        _ => event.render(id).filter(|text| !text.is_empty()).map_or(0, |text| hash(&text)),
    }
}

/// The action that an event shows, of which the name told `by_name`, and its kind; time and event
/// are left to whoever keeps it. `agent` is the last user agent of who
/// did it, as its hash, and what that names.
pub(super) fn action_of(
    event: &Event,
    by_name: Named,
    agent: &mut (u64, Words),
    commands: &mut Commands,
) -> (Action, u64) {
    let user = event.text_of(field::USER_NAME);
    let account = user.map_or(0, hash);
    let port = event.integer_of(field::DESTINATION_PORT).and_then(|port| u16::try_from(port).ok());
    let status = event.integer_of(field::HTTP_RESPONSE_STATUS_CODE);
    let failed = event.text_of(field::EVENT_OUTCOME) == Some("failure")
        || status.is_some_and(|status| status >= 400);
    let host = hash_of(event, field::HOST_NAME) ^ hash_of(event, field::DESTINATION_IP);
    let Named { login, kind, .. } = by_name;
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
        time: Timestamp::default(),
        event: EventId::default(),
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
