//! How connections come, break and end.

use vigie_event::field;

use super::auth::push_peer;
use super::ending::What;
use super::peer::{self, Peer};
use crate::line::{Line, Outcome};
use crate::text;

const NETWORK: &str = "network";

/// The commonest messages about connections.
pub(super) fn parse(line: &mut Line<'_, '_>, message: &str, preauth: bool) -> bool {
    if let Some(rest) = text::after(message, "Received disconnect from ") {
        return received_disconnect(line, rest);
    }
    if let Some(rest) = text::after(message, "Disconnected from ") {
        return closed(line, "ssh_disconnect", rest, preauth);
    }
    if let Some(rest) = text::after(message, "Connection closed by ") {
        return closed(line, "ssh_connection_closed", rest, preauth);
    }
    if let Some(rest) = text::after(message, "Connection reset by ") {
        return closed(line, "ssh_connection_reset", rest, preauth);
    }
    if let Some(rest) = text::after(message, "Connection from ") {
        return connection_from(line, rest);
    }
    if let Some(rest) = text::after(message, "Did not receive identification string from ") {
        push_peer(line, &peer::at_end(rest));
        return broken(line, "ssh_protocol_error");
    }
    if message.starts_with("Read from socket failed") {
        return broken(line, "ssh_connection_lost");
    }
    if let Some(rest) = text::after(message, "Disconnecting") {
        return disconnecting(line, rest);
    }
    false
}

/// The rarer ones.
pub(super) fn parse_rare(line: &mut Line<'_, '_>, message: &str, preauth: bool) -> bool {
    if let Some(rest) = text::after(message, "Bad protocol version identification ") {
        // `'<what the client sent>' from <host>[ port <port>]`
        let peer = peer::at_end(rest);
        push_peer(line, &peer);
        line.fields.text(field::ERROR_MESSAGE, peer.before.strip_suffix(" from").unwrap_or(rest));
        return broken(line, "ssh_protocol_error");
    }
    if let Some(rest) = text::after(message, "kex_exchange_identification: ") {
        line.fields.text(field::ERROR_MESSAGE, rest);
        let action =
            if rest.contains("onnection") { "ssh_connection_lost" } else { "ssh_protocol_error" };
        return broken(line, action);
    }
    for (start, action) in [
        ("banner exchange: Connection from ", "ssh_protocol_error"),
        ("ssh_dispatch_run_fatal: Connection from ", "ssh_preauth_error"),
    ] {
        if let Some(rest) = message.strip_prefix(start) {
            // `[invalid user <user> |authenticating user <user> ]<host> port <port>: <reason>`
            let (who, reason) = split_reason(rest);
            push_who(line, who);
            line.fields.text(field::ERROR_MESSAGE, reason);
            return broken(line, action);
        }
    }
    for (start, action) in [
        ("Unable to negotiate with ", "ssh_kex_error"),
        ("Protocol major versions differ for ", "ssh_protocol_error"),
        ("Corrupted MAC on input from ", "ssh_preauth_error"),
    ] {
        if let Some(rest) = message.strip_prefix(start) {
            let (who, reason) = split_reason(rest);
            push_who(line, who);
            text::some_text(line.fields, field::ERROR_MESSAGE, reason);
            return broken(line, action);
        }
    }
    if let Some(rest) = text::after(message, "Timeout before authentication for ") {
        let rest = text::after(rest, "connection from ").unwrap_or(rest);
        let rest = text::split_at(rest, " to ").map_or(rest, |(from, _)| from);
        push_peer(line, &peer::at_end(rest));
        return broken(line, "ssh_timeout");
    }
    if let Some(rest) = text::after(message, "SSH: Server;Ltype: ") {
        // `Version;Remote: <address>-<port>;…` of servers patched for audits
        if let Some((host, port)) =
            text::between(rest, ";Remote: ", ";").and_then(|remote| text::rsplit(remote, b'-'))
        {
            push_peer(line, &Peer { before: "", host, port: text::port(port) });
        }
        line.ends(What::Remembers, "ssh_connection", NETWORK, "connection");
        return true;
    }
    if let Some(rest) = text::after(message, "scanned from ") {
        push_peer(line, &peer::at_end(text::word(rest).0));
        return broken(line, "ssh_protocol_error");
    }
    if let Some(rest) = text::after(message, "drop connection #") {
        // `<n> from [<address>]:<port> on [<address>]:<port> past MaxStartups`
        if let Some(from) = text::between(rest, " from ", " on ")
            && let Some((address, port)) = text::socket(from)
        {
            line.fields.address(field::SOURCE_IP, address);
            if let Some(port) = port {
                line.fields.integer(field::SOURCE_PORT, i64::from(port));
            }
        }
        return broken(line, "ssh_refused");
    }
    if message.starts_with("Unable to negotiate a ") || message.starts_with("no matching ") {
        line.fields.text(field::ERROR_MESSAGE, message);
        return broken(line, "ssh_kex_error");
    }
    for start in [
        "Bad packet length",
        "Corrupted MAC",
        "padding error",
        "Packet integrity error",
        "kex_protocol_error",
        "ssh_dispatch_run_fatal: ",
        "mm_request_receive",
        "Write failed",
        "Bad remote protocol version",
    ] {
        if message.starts_with(start) {
            line.fields.text(field::ERROR_MESSAGE, message);
            if preauth {
                return broken(line, "ssh_preauth_error");
            }
            line.ends(What::Recalls, "ssh_connection_lost", NETWORK, "connection");
            return true;
        }
    }
    session_end(line, message)
}

/// `Close session: …`, `Closing connection to …` and other ends of what was authenticated.
fn session_end(line: &mut Line<'_, '_>, message: &str) -> bool {
    for start in
        ["Timeout, client not responding", "Read from remote host", "Read error from remote host"]
    {
        if let Some(rest) = message.strip_prefix(start) {
            if let Some(from) = text::after(rest, " from ") {
                push_who(line, from);
            } else if let Some(host) = rest.strip_prefix(' ') {
                push_who(line, split_reason(host).0);
            }
            line.ends(What::Recalls, "ssh_connection_lost", NETWORK, "end");
            return true;
        }
    }
    if let Some(rest) = text::after(message, "Closing connection to ") {
        push_peer(line, &peer::at_end(rest));
        line.action("ssh_connection_closed_by_server", NETWORK, "end", Outcome::None);
        return true;
    }
    false
}

fn connection_from(line: &mut Line<'_, '_>, rest: &str) -> bool {
    // `<address> port <port> on <address> port <port>[ rdomain "…"]`
    let (from, on) = text::split_at(rest, " on ").unwrap_or((rest, ""));
    push_peer(line, &peer::at_end(from));
    let (address, rest) = text::word(on);
    if let Some(address) = text::address(address) {
        line.fields.address(field::DESTINATION_IP, address);
    }
    if let Some(port) = text::after(rest, "port ").and_then(|rest| text::port(text::word(rest).0)) {
        line.fields.integer(field::DESTINATION_PORT, i64::from(port));
    }
    line.ends(What::Opens, "ssh_connection", NETWORK, "connection");
    true
}

fn received_disconnect(line: &mut Line<'_, '_>, rest: &str) -> bool {
    // `<host>[ port <port>]:[ ]<code>: <text the client sent>`; an IPv6 address holds colons, so
    // the host is the first word up to its last colon.
    let (host, rest) = text::split(rest, b' ').unwrap_or((rest, ""));
    let (host, rest, port) = if let Some(host) = host.strip_suffix(':') {
        (host, rest, None)
    } else {
        let ported = text::after(rest, "port ").and_then(|rest| text::split(rest, b':'));
        let (port, rest) = ported.unwrap_or(("", rest));
        (host, text::trimmed_start(rest), text::port(port))
    };
    push_peer(line, &Peer { before: "", host, port });
    let (code, reason) = text::split(rest, b':').unwrap_or((rest, ""));
    text::some_text(line.fields, field::EVENT_CODE, text::trimmed(code));
    text::some_text(line.fields, field::EVENT_REASON, text::trimmed(reason));
    // RFC 4253 §11.1: 14 is "no more authentication methods available"; clients give up with 3
    // and a text that ends so.
    let given_up = match text::trimmed(code) {
        "14" => text::trimmed_start(reason).starts_with("No "),
        "3" => text::trimmed_end(reason).ends_with("Auth fail"),
        _ => false,
    };
    line.ends(What::Disconnects { given_up }, "ssh_disconnect", NETWORK, "end");
    true
}

/// `[from ][invalid user <user> |authenticating user <user> |user <user> ]<host>[ port <port>]`
fn closed(line: &mut Line<'_, '_>, action: &'static str, rest: &str, preauth: bool) -> bool {
    push_who(line, rest);
    line.ends(What::Closes { preauth }, action, NETWORK, "end");
    true
}

/// `[ invalid user <user> <host> port <port>| authenticating user …]: <reason>`
fn disconnecting(line: &mut Line<'_, '_>, rest: &str) -> bool {
    let (who, reason) = match text::after(rest, ": ") {
        Some(reason) => ("", reason),
        None => split_reason(rest.trim_start()),
    };
    if !who.is_empty() {
        push_who(line, text::after(who, "from ").unwrap_or(who));
    }
    text::some_text(line.fields, field::EVENT_REASON, reason);
    let too_many = text::after(reason, "Too many authentication failures");
    if let Some(user) = too_many.and_then(|rest| text::after(rest, " for ")) {
        line.fields.text(field::USER_NAME, text::after(user, "invalid user ").unwrap_or(user));
    }
    let changed = reason.starts_with("Change of username or service not allowed");
    let too_many = too_many.is_some();
    let action = if too_many { "ssh_too_many_failures" } else { "ssh_disconnecting" };
    line.ends(What::IsClosed { changed, too_many }, action, NETWORK, "end");
    true
}

/// An error before authentication: a failure where the address is known.
fn broken(line: &mut Line<'_, '_>, action: &'static str) -> bool {
    line.ends(What::FailsWhereKnown, action, NETWORK, "error");
    true
}

/// `[invalid user <user> |authenticating user <user> |user <user> ]<host>[ port <port>]`
pub(super) fn push_who(line: &mut Line<'_, '_>, who: &str) {
    let peer = peer::at_end(who.trim_end_matches('.'));
    push_peer(line, &peer);
    let marks = ["invalid user ", "authenticating user ", "user "];
    let user = marks.iter().find_map(|mark| peer.before.strip_prefix(mark));
    if let Some(user) = user {
        line.fields.text(field::USER_NAME, user);
    } else if marks.iter().any(|mark| mark.trim_end() == peer.before) {
        line.fields.text(field::USER_NAME, "");
    }
}

/// Splits `<who> port <port>: <reason>` after the port, and `<host>: <reason>` after the host. The
/// reason may hold what the client sent and the user name may hold anything, so the first end
/// that reads as `<host> port <port>` is taken where no user is named, else the last.
fn split_reason(rest: &str) -> (&str, &str) {
    let named = rest.starts_with("invalid user ")
        || rest.starts_with("authenticating user ")
        || rest.starts_with("user ");
    let is_end = |at: usize| {
        let who = rest.get(..at).unwrap_or_default();
        let peer = peer::at_end(who);
        text::address(peer.host).is_some() || peer.port.is_some()
    };
    let mut ends = memchr::memmem::find_iter(rest.as_bytes(), b": ").filter(|at| is_end(*at));
    let end = if named { ends.last() } else { ends.next() };
    match end {
        Some(at) => (rest.get(..at).unwrap_or_default(), rest.get(at + 2..).unwrap_or_default()),
        None => (rest.strip_suffix(':').unwrap_or(rest), ""),
    }
}
