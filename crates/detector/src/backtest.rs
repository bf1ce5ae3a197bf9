//! What would rules have found in what has been?
//!
//! Reading, parsing and matching old events can be done on many cores; a [`BackTest`] then takes
//! those that matched, in their order, and keeps account for each rule. Between them it needs to
//! see an event a minute, to know the time ([`BackTest::observe`] with no match).

use std::collections::BTreeMap;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use vigie_event::{Alert, Event, Timestamp};
use vigie_sigma::{RuleIndex, RuleSet};

use crate::detector::{Changes, Detector};
use crate::histogram::Histogram;
use crate::settings::Settings;

/// Lines kept of each rule.
const SAMPLES: usize = 3;
/// Values kept of each rule and field; beyond it those that were seen once give way.
const MAX_VALUES: usize = 10_000;
/// Whom alerts are about.
const SUBJECTS: [&str; 3] = ["source.ip", "user.name", "host.name"];

/// Rules over old events.
#[derive(Debug)]
pub struct BackTest {
    rules: Arc<RuleSet>,
    detector: Detector,
    tallies: FxHashMap<String, Tally>,
    events: Vec<Option<Histogram>>,
}

/// What one rule would have done.
#[derive(Clone, Debug, Default)]
pub struct RuleHistory {
    /// The rule's id.
    pub rule: String,
    /// Alerts that it would have raised.
    pub alerts: u64,
    /// Events in them.
    pub events: u64,
    /// The first event of all and the last one; none where it never fired.
    pub span: Option<(Timestamp, Timestamp)>,
    /// When its events came.
    pub when: Histogram,
    /// By field (`source.ip`, `user.name`, `host.name`): whom the alerts were about, most alerts
    /// first.
    pub subjects: Vec<(&'static str, Vec<Subject>)>,
    /// The raw records of some events. Hostile.
    pub samples: Vec<String>,
}

/// Whom alerts were about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// An address, an account or a host. Hostile.
    pub value: String,
    /// Alerts that name it.
    pub alerts: u64,
    /// Events of these alerts.
    pub events: u64,
}

#[derive(Clone, Debug, Default)]
struct Tally {
    alerts: u64,
    events: u64,
    span: Option<(Timestamp, Timestamp)>,
    subjects: [BTreeMap<String, (u64, u64)>; 3],
    samples: Vec<String>,
}

impl BackTest {
    /// `rules` that have seen nothing yet.
    pub fn new(rules: Arc<RuleSet>, settings: Settings) -> Self {
        let events = vec![None; rules.rules().len()];
        let detector = Detector::new(Arc::clone(&rules), settings);
        Self { rules, detector, tallies: FxHashMap::default(), events }
    }

    /// Takes an event in with the detections that it matched, as a
    /// [`Matcher`](vigie_sigma::Matcher) over the same rules gave them.
    pub fn observe(&mut self, event: &Event, matched: &[RuleIndex]) {
        let weight = u64::from(event.repeat.max(1));
        let Self { detector, events, .. } = self;
        let fired = detector.observe_matched(event, matched);
        let mut count = |rule: RuleIndex, number: u64| {
            if let Some(when) = events.get_mut(rule.index()) {
                when.get_or_insert_default().add(event.time, number);
            }
        };
        for rule in matched {
            count(*rule, weight);
        }
        for firing in fired {
            count(firing.rule, if firing.raised { firing.count } else { weight });
        }
    }

    /// Alerts and incidents that nothing can join any more, counted, since the last call.
    pub fn take_finished(&mut self) -> Changes {
        let finished = self.detector.take_finished();
        self.tally(&finished.alerts);
        finished
    }

    /// What is still open, counted, and the account of every rule that raises alerts, in the
    /// rules' order.
    pub fn finish(mut self) -> (Changes, Vec<RuleHistory>) {
        let rest = self.detector.take_changes();
        self.tally(&rest.alerts);
        let Self { rules, mut tallies, mut events, .. } = self;
        let speaking = rules.rules().iter().filter(|rule| !rule.silent);
        let histories = speaking.map(|rule| {
            let id = rule.reference.id.clone();
            let tally = tallies.remove(&id).unwrap_or_default();
            let when = events.get_mut(rule.index.index()).and_then(Option::take);
            tally.into_history(id, when.unwrap_or_default())
        });
        (rest, histories.collect())
    }

    fn tally(&mut self, alerts: &[Alert]) {
        for alert in alerts {
            if !self.tallies.contains_key(&alert.rule.id) {
                self.tallies.insert(alert.rule.id.clone(), Tally::default());
            }
            if let Some(tally) = self.tallies.get_mut(&alert.rule.id) {
                tally.add(alert);
            }
        }
    }
}

impl Tally {
    fn add(&mut self, alert: &Alert) {
        self.alerts += 1;
        self.events += alert.count;
        let (first, last) = (alert.first_seen, alert.last_seen);
        self.span =
            Some(self.span.map_or((first, last), |(earliest, latest)| {
                (earliest.min(first), latest.max(last))
            }));
        for (name, values) in SUBJECTS.into_iter().zip(&mut self.subjects) {
            for value in alert.entities.values(name) {
                let (alerts, events) = values.entry(value.clone()).or_default();
                *alerts += 1;
                *events += alert.count;
            }
            if values.len() > MAX_VALUES {
                values.retain(|_, (alerts, _)| *alerts > 1);
            }
        }
        let room = SAMPLES.saturating_sub(self.samples.len());
        self.samples.extend(alert.evidence.iter().take(room).map(|known| known.raw.clone()));
    }

    fn into_history(self, rule: String, when: Histogram) -> RuleHistory {
        let subjects = SUBJECTS.into_iter().zip(self.subjects).map(|(name, values)| {
            let mut subjects: Vec<Subject> = values
                .into_iter()
                .map(|(value, (alerts, events))| Subject { value, alerts, events })
                .collect();
            subjects.sort_by_key(|one| std::cmp::Reverse((one.alerts, one.events)));
            (name, subjects)
        });
        RuleHistory {
            rule,
            alerts: self.alerts,
            events: self.events,
            span: self.span,
            when,
            subjects: subjects.collect(),
            samples: self.samples,
        }
    }
}
