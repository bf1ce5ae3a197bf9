use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use serde_json::Value;
use vigie_event::{ManualClock, network_of};

use super::*;

fn start() -> Timestamp {
    Timestamp::parse("2026-01-05T10:12:13.5Z").unwrap()
}

fn all(name: &str) -> Vec<Simulated> {
    scenario(name, 7, start()).unwrap().collect()
}

fn count(records: &[Simulated], source: &str, part: &str) -> usize {
    records.iter().filter(|record| record.source == source && record.line.contains(part)).count()
}

#[test]
fn the_same_seed_and_start_give_the_same_lines() {
    for Scenario { name, .. } in SCENARIOS {
        assert_eq!(all(name), all(name), "{name}");
        assert!(!all(name).is_empty(), "{name}");
        let other: Vec<_> = scenario(name, 8, start()).unwrap().collect();
        assert_ne!(all(name), other, "{name}");
    }
    assert!(scenario("none such", 7, start()).is_none());
}

#[test]
fn times_go_forward_and_stand_in_the_lines() {
    for Scenario { name, .. } in SCENARIOS {
        let mut last = start();
        for record in all(name) {
            assert_eq!(record.time.since(last), i64::try_from(record.pause.as_nanos()).unwrap());
            last = record.time;
            let time = record.time.to_string();
            let (date, clock) = (&time[..10], &time[11..19]);
            let (year, day) = (&date[..4], &date[8..]);
            assert!(record.line.contains(clock), "{}", record.line);
            assert!(record.line.contains(year) && record.line.contains(day), "{}", record.line);
            assert!(!record.line.contains('\n'));
        }
    }
}

#[test]
fn addresses_are_from_the_documentation_ranges() {
    let allowed = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24"];
    let is_documentation = |address: IpAddr| match address {
        IpAddr::V4(_) => allowed.contains(&&*network_of(address).to_string()),
        IpAddr::V6(v6) => v6.segments()[..2] == [0x2001, 0xdb8],
    };
    let mut seen = BTreeSet::new();
    for Scenario { name, .. } in SCENARIOS {
        for record in all(name) {
            let line = record.line.replace("Chrome/140.0.0.0", "");
            for word in line.split(|c: char| !(c.is_ascii_hexdigit() || ".:".contains(c))) {
                let has_three_dots = word.matches('.').count() == 3;
                let Ok(address) = word.parse::<IpAddr>() else { continue };
                if has_three_dots || (word.contains("::") && word.len() > 4) {
                    assert!(is_documentation(address), "{address} in {}", record.line);
                    seen.insert(address);
                }
            }
        }
    }
    assert!(seen.len() > 100, "{}", seen.len());
}

#[test]
fn the_intrusion_has_its_eight_steps() {
    let records = all("intrusion");
    assert_eq!(count(&records, "kern.log", "SRC=203.0.113.66"), 47 * 20);
    let attempts = records
        .iter()
        .filter(|record| record.line.contains("Failed password"))
        .filter(|record| record.line.contains("from 203.0.113.66"));
    assert_eq!(attempts.count(), 156);
    assert_eq!(count(&records, "auth.log", "Accepted password for deploy from 203.0.113.66"), 1);
    assert_eq!(count(&records, "auth.log", "Accepted publickey for deploy from 192.0.2.20"), 4);
    assert_eq!(count(&records, "access.log", "/api/v1/"), 45 * 20);
    assert_eq!(count(&records, "access.log", "sqlmap"), 60);
    let commands = count(&records, "auth.log", "web-01 sudo:");
    assert!(commands >= 36, "{commands}");
    assert!(count(&records, "auth.log", "COMMAND=/usr/bin/cat /etc/shadow") >= 1);
    let stolen: u64 = records
        .iter()
        .filter(|record| record.source == "eve.json")
        .map(|record| serde_json::from_str::<Value>(&record.line).unwrap())
        .filter(|object| object["dest_ip"] == cast::ATTACKER)
        .map(|object| object["flow"]["bytes_toserver"].as_u64().unwrap())
        .sum();
    assert_eq!(stolen, 2_300_000_000);
    let hosts: BTreeSet<_> = records
        .iter()
        .filter(|record| record.source == "auth.log")
        .filter_map(|record| record.line.split(' ').nth(1))
        .collect();
    assert_eq!(hosts.len(), 5);
}

#[test]
fn the_demo_lasts_40_seconds_and_the_day_a_day() {
    for (name, low, high) in [("demo", 60, 72), ("quiet", 80_000, 86_401), ("intrusion", 600, 700)]
    {
        let length: Duration = all(name).iter().map(|record| record.pause).sum();
        assert!((low..=high).contains(&length.as_secs()), "{name}: {length:?}");
    }
}

#[test]
fn nothing_in_the_quiet_day_looks_like_an_attack() {
    let records = all("quiet");
    let mut failures: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for record in records.iter().filter(|record| record.line.contains("Failed password")) {
        let source = record.line.split(" from ").nth(1).and_then(|rest| rest.split(' ').next());
        failures.entry(source.unwrap()).or_default().push(record.time.seconds());
    }
    assert_eq!(failures.values().map(Vec::len).sum::<usize>(), 3);
    for sign in ["203.0.113.", "Invalid user", "sqlmap", "../", "UFW BLOCK", "/etc/shadow"] {
        assert!(!records.iter().any(|record| record.line.contains(sign)), "{sign}");
    }
}

#[test]
fn the_agents_events_have_their_fields() {
    for (kind, fields) in [
        ("ssh_failed", &["src", "dst", "user"][..]),
        ("port_scan", &["src", "dst", "ports"]),
        ("http_anomaly", &["src", "dst", "path"]),
        ("dns_query_suspicious", &["src", "domain"]),
        ("malware_hash_detected", &["src", "hash"]),
        ("login_success_unusual", &["src", "dst", "user"]),
    ] {
        for record in all(kind) {
            assert_eq!((record.source, record.format), ("events.json", Format::Seed));
            let object: Value = serde_json::from_str(&record.line).unwrap();
            assert_eq!(object["type"], kind);
            assert!(object["timestamp"].as_str().unwrap().ends_with('Z'));
            assert!(object["sensor_id"].is_string());
            for field in fields {
                assert!(object[field].is_string(), "{kind} {field}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn plays_everything_in_order() {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(4);
    let player = tokio::spawn(async move {
        let records = scenario("intrusion", 7, start()).unwrap();
        play(records, Pace::AtOnce, &ManualClock::at(start()), &sender).await
    });
    let mut by_source: BTreeMap<String, Vec<String>> = BTreeMap::new();
    while let Some(batch) = receiver.recv().await {
        let lines = by_source.entry(batch.source.name.clone()).or_default();
        for record in batch.records {
            assert_eq!(record.offset, lines.len() as u64);
            lines.push(String::from_utf8(record.bytes).unwrap());
        }
    }
    let records = all("intrusion");
    assert_eq!(player.await.unwrap(), records.len() as u64);
    for (name, lines) in by_source {
        let source = name.strip_prefix("simulator/").unwrap();
        let expected: Vec<_> = records
            .iter()
            .filter(|record| record.source == source)
            .map(|record| record.line.clone())
            .collect();
        assert_eq!(lines, expected, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn plays_at_a_rate() {
    let (sender, mut receiver) = tokio::sync::mpsc::channel(1_000);
    let began = std::time::Instant::now();
    let records = scenario("ssh_failed", 7, start()).unwrap();
    let sent = play(records, Pace::PerSecond(100.0), &ManualClock::at(start()), &sender).await;
    drop(sender);
    assert_eq!(sent, 12);
    assert!(began.elapsed() >= Duration::from_millis(120));
    let mut total = 0;
    while let Some(batch) = receiver.recv().await {
        total += batch.records.len();
    }
    assert_eq!(total, 12);
}
