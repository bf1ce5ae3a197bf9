//! Elastic's expected documents, field by field.
#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

mod common;

use std::collections::BTreeMap;

use common::{Bench, cases, score};
use serde_json::Value;
use vigie_event::{Event, FieldId, Timestamp, wire};

/// Names that are dialects of their own, or not of ECS.
fn is_compared(name: &str) -> bool {
    !matches!(name, "message" | "event.action" | "event.category" | "event.type")
        && !name.starts_with("system.")
}

#[test]
fn fields_agree() {
    let Some(cases) = cases("elastic-filebeat") else { return };
    let mut by_type: BTreeMap<&str, (usize, usize, Vec<String>)> = BTreeMap::new();
    let wanted = [
        "system/auth",
        "system/syslog",
        "nginx/access",
        "nginx/error",
        "apache/access",
        "apache/error",
        "auditd/log",
    ];
    for case in &cases {
        let kind = case["log_type"].as_str().unwrap();
        if !wanted.contains(&kind) || case["core"] != true {
            continue;
        }
        let mut bench = Bench::of(kind, "UTC", "2019-12-01T00:00:00Z", None);
        // The first line of what is one record of several lines here.
        let line = case["line"].as_str().unwrap();
        let event = bench.parse(line.as_bytes());
        let misses = misses(&event, case["expect"].as_object().unwrap());
        let entry = by_type.entry(kind).or_default();
        entry.1 += 1;
        if misses.is_empty() {
            entry.0 += 1;
        } else {
            entry.2.push(format!("{}: {} <- {:.200}", case["case"], misses.join("; "), line));
        }
    }
    for (kind, at_least) in [
        ("system/auth", 212),
        ("system/syslog", 108),
        ("nginx/access", 21),
        ("nginx/error", 2),
        ("apache/access", 22),
        ("apache/error", 13),
        ("auditd/log", 114),
    ] {
        let (right, of, misses) = by_type.remove(kind).unwrap();
        score(&format!("elastic {kind}"), right, of, at_least, &misses);
    }
}

fn misses(event: &Event, expect: &serde_json::Map<String, Value>) -> Vec<String> {
    let mut misses = Vec::new();
    for (name, wanted) in expect {
        if !is_compared(name) {
            continue;
        }
        if name == "@timestamp" {
            let wanted = Timestamp::parse(wanted.as_str().unwrap()).unwrap();
            if event.time.millis() != wanted.millis() {
                misses.push(format!("time {}", event.time));
            }
            continue;
        }
        let found = FieldId::find(name).and_then(|id| event.render(id));
        let shown = wanted.as_str().map_or_else(|| wanted.to_string(), str::to_owned);
        let equal_address = || {
            Some(
                found.as_deref()?.parse::<std::net::IpAddr>().ok()?
                    == shown.parse::<std::net::IpAddr>().ok()?,
            )
        };
        if found.as_deref() != Some(shown.as_str()) && equal_address() != Some(true) {
            misses.push(format!("{name}: {found:?} for {shown:?}"));
        }
    }
    misses
}

#[test]
fn documents_have_flat_keys() {
    let mut bench = Bench::new("UTC", "2019-12-01T00:00:00Z", None);
    let event = bench.parse(b"Nov 30 10:00:00 web sshd[7]: Invalid user  from 192.0.2.7 port 22");
    let document = wire::to_value(wire::event(&event));
    assert_eq!(document["event.dataset"], "sshd");
    assert_eq!(document["source.ip"], "192.0.2.7");
    assert_eq!(document["user.name"], "");
}
