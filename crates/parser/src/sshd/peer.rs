//! The end of a message, which the server wrote: who it is about.

use crate::text;

/// Text before, host and port of `… <host> port <port>` or `… <host>` at the end of `text`.
pub(super) struct Peer<'m> {
    pub before: &'m str,
    pub host: &'m str,
    pub port: Option<u16>,
}

/// The peer at the end of `text`, with a port.
pub(super) fn with_port(text: &str) -> Option<Peer<'_>> {
    let (rest, port) = text::rsplit(text, b' ')?;
    let rest = rest.strip_suffix(" port")?;
    let port = text::port(port)?;
    let (before, host) = text::rsplit(rest, b' ').unwrap_or(("", rest));
    Some(Peer { before, host, port: Some(port) })
}

/// The peer at the end of `text`, with a port or without.
pub(super) fn at_end(text: &str) -> Peer<'_> {
    with_port(text).unwrap_or_else(|| {
        let (before, host) = text::rsplit(text, b' ').unwrap_or(("", text));
        Peer { before, host, port: None }
    })
}

/// Splits `<user> from <host>[ port <port>][ ssh2][: <information>]` at its end: the user, the
/// peer and the information. Tried in this order: an end with a port, information after
/// `ssh2: `, an end without a port; each from the right, since the user may hold any of them.
pub(super) fn user_from(text: &str) -> Option<(&str, Peer<'_>, &str)> {
    let bare = without_protocol(text);
    let ported = with_port(bare);
    let is_ported = ported.is_some();
    if let Some(peer) = ported
        && let Some(user) = from(peer.before)
    {
        return Some((user, peer, ""));
    }
    let mut end = text.len();
    while let Some(at) = text::rfind_text(text.get(..end).unwrap_or_default(), " ssh") {
        end = at;
        let Some(rest) = text.get(at + 4..) else { break };
        let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
        let Some(information) = rest.get(digits..).and_then(|rest| text::after(rest, ": ")) else {
            continue;
        };
        if let Some(peer) = text.get(..at).and_then(with_port)
            && let Some(user) = from(peer.before)
        {
            return Some((user, peer, information));
        }
    }
    if is_ported {
        return None;
    }
    let (before, host) = text::rsplit(bare, b' ').unwrap_or(("", bare));
    Some((from(before)?, Peer { before, host, port: None }, ""))
}

/// What stands before ` from` at the end.
fn from(before: &str) -> Option<&str> {
    before.strip_suffix(" from").or((before == "from").then_some(""))
}

fn without_protocol(text: &str) -> &str {
    let ends = [" ssh2", " ssh1", " ssh"];
    ends.into_iter().find_map(|end| text.strip_suffix(end)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_peer_is_the_peer() {
        for (text, user, host, port) in [
            ("root from 203.0.113.9 port 4242 ssh2", "root", "203.0.113.9", Some(4242)),
            ("root from 203.0.113.9", "root", "203.0.113.9", None),
            (" from 203.0.113.9 port 1 ssh2", "", "203.0.113.9", Some(1)),
            (
                "a from 192.0.2.1 port 2 ssh2 from 203.0.113.9 port 1 ssh2",
                "a from 192.0.2.1 port 2 ssh2",
                "203.0.113.9",
                Some(1),
            ),
            (
                "from 192.0.2.1 from 203.0.113.9 port 1 ssh2",
                "from 192.0.2.1",
                "203.0.113.9",
                Some(1),
            ),
            ("git from 203.0.113.9 port 1 ssh2: RSA SHA256:abc", "git", "203.0.113.9", Some(1)),
            (
                "a from 192.0.2.1 port 2 ssh2: RSA x from 203.0.113.9 port 1 ssh2: RSA y",
                "a from 192.0.2.1 port 2 ssh2: RSA x",
                "203.0.113.9",
                Some(1),
            ),
            ("u from 203.0.113.9 port 1 ssh1: ruser from 192.0.2.1", "u", "203.0.113.9", Some(1)),
            ("u from host.example.com", "u", "host.example.com", None),
        ] {
            let (found, peer, _) = user_from(text).unwrap();
            assert_eq!((found, peer.host, peer.port), (user, host, port), "{text}");
        }
        assert!(user_from("nobody at all").is_none());
    }
}
