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
    let (root, rest) = match message.strip_prefix("ROOT ") {
        Some(rest) => (true, rest),
        None => (false, message),
    };
    let rest = match rest.strip_prefix("DIALUP AT ") {
        Some(rest) => rest,
        None => rest.strip_prefix("LOGIN")?.trim_start().strip_prefix("ON ")?,
    };
    let (rest, host) = rest.rsplit_once(" FROM ").unwrap_or((rest, ""));
    let (tty, user) = rest.split_once(" BY ").unwrap_or((rest, ""));
    line.fields.text(field::PROCESS_TTY, unquoted(tty));
    if user.is_empty() && root {
        line.fields.fixed(field::USER_NAME, "root");
    }
    text::some_text(line.fields, field::USER_NAME, unquoted(user));
    text::source(line.fields, unquoted(host));
    Some(Outcome::Success)
}

fn failure(line: &mut Line<'_, '_>, message: &str) -> Option<Outcome> {
    if let Some(rest) = message
        .strip_prefix("FAILED LOGIN ")
        .or_else(|| message.strip_prefix("TOO MANY LOGIN TRIES "))
    {
        // `(<n>) on '<tty>'[ from '<host>'] FOR '<user>', <reason>`,
        // `[<n> ]FROM <host> FOR <user>, <reason>`, `SESSION FROM <host> FOR <user>, <reason>`
        let (head, tail) = rest.split_once(" FOR ")?;
        let (user, reason) = tail.rsplit_once(", ").unwrap_or((tail, ""));
        line.fields.text(field::USER_NAME, unquoted(user));
        text::some_text(line.fields, field::EVENT_REASON, reason);
        let host = head
            .rsplit_once("FROM ")
            .or_else(|| head.rsplit_once("from "))
            .map(|(_, host)| unquoted(host));
        if let Some(host) = host
            && !host.starts_with("tty")
        {
            text::source(line.fields, host);
        }
        let tty = head.rsplit_once("on ").map(|(_, tty)| unquoted(text::word(tty).0));
        text::some_text(line.fields, field::PROCESS_TTY, tty.unwrap_or_default());
        return Some(Outcome::Failure);
    }
    if let Some(rest) = message.strip_prefix("invalid password for ") {
        // `'<user>' on '<tty>'[ from '<host>']`
        let (user, rest) = text::quoted(rest)?;
        line.fields.text(field::USER_NAME, user);
        if let Some((_, host)) = rest.rsplit_once(" from ") {
            text::source(line.fields, unquoted(host));
        }
        return Some(Outcome::Failure);
    }
    // The BSDs: `[<n> ]LOGIN FAILURE[S] [ON <tty>|FROM <host>][, <user>]`
    let (_, rest) = message.split_once("LOGIN FAILURE")?;
    let rest = rest.trim_start_matches('S').trim_start();
    let (place, user) = rest.split_once(", ").unwrap_or((rest, ""));
    text::some_text(line.fields, field::USER_NAME, user);
    if let Some(host) = place.strip_prefix("FROM ") {
        text::source(line.fields, host);
    }
    Some(Outcome::Failure)
}

fn unquoted(text: &str) -> &str {
    text.trim().trim_matches(['\'', '`'])
}
