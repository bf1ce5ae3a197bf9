//! Which incident a model is asked about next: the worst, then the newest.

use vigie_event::{IncidentId, Severity, Timestamp};

/// Incidents that wait at most; beyond it the least severe and oldest are left to the first verdict.
const MOST: usize = 10_000;

/// An incident that waits for a second verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Job {
    /// The incident.
    pub incident: IncidentId,
    /// Its revision that the first analyst has judged.
    pub revision: u64,
    /// How severe the first analyst found it.
    pub severity: Severity,
    /// When its last event happened.
    pub last_seen: Timestamp,
    /// Tries that have failed.
    pub attempts: u32,
    /// Not to be tried before.
    pub not_before: Timestamp,
}

/// What waits.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    jobs: Vec<Job>,
}

impl Queue {
    /// Adds `job`. One for the same incident that waits already keeps its tries.
    pub fn push(&mut self, job: Job) {
        if let Some(known) = self.jobs.iter_mut().find(|known| known.incident == job.incident) {
            known.revision = known.revision.max(job.revision);
            known.severity = known.severity.max(job.severity);
            known.last_seen = known.last_seen.max(job.last_seen);
            return;
        }
        self.jobs.push(job);
        if self.jobs.len() > MOST {
            let least = self.jobs.iter().enumerate().min_by_key(|(_, job)| order(job));
            if let Some((place, _)) = least {
                self.jobs.swap_remove(place);
            }
        }
    }

    /// Takes the next job out.
    pub fn pop(&mut self, now: Timestamp) -> Option<Job> {
        let due = self.jobs.iter().enumerate().filter(|(_, job)| job.not_before <= now);
        let (place, _) = due.max_by_key(|(_, job)| order(job))?;
        Some(self.jobs.swap_remove(place))
    }

    /// When the next job is due; `None` when nothing waits.
    pub fn due(&self) -> Option<Timestamp> {
        self.jobs.iter().map(|job| job.not_before).min()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.jobs.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.jobs.is_empty()
    }
}

/// What comes first has the most.
const fn order(job: &Job) -> (Severity, Timestamp, IncidentId) {
    (job.severity, job.last_seen, job.incident)
}
