//! What people made of incidents, kept for the next ones of the same kind.
//!
//! A closing is a row for each rule and entity of the incident, written in the transaction that
//! closes it, replaced when the reason changes and gone when somebody opens the incident again. The
//! counts are those of the rows, so they cannot drift from what people said.

use std::collections::BTreeMap;

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DatabaseTransaction, EntityTrait,
    ExprTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
};
use serde_json::json;
use vigie_event::{
    Alert, CloseReason, Closings, Earlier, Incident, Past, Precedent, PrecedentKey, Timestamp,
    precedent_keys,
};

use super::audit::{self, Change};
use super::entity::{closing, incident};
use super::incident::newest_alerts;
use super::judgement::CASE_ALERTS;
use super::page::{Page, PageRequest};
use super::rows::{from_name, time, upsert};
use super::{Result, State, StateError};

/// Reasons to close for.
const REASONS: u64 = 4;
/// Values asked for in one query.
const VALUES: usize = 500;

impl State {
    /// What is known of the time before `incident`, whose alerts are `alerts`: how incidents with the
    /// same rules and entities were closed, and what its actor did earlier. Its own closing is no
    /// precedent of itself.
    pub async fn past(&self, incident: &Incident, alerts: &[Alert]) -> Result<Past> {
        let keys = precedent_keys(alerts);
        let id = incident.id.to_string();
        let mut rules: Vec<&str> = keys.iter().map(|key| key.rule.as_str()).collect();
        rules.dedup();
        let mut values: Vec<&str> = keys.iter().map(|key| key.value.as_str()).collect();
        values.sort_unstable();
        values.dedup();
        self.read(async |db| {
            let mut precedents = BTreeMap::new();
            for values in values.chunks(VALUES) {
                let rows = counts()
                    .filter(closing::Column::RuleId.is_in(rules.iter().copied()))
                    .filter(closing::Column::Value.is_in(values.iter().copied()))
                    .filter(closing::Column::IncidentId.ne(&id))
                    .into_tuple()
                    .all(db)
                    .await?;
                gather(&mut precedents, rows, |key| keys.contains(key))?;
            }
            Ok(Past {
                precedents: listed(precedents),
                earlier: Some(earlier(db, incident, &id).await?),
            })
        })
        .await
    }

    /// What closings are remembered under, by rule, field and value. With `rule`, those of that
    /// rule.
    ///
    /// # Errors
    /// `page` begins after what is no key of this list, or the state cannot be read.
    pub async fn precedents(
        &self,
        rule: Option<&str>,
        page: &PageRequest,
    ) -> Result<Page<Precedent>> {
        let after = page.after.as_deref().map(key_of_cursor).transpose()?;
        self.read(async |db| {
            // Each key has a row for each reason at most, so these rows fill the page whatever
            // they are, and the last key may be cut.
            let rows_at_most = (page.size() as u64 + 1) * REASONS;
            let mut query = counts()
                .order_by_asc(closing::Column::RuleId)
                .order_by_asc(closing::Column::Field)
                .order_by_asc(closing::Column::Value)
                .limit(rows_at_most);
            if let Some(rule) = rule {
                query = query.filter(closing::Column::RuleId.eq(rule));
            }
            if let Some(key) = &after {
                query = query.filter(beyond(key));
            }
            let rows = query.into_tuple().all(db).await?;
            let mut precedents = BTreeMap::new();
            gather(&mut precedents, rows, |_| true)?;
            let mut items = listed(precedents);
            let more = items.len() > page.size();
            items.truncate(page.size());
            let next = items.last().filter(|_| more).map(|last| cursor_of(&last.key));
            Ok(Page { items, next })
        })
        .await
    }

    /// How many precedents there are; with `rule`, of that rule.
    pub async fn count_precedents(&self, rule: Option<&str>) -> Result<u64> {
        self.read(async |db| {
            let mut keys = closing::Entity::find()
                .select_only()
                .columns([closing::Column::RuleId, closing::Column::Field, closing::Column::Value])
                .distinct();
            if let Some(rule) = rule {
                keys = keys.filter(closing::Column::RuleId.eq(rule));
            }
            Ok(keys.count(db).await?)
        })
        .await
    }

    /// Forgets what was learnt: of `rule`, or of all rules. The incidents stay closed. Returns how
    /// many rows are gone.
    pub async fn forget_closings(
        &self,
        rule: Option<&str>,
        by: &str,
        now: Timestamp,
    ) -> Result<u64> {
        self.write(async |tx| {
            let mut query = closing::Entity::delete_many();
            if let Some(rule) = rule {
                query = query.filter(closing::Column::RuleId.eq(rule));
            }
            let gone = query.exec(tx).await?.rows_affected;
            let detail = json!({ "rows": gone });
            let target = rule.unwrap_or("*");
            audit::write(tx, &Change { by, action: "learning.reset", target, detail, now }).await?;
            Ok(gone)
        })
        .await
    }
}

/// Remembers that `incident` was closed for `reason`, instead of what it was closed for before; or
/// forgets it, where it is open again.
pub(super) async fn remember(
    tx: &DatabaseTransaction,
    incident: &str,
    reason: Option<&str>,
) -> Result<()> {
    closing::Entity::delete_many()
        .filter(closing::Column::IncidentId.eq(incident))
        .exec(tx)
        .await?;
    let Some(reason) = reason else { return Ok(()) };
    let alerts = newest_alerts(tx, incident, CASE_ALERTS).await?;
    let rows = precedent_keys(&alerts)
        .into_iter()
        .map(|key| closing::ActiveModel {
            incident_id: Set(incident.to_owned()),
            rule_id: Set(key.rule),
            field: Set(key.field),
            value: Set(key.value),
            reason: Set(reason.to_owned()),
        })
        .collect();
    upsert(tx, rows, &OnConflict::new().do_nothing().to_owned()).await?;
    Ok(())
}

/// Where the page after `key` begins: its three parts as a list.
fn cursor_of(key: &PrecedentKey) -> String {
    json!([key.rule, key.field, key.value]).to_string()
}

fn key_of_cursor(text: &str) -> Result<PrecedentKey> {
    let (rule, field, value) = serde_json::from_str(text)
        .map_err(|_| StateError::BadCursor(text.chars().take(80).collect()))?;
    Ok(PrecedentKey { rule, field, value })
}

/// What comes after `key`, written so that the index over rule, field and value serves it.
fn beyond(key: &PrecedentKey) -> Condition {
    use closing::Column::{Field, RuleId, Value};
    let in_field = Field.eq(&key.field).and(Value.gt(&key.value));
    let in_rule = RuleId.eq(&key.rule).and(Field.gt(&key.field).or(in_field));
    Condition::all()
        .add(RuleId.gte(&key.rule))
        .add(Condition::any().add(RuleId.gt(&key.rule)).add(in_rule))
}

type Count = (String, String, String, String, i64);

fn counts() -> sea_orm::Select<closing::Entity> {
    use closing::Column::{Field, IncidentId, Reason, RuleId, Value};
    closing::Entity::find()
        .select_only()
        .columns([RuleId, Field, Value, Reason])
        .column_as(IncidentId.count(), "times")
        .group_by(RuleId)
        .group_by(Field)
        .group_by(Value)
        .group_by(Reason)
}

fn gather(
    into: &mut BTreeMap<PrecedentKey, Closings>,
    rows: Vec<Count>,
    wanted: impl Fn(&PrecedentKey) -> bool,
) -> Result<()> {
    for (rule, field, value, reason, times) in rows {
        let key = PrecedentKey { rule, field, value };
        if wanted(&key) {
            let reason: CloseReason = from_name("close reason", &reason)?;
            let times = u32::try_from(times).unwrap_or(u32::MAX);
            into.entry(key).or_default().add(reason, times);
        }
    }
    Ok(())
}

fn listed(precedents: BTreeMap<PrecedentKey, Closings>) -> Vec<Precedent> {
    precedents.into_iter().map(|(key, closings)| Precedent { key, closings }).collect()
}

async fn earlier<C: ConnectionTrait>(db: &C, of: &Incident, id: &str) -> Result<Earlier> {
    use incident::Column::{
        ActorField, ActorValue, CloseReason as Reason, FirstSeen, Id, LastSeen,
    };
    let rows: Vec<(Option<String>, i64, Option<i64>)> = incident::Entity::find()
        .select_only()
        .column(Reason)
        .column_as(Id.count(), "times")
        .column_as(Expr::col(LastSeen).max(), "last")
        .filter(ActorValue.eq(of.actor.value.as_str()))
        .filter(ActorField.eq(of.actor.field.as_str()))
        .filter(Id.ne(id))
        .filter(FirstSeen.lt(of.first_seen.nanos()))
        .group_by(Reason)
        .into_tuple()
        .all(db)
        .await?;
    let mut earlier = Earlier::default();
    for (reason, times, last) in rows {
        let times = u32::try_from(times).unwrap_or(u32::MAX);
        earlier.incidents = earlier.incidents.saturating_add(times);
        if let Some(reason) = reason {
            earlier.closings.add(from_name("close reason", &reason)?, times);
        }
        earlier.last = earlier.last.max(last.map(time));
    }
    Ok(earlier)
}
