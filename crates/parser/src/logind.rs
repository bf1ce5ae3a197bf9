//! `systemd-logind`: sessions come and go.

use vigie_event::field;

use crate::line::{Known, Line, Outcome};
use crate::{logsources, text};

const KNOWN: Known = Known::event("logind", logsources::LOGIN);

/// Reads a message of logind.
pub fn parse(line: &mut Line<'_, '_>, message: &str) -> Option<Known> {
    let message = message.trim_end().trim_end_matches('.');
    if let Some(rest) = text::after(message, "New session ") {
        // `<id> of user <name>`, since v256 followed by ` with class '…' and type '…'`
        if let Some((_, user)) = text::split_at(rest, " of user ") {
            let user = text::split_at(user, " with class ").map_or(user, |(user, _)| user);
            line.fields.text(field::USER_NAME, user.trim_end_matches('.'));
        }
        line.action("session_opened", "session", "start", Outcome::None);
        return Some(KNOWN);
    }
    if message.starts_with("Removed session ") {
        line.action("session_closed", "session", "end", Outcome::None);
        return Some(KNOWN);
    }
    if message.starts_with("Session ") || message.starts_with("New seat ") {
        line.action("session_changed", "session", "info", Outcome::None);
        return Some(KNOWN);
    }
    for start in
        ["Watching system buttons", "System is ", "Power key", "Lid ", "Suspend", "Hibernate"]
    {
        if message.starts_with(start) {
            line.action("system_state", "host", "info", Outcome::None);
            return Some(KNOWN);
        }
    }
    text::word(message).0.starts_with("Failed").then(|| {
        line.fields.text(field::ERROR_MESSAGE, message);
        line.action("logind_error", "session", "error", Outcome::None);
        KNOWN
    })
}
