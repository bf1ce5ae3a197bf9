//! Decisions: reading them, and where they stand.

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde_json::json;
use vigie_event::{
    Action, Decision, DecisionId, DecisionStatus, IncidentId, Localized, Timestamp, Verdict,
};

use super::audit::{self, Change};
use super::entity::decision;
use super::page::{Key, newest_first};
use super::rows::{from_body, to_body};
use super::{Page, PageRequest, ResponseBatch, Result, SavedResponse, State, StateError, response};

/// A decision with the verdict that it rests on.
#[derive(Clone, Debug, PartialEq)]
pub struct StoredDecision {
    /// The decision as it stands.
    pub decision: Decision,
    /// The verdict as it was then; `None` where none was involved.
    pub verdict: Option<Verdict>,
}

/// Which decisions are wanted. Conditions left out hold for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DecisionFilter {
    /// On this incident.
    pub incident: Option<IncidentId>,
    /// Any of these; empty: all.
    pub status: Vec<DecisionStatus>,
    /// Of this kind.
    pub action: Option<Action>,
    /// Decided at or after.
    pub from: Option<Timestamp>,
    /// Decided before.
    pub to: Option<Timestamp>,
}

impl State {
    /// Decisions by page, newest first. Those with [`DecisionStatus::AwaitingApproval`] are the
    /// approvals to be given.
    pub async fn decisions(
        &self,
        filter: &DecisionFilter,
        page: &PageRequest,
    ) -> Result<Page<StoredDecision>> {
        use decision::Column::{Action, Created, Id, IncidentId, Status};
        let mut query = decision::Entity::find();
        if let Some(incident) = filter.incident {
            query = query.filter(IncidentId.eq(incident.to_string()));
        }
        if !filter.status.is_empty() {
            query = query.filter(Status.is_in(filter.status.iter().map(|status| status.name())));
        }
        if let Some(action) = filter.action {
            query = query.filter(Action.eq(action.name()));
        }
        if let Some(from) = filter.from {
            query = query.filter(Created.gte(from.nanos()));
        }
        if let Some(to) = filter.to {
            query = query.filter(Created.lt(to.nanos()));
        }
        let query = newest_first(query, &[Created], Id, page)?;
        self.read(async |db| {
            let rows = query.all(db).await?;
            Page::cut(rows, page.size(), |row| Key::new([row.created], &row.id))
                .try_map(|row| stored(&row))
        })
        .await
    }

    /// One decision.
    pub async fn decision(&self, id: DecisionId) -> Result<Option<StoredDecision>> {
        self.read(async |db| {
            let row = decision::Entity::find_by_id(id.to_string()).one(db).await?;
            row.map(|row| stored(&row)).transpose()
        })
        .await
    }

    /// Notes how the carrying out of a decision went; `reason` replaces the decision's, where
    /// given. A decision that is undone, expired or refused stays so.
    pub async fn set_decision_status(
        &self,
        id: DecisionId,
        status: DecisionStatus,
        reason: Option<&Localized>,
    ) -> Result<()> {
        self.write(async |tx| note_outcome(tx, &id.to_string(), status, reason).await).await?;
        Ok(())
    }

    /// Approves a decision that awaits it, with all that follows: `effects` holds the decision as
    /// it stands from then on. One transaction.
    ///
    /// # Errors
    /// There is no such decision, or it does not await approval.
    pub async fn approve_decision(
        &self,
        id: DecisionId,
        effects: &ResponseBatch,
        by: &str,
        now: Timestamp,
    ) -> Result<SavedResponse> {
        let id = id.to_string();
        self.write(async |tx| {
            let decision = awaiting(tx, &id).await?;
            let saved = response::save(tx, None, effects).await?;
            let detail = json!({ "action": decision.action, "target": decision.target });
            let change = Change { by, action: "decision.approve", target: &id, detail, now };
            audit::write(tx, &change).await?;
            Ok(saved)
        })
        .await
    }

    /// Refuses a decision that awaits approval: it counts as undone, which no machine decides
    /// against.
    ///
    /// # Errors
    /// There is no such decision, or it does not await approval.
    pub async fn refuse_decision(
        &self,
        id: DecisionId,
        reason: &str,
        by: &str,
        now: Timestamp,
    ) -> Result<Decision> {
        let id = id.to_string();
        self.write(async |tx| {
            awaiting(tx, &id).await?;
            // In whatever language the person speaks.
            let given = Localized::new(reason, "");
            let decision = set_status(tx, &id, DecisionStatus::Undone, Some(&given)).await?;
            let detail = json!({
                "action": decision.action, "target": decision.target, "reason": reason,
            });
            let change = Change { by, action: "decision.refuse", target: &id, detail, now };
            audit::write(tx, &change).await?;
            Ok(decision)
        })
        .await
    }

    /// Takes a decision back, with all that follows: `effects` holds what lifts its ban. One
    /// transaction.
    ///
    /// # Errors
    /// There is no such decision, or it is undone already.
    pub async fn undo_decision(
        &self,
        id: DecisionId,
        effects: &ResponseBatch,
        by: &str,
        now: Timestamp,
    ) -> Result<SavedResponse> {
        let id = id.to_string();
        self.write(async |tx| {
            let row = find(tx, &id).await?;
            if row.status == DecisionStatus::Undone.name() {
                return Err(StateError::Conflict(format!("decision `{id}` is undone already")));
            }
            let saved = response::save(tx, None, effects).await?;
            let decision = set_status(tx, &id, DecisionStatus::Undone, None).await?;
            let detail = json!({ "action": decision.action, "target": decision.target });
            let change = Change { by, action: "decision.undo", target: &id, detail, now };
            audit::write(tx, &change).await?;
            Ok(saved)
        })
        .await
    }
}

async fn awaiting(tx: &DatabaseTransaction, id: &str) -> Result<Decision> {
    let row = find(tx, id).await?;
    if row.status == DecisionStatus::AwaitingApproval.name() {
        return from_body("decision", &row.body);
    }
    Err(StateError::Conflict(format!(
        "decision `{id}` does not await approval: it is {}",
        row.status
    )))
}

/// Notes how the carrying out went, unless people or the clock have ended the decision since.
/// Returns the decision, where it changed.
pub(super) async fn note_outcome(
    tx: &DatabaseTransaction,
    id: &str,
    status: DecisionStatus,
    reason: Option<&Localized>,
) -> Result<Option<Decision>> {
    let Some(row) = decision::Entity::find_by_id(id).one(tx).await? else { return Ok(None) };
    let ended = [DecisionStatus::Undone, DecisionStatus::Expired, DecisionStatus::Refused];
    if ended.iter().any(|ended| ended.name() == row.status) {
        return Ok(None);
    }
    set_status(tx, id, status, reason).await.map(Some)
}

/// The decision of a row.
pub(super) fn stored(row: &decision::Model) -> Result<StoredDecision> {
    Ok(StoredDecision {
        decision: from_body("decision", &row.body)?,
        verdict: row.verdict.as_deref().map(|body| from_body("verdict", body)).transpose()?,
    })
}

async fn find(tx: &DatabaseTransaction, id: &str) -> Result<decision::Model> {
    let row = decision::Entity::find_by_id(id).one(tx).await?;
    row.ok_or_else(|| StateError::not_found("decision", id))
}

/// Moves a decision to `status`, in its column and in its body.
pub(super) async fn set_status(
    tx: &DatabaseTransaction,
    id: &str,
    status: DecisionStatus,
    reason: Option<&Localized>,
) -> Result<Decision> {
    let row = find(tx, id).await?;
    let mut changed: Decision = from_body("decision", &row.body)?;
    changed.status = status;
    if let Some(reason) = reason {
        changed.reason.clone_from(reason);
    }
    decision::Entity::update_many()
        .col_expr(decision::Column::Status, Expr::value(status.name()))
        .col_expr(decision::Column::Body, Expr::value(to_body("decision", &changed)?))
        .filter(decision::Column::Id.eq(id))
        .exec(tx)
        .await?;
    Ok(changed)
}
