//! The whole chain in one loop, without a store: what `vigie scan` runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use vigie_analyzer::{BuiltIn, Case};
use vigie_detector::{Detector, Settings, Totals};
use vigie_event::{
    Alert, AlertId, Decision, Event, EventKind, Incident, IncidentId, Mode, Stats, Timestamp,
    Verdict,
};
use vigie_responder::{Policy, Protection, Responder};
use vigie_sigma::RuleSet;

/// Events between two collections of what was found, so that finished incidents leave the
/// detector's memory.
const COLLECT_EVERY: u64 = 65_536;

/// From events to decisions.
pub struct Chain {
    rules: Arc<RuleSet>,
    detector: Detector,
    totals: Totals,
    stats: Stats,
    span: Option<(Timestamp, Timestamp)>,
    alerts: BTreeMap<AlertId, Alert>,
    incidents: BTreeMap<IncidentId, Incident>,
    since_collected: u64,
    began: Instant,
}

/// An incident with all that belongs to it.
pub struct Judged {
    pub incident: Incident,
    /// Its alerts, oldest first.
    pub alerts: Vec<Alert>,
    pub verdict: Verdict,
    /// What would be done about it.
    pub decisions: Vec<Decision>,
}

/// What a run has counted.
pub struct Summary {
    /// Totals.
    pub stats: Stats,
    /// Time of the first and of the last event.
    pub span: Option<(Timestamp, Timestamp)>,
}

impl Chain {
    pub fn new(rules: Arc<RuleSet>) -> Self {
        Self {
            detector: Detector::new(Arc::clone(&rules), Settings::default()),
            rules,
            totals: Totals::default(),
            stats: Stats::default(),
            span: None,
            alerts: BTreeMap::new(),
            incidents: BTreeMap::new(),
            since_collected: 0,
            began: Instant::now(),
        }
    }

    /// Takes one event.
    pub fn observe(&mut self, event: &Event) {
        self.totals.count(event);
        self.stats.records += 1;
        match event.kind {
            EventKind::Unparsed => self.stats.unparsed += 1,
            EventKind::Event | EventKind::Alert => self.stats.events += 1,
        }
        self.span = match self.span {
            None => Some((event.time, event.time)),
            Some((first, last)) => Some((first.min(event.time), last.max(event.time))),
        };
        self.detector.observe(event);
        self.since_collected += 1;
        if self.since_collected >= COLLECT_EVERY {
            self.since_collected = 0;
            self.collect();
        }
    }

    fn collect(&mut self) {
        let changes = self.detector.take_changes();
        self.alerts.extend(changes.alerts.into_iter().map(|alert| (alert.id, alert)));
        self.incidents
            .extend(changes.incidents.into_iter().map(|incident| (incident.id, incident)));
    }

    /// Judges what was found and decides, as of each incident's last event: a finished log is
    /// judged as its own time would have judged it, on any day. Hands out each incident, oldest
    /// end first, and keeps none, so that memory does not grow with what is found.
    pub fn finish<E>(
        mut self,
        lost: BTreeMap<String, u64>,
        mut each: impl FnMut(Judged) -> Result<(), E>,
    ) -> Result<Summary, E> {
        self.collect();
        let mut stats = std::mem::take(&mut self.stats);
        self.totals.add_to(&mut stats);
        stats.lost = lost;
        let analyst = BuiltIn::new();
        // Of this machine nothing is asked: the log may be another's. What is never bannable
        // anywhere stays so.
        let mut responder = Responder::new(Policy::shipped(), Mode::DryRun);
        let mut incidents: Vec<Incident> =
            std::mem::take(&mut self.incidents).into_values().collect();
        incidents.sort_unstable_by_key(|incident| (incident.last_seen, incident.id));
        for incident in incidents {
            let mut alerts: Vec<Alert> =
                incident.alerts.iter().filter_map(|id| self.alerts.remove(id)).collect();
            alerts.sort_unstable_by_key(|alert| (alert.first_seen, alert.id));
            let now = incident.last_seen;
            let guidance = |id: &str| self.rules.by_id(id).map(|rule| &rule.guidance);
            let case = Case { incident: &incident, alerts: &alerts, guidance: &guidance, now };
            let verdict = analyst.judge(&case);
            let protection = Protection::of(Vec::new(), now);
            let decisions = responder.decide(&verdict, &incident, &[], &protection, now).decisions;
            stats.incidents += 1;
            stats.alerts += alerts.len() as u64;
            for alert in &alerts {
                count(&mut stats.by_rule, &alert.rule.id);
            }
            count(&mut stats.by_severity, verdict.severity.name());
            each(Judged { incident, alerts, verdict, decisions })?;
        }
        stats.seconds = self.began.elapsed().as_secs_f64();
        Ok(Summary { stats, span: self.span })
    }
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    if let Some(count) = counts.get_mut(name) {
        *count += 1;
    } else {
        counts.insert(name.to_owned(), 1);
    }
}
