//! What is asked next, and what becomes of it: queue, cache, limits and breaker in one, without
//! I/O, clock or chance of its own.

use vigie_event::{IncidentId, Timestamp};

use super::ask::{Asked, Failed};
use super::backoff::delay_s;
use super::breaker::Breaker;
use super::budget::{Budget, Pace};
use super::cache::Cache;
use super::fault::Fault;
use super::queue::{Job, Queue};

/// Answers kept.
const CACHED: usize = 2_000;

/// How much may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Questions at the same time, at least 1.
    pub concurrency: usize,
    /// Questions a minute; 0 is no limit.
    pub per_minute: u32,
    /// Tokens a day (UTC); 0 is no limit.
    pub tokens_per_day: u64,
    /// Tries for one incident.
    pub attempts: u32,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Ask about this incident; tell the end with [`Analyst::answered`], [`Analyst::failed`] or
    /// [`Analyst::passed_over`].
    Ask(Job),
    /// Nothing before this time.
    At(Timestamp),
    /// Nothing until something is pushed or answered.
    Idle,
}

/// What became of a question that failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is tried again later.
    Again,
    /// The first verdict stands alone.
    GivenUp,
}

/// The scheduler.
#[derive(Clone, Debug)]
pub struct Analyst {
    limits: Limits,
    queue: Queue,
    cache: Cache,
    budget: Budget,
    pace: Pace,
    breaker: Breaker,
    asking: Vec<IncidentId>,
    /// Times in a row that the server was too busy to answer.
    busy: u32,
}

impl Analyst {
    /// A scheduler that has used `budget` already.
    pub fn new(limits: Limits, budget: Budget) -> Self {
        Self {
            limits,
            queue: Queue::default(),
            cache: Cache::new(CACHED),
            budget,
            pace: Pace::per_minute(limits.per_minute),
            breaker: Breaker::default(),
            asking: Vec::new(),
            busy: 0,
        }
    }

    /// Adds an incident, unless it is being asked about now.
    pub fn push(&mut self, job: Job) {
        if !self.asking.contains(&job.incident) {
            self.queue.push(job);
        }
    }

    /// What to do now.
    pub fn next(&mut self, now: Timestamp) -> Next {
        if self.asking.len() >= self.limits.concurrency.max(1) {
            return Next::Idle;
        }
        let Some(due) = self.queue.due() else { return Next::Idle };
        let mut free = due.max(self.pace.next());
        if let Some(until) = self.breaker.open_until(now) {
            free = free.max(until);
        } else if self.breaker.is_open() && !self.asking.is_empty() {
            // One try at a time while it is not known whether the server is back.
            return Next::Idle;
        }
        if !self.budget.allows(self.limits.tokens_per_day, now) {
            free = free.max(Budget::renewed(now));
        }
        if free > now {
            return Next::At(free);
        }
        match self.queue.pop(now) {
            Some(job) => {
                self.asking.push(job.incident);
                Next::Ask(job)
            }
            None => Next::Idle,
        }
    }

    /// The answer that is known for a question with this fingerprint.
    pub fn known(&self, fingerprint: u64) -> Option<&Asked> {
        self.cache.get(fingerprint)
    }

    /// A question goes out.
    pub fn sent(&mut self, now: Timestamp) {
        self.pace.asked(now);
    }

    /// A valid answer came.
    pub fn answered(&mut self, job: &Job, fingerprint: u64, asked: &Asked, now: Timestamp) {
        self.ended(job);
        self.breaker.succeeded();
        self.busy = 0;
        self.budget.spend(u64::from(asked.prompt_tokens) + u64::from(asked.answer_tokens), now);
        self.cache.put(fingerprint, asked.clone());
    }

    /// No valid answer came. `chance` (0 to 1) spreads tries over time.
    pub fn failed(&mut self, job: &Job, failed: &Failed, chance: f64, now: Timestamp) -> Outcome {
        self.ended(job);
        let fault = match failed {
            Failed::Invalid(_, tokens) => {
                // The server lives; asking the same again would give the same.
                self.breaker.succeeded();
                self.busy = 0;
                self.budget.spend(u64::from(*tokens), now);
                return Outcome::GivenUp;
            }
            Failed::Server(fault, tokens) => {
                self.budget.spend(u64::from(*tokens), now);
                fault
            }
        };
        if let Fault::Busy(asked_for) = fault {
            // The server's limit is not this incident's fault, and holds for all that wait.
            self.busy = self.busy.saturating_add(1);
            let not_before = now.plus_seconds(delay_s(self.busy, chance, *asked_for));
            self.pace.hold(not_before);
            self.queue.push(Job { not_before, ..*job });
            return Outcome::Again;
        }
        self.breaker.failed(now);
        let attempts = job.attempts.saturating_add(1);
        let alone = self.breaker.is_open();
        // While the server is dead no incident loses its tries.
        if attempts >= self.limits.attempts && !(alone && fault.is_passing()) {
            return Outcome::GivenUp;
        }
        let not_before = now.plus_seconds(delay_s(attempts, chance, None));
        let attempts = attempts.min(self.limits.attempts.saturating_sub(1));
        self.queue.push(Job { attempts, not_before, ..*job });
        Outcome::Again
    }

    /// Nothing had to be asked: the answer was known, or the incident is gone or closed.
    pub fn passed_over(&mut self, job: &Job) {
        self.ended(job);
    }

    /// How many incidents wait.
    pub fn waiting(&self) -> usize {
        self.queue.len() + self.asking.len()
    }

    /// What has been used today.
    pub const fn budget(&self) -> Budget {
        self.budget
    }

    /// Whether the server is taken to be dead.
    pub const fn is_open(&self) -> bool {
        self.breaker.is_open()
    }

    fn ended(&mut self, job: &Job) {
        self.asking.retain(|incident| *incident != job.incident);
    }
}
