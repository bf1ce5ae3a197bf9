//! Apache error logs of 2.2 and 2.4: `[<time>] [<module>:<level>] [pid …] [client …] AH…: …`.

use vigie_event::{Fields, field};

use crate::line::{Known, Outcome, act};
use crate::time::{self, Written};
use crate::{application, logsources, modsecurity, text, url};

const KNOWN: Known = Known::event("apache.error", logsources::APACHE_ERROR);

/// Reads an error-log line. `None`: it is none.
pub fn parse(fields: &mut Fields<'_>, line: &str) -> Option<(Known, Option<Written>)> {
    let mut rest = line;
    let mut written = None;
    let mut level = None;
    // The server's own parts come first; the message, which may hold brackets, begins with the
    // first part that is none of them.
    while let Some((part, after)) = rest.strip_prefix('[').and_then(|rest| text::split(rest, b']'))
    {
        if level.is_none() && written.is_none() {
            written = time::month_first(part).or_else(|| time::iso(part)).map(|(time, _)| time);
            if written.is_some() {
                rest = after.trim_start();
                continue;
            }
        }
        // ModSecurity 2 repeats the address, without the port that blurs one of version 6.
        let again = part.starts_with("client ") && after.trim_start().starts_with("[client ");
        if level.is_none() {
            level = Some(severity(fields, part)?);
        } else if again {
            let port = text::rsplit(part, b':').and_then(|(_, port)| text::port(port));
            if let Some(port) = port {
                fields.integer(field::SOURCE_PORT, i64::from(port));
            }
        } else if !detail(fields, part) {
            break;
        }
        rest = after.trim_start();
    }
    let level = level?;
    // `[info] …` alone is how half of all programs write.
    if written.is_none() && !fields.has(field::SOURCE_IP) && !fields.has(field::PROCESS_PID) {
        return None;
    }
    fields.text(field::MESSAGE, rest);
    if modsecurity::parse(fields, rest) {
        return Some((modsecurity::known("apache.error"), written));
    }
    message(fields, rest, level);
    Some((KNOWN, written))
}

/// `<level>` or `<module>:<level>`; `None` where it is neither.
fn severity<'l>(fields: &mut Fields<'_>, part: &'l str) -> Option<&'l str> {
    let (module, level) = text::split(part, b':').unwrap_or(("", part));
    let known = matches!(
        level,
        "emerg" | "alert" | "crit" | "error" | "warn" | "notice" | "info" | "debug"
    ) || level.starts_with("trace");
    if !known || !module.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') {
        return None;
    }
    text::some_text(fields, field::LOG_LOGGER, module);
    fields.text(field::LOG_LEVEL, level);
    Some(level)
}

/// `pid <n>[:tid <n>]`, `client <address>[:<port>]`, `remote …`. Whether it is one.
fn detail(fields: &mut Fields<'_>, part: &str) -> bool {
    if let Some(ids) = text::after(part, "pid ") {
        let (pid, tid) = text::split_at(ids, ":tid ").unwrap_or((ids, ""));
        if let Some(pid) = text::number(pid) {
            fields.integer(field::PROCESS_PID, pid);
        }
        if let Some(tid) = text::number(tid) {
            fields.integer(field::PROCESS_THREAD_ID, tid);
        }
        return true;
    }
    if let Some(client) = text::after(part, "client ").or_else(|| text::after(part, "remote ")) {
        if !fields.has(field::SOURCE_IP) {
            push_client(fields, client);
        }
        return true;
    }
    part.starts_with("tid ") || part.starts_with("unique_id ") || part.starts_with("host ")
}

fn push_client(fields: &mut Fields<'_>, client: &str) {
    match text::socket(client) {
        Some((address, port)) => {
            fields.address(field::SOURCE_IP, address);
            let shown = match port {
                Some(port) => {
                    fields.integer(field::SOURCE_PORT, i64::from(port));
                    text::rsplit(client, b':').map_or(client, |(address, _)| address)
                }
                // `2001:db8::1:50229`, without brackets, cannot be told apart; Apache writes the
                // port behind every address since 2.4.
                None => client,
            };
            fields.text(field::SOURCE_ADDRESS, shown);
        }
        None => {
            // An IPv6 address with a port and without brackets, where the whole is no address.
            match client
                .rsplit_once(':')
                .and_then(|(host, port)| Some((text::address(host)?, text::port(port)?, host)))
            {
                Some((address, port, host)) => {
                    fields.address(field::SOURCE_IP, address);
                    fields.integer(field::SOURCE_PORT, i64::from(port));
                    fields.text(field::SOURCE_ADDRESS, host);
                }
                None => fields.text(field::SOURCE_ADDRESS, client),
            }
        }
    }
}

fn message(fields: &mut Fields<'_>, message: &str, level: &str) {
    let (code, body) = match text::split_at(message, ": ") {
        Some((code, body)) if is_code(code) => (code, body),
        _ => ("", message),
    };
    text::some_text(fields, field::EVENT_CODE, code);
    let body = match text::rsplit_at(body, ", referer: ") {
        Some((body, referrer)) => {
            fields.text(field::HTTP_REQUEST_REFERRER, referrer);
            body
        }
        None => body,
    };
    if let Some(request) = text::after(body, "Invalid URI in request ") {
        url::request(fields, request.trim_end());
    }
    let client = fields.has(field::SOURCE_IP) || fields.has(field::SOURCE_ADDRESS);
    let (action, category, outcome) = match login_failure(fields, body) {
        true => ("http_login", "authentication", Outcome::Failure),
        false if body.starts_with("client denied by server configuration") => {
            ("access_denied", "web", Outcome::Failure)
        }
        false if client => {
            // `File does not exist` is written at level info since 2.4.
            let severe =
                !matches!(level, "debug" | "info" | "notice") && !level.starts_with("trace");
            let failed = severe || body.starts_with("File does not exist");
            ("http_error", "web", Outcome::failure_if(failed))
        }
        false => ("server_message", "web", Outcome::None),
    };
    let kind = if outcome == Outcome::Failure { "error" } else { "info" };
    act(fields, action, category, kind, outcome);
}

/// `AH01618`
fn is_code(code: &str) -> bool {
    code.len() == 7
        && code.starts_with("AH")
        && text::number(code.get(2..).unwrap_or_default()).is_some()
}

/// The messages of `mod_auth_basic` and `mod_auth_digest` about a user.
fn login_failure(fields: &mut Fields<'_>, body: &str) -> bool {
    // What an application wrote to its standard error; the address is Apache's own.
    let php = body.split_once("PHP message: ").map(|(_, words)| words);
    let words = php.or_else(|| body.starts_with("Failed login for ").then_some(body));
    if let Some(user) = words.and_then(application::login_failure) {
        text::some_text(fields, field::USER_NAME, user.trim_end_matches('\''));
        return true;
    }
    // `user <name>: authentication failure for "<path>": Password Mismatch`,
    // `user <name> not found: <path>`, and `… in realm …` of digests. The name may hold anything,
    // so its end is the last that fits.
    let quoted = text::after(body, "user `").or_else(|| text::after(body, "user '"));
    let Some(rest) = quoted.or_else(|| text::after(body, "user ")) else { return false };
    for end in [
        ": authentication failure for ",
        " not found: ",
        "' in realm ",
        ": password mismatch: ",
        ": one-time-nonce ",
    ] {
        if let Some((user, path)) = rest.rsplit_once(end) {
            fields.text(field::USER_NAME, user);
            let path = path
                .strip_prefix('"')
                .map_or(path, |path| text::split(path, b'"').map_or(path, |(path, _)| path));
            if path.starts_with('/') {
                fields.text(field::URL_PATH, path);
            }
            return true;
        }
    }
    false
}
