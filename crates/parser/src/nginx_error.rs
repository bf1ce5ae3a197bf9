//! nginx error logs: `<date> <time> [<level>] <pid>#<tid>: *<connection> <message>, client: …,
//! server: …, request: "…", …`, of its HTTP and its mail proxy.

use vigie_event::{Fields, field};

use crate::line::{Known, Outcome, act};
use crate::time::{self, Written};
use crate::{application, logsources, modsecurity, text, url};

const KNOWN: Known = Known::event("nginx.error", logsources::NGINX_ERROR);

/// Reads an error-log line. `None`: it is none.
pub fn parse(fields: &mut Fields<'_>, line: &str) -> Option<(Known, Written)> {
    if line.as_bytes().get(4) != Some(&b'/') {
        return None;
    }
    let (written, length) = time::iso(line)?;
    let rest = line.get(length..)?.strip_prefix(" [")?;
    let (level, rest) = text::split_at(rest, "] ")?;
    // Programs in Go write the same time and level; nginx always names its process or the client.
    let of_process = |b: u8| b.is_ascii_digit() || matches!(b, b'#' | b':');
    if !text::word(rest).0.bytes().all(of_process) && !rest.contains(", client: ") {
        return None;
    }
    fields.text(field::LOG_LEVEL, level);
    let rest = process(fields, rest);
    fields.text(field::MESSAGE, rest);
    // Of ModSecurity 3: `[client <address>] ModSecurity: …`, with nginx's own parts behind it.
    let named = text::after(rest, "[client ").and_then(|rest| text::split_at(rest, "] "));
    if modsecurity::parse(fields, named.map_or(rest, |(_, message)| message)) {
        let behind = || last_client(rest).map(|(_, rest)| text::split_at(rest, ", "));
        let behind = || behind()?.map(|(client, _)| client);
        if let Some(client) = named.map(|(client, _)| client).or_else(behind)
            && !text::source(fields, client)
        {
            fields.text(field::SOURCE_ADDRESS, client);
        }
        return Some((modsecurity::known("nginx.error"), written));
    }
    let failed = details(fields, rest);
    let severe = !matches!(level, "debug" | "info" | "notice");
    let (action, category, failed) = match failed {
        Some((action, category, outcome)) => (action, category, outcome),
        None if fields.has(field::SOURCE_IP) => ("http_error", "web", Outcome::failure_if(severe)),
        None => ("server_message", "web", Outcome::None),
    };
    act(fields, action, category, if severe { "error" } else { "info" }, failed);
    Some((KNOWN, written))
}

/// `<pid>#<tid>: [*<connection> ]`: what follows.
fn process<'l>(fields: &mut Fields<'_>, rest: &'l str) -> &'l str {
    let Some((ids, after)) = text::split_at(rest, ": ") else { return rest };
    let Some((pid, tid)) = text::split(ids, b'#') else { return rest };
    let (Some(pid), Some(tid)) = (text::number(pid), text::number(tid)) else { return rest };
    fields.integer(field::PROCESS_PID, pid);
    fields.integer(field::PROCESS_THREAD_ID, tid);
    let connection = after.strip_prefix('*').and_then(|after| text::split(after, b' '));
    match connection {
        Some((number, message)) if text::number(number).is_some() => message,
        _ => after,
    }
}

/// Fills the details behind the message; says what it tells where that is more than an error.
fn details(
    fields: &mut Fields<'_>,
    message: &str,
) -> Option<(&'static str, &'static str, Outcome)> {
    if let Some(rest) = text::after(message, "client ")
        && let Some((client, server)) = text::split_at(rest, " connected to ")
        && let Some((address, port)) = text::socket(client)
    {
        fields.address(field::SOURCE_IP, address);
        if let Some(port) = port {
            fields.integer(field::SOURCE_PORT, i64::from(port));
        }
        listener(fields, server);
        return Some(("mail_connection", "network", Outcome::None));
    }
    // A path in the message may hold a forged `, client: …`; what nginx adds stands behind it.
    let (text_part, rest) = last_client(message)?;
    let (client, rest) = text::split_at(rest, ", ").unwrap_or((rest, ""));
    let client = text::split_at(client, " using ").map_or(client, |(client, _)| client);
    if !text::source(fields, client) {
        fields.text(field::SOURCE_ADDRESS, client);
    }
    trailing(fields, rest);
    let user = |start: &str| text_part.strip_prefix(start).and_then(|rest| text::split(rest, b'"'));
    if let Some((name, _)) = user("user \"") {
        fields.text(field::USER_NAME, name);
        return Some(("http_login", "authentication", Outcome::Failure));
    }
    if text_part.starts_with("no user/password was provided") {
        return Some(("http_login_requested", "authentication", Outcome::None));
    }
    if text_part.starts_with("client logged in") {
        return Some(("mail_login", "authentication", Outcome::Success));
    }
    if let Some(rest) = text::after(text_part, "client login failed") {
        if let Some(reason) = text::between(rest, "\"", "\"") {
            fields.text(field::EVENT_REASON, reason);
        }
        return Some(("mail_login", "authentication", Outcome::Failure));
    }
    // What an application wrote to its standard error; the address is nginx's own.
    if let Some(rest) = text::after(text_part, "FastCGI sent in stderr: \"PHP message: ")
        && let Some((words, _)) = text::rsplit(rest, b'"')
        && let Some(user) = application::login_failure(words)
    {
        text::some_text(fields, field::USER_NAME, user);
        return Some(("http_login", "authentication", Outcome::Failure));
    }
    for (start, action) in [
        ("limiting ", "rate_limited"),
        ("delaying request", "rate_limited"),
        ("access forbidden by rule", "access_denied"),
    ] {
        if text_part.starts_with(start) {
            return Some((action, "web", Outcome::Failure));
        }
    }
    None
}

/// Splits at the last `, client: ` that is followed by an address and `, server: `, or at the
/// last at all.
fn last_client(message: &str) -> Option<(&str, &str)> {
    const MARK: &str = ", client: ";
    let mut end = message.len();
    while let Some(at) = message.get(..end).and_then(|head| head.rfind(MARK)) {
        let rest = message.get(at + MARK.len()..)?;
        let (client, after) = text::split_at(rest, ", ").unwrap_or((rest, ""));
        let client = text::word(client).0;
        if (text::address(client).is_some() || client == "unix:")
            && (after.is_empty() || after.starts_with("server: "))
        {
            return Some((message.get(..at)?, rest));
        }
        end = at;
    }
    message.split_once(MARK)
}

/// `server: …, request: "…", upstream: "…", host: "…", referrer: "…", login: "…"`
fn trailing(fields: &mut Fields<'_>, rest: &str) {
    let (server, rest) = match text::after(rest, "server: ") {
        Some(rest) => text::split_at(rest, ", ").unwrap_or((rest, "")),
        None => ("", rest),
    };
    if !listener(fields, server) && !server.is_empty() && server != "_" {
        fields.text(field::DESTINATION_DOMAIN, server);
    }
    // Quotes inside the request are not escaped: it ends where a known part begins, or the line.
    let ends = ["\", upstream: \"", "\", host: \"", "\", referrer: \"", "\", subrequest: \""];
    if let Some(request) = rest
        .strip_prefix("request: \"")
        .or_else(|| rest.split_once(", request: \"").map(|(_, rest)| rest))
    {
        let end = ends.iter().filter_map(|end| request.find(end)).min();
        let whole = match end {
            Some(end) => request.get(..end).unwrap_or_default(),
            None => request.strip_suffix('"').unwrap_or(request),
        };
        url::request(fields, whole);
    }
    for (start, id) in [
        (", host: \"", field::URL_DOMAIN),
        (", referrer: \"", field::HTTP_REQUEST_REFERRER),
        ("login: \"", field::USER_NAME),
    ] {
        if fields.has(id) {
            continue;
        }
        if let Some((_, value)) = rest.rsplit_once(start)
            && let Some((value, _)) = text::split(value, b'"')
        {
            fields.text(id, value);
        }
    }
}

/// Fills the destination where `server` is an address with a port.
fn listener(fields: &mut Fields<'_>, server: &str) -> bool {
    let Some((address, Some(port))) = text::socket(server) else { return false };
    fields.address(field::DESTINATION_IP, address);
    fields.integer(field::DESTINATION_PORT, i64::from(port));
    true
}
