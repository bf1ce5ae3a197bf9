//! Bans: those in force and those that were.

use ipnet::IpNet;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, DatabaseTransaction, EntityTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use vigie_event::{Action, DecisionId, DecisionStatus, IncidentId, Localized, Mode, Timestamp};

use super::audit::{self, Change};
use super::entity::{ban, decision as decision_row};
use super::outbox::{self, OutboxEntry};
use super::page::{Key, newest_first};
use super::rows::{from_body, from_id, from_id_opt, from_name, time, time_opt, to_body, upsert};
use super::{Page, PageRequest, Result, State, StateError, decision};

/// Where a ban stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BanStatus {
    /// In force; in dry run, as if.
    #[default]
    Active,
    /// Its time is over.
    Expired,
    /// Taken back by somebody.
    Lifted,
}

impl BanStatus {
    /// The name in every machine-readable output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Lifted => "lifted",
        }
    }
}

/// An address or network that is, or was, kept out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ban {
    /// Names the ban; the same identifier is the same ban.
    pub id: String,
    /// Whom; one address is a /32 or a /128.
    pub target: IpNet,
    /// Why, in a sentence.
    pub reason: Localized,
    /// The incident, where there is one.
    pub incident: Option<IncidentId>,
    /// The decision, where there is one.
    pub decision: Option<DecisionId>,
    /// When it began.
    pub created: Timestamp,
    /// When it ends of itself; `None`: never.
    pub expires: Option<Timestamp>,
    /// Whether it is real.
    pub mode: Mode,
    /// Where it stands.
    pub status: BanStatus,
    /// When it ended, once it has.
    pub ended: Option<Timestamp>,
    /// Who lifted it.
    pub ended_by: Option<String>,
}

/// Which bans are wanted. Conditions left out hold for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BanFilter {
    /// Any of these; empty: all.
    pub status: Vec<BanStatus>,
    /// Real ones, or those of the dry run.
    pub mode: Option<Mode>,
    /// Of this address or network, exactly.
    pub target: Option<IpNet>,
    /// On this incident.
    pub incident: Option<IncidentId>,
}

impl BanFilter {
    /// Those in force.
    pub fn active() -> Self {
        Self { status: vec![BanStatus::Active], ..Self::default() }
    }
}

impl State {
    /// Bans by page, newest first.
    pub async fn bans(&self, filter: &BanFilter, page: &PageRequest) -> Result<Page<Ban>> {
        use ban::Column::{Created, Id, IncidentId, Mode, Status, Target};
        let mut query = ban::Entity::find();
        if !filter.status.is_empty() {
            query = query.filter(Status.is_in(filter.status.iter().map(|status| status.name())));
        }
        if let Some(mode) = filter.mode {
            query = query.filter(Mode.eq(mode.name()));
        }
        if let Some(target) = filter.target {
            query = query.filter(Target.eq(target.to_string()));
        }
        if let Some(incident) = filter.incident {
            query = query.filter(IncidentId.eq(incident.to_string()));
        }
        let query = newest_first(query, &[Created], Id, page)?;
        self.read(async |db| {
            let rows = query.all(db).await?;
            Page::cut(rows, page.size(), |row| Key::new([row.created], &row.id))
                .try_map(|row| stored(&row))
        })
        .await
    }

    /// One ban.
    pub async fn ban(&self, id: &str) -> Result<Option<Ban>> {
        self.read(async |db| {
            ban::Entity::find_by_id(id).one(db).await?.as_ref().map(stored).transpose()
        })
        .await
    }

    /// Every ban in force, oldest first: what the firewall must hold.
    pub async fn active_bans(&self) -> Result<Vec<Ban>> {
        self.read(async |db| {
            let rows = ban::Entity::find()
                .filter(ban::Column::Status.eq(BanStatus::Active.name()))
                .order_by_asc(ban::Column::Created)
                .all(db)
                .await?;
            rows.iter().map(stored).collect()
        })
        .await
    }

    /// Bans by hand, with what is to be done outside for it.
    ///
    /// # Errors
    /// There is a ban with this identifier.
    pub async fn add_ban(
        &self,
        new: &Ban,
        effects: &[OutboxEntry],
        by: &str,
        now: Timestamp,
    ) -> Result<()> {
        self.write(async |tx| {
            if ban::Entity::find_by_id(&new.id).one(tx).await?.is_some() {
                return Err(StateError::Conflict(format!("there is a ban `{}` already", new.id)));
            }
            insert(tx, new).await?;
            for effect in effects {
                outbox::insert(tx, effect).await?;
            }
            let detail =
                json!({ "target": new.target, "reason": new.reason.en, "expires": new.expires });
            let change = Change { by, action: "ban.add", target: &new.id, detail, now };
            audit::write(tx, &change).await
        })
        .await
    }

    /// Takes a ban back: it is lifted, its decision is undone, and an outbox entry `block_ip` with
    /// the operation `remove` is queued in its mode.
    ///
    /// # Errors
    /// There is no such ban, or it is over.
    pub async fn lift_ban(&self, id: &str, by: &str, now: Timestamp) -> Result<Ban> {
        self.write(async |tx| {
            let row = ban::Entity::find_by_id(id).one(tx).await?;
            let row = row.ok_or_else(|| StateError::not_found("ban", id))?;
            if row.status != BanStatus::Active.name() {
                return Err(StateError::Conflict(format!("ban `{id}` is {} already", row.status)));
            }
            end(tx, id, BanStatus::Lifted, Some(by), now).await?;
            let mut lifted = stored(&row)?;
            lifted.status = BanStatus::Lifted;
            lifted.ended = Some(now);
            lifted.ended_by = Some(by.to_owned());
            if let Some(undone) = &row.decision_id {
                undo(tx, undone, DecisionStatus::Undone).await?;
            }
            outbox::insert(tx, &removal(&lifted, now)).await?;
            let detail = json!({ "target": lifted.target });
            let change = Change { by, action: "ban.lift", target: id, detail, now };
            audit::write(tx, &change).await?;
            Ok(lifted)
        })
        .await
    }

    /// Ends the bans whose time is over at `now`, and says so of their decisions. Returns them.
    pub async fn expire_bans(&self, now: Timestamp) -> Result<Vec<Ban>> {
        let over = Condition::all()
            .add(ban::Column::Status.eq(BanStatus::Active.name()))
            .add(ban::Column::Expires.lte(now.nanos()));
        // Looked at without taking the writers' turn: nearly always there is nothing to do.
        let none = self
            .read(async |db| {
                Ok(ban::Entity::find().filter(over.clone()).limit(1).one(db).await?.is_none())
            })
            .await?;
        if none {
            return Ok(Vec::new());
        }
        self.write(async |tx| {
            let rows = ban::Entity::find().filter(over).all(tx).await?;
            let mut expired = Vec::with_capacity(rows.len());
            for row in rows {
                end(tx, &row.id, BanStatus::Expired, None, now).await?;
                if let Some(decided) = &row.decision_id {
                    undo(tx, decided, DecisionStatus::Expired).await?;
                }
                let mut ban = stored(&row)?;
                ban.status = BanStatus::Expired;
                ban.ended = Some(now);
                expired.push(ban);
            }
            Ok(expired)
        })
        .await
    }
}

/// What takes a ban out of the firewall. It names no decision: that one is undone already.
fn removal(ban: &Ban, now: Timestamp) -> OutboxEntry {
    OutboxEntry {
        key: format!("{}/{}/remove", ban.id, ban.mode),
        kind: Action::BlockIp.name().to_owned(),
        mode: ban.mode,
        incident: ban.incident,
        decision: None,
        payload: json!({
            "operation": "remove",
            "network": ban.target,
            "incident": ban.incident,
        }),
        created: now,
        next_try: now,
    }
}

/// Moves a decision where it is kept; a ban may outlive its decision's row.
async fn undo(tx: &DatabaseTransaction, id: &str, status: DecisionStatus) -> Result<()> {
    if decision_row::Entity::find_by_id(id).one(tx).await?.is_some() {
        decision::set_status(tx, id, status, None).await?;
    }
    Ok(())
}

async fn end(
    tx: &DatabaseTransaction,
    id: &str,
    status: BanStatus,
    by: Option<&str>,
    now: Timestamp,
) -> Result<()> {
    ban::Entity::update_many()
        .col_expr(ban::Column::Status, Expr::value(status.name()))
        .col_expr(ban::Column::Ended, Expr::value(now.nanos()))
        .col_expr(ban::Column::EndedBy, Expr::value(by))
        .filter(ban::Column::Id.eq(id))
        .exec(tx)
        .await?;
    Ok(())
}

/// Keeps a new ban. One that is there already and in force is made longer or ended, never made
/// shorter. Returns whether anything changed.
pub(super) async fn insert(tx: &DatabaseTransaction, new: &Ban) -> Result<bool> {
    let row = ban::ActiveModel {
        id: Set(new.id.clone()),
        target: Set(new.target.to_string()),
        incident_id: Set(new.incident.map(|id| id.to_string())),
        decision_id: Set(new.decision.map(|id| id.to_string())),
        status: Set(new.status.name().to_owned()),
        mode: Set(new.mode.name().to_owned()),
        reason: Set(to_body("ban reason", &new.reason)?),
        created: Set(new.created.nanos()),
        expires: Set(new.expires.map(Timestamp::nanos)),
        ended: Set(new.ended.map(Timestamp::nanos)),
        ended_by: Set(new.ended_by.clone()),
    };
    let once = OnConflict::column(ban::Column::Id)
        .update_columns([
            ban::Column::Status,
            ban::Column::Expires,
            ban::Column::Ended,
            ban::Column::EndedBy,
        ])
        .action_and_where(Expr::cust(
            "ban.status = 'active' AND (excluded.status <> 'active' \
             OR excluded.expires > ban.expires)",
        ))
        .to_owned();
    Ok(upsert(tx, vec![row], &once).await? > 0)
}

fn stored(row: &ban::Model) -> Result<Ban> {
    Ok(Ban {
        id: row.id.clone(),
        target: from_id("ban target", &row.target)?,
        reason: from_body("ban reason", &row.reason)?,
        incident: from_id_opt("incident id", row.incident_id.as_deref())?,
        decision: from_id_opt("decision id", row.decision_id.as_deref())?,
        created: time(row.created),
        expires: time_opt(row.expires),
        mode: from_name("mode", &row.mode)?,
        status: from_name("ban status", &row.status)?,
        ended: time_opt(row.ended),
        ended_by: row.ended_by.clone(),
    })
}
