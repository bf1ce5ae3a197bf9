//! `vigie rules match --history`: rules over the journal of a running centre give what
//! `vigie scan` gives for the same lines.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::{Centre, objects, run, stdout_of, vigie};
use serde_json::Value;
use vigie_event::Timestamp;

const CONFIGURATION: &str = "[console]\nlisten = \"127.0.0.1:0\"\n[agents_interface]\ncollect = \"127.0.0.1:0\"\nanalyze = \"127.0.0.1:0\"\nrespond = \"127.0.0.1:0\"\n[sources]\nfiles = []\njournald = \"never\"\n[response]\nallow = [\"192.0.2.0/24\"]\n";

const RULES: &str = "
title: Failed login
id: 00000000-0000-4000-8000-000000000001
name: failed
logsource: { product: linux, service: sshd }
detection:
  one:
    event.action: ssh_login
    event.outcome: failure
  condition: one
level: informational
---
title: Guessing
id: 00000000-0000-4000-8000-000000000002
correlation:
  type: event_count
  rules: [failed]
  group-by: [source.ip]
  timespan: 2m
  condition:
    gte: 5
level: high
vigie:
  title: { fr: Essais de mots de passe }
  category: brute_force
  actions: [block_ip, monitor]
---
title: Operator
id: 00000000-0000-4000-8000-000000000003
logsource: { product: linux, service: sshd }
detection:
  one:
    user.name: operator
  condition: one
level: low
---
title: Never
id: 00000000-0000-4000-8000-000000000004
logsource: { product: linux, service: sshd }
detection:
  one:
    user.name: nobody-at-all
  condition: one
level: high
---
title: Given up
id: 00000000-0000-4000-8000-000000000005
logsource: { product: linux, service: sshd }
detection:
  one:
    event.action: ssh_connection_closed
    event.outcome: failure
  condition: one
level: low
---
title: Alice with her key
id: 00000000-0000-4000-8000-000000000006
logsource: { product: linux, service: sshd }
detection:
  one:
    user.name: alice
    message|contains: publickey
  condition: one
level: low
";

/// Lines between a failure and the end of its connection: a chunk's end lies between some.
const CONNECTION: i64 = 61;

/// More lines than three chunks hold: noise, and now and then somebody who guesses.
fn lines() -> Vec<String> {
    let mut lines = Vec::new();
    for second in 0..50_000_i64 {
        let time = Timestamp::from_seconds(1_767_225_600 + second * 6);
        let (minute, port) = (second / 10, 1_024 + second % 60_000);
        let burst = minute % 100 == 99;
        // Of a connection that a line before told of, and of one that nothing was told of.
        let (before, peer) = (port - CONNECTION, (second - CONNECTION) % 200);
        let mut pid = port;
        let line = match (burst, second % 10) {
            // The account that somebody got into shortly before, unseen by any rule.
            (_, 1) if minute == 3_100 => {
                format!("Accepted publickey for alice from 192.0.2.99 port {port} ssh2")
            }
            (false, 5) => {
                let peer = second % 200;
                format!("Failed password for backup from 198.51.100.{peer} port {port} ssh2")
            }
            (false, 6) if second >= CONNECTION => {
                pid = before;
                let who = format!("backup 198.51.100.{peer} port {before}");
                format!("Connection closed by authenticating user {who} [preauth]")
            }
            (false, 7) if second % 700 == 7 => {
                let who = format!("git 198.51.100.9 port {port}");
                format!("Connection closed by authenticating user {who} [preauth]")
            }
            (true, _) if minute == 2_599 => {
                format!("Failed password for root from 192.0.2.5 port {port} ssh2")
            }
            (true, 9) if minute == 3_099 => format!(
                "Accepted password for alice from 203.0.113.{} port {port} ssh2",
                minute % 251
            ),
            (true, _) => {
                format!("Failed password for root from 203.0.113.{} port {port} ssh2", minute % 251)
            }
            (false, 3) if second % 7 == 0 => format!(
                "Failed password for operator from 198.51.100.{} port {port} ssh2",
                second % 200
            ),
            _ => format!("Connection closed by 198.51.100.{} port {port}", second % 200),
        };
        lines.push(format!("{time} web sshd[{pid}]: {line}\n"));
    }
    lines
}

fn history(dir: &Path, more: &[&str]) -> Vec<Value> {
    let mut all =
        vec!["rules", "match", "--history", "--json", "--data", "data", "--rules", "r.yml"];
    all.extend(more);
    objects(&stdout_of(dir, &[&all[..], &["--config", "vigie.toml"]].concat()))
}

fn by_rule(told: &[Value]) -> BTreeMap<String, u64> {
    let fired = told.iter().filter(|one| one["kind"] == "rule_history" && one["alerts"] != 0);
    fired
        .map(|one| (one["rule_id"].as_str().unwrap().to_owned(), one["alerts"].as_u64().unwrap()))
        .collect()
}

#[test]
fn finds_what_a_scan_finds_and_tells_whom_it_would_ban() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("r.yml"), RULES).unwrap();
    std::fs::write(dir.path().join("vigie.toml"), CONFIGURATION).unwrap();
    let lines = lines();
    std::fs::write(dir.path().join("auth.log"), lines.concat()).unwrap();
    let arguments = ["up", "--json", "--data", "data", "--config", "vigie.toml"];
    let centre = Centre::greeted(vigie(dir.path(), &arguments));
    for part in lines.chunks(500) {
        let (status, answer) = centre.post(0, "/ingest?as=syslog&source=test", &part.concat());
        assert!((200..300).contains(&status), "{status} {answer}");
    }

    // Beside the running centre.
    let told = history(dir.path(), &[]);
    let scanned =
        objects(&stdout_of(dir.path(), &["scan", "--json", "--rules", "r.yml", "auth.log"]));
    let stats = scanned.iter().find(|one| one["kind"] == "stats").unwrap();
    let expected: BTreeMap<String, u64> = serde_json::from_value(stats["by_rule"].clone()).unwrap();
    let often = expected.values().filter(|alerts| **alerts > 10).count();
    assert!(expected.len() == 4 && often == 3, "{expected:?}");
    assert_eq!(by_rule(&told), expected);
    // As many events in them, in as many incidents: nothing was lost between two chunks.
    let events = |told: &[Value], kind: &str, count: &str| -> u64 {
        told.iter().filter(|one| one["kind"] == kind).map(|one| one[count].as_u64().unwrap()).sum()
    };
    assert_eq!(events(&told, "rule_history", "events"), events(&scanned, "alert", "count"));
    let incidents = scanned.iter().filter(|one| one["kind"] == "incident").count();
    assert_eq!(told.last().unwrap()["incidents"], incidents);

    let last = told.last().unwrap();
    assert_eq!((&last["records"], &last["within"]), (&50_000.into(), &50_000.into()));
    let guessing = told.iter().find(|one| one["rule_title"] == "Guessing").unwrap();
    let drawn: Vec<u64> = serde_json::from_value(guessing["histogram"].clone()).unwrap();
    assert_eq!(drawn.iter().sum::<u64>(), guessing["events"].as_u64().unwrap());
    assert!(guessing["samples"][0].as_str().unwrap().contains("Failed password for root"));
    assert!(guessing["top"]["source.ip"].as_array().unwrap().len() > 10);
    assert_eq!(guessing["top"]["user.name"][0]["value"], "root");

    // Those whom a scan would ban, with what is known of them.
    let mut decided: Vec<&str> = scanned
        .iter()
        .filter(|one| {
            one["kind"] == "decision" && one["action"] == "block_ip" && one["status"] == "simulated"
        })
        .map(|one| one["target"]["source.ip"].as_str().unwrap())
        .collect();
    decided.sort_unstable();
    decided.dedup();
    let banned: Vec<&Value> = told.iter().filter(|one| one["kind"] == "would_ban").collect();
    let mut targets: Vec<&str> = banned.iter().map(|one| one["target"].as_str().unwrap()).collect();
    targets.sort_unstable();
    assert_eq!(targets, decided);
    let reason = |target: &str| {
        let one = banned.iter().find(|one| one["target"] == target).unwrap();
        one["yours"][0]["reason"].as_str().map(str::to_owned)
    };
    assert_eq!(reason("192.0.2.5").as_deref(), Some("allowlisted"));
    assert_eq!(reason("203.0.113.87").as_deref(), Some("logged_in"));
    assert_eq!(last["yours"], 2, "{banned:#?}");
    centre.stop();

    // A part of it, of a centre that stands still; what lies outside is not counted.
    let day = ["--since", "2026-01-02", "--until", "2026-01-03T00:00:00Z"];
    let part = history(dir.path(), &day);
    assert_eq!(part.last().unwrap()["within"], 14_400);
    let all = by_rule(&told).values().sum::<u64>();
    let some = by_rule(&part).values().sum::<u64>();
    assert!(some > 0 && some < all, "{some} of {all}");
    assert_eq!(history(dir.path(), &["--since", "1h"]).last().unwrap()["within"], 0);

    // For people.
    let page = |lang: &str| {
        let arguments = [
            "rules",
            "match",
            "--history",
            "--data",
            "data",
            "--rules",
            "r.yml",
            "--config",
            "vigie.toml",
            "--lang",
            lang,
        ];
        stdout_of(dir.path(), &arguments)
    };
    let (english, french) = (page("en"), page("fr"));
    assert!(
        english.contains("2 of them yours") && english.contains("stands on the allowlist"),
        "{english}"
    );
    assert!(english.contains("1 rule would never have fired"), "{english}");
    assert!(
        french.contains("dont 2 à vous") && french.contains("Essais de mots de passe"),
        "{french}"
    );
    assert_eq!(english.lines().count(), french.lines().count());
}

#[test]
fn says_what_is_wrong() {
    let dir = tempfile::tempdir().unwrap();
    let check = |arguments: &[&str], code: i32, message: &str| {
        let output = run(dir.path(), &[&["rules", "match"], arguments].concat());
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {told}");
        assert!(told.contains(message), "{arguments:?}: {told}");
    };
    check(&["--history", "--data", "data"], 1, "there is no journal");
    check(&["--history", "--since", "yesterday"], 1, "`yesterday` is no time");
    check(&["--history", "a.log"], 2, "cannot be used with");
    check(&[], 2, "FILE");
    check(&["--since", "1d", "a.log"], 2, "cannot be used with");
    check(&["--since", "1d"], 2, "--history");
}
