//! Detection, live: the journal in, alerts and incidents into the state.
//!
//! Effects and position are committed together. The detector's memory is kept every few seconds
//! with the position at which it was taken; after a crash it is read back and the journal is
//! read again from there, which gives alerts with ids that are there already.

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context;
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot, watch};
use vigie_analyzer::autonomy::Activities;
use vigie_detector::{Command, Detector, Settings};
use vigie_event::Event;
use vigie_parser::Options;
use vigie_sigma::RuleSet;
use vigie_store::journal::{Journal, Position};
use vigie_store::state::{Checkpoint, DetectionBatch, State};

use super::feed::{Feed, Ticker};
use super::follow::{Follower, Round};

/// Records between two commits while there is a backlog.
const ROUND: u64 = 4_096;
/// How often the position is kept while nothing is found.
const POSITION_EVERY: Duration = Duration::from_secs(1);
/// What actors did is kept with the detector's memory, but not each time: it is larger. How often, and
/// records after which it is kept sooner, since a start reads them again.
const ACTIVITIES_EVERY: Duration = Duration::from_mins(1);
const ACTIVITIES_RECORDS: u64 = 200_000;
/// How often to ask which incidents people have closed: later alerts open a new one.
const CLOSINGS_EVERY: Duration = Duration::from_secs(2);
/// Between two tries of a commit that the state would not take.
const RETRY: Duration = Duration::from_secs(2);

/// What the detector's thread works with.
pub struct Detection {
    pub journal: Journal,
    pub state: State,
    /// The rules in force; new ones are taken over as they come.
    pub rules: watch::Receiver<Arc<RuleSet>>,
    pub settings: Settings,
    pub options: Options,
    /// How often the detector's memory is kept while there is something to read.
    pub snapshot_every: Duration,
    pub feed: Feed,
    /// What actors did lately, for the analyst.
    pub activities: Arc<Mutex<Activities>>,
    /// Told once what was committed before this start has been seen again.
    pub caught_up: Option<oneshot::Sender<()>>,
    /// Wakes the analyst.
    pub found: Arc<Notify>,
    pub stop: watch::Receiver<bool>,
    pub runtime: Handle,
}

impl Detection {
    /// Runs until `stop`, then keeps the detector's memory.
    pub fn run(mut self) -> anyhow::Result<()> {
        let checkpoint = self
            .runtime
            .block_on(self.state.detector_checkpoint())
            .context("cannot read the detector's checkpoint")?;
        let (mut detector, from) = self.restore(&checkpoint);
        let watched = self.restore_activities(&checkpoint, from);
        let mut follower = Follower::new(
            &self.journal,
            watched,
            &self.options,
            self.stop.clone(),
            self.runtime.clone(),
        )?;
        self.catch_up(&mut follower, from, |_| {})?;
        // What was committed after the snapshot was taken: observed again, for the memory only.
        self.catch_up(&mut follower, checkpoint.position, |events| detector.observe_all(events))?;
        detector.take_changes();
        self.note_closings(&mut detector)?;
        if let Some(tell) = self.caught_up.take() {
            // An analyst that has gone needs to know nothing.
            let _ = tell.send(());
        }
        let mut ticker = Ticker::new(self.feed.clone());
        let mut known = HashSet::new();
        let mut committed = (follower.position(), Instant::now());
        let mut kept = (from, Instant::now());
        let mut watch_kept = checkpoint.activities.is_some().then(|| (watched, Instant::now()));
        let mut noted = Instant::now();
        loop {
            let stopping = follower.wait(POSITION_EVERY).is_break();
            let reloaded = self.take_over_rules(&mut detector);
            if noted.elapsed() >= CLOSINGS_EVERY {
                self.note_closings(&mut detector)?;
                noted = Instant::now();
            }
            let round = follower.read(ROUND, |events| {
                self.watch(events);
                detector.observe_all(events);
                for event in events {
                    ticker.event(event);
                }
            })?;
            let changes = detector.take_changes();
            let position = follower.position();
            let finished = stopping && round == Round::CaughtUp;
            let moved = position != kept.0;
            let due = moved && (finished || kept.1.elapsed() >= self.snapshot_every);
            // What is kept goes with the rules that a start finds.
            let keep = due || reloaded;
            let found = !changes.alerts.is_empty() || !changes.incidents.is_empty();
            let idle_too_long = position != committed.0 && committed.1.elapsed() >= POSITION_EVERY;
            if found || keep || idle_too_long {
                let keep_watch = keep
                    && (finished
                        || watch_kept.is_none_or(|(at, when)| {
                            when.elapsed() >= ACTIVITIES_EVERY
                                || position.0 - at.0 >= ACTIVITIES_RECORDS
                        }));
                let batch = DetectionBatch {
                    position,
                    alerts: &changes.alerts,
                    incidents: &changes.incidents,
                    snapshot: keep.then(|| (position, detector.snapshot())),
                    activities: keep_watch.then(|| (position, self.activities().to_bytes())),
                };
                self.commit(&batch);
                committed = (position, Instant::now());
                if keep {
                    kept = committed;
                }
                if keep_watch {
                    watch_kept = Some(committed);
                }
            }
            self.feed.totals.detected.store(position.0, Ordering::Relaxed);
            if found {
                self.found.notify_one();
                self.show(&changes, &mut known);
            }
            if finished {
                return Ok(());
            }
        }
    }

    /// Reads up to `end`, where a batch begins, and watches what passes.
    fn catch_up(
        &self,
        follower: &mut Follower,
        end: Position,
        mut each: impl FnMut(&[Box<Event>]),
    ) -> anyhow::Result<()> {
        while follower.position() < end {
            let behind = end.0 - follower.position().0;
            let round = follower.read(behind.min(ROUND), |events| {
                self.watch(events);
                each(events);
            })?;
            if round == Round::CaughtUp {
                break;
            }
        }
        Ok(())
    }

    /// Locked for a few events, so that the analyst never waits for a round.
    fn watch(&self, events: &[Box<Event>]) {
        let mut activities = self.activities();
        for event in events {
            activities.observe(event);
        }
    }

    fn activities(&self) -> MutexGuard<'_, Activities> {
        self.activities.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Goes on with new rules, if there are any: windows and open alerts of rules that are the
    /// same go on, incidents stay. Tells whether there were.
    fn take_over_rules(&mut self, detector: &mut Detector) -> bool {
        if !self.rules.has_changed().unwrap_or(false) {
            return false;
        }
        let rules = Arc::clone(&self.rules.borrow_and_update());
        match detector.with_rules(rules) {
            Ok(renewed) => {
                let anew = renewed.dropped().len();
                tracing::debug!(anew, "detection goes on with the new rules");
                *detector = renewed;
                true
            }
            Err(error) => {
                tracing::error!(%error, "detection goes on with the rules that it has");
                false
            }
        }
    }

    /// The detector as it was at the snapshot, and the position to read on from.
    fn restore(&mut self, checkpoint: &Checkpoint) -> (Detector, Position) {
        let rules = Arc::clone(&self.rules.borrow_and_update());
        let fresh = || Detector::new(Arc::clone(&rules), self.settings);
        let Some(snapshot) = &checkpoint.snapshot else {
            return (fresh(), Position(0));
        };
        match Detector::restore(Arc::clone(&rules), self.settings, snapshot) {
            Ok(detector) => (detector, checkpoint.snapshot_position),
            Err(error) => {
                tracing::warn!(%error, "the detector's memory cannot be read; windows start anew");
                (fresh(), checkpoint.position)
            }
        }
    }

    /// What actors did as it was kept, and the position to watch on from: `from`, where the detector
    /// goes on, or before it.
    fn restore_activities(&self, checkpoint: &Checkpoint, from: Position) -> Position {
        let Some((position, bytes)) = &checkpoint.activities else { return from };
        match self.activities().remember(bytes) {
            // It is kept with the detector's memory or before it.
            Ok(()) => (*position).min(from),
            Err(error) => {
                tracing::warn!(%error, "what actors did before this start is forgotten");
                from
            }
        }
    }

    /// Tells the detector which of its incidents people have closed.
    fn note_closings(&self, detector: &mut Detector) -> anyhow::Result<()> {
        let open = detector.open_incident_ids();
        if open.is_empty() {
            return Ok(());
        }
        let closed = self
            .runtime
            .block_on(self.state.closed_among(&open))
            .context("cannot read which incidents are closed")?;
        for (incident, reason) in closed {
            detector.apply(Command::Close { incident, reason, by: String::new() });
        }
        Ok(())
    }

    /// Commits, however long it takes: what was found must not be lost to a full disk.
    fn commit(&self, batch: &DetectionBatch<'_>) {
        let mut complained = false;
        while let Err(error) = self.runtime.block_on(self.state.commit_detection(batch)) {
            if !complained {
                tracing::error!(%error, "cannot keep what was detected; detection waits");
                complained = true;
            }
            if *self.stop.borrow() {
                // The journal has it all: the next start detects it again, with the same ids.
                return;
            }
            std::thread::sleep(RETRY);
        }
    }

    fn show(&self, changes: &vigie_detector::Changes, known: &mut HashSet<u128>) {
        for alert in &changes.alerts {
            if known.insert(alert.id.as_u128()) {
                self.feed.totals.alerts.fetch_add(1, Ordering::Relaxed);
                self.feed.alert(alert);
            }
        }
        for incident in &changes.incidents {
            if known.insert(incident.id.as_u128()) {
                self.feed.totals.incidents.fetch_add(1, Ordering::Relaxed);
            }
            self.feed.incident(incident);
        }
        // Only for not showing an alert twice; forgetting costs a line on a screen.
        if known.len() > 100_000 {
            known.clear();
        }
    }
}
