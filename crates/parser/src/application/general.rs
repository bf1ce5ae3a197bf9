//! A line that no parser knows and that says by common words that a login failed.
//!
//! What people type stands in such lines, and nobody can tell here where. So nothing here makes a
//! success, words in quotes count for nothing, and an address is taken only where the line names
//! one client: behind a word such as `from` or `ip=`, in brackets, or at the very start or end.
//! Where two are named, one may be forged, and none is taken.

use std::net::IpAddr;

use super::words::{
    is_account, is_plain, is_proof, is_refusal, is_refused_login, is_success, leads_elsewhere,
    leads_to_client, may_refuse,
};
use crate::text;

/// An address as it is written, the address, and its port.
pub type Client<'t> = (&'t str, IpAddr, Option<u16>);

/// What such a line tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Refused<'t> {
    /// The one client that it names, and its port.
    pub client: Option<Client<'t>>,
    pub user: Option<&'t str>,
}

/// Lines longer than this are looked at no further.
const MAX_BYTES: usize = 4_096;

/// Reads a message. `None`: it tells of no refused login, or of nobody's.
pub fn read(message: &str) -> Option<Refused<'_>> {
    if message.len() > MAX_BYTES || !is_worth_reading(message) {
        return None;
    }
    let words = words(message);
    if !refuses(words.iter().filter(|word| !word.quoted()).map(|word| word.text)) {
        return None;
    }
    let client = client(&words)?;
    Some(Refused { client: client.ok(), user: user(message, &words) })
}

/// Whether `message` says by common words that a login failed. For texts that the program alone
/// wrote, such as the value of a field.
pub fn tells(message: &str) -> bool {
    message.len() <= MAX_BYTES
        && may_refuse(message)
        && refuses(words(message).iter().filter(|word| !word.quoted()).map(|word| word.text))
}

/// The user that `message` names.
pub fn named_user(message: &str) -> Option<&str> {
    user(message, &words(message))
}

/// A quick look, which nearly every line ends at: whether `message` may hold an address, and any
/// word of refusal or abuse.
pub fn is_worth_reading(message: &str) -> bool {
    has_address(message.as_bytes()) && may_refuse(message)
}

/// Digits with a point between, or hexadecimal ones with a colon.
fn has_address(bytes: &[u8]) -> bool {
    let near = |at: usize, fits: fn(&u8) -> bool| {
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        before.is_some_and(fits) && bytes.get(at + 1).is_some_and(fits)
    };
    let hexadecimal: fn(&u8) -> bool = |b| b.is_ascii_hexdigit() || *b == b':';
    memchr::memchr2_iter(b'.', b':', bytes).any(|at| match bytes.get(at) {
        Some(b'.') => near(at, u8::is_ascii_digit),
        _ => near(at, hexadecimal) || bytes.get(at + 1) == Some(&b':'),
    })
}

/// A word with its place.
#[derive(Clone, Copy, Debug)]
struct Word<'t> {
    /// Without brackets and stops around it.
    text: &'t str,
    /// Where it begins in the message, quotes and brackets aside.
    start: usize,
    end: usize,
    /// What stands in the quotes that it stands in.
    inside: Option<&'t str>,
    /// Whether a bracket opens before it.
    bracket: bool,
}

impl Word<'_> {
    fn quoted(&self) -> bool {
        self.inside.is_some()
    }

    /// Whether it is all that stands in its quotes.
    fn alone(&self) -> bool {
        self.inside.is_some_and(|inside| inside.len() <= self.end - self.start)
    }
}

/// Splits a message at spaces, `=`, `:` where no address goes on, and brackets.
fn words(message: &str) -> Vec<Word<'_>> {
    let spans = quotes(message);
    let splits = |c: char| {
        c.is_whitespace()
            || matches!(
                c,
                '=' | '('
                    | ')'
                    | '['
                    | ']'
                    | '<'
                    | '>'
                    | '{'
                    | '}'
                    | ','
                    | ';'
                    | '|'
                    | '"'
                    | '\''
                    | '`'
                    | '!'
            )
    };
    let mut found = Vec::new();
    let mut start = 0;
    for (at, c) in message.char_indices().chain([(message.len(), ' ')]) {
        if !splits(c) {
            continue;
        }
        let text = message.get(start..at).unwrap_or_default();
        let trimmed = text.trim_matches(['.', '-', '*', '#', '/', '?']);
        let trimmed = match text::address(trimmed) {
            Some(_) => trimmed,
            None => trimmed.trim_end_matches([':', '.']),
        };
        if !trimmed.is_empty() {
            let span = spans.iter().find(|(from, to)| *from < start && at <= *to);
            found.push(Word {
                text: trimmed,
                start,
                end: at,
                inside: span.and_then(|(from, to)| message.get(from + 1..*to)),
                bracket: start > 0
                    && message.get(start - 1..start).is_some_and(|c| "[(<".contains(c)),
            });
        }
        start = at + c.len_utf8();
    }
    found
}

/// Where quotes open and close: the first of a kind with the next of it. An apostrophe between
/// letters is none.
fn quotes(message: &str) -> Vec<(usize, usize)> {
    let bytes = message.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    let letter = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_alphanumeric);
    while let Some(&quote) = bytes.get(at) {
        let opens = match quote {
            b'"' | b'`' => true,
            b'\'' => at == 0 || !letter(at - 1),
            _ => false,
        };
        let closes = |place: &usize| {
            bytes.get(*place) == Some(&quote) && bytes.get(*place - 1) != Some(&b'\\')
        };
        if opens && let Some(end) = (at + 1..bytes.len()).find(closes) {
            found.push((at, end));
            at = end;
        }
        at += 1;
    }
    found
}

/// Whether the words refuse a login: a word about proof near one that refuses, or a word about an
/// account beside one.
fn refuses<'t>(words: impl Iterator<Item = &'t str>) -> bool {
    const NEAR: usize = 6;
    let (mut proof, mut account, mut refusal) = (None, None, None);
    let (mut near, mut certain, mut log) = (false, false, None);
    let mut index = 0_usize;
    for word in words {
        if text::socket(word).is_some() {
            continue;
        }
        for piece in word.split(|c: char| !c.is_alphanumeric()).filter(|piece| !piece.is_empty()) {
            if piece.len() > 24 {
                index += 1;
                continue;
            }
            let lower = piece.to_lowercase();
            let within = |place: Option<usize>, most: usize| {
                place.is_some_and(|place| index - place <= most)
            };
            if is_success(&lower) && !within(refusal, 1) {
                return false;
            }
            if matches!(&*lower, "logged" | "connected") && within(proof, 3) && refusal.is_none() {
                return false;
            }
            if is_refused_login(&lower) {
                certain = true;
            }
            if is_refusal(&lower) {
                near |= within(proof, NEAR) || within(account, 2);
                refusal = Some(index);
            } else if lower == "error" {
                near |= within(proof, 1);
            }
            if is_proof(&lower) || (within(log, 1) && matches!(&*lower, "in" | "on")) {
                near |= within(refusal, NEAR);
                proof = Some(index);
            }
            if is_account(&lower) {
                near |= within(refusal, 1);
                account = Some(index);
            }
            if matches!(&*lower, "log" | "sign") {
                log = Some(index);
            }
            index += 1;
        }
    }
    near || certain
}

/// The one client that the words name; `Err` where they name several. `None`: none.
fn client<'t>(words: &[Word<'t>]) -> Option<Result<Client<'t>, ()>> {
    let last = words.len().checked_sub(1)?;
    let mut found: Option<Client<'t>> = None;
    let mut several = false;
    for (index, word) in words.iter().enumerate() {
        let Some((shown, address, port)) = address_of(word.text) else { continue };
        let address = vigie_event::unmapped(address);
        if address.is_unspecified() {
            continue;
        }
        let before = index.checked_sub(1).and_then(|before| words.get(before));
        let named = before.is_some_and(|before| {
            // `IP address = `, `from: [`, `"ip":"`: nothing but marks may stand between.
            let between = word.start.saturating_sub(before.end) < 6;
            between && leads_to_client(before.text) && (!before.quoted() || before.alone())
        });
        if before.is_some_and(|before| leads_elsewhere(before.text)) {
            continue;
        }
        let (shown, address, port) = match word.inside {
            None => (shown, address, port),
            Some(_) if word.alone() && (named || index == 0) => (shown, address, port),
            // `client IP="192.0.2.7, 192.0.2.1"`
            Some(inside)
                if named && inside.split(',').all(|one| text::address(one.trim()).is_some()) =>
            {
                let Some(shown) = super::client_of(inside) else { continue };
                let Some(address) = text::address(shown) else { continue };
                (shown, vigie_event::unmapped(address), None)
            }
            Some(_) => continue,
        };
        if !(named || word.bracket || index == 0 || index == last) {
            continue;
        }
        match found {
            Some((_, known, _)) if known != address => several = true,
            Some(_) => {}
            None => found = Some((shown, address, port)),
        }
    }
    if several {
        return Some(Err(()));
    }
    found.map(Ok)
}

/// The address that a word is: with a port, with `/port`, with `ipv4:` in front.
fn address_of(word: &str) -> Option<Client<'_>> {
    let word = word.strip_prefix("ipv4:").or_else(|| word.strip_prefix("ipv6:")).unwrap_or(word);
    let (word, slash) = match word.split_once('/') {
        Some((address, port)) => (address, text::port(port)),
        None => (word, None),
    };
    let word = word.strip_prefix("IP:").or_else(|| word.strip_prefix("ip:")).unwrap_or(word);
    let (address, port) = text::socket(word)?;
    let shown = match port {
        Some(_) => word.rsplit_once(':').map_or(word, |(address, _)| address),
        None => word,
    };
    Some((shown, address, port.or(slash)))
}

/// The user that the words name: one word behind `user`, or a word in quotes behind `for`.
fn user<'t>(message: &str, words: &[Word<'t>]) -> Option<&'t str> {
    words.windows(2).find_map(|pair| {
        let [before, word] = pair else { return None };
        let between = message.get(before.end..word.start)?;
        let apart = between.chars().any(|c| !matches!(c, ' ' | ':' | '=' | '"' | '\'' | '`' | '['));
        if before.quoted() || apart || (word.quoted() && !word.alone()) {
            return None;
        }
        let lower = before.text.to_ascii_lowercase();
        let named = matches!(
            &*lower,
            "user" | "username" | "uname" | "login" | "account" | "name" | "acct" | "userid"
        ) && (word.alone() || !is_plain(word.text));
        let for_whom =
            matches!(&*lower, "for" | "as" | "by") && (word.alone() || word.text.contains('@'));
        let fits = named || for_whom;
        (fits && address_of(word.text).is_none()).then_some(word.text)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, client: Option<&str>, user: Option<&str>) {
        let found = read(message).unwrap_or_else(|| panic!("not read: {message}"));
        assert_eq!(found.client.map(|(shown, ..)| shown), client, "{message}");
        assert_eq!(found.user, user, "{message}");
    }

    #[test]
    fn refused_logins_in_many_words() {
        for (message, client, user) in [
            ("Login failed for 'admin' from 192.0.2.7", "192.0.2.7", Some("admin")),
            (
                "authentication failure for bob@example.com, client 192.0.2.7:4242",
                "192.0.2.7",
                Some("bob@example.com"),
            ),
            ("Failed login attempt by IP: 192.0.2.7", "192.0.2.7", None),
            (
                "Incorrect username or password for user Admin. IP=192.0.2.7",
                "192.0.2.7",
                Some("Admin"),
            ),
            (
                "access denied -- client [192.0.2.7]: wrong password for user 'bob'",
                "192.0.2.7",
                Some("bob"),
            ),
            ("Authentication attempt from [2001:db8::7] has been denied", "2001:db8::7", None),
            ("ip=192.0.2.7 user=bob invalid credentials", "192.0.2.7", Some("bob")),
            (
                "Login denied from 192.0.2.7/32597 to outside:192.0.2.1/ssh for user \"root\"",
                "192.0.2.7",
                Some("root"),
            ),
            ("login failed: rip=192.0.2.7, lip=192.0.2.1", "192.0.2.7", None),
            (
                "[192.0.2.7] Authentication failed for 'admin' : password mismatch",
                "192.0.2.7",
                Some("admin"),
            ),
            ("Failed login {\"ip\":\"192.0.2.7\",\"email\":\"x\"}", "192.0.2.7", None),
            (
                "password doesn't match for /a username: bob, IP: 192.0.2.7",
                "192.0.2.7",
                Some("bob"),
            ),
            ("Unknown user tried to log in from 192.0.2.7", "192.0.2.7", None),
            ("Echec de la tentative de connexion de 192.0.2.7", "192.0.2.7", None),
        ] {
            check(message, Some(client), user);
        }
    }

    #[test]
    fn what_somebody_typed_names_nobody() {
        // In quotes.
        check(
            "Login failed for user \"bob from 203.0.113.5\" from 192.0.2.7",
            Some("192.0.2.7"),
            None,
        );
        assert_eq!(read("Login failed for user \"bob from 203.0.113.5\""), None);
        assert_eq!(read("Login failed for user='x ip=203.0.113.5'"), None);
        // Two clients: one may be forged.
        check("Login failed for bob from 203.0.113.5 from 192.0.2.7", None, None);
        check(
            "Login failed for user x\" from 203.0.113.5 \" from 192.0.2.7",
            Some("192.0.2.7"),
            Some("x"),
        );
        check("Login failed for user x' from 203.0.113.5 from 192.0.2.7", None, Some("x"));
        // Words in quotes refuse nothing.
        assert_eq!(read("Welcome \"invalid password\" from 192.0.2.7"), None);
    }

    #[test]
    fn what_is_no_refused_login() {
        for message in [
            "Accepted login for bob from 192.0.2.7",
            "Login successful for bob from 192.0.2.7 after 3 failed attempts",
            "User bob logged in from 192.0.2.7",
            "Connection from 192.0.2.7 failed",
            "failed to connect to user service at 192.0.2.7:80",
            "Login failed for bob",
            "authentication failed at server 192.0.2.7",
            "Starting version 1.2.3.4 of the login service",
            "session closed for user bob by 192.0.2.7",
        ] {
            assert_eq!(read(message), None, "{message}");
        }
    }
}
