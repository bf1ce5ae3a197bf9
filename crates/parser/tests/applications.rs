//! Applications' own logs, as three other tools label them: is it a failure and whose, who is in
//! it, and is it known at all? Run with `--nocapture` for the figures, which stand in
//! `benches/README.md`, and with `VIGIE_MISSES=1` for what is missed.
#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

mod common;

use std::collections::BTreeMap;

use common::{Bench, cases, score};
use serde_json::Value;
use vigie_event::{Event, EventKind, FieldId, field};

/// Right and all, by service.
#[derive(Default)]
struct Tally {
    by_name: BTreeMap<String, (usize, usize)>,
    misses: Vec<String>,
}

impl Tally {
    fn count(&mut self, name: &str, miss: Option<String>) {
        let entry = self.by_name.entry(name.to_owned()).or_default();
        entry.0 += usize::from(miss.is_none());
        entry.1 += 1;
        self.misses.extend(miss);
    }

    /// Prints each service and the total, which must be right at least so often.
    fn tell(&self, suite: &str, at_least: usize) {
        let each: Vec<String> =
            self.by_name.iter().map(|(name, (right, of))| format!("{name} {right}/{of}")).collect();
        println!("{suite}: {}", each.join(", "));
        let (right, of) =
            self.by_name.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        score(suite, right, of, at_least, &self.misses);
    }
}

/// The lines of one service go to one parser in their order.
fn bench() -> Bench {
    Bench::new("Europe/Zurich", "2005-08-14T12:00:00Z", None)
}

#[test]
fn failures_that_fail2ban_counts() {
    let Some(cases) = cases("fail2ban") else { return };
    let mut tally = Tally::default();
    let mut benches: BTreeMap<String, Bench> = BTreeMap::new();
    for case in &cases {
        let service = case["log_type"].as_str().unwrap();
        let line = case["line"].as_str().unwrap();
        let event = benches.entry(service.to_owned()).or_insert_with(bench).parse(line.as_bytes());
        let wrong = failure(&event, &case["expect"]);
        tally.count(service, wrong.map(|wrong| format!("{service} {wrong}: {line:.300}")));
    }
    tally.tell("fail2ban, all services", 351);
}

/// What is wrong: a failure from the wrong address, none, or one where none is.
fn failure(event: &Event, expect: &Value) -> Option<String> {
    let failed = event.text_of(field::EVENT_OUTCOME) == Some("failure");
    if expect["match"] != true {
        return failed.then(|| "unexpected failure".to_owned());
    }
    if !failed {
        return Some(format!("no failure ({})", event.dataset));
    }
    let found =
        [field::SOURCE_IP, field::SOURCE_ADDRESS].into_iter().find_map(|id| event.render(id));
    (found.as_deref() != expect["host"].as_str())
        .then(|| format!("source {found:?} for {} ({})", expect["host"], event.dataset))
}

/// What `CrowdSec` calls it, and where it may stand here.
const NAMES: &[(&str, &[&str])] = &[
    ("source_ip", &["source.ip", "source.address"]),
    ("target_user", &["user.name"]),
    ("username", &["user.name"]),
    ("http_status", &["http.response.status_code"]),
    ("http_verb", &["http.request.method"]),
    ("http_path", &["url.original", "url.path"]),
];

#[test]
fn who_is_in_crowdsecs_lines() {
    let Some(cases) = cases("crowdsec") else { return };
    let mut tally = Tally::default();
    for case in cases.iter().filter(|case| case["kind"] == "parse") {
        let name = case["log_type"].as_str().unwrap();
        let line = case["line"].as_str().or_else(|| case["lines"][0].as_str()).unwrap();
        let event = bench().parse(line.as_bytes());
        let meta = &case["expect"]["meta"];
        let wrong: Vec<String> = NAMES
            .iter()
            .filter_map(|(theirs, ours)| {
                let wanted = meta[*theirs].as_str()?.trim_matches('\'');
                let found: Vec<_> =
                    ours.iter().filter_map(|name| event.render(FieldId::find(name)?)).collect();
                let fits = found.iter().any(|found| {
                    found == wanted || (wanted.starts_with("//") && found.ends_with(wanted))
                });
                (!fits).then(|| format!("{theirs} {found:?} for {wanted:?}"))
            })
            .collect();
        let wrong = (!wrong.is_empty())
            .then(|| format!("{name} ({}) {}: {line:.300}", event.dataset, wrong.join("; ")));
        tally.count(name, wrong);
    }
    tally.tell("crowdsec, parsed fields", 385);
}

#[test]
fn lines_that_wazuh_decodes() {
    let Some(cases) = cases("wazuh") else { return };
    let (mut known, mut failures) = (Tally::default(), Tally::default());
    for case in &cases {
        let expect = &case["expect"];
        let Some(decoder) = expect["decoder"].as_str() else { continue };
        let line = case["line"].as_str().or_else(|| case["lines"][0].as_str()).unwrap();
        let event = bench().parse(line.as_bytes());
        let unknown = event.kind == EventKind::Unparsed;
        known.count(decoder, unknown.then(|| format!("{decoder}: {line:.200}")));
        let groups = expect["groups"].to_string();
        if groups.contains("authentication_failed") && line.contains(|c: char| c.is_ascii_digit()) {
            let failed = event.text_of(field::EVENT_OUTCOME) == Some("failure");
            failures.count(decoder, (!failed).then(|| format!("{decoder}: {line:.200}")));
        }
    }
    known.tell("wazuh, recognised", 499);
    failures.tell("wazuh, authentication failed", 20);
}

/// One line, its dataset, action, outcome, address and user (`-`: none).
#[test]
fn one_line_of_each_kind() {
    for (line, expected) in [
        (
            "Jan  5 10:12:13 mail postfix/smtpd[7]: warning: unknown[203.0.113.9]: SASL LOGIN authentication failed: UGFzc3dvcmQ6",
            "postfix login failure 203.0.113.9 -",
        ),
        (
            "Jan  5 10:12:13 mail postfix/cleanup[7]: 4F1A: warning: header Subject: Hello from unknown[203.0.113.9]; from=<a@example.org> to=<b@example.net> proto=ESMTP helo=<x>",
            "postfix message - 203.0.113.9 -",
        ),
        // A subject that names another client: nobody can tell which is which.
        (
            "Jan  5 10:12:13 mail postfix/cleanup[7]: 4F1A: warning: header Subject: a from b[192.0.2.1]; from=<c> to=<d> proto=SMTP helo=<e> from unknown[203.0.113.9]; from=<a@example.org> to=<b@example.net> proto=ESMTP helo=<x>",
            "postfix message - - -",
        ),
        (
            "Jan  5 10:12:13 mail postfix/submission/smtpd[7]: warning: a.example.com[203.0.113.9]:4242: SASL PLAIN authentication failed: authentication failure, sasl_username=bob",
            "postfix login failure 203.0.113.9 bob",
        ),
        (
            "Jan  5 10:12:13 mail postfix/smtpd[7]: 4F1A: client=a.example.com[203.0.113.9], sasl_method=PLAIN, sasl_username=bob",
            "postfix login success 203.0.113.9 bob",
        ),
        (
            "Jan  5 10:12:13 mail postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[203.0.113.9]: 554 5.7.1 <a@example.com>: Relay access denied; from=<b@example.com>",
            "postfix mail_refused failure 203.0.113.9 -",
        ),
        (
            "Jan  5 10:12:13 mail dovecot: imap-login: Login: user=<bob>, method=PLAIN, rip=203.0.113.9, lip=192.0.2.1, TLS, session=<a>",
            "dovecot login success 203.0.113.9 bob",
        ),
        (
            "Jan  5 10:12:13 mail dovecot: auth-worker(7): pam(bob,203.0.113.9,<abc>): unknown user",
            "dovecot login failure 203.0.113.9 bob",
        ),
        (
            "2026-01-05 10:12:13 login authenticator failed for (x) [203.0.113.9]:4242: 535 Incorrect authentication data (set_id=bob)",
            "exim login failure 203.0.113.9 bob",
        ),
        (
            "Jan  5 10:12:13 ftp proftpd[7] ftp.example.com (a.example.com[203.0.113.9]): USER bob (Login failed): Incorrect password.",
            "proftpd login failure 203.0.113.9 bob",
        ),
        (
            "Jan  5 10:12:13 ftp vsftpd[7]: [bob] OK LOGIN: Client \"203.0.113.9\"",
            "vsftpd login success 203.0.113.9 bob",
        ),
        (
            "2026-01-05 10:12:13.123 UTC [7] 203.0.113.9 bob@shop FATAL:  password authentication failed for user \"bob\"",
            "postgresql login failure 203.0.113.9 bob",
        ),
        (
            "[2026-01-05 10:12:13] NOTICE[7]: chan_sip.c:28 handle_request_register: Registration from '<sip:100@example.com>' failed for '203.0.113.9:5060' - Wrong password",
            "asterisk login failure 203.0.113.9 -",
        ),
        (
            "Jan  5 10:12:13 ns named[7]: client @0x7f 203.0.113.9#4242 (example.com): query (cache) 'example.com/ANY/IN' denied",
            "bind access_refused failure 203.0.113.9 -",
        ),
        (
            "Jan  5 10:12:13 box dropbear[7]: Password auth succeeded for 'bob' from 203.0.113.9:4242",
            "dropbear login success 203.0.113.9 bob",
        ),
        (
            "[2026-01-05 10:12:13.123][vaultwarden::api::identity][ERROR] Username or password is incorrect. Try again. IP: 203.0.113.9. Username: bob@example.com.",
            "application login failure 203.0.113.9 bob@example.com",
        ),
        (
            "logger=context t=2026-01-05T10:12:13Z level=error msg=\"Invalid username or password\" uname=bob remote_addr=203.0.113.9",
            "application login failure 203.0.113.9 bob",
        ),
        (
            r#"{"reqId":"x","level":2,"time":"2026-01-05T10:12:13+00:00","remoteAddr":"203.0.113.9","user":"--","message":"Login failed: bob (Remote IP: 203.0.113.9)"}"#,
            "json login failure 203.0.113.9 bob",
        ),
        (
            r#"{"event":"user.login","time":"2026-01-05T10:12:13Z","user":"bob","success":false,"addr.remote":"203.0.113.9:4242"}"#,
            "json login failure 203.0.113.9 bob",
        ),
        (
            r#"{"ts":1767607933.5,"request":{"client_ip":"203.0.113.9","method":"GET","host":"example.com","uri":"/.env"},"status":404}"#,
            "json http_request failure 203.0.113.9 -",
        ),
        (
            "Jan  5 10:12:13 lb haproxy[7]: 203.0.113.9:4242 [05/Jan/2026:10:12:13.123] main app/a 0/0/1/1/2 404 1 - - ---- 1/1/0/0/0 0/0 \"GET /.env HTTP/1.1\"",
            "haproxy.access http_request failure 203.0.113.9 -",
        ),
        (
            "Jan  5 10:12:13 web fail2ban.actions[7]: NOTICE  [sshd] Ban 203.0.113.9",
            "fail2ban banned failure 203.0.113.9 -",
        ),
        (
            "Jan  5 10:12:13 web app[7]: Login failed for 'bob' from 203.0.113.9",
            "application login failure 203.0.113.9 bob",
        ),
    ] {
        assert_eq!(shown(&bench().parse(line.as_bytes())), expected, "{line}");
    }
}

/// What people typed holds what a program writes. Either the address is the client's, or there is
/// none; never the forged one.
#[test]
fn forged_lines_accuse_nobody_else() {
    for (line, expected) in [
        (
            "Jan  5 10:12:13 mail dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): user=<a>, method=PLAIN, rip=198.51.100.7, lip=192.0.2.1, x>, method=PLAIN, rip=203.0.113.9, lip=192.0.2.1",
            "dovecot login failure -",
        ),
        (
            "Jan  5 10:12:13 mail dovecot: imap-login: Disconnected (no auth attempts): user=<imap-login: Login: user=<a>, method=PLAIN, rip=198.51.100.7, lip=x>, rip=203.0.113.9, lip=192.0.2.1",
            "dovecot login_abandoned failure -",
        ),
        (
            "Jan  5 10:12:13 mail postfix/smtpd[7]: warning: unknown[203.0.113.9]: SASL LOGIN authentication failed: x, sasl_username=b: warning: unknown[198.51.100.7]: SASL LOGIN authentication failed: y",
            "postfix login failure 203.0.113.9",
        ),
        (
            "Jan  5 10:12:13 box dropbear[7]: Bad password attempt for 'a' from 198.51.100.7:1' from 203.0.113.9:4242",
            "dropbear login failure 203.0.113.9",
        ),
        (
            "Jan  5 10:12:13 db mysqld[7]: Access denied for user 'a'@'198.51.100.7' (using password: YES)'@'203.0.113.9' (using password: YES)",
            "mysql login failure 203.0.113.9",
        ),
        (
            "2026-01-05 10:12:13 UTC [7] 203.0.113.9 198.51.100.7@shop FATAL:  password authentication failed for user \"198.51.100.7\"",
            "postgresql login failure -",
        ),
        (
            "[2026-01-05 10:12:13] SECURITY[7] res_security_log.c: SecurityEvent=\"InvalidPassword\",EventTV=\"x\",Severity=\"Error\",Service=\"SIP\",EventVersion=\"2\",AccountID=\"1\",SessionID=\"\",LocalAddress=\"IPV4/UDP/192.0.2.1/5060\",RemoteAddress=\"IPV4/UDP/198.51.100.7/1\"\",LocalAddress=\"IPV4/UDP/192.0.2.1/5060\",RemoteAddress=\"IPV4/UDP/203.0.113.9/5084\"",
            "asterisk login failure 203.0.113.9",
        ),
        (
            "2026/01/05 10:12:13 ...auth.go:200:SignInPost() [I] Failed authentication attempt for a from 198.51.100.7:1: user does not exist [uid: 0, name: a, keyid: 0] from 203.0.113.9:4242: user does not exist [uid: 0, name: a from 198.51.100.7:1: user does not exist, keyid: 0]",
            "application login failure -",
        ),
        (
            "[2026-01-05 10:12:13.123][vaultwarden::api::identity][ERROR] Username or password is incorrect. Try again. IP: 203.0.113.9. Username: x. IP: 198.51.100.7. Username: y.",
            "application login failure 203.0.113.9",
        ),
        (
            "Jan  5 10:12:13 web app[7]: Login failed for user \"a from 198.51.100.7\" from 203.0.113.9",
            "application login failure 203.0.113.9",
        ),
        (
            "Jan  5 10:12:13 web app[7]: Login failed for a from 198.51.100.7 from 203.0.113.9",
            "application login failure -",
        ),
        (
            "Jan  5 10:12:13 web app[7]: Login failed for user \"a from 198.51.100.7\"",
            "syslog - - -",
        ),
        ("Jan  5 10:12:13 web app[7]: Login accepted for root from 198.51.100.7", "syslog - - -"),
        (
            "t=1 level=error msg=\"Invalid password\" user=\"a\\\" remote_addr=198.51.100.7\" remote_addr=203.0.113.9",
            "application login failure 203.0.113.9",
        ),
        (
            r#"{"message":"Login failed","user":"a\",\"ip\":\"198.51.100.7","ip":"203.0.113.9"}"#,
            "json login failure 203.0.113.9",
        ),
        (
            r#"{"message":"Login accepted","success":true,"error":"invalid password","ip":"198.51.100.7"}"#,
            "json - - 198.51.100.7",
        ),
        // A message of one program that looks like another's is its own program's.
        (
            "Jan  5 10:12:13 web app[7]: postfix/smtpd[8]: 4F1A: client=a[198.51.100.7], sasl_method=PLAIN, sasl_username=root",
            "syslog - - -",
        ),
    ] {
        let shown = shown(&bench().parse(line.as_bytes()));
        assert!(shown.starts_with(expected), "{shown}, not {expected}: {line}");
    }
}

fn shown(event: &Event) -> String {
    let text = |id| event.render(id).map_or_else(|| "-".into(), std::borrow::Cow::into_owned);
    let [action, outcome, address, user] =
        [field::EVENT_ACTION, field::EVENT_OUTCOME, field::SOURCE_IP, field::USER_NAME].map(text);
    format!("{} {action} {outcome} {address} {user}", event.dataset)
}
