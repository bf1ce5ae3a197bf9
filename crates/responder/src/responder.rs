//! From verdicts to decisions.

mod banning;

use std::sync::Arc;

use serde_json::json;
use smallvec::SmallVec;
use vigie_event::{
    Action, Decision, DecisionId, DecisionStatus, FieldValues, Incident, IncidentId,
    IncidentStatus, Langs, Localized, Mode, Timestamp, Verdict,
};

use crate::bans::Bans;
use crate::policy::{Policy, PolicyRule, Step};
use crate::protection::Protection;
use crate::response::{NewTicket, OutboxEntry, Response};
use crate::wording;

/// Decides what follows from verdicts. Pure: it changes its own [`Bans`] and nothing else.
///
/// Deciding is idempotent: who gives it the earlier decisions of an incident gets none of them
/// again, however often the verdict is renewed.
#[derive(Clone, Debug)]
pub struct Responder {
    policy: Arc<Policy>,
    mode: Mode,
    bans: Bans,
    langs: Langs,
    /// Whether what is to be stored and delivered is made, beside the decisions.
    effects: bool,
}

/// What a ban is decided on.
pub(crate) struct Order<'o> {
    pub(crate) incident: IncidentId,
    pub(crate) policy: &'o str,
    pub(crate) why: &'o Localized,
    pub(crate) first_s: Option<u64>,
    pub(crate) earlier: &'o [Decision],
    pub(crate) protection: &'o Protection,
    pub(crate) now: Timestamp,
}

/// What became of an order to ban.
pub(crate) enum BanOutcome {
    /// Decided now; the reason is its own.
    Decided(DecisionStatus, Localized),
    /// Decided before, or in force already.
    Standing,
}

impl Responder {
    /// A responder without bans.
    pub fn new(policy: Policy, mode: Mode) -> Self {
        Self {
            policy: Arc::new(policy),
            mode,
            bans: Bans::default(),
            langs: Langs::default(),
            effects: true,
        }
    }

    /// Makes decisions alone: for who shows what would be done, and neither stores nor delivers
    /// anything.
    #[must_use]
    pub fn only_deciding(mut self) -> Self {
        self.effects = false;
        self
    }

    /// Starts from `bans`, as the store kept them.
    #[must_use]
    pub fn with_bans(mut self, bans: Bans) -> Self {
        self.bans = bans;
        self
    }

    /// The policy in use.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether effects are real.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Gives the reasons of what is decided from now on in `langs`.
    pub fn speak(&mut self, langs: Langs) {
        self.langs = langs;
    }

    /// The languages in which reasons are given.
    pub(crate) fn langs(&self) -> Langs {
        self.langs
    }

    /// Bans in force and their history.
    pub fn bans(&self) -> &Bans {
        &self.bans
    }

    /// Bans in force and their history, to change: people lift bans, the clock ends them.
    pub fn bans_mut(&mut self) -> &mut Bans {
        &mut self.bans
    }

    /// Decides what follows from `verdict` on `incident` at `now`, given the incident's
    /// `earlier` decisions. A closed incident is left alone.
    pub fn decide(
        &mut self,
        verdict: &Verdict,
        incident: &Incident,
        earlier: &[Decision],
        protection: &Protection,
        now: Timestamp,
    ) -> Response {
        let mut response = Response::default();
        if incident.status == IncidentStatus::Closed {
            return response;
        }
        let policy = Arc::clone(&self.policy);
        let Some(rule) = policy.rule_for(verdict, incident) else {
            return response;
        };
        let order = Order {
            incident: incident.id,
            policy: &rule.name,
            why: &rule.reason,
            first_s: rule.duration_s,
            earlier,
            protection,
            now,
        };
        for step in &rule.steps {
            match step.action {
                Action::BlockIp => self.ban_targets(&order, verdict, incident, &mut response),
                _ => self.other(step, &order, rule, verdict, incident, &mut response),
            }
        }
        response
    }

    /// Everything but bans: once an incident, whatever the rule that asks for it.
    fn other(
        &self,
        step: &Step,
        order: &Order<'_>,
        rule: &PolicyRule,
        verdict: &Verdict,
        incident: &Incident,
        response: &mut Response,
    ) {
        let done = |actions: &[Action]| {
            let known = order.earlier.iter().chain(&response.decisions);
            known.filter(|known| self.answers(known)).any(|it| actions.contains(&it.action))
        };
        // An escalation opens its ticket in either mode.
        let has_ticket = order
            .earlier
            .iter()
            .chain(&response.decisions)
            .any(|it| matches!(it.action, Action::CreateTicket | Action::Escalate));
        let occurrence = step.name.as_deref().unwrap_or_default();
        let mut target = FieldValues::one(&incident.actor.field, &incident.actor.value);
        if let Some(name) = &step.name {
            target.insert("name", name);
        }
        let repeats = match step.action {
            Action::CreateTicket => has_ticket,
            // Whoever is acted on already is watched by that.
            Action::Monitor | Action::Ignore => !order.earlier.is_empty() || done(&[step.action]),
            Action::RunPlaybook | Action::RunCommand => {
                order.earlier.iter().chain(&response.decisions).any(|decision| {
                    self.answers(decision)
                        && decision.action == step.action
                        && decision.target.get("name") == Some(occurrence)
                })
            }
            action => done(&[action]),
        };
        if repeats {
            return;
        }
        let reason = wording::sentence(self.langs, &rule.reason);
        let mut decision = self.decision(order, step.action, target, 0, reason);
        let opens_ticket = matches!(step.action, Action::CreateTicket | Action::Escalate);
        if self.effects && opens_ticket && !has_ticket {
            response.tickets.push(NewTicket {
                incident: incident.id,
                decision: decision.id,
                severity: verdict.severity,
                category: verdict.category,
                title: incident.title.clone(),
                explanation: verdict.summary.clone(),
            });
        }
        if is_inside(step.action) {
            decision.status = self.status_inside();
        } else if self.effects {
            response.outbox.push(self.effect(&decision, told(step, rule, verdict, incident)));
        }
        response.decisions.push(decision);
    }

    pub(crate) fn decision(
        &self,
        order: &Order<'_>,
        action: Action,
        target: FieldValues,
        occurrence: usize,
        reason: Localized,
    ) -> Decision {
        Decision {
            id: decision_id(order, self.mode, action, &target, occurrence),
            incident: order.incident,
            action,
            target,
            duration_s: None,
            mode: self.mode,
            status: DecisionStatus::Pending,
            policy: order.policy.into(),
            reason,
            created: order.now,
            expires: None,
        }
    }

    /// Whether an earlier decision keeps its like from being decided now. What was only simulated
    /// does not once effects are real, but for what is Vigie's own, such as tickets, and for what
    /// a person has taken back.
    pub(crate) fn answers(&self, earlier: &Decision) -> bool {
        earlier.mode == self.mode
            || is_inside(earlier.action)
            || earlier.status == DecisionStatus::Undone
    }

    /// The effect of `decision`, which is no ban, to be delivered.
    pub(crate) fn effect(&self, decision: &Decision, payload: serde_json::Value) -> OutboxEntry {
        OutboxEntry {
            idempotency_key: format!("{}/{}/do", decision.id, self.mode),
            kind: decision.action,
            mode: self.mode,
            payload,
            decision: decision.id,
        }
    }

    /// Where a decision stands that is done with the transaction that keeps it, so that nothing
    /// is left to deliver.
    pub(crate) fn status_inside(&self) -> DecisionStatus {
        match self.mode {
            Mode::DryRun => DecisionStatus::Simulated,
            Mode::Enforce => DecisionStatus::Applied,
        }
    }
}

/// Whether an action is done with the transaction that keeps its decision.
fn is_inside(action: Action) -> bool {
    matches!(action, Action::CreateTicket | Action::Monitor | Action::Ignore)
}

/// A function of incident, action, target, policy, mode and occurrence; it carries the incident's
/// time.
fn decision_id(
    order: &Order<'_>,
    mode: Mode,
    action: Action,
    target: &FieldValues,
    occurrence: usize,
) -> DecisionId {
    let incident = order.incident;
    let millis = (incident.as_u128() >> 80) as i64;
    let time = Timestamp::from_nanos(millis.saturating_mul(1_000_000));
    let incident_bytes = incident.as_u128().to_be_bytes();
    let occurrence_bytes = occurrence.to_le_bytes();
    let mut parts: SmallVec<[&[u8]; 8]> = SmallVec::new();
    parts.extend([&incident_bytes, action.name().as_bytes()]);
    for (field, value) in target.iter() {
        parts.extend([field.as_bytes(), value.as_bytes()]);
    }
    parts.extend([order.policy.as_bytes(), mode.name().as_bytes()]);
    if occurrence > 0 {
        parts.push(&occurrence_bytes);
    }
    DecisionId::derive(time, &parts)
}

/// What a notice, a webhook or a playbook is told.
fn told(
    step: &Step,
    rule: &PolicyRule,
    verdict: &Verdict,
    incident: &Incident,
) -> serde_json::Value {
    json!({
        "name": step.name,
        "policy": rule.name,
        "reason": rule.reason,
        "incident": {
            "id": incident.id,
            "title": incident.title,
            "first_seen": incident.first_seen,
            "last_seen": incident.last_seen,
            "actor": incident.actor,
            "entities": incident.entities,
            "alerts": incident.alerts,
        },
        "verdict": {
            "severity": verdict.severity,
            "category": verdict.category,
            "confidence": verdict.confidence,
            "false_positive": verdict.false_positive,
            "attack": verdict.attack,
            "summary": verdict.summary,
            "recommendations": verdict.recommendations,
            "advice": verdict.advice,
        },
    })
}

#[cfg(test)]
mod tests;
