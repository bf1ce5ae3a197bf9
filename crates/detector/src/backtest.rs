//! What would rules have found in what has been?
//!
//! Reading, parsing and matching old events can be done on many cores; a [`BackTest`] then takes
//! those that matched, in their order, and keeps account for each rule. Of the others it needs to
//! see those by which alerts are grouped, and one a minute to know the time: a [`Bystander`] tells
//! which ([`BackTest::observe`] with no match).

use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use vigie_event::{Alert, Event, Timestamp, field, fingerprint};
use vigie_sigma::{RuleIndex, RuleSet};

use crate::detector::{Changes, Detector};
use crate::facts::{Glance, Outcome};
use crate::histogram::Histogram;
use crate::settings::Settings;

/// Lines kept of each rule.
const SAMPLES: usize = 3;
/// Values kept of each rule and field; beyond it those that were seen once give way.
const MAX_VALUES: usize = 10_000;
/// Seconds between two events of a source that tell the time.
const TICK_S: i64 = 60;
/// Addresses of hosts that are known to have been told; beyond it all are told again.
const MAX_HOSTS: usize = 16_384;
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
    subjects: [FxHashMap<String, (u64, u64)>; 3],
    samples: Vec<String>,
}

/// Which events that no rule matches a [`BackTest`] must see all the same, so that it groups
/// alerts as a detector does that sees all events. Whoever reads a part of them has one of his own.
#[derive(Debug, Default)]
pub struct Bystander {
    /// By source: the minute of the last event that was wanted for its time.
    ticks: FxHashMap<u64, i64>,
    /// By address: the host that it was told to be of.
    hosts: FxHashMap<IpAddr, u64>,
}

impl Bystander {
    /// Whether `event` is to be seen though nothing matched: a success, which may take an account
    /// or a host into an incident, one that tells of a host's address, or the first of its source
    /// in a minute.
    pub fn wants(&mut self, event: &Event) -> bool {
        let glance = Glance::of(event);
        let told = glance.host_address.or(glance.destination);
        let is_news = told.is_some_and(|address| self.is_news(address, event));
        let source = event.source.as_ref().map_or(0, |source| source.fingerprint);
        let tick = event.time.seconds().div_euclid(TICK_S);
        let ticks = self.ticks.insert(source, tick) != Some(tick);
        glance.outcome == Outcome::Success || is_news || ticks
    }

    fn is_news(&mut self, address: IpAddr, event: &Event) -> bool {
        let Some(host) = event.render(field::HOST_NAME) else {
            return false;
        };
        if self.hosts.len() >= MAX_HOSTS {
            self.hosts.clear();
        }
        let host = fingerprint(host.as_bytes());
        self.hosts.insert(address, host) != Some(host)
    }
}

impl BackTest {
    /// `rules` that have seen nothing yet.
    pub fn new(rules: Arc<RuleSet>, settings: Settings) -> Self {
        let events = vec![None; rules.rules().len()];
        // Whoever asks what a rule would have found wants to know of marks too.
        let settings = Settings { marks_open: true, ..settings };
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
        let rest = self.detector.end();
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
                if let Some((alerts, events)) = values.get_mut(value.as_str()) {
                    *alerts += 1;
                    *events += alert.count;
                } else {
                    values.insert(value.to_string(), (1, alert.count));
                }
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
            subjects.sort_unstable_by(|a, b| {
                let most = (b.alerts, b.events).cmp(&(a.alerts, a.events));
                most.then_with(|| a.value.cmp(&b.value))
            });
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
