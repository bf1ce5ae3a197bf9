//! Reading alerts.

use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use vigie_event::{Alert, AlertId, IncidentId, Severity, Timestamp};

use super::entity::alert;
use super::page::{Key, contains, newest_first};
use super::rows::{from_body, rank, readable};
use super::{Page, PageRequest, Result, State};

/// Which alerts are wanted. Conditions left out hold for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AlertFilter {
    /// Of this incident.
    pub incident: Option<IncidentId>,
    /// Of the rule with this id.
    pub rule: Option<String>,
    /// At least this bad.
    pub min_severity: Option<Severity>,
    /// Whose first source address is this one.
    pub source: Option<String>,
    /// In rule title, rule id, tags, identifier or entities, in any case.
    pub text: Option<String>,
    /// Last seen at or after.
    pub from: Option<Timestamp>,
    /// First seen before.
    pub to: Option<Timestamp>,
}

impl State {
    /// Alerts by page, last seen first.
    pub async fn alerts(&self, filter: &AlertFilter, page: &PageRequest) -> Result<Page<Alert>> {
        use alert::Column::{FirstSeen, Id, IncidentId, LastSeen, Level, RuleId, Search, SourceIp};
        let mut query = alert::Entity::find();
        if let Some(incident) = filter.incident {
            query = query.filter(IncidentId.eq(incident.to_string()));
        }
        if let Some(rule) = &filter.rule {
            query = query.filter(RuleId.eq(rule));
        }
        if let Some(least) = filter.min_severity {
            query = query.filter(Level.gte(rank(least)));
        }
        if let Some(source) = &filter.source {
            query = query.filter(SourceIp.eq(source));
        }
        if let Some(text) = filter.text.as_deref().map(str::trim).filter(|text| !text.is_empty()) {
            query = query.filter(contains(Search, text));
        }
        if let Some(from) = filter.from {
            query = query.filter(LastSeen.gte(from.nanos()));
        }
        if let Some(to) = filter.to {
            query = query.filter(FirstSeen.lt(to.nanos()));
        }
        let query = newest_first(query, &[LastSeen], Id, page)?;
        self.read(async |db| {
            let rows = query.all(db).await?;
            Page::cut(rows, page.size(), |row| Key::new([row.last_seen], &row.id))
                .try_filter_map(|row| readable(&row.id, from_body("alert", &row.body)))
        })
        .await
    }

    /// One alert.
    pub async fn alert(&self, id: AlertId) -> Result<Option<Alert>> {
        self.read(async |db| {
            let row = alert::Entity::find_by_id(id.to_string()).one(db).await?;
            row.map(|row| from_body("alert", &row.body)).transpose()
        })
        .await
    }
}
