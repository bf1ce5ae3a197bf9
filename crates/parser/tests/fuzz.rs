//! No bytes whatsoever stop the parser, and every span it cuts is text.
#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

mod common;

use common::Bench;
use proptest::prelude::*;
use vigie_event::{Event, Format, ValueRef};

/// Pieces that lines are made of, so that random ones get past the first comparison.
const PIECES: &[&str] = &[
    "Jan  5 10:12:13 ",
    "2026-01-05T10:12:13Z ",
    "<38>1 ",
    "<13>",
    "web ",
    "sshd[7]: ",
    "sudo: ",
    "su[1]: ",
    "login[1]: ",
    "CRON[1]: ",
    "useradd[1]: ",
    "kernel: ",
    "systemd-logind[1]: ",
    "nginx: ",
    "apache2: ",
    "Failed password for ",
    "Accepted ",
    "invalid user ",
    "Invalid user ",
    " from ",
    "203.0.113.9",
    "2001:db8::1",
    " port ",
    "22",
    " ssh2",
    ": ",
    " [preauth]",
    "message repeated 3 times: [ ",
    "]",
    "[",
    "\"",
    "\\",
    "\\x22",
    "pam_unix(sshd:auth): ",
    "authentication failure; ",
    "rhost=",
    "ruser=",
    "user=",
    "tty=",
    "Disconnecting",
    "Received disconnect from ",
    "Connection closed by ",
    "Unable to negotiate with ",
    "kex_exchange_identification: ",
    "SSH: Server;Ltype: Version;Remote: ",
    "drop connection #1 from ",
    "PAM: ",
    " for ",
    " via ",
    " : ",
    "TTY=",
    "COMMAND=",
    " ; ",
    "(root) CMD (",
    "new user: name=",
    "add 'a' to group '",
    "IN=eth0 OUT= SRC=",
    "DST=",
    "PROTO=TCP ",
    "[UFW BLOCK] ",
    " - - ",
    "[05/Jan/2026:10:12:13 +0000] ",
    "GET /%2e%2e?a+b HTTP/1.1",
    "200 12 ",
    "2026/01/05 10:12:13 [error] 5#5: *1 ",
    ", client: ",
    ", server: ",
    ", request: \"",
    "[Mon Jan 05 10:12:13 2026] ",
    "[core:error] ",
    "[client ",
    "AH00126: ",
    "{",
    "}",
    "{\"event_type\":\"dns\",\"timestamp\":\"2026-01-05T10:12:13Z\",\"dns\":",
    "{\"MESSAGE\":\"",
    "\"__REALTIME_TIMESTAMP\":\"1767607933000000\"",
    ",",
    ":",
    "[1,2]",
    "{\"type\":\"ssh_failed\",\"src\":\"",
    "é",
    "\u{202e}",
    "\u{1b}[31m",
    " ",
    "  ",
    "%",
    "+",
    "'",
    "(",
    ")",
    "-",
    "@cee: ",
    "maximum authentication attempts exceeded for ",
    "Bad protocol version identification '",
    "refused connect from ",
    "not allowed because ",
];

fn line() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => prop::sample::select(PIECES).prop_map(|piece| piece.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..6),
        1 => ".{0,6}".prop_map(String::into_bytes),
    ];
    prop::collection::vec(piece, 0..16).prop_map(|pieces| pieces.concat())
}

fn formats() -> impl Strategy<Value = Option<Format>> {
    prop::option::of(prop::sample::select(&Format::ALL[..]))
}

/// Walks every value: a span outside the text, or across a character, would come out empty.
fn walk(event: &Event) {
    for (id, value) in event.fields() {
        assert!(!id.name().is_empty());
        match value {
            ValueRef::List(list) => list.iter().for_each(|member| {
                let _ = member.to_text();
            }),
            value => {
                let _ = value.to_text();
            }
        }
    }
}

fn check(bytes: &[u8], format: Option<Format>) {
    let mut bench = Bench::new("Europe/Zurich", "2026-01-05T12:00:00Z", format);
    let mut event = Event::default();
    bench.parse_into(bytes, &mut event);
    walk(&event);
    let spans = format!("{event:?}");
    for span in spans.split("Span(").skip(1) {
        let (start, rest) = span.split_once(", ").unwrap();
        let length = rest.split_once(')').unwrap().0;
        let (start, length): (usize, usize) = (start.parse().unwrap(), length.parse().unwrap());
        assert!(event.text().get(start..start + length).is_some(), "{spans}");
    }
    assert!(!event.raw().is_empty() || bytes.is_empty());
    // The same record again gives the same event.
    let mut bench = Bench::new("Europe/Zurich", "2026-01-05T12:00:00Z", format);
    let again = bench.parse(bytes);
    assert_eq!(again.id(), event.id());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn lines_of_known_pieces(bytes in line(), format in formats()) {
        check(&bytes, format);
    }

    #[test]
    fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200), format in formats()) {
        check(&bytes, format);
    }
}

#[test]
fn real_lines_cut_anywhere() {
    for suite in ["fail2ban", "elastic-filebeat", "wazuh"] {
        let Some(cases) = common::cases(suite) else { return };
        let mut bench = Bench::new("UTC", "2026-01-05T12:00:00Z", None);
        let mut event = Event::default();
        for (number, case) in cases.iter().enumerate() {
            let Some(line) = case["line"].as_str() else { continue };
            let step = 1 + number % 7;
            for end in (0..line.len().min(400)).step_by(step) {
                bench.parse_into(&line.as_bytes()[..end], &mut event);
                walk(&event);
            }
        }
    }
}
