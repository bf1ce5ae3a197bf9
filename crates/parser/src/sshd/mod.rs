//! `OpenSSH`'s server, old and new, under its program names `sshd`, `sshd-session` and
//! `sshd-auth`.
//!
//! A user name is whatever the attacker types, so it may hold a whole log line. Three rules keep
//! such a name from forging an event:
//!
//! 1. what happened is decided by the message's first words, which the server wrote;
//! 2. the address is the last ` from <address> port <port>`, anchored at the message's end, which
//!    the server wrote too;
//! 3. everything between is the user name.
//!
//! | action | outcome | message |
//! |---|---|---|
//! | `ssh_login` | success, failure | `Accepted …`, `Failed <method> …`, `error: PAM: …` |
//! | `ssh_auth_none` | failure | `Failed none …`: the probe with which most clients begin |
//! | `ssh_key_refused` | – | `Failed publickey …`: clients offer all their keys in turn |
//! | `ssh_auth_partial` | – | `Postponed …`, `Partial …` |
//! | `ssh_invalid_user` | failure | `Invalid user … from …` |
//! | `ssh_invalid_user_request` | – | `input_userauth_request: invalid user …`, its echo |
//! | `ssh_max_attempts` | failure | `maximum authentication attempts exceeded …` |
//! | `ssh_user_not_allowed` | failure where the address is known | `User … not allowed because …` |
//! | `ssh_too_many_failures` | failure once a connection | `Disconnecting: Too many …` |
//! | `ssh_disconnecting` | failure for `Change of username …` | `Disconnecting …` |
//! | `ssh_disconnect` | see below | `Received disconnect …`, `Disconnected from …` |
//! | `ssh_connection_closed` | see below | `Connection closed by …` |
//! | `ssh_connection_reset` | see below | `Connection reset by …` |
//! | `ssh_connection_lost`, `ssh_protocol_error`, `ssh_kex_error`, `ssh_preauth_error`, `ssh_timeout`, `ssh_refused` | failure where the address is known | errors before authentication |
//! | `ssh_connection`, `ssh_session_opened`, `ssh_session_closed`, `ssh_listen`, `ssh_server`, `ssh_subsystem`, `ssh_reverse_mapping`, `ssh_error`, `ssh_message` | – | the rest |
//!
//! The end of a connection is a failure where it was never authenticated, and where nothing else
//! told of the failure: each failed connection counts once. That takes a memory of connections,
//! bounded and by host and process id, which also supplies the address where a message lacks it.

mod auth;
mod connection;
mod ending;
mod memory;
mod peer;
mod server;

pub(crate) use ending::Ending;
pub(crate) use memory::{Memory, Place, Server};

use vigie_event::field;

use crate::line::{Known, Line};
use crate::{logsources, pam, text};

const KNOWN: Known = Known::event("sshd", logsources::SSHD);

/// Whether `program` is one of the server's.
pub(crate) fn is_sshd(program: &str) -> bool {
    matches!(program, "sshd" | "sshd-session" | "sshd-auth")
}

/// Reads a message of the server.
pub(crate) fn parse(line: &mut Line<'_, '_>, message: &str) -> Known {
    let message = without_message_id(message);
    if let Some(known) = pam::parse(line, message) {
        return known;
    }
    let (level, message) = split_level(message);
    if !level.is_empty() {
        line.fields.text(field::LOG_LEVEL, level);
    }
    let message = text::trimmed_end(message);
    let (message, preauth) = match message.strip_suffix(" [preauth]") {
        Some(message) => (message, true),
        None => (message, false),
    };
    // By first letter, so that the commonest messages are known after a handful of comparisons.
    let known = match message.as_bytes().first() {
        Some(b'A' | b'F' | b'I' | b'P' | b'i' | b'm') => auth::parse(line, message),
        Some(b'R' | b'D' | b'C') => {
            connection::parse(line, message, preauth) || server::parse(line, message)
        }
        _ => false,
    };
    if !known
        && !auth::parse_rare(line, message)
        && !connection::parse_rare(line, message, preauth)
        && !server::parse(line, message)
    {
        server::unknown(line, message, level);
    }
    KNOWN
}

/// Solaris puts `[ID 800047 auth.info] ` in front.
fn without_message_id(message: &str) -> &str {
    match text::after(message, "[ID ").and_then(|rest| text::split_at(rest, "] ")) {
        Some((id, rest)) if id.len() < 40 => rest,
        _ => message,
    }
}

/// `error: `, `fatal: ` and the like, which the server puts in front by severity.
fn split_level(message: &str) -> (&str, &str) {
    const LEVELS: [&str; 7] = ["error", "fatal", "warning", "info", "debug1", "debug2", "debug3"];
    // Most messages have none; their first letter tells.
    if !matches!(message.as_bytes().first(), Some(b'e' | b'f' | b'w' | b'i' | b'd')) {
        return ("", message);
    }
    let split = |level: &str| {
        let rest = message.strip_prefix(level)?.strip_prefix(": ")?;
        Some((message.get(..level.len())?, rest))
    };
    LEVELS.into_iter().find_map(split).unwrap_or(("", message))
}
