//! Events and rules for tests.
#![allow(dead_code)] // Each test binary uses its own part.

use std::sync::Arc;

use vigie_event::{Event, FieldId, Logsource, Logsources, RecordRef, Source, Timestamp, Value};
use vigie_sigma::{Correlator, Diagnostic, Firing, Matcher, Pipelines, RuleSet, RuleText};

pub static SSHD: Logsources =
    &[Logsource::service("linux", "sshd"), Logsource::service("linux", "auth")];
pub static WEB: Logsources = &[Logsource::category("webserver")];

/// Loads one text; the diagnostics come as lines.
pub fn load(text: &str) -> (Arc<RuleSet>, Vec<String>) {
    let (rules, diagnostics) = RuleSet::load([RuleText { file: "test.yml", text }]);
    (Arc::new(rules), diagnostics.iter().map(Diagnostic::to_string).collect())
}

/// Loads one text that must be without fault.
pub fn rules(text: &str) -> Arc<RuleSet> {
    let (rules, diagnostics) = load(text);
    assert!(diagnostics.is_empty(), "{diagnostics:#?}");
    rules
}

/// A rule over sshd events with this `detection` section, its lines indented by four.
pub fn rule(detection: &str) -> String {
    format!("title: t\nid: r\nlogsource: {{service: sshd}}\ndetection:\n{detection}\n")
}

/// An event with text fields.
pub fn event(fields: &[(&str, &str)]) -> Event {
    event_of("", fields.iter().map(|(name, text)| (*name, Value::Made((*text).into()))))
}

/// An event of a record with these fields.
pub fn event_of<'n>(raw: &str, fields: impl IntoIterator<Item = (&'n str, Value)>) -> Event {
    let source = Source::file("test.log", 7, None);
    let mut event = Event::default();
    event.begin(&RecordRef {
        source: &source,
        offset: 0,
        observed: Timestamp::default(),
        bytes: raw.as_bytes(),
    });
    event.logsources = SSHD;
    let (_, mut slots) = event.fields_mut();
    for (name, value) in fields {
        slots.value(FieldId::intern(name).unwrap(), value);
    }
    event
}

/// Whether the one rule with this `detection` section matches `event`.
pub fn matches(detection: &str, event: &Event) -> bool {
    Matcher::new(rules(&rule(detection))).matches(event).len() == 1
}

/// A matcher and a correlator, fed with events that are told apart by their number.
pub struct Stream {
    pub matcher: Matcher,
    pub correlator: Correlator,
    pub rules: Arc<RuleSet>,
    offset: u64,
}

impl Stream {
    pub fn new(rules: Arc<RuleSet>) -> Self {
        let matcher = Matcher::new(Arc::clone(&rules));
        Self { matcher, correlator: Correlator::new(Arc::clone(&rules)), rules, offset: 0 }
    }

    /// Feeds a new event that happens at `second`.
    pub fn at(&mut self, second: i64, fields: &[(&str, &str)]) -> Vec<Firing> {
        let mut event = event(fields);
        self.offset += 1;
        event.offset = self.offset;
        event.finish(Timestamp::from_seconds(1_700_000_000 + second));
        self.feed(&event)
    }

    pub fn feed(&mut self, event: &Event) -> Vec<Firing> {
        let mut fired = Vec::new();
        let matched = self.matcher.matches(event).to_vec();
        self.correlator.observe(event, &matched, &mut fired);
        fired
    }
}

/// Firings as `rule+` (raised) or `rule=` (grew), with their counts.
pub fn shown(rules: &RuleSet, fired: &[Firing]) -> String {
    let shown: Vec<String> = fired
        .iter()
        .map(|firing| {
            let id = &rules.rule(firing.rule).unwrap().reference.id;
            format!("{id}{}{}", if firing.raised { '+' } else { '=' }, firing.count)
        })
        .collect();
    shown.join(" ")
}

/// Shipped pipelines, by their path under `pipelines/` without its ending.
pub fn pipelines(names: &[&str]) -> (Pipelines, Vec<Diagnostic>) {
    let texts: Vec<(String, String)> = names
        .iter()
        .map(|name| {
            let path = format!("{}/../../pipelines/{name}.yml", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(&path).unwrap();
            (path, text)
        })
        .collect();
    Pipelines::read(texts.iter().map(|(file, text)| RuleText { file, text }))
}
