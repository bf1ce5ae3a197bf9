//! What the targets share: records read as a log file's lines, and what is checked of any rules.

use std::sync::{Arc, LazyLock};

use jiff::tz::TimeZone;
use vigie_event::{Event, Format, RecordRef, Source, Timestamp};
use vigie_parser::{Options, Parser, Reference};
use vigie_sigma::{Correlator, Diagnostic, Matcher, RuleSet};

/// Reads lines one after the other, as of one file.
pub struct Reader {
    parser: Parser,
    source: Arc<Source>,
    offset: u64,
}

impl Reader {
    /// A reader of a file whose format the user named, or did not.
    pub fn new(format: Option<Format>) -> Self {
        Self {
            parser: Parser::new(Options {
                timezone: TimeZone::UTC,
                reference: Reference::Observed,
            }),
            source: Source::file("fuzz.log", 7, format),
            offset: 0,
        }
    }

    /// The event of the next line.
    pub fn read(&mut self, line: &[u8]) -> Event {
        let mut event = Event::default();
        let record = RecordRef {
            source: &self.source,
            offset: self.offset,
            observed: Timestamp::from_nanos(1_795_000_000_000_000_000),
            bytes: line,
        };
        self.parser.parse(&record, &mut event);
        self.offset += line.len() as u64 + 1;
        event
    }
}

/// One line of each kind that the shipped rules speak of, and one of unknown origin, on which all
/// rules are tried.
const LINES: [&str; 7] = [
    "Nov 20 09:00:00 web1 sshd[7]: Failed password for invalid user admin from 203.0.113.7 port 22 ssh2",
    "Nov 20 09:00:01 web1 sudo: www-data : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/bin/bash",
    r#"203.0.113.7 - - [20/Nov/2026:09:00:02 +0000] "GET /item?id=1%27%20UNION%20SELECT%201 HTTP/1.1" 200 512 "-" "curl/8.5.0""#,
    r#"{"timestamp":"2026-11-20T09:00:03.000000+0000","event_type":"dns","src_ip":"192.0.2.8","src_port":5353,"dest_ip":"192.0.2.53","dest_port":53,"proto":"UDP","dns":{"type":"query","rrname":"www.example.com","rrtype":"A"}}"#,
    r#"{"EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"files-01.example.com","Image":"C:\\Windows\\System32\\cmd.exe","CommandLine":"cmd.exe /c whoami","User":"EXAMPLE\\a","Hashes":"MD5=0123456789ABCDEF0123456789ABCDEF"}"#,
    r#"{"type":"ssh_failed","timestamp":"2026-11-20T09:00:04.123456Z","sensor_id":"SENSOR-01","src":"203.0.113.7","user":"root"}"#,
    r#"{"message":"word","a":"a","b":["xx","é"],"c":1,"d":"192.0.2.7","e":null,"f":-1.5,"g":true,"user":{"name":"root"}}"#,
];

/// The events of [`LINES`], and the same as if their origin were unknown.
static EVENTS: LazyLock<Vec<Event>> = LazyLock::new(|| {
    let mut reader = Reader::new(None);
    let events: Vec<Event> = LINES.iter().map(|line| reader.read(line.as_bytes())).collect();
    let mut unknown = events.clone();
    unknown.iter_mut().for_each(|event| event.logsources = &[]);
    events.into_iter().chain(unknown).collect()
});

/// Runs rules over events: what they match does not depend on what the matcher saw before, and
/// the windows that they open can be kept and taken up again.
pub fn run(rules: RuleSet) {
    let rules = Arc::new(rules);
    let mut matcher = Matcher::new(Arc::clone(&rules));
    let mut correlator = Correlator::new(Arc::clone(&rules));
    let mut fired = Vec::new();
    let mut first = Vec::new();
    for event in &*EVENTS {
        let matched = matcher.matches(event).to_vec();
        correlator.observe(event, &matched, &mut fired);
        first.push(matched);
    }
    for (event, first) in EVENTS.iter().zip(&first) {
        assert_eq!(matcher.matches(event), first, "another answer at the second time");
    }
    let restored = Correlator::restore(rules, &correlator.snapshot());
    assert_eq!(restored.map(|restored| restored.windows()).ok(), Some(correlator.windows()));
}

/// Diagnostics go to terminals: nothing in a rule may steer one.
pub fn check(diagnostics: &[Diagnostic]) {
    for diagnostic in diagnostics {
        let shown = diagnostic.to_string();
        assert!(!shown.contains(char::is_control), "control characters in {shown:?}");
    }
}
