//! Reading incidents.

use std::collections::HashMap;

use sea_orm::sea_query::Query;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use vigie_event::{
    Alert, CloseReason, Incident, IncidentId, IncidentStatus, Severity, Timestamp, Verdict,
};

use super::decision::{self, StoredDecision};
use super::entity::{
    alert, decision as decision_row, incident, note, ticket as ticket_row, verdict,
};
use super::judgement::BUILT_IN;
use super::page::{Key, contains, newest_first};
use super::rows::{from_body, from_id, from_name, rank, readable, severity, time, to_name};
use super::ticket::{self, Ticket};
use super::{Page, PageRequest, Result, State};

/// Alerts, decisions or notes given with one incident at most; the newest.
const DETAIL_ROWS: u64 = 1_000;

/// Which incidents are wanted. Conditions left out hold for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncidentFilter {
    /// Any of these; empty: all.
    pub status: Vec<IncidentStatus>,
    /// At least this bad.
    pub min_severity: Option<Severity>,
    /// In title, actor, identifier or entities, in any case.
    pub text: Option<String>,
    /// The actor's value, whole.
    pub actor: Option<String>,
    /// A rule's id that one of the alerts carries.
    pub rule: Option<String>,
    /// The user who works on it.
    pub owner: Option<String>,
    /// Last seen at or after.
    pub from: Option<Timestamp>,
    /// First seen before.
    pub to: Option<Timestamp>,
    /// The order.
    pub sort: IncidentSort,
}

/// How incidents are ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum IncidentSort {
    /// Last seen first.
    #[default]
    Newest,
    /// Worst first, then last seen first.
    Severity,
}

/// An incident in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentSummary {
    /// The incident. Its severity is the verdict's, once there is one.
    pub incident: Incident,
    /// The built-in analyst's verdict.
    pub verdict: Option<Verdict>,
}

/// What somebody wrote about an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its number.
    pub id: i64,
    /// The incident.
    pub incident: IncidentId,
    /// Who wrote it.
    pub author: String,
    /// When.
    pub time: Timestamp,
    /// What.
    pub text: String,
}

/// An incident with all that belongs to it.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentDetail {
    /// The incident. Its severity is the verdict's, once there is one.
    pub incident: Incident,
    /// Its alerts, oldest first; the newest 1,000 where there are more.
    pub alerts: Vec<Alert>,
    /// Each analyst's newest verdict, newest first.
    pub verdicts: Vec<Verdict>,
    /// What was decided, newest first; at most 1,000.
    pub decisions: Vec<StoredDecision>,
    /// What people wrote, oldest first; the newest 1,000 where there are more.
    pub notes: Vec<Note>,
    /// Its tickets, newest first.
    pub tickets: Vec<Ticket>,
}

impl State {
    /// Incidents by page.
    pub async fn incidents(
        &self,
        filter: &IncidentFilter,
        page: &PageRequest,
    ) -> Result<Page<IncidentSummary>> {
        use incident::Column::{Id, LastSeen, Severity as Rank};
        self.read(async |db| {
            let query = filtered(filter)?;
            let query = match filter.sort {
                IncidentSort::Newest => newest_first(query, &[LastSeen], Id, page)?,
                IncidentSort::Severity => newest_first(query, &[Rank, LastSeen], Id, page)?,
            };
            let rows = query.all(db).await?;
            let rows = Page::cut(rows, page.size(), |row| match filter.sort {
                IncidentSort::Newest => Key::new([row.last_seen], &row.id),
                IncidentSort::Severity => {
                    Key::new([i64::from(row.severity), row.last_seen], &row.id)
                }
            });
            let ids: Vec<String> = rows.items.iter().map(|row| row.id.clone()).collect();
            let mut verdicts = first_verdicts(db, ids).await?;
            rows.try_filter_map(|row| {
                let verdict = verdicts.remove(&row.id);
                let incident = readable(&row.id, incident_of(&row))?;
                Ok(incident.map(|incident| IncidentSummary { incident, verdict }))
            })
        })
        .await
    }

    /// Those of `incidents` that people have closed, with the reason.
    pub async fn closed_among(
        &self,
        incidents: &[IncidentId],
    ) -> Result<Vec<(IncidentId, CloseReason)>> {
        let closed = to_name("incident status", &IncidentStatus::Closed)?;
        self.read(async |db| {
            let mut found = Vec::new();
            for chunk in incidents.chunks(1_000) {
                let rows: Vec<(String, Option<String>)> = incident::Entity::find()
                    .select_only()
                    .columns([incident::Column::Id, incident::Column::CloseReason])
                    .filter(incident::Column::Id.is_in(chunk.iter().map(ToString::to_string)))
                    .filter(incident::Column::Status.eq(&closed))
                    .into_tuple()
                    .all(db)
                    .await?;
                for (id, reason) in rows {
                    let reason = reason.map(|name| from_name("close reason", &name)).transpose()?;
                    let reason = reason.unwrap_or(CloseReason::Undetermined);
                    found.push((from_id("incident id", &id)?, reason));
                }
            }
            Ok(found)
        })
        .await
    }

    /// One incident with all that belongs to it.
    pub async fn incident(&self, id: IncidentId) -> Result<Option<IncidentDetail>> {
        let id = id.to_string();
        self.read(async |db| {
            let Some(row) = incident::Entity::find_by_id(&id).one(db).await? else {
                return Ok(None);
            };
            let verdicts = verdict::Entity::find()
                .filter(verdict::Column::IncidentId.eq(&id))
                .order_by_desc(verdict::Column::Time)
                .all(db)
                .await?;
            let decisions = decision_row::Entity::find()
                .filter(decision_row::Column::IncidentId.eq(&id))
                .order_by_desc(decision_row::Column::Created)
                .limit(DETAIL_ROWS)
                .all(db)
                .await?;
            let tickets = ticket_row::Entity::find()
                .filter(ticket_row::Column::IncidentId.eq(&id))
                .order_by_desc(ticket_row::Column::Number)
                .limit(DETAIL_ROWS)
                .all(db)
                .await?;
            Ok(Some(IncidentDetail {
                incident: incident_of(&row)?,
                alerts: newest_alerts(db, &id, DETAIL_ROWS).await?,
                verdicts: verdicts
                    .iter()
                    .filter_map(|row| readable(&id, from_body("verdict", &row.body)).transpose())
                    .collect::<Result<_>>()?,
                decisions: decisions.iter().map(decision::stored).collect::<Result<_>>()?,
                notes: notes(db, &id).await?,
                tickets: tickets.iter().map(ticket::stored).collect::<Result<_>>()?,
            }))
        })
        .await
    }
}

fn filtered(filter: &IncidentFilter) -> Result<Select<incident::Entity>> {
    use incident::Column::{ActorValue, FirstSeen, Id, LastSeen, Owner, Search, Severity, Status};
    let mut query = incident::Entity::find();
    if !filter.status.is_empty() {
        let names = filter
            .status
            .iter()
            .map(|status| to_name("incident status", status))
            .collect::<Result<Vec<_>>>()?;
        query = query.filter(Status.is_in(names));
    }
    if let Some(least) = filter.min_severity {
        query = query.filter(Severity.gte(rank(least)));
    }
    if let Some(text) = filter.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
        query = query.filter(contains(Search, text));
    }
    if let Some(actor) = &filter.actor {
        query = query.filter(ActorValue.eq(actor));
    }
    if let Some(owner) = &filter.owner {
        query = query.filter(Owner.eq(owner));
    }
    if let Some(rule) = &filter.rule {
        let with_rule = Query::select()
            .column(alert::Column::IncidentId)
            .from(alert::Entity)
            .and_where(alert::Column::RuleId.eq(rule))
            .and_where(alert::Column::IncidentId.is_not_null())
            .to_owned();
        query = query.filter(Id.in_subquery(with_rule));
    }
    if let Some(from) = filter.from {
        query = query.filter(LastSeen.gte(from.nanos()));
    }
    if let Some(to) = filter.to {
        query = query.filter(FirstSeen.lt(to.nanos()));
    }
    Ok(query)
}

/// The incident of a row: the detector's form with the people's columns over it.
pub(super) fn incident_of(row: &incident::Model) -> Result<Incident> {
    let mut incident: Incident = from_body("incident", &row.body)?;
    incident.status = from_name("incident status", &row.status)?;
    incident.close_reason =
        row.close_reason.as_deref().map(|name| from_name("close reason", name)).transpose()?;
    incident.owner.clone_from(&row.owner);
    incident.severity = severity(row.severity);
    incident.revision = row.revision as u64;
    Ok(incident)
}

/// The newest `limit` alerts of an incident, oldest first.
pub(super) async fn newest_alerts<C: ConnectionTrait>(
    db: &C,
    incident: &str,
    limit: u64,
) -> Result<Vec<Alert>> {
    let mut rows = alert::Entity::find()
        .filter(alert::Column::IncidentId.eq(incident))
        .order_by_desc(alert::Column::FirstSeen)
        .order_by_desc(alert::Column::Id)
        .limit(limit)
        .all(db)
        .await?;
    rows.reverse();
    rows.iter()
        .filter_map(|row| readable(&row.id, from_body("alert", &row.body)).transpose())
        .collect()
}

async fn first_verdicts<C: ConnectionTrait>(
    db: &C,
    incidents: Vec<String>,
) -> Result<HashMap<String, Verdict>> {
    let rows = verdict::Entity::find()
        .filter(verdict::Column::IncidentId.is_in(incidents))
        .filter(verdict::Column::Analyst.eq(BUILT_IN))
        .all(db)
        .await?;
    rows.into_iter()
        .filter_map(|row| {
            let verdict =
                readable(&row.incident_id, from_body("verdict", &row.body)).transpose()?;
            Some(verdict.map(|verdict| (row.incident_id, verdict)))
        })
        .collect()
}

async fn notes<C: ConnectionTrait>(db: &C, incident: &str) -> Result<Vec<Note>> {
    let mut rows = note::Entity::find()
        .filter(note::Column::IncidentId.eq(incident))
        .order_by_desc(note::Column::Id)
        .limit(DETAIL_ROWS)
        .all(db)
        .await?;
    rows.reverse();
    rows.into_iter().map(note_of).collect()
}

/// The note of a row.
pub(super) fn note_of(row: note::Model) -> Result<Note> {
    Ok(Note {
        id: row.id,
        incident: from_id("incident id", &row.incident_id)?,
        author: row.author,
        time: time(row.time),
        text: row.body,
    })
}
