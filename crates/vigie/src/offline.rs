//! The whole chain in one loop, without a store: what `vigie scan` runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use rustc_hash::FxHashMap;
use vigie_analyzer::autonomy::{Activities, Planted};
use vigie_analyzer::{Background, BuiltIn, Case, Known};
use vigie_detector::{Changes, Detector, Settings, Totals};
use vigie_event::{
    Alert, Decision, Event, EventKind, Incident, IncidentId, Lang, Langs, Mode, Severity, Stats,
    Timestamp, Verdict,
};
use vigie_responder::{Allowed, Policy, Protection, Responder};
use vigie_sigma::RuleSet;

use crate::together::Together;

/// Events between two looks for what is finished.
const LOOK_EVERY: u64 = 4_096;

/// What the owner of the logs has settled.
pub struct Terms {
    /// How alerts become incidents.
    pub settings: Settings,
    /// What he says of his machines and of others.
    pub known: Known,
    /// Values that only an answer of his carries.
    pub planted: Planted,
    /// What answers which verdict.
    pub policy: Policy,
    /// Who is never banned.
    pub allow: Vec<Allowed>,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            settings: Settings::default(),
            known: Known::default(),
            planted: Planted::default(),
            policy: Policy::shipped(),
            allow: Vec::new(),
        }
    }
}

/// From events to decisions. Each incident is handed out once nothing can join it any more, so
/// that memory holds what is going on and not all that was found.
pub struct Chain<F> {
    rules: Arc<RuleSet>,
    detector: Detector,
    activities: Activities,
    known: Known,
    weigher: BuiltIn,
    analyst: BuiltIn,
    responder: Responder,
    langs: Langs,
    protection: Protection,
    totals: Totals,
    stats: Stats,
    /// How many incidents there were of each severity.
    by_severity: [u64; Severity::ALL.len()],
    span: Option<(Timestamp, Timestamp)>,
    /// Alerts of incidents that go on.
    alerts: FxHashMap<Option<IncidentId>, Vec<Alert>>,
    observed: u64,
    /// How many there were when it was looked last for what is finished.
    looked: u64,
    together: Together,
    began: Instant,
    each: F,
    /// How bad an incident must at least be to be handed out.
    bar: Option<Rank>,
}

/// How bad an incident is beside others: its severity, then the confidence in it.
pub type Rank = (Severity, u8);

/// An incident with all that belongs to it.
pub struct Judged {
    pub incident: Incident,
    /// Its alerts, oldest first.
    pub alerts: Vec<Alert>,
    pub verdict: Verdict,
    /// What would be done about it.
    pub decisions: Vec<Decision>,
}

/// An incident with its alerts, oldest first.
struct Dossier {
    incident: Incident,
    alerts: Vec<Alert>,
    /// The verdict without its words, where it was judged already.
    weighed: Option<Verdict>,
}

/// What a run has counted.
pub struct Summary {
    /// Totals.
    pub stats: Stats,
    /// Time of the first and of the last event.
    pub span: Option<(Timestamp, Timestamp)>,
}

impl Judged {
    /// How bad it is.
    pub fn rank(&self) -> Rank {
        rank(&self.verdict)
    }
}

fn rank(verdict: &Verdict) -> Rank {
    (verdict.severity, verdict.confidence)
}

impl<F: FnMut(Judged) -> anyhow::Result<Option<Rank>>> Chain<F> {
    /// A chain that hands finished incidents to `each`, which says what the next must be worse than
    /// to be handed out: the others are counted and decided on, and nothing is written about them.
    /// Its texts are in `lang` alone.
    pub fn new(rules: Arc<RuleSet>, terms: Terms, lang: Lang, each: F) -> Self {
        let langs = Langs::Only(lang);
        // Of this machine nothing is asked: the log may be another's. What is never bannable
        // anywhere, or by the configuration, stays so.
        let protection = Protection::of(Vec::new(), Timestamp::default()).allowing(terms.allow);
        Self {
            detector: Detector::new(Arc::clone(&rules), terms.settings),
            rules,
            activities: Activities::watching(terms.planted),
            known: terms.known,
            weigher: BuiltIn::weighing(terms.policy.reads_autonomy()),
            analyst: BuiltIn::speaking(langs),
            responder: Responder::new(terms.policy, Mode::DryRun).only_deciding(),
            langs,
            protection,
            totals: Totals::default(),
            stats: Stats::default(),
            by_severity: Default::default(),
            span: None,
            alerts: FxHashMap::default(),
            observed: 0,
            looked: 0,
            together: Together::default(),
            began: Instant::now(),
            each,
            bar: None,
        }
    }

    /// Takes one event, and gives back an older one for its memory.
    pub fn observe(&mut self, event: &mut Box<Event>) -> anyhow::Result<()> {
        let full = self.together.add(|place| std::mem::swap(place, event));
        if full { self.work_off() } else { Ok(()) }
    }

    /// Sends those that wait through the chain.
    fn work_off(&mut self) -> anyhow::Result<()> {
        let events = self.together.events();
        for event in events {
            self.totals.count(event);
            match event.kind {
                EventKind::Unparsed => self.stats.unparsed += 1,
                EventKind::Event | EventKind::Alert => self.stats.events += 1,
            }
            self.span = match self.span {
                None => Some((event.time, event.time)),
                Some((first, last)) => Some((first.min(event.time), last.max(event.time))),
            };
        }
        for event in events {
            self.activities.observe(event);
        }
        self.detector.observe_all(events);
        self.observed += events.len() as u64;
        self.together.clear();
        if self.observed - self.looked >= LOOK_EVERY {
            self.looked = self.observed;
            let finished = self.detector.take_finished();
            self.take(finished)?;
        }
        Ok(())
    }

    /// Hands out what is still open, and gives the totals.
    pub fn finish(mut self, lost: BTreeMap<String, u64>) -> anyhow::Result<Summary> {
        self.work_off()?;
        let rest = self.detector.end();
        self.take(rest)?;
        let mut stats = self.stats;
        let detected = self.detector.stats();
        (stats.alerts, stats.incidents) = (detected.alerts, detected.incidents);
        stats.by_rule = detected.by_rule;
        let by_severity = Severity::ALL.into_iter().zip(self.by_severity);
        stats.by_severity = by_severity
            .filter(|(_, count)| *count > 0)
            .map(|(severity, count)| (severity.name().to_owned(), count))
            .collect();
        self.totals.add_to(&mut stats);
        stats.records = self.observed;
        stats.lost = lost;
        stats.seconds = self.began.elapsed().as_secs_f64();
        Ok(Summary { stats, span: self.span })
    }

    fn take(&mut self, finished: Changes) -> anyhow::Result<()> {
        for alert in finished.alerts {
            let room = || Vec::with_capacity(1);
            self.alerts.entry(alert.incident).or_insert_with(room).push(alert);
        }
        let mut incidents = finished.incidents;
        incidents.sort_unstable_by_key(|incident| (incident.last_seen, incident.id));
        let mut dossiers: Vec<Dossier> = Vec::with_capacity(incidents.len());
        for incident in incidents {
            let mut alerts = self.alerts.remove(&Some(incident.id)).unwrap_or_default();
            alerts.sort_unstable_by_key(|alert| (alert.first_seen, alert.id));
            dossiers.push(Dossier { incident, alerts, weighed: None });
        }
        // Many at a time, one part after the other, as with events.
        if self.bar.is_some() {
            for dossier in &mut dossiers {
                dossier.weighed = Some(self.judge(dossier, self.weigher));
            }
        }
        dossiers.into_iter().try_for_each(|dossier| self.decide(dossier))
    }

    /// What `analyst` says of an incident, as of its last event: a finished log is judged as its own
    /// time would have judged it, on any day.
    fn judge(&self, dossier: &Dossier, analyst: BuiltIn) -> Verdict {
        let Dossier { incident, alerts, .. } = dossier;
        let guidance = |id: &str| self.rules.by_id(id).map(|rule| &rule.guidance);
        let case = Case { incident, alerts, guidance: &guidance, now: incident.last_seen };
        let activity = analyst.reads_activity().then(|| self.activities.of_incident(incident));
        let activity = activity.flatten();
        let (activity, known) = (activity.as_deref(), Some(&self.known));
        analyst.judge_knowing(&case, &Background { past: None, known, activity })
    }

    /// Decides on an incident, and hands it out where it is bad enough.
    fn decide(&mut self, mut dossier: Dossier) -> anyhow::Result<()> {
        let weighed = self.bar.map(|bar| {
            let known = dossier.weighed.take();
            (bar, known.unwrap_or_else(|| self.judge(&dossier, self.weigher)))
        });
        let (verdict, wanted) = match weighed {
            Some((bar, verdict)) if rank(&verdict) <= bar => (verdict, false),
            _ => (self.judge(&dossier, self.analyst), true),
        };
        let Dossier { incident, alerts, .. } = dossier;
        let now = incident.last_seen;
        self.responder.speak(if wanted { self.langs } else { Langs::None });
        let mut response = self.responder.decide(&verdict, &incident, &[], &self.protection, now);
        if let Some(count) = self.by_severity.get_mut(verdict.severity as usize) {
            *count += 1;
        }
        if wanted {
            response.simulate();
            let decisions = response.decisions;
            self.bar = (self.each)(Judged { incident, alerts, verdict, decisions })?;
        }
        Ok(())
    }
}
