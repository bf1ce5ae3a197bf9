//! `login`, the program on the console and behind telnet.

use vigie_event::field;

use crate::line::{Known, Line, Outcome};
use crate::{logsources, pam, text};

const KNOWN: Known = Known::event("login", logsources::LOGIN);

/// Reads a message of login.
pub fn parse(line: &mut Line<'_, '_>, message: &str) -> Option<Known> {
    if let Some(known) = pam::parse(line, message) {
        return Some(known);
    }
    let message = message.trim_end();
    let outcome = success(line, message).or_else(|| failure(line, message))?;
    line.action("login", "authentication", "start", outcome);
    Some(KNOWN)
}

/// `[ROOT ]LOGIN[ ]ON <tty>[ BY <user>][ FROM <host>]`, `DIALUP AT <tty> BY <user>`
fn success(line: &mut Line<'_, '_>, message: &str) -> Option<Outcome> {
    let (root, rest) = match text::after(message, "ROOT ") {
        Some(rest) => (true, rest),
        None => (false, message),
    };
    let rest = match text::after(rest, "DIALUP AT ") {
        Some(rest) => rest,
        None => text::after(rest, "LOGIN")?.trim_start().strip_prefix("ON ")?,
    };
    let (rest, host) = text::rsplit_at(rest, " FROM ").unwrap_or((rest, ""));
    let (tty, user) = text::split_at(rest, " BY ").unwrap_or((rest, ""));
    line.fields.text(field::PROCESS_TTY, unquoted(tty));
    if user.is_empty() && root {
        line.fields.fixed(field::USER_NAME, "root");
    }
    text::some_text(line.fields, field::USER_NAME, unquoted(user));
    line.source(unquoted(host));
    Some(Outcome::Success)
}

fn failure(line: &mut Line<'_, '_>, message: &str) -> Option<Outcome> {
    if let Some(rest) = message
        .strip_prefix("FAILED LOGIN ")
        .or_else(|| text::after(message, "TOO MANY LOGIN TRIES "))
    {
        // `(<n>) on '<tty>'[ from '<host>'] FOR '<user>', <reason>`,
        // `[<n> ]FROM <host> FOR <user>, <reason>`, `SESSION FROM <host> FOR <user>, <reason>`
        let (head, tail) = text::split_at(rest, " FOR ")?;
        let (user, reason) = text::rsplit_at(tail, ", ").unwrap_or((tail, ""));
        line.fields.text(field::USER_NAME, unquoted(user));
        text::some_text(line.fields, field::EVENT_REASON, reason);
        let host = head
            .rsplit_once("FROM ")
            .or_else(|| text::rsplit_at(head, "from "))
            .map(|(_, host)| unquoted(host));
        if let Some(host) = host
            && !host.starts_with("tty")
        {
            line.source(host);
        }
        let tty = text::rsplit_at(head, "on ").map(|(_, tty)| unquoted(text::word(tty).0));
        text::some_text(line.fields, field::PROCESS_TTY, tty.unwrap_or_default());
        return Some(Outcome::Failure);
    }
    if let Some(rest) = text::after(message, "invalid password for ") {
        // `'<user>' on '<tty>'[ from '<host>']`
        let (user, rest) = text::quoted(rest)?;
        line.fields.text(field::USER_NAME, user);
        if let Some((_, host)) = text::rsplit_at(rest, " from ") {
            line.source(unquoted(host));
        }
        return Some(Outcome::Failure);
    }
    // The BSDs: `[<n> ]LOGIN FAILURE[S] [ON <tty>|FROM <host>][, <user>]`
    let (_, rest) = text::split_at(message, "LOGIN FAILURE")?;
    let rest = rest.trim_start_matches('S').trim_start();
    let (place, user) = text::split_at(rest, ", ").unwrap_or((rest, ""));
    text::some_text(line.fields, field::USER_NAME, user);
    if let Some(host) = text::after(place, "FROM ") {
        line.source(host);
    }
    Some(Outcome::Failure)
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches(['\'', '`'])
}
