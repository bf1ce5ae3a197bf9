//! Second verdicts: which incidents wait for one, what they said, and how often they agree.

use sea_orm::sea_query::Expr;
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait,
    PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use vigie_event::{
    Alert, Incident, IncidentId, IncidentStatus, ModelStatus, Severity, Timestamp, Verdict,
};

use super::entity::{alert, incident, verdict};
use super::incident::{incident_of, newest_alerts};
use super::judgement::{self, BUILT_IN, CASE_ALERTS};
use super::rows::{from_body, from_id, severity, time, to_name};
use super::{Result, State};

/// The setting under which the model's analyst keeps how it is doing.
const STATUS: &str = "model.status";

/// An incident that the first analyst has judged and a model has not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The incident.
    pub incident: IncidentId,
    /// The revision that the first analyst has judged.
    pub revision: u64,
    /// How severe it is.
    pub severity: Severity,
    /// When its last event happened.
    pub last_seen: Timestamp,
}

/// What a model is asked about.
#[derive(Clone, Debug, PartialEq)]
pub struct AskedCase {
    /// The incident.
    pub incident: Incident,
    /// Its alerts, oldest first; the newest [`CASE_ALERTS`] where there are more.
    pub alerts: Vec<Alert>,
    /// The built-in analyst's verdict.
    pub first: Verdict,
}

/// How often the second verdict named the severity and the category of the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Agreement {
    /// Second verdicts.
    pub verdicts: u64,
    /// Those that agree.
    pub agree: u64,
}

impl State {
    /// Incidents that wait for a second verdict since the first was given, at `since` or later;
    /// the worst and then the newest first, without closed ones.
    pub async fn cases_to_ask(&self, since: Timestamp, limit: u64) -> Result<Vec<Waiting>> {
        let closed = to_name("incident status", &IncidentStatus::Closed)?;
        self.read(async |db| {
            let rows: Vec<(String, i64, i32, i64)> = incident::Entity::find()
                .select_only()
                .columns([
                    incident::Column::Id,
                    incident::Column::JudgedRevision,
                    incident::Column::Severity,
                    incident::Column::LastSeen,
                ])
                .filter(incident::Column::AskSince.gte(since.nanos()))
                .filter(incident::Column::JudgedRevision.is_not_null())
                .filter(incident::Column::Status.ne(&closed))
                .order_by_desc(incident::Column::Severity)
                .order_by_desc(incident::Column::LastSeen)
                .limit(limit)
                .into_tuple()
                .all(db)
                .await?;
            rows.into_iter()
                .map(|(id, revision, rank, last_seen)| {
                    Ok(Waiting {
                        incident: from_id("incident id", &id)?,
                        revision: revision as u64,
                        severity: severity(rank),
                        last_seen: time(last_seen),
                    })
                })
                .collect()
        })
        .await
    }

    /// What a model is asked about `incident`; `None` once people have closed it, or where the
    /// first analyst has not judged it.
    pub async fn case_to_ask(&self, incident: IncidentId) -> Result<Option<AskedCase>> {
        let id = incident.to_string();
        self.read(async |db| {
            let Some(row) = incident::Entity::find_by_id(&id).one(db).await? else {
                return Ok(None);
            };
            let first =
                verdict::Entity::find_by_id((id.clone(), BUILT_IN.to_owned())).one(db).await?;
            let incident = incident_of(&row)?;
            let Some(first) = first.filter(|_| incident.status != IncidentStatus::Closed) else {
                return Ok(None);
            };
            Ok(Some(AskedCase {
                incident,
                alerts: newest_alerts(db, &id, CASE_ALERTS).await?,
                first: from_body("verdict", &first.body)?,
            }))
        })
        .await
    }

    /// Whether any alert of `incident`, however old, carries `tag`.
    pub async fn carries(&self, incident: IncidentId, tag: &str) -> Result<bool> {
        let id = incident.to_string();
        self.read(async |db| {
            let found = alert::Entity::find()
                .filter(alert::Column::IncidentId.eq(&id))
                // Few texts hold the tag at all, and only those are read as JSON.
                .filter(Expr::cust_with_values("instr(body, ?) > 0", [format!("\"{tag}\"")]))
                .filter(Expr::cust_with_values(
                    "EXISTS (SELECT 1 FROM json_each(body, '$.tags') WHERE value = ?)",
                    [tag],
                ))
                .limit(1)
                .count(db)
                .await?;
            Ok(found > 0)
        })
        .await
    }

    /// Keeps a model's verdict beside the first one. The incident's severity can only rise by it,
    /// nothing is decided on it, and neither status nor bans nor lists are touched.
    ///
    /// # Errors
    /// The incident is unknown, or the verdict is the built-in analyst's own: nothing is kept.
    pub async fn save_second(&self, second: &Verdict) -> Result<()> {
        if second.analyst == BUILT_IN {
            return Err(super::StateError::Body {
                what: "verdict",
                problem: format!("a model must not be called `{BUILT_IN}`"),
            });
        }
        let mut row = judgement::verdict_row(second)?;
        row.to_decide = Set(false);
        row.agrees = Set(second.model.as_ref().map(|model| model.agrees));
        let id = second.incident.to_string();
        self.write(async |tx| {
            // The newest verdict of each model is kept.
            verdict::Entity::delete_by_id((id.clone(), second.analyst.to_string()))
                .exec(tx)
                .await?;
            row.insert(tx).await?;
            judgement::raise(tx, &id, super::rows::rank(second.severity)).await?;
            asked(tx, &id, second.revision).await
        })
        .await
    }

    /// Takes `incident` off the list of those that wait, at this revision: no usable answer came.
    pub async fn give_up_asking(&self, incident: IncidentId, revision: u64) -> Result<()> {
        self.write(async |tx| asked(tx, &incident.to_string(), revision).await).await
    }

    /// How often second verdicts agree with the first.
    pub async fn agreement(&self) -> Result<Agreement> {
        self.read(async |db| {
            let counted = |agrees: bool| {
                verdict::Entity::find().filter(verdict::Column::Agrees.eq(agrees)).count(db)
            };
            let (agree, differ) = (counted(true).await?, counted(false).await?);
            Ok(Agreement { verdicts: agree + differ, agree })
        })
        .await
    }

    /// How the model is doing; `None` where none was ever configured.
    pub async fn model_status(&self) -> Result<Option<ModelStatus>> {
        Ok(self.setting::<Option<ModelStatus>>(STATUS).await?.flatten())
    }

    /// Keeps how the model is doing; `None` when none is configured.
    pub async fn set_model_status(&self, status: Option<&ModelStatus>) -> Result<()> {
        self.remember(STATUS, &status).await
    }
}

/// The incident waits no more, unless it has been judged anew since `revision`.
async fn asked(tx: &DatabaseTransaction, incident: &str, revision: u64) -> Result<()> {
    let revision = revision as i64;
    incident::Entity::update_many()
        .col_expr(incident::Column::AskSince, Expr::value(None::<i64>))
        .filter(incident::Column::Id.eq(incident))
        .filter(incident::Column::JudgedRevision.lte(revision))
        .exec(tx)
        .await?;
    Ok(())
}
