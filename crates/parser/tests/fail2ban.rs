//! fail2ban's annotated lines: is it a failure, and whose?
#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

mod common;

use common::{Bench, cases, score};
use vigie_event::{Event, field};

/// Services whose formats are read here.
const SERVICES: &[&str] = &[
    "sshd",
    "pam-generic",
    "nginx-bad-request",
    "nginx-forbidden",
    "nginx-limit-req",
    "nginx-http-auth",
    "nginx-botsearch",
    "nginx-error-common",
    "apache-auth",
    "apache-nohome",
    "apache-overflows",
    "apache-shellshock",
    "apache-noscript",
    "apache-modsecurity",
    "apache-botsearch",
    "apache-pass",
    "sudo",
    "su",
];

#[test]
fn failures_and_their_addresses() {
    let Some(cases) = cases("fail2ban") else { return };
    for (service, at_least) in [("sshd", 73), ("pam-generic", 8), ("nginx", 19), ("apache", 15)] {
        let mut bench = Bench::new("Europe/Zurich", "2005-08-14T12:00:00Z", None);
        let (mut right, mut of, mut misses) = (0, 0, Vec::new());
        for case in &cases {
            let name = case["log_type"].as_str().unwrap();
            if !SERVICES.contains(&name) || !name.starts_with(service) {
                continue;
            }
            of += 1;
            let line = case["line"].as_str().unwrap();
            let event = bench.parse(line.as_bytes());
            let expect = &case["expect"];
            let verdict = judge(&event, expect);
            if verdict.is_empty() {
                right += 1;
            } else {
                misses.push(format!("{} {verdict}: {line} {expect}", case["case"]));
            }
        }
        score(&format!("fail2ban {service}"), right, of, at_least, &misses);
    }
}

fn judge(event: &Event, expect: &serde_json::Value) -> String {
    let failure = event.text_of(field::EVENT_OUTCOME) == Some("failure");
    if !expect["match"].as_bool().unwrap() {
        return if failure { "unexpected failure".into() } else { String::new() };
    }
    if !failure {
        return "no failure".into();
    }
    let host = expect["host"].as_str().unwrap_or_default();
    let found =
        [field::SOURCE_IP, field::SOURCE_ADDRESS].into_iter().find_map(|id| event.render(id));
    if found.as_deref() != Some(host) {
        return format!("source {found:?}");
    }
    if let Some(time) = expect["time"].as_str() {
        let zone = jiff::tz::TimeZone::get("Europe/Zurich").unwrap();
        let local = jiff::Timestamp::from(event.time).to_zoned(zone).datetime();
        let shown = format!("{:.0}", local.round(jiff::Unit::Second).unwrap());
        let truncated = local.strftime("%Y-%m-%dT%H:%M:%S").to_string();
        if shown != time && truncated != time {
            return format!("time {shown}");
        }
    }
    String::new()
}
