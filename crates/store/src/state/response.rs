//! What the responder decided, kept with its effects.

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
    /// ticket opens twice, no effect is queued twice. A decision whose time was over, or that had
    /// failed, is taken anew.
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

async fn save(
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
        let held = batch.decisions.iter().any(|decision| {
            entry.decision == Some(decision.id)
                && decision.status == DecisionStatus::AwaitingApproval
        });
        outbox::insert(tx, entry, held).await?;
    }
    Ok(SavedResponse { tickets })
}

async fn mark_decided(tx: &DatabaseTransaction, decided: &Verdict) -> Result<()> {
    verdict::Entity::update_many()
        .col_expr(verdict::Column::ToDecide, Expr::value(false))
        .filter(verdict::Column::IncidentId.eq(decided.incident.to_string()))
        .filter(verdict::Column::Analyst.eq(&decided.analyst))
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

fn decision_conflict() -> OnConflict {
    OnConflict::column(decision::Column::Id)
        .update_columns([
            decision::Column::Status,
            decision::Column::Created,
            decision::Column::Expires,
            decision::Column::Verdict,
            decision::Column::Body,
        ])
        .action_and_where(Expr::cust(
            "decision.status IN ('expired', 'failed') AND excluded.created > decision.created",
        ))
        .to_owned()
}
