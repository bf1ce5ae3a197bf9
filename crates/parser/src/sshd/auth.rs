//! Who tried to log in, how, and whether they got in.

use vigie_event::field;

use super::ending::What;
use super::peer::{self, Peer};
use crate::line::{Line, Outcome};
use crate::text;

const AUTH: &str = "authentication";

/// The commonest messages about authentication.
pub(super) fn parse(line: &mut Line<'_, '_>, message: &str) -> bool {
    if let Some(rest) = text::after(message, "Failed ") {
        return failed(line, rest);
    }
    if let Some(rest) = text::after(message, "Accepted ") {
        return accepted(line, rest);
    }
    if let Some(rest) =
        text::after(message, "Invalid user ").or_else(|| text::after(message, "Illegal user "))
    {
        return invalid_user(line, rest);
    }
    if let Some(rest) = text::after(message, "input_userauth_request: ") {
        // Also `<name> user  [preauth]` of servers whose marker was replaced.
        let user =
            text::after(rest, "invalid user ").or_else(|| text::after(rest, "illegal user "));
        let action = if user.is_some() { "ssh_invalid_user_request" } else { "ssh_user_request" };
        line.action(action, AUTH, "info", Outcome::None);
        line.fields.text(field::USER_NAME, user.unwrap_or(rest).trim_end());
        line.ends_named(What::Recalls);
        return true;
    }
    if let Some(rest) = text::after(message, "maximum authentication attempts exceeded for ") {
        return with_user(line, "ssh_max_attempts", rest);
    }
    if let Some(rest) = text::after(message, "PAM: ") {
        return pam_error(line, rest);
    }
    for start in ["Postponed ", "Partial "] {
        if let Some(rest) = message.strip_prefix(start) {
            return postponed(line, rest);
        }
    }
    false
}

/// The rarer ones.
pub(super) fn parse_rare(line: &mut Line<'_, '_>, message: &str) -> bool {
    if let Some(rest) = text::after(message, "User ") {
        return not_allowed(line, rest);
    }
    if let Some(rest) = text::after(message, "Login ") {
        return login_restricted(line, rest);
    }
    if let Some(rest) = text::after(message, "ROOT LOGIN REFUSED FROM ") {
        line.fields.fixed(field::USER_NAME, "root");
        return refused(line, "ssh_user_not_allowed", rest);
    }
    if let Some(rest) = text::after(message, "Authentication tried for ") {
        let (user, rest) = rest
            .split_once(" with correct key but not from a permitted host")
            .unwrap_or((rest, ""));
        line.fields.text(field::USER_NAME, user);
        if let Some((_, rest)) = text::split_at(rest, "ip=") {
            line.source(rest.split_once([',', ')']).map_or(rest, |(host, _)| host));
        }
        line.ends(What::FailsWhereKnown, "ssh_user_not_allowed", AUTH, "start");
        return true;
    }
    if let Some(rest) = text::after(message, "refused connect from ") {
        // `host (address)`, or `user@host (address)` where the client runs identd.
        let host = text::rsplit(rest, b'(').and_then(|(_, host)| host.strip_suffix(')'));
        let host = host.unwrap_or_else(|| text::rsplit(rest, b'@').map_or(rest, |(_, host)| host));
        return refused(line, "ssh_refused", host);
    }
    for start in
        ["Authentication refused: ", "Found matching ", "Accepted key ", "Accepted certificate "]
    {
        if message.starts_with(start) {
            line.ends(What::Recalls, "ssh_key_checked", AUTH, "info");
            return true;
        }
    }
    false
}

fn refused(line: &mut Line<'_, '_>, action: &'static str, host: &str) -> bool {
    let peer = peer::at_end(host);
    push_peer(line, &peer);
    line.ends(What::FailsWhereKnown, action, AUTH, "start");
    true
}

fn accepted(line: &mut Line<'_, '_>, rest: &str) -> bool {
    let Some((method, rest)) = method_for(rest) else { return false };
    let Some((user, peer, information)) = peer::user_from(rest) else { return false };
    line.fields.text(field::USER_NAME, user);
    push_peer(line, &peer);
    line.fields.text(field::SSH_METHOD, method);
    push_key(line, information);
    line.ends(What::Accepted, "ssh_login", AUTH, "start");
    true
}

fn failed(line: &mut Line<'_, '_>, rest: &str) -> bool {
    let Some((method, rest)) = method_for(rest) else { return false };
    let Some((user, peer, information)) = peer::user_from(rest) else { return false };
    line.fields.text(field::USER_NAME, valid_part(user).0);
    push_peer(line, &peer);
    line.fields.text(field::SSH_METHOD, method);
    push_key(line, information);
    if method == "publickey" {
        line.ends(What::Remembers, "ssh_key_refused", AUTH, "info");
        return true;
    }
    let action = if method == "none" { "ssh_auth_none" } else { "ssh_login" };
    line.ends(What::Fails, action, AUTH, "start");
    true
}

fn postponed(line: &mut Line<'_, '_>, rest: &str) -> bool {
    let Some((method, rest)) = method_for(rest) else { return false };
    let Some((user, peer, _)) = peer::user_from(rest) else { return false };
    line.fields.text(field::USER_NAME, valid_part(user).0);
    push_peer(line, &peer);
    line.fields.text(field::SSH_METHOD, method);
    line.ends(What::Remembers, "ssh_auth_partial", AUTH, "info");
    true
}

fn invalid_user(line: &mut Line<'_, '_>, rest: &str) -> bool {
    let Some((user, peer, _)) = peer::user_from(rest) else { return false };
    line.fields.text(field::USER_NAME, user);
    push_peer(line, &peer);
    line.ends(What::Fails, "ssh_invalid_user", AUTH, "start");
    true
}

fn with_user(line: &mut Line<'_, '_>, action: &'static str, rest: &str) -> bool {
    let Some((user, peer, _)) = peer::user_from(rest) else { return false };
    line.fields.text(field::USER_NAME, valid_part(user).0);
    push_peer(line, &peer);
    line.ends(What::Fails, action, AUTH, "start");
    true
}

/// `<reason> for <user> from <host>[ via <host>]`, the reason being PAM's own text.
fn pam_error(line: &mut Line<'_, '_>, rest: &str) -> bool {
    let Some((reason, rest)) = text::split_at(rest, " for ") else { return false };
    let found = peer::user_from(rest.trim_end()).or_else(|| {
        let (rest, _) = text::rsplit_at(rest, " via ")?;
        peer::user_from(rest)
    });
    let Some((user, peer, _)) = found else { return false };
    line.fields.text(field::USER_NAME, valid_part(user).0);
    line.fields.text(field::EVENT_REASON, reason);
    line.fields.fixed(field::SSH_METHOD, "keyboard-interactive/pam");
    push_peer(line, &peer);
    line.ends(What::Fails, "ssh_login", AUTH, "start");
    true
}

/// `<user>[ from <host>] not allowed because <reason>`, and other things about a user.
fn not_allowed(line: &mut Line<'_, '_>, rest: &str) -> bool {
    let (who, reason) = match text::rsplit_at(rest, " not allowed because ") {
        Some((who, reason)) => (who, reason),
        None => match text::rsplit_at(rest, " not allowed to log in") {
            Some((who, reason)) => (who, reason),
            None => return false,
        },
    };
    let user = match peer::user_from(who) {
        Some((user, peer, _)) => {
            push_peer(line, &peer);
            user
        }
        None => who,
    };
    line.fields.text(field::USER_NAME, user);
    text::some_text(line.fields, field::EVENT_REASON, reason);
    line.ends(What::FailsWhereKnown, "ssh_user_not_allowed", AUTH, "start");
    true
}

/// `Login name <user> …`, `Login restricted for <user>: …`.
fn login_restricted(line: &mut Line<'_, '_>, rest: &str) -> bool {
    let Some(rest) = text::after(rest, "restricted for ") else { return false };
    line.fields.text(field::USER_NAME, text::split_at(rest, ": ").map_or(rest, |(user, _)| user));
    line.ends(What::FailsWhereKnown, "ssh_user_not_allowed", AUTH, "start");
    true
}

/// `<method> for <rest>`.
fn method_for(rest: &str) -> Option<(&str, &str)> {
    let (method, rest) = text::split(rest, b' ')?;
    Some((method, text::after(rest, "for ")?))
}

/// The user's name without the server's mark that there is no such account. Whether there is.
fn valid_part(user: &str) -> (&str, bool) {
    match text::after(user, "invalid user ").or_else(|| text::after(user, "illegal user ")) {
        Some(user) => (user, false),
        None if matches!(user, "invalid user" | "illegal user") => ("", false),
        None => (user, true),
    }
}

pub(super) fn push_peer(line: &mut Line<'_, '_>, peer: &Peer<'_>) {
    line.source(peer.host);
    if let Some(port) = peer.port {
        line.fields.integer(field::SOURCE_PORT, i64::from(port));
    }
}

/// `RSA SHA256:…`, the key that was offered.
fn push_key(line: &mut Line<'_, '_>, information: &str) {
    if information.is_empty() {
        return;
    }
    let (kind, rest) = text::word(information);
    let (fingerprint, _) = text::word(rest);
    if fingerprint.contains(':') && !kind.is_empty() && kind.bytes().all(|b| b.is_ascii_graphic()) {
        line.fields.text(field::SSH_KEY_TYPE, kind);
        line.fields.text(field::SSH_KEY_FINGERPRINT, fingerprint.trim_end_matches(','));
    }
}
