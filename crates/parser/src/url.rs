//! What a request asks for, and what that means once it is decoded.

use std::borrow::Cow;

use vigie_event::{Fields, field};

use crate::text;

/// Rounds of percent-decoding; attackers encode twice, nobody needs more than three.
const ROUNDS: usize = 3;

/// Fills `http.request.method`, `url.original`, `url.path`, `url.query`, `url.domain`,
/// `url.decoded` and `http.version` from a request line as logs write it. What is no request line
/// at all is kept whole as `url.original`.
pub fn request(fields: &mut Fields<'_>, request: &str) {
    if request.is_empty() || request == "-" {
        fields.fixed(field::URL_DECODED, "");
        return;
    }
    let Some((method, rest)) = method(request) else {
        target(fields, request);
        return;
    };
    fields.text(field::HTTP_REQUEST_METHOD, method);
    let (wanted, version) = match text::rsplit(rest, b' ') {
        Some((wanted, version)) if version.starts_with("HTTP/") => (wanted, version.get(5..)),
        _ => (rest, None),
    };
    if let Some(version) = version {
        fields.text(field::HTTP_VERSION, version);
    }
    target(fields, wanted);
}

/// The method, and the rest, of what looks like a request line.
fn method(request: &str) -> Option<(&str, &str)> {
    let (method, rest) = text::split(request, b' ')?;
    let plain = !method.is_empty()
        && method.len() <= 32
        && method.bytes().all(|b| b.is_ascii_alphabetic() || matches!(b, b'-' | b'_'));
    plain.then_some((method, rest))
}

/// Fills `url.original`, `url.path`, `url.query`, `url.domain` and `url.decoded`.
pub fn target(fields: &mut Fields<'_>, wanted: &str) {
    fields.text(field::URL_ORIGINAL, wanted);
    let local = match authority(wanted) {
        Some((domain, local)) => {
            if !fields.has(field::URL_DOMAIN) {
                fields.text(field::URL_DOMAIN, domain);
            }
            local
        }
        None => wanted,
    };
    let (path, query) = match text::split(local, b'?') {
        Some((path, query)) => (path, Some(query)),
        None => (local, None),
    };
    fields.text(field::URL_PATH, path);
    if let Some(query) = query {
        fields.text(field::URL_QUERY, query);
    }
    fields.text(field::URL_DECODED, &decode(local));
}

/// Splits `http://host[:port]/path` before the path.
fn authority(wanted: &str) -> Option<(&str, &str)> {
    let rest = wanted.strip_prefix("http://").or_else(|| wanted.strip_prefix("https://"))?;
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (host, local) = rest.split_at_checked(end)?;
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    let host = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    Some((host, local))
}

/// Path and query with the log's own escapes (`\x22`, `\"`) undone, then percent-decoded until
/// stable or three times, with `+` a space in the query. Bytes that are not UTF-8 become U+FFFD.
pub fn decode(local: &str) -> Cow<'_, str> {
    if memchr::memchr3(b'%', b'+', b'\\', local.as_bytes()).is_none() {
        return Cow::Borrowed(local);
    }
    let mut bytes = unescape(local.as_bytes());
    if let Some(question) = memchr::memchr(b'?', &bytes) {
        for byte in bytes.iter_mut().skip(question) {
            if *byte == b'+' {
                *byte = b' ';
            }
        }
    }
    for _ in 0..ROUNDS {
        let before = bytes.len();
        percent_decode(&mut bytes);
        if bytes.len() == before {
            break;
        }
    }
    match String::from_utf8(bytes) {
        Ok(text) => Cow::Owned(text),
        Err(error) => Cow::Owned(String::from_utf8_lossy(error.as_bytes()).into_owned()),
    }
}

/// Undoes what nginx and Apache do to bytes that would spoil the line.
fn unescape(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match after {
            [b'x', high, low, more @ ..] if hex(*high).is_some() && hex(*low).is_some() => {
                out.push(hex(*high).unwrap_or(0) << 4 | hex(*low).unwrap_or(0));
                rest = more;
            }
            [escaped @ (b'"' | b'\\' | b'n' | b'r' | b't'), more @ ..] => {
                out.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    other => *other,
                });
                rest = more;
            }
            _ => out.push(byte),
        }
    }
    out
}

/// One round, in place.
fn percent_decode(bytes: &mut Vec<u8>) {
    let (mut read, mut write) = (0, 0);
    while let Some(&byte) = bytes.get(read) {
        let decoded = match (byte, bytes.get(read + 1), bytes.get(read + 2)) {
            (b'%', Some(high), Some(low)) => {
                hex(*high).zip(hex(*low)).map(|(high, low)| high << 4 | low)
            }
            _ => None,
        };
        if let Some(slot) = bytes.get_mut(write) {
            *slot = decoded.unwrap_or(byte);
        }
        read += if decoded.is_some() { 3 } else { 1 };
        write += 1;
    }
    bytes.truncate(write);
}

fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decodes_until_stable_or_three_times() {
        for (local, expected) in [
            ("/a/b", "/a/b"),
            ("/a+b?c+d", "/a+b?c d"),
            ("/%2e%2e/%2E", "/../."),
            ("/%252e%252e/etc", "/../etc"),
            ("/%25252e", "/."),
            ("/%2525252e", "/%2e"),
            ("/100%", "/100%"),
            ("/%zz%4", "/%zz%4"),
            (r"/\x22\x3c?q=\x5c", r#"/"<?q=\"#),
            (r#"/\""#, "/\""),
            ("/%ff", "/\u{FFFD}"),
            ("/%%32%65", "/."),
            ("?q=%2B+1", "?q=+ 1"),
        ] {
            assert_eq!(decode(local), expected, "{local}");
        }
    }

    #[test]
    fn absolute_targets() {
        for (wanted, expected) in [
            ("http://example.com/a?b", Some(("example.com", "/a?b"))),
            ("https://u@example.com:8443", Some(("example.com", ""))),
            ("/http://example.com", None),
        ] {
            assert_eq!(authority(wanted), expected, "{wanted}");
        }
    }
}
