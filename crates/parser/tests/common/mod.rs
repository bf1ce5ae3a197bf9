//! What the tests share.
#![allow(dead_code, clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::Arc;

use jiff::tz::TimeZone;
use vigie_event::{Event, Format, RecordRef, Source, Timestamp};
use vigie_parser::{Options, Parser, Reference};

/// A parser with a source of its own.
pub struct Bench {
    pub parser: Parser,
    pub source: Arc<Source>,
    pub observed: Timestamp,
    pub offset: u64,
}

impl Bench {
    pub fn new(zone: &str, observed: &str, format: Option<Format>) -> Self {
        Self::of("test.log", zone, observed, format)
    }

    pub fn of(name: &str, zone: &str, observed: &str, format: Option<Format>) -> Self {
        Self {
            parser: Parser::new(Options {
                timezone: TimeZone::get(zone).unwrap(),
                reference: Reference::Observed,
            }),
            source: Source::file(name, 7, format),
            observed: Timestamp::parse(observed).unwrap(),
            offset: 0,
        }
    }

    pub fn parse(&mut self, line: &[u8]) -> Event {
        let mut event = Event::default();
        self.parse_into(line, &mut event);
        event
    }

    pub fn parse_into(&mut self, line: &[u8], event: &mut Event) {
        self.parser.parse(
            &RecordRef {
                source: &self.source,
                offset: self.offset,
                observed: self.observed,
                bytes: line,
            },
            event,
        );
        self.offset += line.len() as u64 + 1;
    }
}

/// The folder of real test data, or `None` with a notice where it is absent.
pub fn data(path: &str) -> Option<PathBuf> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    let path = root.join(path);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: {} is absent", path.display());
    None
}

/// The cases of a suite.
pub fn cases(suite: &str) -> Option<Vec<serde_json::Value>> {
    let path = data(&format!("{suite}/cases.jsonl"))?;
    let text = std::fs::read_to_string(path).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// Prints the misses that `VIGIE_MISSES` asks for, and asserts that enough are right.
pub fn score(name: &str, right: usize, of: usize, at_least: usize, misses: &[String]) {
    println!("{name}: {right} of {of} right");
    if std::env::var_os("VIGIE_MISSES").is_some() {
        for miss in misses {
            println!("  {miss}");
        }
    }
    assert!(right >= at_least, "{name}: {right} of {of} right, expected {at_least}");
}
