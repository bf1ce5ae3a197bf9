//! PAM, whatever the service: `pam_unix(sshd:auth): authentication failure; …`, and the same
//! messages without their module's name as older systems write them.

use vigie_event::field;

use crate::line::{Known, Line, Outcome};
use crate::{logsources, text};

const KNOWN: Known = Known::event("pam", logsources::PAM);
const AUTH: &str = "authentication";

/// Reads a message that starts as PAM's do; `None` for any other.
pub fn parse(line: &mut Line<'_, '_>, message: &str) -> Option<Known> {
    let first = message.as_bytes().first()?;
    let (service, rest) = match first {
        b'p' => module(message)?,
        b'(' => ("", message.strip_prefix("(pam_unix) ")?),
        // Without the module's name: only what nothing else begins with.
        b'a' | b'c' | b's' | b'P' | b'0'..=b'9' => ("", bare(message)?),
        _ => return None,
    };
    text::some_text(line.fields, field::SERVICE_NAME, service);
    Some(read(line, rest.trim_end()))
}

/// Reads a message of a program whose syslog tag names PAM, such as `su(pam_unix)`.
pub fn parse_tagged(line: &mut Line<'_, '_>, service: &str, message: &str) -> Known {
    text::some_text(line.fields, field::SERVICE_NAME, service);
    read(line, message.trim_end())
}

/// `pam_unix(sshd:auth): …`, `pam_unix(auth): …`, `pam_unix: …`: the service and the rest.
fn module(message: &str) -> Option<(&str, &str)> {
    let rest = message.strip_prefix("pam_")?;
    let end = rest.bytes().position(|b| !(b.is_ascii_alphanumeric() || b == b'_'))?;
    let rest = rest.get(end..)?;
    if let Some(rest) = rest.strip_prefix(": ") {
        return Some(("", rest));
    }
    let (inside, rest) = text::split(rest.strip_prefix('(')?, b')')?;
    let service = text::split(inside, b':').map_or("", |(service, _)| service);
    Some((service, rest.strip_prefix(": ").or_else(|| rest.strip_prefix(':'))?))
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
    let rest = message.strip_prefix("PAM ").unwrap_or(message);
    (more_failures(rest) || rest.starts_with("service(")).then_some(rest)
}

/// `<n> more authentication failure[s]; logname=…`
fn more_failures(message: &str) -> bool {
    text::split(message, b' ').is_some_and(|(number, rest)| {
        text::number(number).is_some() && rest.starts_with("more authentication failure")
    })
}

fn read(line: &mut Line<'_, '_>, message: &str) -> Known {
    if let Some(rest) = message.strip_prefix("session opened for user ") {
        return session_opened(line, rest);
    }
    if let Some(user) = message.strip_prefix("session closed for user ") {
        line.fields.text(field::USER_NAME, user);
        line.action("session_closed", "session", "end", Outcome::None);
        return KNOWN;
    }
    if let Some(rest) = message.strip_prefix("authentication failure; ") {
        credentials(line, rest);
        line.action("pam_auth_failure", AUTH, "start", Outcome::Failure);
        return KNOWN;
    }
    if more_failures(message) {
        if let Some((_, rest)) = message.split_once("; ") {
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
    if let Some(rest) = message.strip_prefix("user [") {
        // `user [<name>] does not exist …` or `has …`
        if let Some((user, _)) = rest.split_once(']') {
            line.fields.text(field::USER_NAME, user);
        }
        line.action("pam_user_unknown", AUTH, "info", Outcome::None);
        return KNOWN;
    }
    if let Some(rest) = message.strip_prefix("user ") {
        if let Some(user) = rest.split_once(" does not exist").map(|(user, _)| user) {
            line.fields.text(field::USER_NAME, user.trim_matches('"'));
            line.action("pam_user_unknown", AUTH, "info", Outcome::None);
            return KNOWN;
        }
        // `user <name> (<uid>) tally <n>, deny <n>` of pam_tally
        if rest.contains(" tally ") {
            line.fields
                .text(field::USER_NAME, rest.split_once(" (").map_or(rest, |(user, _)| user));
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
    if let Some(rest) = message.strip_prefix("received for user ") {
        // `<name>: <n> (<reason>)` of pam_sss
        line.fields.text(field::USER_NAME, rest.split_once(": ").map_or(rest, |(user, _)| user));
        line.action("pam_auth_error", AUTH, "info", Outcome::None);
        return KNOWN;
    }
    if let Some(rest) = message.strip_prefix("account ") {
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
    if let Some(rest) = message.strip_prefix("Consecutive login failures for user ") {
        line.fields.text(field::USER_NAME, text::word(rest).0);
        line.action("pam_account_failure", AUTH, "start", Outcome::Failure);
        return KNOWN;
    }
    for start in ["access denied", "Access denied"] {
        if let Some(rest) = message.strip_prefix(start) {
            if let Some(user) =
                rest.strip_prefix(" for user ").or_else(|| text::between(rest, "`", "'"))
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
    let (user, by) = rest.rsplit_once(" by ").unwrap_or((rest, ""));
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
    let Some((name, id)) = user.rsplit_once("(uid=") else { return (user, "") };
    (name, id.trim_end_matches(')'))
}

/// `logname=… uid=… euid=… tty=… ruser=… rhost=…  user=…`
///
/// The remote user and the user are what somebody typed, so they may hold ` rhost=`. Where there
/// is no remote user, the host is the first; where there is one, the last that is followed by
/// nothing or by ` user=`.
fn credentials(line: &mut Line<'_, '_>, rest: &str) {
    // `logname` is the one part in front that is not a number.
    let rest = memchr::memmem::find(rest.as_bytes(), b"tty=")
        .and_then(|at| rest.get(at + 4..))
        .unwrap_or(rest);
    let (tty, rest) = rest.split_once(" ruser=").unwrap_or((rest, ""));
    text::some_text(line.fields, field::PROCESS_TTY, tty);
    let candidates = || {
        memchr::memmem::find_iter(rest.as_bytes(), b"rhost=").filter_map(|at| {
            let ruser = match at {
                0 => "",
                at => rest.get(..at)?.strip_suffix(' ')?,
            };
            let after = rest.get(at + 6..)?;
            let (host, after) = text::word(after);
            let user = match after {
                "" => "",
                after => after.strip_prefix("user=")?,
            };
            Some((ruser, host, user))
        })
    };
    let found = match candidates().next() {
        Some(first) if first.0.is_empty() => Some(first),
        _ => candidates().last(),
    };
    let Some((remote_user, host, user)) = found else { return };
    text::source(line.fields, host);
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
