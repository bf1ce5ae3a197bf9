//! Decisions, live: verdicts that nothing has been decided on yet, and the outbox.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, Notify, watch};
use vigie_event::{Clock, Decision, DecisionStatus, Mode, SystemClock, Timestamp};
use vigie_responder::{
    AdminPorts, Allowed, Bans, PastBan, Policy, Protection, Responder, Response,
};
use vigie_store::state::{
    Ban, BanFilter, BanStatus, DecisionFilter, NewTicket, OutboxEntry, PageRequest, ResponseBatch,
    State, StateError,
};

use super::feed::Feed;

/// Verdicts decided in one look.
const BATCH: u64 = 64;
/// How often to look although nobody woke us.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Effects taken from the outbox at once.
const EFFECTS: u64 = 64;
/// Earlier decisions of an incident that are looked at.
const EARLIER: u64 = 500;

/// Decides and delivers. Shared with the agents' interface, so that all decisions see all bans.
#[derive(Clone)]
pub struct Responding {
    pub state: State,
    responder: Arc<Mutex<Responder>>,
    ports: AdminPorts,
    allow: Arc<Vec<Allowed>>,
    feed: Feed,
    /// There are verdicts to decide on, or effects to deliver.
    wake: Arc<Notify>,
}

impl Responding {
    /// A responder that knows the bans in force and the earlier ones; `wake` sets it to work.
    pub async fn new(
        state: State,
        policy: Policy,
        mode: Mode,
        ports: AdminPorts,
        allow: Vec<Allowed>,
        feed: Feed,
        wake: Arc<Notify>,
    ) -> Result<Self, StateError> {
        let mut page = PageRequest { limit: 1_000, after: None };
        let (mut active, mut past) = (Vec::new(), Vec::new());
        loop {
            let bans = state.bans(&BanFilter::default(), &page).await?;
            for ban in bans.items {
                match (ban.status, ban.expires, ban.incident, ban.decision) {
                    (BanStatus::Active, Some(expires), Some(incident), Some(decision)) => {
                        active.push(vigie_responder::Ban {
                            network: ban.target,
                            incident,
                            decision,
                            reason: ban.reason,
                            created: ban.created,
                            expires,
                            mode: ban.mode,
                            status: DecisionStatus::Pending,
                        });
                    }
                    _ => past.push(PastBan {
                        network: ban.target,
                        created: ban.created,
                        mode: ban.mode,
                    }),
                }
            }
            match bans.next {
                Some(after) => page.after = Some(after),
                None => break,
            }
        }
        let responder = Responder::new(policy, mode).with_bans(Bans::restore(active, past));
        Ok(Self {
            state,
            responder: Arc::new(Mutex::new(responder)),
            ports,
            allow: Arc::new(allow),
            feed,
            wake,
        })
    }

    /// Whom not to ban now; read anew for each decision.
    pub async fn protection(&self, now: Timestamp) -> Result<Protection, StateError> {
        let listed = self.state.allowed(now).await?.into_iter().map(|entry| Allowed {
            network: entry.target,
            reason: entry.reason,
            expires: entry.expires,
        });
        let configured = self.allow.iter().cloned();
        Ok(Protection::read(&self.ports, now).allowing(listed.chain(configured)))
    }

    /// The responder itself, for as long as the guard lives.
    pub async fn responder(&self) -> tokio::sync::MutexGuard<'_, Responder> {
        self.responder.lock().await
    }

    /// Sets the responder to work: something was put into the outbox.
    pub fn wake(&self) {
        self.wake.notify_one();
    }

    /// Runs until `stop`.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            if let Err(error) = self.round().await {
                tracing::error!(%error, "cannot decide; trying again");
            }
            tokio::select! {
                () = self.wake.notified() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                _ = stop.changed() => return,
            }
        }
    }

    async fn round(&self) -> Result<(), StateError> {
        self.end_bans().await?;
        loop {
            let verdicts = self.state.verdicts_to_decide(BATCH).await?;
            if verdicts.is_empty() {
                break;
            }
            for (verdict, incident) in verdicts {
                let now = SystemClock.now();
                let protection = self.protection(now).await?;
                let earlier = self.earlier(&incident.id).await?;
                let mut responder = self.responder.lock().await;
                // Kept back until the store has it: a failed transaction must leave no ban behind
                // in memory only.
                let before = responder.bans().clone();
                let response = responder.decide(&verdict, &incident, &earlier, &protection, now);
                let batch = stored(&response, now);
                if let Err(error) = self.state.save_decisions(&verdict, &batch).await {
                    *responder.bans_mut() = before;
                    return Err(error);
                }
                for decision in &response.decisions {
                    self.feed.decision(decision);
                }
            }
        }
        self.deliver().await
    }

    async fn earlier(
        &self,
        incident: &vigie_event::IncidentId,
    ) -> Result<Vec<Decision>, StateError> {
        let filter = DecisionFilter { incident: Some(*incident), ..DecisionFilter::default() };
        let page = PageRequest { limit: EARLIER, after: None };
        let page = self.state.decisions(&filter, &page).await?;
        Ok(page.items.into_iter().map(|stored| stored.decision).collect())
    }

    /// Ends bans whose time is over, and forgets those that people have lifted.
    async fn end_bans(&self) -> Result<(), StateError> {
        let now = SystemClock.now();
        self.state.expire_bans(now).await?;
        let mut responder = self.responder.lock().await;
        responder.bans_mut().expire(now);
        let in_force: Vec<_> =
            responder.bans().active(now).map(|ban| (ban.network, ban.mode, ban.decision)).collect();
        if in_force.is_empty() {
            return Ok(());
        }
        let stored = self.state.active_bans().await?;
        for (network, mode, decision) in in_force {
            if !stored.iter().any(|ban| ban.decision == Some(decision)) {
                responder.bans_mut().lift(&network, mode, false);
            }
        }
        Ok(())
    }

    /// Delivers what is due of the dry run: everything is done but the last call, which would
    /// change something outside. Real effects have no worker yet, and stay where they are.
    async fn deliver(&self) -> Result<(), StateError> {
        loop {
            let now = SystemClock.now();
            let due = self.state.outbox_due(Mode::DryRun, now, EFFECTS).await?;
            if due.is_empty() {
                return Ok(());
            }
            for item in due {
                tracing::debug!(kind = item.entry.kind, key = item.entry.key, "simulated");
                let outcome = Some((DecisionStatus::Simulated, None));
                let changed = self.state.outbox_done(&item.entry.key, outcome).await?;
                if let Some(decision) = &changed {
                    self.feed.decision(decision);
                }
            }
        }
    }
}

/// A response as the store keeps it.
pub fn stored(response: &Response, now: Timestamp) -> ResponseBatch {
    let bans = response.bans.iter().map(|ban| Ban {
        id: ban.decision.to_string(),
        target: ban.network,
        reason: ban.reason.clone(),
        incident: Some(ban.incident),
        decision: Some(ban.decision),
        created: ban.created,
        expires: Some(ban.expires),
        mode: ban.mode,
        status: BanStatus::Active,
        ended: None,
        ended_by: None,
    });
    let tickets = response.tickets.iter().map(|ticket| NewTicket {
        key: ticket.decision.to_string(),
        incident: Some(ticket.incident),
        severity: ticket.severity,
        category: ticket.category,
        title: ticket.title.clone(),
        explanation: ticket.explanation.clone(),
        event: None,
        created: now,
    });
    let outbox = response.outbox.iter().map(|effect| OutboxEntry {
        key: effect.idempotency_key.clone(),
        kind: effect.kind.name().to_owned(),
        mode: effect.mode,
        incident: None,
        decision: Some(effect.decision),
        payload: effect.payload.clone(),
        created: now,
        next_try: now,
    });
    ResponseBatch {
        decisions: response.decisions.clone(),
        bans: bans.collect(),
        tickets: tickets.collect(),
        outbox: outbox.collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use vigie_event::Lang;
    use vigie_responder::agents;
    use vigie_store::state::OutboxStatus;

    use super::*;

    const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

    /// A ban and an escalation, decided in `mode` and kept.
    async fn decide(state: &State, mode: Mode) -> Vec<Decision> {
        let protection = Protection::of(Vec::new(), NOW);
        let mut responder = Responder::new(Policy::shipped(), mode);
        let mut decisions = Vec::new();
        for action in ["block_ip", "escalate"] {
            let result = json!({
                "recommended_action": action,
                "original_event": { "src": "203.0.113.7", "type": mode.name() },
            });
            let ticket = &mut |_: &vigie_responder::NewTicket| String::new();
            let answer =
                agents::respond_to(&result, &mut responder, &protection, NOW, Lang::En, ticket)
                    .unwrap();
            state.save_response(&stored(&answer.response, NOW)).await.unwrap();
            decisions.extend(answer.response.decisions);
        }
        decisions
    }

    #[tokio::test]
    async fn delivering_simulates_the_dry_run_and_touches_nothing_real() {
        let state = State::in_memory().await.unwrap();
        let responding = Responding::new(
            state.clone(),
            Policy::shipped(),
            Mode::DryRun,
            AdminPorts::default(),
            Vec::new(),
            Feed::new(),
            Arc::default(),
        )
        .await
        .unwrap();
        for (mode, status, left) in [
            (Mode::DryRun, DecisionStatus::Simulated, OutboxStatus::Done),
            (Mode::Enforce, DecisionStatus::Pending, OutboxStatus::Pending),
        ] {
            let decisions = decide(&state, mode).await;
            assert!(decisions.iter().all(|decision| decision.status == DecisionStatus::Pending));
            responding.deliver().await.unwrap();
            for decision in decisions {
                let kept = state.decision(decision.id).await.unwrap().unwrap().decision;
                assert_eq!((kept.action, kept.status), (decision.action, status));
            }
            let outbox = state.outbox(&[], &PageRequest::default()).await.unwrap().items;
            let of_mode: Vec<_> = outbox.iter().filter(|item| item.entry.mode == mode).collect();
            assert!(!of_mode.is_empty() && of_mode.iter().all(|item| item.status == left));
        }
    }
}
