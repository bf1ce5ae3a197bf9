//! Processor time a line over a file of logs: `throughput FILE [TIMES]`.
//!
//! Reads the time that this thread has run from `/proc/thread-self/schedstat`, so that a busy
//! machine does not spoil the figure as it does a stopwatch's.
#![allow(clippy::unwrap_used, reason = "a measuring tool may panic")]

use jiff::tz::TimeZone;
use vigie_event::{Event, EventKind, RecordRef, Source, Timestamp};
use vigie_parser::{Options, Parser, Reference};

fn on_processor() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().unwrap();
    let times: u64 = arguments.next().map_or(1, |times| times.parse().unwrap());
    let bytes = std::fs::read(&file).unwrap();
    let observed = Timestamp::parse("2026-08-20T00:00:00Z").unwrap();
    let source = Source::file(file, 7, None);
    let options = Options { timezone: TimeZone::UTC, reference: Reference::Fixed(observed) };
    let (mut parser, mut event) = (Parser::new(options), Event::default());
    let (mut lines, mut unparsed, mut slots) = (0_u64, 0_u64, 0_u64);
    let start = on_processor();
    for _ in 0..times {
        for line in bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            parser.parse(
                &RecordRef { source: &source, offset: lines, observed, bytes: line },
                &mut event,
            );
            lines += 1;
            unparsed += u64::from(event.kind == EventKind::Unparsed);
            slots += event.fields().count() as u64;
        }
    }
    let spent = on_processor() - start;
    println!(
        "{lines} lines, {unparsed} unparsed, {:.1} fields and {:.0} ns of processor time a line",
        slots as f64 / lines as f64,
        spent / lines as f64
    );
}
