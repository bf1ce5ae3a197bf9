//! Which incidents wait for a verdict, and which verdicts for a decision.

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use vigie_event::{Alert, Incident, IncidentStatus, Verdict};

use super::entity::{incident, verdict};
use super::incident::{incident_of, newest_alerts};
use super::rows::{from_body, rank, readable, severity, to_body, to_name, upsert};
use super::{Result, State};

/// Alerts given with a case at most; the newest.
pub const CASE_ALERTS: u64 = 1_000;
/// The deterministic analyst's name.
pub(super) const BUILT_IN: &str = "built-in";

impl State {
    /// Incidents whose revision is newer than the built-in analyst's verdict, worst first, each
    /// with its alerts, oldest first (the newest [`CASE_ALERTS`] where there are more). The
    /// incident's severity is the worst level of its alerts. One that cannot be read is set aside
    /// until the detector writes it again.
    pub async fn cases_to_judge(&self, limit: u64) -> Result<Vec<(Incident, Vec<Alert>)>> {
        let (cases, aside) = self
            .read(async |db| {
                let rows = incident::Entity::find()
                    .filter(incident::Column::ToJudge.eq(true))
                    .order_by_desc(incident::Column::Level)
                    .limit(limit)
                    .all(db)
                    .await?;
                let mut cases = Vec::with_capacity(rows.len());
                let mut aside = Vec::new();
                for row in rows {
                    let Some(mut incident) = readable(&row.id, incident_of(&row))? else {
                        aside.push(row.id);
                        continue;
                    };
                    incident.severity = severity(row.level);
                    cases.push((incident, newest_alerts(db, &row.id, CASE_ALERTS).await?));
                }
                Ok((cases, aside))
            })
            .await?;
        if !aside.is_empty() {
            self.write(async |tx| {
                incident::Entity::update_many()
                    .col_expr(incident::Column::ToJudge, Expr::value(false))
                    .filter(incident::Column::Id.is_in(&aside))
                    .exec(tx)
                    .await?;
                Ok(())
            })
            .await?;
        }
        Ok(cases)
    }

    /// Keeps verdicts: the newest of each analyst on each incident. The incident's severity
    /// becomes the built-in analyst's; another analyst can only raise it, since a model can be
    /// talked to by whoever writes logs.
    ///
    /// # Errors
    /// An incident is unknown: nothing is kept.
    pub async fn save_verdicts(&self, verdicts: &[Verdict]) -> Result<()> {
        let rows = verdicts.iter().map(verdict_row).collect::<Result<Vec<_>>>()?;
        self.write(async |tx| {
            upsert(tx, rows, &verdict_conflict()).await?;
            for verdict in verdicts {
                mark_judged(tx, verdict).await?;
            }
            Ok(())
        })
        .await
    }

    /// Verdicts that nothing has been decided on, worst first, each with its incident. Verdicts
    /// on closed incidents wait until somebody opens the incident again. What cannot be read is set
    /// aside until there is a newer verdict.
    pub async fn verdicts_to_decide(&self, limit: u64) -> Result<Vec<(Verdict, Incident)>> {
        let closed = to_name("incident status", &IncidentStatus::Closed)?;
        let (found, aside) = self
            .read(async |db| {
                let closed_ids = sea_orm::sea_query::Query::select()
                    .column(incident::Column::Id)
                    .from(incident::Entity)
                    .and_where(incident::Column::Status.eq(&closed))
                    .to_owned();
                let rows = verdict::Entity::find()
                    .filter(verdict::Column::ToDecide.eq(true))
                    .filter(verdict::Column::IncidentId.not_in_subquery(closed_ids))
                    .order_by_desc(verdict::Column::Severity)
                    .limit(limit)
                    .all(db)
                    .await?;
                let mut found = Vec::with_capacity(rows.len());
                let mut aside = Vec::new();
                for row in rows {
                    let Some(incident) =
                        incident::Entity::find_by_id(&row.incident_id).one(db).await?
                    else {
                        continue;
                    };
                    let both = from_body("verdict", &row.body)
                        .and_then(|verdict| Ok((verdict, incident_of(&incident)?)));
                    match readable(&row.incident_id, both)? {
                        Some(both) => found.push(both),
                        None => aside.push(row.incident_id),
                    }
                }
                Ok((found, aside))
            })
            .await?;
        if !aside.is_empty() {
            self.write(async |tx| {
                verdict::Entity::update_many()
                    .col_expr(verdict::Column::ToDecide, Expr::value(false))
                    .filter(verdict::Column::IncidentId.is_in(&aside))
                    .exec(tx)
                    .await?;
                Ok(())
            })
            .await?;
        }
        Ok(found)
    }
}

pub(super) fn verdict_row(verdict: &Verdict) -> Result<verdict::ActiveModel> {
    Ok(verdict::ActiveModel {
        incident_id: Set(verdict.incident.to_string()),
        analyst: Set(verdict.analyst.to_string()),
        revision: Set(verdict.revision as i64),
        time: Set(verdict.time.nanos()),
        severity: Set(rank(verdict.severity)),
        // Only the first analyst's word is acted on.
        to_decide: Set(verdict.analyst == BUILT_IN),
        agrees: Set(None),
        body: Set(to_body("verdict", verdict)?),
    })
}

fn verdict_conflict() -> OnConflict {
    OnConflict::columns([verdict::Column::IncidentId, verdict::Column::Analyst])
        .update_columns([
            verdict::Column::Revision,
            verdict::Column::Time,
            verdict::Column::Severity,
            verdict::Column::ToDecide,
            verdict::Column::Body,
        ])
        // The same verdict again must not be decided on again.
        .action_and_where(Expr::cust(
            "excluded.revision > verdict.revision \
             OR (excluded.revision = verdict.revision AND excluded.body <> verdict.body)",
        ))
        .to_owned()
}

async fn mark_judged(tx: &DatabaseTransaction, given: &Verdict) -> Result<()> {
    let id = given.incident.to_string();
    let severity = rank(given.severity);
    if given.analyst != BUILT_IN {
        return raise(tx, &id, severity).await;
    }
    let revision = given.revision as i64;
    incident::Entity::update_many()
        .col_expr(incident::Column::JudgedRevision, Expr::value(revision))
        .col_expr(incident::Column::Severity, Expr::value(severity))
        // A model may want to have a second look.
        .col_expr(incident::Column::AskSince, Expr::value(given.time.nanos()))
        .filter(incident::Column::Id.eq(&id))
        .filter(
            incident::Column::JudgedRevision
                .is_null()
                .or(incident::Column::JudgedRevision.lte(revision)),
        )
        .exec(tx)
        .await?;
    incident::Entity::update_many()
        .col_expr(incident::Column::ToJudge, Expr::value(false))
        .filter(incident::Column::Id.eq(&id))
        .filter(incident::Column::Revision.lte(revision))
        .exec(tx)
        .await?;
    // What another analyst raised stays raised.
    let others: Option<i32> = verdict::Entity::find()
        .select_only()
        .column(verdict::Column::Severity)
        .filter(verdict::Column::IncidentId.eq(&id))
        .filter(verdict::Column::Analyst.ne(BUILT_IN))
        .order_by_desc(verdict::Column::Severity)
        .into_tuple()
        .one(tx)
        .await?;
    match others {
        Some(rank) => raise(tx, &id, rank).await,
        None => Ok(()),
    }
}

pub(super) async fn raise(tx: &DatabaseTransaction, incident: &str, severity: i32) -> Result<()> {
    incident::Entity::update_many()
        .col_expr(incident::Column::Severity, Expr::value(severity))
        .filter(incident::Column::Id.eq(incident))
        .filter(incident::Column::Severity.lt(severity))
        .exec(tx)
        .await?;
    Ok(())
}
