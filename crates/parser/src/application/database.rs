//! Databases and file servers.

use super::pattern::{Taken, matches};
use super::service::{Saying, Service, Tells, whole};
use crate::text;
use Tells::{Abandoned, Failure, Note, Refused, Success};

/// The services of this kind.
pub const SERVICES: &[Service] = &[
    Service { dataset: "mysql", programs: &["mysql*", "mariadb*"], body: mysql, sayings: MYSQL },
    Service { dataset: "vsftpd", programs: &["vsftpd*"], body: whole, sayings: VSFTPD },
    Service { dataset: "proftpd", programs: &["proftpd*"], body: whole, sayings: PROFTPD },
    Service { dataset: "pure-ftpd", programs: &["pure-ftpd*"], body: whole, sayings: PURE_FTPD },
    Service { dataset: "ftpd", programs: &["ftpd*", "wu-ftpd*"], body: whole, sayings: FTPD },
    Service { dataset: "samba", programs: &["smb*"], body: whole, sayings: SAMBA },
];

pub const MYSQL: &[Saying] = &[
    ("Access denied for user '{user}'@'{host}' (using password: {w})", Failure),
    ("Access denied for user '{user}'@'{host}'", Failure),
    ("Access denied for user '{user}'@'{host}' to database '{*}'", Refused),
    ("Host '{host}' is not allowed to connect to this {*}", Refused),
];

/// Without the server's own time, thread and level in front: `… 344 [Note] [MY-010926] [Server] …`
pub fn mysql(message: &str) -> &str {
    let mut rest = message;
    // What the level is behind, the server wrote: a time and a number.
    if let Some((front, after)) = rest.split_once('[')
        && front.bytes().all(|b| b.is_ascii_digit() || b" -:.TZ+".contains(&b))
    {
        rest = rest.get(rest.len() - after.len() - 1..).unwrap_or_default();
    }
    while let Some((_, after)) = rest.strip_prefix('[').and_then(|rest| rest.split_once("] ")) {
        rest = after;
    }
    rest
}

pub const VSFTPD: &[Saying] = &[
    ("[pid {n}] [{user}] FAIL LOGIN: Client \"{ip}\"{*}", Failure),
    ("[pid {n}] FAIL LOGIN: Client \"{ip}\"{*}", Failure),
    ("[{user}] FAIL LOGIN: Client \"{ip}\"{*}", Failure),
    ("[pid {n}] [{user}] OK LOGIN: Client \"{ip}\"{*}", Success),
    ("[{user}] OK LOGIN: Client \"{ip}\"{*}", Success),
    ("[pid {n}] CONNECT: Client \"{ip}\"{*}", Note),
];

const PROFTPD: &[Saying] = &[
    ("{w} ({w}[{ip}]): USER {user} (Login failed): {*}", Failure),
    ("{w} ({w}[{ip}]): USER {user}: no such user found{*}", Failure),
    ("{w} ({w}[{ip}]): USER {user}: Login successful.", Success),
    ("{w} ({w}[{ip}]): SECURITY VIOLATION: {user} login attempted{*}", Failure),
    ("{w} ({w}[{ip}]): Maximum login attempts ({n}) exceeded{*}", Abandoned),
    ("{w} ({w}[{ip}]) - USER {user} (Login failed): {*}", Failure),
    ("{w} ({w}[{ip}]) - USER {user}: no such user found{*}", Failure),
    ("{w} ({w}[{ip}]) - USER {user}: Login successful.", Success),
    ("{w} ({w}[{ip}]) - SECURITY VIOLATION: {user} login attempted{*}", Failure),
    ("{w} ({w}[{ip}]) - Maximum login attempts ({n}) exceeded{*}", Abandoned),
    ("refused connect from {w} ({ip})", Refused),
    ("{w} ({w}[{ip}]) - {*}", Note),
    ("{w} ({w}[{ip}]): {*}", Note),
];

const PURE_FTPD: &[Saying] = &[
    ("({w}@{host}) [WARNING] Authentication failed for user [{user}]", Failure),
    ("({w}@{host}) [INFO] {user} is now logged in", Success),
    ("({w}@{host}) [{w}] {*}", Note),
];

const FTPD: &[Saying] = &[
    ("repeated login failures from {host} ({w})", Failure),
    ("repeated login failures from {host}", Failure),
    ("failed login from {w} [{ip}]", Failure),
    ("failed login from {w} [{ip}], {user}", Failure),
    ("LOGIN FAILED FROM {host}, {user}", Failure),
    ("FTP LOGIN FAILED FROM {host}, {user}", Failure),
    ("FTP LOGIN REFUSED {*} FROM {w} [{ip}], {user}", Failure),
];

const SAMBA: &[Saying] = &[
    ("Denied connection from ({ip})", Refused),
    ("Denied connection from {w} ({ip})", Refused),
    (
        "Auth: [{*}] user [{*}]\\[{user}] at [{*}] with [{*}] status [NT_STATUS_OK] workstation [{*}] remote host [{w}:{ip}] {*}",
        Success,
    ),
    (
        "Auth: [{*}] user [{*}]\\[{user}] at [{*}] with [{*}] status [NT_STATUS_{w}] workstation [{*}] remote host [{w}:{ip}] {*}",
        Failure,
    ),
];

/// `<prefix>FATAL:  password authentication failed for user "<name>"`, the prefix being what
/// `log_line_prefix` makes of it. It may hold the name and the database that somebody asked for,
/// so an address is taken only where it is the one that stands there.
pub fn postgres(line: &str) -> Option<Taken<'_>> {
    let (prefix, message) = line.split_once("FATAL:")?;
    let message = message.trim();
    if let Some(taken) =
        matches("no pg_hba.conf entry for host \"{ip}\", user \"{user}\", {*}", message)
    {
        return Some(taken);
    }
    let user = message.split_once(" authentication failed for user \"")?.1.strip_suffix('"')?;
    let separates = |c: char| {
        c.is_whitespace() || matches!(c, '[' | ']' | '(' | ')' | '@' | ',' | '=' | '<' | '>')
    };
    let words = prefix.split(separates);
    let addresses = words.filter_map(|word| {
        let word = word.trim_matches(':');
        let word = word.rsplit_once("UTC:").map_or(word, |(_, word)| word);
        text::address(word).map(|address| (address, word))
    });
    let mut host = None;
    for (address, word) in addresses {
        match host {
            Some((known, _)) if known != address => {
                return Some(Taken { user: Some(user), ..Taken::default() });
            }
            _ => host = Some((address, word)),
        }
    }
    Some(Taken { user: Some(user), host: host.map(|(_, word)| word), ..Taken::default() })
}
