//! The server's own doings, and sessions after authentication.

use vigie_event::field;

use super::ending::What;
use super::peer;
use crate::line::{Line, Outcome};
use crate::text;

/// Messages of the server about itself and about sessions.
pub(super) fn parse(line: &mut Line<'_, '_>, message: &str) -> bool {
    if let Some(rest) = text::after(message, "Starting session: ") {
        return session(line, "ssh_session_opened", "start", rest);
    }
    if let Some(rest) = text::after(message, "Close session: ") {
        return session(line, "ssh_session_closed", "end", rest);
    }
    if let Some(rest) = text::after(message, "Server listening on ") {
        let peer = peer::at_end(rest.trim_end_matches('.'));
        if let Some(address) = text::address(peer.host) {
            line.fields.address(field::DESTINATION_IP, address);
        }
        if let Some(port) = peer.port {
            line.fields.integer(field::DESTINATION_PORT, i64::from(port));
        }
        line.action("ssh_listen", "process", "info", Outcome::None);
        return true;
    }
    if let Some(rest) = text::after(message, "subsystem request for ") {
        return subsystem(line, rest);
    }
    if let Some(rest) = text::after(message, "reverse mapping checking getaddrinfo for ") {
        // `<name> [<address>] failed - POSSIBLE BREAK-IN ATTEMPT!`
        if let Some((name, rest)) = text::split_at(rest, " [")
            && let Some((address, _)) = text::split(rest, b']')
        {
            line.source(address);
            line.fields.text(field::SOURCE_DOMAIN, name);
        }
        return reverse_mapping(line);
    }
    if let Some(rest) = text::after(message, "Address ") {
        // `<address> maps to <name>, but this does not map back to the address …`
        if let Some((address, rest)) = text::split_at(rest, " maps to ") {
            line.source(address);
            line.fields
                .text(field::SOURCE_DOMAIN, text::split(rest, b',').map_or(rest, |(name, _)| name));
        }
        return reverse_mapping(line);
    }
    if let Some(rest) = text::after(message, "Nasty PTR record ") {
        if let Some(address) = text::between(rest, "is set up for ", ",") {
            line.source(address);
        }
        return reverse_mapping(line);
    }
    if let Some(rest) = text::after(message, "Could not write ident string to ") {
        line.source(peer::at_end(rest).host);
        line.ends(What::Remembers, "ssh_connection_lost", "network", "error");
        return true;
    }
    for start in [
        "Received signal ",
        "Received SIGHUP",
        "Exiting on signal",
        "sshd: ",
        "User child is on pid ",
        "Transferred: ",
        "PAM service(",
        "RESTART",
    ] {
        if message.starts_with(start) {
            line.action("ssh_server", "process", "info", Outcome::None);
            return true;
        }
    }
    false
}

/// A message of sshd that no rule here knows.
pub(super) fn unknown(line: &mut Line<'_, '_>, message: &str, level: &str) {
    line.recall_address();
    if matches!(level, "error" | "fatal" | "warning") {
        line.fields.text(field::ERROR_MESSAGE, message);
        line.action("ssh_error", "process", "error", Outcome::None);
    } else {
        line.action("ssh_message", "process", "info", Outcome::None);
    }
}

fn reverse_mapping(line: &mut Line<'_, '_>) -> bool {
    line.ends(What::Remembers, "ssh_reverse_mapping", "network", "info");
    true
}

/// `<what> for <user> from <host> port <port> id <n>`, `user <user> from <host> port <port> id <n>`
fn session(line: &mut Line<'_, '_>, action: &'static str, kind: &'static str, rest: &str) -> bool {
    let rest = text::rsplit_at(rest, " id ").map_or(rest, |(rest, _)| rest);
    if let Some((user, peer, _)) = peer::user_from(rest) {
        let user = text::after(user, "user ")
            .or_else(|| text::rsplit_at(user, " for ").map(|(_, user)| user));
        if let Some(user) = user {
            line.fields.text(field::USER_NAME, user);
        }
        super::auth::push_peer(line, &peer);
    }
    line.action(action, "session", kind, Outcome::None);
    true
}

/// `<name> by user <user>[ failed, subsystem not found]`
fn subsystem(line: &mut Line<'_, '_>, rest: &str) -> bool {
    let failed = rest.strip_suffix(" failed, subsystem not found");
    let (name, user) = failed.unwrap_or(rest).split_once(" by user ").unwrap_or((rest, ""));
    line.fields.text(field::SERVICE_NAME, name);
    text::some_text(line.fields, field::USER_NAME, user);
    line.ends(What::Recalls, "ssh_subsystem", "session", "info");
    true
}
