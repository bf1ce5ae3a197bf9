//! The outbox: effects outside Vigie, each queued in the transaction that decided on it and
//! carried out until it is done or given up.

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use vigie_event::{Decision, DecisionId, DecisionStatus, IncidentId, Localized, Mode, Timestamp};

use super::entity::outbox;
use super::page::{Key, newest_first};
use super::rows::{from_body, from_id_opt, from_name, time, to_body};
use super::{Page, PageRequest, Result, State, StateError, decision};

/// An effect to be carried out once.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutboxEntry {
    /// Names the effect: a second entry with the same key is the same effect and is not queued.
    pub key: String,
    /// What kind of effect, such as `block_ip`, `webhook`, `notify`.
    pub kind: String,
    /// Whether it is real; one of the dry run is delivered without its last call.
    pub mode: Mode,
    /// The incident, where there is one.
    pub incident: Option<IncidentId>,
    /// The decision, where there is one.
    pub decision: Option<DecisionId>,
    /// What the one who carries it out needs.
    pub payload: serde_json::Value,
    /// When it was queued.
    pub created: Timestamp,
    /// Not to be tried before.
    pub next_try: Timestamp,
}

/// Where an outbox entry stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutboxStatus {
    /// Waits to be carried out.
    Pending,
    /// Carried out.
    Done,
    /// Given up: the dead letters.
    Dead,
}

impl OutboxStatus {
    /// The name in every machine-readable output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Done => "done",
            Self::Dead => "dead",
        }
    }
}

/// An effect in the outbox.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OutboxItem {
    /// The effect.
    pub entry: OutboxEntry,
    /// Where it stands.
    pub status: OutboxStatus,
    /// How often it was tried.
    pub attempts: u32,
    /// What went wrong the last time.
    pub last_error: Option<String>,
}

impl State {
    /// What is due at `now` in `mode`, longest due first. What was queued in the other mode waits
    /// until that mode is back: nothing becomes real, or unreal, by a change of the setting.
    pub async fn outbox_due(
        &self,
        mode: Mode,
        now: Timestamp,
        limit: u64,
    ) -> Result<Vec<OutboxItem>> {
        self.read(async |db| {
            let rows = outbox::Entity::find()
                .filter(outbox::Column::Status.eq(OutboxStatus::Pending.name()))
                .filter(outbox::Column::Mode.eq(mode.name()))
                .filter(outbox::Column::NextTry.lte(now.nanos()))
                .order_by_asc(outbox::Column::NextTry)
                .order_by_asc(outbox::Column::DedupKey)
                .limit(limit)
                .all(db)
                .await?;
            rows.iter().map(stored).collect()
        })
        .await
    }

    /// Queues an effect that no decision stands behind, unless its key is there already. Returns
    /// whether it was queued.
    pub async fn queue(&self, entry: &OutboxEntry) -> Result<bool> {
        self.write(async |tx| insert(tx, entry).await).await
    }

    /// The effect was carried out; `outcome` is where its decision stands now, with a new reason
    /// where there is one. Returns the decision, where it changed.
    ///
    /// # Errors
    /// There is no such entry.
    pub async fn outbox_done(
        &self,
        key: &str,
        outcome: Option<(DecisionStatus, Option<&Localized>)>,
    ) -> Result<Option<Decision>> {
        self.write(async |tx| {
            let row = find(tx, key).await?;
            outbox::Entity::update_many()
                .col_expr(outbox::Column::Status, Expr::value(OutboxStatus::Done.name()))
                .col_expr(outbox::Column::Attempts, Expr::col(outbox::Column::Attempts).add(1))
                .filter(outbox::Column::DedupKey.eq(key))
                .exec(tx)
                .await?;
            match (&row.decision_id, outcome) {
                (Some(decided), Some((status, reason))) => {
                    decision::note_outcome(tx, decided, status, reason).await
                }
                _ => Ok(None),
            }
        })
        .await
    }

    /// The effect could not be carried out. With `next_try` it is tried again then; without, it is
    /// given up: it becomes a dead letter and its decision has failed.
    ///
    /// # Errors
    /// There is no such entry.
    pub async fn outbox_failed(
        &self,
        key: &str,
        error: &str,
        next_try: Option<Timestamp>,
    ) -> Result<()> {
        let error: String = error.chars().take(1_000).collect();
        self.write(async |tx| {
            let row = find(tx, key).await?;
            let status =
                if next_try.is_some() { OutboxStatus::Pending } else { OutboxStatus::Dead };
            let mut update = outbox::Entity::update_many()
                .col_expr(outbox::Column::Status, Expr::value(status.name()))
                .col_expr(outbox::Column::Attempts, Expr::col(outbox::Column::Attempts).add(1))
                .col_expr(outbox::Column::LastError, Expr::value(error.as_str()))
                .filter(outbox::Column::DedupKey.eq(key));
            if let Some(next) = next_try {
                update = update.col_expr(outbox::Column::NextTry, Expr::value(next.nanos()));
            }
            update.exec(tx).await?;
            if let (Some(decided), None) = (&row.decision_id, next_try) {
                let reason = Localized::new(error.as_str(), "");
                decision::note_outcome(tx, decided, DecisionStatus::Failed, Some(&reason)).await?;
            }
            Ok(())
        })
        .await
    }

    /// Outbox entries by page, newest first; `status` empty: all.
    pub async fn outbox(
        &self,
        status: &[OutboxStatus],
        page: &PageRequest,
    ) -> Result<Page<OutboxItem>> {
        use outbox::Column::{Created, DedupKey, Status};
        let mut query = outbox::Entity::find();
        if !status.is_empty() {
            query = query.filter(Status.is_in(status.iter().map(|status| status.name())));
        }
        let query = newest_first(query, &[Created], DedupKey, page)?;
        self.read(async |db| {
            let rows = query.all(db).await?;
            Page::cut(rows, page.size(), |row| Key::new([row.created], &row.dedup_key))
                .try_map(|row| stored(&row))
        })
        .await
    }
}

async fn find(tx: &DatabaseTransaction, key: &str) -> Result<outbox::Model> {
    let row = outbox::Entity::find_by_id(key).one(tx).await?;
    row.ok_or_else(|| StateError::not_found("outbox entry", key))
}

/// Queues `entry` unless its key is there already. Returns whether it was queued.
pub(super) async fn insert(tx: &DatabaseTransaction, entry: &OutboxEntry) -> Result<bool> {
    let row = outbox::ActiveModel {
        dedup_key: Set(entry.key.clone()),
        kind: Set(entry.kind.clone()),
        mode: Set(entry.mode.name().to_owned()),
        incident_id: Set(entry.incident.map(|id| id.to_string())),
        decision_id: Set(entry.decision.map(|id| id.to_string())),
        status: Set(OutboxStatus::Pending.name().to_owned()),
        attempts: Set(0),
        next_try: Set(entry.next_try.nanos()),
        created: Set(entry.created.nanos()),
        last_error: Set(None),
        payload: Set(to_body("outbox payload", &entry.payload)?),
    };
    let once = OnConflict::column(outbox::Column::DedupKey).do_nothing().to_owned();
    Ok(super::rows::upsert(tx, vec![row], &once).await? > 0)
}

fn stored(row: &outbox::Model) -> Result<OutboxItem> {
    Ok(OutboxItem {
        entry: OutboxEntry {
            key: row.dedup_key.clone(),
            kind: row.kind.clone(),
            mode: from_name("mode", &row.mode)?,
            incident: from_id_opt("incident id", row.incident_id.as_deref())?,
            decision: from_id_opt("decision id", row.decision_id.as_deref())?,
            payload: from_body("outbox payload", &row.payload)?,
            created: time(row.created),
            next_try: time(row.next_try),
        },
        status: from_name("outbox status", &row.status)?,
        attempts: u32::try_from(row.attempts).unwrap_or(0),
        last_error: row.last_error.clone(),
    })
}
