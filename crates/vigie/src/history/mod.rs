//! Rules over what the journal keeps: what they would have found, and who would have been banned
//! for it. Nothing is written, nothing is done.

mod banned;
mod read;

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Instant;

use rustc_hash::FxHashMap;
use vigie_analyzer::{BuiltIn, Case};
use vigie_detector::{BackTest, Changes, RuleHistory, Settings};
use vigie_event::{Alert, AlertId, Incident, Langs, Mode, Timestamp};
use vigie_parser::Options;
use vigie_responder::{Policy, Protection, Responder};
use vigie_sigma::RuleSet;
use vigie_store::journal::{Journal, JournalError};

pub use banned::Banned;
use read::Login;
pub use read::Span;

/// Matching events between two looks for what is finished.
const LOOK_EVERY: u64 = 4_096;
/// Such looks that judging may lie behind.
const CASES_AHEAD: usize = 8;

/// What to run over the journal, and how.
pub struct Question {
    pub rules: Arc<RuleSet>,
    pub settings: Settings,
    pub options: Options,
    pub span: Span,
    /// What answers verdicts.
    pub policy: Policy,
    /// Who must not be banned today.
    pub protection: Protection,
    /// Threads that read, parse and match.
    pub workers: usize,
}

/// What would have been.
pub struct Answer {
    /// Records read.
    pub records: u64,
    /// Those of them in the span of time.
    pub within: u64,
    /// First and last event in the span of time.
    pub span: Option<(Timestamp, Timestamp)>,
    pub seconds: f64,
    pub incidents: u64,
    /// Every rule that raises alerts, in the rules' order.
    pub rules: Vec<RuleHistory>,
    /// Who would have been banned, first ones first.
    pub banned: Vec<Banned>,
}

/// Runs rules over the journal.
///
/// # Errors
/// The journal cannot be read.
pub fn ask(journal: &Journal, question: &Question) -> Result<Answer, JournalError> {
    let began = Instant::now();
    std::thread::scope(|scope| {
        // Judging goes on beside detection.
        let (finished, heard) = sync_channel(CASES_AHEAD);
        let court = scope.spawn(move || {
            let mut court = Court::new(question);
            for changes in heard {
                court.hear(changes);
            }
            court
        });
        // Who does not take it has failed, which joining tells.
        let hear = |changes: Changes| drop(finished.send(changes));
        let mut test = BackTest::new(Arc::clone(&question.rules), question.settings);
        let mut observed = 0_u64;
        let read = read::matching(journal, question, |event, matched| {
            test.observe(event, matched);
            observed += 1;
            if observed.is_multiple_of(LOOK_EVERY) {
                hear(test.take_finished());
            }
        })?;
        let (rest, rules) = test.finish();
        hear(rest);
        drop(finished);
        let court = court.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let incidents = court.incidents;
        let banned = court.banned(&read.logins, question);
        Ok(Answer {
            records: read.records,
            within: read.within,
            span: read.span,
            seconds: began.elapsed().as_secs_f64(),
            incidents,
            rules,
            banned,
        })
    })
}

/// Judges incidents and decides on them as the live chain would, and forgets it.
struct Court<'q> {
    question: &'q Question,
    analyst: BuiltIn,
    responder: Responder,
    /// Alerts whose incident goes on.
    alerts: BTreeMap<AlertId, Alert>,
    incidents: u64,
    found: BTreeMap<ipnet::IpNet, Found>,
}

/// Somebody who would have been banned.
struct Found {
    first: Timestamp,
    times: u64,
    longest_s: i64,
    rules: BTreeSet<String>,
}

/// Logins that succeeded, by address.
type Logins = FxHashMap<IpAddr, Login>;

impl<'q> Court<'q> {
    fn new(question: &'q Question) -> Self {
        let mut responder = Responder::new(question.policy.clone(), Mode::DryRun);
        // Nobody reads why.
        responder.speak(Langs::None);
        Self {
            question,
            analyst: BuiltIn::weighing(question.policy.reads_autonomy()),
            responder,
            alerts: BTreeMap::new(),
            incidents: 0,
            found: BTreeMap::new(),
        }
    }

    fn hear(&mut self, finished: Changes) {
        self.alerts.extend(finished.alerts.into_iter().map(|alert| (alert.id, alert)));
        let mut incidents = finished.incidents;
        incidents.sort_unstable_by_key(|incident| (incident.last_seen, incident.id));
        for incident in incidents {
            self.judge(&incident);
        }
    }

    fn judge(&mut self, incident: &Incident) {
        self.incidents += 1;
        let mut alerts: Vec<Alert> =
            incident.alerts.iter().filter_map(|id| self.alerts.remove(id)).collect();
        alerts.sort_unstable_by_key(|alert| (alert.first_seen, alert.id));
        let now = incident.last_seen;
        let rules = &self.question.rules;
        let guidance = |id: &str| rules.by_id(id).map(|rule| &rule.guidance);
        let verdict =
            self.analyst.judge(&Case { incident, alerts: &alerts, guidance: &guidance, now });
        // Whom the rules are about, whoever they are: those who are protected are told apart.
        let nobody = Protection::of(Vec::new(), now);
        self.responder.bans_mut().expire(now);
        let response = self.responder.decide(&verdict, incident, &[], &nobody, now);
        for ban in response.bans {
            let found = self.found.entry(ban.network).or_insert_with(|| Found {
                first: ban.created,
                times: 0,
                longest_s: 0,
                rules: BTreeSet::new(),
            });
            found.first = found.first.min(ban.created);
            found.times += 1;
            found.longest_s =
                found.longest_s.max(ban.expires.seconds().saturating_sub(ban.created.seconds()));
            found.rules.extend(alerts.iter().map(|alert| alert.rule.id.clone()));
        }
    }

    fn banned(self, logins: &Logins, question: &Question) -> Vec<Banned> {
        let mut banned: Vec<Banned> = self
            .found
            .into_iter()
            .map(|(network, found)| Banned {
                network,
                first: found.first,
                times: found.times,
                longest_s: found.longest_s,
                rules: found.rules.into_iter().collect(),
                yours: banned::yours(&network, logins, &question.protection),
            })
            .collect();
        banned.sort_by_key(|one| (one.first, one.network));
        banned
    }
}
