//! The dashboard's figures.

use sea_orm::sea_query::{Expr, ExprTrait};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, Order, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect,
};
use vigie_event::{Alert, DecisionStatus, IncidentStatus, Localized, Mode, Severity, Timestamp};

use super::entity::{alert, ban, decision, incident, outbox, ticket};
use super::rows::{from_body, severity, to_name};
use super::{BanStatus, OutboxStatus, Result, State, TicketStatus};

/// Rows of each top list.
const TOP: u64 = 10;
const HOUR: i64 = 3_600_000_000_000;
const HOURS: i64 = 24;

/// The figures of the dashboard.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Overview {
    /// Incidents that are not closed, by severity, worst first; every severity has its entry.
    pub open_incidents: Vec<(Severity, u64)>,
    /// Alerts by the hour of their last event: the 24 hours that end with the present one, oldest
    /// first; hours without alerts have their entry too.
    pub alerts_per_hour: Vec<HourCount>,
    /// Alerts since `from`.
    pub alerts: u64,
    /// The ten rules with the most alerts since `from`.
    pub top_rules: Vec<TopRule>,
    /// The ten source addresses with the most alerts since `from`.
    pub top_sources: Vec<TopSource>,
    /// Bans in force.
    pub active_bans: u64,
    /// Of these, those of the dry run.
    pub simulated_bans: u64,
    /// Tickets that are open.
    pub open_tickets: u64,
    /// Decisions that await approval.
    pub awaiting_approval: u64,
    /// Effects that were given up.
    pub dead_letters: u64,
}

impl Overview {
    /// Incidents that are not closed.
    pub fn open_incident_count(&self) -> u64 {
        self.open_incidents.iter().map(|(_, count)| count).sum()
    }
}

/// How many in an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourCount {
    /// When the hour begins.
    pub hour: Timestamp,
    /// How many alerts.
    pub alerts: u64,
}

/// A rule with its alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopRule {
    /// The rule's id.
    pub id: String,
    /// Its title, as the newest of the alerts has it.
    pub title: Localized,
    /// Its level, as the newest of the alerts has it.
    pub level: Severity,
    /// How many alerts.
    pub alerts: u64,
}

/// A source address with its alerts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TopSource {
    /// The address.
    pub address: String,
    /// How many alerts.
    pub alerts: u64,
    /// When the last of them was last seen.
    pub last_seen: Timestamp,
}

#[derive(FromQueryResult)]
struct Counted {
    value: String,
    alerts: i64,
    last_seen: i64,
}

impl State {
    /// The dashboard's figures at `now`; the top lists count alerts last seen at or after `from`.
    pub async fn overview(&self, from: Timestamp, now: Timestamp) -> Result<Overview> {
        self.read(async |db| {
            let bans = ban::Entity::find().filter(ban::Column::Status.eq(BanStatus::Active.name()));
            Ok(Overview {
                open_incidents: open_incidents(db).await?,
                alerts_per_hour: alerts_per_hour(db, now).await?,
                alerts: alerts_since(db, from).await?,
                top_rules: top_rules(db, from).await?,
                top_sources: top_sources(db, from).await?,
                active_bans: bans.clone().count(db).await?,
                simulated_bans: bans
                    .filter(ban::Column::Mode.eq(Mode::DryRun.name()))
                    .count(db)
                    .await?,
                open_tickets: ticket::Entity::find()
                    .filter(ticket::Column::Status.eq(TicketStatus::Open.name()))
                    .count(db)
                    .await?,
                awaiting_approval: decision::Entity::find()
                    .filter(decision::Column::Status.eq(DecisionStatus::AwaitingApproval.name()))
                    .count(db)
                    .await?,
                dead_letters: outbox::Entity::find()
                    .filter(outbox::Column::Status.eq(OutboxStatus::Dead.name()))
                    .count(db)
                    .await?,
            })
        })
        .await
    }
}

/// `COUNT(*)`: counting a column would read it from the row where an index would do.
fn every_row() -> Expr {
    Expr::cust("COUNT(*)")
}

async fn alerts_since<C: ConnectionTrait>(db: &C, from: Timestamp) -> Result<u64> {
    let count: Option<i64> = alert::Entity::find()
        .select_only()
        .expr_as(every_row(), "count")
        .filter(alert::Column::LastSeen.gte(from.nanos()))
        .into_tuple()
        .one(db)
        .await?;
    Ok(count.unwrap_or(0) as u64)
}

async fn open_incidents<C: ConnectionTrait>(db: &C) -> Result<Vec<(Severity, u64)>> {
    let closed = to_name("incident status", &IncidentStatus::Closed)?;
    let counts: Vec<(i32, i64)> = incident::Entity::find()
        .select_only()
        .column(incident::Column::Severity)
        .expr_as(every_row(), "count")
        .filter(incident::Column::Status.ne(closed))
        .group_by(incident::Column::Severity)
        .into_tuple()
        .all(db)
        .await?;
    Ok(Severity::ALL
        .into_iter()
        .rev()
        .map(|level| {
            let of_level = counts.iter().filter(|(rank, _)| severity(*rank) == level);
            (level, of_level.map(|(_, count)| *count as u64).sum())
        })
        .collect())
}

async fn alerts_per_hour<C: ConnectionTrait>(db: &C, now: Timestamp) -> Result<Vec<HourCount>> {
    let last = now.nanos().div_euclid(HOUR);
    let first = last - HOURS + 1;
    let hour = Expr::col(alert::Column::LastSeen).div(HOUR);
    let counts: Vec<(i64, i64)> = alert::Entity::find()
        .select_only()
        .expr_as(hour.clone(), "hour")
        .expr_as(every_row(), "count")
        .filter(alert::Column::LastSeen.gte(first * HOUR))
        .filter(alert::Column::LastSeen.lt((last + 1) * HOUR))
        .group_by(hour)
        .into_tuple()
        .all(db)
        .await?;
    Ok((first..=last)
        .map(|hour| {
            let found = counts.iter().find(|(counted, _)| *counted == hour);
            HourCount {
                hour: Timestamp::from_nanos(hour * HOUR),
                alerts: found.map_or(0, |(_, count)| *count as u64),
            }
        })
        .collect())
}

async fn top<C: ConnectionTrait>(
    db: &C,
    column: alert::Column,
    from: Timestamp,
) -> Result<Vec<Counted>> {
    Ok(alert::Entity::find()
        .select_only()
        .column_as(column, "value")
        .expr_as(every_row(), "alerts")
        .column_as(alert::Column::LastSeen.max(), "last_seen")
        .filter(alert::Column::LastSeen.gte(from.nanos()))
        .filter(column.is_not_null())
        .group_by(column)
        .order_by(every_row(), Order::Desc)
        .order_by_asc(column)
        .limit(TOP)
        .into_model::<Counted>()
        .all(db)
        .await?)
}

async fn top_rules<C: ConnectionTrait>(db: &C, from: Timestamp) -> Result<Vec<TopRule>> {
    let mut rules = Vec::new();
    for counted in top(db, alert::Column::RuleId, from).await? {
        let newest = alert::Entity::find()
            .filter(alert::Column::RuleId.eq(&counted.value))
            .order_by_desc(alert::Column::LastSeen)
            .one(db)
            .await?;
        let Some(newest) = newest else { continue };
        let newest: Alert = from_body("alert", &newest.body)?;
        rules.push(TopRule {
            id: counted.value,
            title: newest.rule.title.clone(),
            level: newest.rule.level,
            alerts: counted.alerts as u64,
        });
    }
    Ok(rules)
}

async fn top_sources<C: ConnectionTrait>(db: &C, from: Timestamp) -> Result<Vec<TopSource>> {
    let sources = top(db, alert::Column::SourceIp, from).await?;
    Ok(sources
        .into_iter()
        .map(|counted| TopSource {
            address: counted.value,
            alerts: counted.alerts as u64,
            last_seen: Timestamp::from_nanos(counted.last_seen),
        })
        .collect())
}
