//! PAM, whatever the service: `pam_unix(sshd:auth): authentication failure; …`, and the same
//! messages without their module's name as older systems write them.

use vigie_event::field;

use crate::line::{Known, Line, Outcome};
use crate::{logsources, text};

const KNOWN: Known = Known::event("pam", logsources::PAM);
const AUTH: &str = "authentication";

/// Reads a message that starts as PAM's do; `None` for any other.
#[inline]
pub fn parse(line: &mut Line<'_, '_>, message: &str) -> Option<Known> {
    match message.as_bytes().first()? {
        b'p' | b'(' | b'a' | b'c' | b's' | b'P' | b'0'..=b'9' => parse_likely(line, message),
        _ => None,
    }
}

fn parse_likely(line: &mut Line<'_, '_>, message: &str) -> Option<Known> {
    let (service, rest) = match message.as_bytes().first()? {
        b'p' => module(message)?,
        b'(' => ("", text::after(message, "(pam_unix) ")?),
        // Without the module's name: only what nothing else begins with.
        _ => ("", bare(message)?),
    };
    text::some_text(line.fields, field::SERVICE_NAME, service);
    Some(read(line, text::trimmed_end(rest)))
}

/// Reads a message of a program whose syslog tag names PAM, such as `su(pam_unix)`.
pub fn parse_tagged(line: &mut Line<'_, '_>, service: &str, message: &str) -> Known {
    text::some_text(line.fields, field::SERVICE_NAME, service);
    read(line, text::trimmed_end(message))
}

/// `pam_unix(sshd:auth): …`, `pam_unix(auth): …`, `pam_unix: …`: the service and the rest.
fn module(message: &str) -> Option<(&str, &str)> {
    let rest = text::after(message, "pam_")?;
    let end = if rest.starts_with("unix(") {
        "unix".len()
    } else {
        rest.bytes().position(|b| !(b.is_ascii_alphanumeric() || b == b'_'))?
    };
    let rest = rest.get(end..)?;
    if let Some(rest) = text::after(rest, ": ") {
        return Some(("", rest));
    }
    let (inside, rest) = text::split(rest.strip_prefix('(')?, b')')?;
    let service = text::split(inside, b':').map_or("", |(service, _)| service);
    Some((service, text::after(rest, ": ").or_else(|| rest.strip_prefix(':'))?))
}

fn bare(message: &str) -> Option<&str> {
    let starts = [
        "authentication failure; logname=",
        "check pass; user unknown",
        "session opened for user ",
        "session closed for user ",
    ];
    if starts.iter().any(|start| message.starts_with(start)) {
        return Some(message);
    }
    let rest = text::after(message, "PAM ").unwrap_or(message);
    (more_failures(rest) || rest.starts_with("service(")).then_some(rest)
}

/// `<n> more authentication failure[s]; logname=…`
fn more_failures(message: &str) -> bool {
    text::split(message, b' ').is_some_and(|(number, rest)| {
        text::number(number).is_some() && rest.starts_with("more authentication failure")
    })
}

fn read(line: &mut Line<'_, '_>, message: &str) -> Known {
    if let Some(rest) = text::after(message, "session opened for user ") {
        return session_opened(line, rest);
    }
    if let Some(user) = text::after(message, "session closed for user ") {
        line.fields.text(field::USER_NAME, user);
        line.action("session_closed", "session", "end", Outcome::None);
        return KNOWN;
    }
    if let Some(rest) = text::after(message, "authentication failure; ") {
        credentials(line, rest);
        line.action("pam_auth_failure", AUTH, "start", Outcome::Failure);
        return KNOWN;
    }
    if more_failures(message) {
        if let Some((_, rest)) = text::split_at(message, "; ") {
            credentials(line, rest);
        }
        line.action("pam_more_auth_failures", AUTH, "start", Outcome::Failure);
        return KNOWN;
    }
    if message.starts_with("check pass; user unknown") {
        line.action("pam_user_unknown", AUTH, "info", Outcome::None);
        return KNOWN;
    }
    read_rare(line, message)
}

fn read_rare(line: &mut Line<'_, '_>, message: &str) -> Known {
    if let Some(rest) = text::after(message, "user [") {
        // `user [<name>] does not exist …` or `has …`
        if let Some((user, _)) = text::split(rest, b']') {
            line.fields.text(field::USER_NAME, user);
        }
        line.action("pam_user_unknown", AUTH, "info", Outcome::None);
        return KNOWN;
    }
    if let Some(rest) = text::after(message, "user ") {
        if let Some(user) = text::split_at(rest, " does not exist").map(|(user, _)| user) {
            line.fields.text(field::USER_NAME, user.trim_matches('"'));
            line.action("pam_user_unknown", AUTH, "info", Outcome::None);
            return KNOWN;
        }
        // `user <name> (<uid>) tally <n>, deny <n>` of pam_tally
        if rest.contains(" tally ") {
            line.fields
                .text(field::USER_NAME, text::split_at(rest, " (").map_or(rest, |(user, _)| user));
            line.action("pam_account_failure", AUTH, "start", Outcome::Failure);
            return KNOWN;
        }
    }
    for start in ["password changed for ", "changing password for "] {
        if let Some(user) = message.strip_prefix(start) {
            line.fields.text(field::USER_TARGET_NAME, user);
            line.action("password_changed", "iam", "change", Outcome::Success);
            return Known::event("accounts", logsources::ACCOUNTS);
        }
    }
    if let Some(rest) = text::after(message, "received for user ") {
        // `<name>: <n> (<reason>)` of pam_sss
        line.fields
            .text(field::USER_NAME, text::split_at(rest, ": ").map_or(rest, |(user, _)| user));
        line.action("pam_auth_error", AUTH, "info", Outcome::None);
        return KNOWN;
    }
    if let Some(rest) = text::after(message, "account ") {
        // `account <name> has expired (…)`, `account <name> has password changed in future`
        line.fields.text(field::USER_NAME, text::word(rest).0);
        line.action(
            "pam_account_failure",
            AUTH,
            "info",
            Outcome::failure_if(rest.contains("expired")),
        );
        return KNOWN;
    }
    if let Some(rest) = text::after(message, "Consecutive login failures for user ") {
        line.fields.text(field::USER_NAME, text::word(rest).0);
        line.action("pam_account_failure", AUTH, "start", Outcome::Failure);
        return KNOWN;
    }
    for start in ["access denied", "Access denied"] {
        if let Some(rest) = message.strip_prefix(start) {
            if let Some(user) =
                text::after(rest, " for user ").or_else(|| text::between(rest, "`", "'"))
            {
                line.fields.text(
                    field::USER_NAME,
                    user.split_once([' ', '\''])
                        .map_or(user, |(user, _)| user)
                        .trim_matches(['`', '\'']),
                );
            }
            line.action("pam_account_failure", AUTH, "start", Outcome::Failure);
            return KNOWN;
        }
    }
    line.action("pam_message", AUTH, "info", Outcome::None);
    KNOWN
}

/// `<name>[(uid=<n>)] by [<actor>](uid=<n>)`
fn session_opened(line: &mut Line<'_, '_>, rest: &str) -> Known {
    let (user, by) = text::rsplit_at(rest, " by ").unwrap_or((rest, ""));
    let (user, id) = split_id(user);
    line.fields.text(field::USER_NAME, user);
    text::some_text(line.fields, field::USER_ID, id);
    let (actor, _) = split_id(by);
    text::some_text(line.fields, field::USER_EFFECTIVE_NAME, actor);
    line.action("session_opened", "session", "start", Outcome::None);
    KNOWN
}

/// `<name>(uid=<n>)`: the name and the number.
fn split_id(user: &str) -> (&str, &str) {
    let Some((name, id)) = text::rsplit_at(user, "(uid=") else { return (user, "") };
    (name, id.trim_end_matches(')'))
}

/// `logname=… uid=… euid=… tty=… ruser=… rhost=…  user=…`
///
/// The remote user and the user are what somebody typed, so they may hold ` rhost=`. Where there
/// is no remote user, the host is the first; where there is one, the last that is followed by
/// nothing or by ` user=`.
fn credentials(line: &mut Line<'_, '_>, rest: &str) {
    // `logname` is the one part in front that is not a number.
    let rest = text::split_at(rest, "tty=").map_or(rest, |(_, rest)| rest);
    let (tty, rest) = text::split_at(rest, " ruser=").unwrap_or((rest, ""));
    text::some_text(line.fields, field::PROCESS_TTY, tty);
    let candidates = || {
        let mut from = 0;
        let places = std::iter::from_fn(move || {
            let at = from + text::find_text(rest.get(from..)?, "rhost=")?;
            from = at + 6;
            Some(at)
        });
        places.filter_map(|at| {
            let ruser = match at {
                0 => "",
                at => rest.get(..at)?.strip_suffix(' ')?,
            };
            let after = rest.get(at + 6..)?;
            let (host, after) = text::word(after);
            let user = match after {
                "" => "",
                after => text::after(after, "user=")?,
            };
            Some((ruser, host, user))
        })
    };
    let found = match candidates().next() {
        Some(first) if first.0.is_empty() => Some(first),
        _ => candidates().last(),
    };
    let Some((remote_user, host, user)) = found else { return };
    line.source(host);
    let name = if user.is_empty() { remote_user } else { user };
    text::some_text(line.fields, field::USER_NAME, name.trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modules_and_their_services() {
        for (message, expected) in [
            ("pam_unix(sshd:auth): x", Some(("sshd", "x"))),
            ("pam_unix(auth): x", Some(("", "x"))),
            ("pam_unix: x", Some(("", "x"))),
            ("pam_succeed_if(sshd:auth): x", Some(("sshd", "x"))),
            ("pam_unix is a module", None),
            ("pamx", None),
        ] {
            assert_eq!(module(message), expected, "{message}");
        }
    }
}
