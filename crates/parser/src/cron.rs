//! `cron` and its relatives: `(<user>) CMD (<command>)`.

use vigie_event::field;

use crate::line::{Known, Line, Outcome};
use crate::{logsources, pam, text};

const KNOWN: Known = Known::event("cron", logsources::CRON);

/// Reads a message of cron.
pub fn parse(line: &mut Line<'_, '_>, message: &str) -> Option<Known> {
    if let Some(known) = pam::parse(line, message) {
        return Some(known);
    }
    let (user, rest) = message.trim_end().strip_prefix('(')?.split_once(") ")?;
    let (verb, inside) = text::split_at(rest, " (").unwrap_or((rest, ""));
    // The command may hold parentheses; only the last closes.
    let inside = inside.strip_suffix(')').unwrap_or(inside);
    let (action, outcome) = match verb {
        "CMD" | "CMDOUT" | "CMDEND" => {
            line.fields.text(field::PROCESS_COMMAND_LINE, inside);
            let action = if verb == "CMD" { "cron_command" } else { "cron_output" };
            (action, Outcome::None)
        }
        "RELOAD" => ("cron_reloaded", Outcome::None),
        "REPLACE" | "END EDIT" => ("cron_changed", Outcome::None),
        "DELETE" => ("cron_deleted", Outcome::None),
        "LIST" => ("cron_listed", Outcome::None),
        "BEGIN EDIT" => ("cron_edit", Outcome::None),
        "AUTH" => ("cron_not_allowed", Outcome::Failure),
        "MAIL" | "INFO" | "STARTUP" | "ERROR" | "WARNING" => ("cron_message", Outcome::None),
        verb if verb.starts_with("FAILED to authorize") || verb.starts_with("PAM ERROR") => {
            ("cron_not_allowed", Outcome::Failure)
        }
        _ => ("cron_message", Outcome::None),
    };
    if user != "CRON" && user != "*system*" {
        line.fields.text(field::USER_NAME, user);
    }
    let category = if action == "cron_command" { "process" } else { "configuration" };
    let kind = if action == "cron_command" { "start" } else { "info" };
    line.action(action, category, kind, outcome);
    Some(KNOWN)
}
