//! Telephony and chat.

use super::service::{Saying, Service, Tells, whole};
use Tells::{Failure, Note, Probe, Refused};

/// The services of this kind.
pub const SERVICES: &[Service] = &[
    Service { dataset: "asterisk", programs: &["asterisk*"], body: asterisk, sayings: ASTERISK },
    Service {
        dataset: "freeswitch",
        programs: &["freeswitch*"],
        body: freeswitch,
        sayings: FREESWITCH,
    },
    Service { dataset: "murmur", programs: &["murmur*", "mumble*"], body: murmur, sayings: MURMUR },
    Service { dataset: "znc", programs: &["znc*"], body: whole, sayings: ZNC },
];

pub const ASTERISK: &[Saying] = &[
    // Everything behind the address is of letters and digits, so the last address that is
    // followed by nothing else is the server's.
    ("SecurityEvent=\"SuccessfulAuth\",{**},RemoteAddress=\"{a}/{a}/{ip}/{n}\"{kv}", Note),
    ("SecurityEvent=\"ChallengeSent\",{**},RemoteAddress=\"{a}/{a}/{ip}/{n}\"{kv}", Note),
    (
        "SecurityEvent=\"{w}\",EventTV={*},AccountID=\"{user}\",SessionID=\"{**}\",LocalAddress=\"{w}\",RemoteAddress=\"{a}/{a}/{ip}/{n}\"{kv}",
        Failure,
    ),
    ("Registration from '{**}' failed for '{ip}' - {*}", Failure),
    ("Request from '{**}' failed for '{ip}' (callid: {w}) - {*}", Failure),
    ("Request '{w}' from '{**}' failed for '{ip}' (callid: {w}) - {*}", Failure),
    ("Host {ip} failed to authenticate as '{user}'", Failure),
    ("Host {ip} failed MD5 authentication for '{user}' ({*})", Failure),
    ("Host {ip} denied access to register peer '{user}'", Failure),
    ("No registration for peer '{user}' (from {ip})", Failure),
    ("{ip} failed to authenticate as '{user}'", Failure),
    ("{ip} tried to authenticate with nonexistent user '{user}'", Failure),
    ("{ip} failed to pass IP ACL as '{user}'", Refused),
    ("hacking attempt detected '{ip}'", Probe),
    ("Call from '{*}' ({ip}) to extension '{**}' rejected because {*}", Refused),
    ("Call from '{*}' ({w}:{ip}) to extension '{**}' rejected because {*}", Refused),
    ("{*}: Call ({w}:{ip}) to extension '{**}' rejected because {*}", Refused),
    ("Ext. {*}\"Rejecting unknown SIP connection from {ip}\"", Refused),
];

/// Whether a line without a frame is asterisk's, by the level that it begins with.
pub fn is_asterisk(body: &str) -> bool {
    ["NOTICE", "SECURITY", "WARNING", "ERROR"].iter().any(|level| {
        let rest = body.strip_prefix(level).map(str::trim_start);
        rest.is_some_and(|rest| rest.starts_with('['))
    })
}

/// Without `NOTICE[566][C-01]: chan_sip.c:28926 handle_request_register: ` in front.
pub fn asterisk(message: &str) -> &str {
    let Some(rest) = message.find('[').and_then(|at| message.get(at..)) else { return message };
    let mut rest = rest;
    while let Some((_, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        rest = after;
    }
    let rest = rest.strip_prefix(':').unwrap_or(rest).trim_start();
    let (file, after) = text_word(rest);
    if let Some(number) = file.split_once(".c:").map(|(_, number)| number) {
        if number.is_empty() {
            return after;
        }
        let after = after.strip_prefix("in ").unwrap_or(after);
        let (function, message) = text_word(after);
        return if function.ends_with(':') { message } else { after };
    }
    rest
}

fn text_word(text: &str) -> (&str, &str) {
    crate::text::word(text)
}

pub const FREESWITCH: &[Saying] = &[
    ("SIP auth failure ({w}) on sofia profile '{w}' for [{user}] from ip {ip}", Failure),
    ("SIP auth challenge ({w}) on sofia profile '{w}' for [{user}] from ip {ip}", Note),
    ("Can't find user [{user}] from {ip}", Failure),
    ("IP {ip} Rejected by {*}", Refused),
];

/// Without `96.80% [WARNING] sofia_reg.c:3223 ` in front.
pub fn freeswitch(message: &str) -> &str {
    let (first, after) = text_word(message);
    let rest = if first.ends_with('%') { after } else { message };
    let (level, after) = text_word(rest);
    let (file, message) = text_word(after);
    if level.starts_with('[') && level.ends_with(']') && file.contains(".c:") {
        return message;
    }
    rest
}

pub const MURMUR: &[Saying] =
    &[("{n} => <{n}:{user}({w})> Rejected connection from {ip}: {*}", Failure)];

/// Without `<W>2015-11-29 16:38:01.818 ` in front.
pub fn murmur(message: &str) -> &str {
    let rest = match message.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        Some((level, rest)) if level.len() == 1 => rest,
        _ => return message,
    };
    crate::time::iso(rest).map_or(rest, |(_, at)| rest.get(at..).unwrap_or_default().trim_start())
}

pub const ZNC: &[Saying] = &[
    ("[{user}] failed to login from {ip}", Failure),
    ("[{user}] connected to ZNC from {ip}", Note),
    ("[{user}] disconnected from ZNC from {ip}", Note),
];
