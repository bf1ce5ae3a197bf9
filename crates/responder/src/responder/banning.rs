//! Bans: whom, for how long, and whom not.

use std::cell::LazyCell;

use ipnet::IpNet;
use serde_json::json;
use vigie_event::{
    Action, Decision, DecisionStatus, FieldValues, Incident, Localized, Timestamp, Verdict,
};

use super::{BanOutcome, Order, Responder};
use crate::bans::Ban;
use crate::net;
use crate::protection::Protection;
use crate::response::{OutboxEntry, Response};
use crate::wording::{self, BanTold};

impl Responder {
    /// Carries out a ban that waited for approval, unless its target has come under protection
    /// meanwhile. Decisions of other kinds, or in another state, give nothing.
    pub fn approve(
        &mut self,
        decision: &Decision,
        protection: &Protection,
        now: Timestamp,
    ) -> Response {
        let mut response = Response::default();
        let waits = decision.status == DecisionStatus::AwaitingApproval;
        if decision.action != Action::BlockIp || !waits {
            return response;
        }
        let Some(target) = decision.target.get("source.ip") else {
            return response;
        };
        let mut decided = decision.clone();
        match checked_network(protection, net::parse(target), now) {
            Ok(network) => {
                let duration_s = decision.duration_s.unwrap_or(self.policy.bans.first_s);
                decided.expires = Some(after(now, duration_s));
                self.put_in_force(&mut decided, network, duration_s, now, &mut response);
            }
            Err(told) => {
                decided.status = DecisionStatus::Refused;
                decided.reason = wording::ban(self.langs, target, &told.as_told());
                decided.expires = None;
            }
        }
        response.decisions.push(decided);
        response
    }

    /// Takes `decision` back: lifts its ban, and does not count it as an earlier one. What is
    /// over, refused or taken back already gives nothing.
    pub fn undo(&mut self, decision: &Decision) -> Response {
        use DecisionStatus::{Expired, Failed, Refused, Undone};
        let mut response = Response::default();
        if matches!(decision.status, Expired | Failed | Refused | Undone) {
            return response;
        }
        let mut undone = decision.clone();
        undone.status = DecisionStatus::Undone;
        if let Some(network) = self.bans.network_of(decision.id, decision.mode)
            && let Some(mut ban) = self.bans.lift(&network, decision.mode, true)
        {
            response.outbox.push(lift_entry(&ban));
            ban.status = DecisionStatus::Undone;
            response.bans.push(ban);
        }
        response.decisions.push(undone);
        response
    }

    pub(super) fn ban_targets(
        &mut self,
        order: &Order<'_>,
        verdict: &Verdict,
        incident: &Incident,
        response: &mut Response,
    ) {
        let mut targets: Vec<&str> = verdict
            .recommendations
            .iter()
            .filter(|advice| advice.action == Action::BlockIp)
            .filter_map(|advice| advice.target.get("source.ip"))
            .collect();
        if targets.is_empty() && incident.actor.field == "source.ip" {
            targets.push(&incident.actor.value);
        }
        for target in targets {
            if stands_in_evidence(incident, target) {
                self.ban(order, target, response);
            } else {
                self.refuse(order, target, &BanTold::NotInEvidence, response);
            }
        }
    }

    /// Bans `target` (an address, or a network), unless it is decided already, in force, or must
    /// not be.
    pub(crate) fn ban(
        &mut self,
        order: &Order<'_>,
        target: &str,
        response: &mut Response,
    ) -> BanOutcome {
        let parsed = net::parse(target);
        let shown = parsed.map_or_else(|| target.to_owned(), |net| net::display(&net));
        let mine = || {
            order.earlier.iter().chain(&response.decisions).filter(|decision| {
                self.answers(decision)
                    && decision.action == Action::BlockIp
                    && decision.target.get("source.ip") == Some(shown.as_str())
            })
        };
        if mine().any(|decision| stands(decision, order.now)) {
            return BanOutcome::Standing;
        }
        let network = match checked_network(order.protection, parsed, order.now) {
            Ok(network) => network,
            Err(refused) => return self.refuse(order, &shown, &refused.as_told(), response),
        };
        // An incident outlives its ban when the attack goes on: each new ban is a new decision.
        let occurrence = mine().filter(|decision| is_over(decision, order.now)).count();

        let terms = self.policy.bans;
        let earlier = self.bans.earlier(&network, self.mode, &terms, order.now);
        let duration_s = terms.duration_s(order.first_s, earlier);
        let expires = after(order.now, duration_s);
        if let Some(ban) = self.bans.covering(&network, self.mode, order.now) {
            // Extended only when that adds half a ban or more, else every renewed verdict on a
            // neighbour incident would push the end a little further.
            let gained_s = expires.since(ban.expires) / 1_000_000_000;
            if ban.network != network || gained_s < (duration_s / 2) as i64 {
                return BanOutcome::Standing;
            }
            if let Some(ban) = self.bans.extend(&network, self.mode, expires)
                && self.effects
            {
                response.outbox.push(ban_entry(&ban, order.now));
                response.bans.push(ban);
            }
            return BanOutcome::Standing;
        }

        let mut decision =
            self.decision(order, Action::BlockIp, source(&shown), occurrence, Localized::default());
        decision.duration_s = Some(duration_s);
        if self.bans.has_room(&terms, order.now) {
            decision.expires = Some(expires);
            let told = BanTold::Given { duration_s, earlier, why: order.why };
            decision.reason = wording::ban(self.langs, &shown, &told);
            self.put_in_force(&mut decision, network, duration_s, order.now, response);
        } else {
            let told = BanTold::Waiting { duration_s, per_minute: terms.per_minute };
            decision.reason = wording::ban(self.langs, &shown, &told);
            decision.status = DecisionStatus::AwaitingApproval;
        }
        let outcome = BanOutcome::Decided(decision.status, decision.reason.clone());
        response.decisions.push(decision);
        outcome
    }

    fn refuse(
        &self,
        order: &Order<'_>,
        target: &str,
        told: &BanTold<'_>,
        response: &mut Response,
    ) -> BanOutcome {
        let target = wording::plain(target).into_owned();
        let reason = wording::ban(self.langs, &target, told);
        let known = order.earlier.iter().chain(&response.decisions).any(|decision| {
            decision.action == Action::BlockIp
                && decision.target.get("source.ip") == Some(target.as_str())
        });
        if !known {
            let mut decision =
                self.decision(order, Action::BlockIp, source(&target), 0, reason.clone());
            decision.status = DecisionStatus::Refused;
            response.decisions.push(decision);
        }
        BanOutcome::Decided(DecisionStatus::Refused, reason)
    }

    fn put_in_force(
        &mut self,
        decision: &mut Decision,
        network: IpNet,
        duration_s: u64,
        now: Timestamp,
        response: &mut Response,
    ) {
        decision.mode = self.mode;
        decision.status = DecisionStatus::Pending;
        let ban = Ban {
            network,
            incident: decision.incident,
            decision: decision.id,
            reason: decision.reason.clone(),
            created: now,
            expires: after(now, duration_s),
            mode: self.mode,
            status: decision.status,
        };
        self.bans.count(now);
        if self.effects {
            response.outbox.push(ban_entry(&ban, now));
            response.bans.push(ban.clone());
        }
        self.bans.enter(ban);
    }
}

/// Why a target gives no network to ban.
enum NoNetwork {
    NoAddress,
    Refused(crate::Refusal),
}

impl NoNetwork {
    fn as_told(&self) -> BanTold<'_> {
        match self {
            Self::NoAddress => BanTold::NoAddress,
            Self::Refused(refusal) => BanTold::Refused(refusal),
        }
    }
}

/// What a ban of `net` takes: of a network all of it, of an address what protection leaves.
fn checked_network(
    protection: &Protection,
    net: Option<IpNet>,
    now: Timestamp,
) -> Result<IpNet, NoNetwork> {
    let net = net.ok_or(NoNetwork::NoAddress)?;
    if net.prefix_len() == net.max_prefix_len() {
        protection.ban_network(net.addr(), now).map_err(NoNetwork::Refused)
    } else {
        protection.check_network(&net, now).map(|()| net).map_err(NoNetwork::Refused)
    }
}

/// Whether `target` is an address that a parser found, however it is written.
fn stands_in_evidence(incident: &Incident, target: &str) -> bool {
    let target_net = LazyCell::new(|| net::parse(target));
    let is_target =
        |value: &str| value == target || (target_net.is_some() && net::parse(value) == *target_net);
    let actor = incident.actor.field == "source.ip" && is_target(&incident.actor.value);
    actor || incident.entities.values("source.ip").iter().any(|value| is_target(value))
}

/// Whether an earlier ban decision answers for its target still. A refused one does not: what
/// protected the target may be gone, such as a file that could not be read.
fn stands(decision: &Decision, now: Timestamp) -> bool {
    match decision.status {
        DecisionStatus::Refused => false,
        // Somebody, or the firewall, has spoken: not against them.
        DecisionStatus::Undone | DecisionStatus::Failed => true,
        _ => !is_over(decision, now),
    }
}

fn is_over(decision: &Decision, now: Timestamp) -> bool {
    decision.status == DecisionStatus::Expired
        || decision.expires.is_some_and(|expires| expires <= now)
}

fn source(address: &str) -> FieldValues {
    FieldValues::one("source.ip", address)
}

fn after(now: Timestamp, seconds: u64) -> Timestamp {
    now.plus_seconds(i64::try_from(seconds).unwrap_or(i64::MAX))
}

fn ban_entry(ban: &Ban, now: Timestamp) -> OutboxEntry {
    OutboxEntry {
        idempotency_key: format!("{}/{}/add/{}", ban.decision, ban.mode, ban.expires.seconds()),
        kind: Action::BlockIp,
        mode: ban.mode,
        payload: json!({
            "operation": "add",
            "network": ban.network,
            "duration_s": (ban.expires.since(now) / 1_000_000_000).max(1),
            "expires": ban.expires,
            "incident": ban.incident,
            "reason": ban.reason,
        }),
        decision: ban.decision,
    }
}

fn lift_entry(ban: &Ban) -> OutboxEntry {
    OutboxEntry {
        idempotency_key: format!("{}/{}/remove", ban.decision, ban.mode),
        kind: Action::BlockIp,
        mode: ban.mode,
        payload: json!({
            "operation": "remove",
            "network": ban.network,
            "incident": ban.incident,
        }),
        decision: ban.decision,
    }
}
