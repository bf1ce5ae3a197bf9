//! What applications say in logs of their own: mail, file and name servers, databases, telephony,
//! tunnels, web applications, proxies.
//!
//! A program that the frame names is read by its own table ([`service`]); a line without a frame by
//! how it begins; and what nobody knows by the common words of [`general`]. Each table's patterns
//! cover the whole message, so that what people typed decides nothing ([`pattern`]).

mod database;
pub mod general;
mod logfmt;
mod mail;
mod network;
mod pattern;
mod proxies;
mod service;
mod stamp;
mod voip;
mod web;
mod words;

use std::sync::LazyLock;

use vigie_event::{EventKind, Fields, ValueRef, field};

use crate::line::{Known, Line, act};
use crate::{access, logsources, text};
use pattern::Taken;
use service::{Saying, Service, Tells};
pub use stamp::Stamp;

/// `event.dataset` of what [`general`] reads.
const GENERAL: &str = "application";

/// The services, by the first byte of their programs' names.
static SERVICES: LazyLock<Vec<Vec<&'static Service>>> = LazyLock::new(|| {
    let mut by_byte = vec![Vec::new(); 256];
    let kinds =
        [mail::SERVICES, database::SERVICES, voip::SERVICES, network::SERVICES, web::SERVICES];
    for service in kinds.into_iter().flatten() {
        for byte in service.programs.iter().filter_map(|name| name.bytes().next()) {
            if let Some(services) = by_byte.get_mut(usize::from(byte))
                && !services.iter().any(|known: &&Service| std::ptr::eq(*known, service))
            {
                services.push(service);
            }
        }
    }
    by_byte
});

/// The service that `program` belongs to.
fn service_of(program: &str) -> Option<&'static Service> {
    let services = SERVICES.get(usize::from(*program.as_bytes().first()?))?;
    services.iter().copied().find(|service| service.is(program))
}

/// Reads a message in a frame by the program that it names. `None`: nobody knows it.
pub fn parse(line: &mut Line<'_, '_>, message: &str) -> Option<Known> {
    if line.program.is_empty() {
        return None;
    }
    let message = text::trimmed(message);
    if let Some(known) = proxies::parse_framed(line.fields, line.program, message) {
        return Some(known);
    }
    let name = line.program;
    if let Some(service) = service_of(name)
        && let Some(known) =
            said(line.fields, service.dataset, service.sayings, (service.body)(message))
    {
        return Some(known);
    }
    if line.pid == 0 {
        // What stands where a program's name would may be the message's own beginning.
        return None;
    }
    if !general::is_worth_reading(message) {
        return None;
    }
    read_general(line.fields, message)
}

/// Reads a whole line that no parser knows, with its time where it has one. Starts the fields over
/// where it knows the line and what was taken for a frame was none.
pub fn parse_whole(fields: &mut Fields<'_>, line: &str) -> Option<(Known, Option<Stamp>)> {
    if fields.has(field::PROCESS_PID) && is_framed(fields, line) {
        // Its message has been looked at.
        return None;
    }
    let line = line.trim();
    if !general::is_worth_reading(line) && !proxies::is_likely(line) {
        return None;
    }
    let (stamp, body) = stamp::split(line);
    if is_framed(fields, line) {
        // The frame holds: only its message may tell.
        let message = match fields.get(field::MESSAGE) {
            Some(ValueRef::Text(message)) => line.len().saturating_sub(message.trim_end().len()),
            _ => return None,
        };
        let known = by_start(fields, "", line.get(message..)?, true)?;
        return Some((known, None));
    }
    // Behind a time the first word may be the host: what is the host's address is no client's.
    let (first, rest) = text::word(body);
    let hosted = stamp.is_some()
        && (text::address(first).is_some()
            || rest.starts_with("system,")
            || rest.starts_with("firewall,"));
    let known = if hosted {
        known_by_start(fields, line, body, false).or_else(|| by_start(fields, line, rest, true))?
    } else {
        by_start(fields, line, body, false)?
    };
    Some((known, stamp))
}

/// Whether what was taken for a frame is one. `2024-03-07 08:09:10 word: …` is how applications
/// write as well, and a number in brackets follows many a word.
fn is_framed(fields: &Fields<'_>, line: &str) -> bool {
    let Some(ValueRef::Text(program)) = fields.get(field::PROCESS_NAME) else { return false };
    let named = is_name(program);
    let spaced_time = line.as_bytes().first().is_some_and(u8::is_ascii_digit)
        && line.as_bytes().get(10) == Some(&b' ');
    named && (fields.has(field::PROCESS_PID) || !spaced_time)
}

/// Whether `program` can be the name of a program.
pub fn is_name(program: &str) -> bool {
    program.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/')
        && !program.contains([' ', '@', '(', '"'])
        && !matches!(program, "NOTICE" | "SECURITY" | "WARNING" | "ERROR")
}

fn by_start(fields: &mut Fields<'_>, line: &str, body: &str, framed: bool) -> Option<Known> {
    if let Some(known) = known_by_start(fields, line, body, framed) {
        return Some(known);
    }
    let found = logfmt::read(body).or_else(|| general::read(body))?;
    if !framed {
        fields.clear();
        fields.text(field::MESSAGE, body);
    }
    Some(fill_refused(fields, &found))
}

fn known_by_start(fields: &mut Fields<'_>, line: &str, body: &str, framed: bool) -> Option<Known> {
    let start = |fields: &mut Fields<'_>| {
        if !framed {
            fields.clear();
            fields.text(field::MESSAGE, body);
        }
    };
    if let Some(known) = proxies::recognise(line, body) {
        start(fields);
        return proxies::parse(fields, known, body);
    }
    let tables: [(&'static str, &[Saying], &str); 11] = [
        ("application", web::APPLICATIONS, body),
        ("nsd", network::NSD, body),
        ("exim", mail::EXIM, mail::exim(body)),
        ("mysql", database::MYSQL, database::mysql(body)),
        ("vsftpd", database::VSFTPD, body),
        ("freeswitch", voip::FREESWITCH, voip::freeswitch(body)),
        ("murmur", voip::MURMUR, voip::murmur(body)),
        ("znc", voip::ZNC, body),
        ("openvpn", network::OPENVPN, body),
        ("bind", network::NAMED, network::named(body)),
        (
            "asterisk",
            voip::ASTERISK,
            if voip::is_asterisk(body) { voip::asterisk(body) } else { "" },
        ),
    ];
    let fail2ban = if body.starts_with("fail2ban.") { network::fail2ban(body) } else { "" };
    let tables = tables.into_iter().chain([("fail2ban", network::FAIL2BAN, fail2ban)]);
    for (dataset, sayings, message) in tables {
        if let Some((taken, tells)) = find(sayings, message) {
            start(fields);
            return Some(fill(fields, dataset, &taken, tells));
        }
    }
    if let Some(taken) = database::postgres(line) {
        start(fields);
        return Some(fill(fields, "postgresql", &taken, Tells::Failure));
    }
    None
}

/// Reads a message by the words alone.
fn read_general(fields: &mut Fields<'_>, message: &str) -> Option<Known> {
    let found = logfmt::read(message).or_else(|| general::read(message))?;
    Some(fill_refused(fields, &found))
}

fn fill_refused(fields: &mut Fields<'_>, found: &general::Refused<'_>) -> Known {
    let taken = Taken {
        user: found.user,
        host: found.client.map(|(shown, ..)| shown),
        port: found.client.and_then(|(_, _, port)| port),
        reason: None,
        subject: None,
    };
    fill(fields, GENERAL, &taken, Tells::Failure)
}

fn said(
    fields: &mut Fields<'_>,
    dataset: &'static str,
    sayings: &[Saying],
    message: &str,
) -> Option<Known> {
    let (taken, tells) = find(sayings, message)?;
    Some(fill(fields, dataset, &taken, tells))
}

fn find<'t>(sayings: &[Saying], message: &'t str) -> Option<(Taken<'t>, Tells)> {
    if message.is_empty() {
        return None;
    }
    let first = message.as_bytes().first();
    let likely = |pattern: &str| match pattern.as_bytes().first() {
        Some(b'{') => true,
        byte => byte == first,
    };
    sayings
        .iter()
        .filter(|(pattern, _)| likely(pattern))
        .find_map(|(pattern, tells)| Some((pattern::matches(pattern, message)?, *tells)))
}

fn fill(fields: &mut Fields<'_>, dataset: &'static str, taken: &Taken<'_>, tells: Tells) -> Known {
    if let Some(host) = taken.host {
        text::source(fields, host);
    }
    if let Some(port) = taken.port {
        fields.integer(field::SOURCE_PORT, i64::from(port));
    }
    let user = taken.user.unwrap_or_default();
    text::some_text(fields, field::USER_NAME, user.trim_matches(['"', '\'', '`']));
    text::some_text(fields, field::EVENT_REASON, taken.reason.unwrap_or_default());
    text::some_text(fields, field::EMAIL_SUBJECT, taken.subject.unwrap_or_default());
    let (action, category, kind, outcome) = tells.words();
    act(fields, action, category, kind, outcome);
    event(dataset)
}

/// An event of an application.
pub fn event(dataset: &'static str) -> Known {
    Known { kind: EventKind::Event, dataset, logsources: logsources::APPLICATION }
}

/// The user in a message of Nextcloud, whose client a field of its own holds.
pub fn nextcloud_user(message: &str) -> Option<&str> {
    pattern::matches("Login failed: {user} (Remote IP: {ip})", message)?.user
}

/// Marks an event as one of somebody who came to a trap.
pub fn trapped(fields: &mut Fields<'_>) {
    let (action, category, kind, outcome) = Tells::Probe.words();
    act(fields, action, category, kind, outcome);
}

/// The user, empty where none is told, of what an application says of a refused login. `None`: it
/// says something else.
pub fn login_failure(words: &str) -> Option<&str> {
    let code = ["PHP Warning", "PHP Notice", "PHP Fatal", "PHP Parse", "PHP Deprecated"];
    if code.iter().any(|start| words.starts_with(start)) || !general::tells(words) {
        return None;
    }
    Some(general::named_user(words).unwrap_or_default())
}

/// Marks an event whose fields are filled already as a refused login.
pub fn refuse(fields: &mut Fields<'_>) {
    let (action, category, kind, outcome) = Tells::Failure.words();
    act(fields, action, category, kind, outcome);
}

/// The client in a list of addresses as proxies hand it on: the last public one, since a client
/// can put what it likes in front; where none is public, the first.
pub fn client_of(list: &str) -> Option<&str> {
    let list = list.trim_matches(['[', ']', '"', ' ']);
    let parts = || list.split(',').map(str::trim).filter(|part| text::address(part).is_some());
    let public = |part: &&str| text::address(part).is_some_and(access::is_public);
    parts().rfind(public).or_else(|| parts().next())
}
