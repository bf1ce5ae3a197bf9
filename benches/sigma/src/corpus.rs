//! Rules and events from the data folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde_json::{Map, Value};
use vigie_event::{Event, RecordRef, Source, Timestamp};
use vigie_parser::{Options, Parser, Reference};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");

/// What both engines work on.
pub struct Corpus {
    /// Path and text of each rule file of SigmaHQ.
    pub rules: Vec<(String, String)>,
    /// Windows events, one JSON object a line.
    pub windows: Vec<String>,
    /// Linux authentication lines.
    pub linux: Vec<String>,
    /// EVE events.
    pub eve: Vec<String>,
}

impl Corpus {
    pub fn read() -> Option<Self> {
        let data = Path::new(DATA);
        if !data.is_dir() {
            return None;
        }
        let rules = files(&data.join("sigma-rules"), "yml")
            .into_iter()
            .map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap()))
            .collect();
        let windows = fs::read_to_string(data.join("sigma-crossmatch/events-mitre.jsonl")).unwrap();
        let windows = windows
            .lines()
            .map(|line| {
                let mut event: Value = serde_json::from_str(line).unwrap();
                let members = event.as_object_mut().unwrap();
                members.retain(|name, _| name == "Event");
                event.to_string()
            })
            .collect();
        let mut linux = Vec::new();
        for path in files(&data.join("loghub"), "log")
            .into_iter()
            .chain(files(&data.join("samples"), "log"))
        {
            let text = fs::read(path).unwrap();
            linux.extend(String::from_utf8_lossy(&text).lines().take(20_000).map(str::to_owned));
        }
        let mut eve = Vec::new();
        for path in files(&data.join("eve"), "json") {
            let text = fs::read(path).unwrap();
            let lines = String::from_utf8_lossy(&text);
            eve.extend(lines.lines().filter(|line| line.starts_with('{')).map(str::to_owned));
        }
        Some(Self { rules, windows, linux, eve })
    }
}

/// The events of the lines.
pub fn parsed(lines: &[String]) -> Vec<Event> {
    let mut parser = parser();
    let source = Source::file("bench", 1, None);
    let mut offset = 0;
    lines
        .iter()
        .map(|line| {
            let mut event = Event::default();
            parser.parse(&record(&source, offset, line), &mut event);
            offset += line.len() as u64 + 1;
            event
        })
        .collect()
}

pub fn parser() -> Parser {
    Parser::new(Options { timezone: TimeZone::UTC, reference: Reference::Observed })
}

pub fn record<'r>(source: &'r Arc<Source>, offset: u64, line: &'r str) -> RecordRef<'r> {
    let observed = Timestamp::from_seconds(1_767_607_933);
    RecordRef { source, offset, observed, bytes: line.as_bytes() }
}

/// An event as the flat JSON that the other engine reads: the same fields under the same names.
pub fn flat(event: &Event) -> Value {
    let mut object = Map::new();
    for (id, value) in event.fields() {
        let value = vigie_event::wire::to_value(value);
        object.entry(id.name()).or_insert(value);
    }
    Value::Object(object)
}

fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|known| known == extension) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
