//! Was the console meant? (DNS rebinding)
//!
//! A page elsewhere can give its own name the console's address and so read it as its own. It
//! cannot change the `Host` header, which then carries that name.

use std::net::IpAddr;

/// Whether a `Host` header names the console: loopback, an address literal (which no name server
/// can point elsewhere), or one of the configured `names`. A port is ignored.
pub(crate) fn is_own(host: &str, names: &[String]) -> bool {
    let Some(name) = without_port(host) else {
        return false;
    };
    let name = name.strip_suffix('.').unwrap_or(name);
    if name.eq_ignore_ascii_case("localhost") || names.iter().any(|own| same_name(own, name)) {
        return true;
    }
    let literal = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    literal.parse::<IpAddr>().is_ok()
}

fn same_name(own: &str, name: &str) -> bool {
    own.strip_suffix('.').unwrap_or(own).eq_ignore_ascii_case(name)
}

fn without_port(host: &str) -> Option<&str> {
    if host.starts_with('[') {
        let end = host.find(']')?;
        let (name, rest) = host.split_at(end + 1);
        return (rest.is_empty() || is_port(rest)).then_some(name);
    }
    match host.find(':') {
        None => Some(host),
        Some(colon) => {
            let (name, port) = host.split_at(colon);
            is_port(port).then_some(name)
        }
    }
}

fn is_port(text: &str) -> bool {
    text.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_own_names_pass() {
        let names = ["vigie.example.com".to_owned()];
        for (host, expected) in [
            ("localhost", true),
            ("LOCALHOST:6080", true),
            ("127.0.0.1:6080", true),
            ("[::1]:6080", true),
            ("192.0.2.10:6080", true),
            ("vigie.example.com", true),
            ("Vigie.Example.Com.:443", true),
            ("evil.example.com", false),
            ("127.0.0.1.evil.example.com", false),
            ("localhost.evil.example.com:6080", false),
            ("localhost:x", false),
            ("[::1", false),
            ("", false),
        ] {
            assert_eq!(is_own(host, &names), expected, "{host}");
        }
    }
}
