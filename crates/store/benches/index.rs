//! How many events a processor-second the index takes, how large it gets, and how fast it
//! answers.
//!
//! Times are of the processor (user and system, all threads), not of the wall clock.

// A benchmark that panics has failed, and says where.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod processor_time;

use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tempfile::TempDir;
use vigie_event::{Event, RecordRef, Source, Timestamp, field};
use vigie_store::index::{EventIndex, IndexOptions, SearchRequest};
use vigie_store::journal::Position;

use processor_time::ProcessorTime;

const EVENTS: u64 = 200_000;
const START: Timestamp = Timestamp::from_seconds(1_795_219_200);

/// The login with this number: 4,000 addresses, 500 users, 4 hosts.
fn event(number: u64, source: &Arc<Source>, event: &mut Event) {
    let n = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
    let address = Ipv4Addr::from(0xCB00_7100 + (n % 4_000) as u32 * 7);
    let user = format!("user{}", n / 4_000 % 500);
    let host = ["web", "db", "mail", "backup"][n as usize / 7 % 4];
    let pid = 1_000 + number / 3 % 30_000;
    let port = 1_024 + n / 11 % 60_000;
    let second = number * 80_000 / EVENTS;
    let line = format!(
        "Nov 21 {:02}:{:02}:{:02} {host} sshd[{pid}]: Failed password for invalid user {user} from {address} port {port} ssh2",
        second / 3_600,
        second / 60 % 60,
        second % 60,
    );
    let time = START.plus_seconds(second as i64);
    event.begin(&RecordRef {
        source,
        offset: number * 110,
        observed: time.plus_nanos(3_000_000),
        bytes: line.as_bytes(),
    });
    event.dataset = "sshd";
    let (text, mut fields) = event.fields_mut();
    let slice = |part: &str| text.find(part).map_or("", |at| &text[at..at + part.len()]);
    fields.text(field::HOST_NAME, slice(host));
    fields.fixed(field::PROCESS_NAME, "sshd");
    fields.integer(field::PROCESS_PID, pid as i64);
    fields.text(field::MESSAGE, &text[text.find("Failed").unwrap_or(0)..]);
    fields.fixed(field::EVENT_ACTION, "ssh_login");
    fields.fixed(field::EVENT_OUTCOME, "failure");
    fields.fixed(field::SSH_METHOD, "password");
    fields.text(field::USER_NAME, slice(&user));
    fields.address(field::SOURCE_IP, IpAddr::V4(address));
    fields.integer(field::SOURCE_PORT, port as i64);
    event.finish(time);
}

fn fill(dir: &Path) -> EventIndex {
    let mut index = EventIndex::open(dir, IndexOptions::default()).unwrap();
    let source = Source::file("/var/log/auth.log", 1, None);
    let mut scratch = Event::default();
    for number in 0..EVENTS {
        event(number, &source, &mut scratch);
        index.add(&scratch).unwrap();
        if number % 20_000 == 19_999 {
            index.commit(Position(number + 1)).unwrap();
        }
    }
    index
}

fn bytes_of(dir: &Path) -> u64 {
    std::fs::read_dir(dir)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            if path.is_dir() { bytes_of(&path) } else { path.metadata().unwrap().len() }
        })
        .sum()
}

fn index(c: &mut Criterion<ProcessorTime>) {
    let mut group = c.benchmark_group("index");
    group.sample_size(10).throughput(Throughput::Elements(EVENTS));
    group.bench_function("add, a commit each 20,000", |b| {
        b.iter_batched(
            || TempDir::new().unwrap(),
            |dir| {
                drop(fill(dir.path()));
                dir
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();

    let dir = TempDir::new().unwrap();
    drop(fill(dir.path()));
    let index = EventIndex::open(dir.path(), IndexOptions::default()).unwrap();
    println!("{} bytes an event", bytes_of(dir.path()) as f64 / EVENTS as f64);
    let searcher = index.searcher();
    let mut group = c.benchmark_group(format!("of {EVENTS} events"));
    group.sample_size(20);
    for query in ["source.ip:203.0.113.7", "user42", "source.ip:203.0.113.0/24", ""] {
        let request =
            SearchRequest { query: query.to_owned(), limit: 10, ..SearchRequest::default() };
        group.bench_function(format!("newest 10 of `{query}`"), |b| {
            b.iter(|| searcher.search(&request).unwrap());
        });
        group.bench_function(format!("top 10 addresses of `{query}`"), |b| {
            b.iter(|| searcher.count_by(query, "source.ip", None, None, 10).unwrap());
        });
        group.bench_function(format!("24 buckets of `{query}`"), |b| {
            let end = START.plus_seconds(86_400);
            b.iter(|| searcher.histogram(query, START, end, 24).unwrap());
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(ProcessorTime).without_plots();
    targets = index
}
criterion_main!(benches);
