//! Suricata's own checks: queries over events, with their counts.
#![allow(clippy::unwrap_used, reason = "helpers of tests panic as tests do")]

mod common;

use std::collections::HashMap;

use common::{Bench, cases, data, score};
use serde_json::Value;
use vigie_event::{Event, EventKind, FieldId, Format, ValueRef, wire};

#[test]
fn queries_give_their_counts() {
    let Some(cases) = cases("eve-query") else { return };
    let mut files: HashMap<String, Vec<Event>> = HashMap::new();
    let (mut right, mut misses) = (0, Vec::new());
    for case in &cases {
        let name = case["file"].as_str().unwrap();
        let events = files.entry(name.to_owned()).or_insert_with(|| events(name));
        let wanted = case["match"].as_object().unwrap();
        let count = events.iter().filter(|event| fits(event, wanted)).count() as u64;
        let expect = &case["expect"];
        let known = events.iter().all(|event| {
            event.kind != EventKind::Unparsed && event.dataset.starts_with("suricata.")
        });
        if (Some(count), Some(events.len() as u64), known)
            == (expect["count"].as_u64(), expect["of"].as_u64(), true)
        {
            right += 1;
        } else {
            misses.push(format!(
                "{}: {count} of {} for {expect} {}",
                case["case"],
                events.len(),
                case["match"]
            ));
        }
    }
    score("eve-query", right, cases.len(), 784, &misses);
}

fn events(name: &str) -> Vec<Event> {
    let path = data(&format!("eve-query/events/{name}")).unwrap();
    let text = std::fs::read_to_string(path).unwrap();
    let mut bench = Bench::new("UTC", "2026-08-20T00:00:00Z", None);
    text.lines().filter(|line| !line.is_empty()).map(|line| bench.parse(line.as_bytes())).collect()
}

fn fits(event: &Event, wanted: &serde_json::Map<String, Value>) -> bool {
    wanted.iter().all(|(path, value)| {
        // `a[0].b` asks for a member of what we call `a.b`. Which, a projected list does not tell
        // where some objects of the array lack the member.
        let name: String = path
            .split('[')
            .map(|part| part.split_once(']').map_or(part, |(_, rest)| rest))
            .collect();
        let Some(found) = FieldId::find(&name).and_then(|id| event.get(id)) else { return false };
        equal(found, value) && (path.contains('[') == matches!(found, ValueRef::List(_)))
    })
}

fn equal(found: ValueRef<'_>, wanted: &Value) -> bool {
    match found {
        ValueRef::List(list) => list.iter().any(|member| equal(member, wanted)),
        found => wire::to_value(found) == *wanted,
    }
}

#[test]
fn real_events_are_known_and_have_their_entities() {
    let mut total = 0;
    for name in [
        "alerts-first-org-conf-2015.jsonl",
        "alerts-honeypot-2018.jsonl",
        "alerts-wrccdc-2017.jsonl",
        "alerts-wrccdc-2018.jsonl",
        "vast.jsonl",
        "slips-test6-malicious.json",
    ] {
        let Some(path) = data(&format!("eve/{name}")) else { return };
        let text = std::fs::read(path).unwrap();
        let mut bench = Bench::new("UTC", "2026-08-20T00:00:00Z", Some(Format::Suricata));
        for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let event = bench.parse(line);
            total += 1;
            let raw: Value = serde_json::from_slice(line).unwrap();
            assert_eq!(
                event.dataset,
                format!("suricata.{}", raw["event_type"].as_str().unwrap()),
                "{name}"
            );
            if let Some(address) = raw["src_ip"].as_str() {
                let found = event.address_of(vigie_event::field::SOURCE_IP);
                assert_eq!(found, address.parse().ok(), "{name}");
            }
            assert_ne!(event.time, event.observed, "{name}: no time");
        }
    }
    println!("eve: {total} events known");
}
