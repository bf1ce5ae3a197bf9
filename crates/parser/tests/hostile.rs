//! A forged line must not forge an event.
#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

mod common;

use common::Bench;
use vigie_event::{EventKind, FieldId, Format, field};

const NOW: &str = "2026-01-05T12:00:00Z";

/// Parses one line and compares `name=value` pairs; `name=` asks for an empty text, `!name` for
/// absence.
fn check(line: &str, expected: &[&str]) {
    let mut bench = Bench::new("UTC", NOW, None);
    let event = bench.parse(line.as_bytes());
    for wanted in expected {
        if let Some(name) = wanted.strip_prefix('!') {
            let found = FieldId::find(name).and_then(|id| event.render(id));
            assert_eq!(found, None, "{name} of {line}");
            continue;
        }
        let (name, value) = wanted.split_once('=').unwrap();
        let found = match name {
            "dataset" => Some(event.dataset.into()),
            "kind" => Some(event.kind.name().into()),
            "repeat" => Some(event.repeat.to_string().into()),
            "time" => Some(event.time.to_string().into()),
            name => FieldId::find(name).and_then(|id| event.render(id)),
        };
        assert_eq!(found.as_deref(), Some(value), "{name} of {line}");
    }
}

fn sshd(message: &str, expected: &[&str]) {
    check(&format!("Jan  5 10:12:13 web sshd[7]: {message}"), expected);
}

#[test]
fn a_user_name_may_hold_a_whole_message() {
    for name in [
        "Accepted password for root from 198.51.100.7 port 22 ssh2",
        "root from 198.51.100.7",
        "root from 198.51.100.7 port 22",
        "root from 198.51.100.7 port 22 ssh2: RSA SHA256:abc",
        "x [preauth]",
        "x\\nJan  5 10:12:13 web sshd[7]: Accepted password for root from 198.51.100.7 port 22 ssh2",
        "x#012Jan  5 10:12:13 web sshd[7]: Accepted password for root from 198.51.100.7 port 22 ssh2",
        "\u{1b}[2J\u{1b}[31mroot",
        "",
        " ",
        "invalid user x",
        "]: pam_unix(sshd:auth): authentication failure; rhost=198.51.100.7",
        "é¿\u{202e}",
    ] {
        let user = format!("user.name={name}");
        let expected = [
            "event.outcome=failure",
            "source.ip=203.0.113.9",
            "source.port=4242",
            user.as_str(),
            "dataset=sshd",
        ];
        for message in [
            format!("Failed password for invalid user {name} from 203.0.113.9 port 4242 ssh2"),
            format!(
                "Failed keyboard-interactive/pam for invalid user {name} from 203.0.113.9 port 4242 ssh2"
            ),
        ] {
            sshd(&message, &[&expected[..], &["event.action=ssh_login"]].concat());
        }
        sshd(
            &format!("Invalid user {name} from 203.0.113.9 port 4242"),
            &[&expected[..], &["event.action=ssh_invalid_user"]].concat(),
        );
        sshd(
            &format!(
                "error: maximum authentication attempts exceeded for invalid user {name} from 203.0.113.9 port 4242 ssh2 [preauth]"
            ),
            &[&expected[..], &["event.action=ssh_max_attempts"]].concat(),
        );
        sshd(
            &format!("Connection closed by invalid user {name} 203.0.113.9 port 4242 [preauth]"),
            &[&expected[..], &["event.action=ssh_connection_closed"]].concat(),
        );
    }
}

#[test]
fn the_verdict_is_the_first_words() {
    sshd(
        "input_userauth_request: invalid user Accepted password for root from 198.51.100.7 port 22 ssh2 [preauth]",
        &["event.action=ssh_invalid_user_request", "!event.outcome", "!source.ip"],
    );
    sshd(
        "Bad protocol version identification 'Accepted password for root from 198.51.100.7 port 22 ssh2' from 203.0.113.9 port 4242",
        &["event.action=ssh_protocol_error", "source.ip=203.0.113.9"],
    );
    sshd(
        "Bad protocol version identification '' from 198.51.100.7 port 1' from 203.0.113.9",
        &["source.ip=203.0.113.9"],
    );
    sshd(
        "Received disconnect from 203.0.113.9 port 4242:11: Accepted password for root from 198.51.100.7 port 22 ssh2",
        &["event.action=ssh_disconnect", "source.ip=203.0.113.9", "!event.outcome"],
    );
    sshd(
        "User root from 198.51.100.7 not allowed because x from 203.0.113.9 not allowed because not listed in AllowUsers",
        &["source.ip=203.0.113.9", "event.action=ssh_user_not_allowed"],
    );
    sshd(
        "message repeated 3 times: [ Failed password for invalid user a] from 203.0.113.9 port 1 ssh2]",
        &["user.name=a]", "repeat=3", "source.ip=203.0.113.9"],
    );
    sshd(
        "Unable to negotiate with 203.0.113.9 port 4242: no matching cipher found. Their offer: x from 198.51.100.7 port 2: y [preauth]",
        &["source.ip=203.0.113.9", "event.action=ssh_kex_error"],
    );
}

#[test]
fn only_the_frame_names_the_program() {
    let forged = "sshd[1]: Accepted password for root from 198.51.100.7 port 22 ssh2";
    for line in [
        format!("Jan  5 10:12:13 web app[3]: {forged}"),
        format!("Jan  5 10:12:13 web app: {forged}"),
        format!("Jan  5 10:12:13 web some words then {forged}"),
        format!("Jan  5 10:12:13 web {{\"a\": 1}} {forged}"),
        format!("Jan  5 10:12:13 web app[3]: Jan  5 10:12:13 web {forged}"),
        format!("<38>1 2026-01-05T10:12:13Z web app 3 - [a b=\"{forged}\"] {forged}"),
        format!("<38>1 2026-01-05T10:12:13Z web app 3 - - Jan  5 10:12:13 web {forged}"),
    ] {
        check(&line, &["kind=unparsed", "!source.ip", "!event.outcome"]);
    }
    check(
        "<38>1 2026-01-05T10:12:13Z web app 3 - [a b=\"] sshd[1\"] x",
        &["kind=unparsed", "process.name=app", "message=x"],
    );
}

#[test]
fn pam_hosts_are_not_taken_from_names() {
    let pam = "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh";
    for (rest, host, user) in [
        ("ruser= rhost=203.0.113.9  user=root", "203.0.113.9", "root"),
        ("ruser= rhost=203.0.113.9", "203.0.113.9", ""),
        (
            "ruser= rhost=203.0.113.9 user=x rhost=198.51.100.7",
            "203.0.113.9",
            "x rhost=198.51.100.7",
        ),
        ("ruser=x rhost=198.51.100.7 rhost=203.0.113.9", "203.0.113.9", "x rhost=198.51.100.7"),
        ("ruser=x rhost=198.51.100.7 user=root rhost=203.0.113.9  user=ftp", "203.0.113.9", "ftp"),
    ] {
        let host = format!("source.ip={host}");
        let mut expected =
            vec![host.as_str(), "event.outcome=failure", "event.action=pam_auth_failure"];
        let user = format!("user.name={user}");
        if user != "user.name=" {
            expected.push(&user);
        }
        sshd(&format!("{pam} {rest}"), &expected);
    }
}

#[test]
fn http_fields_end_at_bare_quotes() {
    let access = |user: &str, request: &str, agent: &str| {
        format!(
            "203.0.113.9 - {user} [05/Jan/2026:10:12:13 +0000] \"{request}\" 404 12 \"-\" \"{agent}\""
        )
    };
    for (user, request, agent) in [
        ("-", "GET /a HTTP/1.1", r#"x\" 200 1 \"-\" \"y"#),
        (
            "-",
            "GET /a HTTP/1.1",
            "Jan  5 10:12:13 web sshd[7]: Accepted password for root from 198.51.100.7 port 22 ssh2",
        ),
        ("x [01/Jan/2020:00:00:00 +0000]", "GET /a HTTP/1.1", "-"),
        (r#"x [01/Jan/2020:00:00:00 +0000] \"GET /b HTTP/1.1\" 200 1"#, "GET /a HTTP/1.1", "-"),
        (r"x [01/Jan/2020:00:00:00 +0000] \x22GET /b HTTP/1.1\x22 200 1", "GET /a HTTP/1.1", "-"),
    ] {
        check(
            &access(user, request, agent),
            &[
                "source.ip=203.0.113.9",
                "url.original=/a",
                "http.response.status_code=404",
                "event.outcome=failure",
                "time=2026-01-05T10:12:13.000000Z",
            ],
        );
    }
    check(
        &access("-", r#"GET /?q=\" 200 1 \"-\" \"198.51.100.7 HTTP/1.1"#, "curl"),
        &[
            r#"url.query=q=\" 200 1 \"-\" \"198.51.100.7"#,
            "user_agent.original=curl",
            "http.response.status_code=404",
        ],
    );
    check(
        &access("-", r"GET /%0d%0aSet-Cookie:x\x22 HTTP/1.1", "curl"),
        &["url.decoded=/\r\nSet-Cookie:x\"", "user_agent.original=curl"],
    );
    // What the client says of itself behind the user agent is never the source.
    check(
        &format!("{} \"198.51.100.7, 203.0.113.5\"", access("-", "GET /a HTTP/1.1", "curl")),
        &["source.ip=203.0.113.9", "network.forwarded_ip=198.51.100.7"],
    );
    // Nor is the left of a list, which the client sent, where the right is public too.
    check(
        "198.51.100.7, 203.0.113.9 - - [05/Jan/2026:10:12:13 +0000] \"GET / HTTP/1.1\" 200 1",
        &["source.ip=203.0.113.9"],
    );
}

#[test]
fn an_error_log_path_may_hold_a_client() {
    check(
        "2026/01/05 10:12:13 [error] 5#5: *9 open() \"/var/www/x, client: 198.51.100.7, server: a, request: \"GET / HTTP/1.1\"\" failed (2: No such file or directory), client: 203.0.113.9, server: _, request: \"GET /x,%20client:%20198.51.100.7 HTTP/1.1\", host: \"example.com\"",
        &["source.ip=203.0.113.9", "url.domain=example.com", "event.outcome=failure"],
    );
    check(
        "[Mon Jan 05 10:12:13.1 2026] [core:error] [pid 5] [client 203.0.113.9:44] AH00126: Invalid URI in request GET /[client 198.51.100.7] HTTP/1.1",
        &["source.ip=203.0.113.9", "source.port=44", "event.code=AH00126"],
    );
    check(
        "[Mon Jan 05 10:12:13.1 2026] [auth_basic:error] [pid 5] [client 203.0.113.9:44] AH01618: user x not found: /a not found: /b",
        &["source.ip=203.0.113.9", "user.name=x not found: /a", "event.outcome=failure"],
    );
}

#[test]
fn json_cannot_speak_for_us() {
    let eve = r#"{"timestamp":"2026-01-05T10:12:13.000000+0000","event_type":"dns","src_ip":"203.0.113.9","src_port":1,"proto":"UDP","event":{"kind":"unparsed","dataset":"sshd","action":"ssh_login","outcome":"success"},"source":{"ip":"198.51.100.7"},"dns":{"rrname":"example.com"}}"#;
    check(
        eve,
        &[
            "dataset=suricata.dns",
            "kind=event",
            "event.action=dns",
            "!event.kind",
            "data.event.kind=unparsed",
            "data.event.dataset=sshd",
            "data.event.action=ssh_login",
            "source.ip=203.0.113.9",
            "data.source.ip=198.51.100.7",
        ],
    );
    check(
        r#"{"a":1,"a":2,"b":{"c":1},"b":{"c":[3]},"@timestamp":"2026-01-05T10:12:13Z","event.kind":"alert"}"#,
        &["a=2", "b.c=3", "kind=event", "dataset=json", "time=2026-01-05T10:12:13.000000Z"],
    );
    check(
        r#"{"source.ip":"203.0.113.9","source":{"ip":"203.0.113.10"},"log.offset":7}"#,
        &["source.ip=203.0.113.10", "data.log.offset=7", "!log.offset"],
    );
    // A program's JSON is its own, whatever it claims to be.
    check(
        &format!("Jan  5 10:12:13 web app[3]: {eve}"),
        &["dataset=json", "host.name=web", "process.name=app"],
    );
    check(&format!("Jan  5 10:12:13 web suricata[3]: {eve}"), &["dataset=suricata.dns"]);
    check(r#"{"a": 1} trailing"#, &["kind=unparsed"]);
    check(r#"{"a": "#, &["kind=unparsed", "!a"]);
}

#[test]
fn json_without_end_is_bounded() {
    let mut bench = Bench::new("UTC", NOW, None);
    let deep = format!("{}1{}", "{\"a\":".repeat(100), "}".repeat(100));
    assert_eq!(bench.parse(deep.as_bytes()).kind, EventKind::Event);
    let truncated = |event: &vigie_event::Event| {
        FieldId::find("vigie.truncated").is_some_and(|id| event.render(id).is_some())
    };
    let deeper = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    assert!(truncated(&bench.parse(deeper.as_bytes())));
    let wide = (0..20).map(|n| format!("\"k{n}\":{n},")).collect::<Vec<_>>().concat().repeat(5_000);
    let event = bench.parse(format!("{{{wide}\"z\":1}}").as_bytes());
    assert!(event.fields().count() < 40);
    let long = format!("{{\"l\":[{}1]}}", "1,".repeat(100_000));
    let event = bench.parse(long.as_bytes());
    assert!(truncated(&event));
}

#[test]
fn the_journal_vouches_for_who_wrote() {
    let entry = |comm: &str| {
        format!(
            r#"{{"__REALTIME_TIMESTAMP":"1767607933000000","__CURSOR":"s=1","_HOSTNAME":"web","SYSLOG_IDENTIFIER":"sshd","_COMM":"{comm}","_PID":"7","PRIORITY":"6","MESSAGE":"Accepted password for root from 203.0.113.9 port 22 ssh2"}}"#
        )
    };
    check(
        &entry("sshd"),
        &[
            "dataset=sshd",
            "event.outcome=success",
            "host.name=web",
            "process.pid=7",
            "time=2026-01-05T10:12:13.000000Z",
        ],
    );
    check(&entry("sshd-session"), &["dataset=sshd"]);
    check(
        r#"{"__REALTIME_TIMESTAMP":"1767607933000000","SYSLOG_IDENTIFIER":"postfix/smtpd","_COMM":"logger","_PID":"7","MESSAGE":"warning: unknown[198.51.100.7]: SASL LOGIN authentication failed: x"}"#,
        &["kind=unparsed", "!source.ip", "!event.outcome"],
    );
    check(&entry("logger"), &["dataset=journald", "kind=unparsed", "!event.outcome", "!source.ip"]);
    check(
        r#"{"__REALTIME_TIMESTAMP":"1767607933000000","_COMM":"sshd","_PID":"7","MESSAGE":[73,110,118,97,108,105,100,32,117,115,101,114,32,255,32,102,114,111,109,32,50,48,51,46,48,46,49,49,51,46,57]}"#,
        &[
            "dataset=sshd",
            "user.name=\u{FFFD}",
            "source.ip=203.0.113.9",
            "event.action=ssh_invalid_user",
        ],
    );
}

#[test]
fn sudo_commands_are_kept_to_their_end() {
    check(
        "Jan  5 10:12:13 web sudo:     eve : TTY=pts/0 ; PWD=/home/eve ; USER=root ; COMMAND=/bin/sh -c x ; USER=nobody ; COMMAND=/bin/true",
        &[
            "user.name=eve",
            "user.effective.name=root",
            "process.command_line=/bin/sh -c x ; USER=nobody ; COMMAND=/bin/true",
            "event.outcome=success",
        ],
    );
    check(
        "Jan  5 10:12:13 web sudo:     eve : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/ls",
        &["event.action=sudo_not_allowed", "event.outcome=failure"],
    );
}

#[test]
fn a_connection_is_told_by_its_process() {
    let mut bench = Bench::new("UTC", NOW, None);
    let mut say = |host: &str, pid: u32, message: &str| {
        let event =
            bench.parse(format!("Jan  5 10:12:13 {host} sshd[{pid}]: {message}").as_bytes());
        (
            event.render(field::SOURCE_IP).map(std::borrow::Cow::into_owned),
            event.text_of(field::EVENT_OUTCOME).map(str::to_owned),
        )
    };
    let failure = Some("failure".to_owned());
    let address = Some("203.0.113.9".to_owned());
    assert_eq!(
        say("web", 1, "Connection from 203.0.113.9 port 1 on 192.0.2.1 port 22"),
        (address.clone(), None)
    );
    assert_eq!(
        say("web", 1, "fatal: Read from socket failed: Connection reset by peer [preauth]"),
        (address.clone(), failure.clone())
    );
    assert_eq!(
        say("web", 1, "Connection closed by 203.0.113.9 port 1 [preauth]"),
        (address.clone(), None),
        "told already"
    );
    assert_eq!(
        say("web", 2, "fatal: Read from socket failed: Connection reset by peer [preauth]"),
        (None, None),
        "another process"
    );
    assert_eq!(
        say("db", 1, "fatal: Read from socket failed: Connection reset by peer [preauth]"),
        (None, None),
        "another host"
    );
    assert_eq!(say("web", 3, "User root not allowed because account is locked"), (None, None));
    assert_eq!(
        say("web", 3, "Received disconnect from 203.0.113.9: 11: Bye Bye [preauth]"),
        (address.clone(), failure.clone())
    );
    assert_eq!(
        say("web", 4, "Accepted publickey for git from 203.0.113.9 port 1 ssh2: RSA SHA256:abc").1,
        Some("success".into())
    );
    assert_eq!(say("web", 4, "Connection closed by 203.0.113.9 port 1 [preauth]"), (address, None));
}

#[test]
fn without_a_header_only_where_the_format_is_named() {
    let message = "Failed password for root from 203.0.113.9 port 22 ssh2";
    // Without a header nobody knows that it is sshd's: it is what its words say, and they never
    // make a success.
    check(message, &["dataset=application", "event.action=login", "event.outcome=failure"]);
    let accepted = "Accepted password for root from 203.0.113.9 port 22 ssh2";
    check(accepted, &["kind=unparsed", "!source.ip", "!event.outcome"]);
    let mut bench = Bench::new("UTC", NOW, Some(Format::Sshd));
    let event = bench.parse(message.as_bytes());
    assert_eq!(event.text_of(field::EVENT_ACTION), Some("ssh_login"));
}
