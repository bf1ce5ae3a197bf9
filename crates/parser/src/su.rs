//! `su`, of shadow, util-linux and the BSDs.

use vigie_event::field;

use crate::line::{Known, Line, Outcome};
use crate::{logsources, pam, text};

const KNOWN: Known = Known::event("su", logsources::SU);

/// Reads a message of su.
pub fn parse(line: &mut Line<'_, '_>, message: &str) -> Option<Known> {
    if let Some(known) = pam::parse(line, message) {
        return Some(known);
    }
    let change = change(message.trim_end())?;
    line.fields.text(field::USER_NAME, change.from);
    line.fields.text(field::USER_EFFECTIVE_NAME, change.to);
    text::some_text(line.fields, field::PROCESS_TTY, change.tty);
    // The second line that shadow writes of one and the same change.
    let action = if change.outcome == Outcome::None { "su_record" } else { "su" };
    line.action(action, "authentication", "start", change.outcome);
    Some(KNOWN)
}

struct Change<'m> {
    from: &'m str,
    to: &'m str,
    tty: &'m str,
    outcome: Outcome,
}

fn change(message: &str) -> Option<Change<'_>> {
    for (start, outcome) in
        [("Successful su for ", Outcome::Success), ("FAILED su for ", Outcome::Failure)]
    {
        if let Some(rest) = message.strip_prefix(start) {
            let (to, from) = text::split_at(rest, " by ")?;
            return Some(Change { from, to, tty: "", outcome });
        }
    }
    // util-linux: `[FAILED SU ](to <user>) <user> on <tty>`
    let (rest, outcome) = match text::after(message, "FAILED SU ") {
        Some(rest) => (rest, Outcome::Failure),
        None => (message, Outcome::Success),
    };
    if let Some(rest) = text::after(rest, "(to ") {
        let (to, rest) = text::split_at(rest, ") ")?;
        let (from, tty) = text::rsplit_at(rest, " on ")?;
        return Some(Change { from, to, tty, outcome });
    }
    // shadow's sulog form: `+ <tty> <user>:<user>`
    for start in ["+ ", "- "] {
        if let Some(rest) = message.strip_prefix(start) {
            let (tty, users) = text::split(rest, b' ')?;
            let (from, to) = users.split_once([':', '-'])?;
            return Some(Change { from, to, tty, outcome: Outcome::None });
        }
    }
    // The BSDs and older systems.
    if let Some(rest) = text::after(message, "BAD SU ") {
        let (from, rest) = text::split_at(rest, " to ")?;
        let (to, tty) = text::rsplit_at(rest, " on ")?;
        return Some(Change { from, to, tty, outcome: Outcome::Failure });
    }
    if let Some(rest) = text::after(message, "failed: ") {
        let (tty, rest) = text::split_at(rest, " changing from ")?;
        let (from, to) = text::split_at(rest, " to ")?;
        return Some(Change { from, to, tty, outcome: Outcome::Failure });
    }
    if let Some(rest) = text::after(message, "'su ") {
        let (to, rest) = text::split_at(rest, "' ")?;
        let failed = rest.starts_with("failed");
        let (_, rest) = text::split_at(rest, " for ")?;
        let (from, tty) = text::rsplit_at(rest, " on ")?;
        let outcome = if failed { Outcome::Failure } else { Outcome::Success };
        return Some(Change { from, to, tty, outcome });
    }
    let (from, rest) = text::split_at(message, " to ")?;
    let (to, tty) = text::rsplit_at(rest, " on ")?;
    let plain = !from.contains(' ') && !to.contains(' ') && tty.starts_with("/dev/");
    plain.then_some(Change { from, to, tty, outcome: Outcome::Success })
}
