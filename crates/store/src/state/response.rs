//! What the responder decided, kept with its effects.

use std::fmt::Write as _;

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use vigie_event::{Decision, DecisionStatus, Verdict};

use super::entity::{decision, verdict};
use super::rows::{to_body, upsert};
use super::{Ban, NewTicket, OutboxEntry, Result, State, Ticket, ban, outbox, ticket};

/// What was decided on one verdict, or by hand, with its effects.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ResponseBatch {
    /// The decisions.
    pub decisions: Vec<Decision>,
    /// Bans that begin with them.
    pub bans: Vec<Ban>,
    /// Tickets to open.
    pub tickets: Vec<NewTicket>,
    /// What is to be done outside.
    pub outbox: Vec<OutboxEntry>,
}

/// What came of a [`ResponseBatch`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SavedResponse {
    /// The batch's tickets with their numbers, in its order; those that were there already too.
    pub tickets: Vec<Ticket>,
}

impl State {
    /// Keeps what was decided on `verdict`, which counts as decided from then on; all or nothing.
    /// Doing it again changes nothing: decisions and bans keep what happened to them since, no
    /// ticket opens twice, no effect is queued twice. A decision that is there already moves on
    /// through its life (awaiting approval, pending, applied, expired) and never back; a ban that is
    /// in force can be made longer, or be ended.
    pub async fn save_decisions(
        &self,
        verdict: &Verdict,
        batch: &ResponseBatch,
    ) -> Result<SavedResponse> {
        let because = to_body("verdict", verdict)?;
        self.write(async |tx| {
            let saved = save(tx, Some(&because), batch).await?;
            mark_decided(tx, verdict).await?;
            Ok(saved)
        })
        .await
    }

    /// Keeps what was decided without a verdict, such as on the agents' interface; as
    /// [`State::save_decisions`] otherwise.
    pub async fn save_response(&self, batch: &ResponseBatch) -> Result<SavedResponse> {
        self.write(async |tx| save(tx, None, batch).await).await
    }
}

/// Keeps a batch; `because` is the body of the verdict that it rests on.
pub(super) async fn save(
    tx: &DatabaseTransaction,
    because: Option<&str>,
    batch: &ResponseBatch,
) -> Result<SavedResponse> {
    let rows = batch
        .decisions
        .iter()
        .map(|decision| decision_row(decision, because))
        .collect::<Result<Vec<_>>>()?;
    upsert(tx, rows, &decision_conflict()).await?;
    for new in &batch.bans {
        ban::insert(tx, new).await?;
    }
    let mut tickets = Vec::with_capacity(batch.tickets.len());
    for new in &batch.tickets {
        tickets.push(ticket::open(tx, new).await?);
    }
    for entry in &batch.outbox {
        outbox::insert(tx, entry).await?;
    }
    Ok(SavedResponse { tickets })
}

async fn mark_decided(tx: &DatabaseTransaction, decided: &Verdict) -> Result<()> {
    verdict::Entity::update_many()
        .col_expr(verdict::Column::ToDecide, Expr::value(false))
        .filter(verdict::Column::IncidentId.eq(decided.incident.to_string()))
        .filter(verdict::Column::Analyst.eq(decided.analyst.as_str()))
        .filter(verdict::Column::Revision.lte(decided.revision as i64))
        .exec(tx)
        .await?;
    Ok(())
}

fn decision_row(decision: &Decision, because: Option<&str>) -> Result<decision::ActiveModel> {
    Ok(decision::ActiveModel {
        id: Set(decision.id.to_string()),
        incident_id: Set(decision.incident.to_string()),
        action: Set(decision.action.name().to_owned()),
        status: Set(decision.status.name().to_owned()),
        created: Set(decision.created.nanos()),
        expires: Set(decision.expires.map(vigie_event::Timestamp::nanos)),
        verdict: Set(because.map(str::to_owned)),
        body: Set(to_body("decision", decision)?),
    })
}

/// A decision moves on through its life and never back; one that was refused can be decided anew.
fn decision_conflict() -> OnConflict {
    OnConflict::column(decision::Column::Id)
        .update_columns([
            decision::Column::Status,
            decision::Column::Created,
            decision::Column::Expires,
            decision::Column::Body,
        ])
        .value(
            decision::Column::Verdict,
            Expr::cust("COALESCE(excluded.verdict, decision.verdict)"),
        )
        .action_and_where(Expr::cust(format!(
            "{} > {} OR (decision.status = 'refused' AND excluded.created > decision.created)",
            stage("excluded"),
            stage("decision"),
        )))
        .to_owned()
}

/// How far through its life the decision of `table` is, in SQL.
fn stage(table: &str) -> String {
    let mut sql = format!("CASE {table}.status");
    for status in DecisionStatus::ALL {
        let stage = match status {
            DecisionStatus::AwaitingApproval => 0,
            DecisionStatus::Pending => 1,
            DecisionStatus::Simulated
            | DecisionStatus::Applied
            | DecisionStatus::Refused
            | DecisionStatus::Failed => 2,
            DecisionStatus::Expired | DecisionStatus::Undone => 3,
        };
        let _ = write!(sql, " WHEN '{status}' THEN {stage}");
    }
    sql + " ELSE 3 END"
}
