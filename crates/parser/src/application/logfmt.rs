//! `level=error msg="Login failed" remote_ip=192.0.2.7 user=bob`: fields with names, in one line.
//!
//! The writer escapes quotes in values, so a value ends where its quote does, and what somebody
//! typed stays in its own field.

use super::general::{self, Refused};
use crate::text;

/// Most fields that are looked at.
const MAX_FIELDS: usize = 64;

/// Reads a line of named fields that tells of a refused login.
pub fn read(message: &str) -> Option<Refused<'_>> {
    let mut found = Refused::default();
    let (mut count, mut refused, mut labelled) = (0, false, false);
    for (name, value) in fields(message).take(MAX_FIELDS) {
        count += 1;
        let whole = name.to_ascii_lowercase();
        if ["dst", "dest", "server", "local", "listen"].iter().any(|other| whole.starts_with(other))
        {
            continue;
        }
        let lower = whole.rsplit(['.', '_']).next().unwrap_or_default();
        match lower {
            "level" | "lvl" | "severity" | "type" | "logdesc" => labelled = true,
            _ => {}
        }
        match lower {
            "msg" | "message" | "error" | "err" | "reason" | "event" | "action" | "logdesc"
            | "type" | "status" => refused |= general::tells(value),
            "failed" => refused |= value == "true",
            "ip" | "addr" | "address" | "remoteaddr" | "remoteip" | "remip" | "srcip"
            | "client" | "remote" | "ipaddress" | "rip" | "peer" | "src" | "clientip" | "rhost"
                if found.client.is_none() =>
            {
                let value = super::client_of(value).unwrap_or(value);
                if let Some((address, port)) = text::socket(value) {
                    let shown = match port {
                        Some(_) => value.rsplit_once(':').map_or(value, |(address, _)| address),
                        None => value,
                    };
                    found.client = Some((shown, address, port));
                }
            }
            "user" | "username" | "uname" | "login" | "email" | "principal"
                if found.user.is_none() && !matches!(value, "" | "N/A" | "-" | "null") =>
            {
                found.user = Some(value);
            }
            _ => {}
        }
    }
    (count >= 4 && labelled && refused && found.client.is_some()).then_some(found)
}

/// The fields of a line. What is no field is passed over.
fn fields(message: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = message;
    std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start_matches([' ', ',']);
            if rest.is_empty() {
                return None;
            }
            let named = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.');
            let end = rest.bytes().take_while(|b| named(*b)).count();
            let (name, after) = rest.split_at_checked(end)?;
            match after.strip_prefix('=') {
                Some(after) if end > 0 => {
                    let (value, after) = value(after);
                    rest = after;
                    return Some((name, value));
                }
                _ => rest = rest.find([' ', ',']).and_then(|at| rest.get(at..)).unwrap_or_default(),
            }
        }
    })
}

/// The value at the start of `text`, and what follows.
fn value(text: &str) -> (&str, &str) {
    let Some(inside) = text.strip_prefix('"') else {
        let end = text.find([' ', ',']).unwrap_or(text.len());
        return text.split_at_checked(end).unwrap_or((text, ""));
    };
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => {
                return (
                    inside.get(..at).unwrap_or_default(),
                    inside.get(at + 1..).unwrap_or_default(),
                );
            }
            _ => {}
        }
    }
    (inside, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stay_apart() {
        let line = r#"t=1 level=error msg="Invalid username or password" user="x\" ip=203.0.113.5" remote_addr=192.0.2.7:80"#;
        let found = read(line).unwrap();
        assert_eq!(found.client.map(|(shown, ..)| shown), Some("192.0.2.7"));
        assert_eq!(found.user, Some(r#"x\" ip=203.0.113.5"#));
    }

    #[test]
    fn other_lines_tell_of_no_refused_login() {
        for line in [
            "level=info msg=\"Login\" user=\"Invalid password\" ip=192.0.2.7 a=b",
            "level=error msg=\"Invalid password\" a=b c=d",
            "user=x ip=192.0.2.7",
        ] {
            assert_eq!(read(line), None, "{line}");
        }
    }
}
