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

/// All that a run has found.
pub struct Findings {
    /// Alerts by time.
    pub alerts: Vec<Alert>,
    /// Incidents by time, each with its verdict and what would be done about it.
    pub incidents: Vec<Judged>,
    /// Totals.
    pub stats: Stats,
    /// Time of the first and of the last event.
    pub span: Option<(Timestamp, Timestamp)>,
}

/// An incident with its verdict and decisions.
pub struct Judged {
    pub incident: Incident,
    pub verdict: Verdict,
    pub decisions: Vec<Decision>,
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
    /// judged as its own time would have judged it, on any day.
    pub fn finish(mut self, lost: BTreeMap<String, u64>) -> Findings {
        self.collect();
        let mut stats = std::mem::take(&mut self.stats);
        self.totals.add_to(&mut stats);
        let span = self.span;
        let (judged, alerts) = self.judge();
        stats.alerts = alerts.len() as u64;
        stats.incidents = judged.len() as u64;
        for alert in &alerts {
            if let Some(count) = stats.by_rule.get_mut(&alert.rule.id) {
                *count += 1;
            } else {
                stats.by_rule.insert(alert.rule.id.clone(), 1);
            }
        }
        for one in &judged {
            *stats.by_severity.entry(one.verdict.severity.name().to_owned()).or_default() += 1;
        }
        stats.lost = lost;
        stats.seconds = self.began.elapsed().as_secs_f64();
        Findings { alerts, incidents: judged, stats, span }
    }

    /// Judges each incident and decides about it; gives them and all alerts, by time.
    fn judge(&mut self) -> (Vec<Judged>, Vec<Alert>) {
        let analyst = BuiltIn::new();
        // Of this machine nothing is asked: the log may be another's. What is never bannable
        // anywhere stays so.
        let mut responder = Responder::new(Policy::shipped(), Mode::DryRun);
        let mut incidents: Vec<Incident> =
            std::mem::take(&mut self.incidents).into_values().collect();
        incidents.sort_unstable_by_key(|incident| (incident.last_seen, incident.id));
        let mut judged = Vec::with_capacity(incidents.len());
        let mut alerts = Vec::with_capacity(self.alerts.len());
        for incident in incidents {
            let first = alerts.len();
            alerts.extend(incident.alerts.iter().filter_map(|id| self.alerts.remove(id)));
            let guidance = |id: &str| self.rules.by_id(id).map(|rule| &rule.guidance);
            let case = Case {
                incident: &incident,
                alerts: alerts.get(first..).unwrap_or_default(),
                guidance: &guidance,
                now: incident.last_seen,
            };
            let verdict = analyst.judge(&case);
            let now = incident.last_seen;
            let protection = Protection::of(Vec::new(), now);
            let response = responder.decide(&verdict, &incident, &[], &protection, now);
            judged.push(Judged { incident, verdict, decisions: response.decisions });
        }
        judged.sort_unstable_by_key(|one| (one.incident.first_seen, one.incident.id));
        alerts.sort_unstable_by_key(|alert| (alert.first_seen, alert.id));
        (judged, alerts)
    }
}
