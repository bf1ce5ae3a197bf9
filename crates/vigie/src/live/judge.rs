//! Verdicts, live: incidents that have changed since they were last judged.

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot, watch};
use vigie_analyzer::autonomy::Activities;
use vigie_analyzer::{Background, BuiltIn, Case, Known};
use vigie_event::{Clock, SystemClock};
use vigie_sigma::RuleSet;
use vigie_store::state::{State, StateError};

use super::feed::Feed;

/// Incidents judged in one transaction.
const BATCH: u64 = 64;
/// How often to look although nobody woke us: what a crash left behind, or a busy disk refused.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What the analyst's task works with.
pub struct Judging {
    pub state: State,
    pub rules: watch::Receiver<Arc<RuleSet>>,
    /// What the owner says of his machines and of others.
    pub known: Known,
    /// What actors did lately, as the detector's task sees it.
    pub activities: Arc<Mutex<Activities>>,
    pub feed: Feed,
    /// Told when the detector's task has seen again what was committed before this start: until then
    /// it does not know all that actors did.
    pub caught_up: oneshot::Receiver<()>,
    /// Woken when there is something to judge.
    pub found: Arc<Notify>,
    /// Wakes the responder.
    pub judged: Arc<Notify>,
    /// Wakes whoever asks a model for a second verdict.
    pub to_second: Arc<Notify>,
    pub stop: watch::Receiver<bool>,
}

impl Judging {
    /// Runs until `stop`.
    pub async fn run(mut self) {
        let analyst = BuiltIn::new();
        tokio::select! {
            // An error means that detection has failed, which ends the centre.
            _ = &mut self.caught_up => {}
            _ = self.stop.changed() => return,
        }
        loop {
            loop {
                match self.round(&analyst).await {
                    Ok(0) => break,
                    Ok(_) => {
                        self.judged.notify_one();
                        self.to_second.notify_one();
                    }
                    Err(error) => {
                        tracing::error!(%error, "cannot judge; trying again");
                        break;
                    }
                }
            }
            tokio::select! {
                () = self.found.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                _ = self.stop.changed() => return,
            }
        }
    }

    /// Judges some incidents; returns how many.
    async fn round(&self, analyst: &BuiltIn) -> Result<usize, StateError> {
        let cases = self.state.cases_to_judge(BATCH).await?;
        let rules = Arc::clone(&self.rules.borrow());
        let guidance = |id: &str| rules.by_id(id).map(|rule| &rule.guidance);
        let now = SystemClock.now();
        let mut pasts = Vec::with_capacity(cases.len());
        for (incident, alerts) in &cases {
            pasts.push(self.state.past(incident, alerts).await?);
        }
        let known = Some(&self.known);
        // Locked for one copy each, so that detection never waits for a verdict.
        let watched = |incident| {
            let activities = self.activities.lock().unwrap_or_else(PoisonError::into_inner);
            activities.of_incident(incident).map(Cow::into_owned)
        };
        let activities: Vec<_> = cases.iter().map(|(incident, _)| watched(incident)).collect();
        let verdicts: Vec<_> = cases
            .iter()
            .zip(pasts.iter().zip(&activities))
            .map(|((incident, alerts), (past, activity))| {
                let case = Case { incident, alerts, guidance: &guidance, now };
                let (past, activity) = (Some(past), activity.as_ref());
                analyst.judge_knowing(&case, &Background { past, known, activity })
            })
            .collect();
        if !verdicts.is_empty() {
            self.state.save_verdicts(&verdicts).await?;
            for verdict in &verdicts {
                self.feed.verdict(verdict);
            }
        }
        Ok(verdicts.len())
    }
}
