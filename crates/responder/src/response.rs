//! What deciding gives: plain values for the store to keep in one transaction.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use vigie_event::{
    Action, Category, Decision, DecisionId, DecisionStatus, IncidentId, Localized, Mode, Severity,
};

use crate::Ban;

/// All that follows from one verdict; to be stored whole or not at all.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// New decisions, and earlier ones whose status changed (same id).
    pub decisions: Vec<Decision>,
    /// Bans that are new or last longer (known by their decision).
    pub bans: Vec<Ban>,
    /// Tickets to open; the store gives them their numbers.
    pub tickets: Vec<NewTicket>,
    /// Effects on the world to deliver; those of the dry run too, up to the last call.
    pub outbox: Vec<OutboxEntry>,
}

impl Response {
    /// Whether nothing follows.
    pub fn is_empty(&self) -> bool {
        self.decisions.is_empty()
            && self.bans.is_empty()
            && self.tickets.is_empty()
            && self.outbox.is_empty()
    }

    /// Says at once of what is pending in dry run that it is simulated: for those who have no
    /// outbox to deliver from. Real effects stay pending.
    pub fn simulate(&mut self) {
        self.outbox.retain(|effect| effect.mode != Mode::DryRun);
        let statuses =
            (self.decisions.iter_mut().map(|decision| (decision.mode, &mut decision.status)))
                .chain(self.bans.iter_mut().map(|ban| (ban.mode, &mut ban.status)));
        for (mode, status) in statuses {
            if mode == Mode::DryRun && *status == DecisionStatus::Pending {
                *status = DecisionStatus::Simulated;
            }
        }
    }
}

/// A ticket to open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewTicket {
    /// The incident that it is about.
    pub incident: IncidentId,
    /// The decision that it carries out.
    pub decision: DecisionId,
    /// How bad.
    pub severity: Severity,
    /// Of what kind.
    pub category: Category,
    /// The incident's title.
    pub title: Localized,
    /// The verdict's summary.
    pub explanation: Localized,
}

/// An effect to deliver, at least once; the receiver knows a second delivery by its key.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutboxEntry {
    /// Differs between any two effects, and is the same when an effect is decided again.
    pub idempotency_key: String,
    /// What is done.
    pub kind: Action,
    /// Whether it is real. One of the dry run is delivered without its last call, whatever the
    /// mode has become since.
    pub mode: Mode,
    /// What the worker needs for it. For `block_ip`: `operation` (`add` or `remove`), `network`,
    /// `expires`, `duration_s`. Everything else: what happened, in both languages.
    pub payload: Value,
    /// The decision that it carries out.
    pub decision: DecisionId,
}
