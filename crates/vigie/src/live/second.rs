//! Second verdicts, live: incidents that the first analyst has judged and a language model has not.
//!
//! A consumer of its own: it reads what waits from the state, so a restart loses and repeats
//! nothing, and nobody waits for it. Each question runs on a thread of its own, which a stop does
//! not wait for. The live stream has no mark for what is untrusted, so it shows no second verdict.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinSet;
use vigie_analyzer::Case;
use vigie_analyzer::model::http::Server;
use vigie_analyzer::model::{
    Analyst, Asked, Breaker, Budget, Failed, Fault, Form, Found, INJECTION, Job, Model, Next,
    Outcome, Prompt, ask, delay_s, probe, prompt_id, second,
};
use vigie_event::{Clock, ModelStatus, ModelTrace, SystemClock, Timestamp};
use vigie_sigma::RuleSet;
use vigie_store::state::{AskedCase, State, StateError};

use crate::model::Configured;

/// How often to look although nobody woke us.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Incidents taken into the queue in one look: the worst, so the queue's order is that of all.
const BATCH: u64 = 100;
/// How old a first verdict may be to be asked about, in seconds. Verdicts are given without a model
/// too: when one is set up, a day of them is worth its tokens, and the years before are not.
const ASKED_FOR_S: i64 = 86_400;
/// How often the server is probed, in seconds.
const PROBE_EVERY_S: i64 = 86_400;
/// Where the tokens used today are kept.
const BUDGET: &str = "model.budget";

/// What the task works with.
pub struct Seconding {
    state: State,
    rules: watch::Receiver<Arc<RuleSet>>,
    /// Woken when there are new verdicts.
    judged: Arc<Notify>,
    server: Arc<Server>,
    model: Arc<Model>,
    analyst: Analyst,
    status: ModelStatus,
    /// What the last probe found; `None` while the server is to be probed.
    found: Option<Found>,
    probe_at: Timestamp,
    probes: Breaker,
}

/// A question that came back.
struct Back {
    job: Job,
    case: AskedCase,
    prompt: Prompt,
    result: Result<Asked, Failed>,
}

impl Seconding {
    /// The task for a configured model.
    pub async fn new(
        state: State,
        rules: watch::Receiver<Arc<RuleSet>>,
        judged: Arc<Notify>,
        configured: Configured,
    ) -> Result<Self, StateError> {
        let Configured { model, server, limits } = configured;
        let budget: Budget = state.setting(BUDGET).await?.unwrap_or_default();
        let status = ModelStatus {
            model: model.name.clone(),
            url: server.base().to_owned(),
            ..ModelStatus::default()
        };
        Ok(Self {
            state,
            rules,
            judged,
            server: Arc::new(server),
            model: Arc::new(model),
            analyst: Analyst::new(limits, budget),
            status,
            found: None,
            probe_at: Timestamp::from_nanos(i64::MIN),
            probes: Breaker::default(),
        })
    }

    /// Runs until `stop`.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        tokio::select! {
            () = self.work() => {}
            // An error means that the centre is gone, which ends the work too.
            _ = stop.wait_for(|stop| *stop) => {}
        }
    }

    async fn work(mut self) {
        let mut asking = JoinSet::new();
        let judged = Arc::clone(&self.judged);
        loop {
            let wait = match self.round(&mut asking).await {
                Ok(wait) => wait,
                Err(error) => {
                    tracing::error!(%error, "cannot ask the model; trying again");
                    LOOK_EVERY
                }
            };
            tokio::select! {
                Some(back) = asking.join_next() => match back {
                    Ok(back) => {
                        if let Err(error) = self.came_back(back).await {
                            tracing::error!(%error, "a second verdict was not kept; it is asked for again");
                        }
                    }
                    Err(error) => tracing::error!(%error, "a question has ended abnormally"),
                },
                () = judged.notified() => {}
                () = tokio::time::sleep(wait) => {}
            }
        }
    }

    /// Sends what may be sent now, and tells how many wait for their answer; returns how long to wait
    /// at most.
    async fn round(&mut self, asking: &mut JoinSet<Back>) -> Result<Duration, StateError> {
        let now = SystemClock.now();
        if now >= self.probe_at {
            self.probe().await?;
        }
        let Some(form) = self.found.as_ref().map(|found| found.form) else {
            return Ok(until(self.probe_at));
        };
        for waiting in self.state.cases_to_ask(now.plus_seconds(-ASKED_FOR_S), BATCH).await? {
            self.analyst.push(Job {
                incident: waiting.incident,
                revision: waiting.revision,
                severity: waiting.severity,
                last_seen: waiting.last_seen,
                attempts: 0,
                not_before: now,
            });
        }
        let wait = loop {
            let now = SystemClock.now();
            match self.analyst.next(now) {
                Next::Ask(job) => self.ask(job, form, asking).await?,
                Next::At(time) => break until(time),
                Next::Idle => break LOOK_EVERY,
            }
        };
        if self.status.waiting != self.analyst.waiting() as u64 {
            self.tell().await?;
        }
        Ok(wait)
    }

    /// Asks about one incident, unless its answer is known.
    async fn ask(
        &mut self,
        job: Job,
        form: Form,
        asking: &mut JoinSet<Back>,
    ) -> Result<(), StateError> {
        let case = match self.state.case_to_ask(job.incident).await {
            Ok(case) => case,
            Err(error @ StateError::Body { .. }) => {
                // Trying again would read the same; the others must not wait for it.
                tracing::error!(incident = %job.incident, %error, "cannot be asked about");
                self.analyst.passed_over(&job);
                self.status.fallbacks += 1;
                return self.state.give_up_asking(job.incident, job.revision).await;
            }
            Err(error) => {
                // It still waits in the state, so a later round takes it up again.
                self.analyst.passed_over(&job);
                return Err(error);
            }
        };
        let Some(case) = case else {
            self.analyst.passed_over(&job);
            return self.state.give_up_asking(job.incident, job.revision).await;
        };
        let now = SystemClock.now();
        let prompt = self.prompt(&case, now);
        if let Some(asked) = self.analyst.known(prompt.fingerprint).cloned() {
            self.analyst.passed_over(&job);
            self.status.cached += 1;
            self.keep(&case, &prompt, &asked, true, now).await?;
            return self.tell().await;
        }
        self.analyst.sent(now);
        let (server, model) = (Arc::clone(&self.server), Arc::clone(&self.model));
        let (send, answer) = oneshot::channel();
        let question = prompt.clone();
        let thread = std::thread::Builder::new().name("model".to_owned()).spawn(move || {
            // The receiver is gone only when the centre stops.
            let _ = send.send(ask(&*server, &model, form, &question, &SystemClock));
        });
        if let Err(error) = thread {
            tracing::error!(%error, "no thread for a question");
        }
        asking.spawn(async move {
            let result = answer.await.unwrap_or_else(|_| {
                let fault = Fault::Unreachable("the question's thread has ended".to_owned());
                Err(Failed::Server(fault, 0))
            });
            Back { job, case, prompt, result }
        });
        Ok(())
    }

    fn prompt(&self, asked: &AskedCase, now: Timestamp) -> Prompt {
        let rules = Arc::clone(&self.rules.borrow());
        let guidance = |id: &str| rules.by_id(id).map(|rule| &rule.guidance);
        let case =
            Case { incident: &asked.incident, alerts: &asked.alerts, guidance: &guidance, now };
        let (name, notes, lang) = (&self.model.name, self.model.notes, self.model.lang);
        Prompt::of(&case, &asked.first, name, notes, lang, random())
    }

    async fn came_back(&mut self, back: Back) -> Result<(), StateError> {
        let Back { job, case, prompt, result } = back;
        let now = SystemClock.now();
        match result {
            Ok(asked) => {
                self.analyst.answered(&job, prompt.fingerprint, &asked, now);
                self.answers(now);
                self.status.repaired += u64::from(asked.repaired);
                self.keep(&case, &prompt, &asked, false, now).await?;
            }
            Err(failed) => {
                let chance = (random() as u64 as f64) / (u64::MAX as f64);
                let outcome = self.analyst.failed(&job, &failed, chance, now);
                tracing::debug!(incident = %job.incident, ?failed, ?outcome, "no second verdict");
                match &failed {
                    Failed::Server(fault, _) => self.troubled(fault, now),
                    Failed::Invalid(..) => self.answers(now),
                }
                if outcome == Outcome::GivenUp {
                    self.status.fallbacks += 1;
                    self.state.give_up_asking(job.incident, case.first.revision).await?;
                }
            }
        }
        self.tell().await?;
        self.state.remember(BUDGET, &self.analyst.budget()).await
    }

    /// Keeps the verdict that `asked` is.
    async fn keep(
        &mut self,
        asked_about: &AskedCase,
        prompt: &Prompt,
        asked: &Asked,
        cached: bool,
        now: Timestamp,
    ) -> Result<(), StateError> {
        let trace = ModelTrace {
            version: asked.version.clone(),
            prompt: prompt_id(self.model.notes, self.model.lang),
            prompt_tokens: asked.prompt_tokens,
            answer_tokens: asked.answer_tokens,
            latency_ms: asked.latency_ms,
            schema_enforced: self.found.as_ref().is_some_and(|found| found.enforced),
            repaired: asked.repaired,
            cached,
            ..ModelTrace::default()
        };
        // An attacker who raises many alerts must not push the telling one out of the case.
        let spoken_to = self.state.carries(asked_about.incident.id, INJECTION).await?;
        let verdict = {
            let AskedCase { incident, alerts, first } = asked_about;
            let case = Case { incident, alerts, guidance: &|_| None, now };
            second(&case, first, &prompt.offer, &asked.answer, spoken_to, &self.model.name, trace)
        };
        self.state.save_second(&verdict).await?;
        self.status.verdicts += 1;
        Ok(())
    }

    /// Finds out how the server is doing, and how it wants to be spoken to.
    async fn probe(&mut self) -> Result<(), StateError> {
        let (server, model) = (Arc::clone(&self.server), Arc::clone(&self.model));
        let nonce = random() as u64;
        let (send, answer) = oneshot::channel();
        let thread = std::thread::Builder::new().name("model".to_owned()).spawn(move || {
            // The receiver is gone only when the centre stops.
            let _ = send.send(probe(&*server, &model, nonce, &SystemClock));
        });
        if let Err(error) = thread {
            tracing::error!(%error, "no thread for the probe");
        }
        let result = answer.await.unwrap_or(Err(Fault::Unreachable("no probe".to_owned())));
        let now = SystemClock.now();
        match result {
            Ok(found) => {
                tracing::info!(
                    model = self.model.name,
                    form = found.form.name(),
                    enforced = found.enforced,
                    "the model answers"
                );
                self.answers(now);
                self.status.latency_ms = Some(found.latency_ms);
                self.status.schema_enforced = Some(found.enforced);
                found.form.name().clone_into(&mut self.status.form);
                self.status.version.clone_from(&found.version);
                self.found = Some(found);
                self.probes.succeeded();
                self.probe_at = now.plus_seconds(PROBE_EVERY_S);
            }
            Err(fault) => {
                // What was found before may hold no more.
                self.found = None;
                self.troubled(&fault, now);
            }
        }
        self.tell().await
    }

    /// The server does its part.
    fn answers(&mut self, now: Timestamp) {
        self.status.reachable = true;
        self.status.problem.clear();
        self.status.checked = now;
    }

    /// The server does not do its part: it is probed again before anything else is asked, later
    /// and later while it stays so.
    fn troubled(&mut self, fault: &Fault, now: Timestamp) {
        if self.status.problem.is_empty() {
            tracing::warn!(model = self.model.name, problem = %fault, "the model does not answer");
        }
        self.status.reachable = matches!(fault, Fault::Busy(_));
        self.status.problem = fault.to_string();
        self.status.checked = now;
        if self.found.is_none() || !fault.is_passing() {
            self.found = None;
            self.probes.failed(now);
            let soon = now.plus_seconds(LOOK_EVERY.as_secs() as i64);
            self.probe_at = self.probes.open_until(now).unwrap_or(soon);
            if let Fault::Busy(asked_for) = fault {
                let asked_for = now.plus_seconds(delay_s(1, 0.0, *asked_for));
                self.probe_at = self.probe_at.max(asked_for);
            }
        }
    }

    async fn tell(&mut self) -> Result<(), StateError> {
        let now = SystemClock.now();
        self.status.waiting = self.analyst.waiting() as u64;
        self.status.tokens_today = self.analyst.budget().used(now);
        self.state.set_model_status(Some(&self.status)).await
    }
}

/// How long to wait for `time`.
fn until(time: Timestamp) -> Duration {
    let nanos = time.since(SystemClock.now()).max(0);
    Duration::from_nanos(nanos.unsigned_abs()).min(LOOK_EVERY)
}

fn random() -> u128 {
    let mut bytes = [0; 16];
    // Without random numbers a fixed mark still fences, though it could be known.
    if let Err(error) = getrandom::fill(&mut bytes) {
        tracing::error!(%error, "no random numbers");
    }
    u128::from_be_bytes(bytes)
}
