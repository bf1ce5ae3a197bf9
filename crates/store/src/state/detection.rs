//! The detector's checkpoint and what it commits with it.

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect,
};
use vigie_event::{Alert, Entities, Incident};

use super::entity::{alert, checkpoint, incident};
use super::rows::{rank, to_body, to_name, upsert};
use super::{Result, State};
use crate::journal::Position;

const DETECTOR: &str = "detector";
const ACTIVITIES: &str = "activities";
/// Bytes of the text that an incident or alert is found by.
const SEARCH_BYTES: usize = 4_096;

/// Where the detector stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// All records before it have had their effect on the state.
    pub position: Position,
    /// Where the snapshot was taken, at or before `position`. To go on: restore the snapshot, observe
    /// the records from here to `position` without committing, then go on with committing.
    pub snapshot_position: Position,
    /// The detector's memory at `snapshot_position`; `None` before the first snapshot.
    pub snapshot: Option<Vec<u8>>,
    /// What actors did before a position, at or before `snapshot_position`, as the analyst keeps it.
    pub activities: Option<(Position, Vec<u8>)>,
}

impl Checkpoint {
    /// Records from here on are still read at the next start.
    pub fn needed(&self) -> Position {
        let activities = self.activities.as_ref().map(|(position, _)| *position);
        activities.map_or(self.snapshot_position, |position| position.min(self.snapshot_position))
    }
}

/// What the detector found up to a position.
#[derive(Clone, Debug, Default)]
pub struct DetectionBatch<'b> {
    /// All records before it have been observed.
    pub position: Position,
    /// Alerts raised or grown.
    pub alerts: &'b [Alert],
    /// Incidents opened or changed.
    pub incidents: &'b [Incident],
    /// The detector's memory and where it was taken, when it is time to keep it.
    pub snapshot: Option<(Position, Vec<u8>)>,
    /// What actors did and up to where, when it is time to keep it.
    pub activities: Option<(Position, Vec<u8>)>,
}

impl State {
    /// Where the detector stands; the beginning before its first commit.
    pub async fn detector_checkpoint(&self) -> Result<Checkpoint> {
        self.read(async |db| {
            let row = checkpoint::Entity::find_by_id(DETECTOR).one(db).await?;
            let mut known = row.map(stored).unwrap_or_default();
            let row = checkpoint::Entity::find_by_id(ACTIVITIES).one(db).await?;
            known.activities =
                row.and_then(|row| Some((Position(row.snapshot_position as u64), row.snapshot?)));
            Ok(known)
        })
        .await
    }

    /// Keeps alerts and incidents and moves the checkpoint, all or nothing. Committing the same
    /// again changes nothing; an older form of an alert or incident does not replace a newer one;
    /// status, owner and close reason stay as people set them. The checkpoint never moves back.
    pub async fn commit_detection(&self, batch: &DetectionBatch<'_>) -> Result<()> {
        // Prepared before the transaction, which others wait for.
        let incidents = batch.incidents.iter().map(incident_row).collect::<Result<Vec<_>>>()?;
        let alerts = batch.alerts.iter().map(alert_row).collect::<Result<Vec<_>>>()?;
        self.write(async |tx| {
            upsert(tx, incidents, &incident_conflict()).await?;
            upsert(tx, alerts, &alert_conflict()).await?;
            save_checkpoint(tx, DETECTOR, batch.position, batch.snapshot.clone()).await?;
            match batch.activities.clone() {
                Some(memory) => save_checkpoint(tx, ACTIVITIES, memory.0, Some(memory)).await,
                None => Ok(()),
            }
        })
        .await
    }
}

fn stored(row: checkpoint::Model) -> Checkpoint {
    Checkpoint {
        position: Position(row.position as u64),
        snapshot_position: Position(row.snapshot_position as u64),
        snapshot: row.snapshot,
        activities: None,
    }
}

async fn save_checkpoint(
    tx: &DatabaseTransaction,
    consumer: &str,
    position: Position,
    memory: Option<(Position, Vec<u8>)>,
) -> Result<()> {
    let position = position.0 as i64;
    let (taken, snapshot) = match memory {
        Some((taken, bytes)) => (taken.0 as i64, Some(bytes)),
        None => (0, None),
    };
    let known: Option<(i64, i64)> = checkpoint::Entity::find_by_id(consumer)
        .select_only()
        .columns([checkpoint::Column::Position, checkpoint::Column::SnapshotPosition])
        .into_tuple()
        .one(tx)
        .await?;
    let Some((known_position, known_taken)) = known else {
        let row = checkpoint::ActiveModel {
            consumer: Set(consumer.to_owned()),
            position: Set(position),
            snapshot_position: Set(taken),
            snapshot: Set(snapshot),
        };
        checkpoint::Entity::insert(row).exec_without_returning(tx).await?;
        return Ok(());
    };
    let mut update = checkpoint::Entity::update_many()
        .col_expr(checkpoint::Column::Position, Expr::value(position.max(known_position)))
        .filter(checkpoint::Column::Consumer.eq(consumer));
    if snapshot.is_some() && taken >= known_taken {
        update = update
            .col_expr(checkpoint::Column::SnapshotPosition, Expr::value(taken))
            .col_expr(checkpoint::Column::Snapshot, Expr::value(snapshot));
    }
    update.exec(tx).await?;
    Ok(())
}

fn incident_row(incident: &Incident) -> Result<incident::ActiveModel> {
    let status = to_name("incident status", &incident.status)?;
    let reason =
        incident.close_reason.map(|reason| to_name("close reason", &reason)).transpose()?;
    Ok(incident::ActiveModel {
        id: Set(incident.id.to_string()),
        revision: Set(incident.revision as i64),
        judged_revision: Set(None),
        to_judge: Set(true),
        ask_since: Set(None),
        status: Set(status),
        close_reason: Set(reason),
        owner: Set(incident.owner.clone()),
        level: Set(rank(incident.severity)),
        severity: Set(rank(incident.severity)),
        first_seen: Set(incident.first_seen.nanos()),
        last_seen: Set(incident.last_seen.nanos()),
        actor_field: Set(incident.actor.field.to_string()),
        actor_value: Set(incident.actor.value.to_string()),
        alert_count: Set(i32::try_from(incident.alerts.len()).unwrap_or(i32::MAX)),
        search: Set(incident_search(incident)),
        body: Set(to_body("incident", incident)?),
    })
}

/// The machine's columns are replaced by a newer form. `last_seen` counts beside the revision
/// because a detector that started anew without its memory counts revisions from the start.
fn incident_conflict() -> OnConflict {
    OnConflict::column(incident::Column::Id)
        .update_columns([
            incident::Column::ToJudge,
            incident::Column::Level,
            incident::Column::FirstSeen,
            incident::Column::LastSeen,
            incident::Column::ActorField,
            incident::Column::ActorValue,
            incident::Column::AlertCount,
            incident::Column::Search,
            incident::Column::Body,
        ])
        .value(
            incident::Column::Revision,
            Expr::cust(
                "CASE WHEN excluded.revision > incident.revision \
                 THEN excluded.revision ELSE incident.revision + 1 END",
            ),
        )
        // Once there is a verdict, the severity is the verdict's.
        .value(
            incident::Column::Severity,
            Expr::cust(
                "CASE WHEN incident.judged_revision IS NULL \
                 THEN excluded.level ELSE incident.severity END",
            ),
        )
        .action_and_where(Expr::cust(
            "excluded.revision > incident.revision OR excluded.last_seen > incident.last_seen",
        ))
        .to_owned()
}

fn alert_row(alert: &Alert) -> Result<alert::ActiveModel> {
    let source = alert.entities.values("source.ip").first().map(ToString::to_string);
    Ok(alert::ActiveModel {
        id: Set(alert.id.to_string()),
        incident_id: Set(alert.incident.map(|id| id.to_string())),
        rule_id: Set(alert.rule.id.clone()),
        level: Set(rank(alert.rule.level)),
        first_seen: Set(alert.first_seen.nanos()),
        last_seen: Set(alert.last_seen.nanos()),
        count: Set(i64::try_from(alert.count).unwrap_or(i64::MAX)),
        source_ip: Set(source),
        search: Set(alert_search(alert)),
        body: Set(to_body("alert", alert)?),
    })
}

/// A grown alert replaces the smaller one; one that moved to another incident has the same count.
fn alert_conflict() -> OnConflict {
    OnConflict::column(alert::Column::Id)
        .update_columns([
            alert::Column::IncidentId,
            alert::Column::RuleId,
            alert::Column::Level,
            alert::Column::FirstSeen,
            alert::Column::LastSeen,
            alert::Column::Count,
            alert::Column::SourceIp,
            alert::Column::Search,
            alert::Column::Body,
        ])
        .action_and_where(Expr::cust("excluded.count >= alert.count"))
        .to_owned()
}

fn incident_search(incident: &Incident) -> String {
    let Incident { title, actor, entities, id, .. } = incident;
    let text = format!("{} {} {} {id}", title.en, title.fr, actor.value);
    searchable(text, entities)
}

fn alert_search(alert: &Alert) -> String {
    let Alert { rule, tags, entities, id, .. } = alert;
    let text = format!("{} {} {} {id} {}", rule.title.en, rule.title.fr, rule.id, tags.join(" "));
    searchable(text, entities)
}

/// What an incident or alert is found by: `text` and the entities' values, in lowercase, cut.
fn searchable(mut text: String, entities: &Entities) -> String {
    for value in entities.iter().flat_map(|(_, values)| values) {
        if text.len() >= SEARCH_BYTES {
            break;
        }
        text.push(' ');
        text.push_str(value);
    }
    text.truncate(text.floor_char_boundary(SEARCH_BYTES.min(text.len())));
    text.to_lowercase()
}
