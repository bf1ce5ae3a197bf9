//! Tickets, numbered without gaps.

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use vigie_event::{Category, IncidentId, Localized, Severity, Timestamp};

use super::audit::{self, Change};
use super::entity::{counter, ticket};
use super::page::{Key, newest_first};
use super::rows::{from_body, from_name, rank, time, time_opt, to_body};
use super::{Page, PageRequest, Result, State, StateError};

/// A ticket to be opened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewTicket {
    /// Names the cause: a second ticket with the same key is the same ticket.
    pub key: String,
    /// The incident, where there is one.
    pub incident: Option<IncidentId>,
    /// How bad.
    pub severity: Severity,
    /// Of what kind.
    pub category: Category,
    /// What happened, in a line.
    pub title: Localized,
    /// What it means and what to do.
    pub explanation: Localized,
    /// The event that it is about, where it is about one: as received, hostile.
    #[serde(default)]
    pub event: Option<serde_json::Value>,
    /// When it was opened.
    pub created: Timestamp,
}

/// Where a ticket stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum TicketStatus {
    /// Somebody has to see to it.
    Open,
    /// Done.
    Closed,
}

impl TicketStatus {
    /// The name in every machine-readable output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "OPEN",
            Self::Closed => "CLOSED",
        }
    }
}

/// A ticket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ticket {
    /// `TKT-0001`, `TKT-0002` …: the number with at least four digits.
    pub id: String,
    /// What it is about.
    pub about: NewTicket,
    /// Where it stands.
    pub status: TicketStatus,
    /// When it was closed, once it is.
    pub closed: Option<Timestamp>,
}

/// Which tickets are wanted. Conditions left out hold for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TicketFilter {
    /// Open or closed ones.
    pub status: Option<TicketStatus>,
    /// On this incident.
    pub incident: Option<IncidentId>,
    /// At least this bad.
    pub min_severity: Option<Severity>,
}

impl State {
    /// Tickets by page, newest first.
    pub async fn tickets(&self, filter: &TicketFilter, page: &PageRequest) -> Result<Page<Ticket>> {
        use ticket::Column::{DedupKey, IncidentId, Number, Severity, Status};
        let mut query = ticket::Entity::find();
        if let Some(status) = filter.status {
            query = query.filter(Status.eq(status.name()));
        }
        if let Some(incident) = filter.incident {
            query = query.filter(IncidentId.eq(incident.to_string()));
        }
        if let Some(least) = filter.min_severity {
            query = query.filter(Severity.gte(rank(least)));
        }
        let query = newest_first(query, &[Number], DedupKey, page)?;
        self.read(async |db| {
            let rows = query.all(db).await?;
            Page::cut(rows, page.size(), |row| Key::new([row.number], &row.dedup_key))
                .try_map(|row| stored(&row))
        })
        .await
    }

    /// One ticket.
    pub async fn ticket(&self, id: &str) -> Result<Option<Ticket>> {
        let Some(number) = number_of(id) else { return Ok(None) };
        self.read(async |db| {
            ticket::Entity::find_by_id(number).one(db).await?.as_ref().map(stored).transpose()
        })
        .await
    }

    /// Closes a ticket or opens it again.
    ///
    /// # Errors
    /// There is no such ticket.
    pub async fn set_ticket_status(
        &self,
        id: &str,
        status: TicketStatus,
        by: &str,
        now: Timestamp,
    ) -> Result<Ticket> {
        let number = number_of(id).ok_or_else(|| StateError::not_found("ticket", id))?;
        self.write(async |tx| {
            let row = ticket::Entity::find_by_id(number).one(tx).await?;
            let row = row.ok_or_else(|| StateError::not_found("ticket", id))?;
            let mut changed = stored(&row)?;
            if changed.status == status {
                return Ok(changed);
            }
            changed.closed = (status == TicketStatus::Closed).then_some(now);
            changed.status = status;
            ticket::Entity::update_many()
                .col_expr(ticket::Column::Status, Expr::value(status.name()))
                .col_expr(ticket::Column::Closed, Expr::value(changed.closed.map(Timestamp::nanos)))
                .filter(ticket::Column::Number.eq(number))
                .exec(tx)
                .await?;
            let detail = json!({ "status": status });
            let change = Change { by, action: "ticket.status", target: &changed.id, detail, now };
            audit::write(tx, &change).await?;
            Ok(changed)
        })
        .await
    }
}

/// Opens a ticket, or finds the one that its key names.
pub(super) async fn open(tx: &DatabaseTransaction, new: &NewTicket) -> Result<Ticket> {
    let known =
        ticket::Entity::find().filter(ticket::Column::DedupKey.eq(&new.key)).one(tx).await?;
    if let Some(row) = known {
        return stored(&row);
    }
    let row = ticket::Model {
        number: next_number(tx).await?,
        dedup_key: new.key.clone(),
        incident_id: new.incident.map(|id| id.to_string()),
        severity: rank(new.severity),
        status: TicketStatus::Open.name().to_owned(),
        created: new.created.nanos(),
        closed: None,
        body: to_body("ticket", new)?,
    };
    let opened = stored(&row)?;
    let row: ticket::ActiveModel = row.into();
    ticket::Entity::insert(row.reset_all()).exec_without_returning(tx).await?;
    Ok(opened)
}

/// The next number. The counter's row is changed first, so that a database with several writers
/// makes the second wait; a rolled-back transaction gives its number back.
async fn next_number(tx: &DatabaseTransaction) -> Result<i64> {
    let row = counter::ActiveModel { name: Set("ticket".to_owned()), value: Set(1) };
    let next = OnConflict::column(counter::Column::Name)
        .value(counter::Column::Value, Expr::cust("counter.value + 1"))
        .to_owned();
    counter::Entity::insert(row).on_conflict(next).exec_without_returning(tx).await?;
    let row = counter::Entity::find_by_id("ticket").one(tx).await?;
    row.map(|row| row.value).ok_or_else(|| StateError::not_found("counter", "ticket"))
}

fn number_of(id: &str) -> Option<i64> {
    id.strip_prefix("TKT-")?.parse().ok().filter(|number| *number > 0)
}

/// The ticket of a row.
pub(super) fn stored(row: &ticket::Model) -> Result<Ticket> {
    let mut about: NewTicket = from_body("ticket", &row.body)?;
    about.created = time(row.created);
    Ok(Ticket {
        id: format!("TKT-{:04}", row.number),
        about,
        status: from_name("ticket status", &row.status)?,
        closed: time_opt(row.closed),
    })
}
