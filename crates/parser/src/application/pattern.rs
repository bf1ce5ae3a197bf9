//! Message patterns: literal text with named parts, matched against a whole message.
//!
//! | part | what it takes |
//! |---|---|
//! | `{ip}` | an address, also in brackets, also with a port behind a colon |
//! | `{ips}` | addresses with commas between, as proxies hand them on: see [`super::client_of`] |
//! | `{host}` | an address or a host's name |
//! | `{n}` | digits |
//! | `{a}` | ASCII letters and digits |
//! | `{p}` | a colon and digits, or nothing |
//! | `{brace}` | `{` |
//! | `{kv}` | `,name="value"` any number of times, the values plain |
//! | `{w}` | anything without spaces, as little as possible |
//! | `{*}` | anything, as little as possible |
//! | `{user}`, `{reason}`, `{subject}`, `{**}` | anything, as **much** as possible |
//!
//! A user name is whatever an attacker types, so it may hold the text that follows it in the
//! pattern. It takes as much as it can, so what follows is the last that fits, and the pattern
//! reaches to the message's end: what the program wrote behind the name decides, never the name.
//! A pattern that ends in `{*}` could be read in several ways where the name holds what follows
//! it; then nobody can tell which address is the client's, and none is taken.

use crate::text;

/// Steps that one match may take; a message that wants more is hostile and matches nothing.
const MAX_STEPS: u32 = 10_000;

/// What the parts of a pattern took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken<'t> {
    pub user: Option<&'t str>,
    /// An address or the name of a host.
    pub host: Option<&'t str>,
    pub port: Option<u16>,
    pub reason: Option<&'t str>,
    /// What a mail says it is about.
    pub subject: Option<&'t str>,
}

/// Matches all of `text`. `None`: it does not fit.
///
/// Where the text could be read in ways that name different hosts, no host is taken.
pub fn matches<'t>(pattern: &str, text: &'t str) -> Option<Taken<'t>> {
    let mut state = State { steps: MAX_STEPS, known: None, readings: 0 };
    let mut taken = Taken::default();
    if !step(pattern, text, &mut taken, &mut state) {
        return None;
    }
    if taken.host.is_some() {
        state.known = taken.host;
        let differs = step(pattern, text, &mut Taken::default(), &mut state);
        if differs || state.steps == 0 {
            (taken.host, taken.port) = (None, None);
        }
    }
    Some(taken)
}

/// How a text is being read.
struct State<'t> {
    /// Steps that are left.
    steps: u32,
    /// The host of the first reading, where one that names another is looked for.
    known: Option<&'t str>,
    /// Ends that were reached.
    readings: u32,
}

fn step<'t>(pattern: &str, text: &'t str, taken: &mut Taken<'t>, state: &mut State<'t>) -> bool {
    let Some(left) = state.steps.checked_sub(1) else { return false };
    state.steps = left;
    let (literal, rest) = pattern.split_once('{').unwrap_or((pattern, ""));
    let Some(text) = text.strip_prefix(literal) else { return false };
    if literal.len() == pattern.len() {
        if text.is_empty() {
            state.readings += 1;
        }
        return text.is_empty() && state.known.is_none_or(|known| Some(known) != taken.host);
    }
    let Some((part, rest)) = rest.split_once('}') else { return false };
    let mut go = |at: usize, taken: &mut Taken<'t>| {
        text.get(at..).is_some_and(|text| step(rest, text, taken, state))
    };
    match part {
        "ip" => hosts(addresses(text), rest, text, taken, state),
        "ips" => {
            let mut before = b' ';
            let end = text.bytes().take_while(|b| {
                let own = of_address(*b) || *b == b',' || (*b == b' ' && before == b',');
                before = *b;
                own
            });
            let list = text.get(..end.count()).unwrap_or_default();
            let client = super::client_of(list).map(|client| (list.len(), client, None));
            hosts(client.into_iter(), rest, text, taken, state)
        }
        "host" => {
            let name = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
            let name = text.bytes().take(255).take_while(name).count();
            let name = text.get(..name).filter(|name| !name.is_empty());
            let named = name.map(|name| (name.len(), name, None));
            hosts(addresses(text).chain(named), rest, text, taken, state)
        }
        "n" => {
            let digits = text.bytes().take_while(u8::is_ascii_digit).count();
            digits > 0 && go(digits, taken)
        }
        "a" => {
            let letters = text.bytes().take_while(u8::is_ascii_alphanumeric).count();
            letters > 0 && go(letters, taken)
        }
        "p" => go(port(text), taken),
        "kv" => go(plain_values(text), taken),
        "brace" => text.starts_with('{') && go(1, taken),
        "w" => {
            let end = text.find(' ').unwrap_or(text.len());
            places(rest, text, false).take_while(|at| *at <= end).any(|at| at > 0 && go(at, taken))
        }
        "*" => places(rest, text, false).any(|at| go(at, taken)),
        "**" => places(rest, text, true).any(|at| go(at, taken)),
        "user" | "reason" | "subject" => {
            let end = places(rest, text, true).find(|at| go(*at, taken));
            let Some(value) = end.and_then(|end| text.get(..end)) else { return false };
            match part {
                "user" => taken.user = Some(value),
                "subject" => taken.subject = Some(value),
                _ => taken.reason = Some(value),
            }
            true
        }
        _ => false,
    }
}

/// Reads a host, one candidate after the other, until one leads to an end: what is shorter is a
/// part of it.
fn hosts<'t>(
    candidates: impl Iterator<Item = (usize, &'t str, Option<u16>)>,
    rest: &str,
    text: &'t str,
    taken: &mut Taken<'t>,
    state: &mut State<'t>,
) -> bool {
    let before = (taken.host, taken.port);
    for (end, host, port) in candidates {
        (taken.host, taken.port) = (Some(host), port);
        let readings = state.readings;
        if text.get(end..).is_some_and(|text| step(rest, text, taken, state)) {
            return true;
        }
        if state.readings > readings {
            break;
        }
    }
    (taken.host, taken.port) = before;
    false
}

/// Where a part of any length may end: before each place of the literal that follows it, the last
/// one first where it is `greedy`.
fn places<'a>(rest: &str, text: &'a str, greedy: bool) -> Box<dyn Iterator<Item = usize> + 'a> {
    let literal = rest.split('{').next().unwrap_or_default().to_owned();
    let fits = move |at: &usize| text.get(*at..).is_some_and(|text| text.starts_with(&*literal));
    match (rest.is_empty(), greedy) {
        (true, _) => Box::new(std::iter::once(text.len())),
        (false, false) => Box::new((0..=text.len()).filter(fits)),
        (false, true) => Box::new((0..=text.len()).rev().filter(fits)),
    }
}

/// The addresses that `text` may begin with, the longest first: the colon in front of a port may
/// be the pattern's or part of the address. Where each ends, the address, and its port.
fn addresses(text: &str) -> impl Iterator<Item = (usize, &str, Option<u16>)> {
    let mut end = text.bytes().take(72).take_while(|b| of_address(*b)).count();
    std::iter::from_fn(move || {
        while end > 1 {
            let candidate = text.get(..end)?;
            let here = end;
            end = candidate.rfind(['.', ':', ']', '[']).unwrap_or(0);
            if let Some((address, port)) = split_port(candidate) {
                return Some((here, address, port));
            }
        }
        None
    })
}

fn of_address(byte: u8) -> bool {
    byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':' | b'[' | b']')
}

/// Bytes of `:<digits>` at the start, if it stands there.
fn port(text: &str) -> usize {
    let Some(rest) = text.strip_prefix(':') else { return 0 };
    match rest.bytes().take_while(u8::is_ascii_digit).count() {
        0 => 0,
        digits => digits + 1,
    }
}

/// Bytes of `,Name="value"…` at the start whose values hold nothing that could end one.
fn plain_values(text: &str) -> usize {
    let plain =
        |value: &str| value.bytes().all(|b| b.is_ascii_alphanumeric() || b"_/.:+-".contains(&b));
    let mut rest = text;
    while let Some(after) = rest.strip_prefix(',')
        && let Some((name, value)) = after.split_once("=\"")
        && let Some((value, after)) = value.split_once('"')
        && plain(name)
        && plain(value)
    {
        rest = after;
    }
    text.len() - rest.len()
}

/// The address without its port.
fn split_port(candidate: &str) -> Option<(&str, Option<u16>)> {
    if text::address(candidate).is_some() {
        return Some((candidate, None));
    }
    let (host, port) = candidate.rsplit_once(':')?;
    text::address(host)?;
    Some((host, Some(text::port(port)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_name_is_the_last_that_fits() {
        for (pattern, text, user, host, port) in [
            ("bad {user} from {ip}", "bad a from 192.0.2.1", "a", "192.0.2.1", None),
            (
                "bad {user} from {ip}",
                "bad a from 192.0.2.1 from [2001:db8::1]:7",
                "a from 192.0.2.1",
                "[2001:db8::1]",
                Some(7),
            ),
            ("{ip}:{n} [{user}]", "192.0.2.1:5 [x]", "x", "192.0.2.1", None),
            ("{ip}:{n} [{user}]", "2001:db8::1:58430 [x]", "x", "2001:db8::1", None),
            (
                "{w}[{ip}]: {user}",
                "h.example.com[192.0.2.1]: x[192.0.2.9]: y",
                "x[192.0.2.9]: y",
                "192.0.2.1",
                None,
            ),
            (
                "{*}user={user}, ip={host}",
                "a, user=b, ip=c, ip=d.example.com",
                "b, ip=c",
                "d.example.com",
                None,
            ),
            (
                "IP: {ip}. Name: {user}.",
                "IP: 192.0.2.1. Name: IP: 192.0.2.9..",
                "IP: 192.0.2.9.",
                "192.0.2.1",
                None,
            ),
        ] {
            let taken = matches(pattern, text).unwrap_or_else(|| panic!("{pattern} / {text}"));
            assert_eq!(
                (taken.user, taken.host, taken.port),
                (Some(user), Some(host), port),
                "{text}"
            );
        }
    }

    #[test]
    fn all_of_the_text_must_fit() {
        for (pattern, text) in [
            ("bad {user} from {ip}", "bad a from 192.0.2.1 x"),
            ("bad {user} from {ip}", "so bad a from 192.0.2.1"),
            ("bad {user} from {ip}", "bad a from example.com"),
            ("{n} bad", "x bad"),
            ("{w} bad", "a b bad"),
        ] {
            assert_eq!(matches(pattern, text), None, "{pattern} / {text}");
        }
    }

    #[test]
    fn hostile_text_ends_soon() {
        let text = "a from ".repeat(100_000);
        assert_eq!(matches("{*}a {*}from {user} from {ip}", &text), None);
    }
}
