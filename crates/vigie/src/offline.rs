//! The whole chain in one loop, without a store: what `vigie scan` runs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use rustc_hash::FxHashMap;
use vigie_analyzer::autonomy::{Activities, Planted};
use vigie_analyzer::{Background, BuiltIn, Case, Known};
use vigie_detector::{Changes, Detector, Settings, Totals};
use vigie_event::{
    Alert, AlertId, Decision, Event, EventKind, Incident, Lang, Langs, Mode, Severity, Stats,
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
    span: Option<(Timestamp, Timestamp)>,
    /// Alerts whose incident goes on.
    alerts: FxHashMap<AlertId, Alert>,
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
        let rest = self.detector.take_changes();
        self.take(rest)?;
        let mut stats = self.stats;
        self.totals.add_to(&mut stats);
        stats.records = self.observed;
        stats.lost = lost;
        stats.seconds = self.began.elapsed().as_secs_f64();
        Ok(Summary { stats, span: self.span })
    }

    fn take(&mut self, finished: Changes) -> anyhow::Result<()> {
        self.alerts.extend(finished.alerts.into_iter().map(|alert| (alert.id, alert)));
        let mut incidents = finished.incidents;
        incidents.sort_unstable_by_key(|incident| (incident.last_seen, incident.id));
        incidents.into_iter().try_for_each(|incident| self.judge(incident))
    }

    /// Judges an incident and decides, as of its last event: a finished log is judged as its own
    /// time would have judged it, on any day.
    fn judge(&mut self, incident: Incident) -> anyhow::Result<()> {
        let mut alerts: Vec<Alert> =
            incident.alerts.iter().filter_map(|id| self.alerts.remove(id)).collect();
        alerts.sort_unstable_by_key(|alert| (alert.first_seen, alert.id));
        let now = incident.last_seen;
        let guidance = |id: &str| self.rules.by_id(id).map(|rule| &rule.guidance);
        let case = Case { incident: &incident, alerts: &alerts, guidance: &guidance, now };
        let activity = self.activities.of_incident(&incident);
        let (activity, known) = (activity.as_deref(), Some(&self.known));
        let background = Background { past: None, known, activity };
        let weighed = self.bar.map(|bar| (bar, self.weigher.judge_knowing(&case, &background)));
        let (verdict, wanted) = match weighed {
            Some((bar, verdict)) if rank(&verdict) <= bar => (verdict, false),
            _ => (self.analyst.judge_knowing(&case, &background), true),
        };
        self.responder.speak(if wanted { self.langs } else { Langs::None });
        let mut response = self.responder.decide(&verdict, &incident, &[], &self.protection, now);
        self.stats.incidents += 1;
        self.stats.alerts += alerts.len() as u64;
        for alert in &alerts {
            count(&mut self.stats.by_rule, &alert.rule.id);
        }
        count(&mut self.stats.by_severity, verdict.severity.name());
        if wanted {
            response.simulate();
            let decisions = response.decisions;
            self.bar = (self.each)(Judged { incident, alerts, verdict, decisions })?;
        }
        Ok(())
    }
}

fn count(counts: &mut BTreeMap<String, u64>, name: &str) {
    if let Some(count) = counts.get_mut(name) {
        *count += 1;
    } else {
        counts.insert(name.to_owned(), 1);
    }
}
