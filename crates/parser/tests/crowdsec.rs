//! CrowdSec's parser cases: addresses, users and HTTP fields.
#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

mod common;

use common::{Bench, cases, score};
use serde_json::Value;
use vigie_event::{Event, FieldId};

/// Cases, by the start of their name, of formats that are read here.
const FORMATS: &[(&str, usize)] = &[
    ("apache2", 8),
    ("nginx-http", 12),
    ("nginx-proxy-manager-malformed", 12),
    ("nginx-mail", 11),
    ("nginx_req", 9),
    ("opnsense-sshd", 10),
    ("iptables", 3),
    ("pam-logs", 2),
    ("sshd-", 6),
    ("whitelists", 4),
    ("suricata", 4),
];

/// CrowdSec's name, and ours, any of which may hold the value.
const NAMES: &[(&str, &[&str])] = &[
    ("source_ip", &["source.ip"]),
    ("target_user", &["user.name"]),
    ("username", &["user.name"]),
    ("http_status", &["http.response.status_code"]),
    ("http_verb", &["http.request.method"]),
    ("http_path", &["url.original", "url.path"]),
    ("http_user_agent", &["user_agent.original"]),
    ("target_fqdn", &["url.domain", "destination.domain"]),
    ("machine", &["host.name"]),
    ("dest_ip", &["destination.ip"]),
    ("dest_port", &["destination.port"]),
    ("suricata_alert_signature_id", &["rule.id"]),
    ("suricata_flow_id", &["flow_id"]),
    ("suricata_rule_severity", &["event.severity"]),
];

#[test]
fn parsed_fields() {
    let Some(cases) = cases("crowdsec") else { return };
    for (start, at_least) in FORMATS {
        let (mut right, mut of, mut misses) = (0, 0, Vec::new());
        for case in &cases {
            let name = case["case"].as_str().unwrap();
            if case["kind"] != "parse" || !name.starts_with(start) {
                continue;
            }
            of += 1;
            let line = case["line"].as_str().or_else(|| case["lines"][0].as_str()).unwrap();
            let mut bench = Bench::new("UTC", "2023-12-01T00:00:00Z", None);
            let event = bench.parse(line.as_bytes());
            let wrong = wrong(&event, &case["expect"]["meta"]);
            if wrong.is_empty() {
                right += 1;
            } else {
                misses.push(format!("{name}: {} <- {line:.200}", wrong.join("; ")));
            }
        }
        score(&format!("crowdsec {start}"), right, of, *at_least, &misses);
    }
}

fn wrong(event: &Event, meta: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    for (theirs, ours) in NAMES {
        let Some(wanted) = meta[*theirs].as_str() else { continue };
        let found: Vec<_> =
            ours.iter().filter_map(|name| event.render(FieldId::find(name)?)).collect();
        // Of absolute targets CrowdSec keeps the part behind the scheme.
        let fits =
            |found: &str| found == wanted || (wanted.starts_with("//") && found.ends_with(wanted));
        if !found.iter().any(|found| fits(found)) {
            wrong.push(format!("{theirs} {found:?} for {wanted:?}"));
        }
    }
    wrong
}
