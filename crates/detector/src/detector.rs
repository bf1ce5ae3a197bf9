//! The detector: rules, alerts and incidents together.

use std::borrow::Borrow;
use std::sync::Arc;

use vigie_event::{Alert, AlertId, Event, Incident, IncidentId, IncidentStatus, Stats};
use vigie_sigma::{Correlator, Firing, Matcher, RuleIndex, RuleSet};

use crate::command::{Applied, Command};
use crate::core::Core;
use crate::settings::Settings;
use crate::{alerts, incidents};

/// Events in, alerts and incidents out. Pure: no I/O, no clock but the events' own time; the
/// same events in the same order give the same alerts and incidents, whenever they are handed
/// out and however often the detector is saved and restored in between.
#[derive(Debug)]
pub struct Detector {
    pub(crate) matcher: Matcher,
    pub(crate) correlator: Correlator,
    pub(crate) core: Core,
    pub(crate) dropped: Vec<String>,
    fired: Vec<Firing>,
    gathered: Gathered,
}

/// What events that are taken in together match, one after the other.
#[derive(Debug, Default)]
struct Gathered {
    matches: Vec<RuleIndex>,
    steps: Vec<Step>,
}

/// Where that ends which belongs to an event.
#[derive(Clone, Copy, Debug)]
struct Step {
    matches: usize,
    fired: usize,
}

/// What changed since the last time, the newest form of each, oldest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Alerts that were raised or have grown.
    pub alerts: Vec<Alert>,
    /// Incidents that were opened or have changed.
    pub incidents: Vec<Incident>,
    /// Alerts that people moved to another incident, those among them that have left memory and
    /// so do not stand in `alerts`.
    pub moved: Vec<(AlertId, IncidentId)>,
}

impl Changes {
    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.alerts.is_empty() && self.incidents.is_empty() && self.moved.is_empty()
    }
}

/// What the detector has counted since it was made, and how full its memory is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DetectorStats {
    /// Alerts raised.
    pub alerts: u64,
    /// Incidents opened.
    pub incidents: u64,
    /// Alerts raised by rule id, for rules that raised any.
    pub by_rule: std::collections::BTreeMap<String, u64>,
    /// Alerts that stopped growing because memory was full.
    pub evicted_alerts: u64,
    /// Incidents that left memory before their time because it was full.
    pub evicted_incidents: u64,
    /// Alerts open now.
    pub open_alerts: usize,
    /// Incidents in memory now.
    pub open_incidents: usize,
}

impl DetectorStats {
    /// Adds what was counted to the totals of a run. What had to leave memory early counts as
    /// lost: not the events, but their bond with earlier ones.
    pub fn add_to(&self, stats: &mut Stats) {
        stats.alerts += self.alerts;
        stats.incidents += self.incidents;
        for (rule, count) in &self.by_rule {
            *stats.by_rule.entry(rule.clone()).or_default() += count;
        }
        for (reason, count) in [
            ("alerts closed early, memory full", self.evicted_alerts),
            ("incidents forgotten early, memory full", self.evicted_incidents),
        ] {
            if count > 0 {
                *stats.lost.entry(reason.to_owned()).or_default() += count;
            }
        }
    }
}

impl Detector {
    /// A detector that has seen nothing yet.
    pub fn new(rules: Arc<RuleSet>, settings: Settings) -> Self {
        let core = Core::new(&rules, settings);
        Self::of(Matcher::new(Arc::clone(&rules)), Correlator::new(rules), core)
    }

    pub(crate) fn of(matcher: Matcher, correlator: Correlator, core: Core) -> Self {
        Self {
            matcher,
            correlator,
            core,
            dropped: Vec::new(),
            fired: Vec::new(),
            gathered: Gathered::default(),
        }
    }

    /// Takes an event in. Allocates nothing for an event that matches no rule.
    pub fn observe(&mut self, event: &Event) {
        let matched = self.matcher.matches(event);
        let matched = if self.core.is_news(event, matched) { matched } else { &[] };
        self.fired.clear();
        self.correlator.observe(event, matched, &mut self.fired);
        self.core.observe(event, matched, &self.fired);
    }

    /// The same as to take them in one after the other, but faster: each part of the detector takes
    /// all of them in before the next does.
    pub fn observe_all(&mut self, events: &[impl Borrow<Event>]) {
        let Self { matcher, correlator, core, fired, gathered, .. } = self;
        let Gathered { matches, steps } = gathered;
        matches.clear();
        steps.clear();
        fired.clear();
        for event in events {
            let event = event.borrow();
            let matched = matcher.matches(event);
            if core.is_news(event, matched) {
                matches.extend_from_slice(matched);
            }
            steps.push(Step { matches: matches.len(), fired: 0 });
        }
        let mut start = 0;
        for (event, step) in events.iter().zip(steps.iter_mut()) {
            let matched = matches.get(start..step.matches).unwrap_or_default();
            correlator.observe(event.borrow(), matched, fired);
            (start, step.fired) = (step.matches, fired.len());
        }
        let mut start = Step { matches: 0, fired: 0 };
        for (event, step) in events.iter().zip(steps.iter()) {
            let matched = matches.get(start.matches..step.matches).unwrap_or_default();
            let fired = fired.get(start.fired..step.fired).unwrap_or_default();
            core.observe(event.borrow(), matched, fired);
            start = *step;
        }
    }

    /// Takes in an event whose matches are known; gives what fired.
    pub(crate) fn observe_matched(&mut self, event: &Event, matched: &[RuleIndex]) -> &[Firing] {
        let matched = if self.core.is_news(event, matched) { matched } else { &[] };
        self.fired.clear();
        self.correlator.observe(event, matched, &mut self.fired);
        self.core.observe(event, matched, &self.fired);
        &self.fired
    }

    /// Alerts raised or grown and incidents opened or changed since the last call. To be called
    /// after every batch of events: until it is, whatever leaves memory is kept for it.
    pub fn take_changes(&mut self) -> Changes {
        let Core { alerts, incidents, moved, .. } = &mut self.core;
        let alerts = alerts.take(|slot| incidents.slots.get(slot).map(|incident| incident.id));
        Changes { alerts, incidents: incidents.take(), moved: std::mem::take(moved) }
    }

    /// Alerts that were closed and incidents that left memory since the last call, for who only
    /// wants what the stream of events will not change any more. What is still open is left to
    /// [`Detector::end`].
    pub fn take_finished(&mut self) -> Changes {
        let Core { alerts, incidents, .. } = &mut self.core;
        Changes {
            alerts: take_all(&mut alerts.outgoing),
            incidents: take_all(&mut incidents.outgoing),
            moved: Vec::new(),
        }
    }

    /// Closes every alert and takes every incident out of memory, since no event will follow; what
    /// changed since the last call.
    pub fn end(&mut self) -> Changes {
        self.core.end();
        let moved = std::mem::take(&mut self.core.moved);
        let mut changes = Changes { moved, ..self.take_finished() };
        alerts::newest_forms(&mut changes.alerts);
        incidents::newest_forms(&mut changes.incidents);
        changes
    }

    /// Applies what somebody changed about an incident.
    pub fn apply(&mut self, command: Command) -> Applied {
        self.core.apply(command)
    }

    /// The incidents in memory that are not closed: what people may have closed elsewhere.
    pub fn open_incident_ids(&self) -> Vec<IncidentId> {
        let incidents = self.core.incidents.slots.iter();
        incidents
            .filter(|(_, incident)| incident.status != IncidentStatus::Closed)
            .map(|(_, incident)| incident.id)
            .collect()
    }

    /// What was counted, and how full memory is.
    pub fn stats(&self) -> DetectorStats {
        let counts = &self.core.counts;
        let by_rule = self
            .core
            .rules
            .iter()
            .zip(&counts.by_rule)
            .filter(|(_, count)| **count > 0)
            .map(|(rule, count)| (rule.reference.id.clone(), *count))
            .collect();
        DetectorStats {
            alerts: counts.alerts,
            incidents: counts.incidents,
            by_rule,
            evicted_alerts: counts.evicted_alerts,
            evicted_incidents: counts.evicted_incidents,
            open_alerts: self.core.alerts.slots.len(),
            open_incidents: self.core.incidents.slots.len(),
        }
    }

    /// Ids of the rules that were gone or had changed when the detector was restored: their
    /// open alerts and windows were dropped.
    pub fn dropped(&self) -> &[String] {
        &self.dropped
    }
}

/// Takes all, and leaves room for as many: about as many come next time.
fn take_all<T>(all: &mut Vec<T>) -> Vec<T> {
    let room = Vec::with_capacity(all.len());
    std::mem::replace(all, room)
}
