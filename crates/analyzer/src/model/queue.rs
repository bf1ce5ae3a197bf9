//! Which incident a model is asked about next: the worst, then the oldest.

use vigie_event::{IncidentId, Severity, Timestamp};

/// Incidents that wait at most; beyond it the least severe are left to the first verdict.
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
    /// Since when it waits.
    pub since: Timestamp,
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
    /// Adds `job`. One for the same incident that waits already keeps its place in time and its
    /// tries.
    pub fn push(&mut self, job: Job) {
        if let Some(known) = self.jobs.iter_mut().find(|known| known.incident == job.incident) {
            known.revision = known.revision.max(job.revision);
            known.severity = known.severity.max(job.severity);
            return;
        }
        self.jobs.push(job);
        if self.jobs.len() > MOST {
            let least =
                self.jobs.iter().enumerate().min_by_key(|(_, job)| {
                    (job.severity, std::cmp::Reverse(job.since), job.incident)
                });
            if let Some((place, _)) = least {
                self.jobs.swap_remove(place);
            }
        }
    }

    /// Takes the next job out.
    pub fn pop(&mut self, now: Timestamp) -> Option<Job> {
        let due = self.jobs.iter().enumerate().filter(|(_, job)| job.not_before <= now);
        let (place, _) =
            due.min_by_key(|(_, job)| (std::cmp::Reverse(job.severity), job.since, job.incident))?;
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
