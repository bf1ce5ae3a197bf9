//! Time a line, everything included: text check, copy, fields, event id.
//!
//! `cargo bench -p vigie-parser` prints lines a second for each kind of log.
#![allow(clippy::unwrap_used, missing_docs, reason = "a benchmark panics as tests do")]

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use jiff::tz::TimeZone;
use vigie_event::{Event, RecordRef, Source, Timestamp};
use vigie_parser::{Options, Parser, Reference};

/// The mix of an attacked server's auth.log, by share.
const AUTH: &[&str] = &[
    "Received disconnect from 203.0.113.{n}: 11: Bye Bye [preauth]",
    "Received disconnect from 203.0.113.{n}: 11: Bye Bye [preauth]",
    "Received disconnect from 203.0.113.{n} port 4{n}:11: Bye Bye [preauth]",
    "Invalid user admin{n} from 203.0.113.{n}",
    "input_userauth_request: invalid user admin{n} [preauth]",
    "Failed password for invalid user admin{n} from 203.0.113.{n} port 4{n} ssh2",
    "Failed password for root from 203.0.113.{n} port 4{n} ssh2",
    "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.{n}  user=root",
    "Connection closed by authenticating user root 203.0.113.{n} port 4{n} [preauth]",
    "Accepted password for deploy from 203.0.113.{n} port 4{n} ssh2",
];

const ACCESS: &[&str] = &[
    "203.0.113.{n} - - [05/Jan/2026:10:12:13 +0000] \"GET /images/{n}.png HTTP/1.1\" 200 2{n} \"https://www.example.com/\" \"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\"",
    "203.0.113.{n} - - [05/Jan/2026:10:12:14 +0000] \"GET /find?q=a%20b+{n} HTTP/1.1\" 404 1{n} \"-\" \"curl/8.5.0\"",
];

const EVE: &[&str] = &[
    "{\"timestamp\":\"2026-01-05T10:12:13.123456+0000\",\"flow_id\":12{n},\"in_iface\":\"eth0\",\"event_type\":\"alert\",\"src_ip\":\"203.0.113.{n}\",\"src_port\":4{n},\"dest_ip\":\"192.0.2.1\",\"dest_port\":80,\"proto\":\"TCP\",\"alert\":{\"action\":\"allowed\",\"gid\":1,\"signature_id\":{n},\"rev\":1,\"signature\":\"Example signature\",\"category\":\"Misc\",\"severity\":2},\"http\":{\"hostname\":\"www.example.com\",\"url\":\"/a/{n}\",\"http_user_agent\":\"curl/8\",\"http_method\":\"GET\",\"protocol\":\"HTTP/1.1\",\"status\":200,\"length\":{n}},\"app_proto\":\"http\",\"flow\":{\"pkts_toserver\":4,\"pkts_toclient\":3,\"bytes_toserver\":400,\"bytes_toclient\":300,\"start\":\"2026-01-05T10:12:13.000000+0000\"}}",
];

fn lines(templates: &[&str], prefix: &str) -> Vec<String> {
    (0..1_000)
        .map(|n| {
            let template = templates.get(n % templates.len()).unwrap();
            let prefix =
                prefix.replace("{s}", &format!("{:02}", n % 60)).replace("{p}", &n.to_string());
            format!("{prefix}{}", template.replace("{n}", &(n % 254 + 1).to_string()))
        })
        .collect()
}

fn bench(criterion: &mut Criterion) {
    let kinds = [
        ("auth", lines(AUTH, "Jan  5 10:12:{s} web sshd[{p}]: ")),
        ("auth-iso", lines(AUTH, "2026-01-05T10:12:{s}.123456+01:00 web sshd[{p}]: ")),
        ("access", lines(ACCESS, "")),
        ("eve", lines(EVE, "")),
    ];
    let source = Source::file("bench.log", 7, None);
    let observed = Timestamp::parse("2026-01-05T12:00:00Z").unwrap();
    let mut group = criterion.benchmark_group("parse");
    for (kind, lines) in kinds {
        let options = Options { timezone: TimeZone::UTC, reference: Reference::Observed };
        let (mut parser, mut event) = (Parser::new(options), Event::default());
        group.throughput(Throughput::Elements(lines.len() as u64));
        group.bench_function(kind, |bencher| {
            bencher.iter(|| {
                for (offset, line) in lines.iter().enumerate() {
                    let bytes = line.as_bytes();
                    let record =
                        RecordRef { source: &source, offset: offset as u64, observed, bytes };
                    parser.parse(&record, &mut event);
                    black_box(&event);
                }
            });
        });
    }
    group.finish();
}

criterion_group!(benches, bench);
criterion_main!(benches);
