//! `sudo`: `<user> : [<why not> ; ]TTY=… ; PWD=… ; USER=… ; COMMAND=…`
//!
//! A command line may hold ` ; COMMAND=` too, so the first of each is taken and the command runs
//! to the end: nothing that was run is left out of `process.command_line`.

use vigie_event::{FieldId, field};

use crate::line::{Known, Line, Outcome};
use crate::{logsources, pam, text};

const KNOWN: Known = Known::event("sudo", logsources::SUDO);

/// Reads a message of sudo.
pub fn parse(line: &mut Line<'_, '_>, message: &str) -> Option<Known> {
    if let Some(known) = pam::parse(line, message) {
        return Some(known);
    }
    let (user, rest) = text::split_at(text::trimmed_start(message), " : ")?;
    line.fields.text(field::USER_NAME, user);
    if let Some(rest) = text::after(rest, "(command continued) ") {
        line.fields.text(field::PROCESS_COMMAND_LINE, rest);
        line.action("sudo_command_continued", "process", "info", Outcome::None);
        return Some(KNOWN);
    }
    let refusal = refusal(rest);
    settings(line, rest);
    match refusal {
        None => line.action("sudo_command", "process", "start", Outcome::Success),
        Some(reason) => {
            line.fields.text(field::EVENT_REASON, reason);
            let attempts = reason.contains("incorrect password attempt")
                || reason.contains("authentication failure")
                || reason.starts_with("a password is required");
            let action = if attempts { "sudo_auth_failure" } else { "sudo_not_allowed" };
            let category = if attempts { "authentication" } else { "process" };
            line.action(action, category, "start", Outcome::Failure);
        }
    }
    Some(KNOWN)
}

/// The first part where it is no setting: `user NOT in sudoers`, `3 incorrect password attempts`.
fn refusal(rest: &str) -> Option<&str> {
    let first = text::split_at(rest, " ; ").map_or(rest, |(first, _)| first);
    let name = text::split(first, b'=').map_or("", |(name, _)| name);
    let setting = !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b == b'_');
    (!setting).then_some(first.trim())
}

/// The settings and their fields.
const NAMES: [(&str, FieldId); 4] = [
    ("TTY=", field::PROCESS_TTY),
    ("PWD=", field::PROCESS_WORKING_DIRECTORY),
    ("USER=", field::USER_EFFECTIVE_NAME),
    ("GROUP=", field::USER_GROUP_NAME),
];

fn settings(line: &mut Line<'_, '_>, rest: &str) {
    let (head, command) = match text::split_at(rest, "COMMAND=") {
        Some((head, command)) => (head, Some(command)),
        None => (rest, None),
    };
    let mut values = [None; NAMES.len()];
    let mut rest = Some(head);
    while let Some(parts) = rest {
        let part;
        (part, rest) = match text::split_at(parts, " ; ") {
            Some((part, rest)) => (part, Some(rest)),
            None => (parts, None),
        };
        let part = text::trimmed_start(part);
        for (value, (name, _)) in values.iter_mut().zip(NAMES) {
            *value = value.or_else(|| text::after(part, name));
        }
    }
    for (value, (_, id)) in values.into_iter().zip(NAMES) {
        if let Some(value) = value {
            line.fields.text(id, value.trim_end_matches(" ;").trim_end());
        }
    }
    if let Some(command) = command {
        line.fields.text(field::PROCESS_COMMAND_LINE, command);
        let executable = text::word(command).0;
        if executable.starts_with('/') {
            line.fields.text(field::PROCESS_EXECUTABLE, executable);
        }
    }
}
