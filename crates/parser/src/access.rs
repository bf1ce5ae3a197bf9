//! Access logs of nginx and Apache: common and combined, with a virtual host in front, with
//! addresses of proxies, with further fields behind; also Apache's `ssl_request_log`.
//!
//! The server escapes quotes inside the quoted fields, so a field ends at the first bare quote.
//! The user name stands unquoted before the time and is whatever the client sent: the time is the
//! last one before the first bare quote.

use std::net::IpAddr;

use vigie_event::{Fields, Format, field};

use crate::line::{Known, Outcome, act};
use crate::time::{self, Written};
use crate::{logsources, text, url};

/// Which server wrote the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    Nginx,
    Apache,
}

impl Server {
    /// The server that the name of a file or program speaks of.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.as_bytes();
        let has = |part: &[u8]| name.windows(part.len()).any(|w| w.eq_ignore_ascii_case(part));
        if has(b"nginx") {
            return Some(Self::Nginx);
        }
        (has(b"apache") || has(b"httpd")).then_some(Self::Apache)
    }

    /// The server whose logs have this format.
    pub fn of_format(format: Option<Format>) -> Option<Self> {
        match format? {
            Format::Nginx => Some(Self::Nginx),
            Format::Apache => Some(Self::Apache),
            _ => None,
        }
    }
}

/// Reads an access-log line. `None`: it is none. `server`: who wrote it, where that is known.
pub fn parse(
    fields: &mut Fields<'_>,
    line: &str,
    server: Option<Server>,
) -> Option<(Known, Written)> {
    let frame = Frame::find(line)?;
    let vhost = client(fields, frame.before)?;
    let (path_known, rest) = request(fields, frame.after)?;
    let combined = response(fields, rest);
    let server = server.unwrap_or(if combined && !vhost { Server::Nginx } else { Server::Apache });
    let failed = match fields.get(field::HTTP_RESPONSE_STATUS_CODE) {
        Some(vigie_event::ValueRef::Integer(status)) => status >= 400,
        _ => !path_known,
    };
    let outcome = if failed { Outcome::Failure } else { Outcome::Success };
    act(fields, "http_request", "web", "access", outcome);
    let known = match server {
        Server::Nginx => Known::event("nginx.access", logsources::NGINX_ACCESS),
        Server::Apache => Known::event("apache.access", logsources::APACHE_ACCESS),
    };
    Some((known, frame.time))
}

/// A line around its time.
struct Frame<'l> {
    before: &'l str,
    time: Written,
    after: &'l str,
}

impl<'l> Frame<'l> {
    fn find(line: &'l str) -> Option<Self> {
        // A list of forwarded addresses may stand in quotes at the very start.
        let list = match line.strip_prefix('"') {
            Some(rest) => text::find(rest.as_bytes(), b'"')? + 2,
            None => 0,
        };
        let quote = list + bare_quote(line.get(list..)?)?;
        let mut head = line.get(..quote)?;
        loop {
            let open = text::rfind(head.as_bytes(), b'[')?;
            let inside = head.get(open + 1..)?;
            let close = text::find(inside.as_bytes(), b']').map(|close| open + 1 + close);
            if let Some(close) = close
                && let Some(time) = line.get(open + 1..close).and_then(time::access)
            {
                return Some(Self {
                    before: line.get(..open)?,
                    time,
                    after: line.get(close + 1..)?,
                });
            }
            head = head.get(..open)?;
        }
    }
}

/// The first quote without a backslash in front.
fn bare_quote(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut from = 0;
    loop {
        let at = from + memchr::memchr2(b'"', b'\\', bytes.get(from..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at);
        }
        from = at + 2;
    }
}

/// A field in quotes at the start of `text`, and what follows.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let text = text.strip_prefix('"')?;
    let end = bare_quote(text)?;
    Some((text.get(..end)?, text.get(end + 1..)?))
}

/// `[<vhost>[:<port>] ]<address>[, <address>…] <ident> <user>`. Whether there was a virtual host.
fn client(fields: &mut Fields<'_>, before: &str) -> Option<bool> {
    let before = text::trimmed_end(before);
    if before.is_empty() {
        return Some(false);
    }
    let (list, rest) = match before.strip_prefix('"') {
        Some(quoted) => text::split(quoted, b'"')?,
        None => ("", before),
    };
    let mut rest = text::trimmed_start(rest);
    let first = text::word(rest);
    // What nearly every line has: one address, and no more of them.
    if list.is_empty()
        && let Some(address) = text::address(first.0)
        && !is_address(text::word(first.1).0)
    {
        fields.address(field::SOURCE_IP, address);
        fields.text(field::SOURCE_ADDRESS, first.0);
        user(fields, first.1);
        return Some(false);
    }
    let mut vhost = None;
    let by_name = !is_address(first.0) && text::socket(first.0).is_none();
    if list.is_empty() && by_name && is_address(text::word(first.1).0) {
        let name = first.0;
        vhost = Some(text::rsplit(name, b':').map_or(name, |(name, _)| name));
        rest = first.1;
    }
    let start = rest;
    while is_address(text::word(rest).0) {
        rest = text::word(rest).1;
    }
    let addresses = start.get(..start.len() - rest.len())?.trim_end();
    if addresses.is_empty() && list.is_empty() {
        rest = named_client(fields, start)?;
    } else {
        addressed_client(fields, list, addresses);
    }
    if let Some(vhost) = vhost {
        fields.text(field::URL_DOMAIN, vhost);
    }
    user(fields, rest);
    Some(vhost.is_some())
}

/// `<identity> <user>`, of which nobody fills the identity.
fn user(fields: &mut Fields<'_>, rest: &str) {
    let (identity, user) = text::word(rest);
    let user = if user.is_empty() { identity } else { user };
    let user = text::after(user, "- ").unwrap_or(user);
    text::some_text(fields, field::USER_NAME, user);
}

fn is_address(word: &str) -> bool {
    // The identity, nearly always.
    if word == "-" {
        return false;
    }
    let word = word.strip_suffix(',').unwrap_or(word);
    !word.is_empty() && word.split(',').all(|part| text::address(part).is_some())
}

/// A client that the log knows by name: `localhost`, `unix:`, `a, b`.
fn named_client<'l>(fields: &mut Fields<'_>, start: &'l str) -> Option<&'l str> {
    let mut rest = start;
    loop {
        let (name, after) = text::word(rest);
        if name.is_empty() {
            return None;
        }
        rest = after;
        if !name.ends_with(',') {
            break;
        }
    }
    let names = start.get(..start.len() - rest.len())?.trim_end();
    fields.text(field::SOURCE_ADDRESS, names);
    let plain = names.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-'));
    if plain && names.bytes().any(|b| b.is_ascii_alphabetic()) {
        fields.text(field::SOURCE_DOMAIN, names);
    }
    Some(rest)
}

/// Proxies append the address that they saw, so what stands right is surer than what stands
/// left, which the client may have sent itself: the rightmost public address is the client's.
fn addressed_client(fields: &mut Fields<'_>, list: &str, addresses: &str) {
    let split = |text: &'_ str| -> Vec<(IpAddr, usize, usize)> {
        let base = text.as_ptr() as usize;
        text.split([',', ' '])
            .filter_map(|part| {
                let start = part.as_ptr() as usize - base;
                Some((text::address(part)?, start, start + part.len()))
            })
            .collect()
    };
    // The common case, one address, needs no list.
    if list.is_empty()
        && let Some(address) = text::address(addresses)
    {
        fields.address(field::SOURCE_IP, address);
        fields.text(field::SOURCE_ADDRESS, addresses);
        return;
    }
    let inside = |text: &'_ str| {
        let parts = split(text);
        let public = parts.iter().rev().find(|(address, ..)| is_public(*address)).copied();
        (public, parts.first().copied())
    };
    let (right, right_first) = inside(addresses);
    let (left, left_first) = inside(list);
    let chosen = right
        .map(|found| (found, addresses))
        .or(left.map(|found| (found, list)))
        .or(left_first.map(|found| (found, list)))
        .or(right_first.map(|found| (found, addresses)));
    if let Some(((address, start, end), text)) = chosen {
        fields.address(field::SOURCE_IP, address);
        fields.text(field::SOURCE_ADDRESS, text.get(start..end).unwrap_or_default());
    }
}

/// Whether an address is one of the Internet's.
pub fn is_public(address: IpAddr) -> bool {
    match vigie_event::unmapped(address) {
        IpAddr::V4(v4) => {
            !(v4.is_private() || v4.is_loopback() || v4.is_link_local() || v4.is_unspecified())
        }
        IpAddr::V6(v6) => {
            !(v6.is_loopback()
                || v6.is_unspecified()
                || v6.is_unique_local()
                || v6.is_unicast_link_local())
        }
    }
}

/// What stands between the time and the first quote, and the request in quotes. Whether there was
/// a request, and what follows.
fn request<'l>(fields: &mut Fields<'_>, after: &'l str) -> Option<(bool, &'l str)> {
    let after = text::trimmed_start(after);
    let quote = text::find(after.as_bytes(), b'"')?;
    let (between, rest) = after.split_at_checked(quote)?;
    // `ssl_request_log`: `<address> <TLS version> <cipher> `; others put the virtual host here.
    let (first, tls) = text::word(between.trim_end());
    if let Some(address) = text::address(first) {
        if !fields.has(field::SOURCE_IP) {
            fields.address(field::SOURCE_IP, address);
            fields.text(field::SOURCE_ADDRESS, first);
        }
        text::some_text(fields, field::TLS_VERSION, text::word(tls).0);
    } else if !first.is_empty() && first != "-" && !fields.has(field::URL_DOMAIN) {
        fields.text(field::URL_DOMAIN, first);
    }
    // A line that was cut off ends inside its request.
    let (line, rest) = quoted(rest).unwrap_or((rest.get(1..)?, ""));
    url::request(fields, line);
    Some((!matches!(line, "" | "-"), rest))
}

/// `<status> <bytes>[ "<referrer>" "<user agent>"[ "<forwarded for>"] …]`. Whether the line is
/// in the combined format.
fn response(fields: &mut Fields<'_>, rest: &str) -> bool {
    let (first, after) = text::word(text::trimmed_start(rest));
    let rest = match text::number(first) {
        Some(status) if first.len() == 3 => {
            fields.integer(field::HTTP_RESPONSE_STATUS_CODE, status);
            let (bytes, after) = text::word(after);
            if let Some(bytes) = text::number(bytes) {
                fields.integer(field::HTTP_RESPONSE_BODY_BYTES, bytes);
            }
            after
        }
        // `ssl_request_log` has the bytes alone.
        Some(bytes) => {
            fields.integer(field::HTTP_RESPONSE_BODY_BYTES, bytes);
            after
        }
        None => after,
    };
    let quote = text::find(rest.as_bytes(), b'"');
    let Some((referrer, rest)) = quote.and_then(|at| quoted(rest.get(at..)?)) else {
        return false;
    };
    fields.text(field::HTTP_REQUEST_REFERRER, referrer);
    let whole = text::trimmed_start(rest);
    let Some((agent, rest)) = quoted(whole) else { return false };
    if !rest.is_empty() && !rest.starts_with(' ') {
        // The client sent a quote that the server did not escape: its text goes on to the last one.
        let agent = whole.rfind('"').and_then(|end| whole.get(1..end)).unwrap_or(agent);
        fields.text(field::USER_AGENT_ORIGINAL, agent);
        return true;
    }
    fields.text(field::USER_AGENT_ORIGINAL, agent);
    forwarded(fields, rest);
    true
}

/// `"<address>[, <address>…]"` behind the user agent: kept, but never taken for the source, since
/// the client may have sent it.
fn forwarded(fields: &mut Fields<'_>, rest: &str) {
    let Some((list, _)) = quoted(text::trimmed_start(rest)) else { return };
    let first = list.split(',').next().unwrap_or_default().trim();
    if let (Some(address), Some(id)) =
        (text::address(first), vigie_event::FieldId::intern("network.forwarded_ip"))
    {
        fields.address(id, address);
    }
}
