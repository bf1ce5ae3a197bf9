//! What is remembered of lines before changes nothing about a line.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;
use vigie_event::{Event, RecordRef, Source, Timestamp, Wording, field, wire};

use super::{Options, Parser, Reference};
use crate::said::Said;
use crate::syslog::Heads;

/// Lines of which each is said by several programs, hosts and processes.
const LINES: &[&str] = &[
    "Received disconnect from 203.0.113.9: 11: Bye Bye [preauth]",
    "Received disconnect from 203.0.113.9: 14: No supported authentication methods [preauth]",
    "Received disconnect from 203.0.113.9 port 4242:11: Bye Bye",
    "Connection closed by 203.0.113.9 port 4242 [preauth]",
    "Connection closed by 203.0.113.9",
    "Connection from 203.0.113.9 port 4242 on 192.0.2.1 port 22",
    "Disconnecting: Too many authentication failures for root [preauth]",
    "Disconnecting: Change of username or service not allowed: (a,b) -> (c,d) [preauth]",
    "input_userauth_request: invalid user admin [preauth]",
    "Invalid user admin from 203.0.113.9",
    "Invalid user  from 203.0.113.9",
    "Failed password for root from 203.0.113.9 port 4242 ssh2",
    "Failed password for root from 198.51.100.7 port 1 ssh2 from 203.0.113.9 port 4242 ssh2",
    "message repeated 2 times: [ Failed password for root from 203.0.113.9 port 4242 ssh2]",
    "Accepted publickey for git from 203.0.113.9 port 4242 ssh2: RSA SHA256:abc",
    "fatal: Read from socket failed: Connection reset by peer [preauth]",
    "error: something that nobody knows",
    "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.9  user=root",
    "pam_unix(cron:session): session opened for user root by (uid=0)",
    "check pass; user unknown",
    "(root) CMD (run-parts /etc/cron.hourly)",
    "  ops : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls ; USER=nobody",
    "  ops : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
    "new user: name=eve, UID=1001, GID=1001, home=/home/eve, shell=/bin/sh",
    "authentication failed for user eve from 203.0.113.9",
    "connect from unknown[203.0.113.9]",
    "{\"event\":\"login\",\"user\":\"eve\"}",
    "  {\"event\":\"login\"}",
    "",
    " ",
    "caf\u{e9}",
];
const PROGRAMS: &[&str] = &[
    "sshd[7]",
    "sshd[8]",
    "sshd[0]",
    "sshd[99999999999]",
    "sshd",
    "sshd-session[7]",
    "sudo",
    "sudo[7]",
    "CRON[7]",
    "su[7]",
    "login[7]",
    "useradd[7]",
    "kernel",
    "nginx[7]",
    "app[7]",
    "app",
    "NOTICE[7]",
    "postfix/smtpd[7]",
    "systemd-logind[7]",
    "a-program-with-a-long-name[7]",
];
const HOSTS: &[&str] = &["web", "db", "web2", "203.0.113.1", "caf\u{e9}"];
const TIMES: &[&str] = &[
    "Jan  5 10:12:13",
    "Jan  5 10:12:14",
    "Jan  5 11:59:60",
    "2026-01-05T10:12:13.5+01:00",
    "2026-01-05T10:12:14Z",
];

/// Numbers that look like chance (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % bound
    }

    fn of<'t, T>(&mut self, choices: &'t [T]) -> &'t T {
        &choices[self.below(choices.len())]
    }
}

fn parser() -> Parser {
    Parser::new(Options { timezone: TimeZone::UTC, reference: Reference::Observed })
}

/// All that events of one wording have in common.
fn tells(event: &Event) -> impl std::fmt::Debug {
    let fields = event.fields().filter(|(id, _)| *id != field::PROCESS_PID);
    let fields: Vec<_> =
        fields.map(|(id, value)| (id.name(), value.to_text().into_owned())).collect();
    let logsources = event.logsources.as_ptr().addr();
    (event.kind.name(), event.dataset, logsources, event.repeat, fields)
}

/// Parses `lines` as they come, also each for itself but for what connections told, and compares.
fn compare<'l>(lines: impl Iterator<Item = &'l [u8]>) {
    let sources = [1, 2].map(|fingerprint| Source::file("a.log", fingerprint, None));
    let observed = Timestamp::parse("2026-01-06T00:00:00Z").unwrap();
    let (mut remembering, mut forgetful) = (parser(), parser());
    forgetful.state.said = Said::nothing();
    let (mut one, mut other) = (Event::default(), Event::default());
    let mut told = HashMap::new();
    for (number, line) in lines.enumerate() {
        let source: &Arc<Source> = &sources[usize::from(number % 1_000 > 900)];
        let record = RecordRef { source, offset: number as u64, observed, bytes: line };
        match std::str::from_utf8(line) {
            Ok(text) if number % 2 == 0 => remembering.parse_text(&record, text, &mut one),
            _ => remembering.parse(&record, &mut one),
        }
        forgetful.state.frames = Heads::nothing();
        forgetful.parse(&record, &mut other);
        let [shown, expected] =
            [&one, &other].map(|event| serde_json::to_string(&wire::event(event)).unwrap());
        assert_eq!(shown, expected, "{}", String::from_utf8_lossy(line));
        assert_eq!(
            (one.logsources.as_ptr(), one.shape_hint()),
            (other.logsources.as_ptr(), other.shape_hint())
        );
        assert!(one.fields().all(|(id, _)| one.render(id) == other.render(id)));
        if let Some(Wording { head, said }) = one.wording() {
            let tells = format!("{:?}", tells(&one));
            assert_eq!(*told.entry((head, said)).or_insert_with(|| tells.clone()), tells);
        }
    }
}

#[test]
fn what_was_said_before_is_read_as_if_it_were_new() {
    let mut chance = Chance(0x9E37_79B9_7F4A_7C15);
    let mut lines = Vec::new();
    for _ in 0..30_000 {
        let [time, host, program, message] =
            [TIMES, HOSTS, PROGRAMS, LINES].map(|choices| *chance.of(choices));
        let mut line = format!("{time} {host} {program}: {message}").into_bytes();
        if chance.below(4) == 0 {
            let at = chance.below(line.len());
            match chance.below(4) {
                0 => line.truncate(at),
                1 => drop(line.remove(at)),
                2 => line.insert(at, *chance.of(b" :[]0a\xFF{@")),
                _ => line[at] = *chance.of(b" :[]9z\xC3\""),
            }
        }
        lines.push(line);
    }
    compare(lines.iter().map(Vec::as_slice));
}

#[test]
fn real_lines_are_read_as_if_each_were_new() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let mut read = Vec::new();
    for folder in ["loghub", "samples", "fail2ban/logs", "eve"] {
        let Ok(files) = std::fs::read_dir(root.join(folder)) else {
            println!("skipped: no {folder} in the data folder");
            continue;
        };
        let mut files: Vec<_> = files.flatten().map(|file| file.path()).collect();
        files.sort();
        read.extend(files.into_iter().filter_map(|file| std::fs::read(file).ok()));
    }
    // Each file begins twice, so that what is remembered is met again.
    let lines = read.iter().flat_map(|bytes| {
        let lines = || bytes.split(|byte| *byte == b'\n').take(2_000);
        lines().take(300).chain(lines())
    });
    compare(lines);
}
