//! 600,031 lines of auth.log whose counts are known.
#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

mod common;

use std::collections::BTreeMap;

use common::{Bench, data};
use vigie_event::{Event, field};

#[test]
fn counts_equal_the_truth() {
    let Some(log) = data("bench/auth-600k.log.zst") else { return };
    let Some(truth) = data("bench/auth-600k.truth.json") else { return };
    let truth: serde_json::Value = serde_json::from_slice(&std::fs::read(truth).unwrap()).unwrap();
    let log = zstd::decode_all(std::fs::File::open(log).unwrap()).unwrap();
    let mut bench = Bench::new("UTC", "2026-08-20T00:00:00Z", None);
    let mut event = Event::default();
    let mut by_action: BTreeMap<(&str, String, String), u64> = BTreeMap::new();
    let mut by_address: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let (mut lines, mut unparsed) = (0_u64, 0_u64);
    for line in log.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        bench.parse_into(line, &mut event);
        lines += 1;
        unparsed += u64::from(event.kind == vigie_event::EventKind::Unparsed);
        let text = |id| event.text_of(id).unwrap_or_default().to_owned();
        let key = (event.dataset, text(field::EVENT_ACTION), text(field::EVENT_OUTCOME));
        if key.0 == "sshd" && key.1 == "ssh_login" {
            let address = event.render(field::SOURCE_IP).unwrap().into_owned();
            let counts = by_address.entry(address).or_default();
            if key.2 == "failure" { counts.0 += 1 } else { counts.1 += 1 }
        }
        *by_action.entry(key).or_default() += 1;
    }
    for (key, count) in &by_action {
        println!("{count:7} {key:?}");
    }
    println!("{unparsed} of {lines} unparsed");
    assert_eq!(lines, truth["lines"].as_u64().unwrap());

    let sum = |wanted: &[(&str, &str)]| -> u64 {
        let named = |key: &&(&str, String, String)| {
            wanted.iter().any(|(dataset, action)| key.0 == *dataset && key.1 == *action)
        };
        by_action.iter().filter(|(key, _)| named(key)).map(|(_, count)| count).sum()
    };
    let of_outcome = |outcome: &str| {
        by_action.get(&("sshd", "ssh_login".to_owned(), outcome.to_owned())).copied().unwrap_or(0)
    };
    let kinds = [
        ("disconnect", sum(&[("sshd", "ssh_disconnect"), ("sshd", "ssh_connection_closed")])),
        (
            "invalid_user",
            sum(&[("sshd", "ssh_invalid_user"), ("sshd", "ssh_invalid_user_request")]),
        ),
        (
            "pam_failure",
            sum(&[
                ("pam", "pam_auth_failure"),
                ("pam", "pam_more_auth_failures"),
                ("sshd", "ssh_too_many_failures"),
            ]),
        ),
        ("failed_password", of_outcome("failure")),
        ("accepted", of_outcome("success")),
    ];
    let mut rest = lines;
    for (kind, count) in kinds {
        assert_eq!(count, truth["kinds"][kind].as_u64().unwrap(), "{kind}");
        rest -= count;
    }
    assert_eq!(rest, truth["kinds"]["other"].as_u64().unwrap(), "other");

    for (address, counts) in truth["per_address"].as_object().unwrap() {
        let expected =
            (counts["failed_password"].as_u64().unwrap(), counts["accepted"].as_u64().unwrap());
        assert_eq!(by_address.get(address).copied().unwrap_or_default(), expected, "{address}");
    }
    let known = truth["per_address"].as_object().unwrap();
    assert!(by_address.keys().all(|address| known.contains_key(address)), "an address too many");
}
