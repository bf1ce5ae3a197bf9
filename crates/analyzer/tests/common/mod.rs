//! Lines through parser, detector and analyst, as the centre runs them.

// Each test binary uses its part.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;
use vigie_analyzer::autonomy::{self, Activities};
use vigie_analyzer::{Background, BuiltIn, Case};
use vigie_detector::{Detector, Settings};
use vigie_event::{
    Alert, AlertId, Autonomy, Event, Format, Incident, RecordRef, Source, Timestamp, Verdict, field,
};
use vigie_parser::{Options, Parser, Reference};
use vigie_sensor::simulate;
use vigie_sigma::{RuleSet, RuleText};

const RULES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../rules");
const SHARED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");

/// The shipped rules.
pub fn shipped() -> Arc<RuleSet> {
    let mut texts: Vec<(String, String)> = fs::read_dir(RULES)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "yml"))
        .map(|path| (path.display().to_string(), fs::read_to_string(&path).unwrap()))
        .collect();
    texts.sort();
    let (rules, _) = RuleSet::load(texts.iter().map(|(file, text)| RuleText { file, text }));
    Arc::new(rules)
}

/// The cases of a suite of the data folder; `None` where it is absent, which is said.
pub fn cases(suite: &str) -> Option<Vec<serde_json::Value>> {
    let path = Path::new(SHARED).join(suite).join("cases.jsonl");
    let Ok(text) = fs::read_to_string(&path) else {
        eprintln!("skipped: {} is absent", path.display());
        return None;
    };
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

/// Reads lines of one log after the other.
pub struct Reader {
    parser: Parser,
    event: Event,
    offset: u64,
}

impl Reader {
    pub fn new() -> Self {
        let reference = Reference::Fixed(Timestamp::parse("2026-11-21T00:00:00Z").unwrap());
        let parser = Parser::new(Options { timezone: TimeZone::UTC, reference });
        Self { parser, event: Event::default(), offset: 0 }
    }

    pub fn read(&mut self, line: &str, format: Option<Format>, each: impl FnOnce(&Event)) {
        let source = Source::file("log", 1, format);
        let observed = Timestamp::parse("2026-11-21T00:00:00Z").unwrap();
        let (offset, bytes) = (self.offset, line.as_bytes());
        self.offset += bytes.len() as u64 + 1;
        self.parser.parse(&RecordRef { source: &source, offset, observed, bytes }, &mut self.event);
        each(&self.event);
    }
}

/// The incidents of `lines` with their alerts and verdicts.
pub fn incidents<'l>(
    rules: &Arc<RuleSet>,
    lines: impl Iterator<Item = (&'l str, Option<Format>)>,
    mut activities: Option<&mut Activities>,
    mut look: impl FnMut(&Event),
) -> Vec<(Incident, Vec<Alert>, Verdict)> {
    let mut detector = Detector::new(Arc::clone(rules), Settings::default());
    let mut reader = Reader::new();
    for (line, format) in lines {
        reader.read(line, format, |event| {
            if let Some(activities) = activities.as_deref_mut() {
                activities.observe(event);
            }
            look(event);
            detector.observe(event);
        });
    }
    let changes = detector.take_changes();
    let mut alerts: BTreeMap<AlertId, Alert> =
        changes.alerts.into_iter().map(|alert| (alert.id, alert)).collect();
    let judge = |incident: Incident| {
        let of: Vec<Alert> = incident.alerts.iter().filter_map(|id| alerts.remove(id)).collect();
        let guidance = |id: &str| rules.by_id(id).map(|rule| &rule.guidance);
        let activity = activities.as_ref().and_then(|all| all.of_incident(&incident));
        let background = Background { activity: activity.as_deref(), ..Background::default() };
        let case =
            Case { incident: &incident, alerts: &of, guidance: &guidance, now: incident.last_seen };
        let verdict = BuiltIn::new().judge_knowing(&case, &background);
        (incident, of, verdict)
    };
    changes.incidents.into_iter().map(judge).collect()
}

/// Every score of a scenario: of its incidents, and of all who acted in it, noticed or not.
pub fn judged(rules: &Arc<RuleSet>, scenario: &str, seed: u64) -> Vec<Autonomy> {
    let start = Timestamp::parse("2026-11-20T09:00:00Z").unwrap();
    let records: Vec<_> = simulate::scenario(scenario, seed, start).unwrap().collect();
    let mut activities = Activities::default();
    let mut actors = std::collections::BTreeSet::new();
    let lines = records.iter().map(|record| (record.line.as_str(), Some(record.format)));
    let incidents = incidents(rules, lines, Some(&mut activities), |event| {
        let text = |id| event.render(id).map(std::borrow::Cow::into_owned).unwrap_or_default();
        actors.insert((text(field::SOURCE_IP), text(field::USER_NAME), text(field::HOST_NAME)));
    });
    let mut scores: Vec<Autonomy> =
        incidents.into_iter().map(|(_, _, verdict)| verdict.autonomy).collect();
    for (address, user, host) in &actors {
        let activity = activities.of_address(address).or_else(|| activities.of_account(user, host));
        scores.extend(activity.map(autonomy::of_activity));
    }
    scores
}
