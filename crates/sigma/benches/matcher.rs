//! What one authentication event costs, with the shipped rules, matcher and correlator together.
//!
//! The stream has the proportions of a server that is being attacked: mostly failed logins and
//! connections, few successes, from some hundred addresses.

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use vigie_event::{Event, EventId, Logsource, Logsources, RecordRef, Source, Timestamp, field};
use vigie_sigma::{Correlator, Matcher, RuleSet, RuleText};

static SSHD: Logsources = &[
    Logsource::service("linux", "sshd"),
    Logsource::service("linux", "auth"),
    Logsource::service("linux", "syslog"),
];

fn shipped() -> Arc<RuleSet> {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules"));
    let mut texts: Vec<String> = fs::read_dir(folder)
        .map(|entries| {
            entries
                .filter_map(|entry| Some(entry.ok()?.path()))
                .filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
                .filter_map(|path| fs::read_to_string(path).ok())
                .collect()
        })
        .unwrap_or_default();
    texts.sort();
    let texts = texts.iter().map(|text| RuleText { file: "rules", text });
    Arc::new(RuleSet::load(texts).0)
}

/// Few enough to stay in the cache, as an event does between parser and matcher.
const EVENTS: u32 = 240;
/// How often they are fed, each time as new events.
const ROUNDS: u32 = 40;

fn events() -> Vec<Event> {
    let source = Source::file("auth.log", 1, None);
    (0..EVENTS)
        .map(|n| {
            let address = [198, 51, 100, (n.wrapping_mul(2_654_435_761) >> 24) as u8];
            let user =
                ["root", "admin", "test", "oracle"].get(n as usize % 5).copied().unwrap_or("ada");
            let (action, outcome) = match n % 20 {
                0..6 => ("ssh_login", Some("failure")),
                6..9 => ("ssh_invalid_user", Some("failure")),
                9..12 => ("pam_auth_failure", Some("failure")),
                12 => ("ssh_login", Some("success")),
                13..17 => ("ssh_connection_closed", None),
                _ => ("ssh_disconnect", None),
            };
            let raw = format!("sshd[{n}]: {action} for {user} from {address:?} port 4022 ssh2");
            let mut event = Event::default();
            event.begin(&RecordRef {
                source: &source,
                offset: u64::from(n) * 100,
                observed: Timestamp::default(),
                bytes: raw.as_bytes(),
            });
            event.dataset = "sshd";
            event.logsources = SSHD;
            let (_, mut fields) = event.fields_mut();
            fields.fixed(field::HOST_NAME, "server");
            fields.fixed(field::PROCESS_NAME, "sshd");
            fields.integer(field::PROCESS_PID, i64::from(n));
            fields.fixed(field::EVENT_ACTION, action);
            if let Some(outcome) = outcome {
                fields.fixed(field::EVENT_OUTCOME, outcome);
            }
            fields.fixed(field::USER_NAME, user);
            fields.address(field::SOURCE_IP, address.into());
            fields.integer(field::SOURCE_PORT, 4_022);
            fields.fixed(field::NETWORK_PROTOCOL, "ssh");
            event.finish(Timestamp::from_seconds(1_700_000_000 + i64::from(n)));
            event
        })
        .collect()
}

fn costs(criterion: &mut Criterion) {
    let rules = shipped();
    let mut events = events();
    let mut group = criterion.benchmark_group("auth.log");
    group.throughput(Throughput::Elements(u64::from(EVENTS)));
    group.bench_function("matcher", |bencher| {
        let mut matcher = Matcher::new(Arc::clone(&rules));
        bencher.iter(|| events.iter().map(|event| matcher.matches(event).len()).sum::<usize>());
    });
    group.throughput(Throughput::Elements(u64::from(EVENTS * ROUNDS)));
    group.bench_function("matcher and correlator", |bencher| {
        let mut matcher = Matcher::new(Arc::clone(&rules));
        let mut fired = Vec::new();
        bencher.iter(|| {
            let mut correlator = Correlator::new(Arc::clone(&rules));
            let mut count = 0;
            let mut number = 0i64;
            for _ in 0..ROUNDS {
                for event in &mut events {
                    number += 1;
                    event.time = Timestamp::from_seconds(1_700_000_000 + number);
                    event.set_id(EventId::from_u128((number as u128) << 64 | number as u128));
                    fired.clear();
                    correlator.observe(event, matcher.matches(event), &mut fired);
                    count += fired.len();
                }
            }
            black_box(count)
        });
    });
    group.finish();
}

criterion_group!(benches, costs);
criterion_main!(benches);
