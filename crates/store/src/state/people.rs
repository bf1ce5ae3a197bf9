//! What people change about incidents. Each change writes its audit row.

use sea_orm::sea_query::Expr;
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, QueryFilter};
use serde_json::json;
use vigie_event::{CloseReason, Incident, IncidentId, IncidentStatus, Timestamp};

use super::audit::{self, Change};
use super::closing;
use super::entity::{incident, note};
use super::incident::{Note, incident_of, note_of};
use super::rows::to_name;
use super::{Result, State, StateError};

/// Characters of a note at most.
const NOTE_LENGTH: usize = 20_000;

impl State {
    /// Moves an incident to `status`. Closing takes a reason; any other status takes none.
    ///
    /// # Errors
    /// There is no such incident, or the reason is missing or one too many.
    pub async fn set_incident_status(
        &self,
        id: IncidentId,
        status: IncidentStatus,
        reason: Option<CloseReason>,
        by: &str,
        now: Timestamp,
    ) -> Result<Incident> {
        if (status == IncidentStatus::Closed) != reason.is_some() {
            return Err(StateError::Invalid(
                "closing an incident takes a reason, and nothing else does".to_owned(),
            ));
        }
        let name = to_name("incident status", &status)?;
        let reason_name = reason.map(|reason| to_name("close reason", &reason)).transpose()?;
        let id = id.to_string();
        self.write(async |tx| {
            let before = find(tx, &id).await?;
            incident::Entity::update_many()
                .col_expr(incident::Column::Status, Expr::value(name.as_str()))
                .col_expr(incident::Column::CloseReason, Expr::value(reason_name.clone()))
                .filter(incident::Column::Id.eq(&id))
                .exec(tx)
                .await?;
            closing::remember(tx, &id, reason_name.as_deref()).await?;
            let detail = json!({ "from": before.status, "to": name, "reason": reason_name });
            let change = Change { by, action: "incident.status", target: &id, detail, now };
            audit::write(tx, &change).await?;
            incident_of(&find(tx, &id).await?)
        })
        .await
    }

    /// Gives an incident to `owner`, or to nobody.
    ///
    /// # Errors
    /// There is no such incident.
    pub async fn assign(
        &self,
        id: IncidentId,
        owner: Option<&str>,
        by: &str,
        now: Timestamp,
    ) -> Result<Incident> {
        let id = id.to_string();
        self.write(async |tx| {
            let before = find(tx, &id).await?;
            incident::Entity::update_many()
                .col_expr(incident::Column::Owner, Expr::value(owner))
                .filter(incident::Column::Id.eq(&id))
                .exec(tx)
                .await?;
            let detail = json!({ "from": before.owner, "to": owner });
            let change = Change { by, action: "incident.assign", target: &id, detail, now };
            audit::write(tx, &change).await?;
            incident_of(&find(tx, &id).await?)
        })
        .await
    }

    /// Writes a note about an incident.
    ///
    /// # Errors
    /// There is no such incident, or the text is empty or longer than 20,000 characters.
    pub async fn add_note(
        &self,
        id: IncidentId,
        text: &str,
        by: &str,
        now: Timestamp,
    ) -> Result<Note> {
        let text = text.trim();
        if text.is_empty() || text.chars().count() > NOTE_LENGTH {
            return Err(StateError::Invalid(format!("a note has 1 to {NOTE_LENGTH} characters")));
        }
        let id = id.to_string();
        self.write(async |tx| {
            find(tx, &id).await?;
            let row = note::ActiveModel {
                incident_id: Set(id.clone()),
                author: Set(by.to_owned()),
                time: Set(now.nanos()),
                body: Set(text.to_owned()),
                ..Default::default()
            };
            let row = note::Entity::insert(row).exec_with_returning(tx).await?;
            let detail = json!({ "note": row.id });
            let change = Change { by, action: "incident.note", target: &id, detail, now };
            audit::write(tx, &change).await?;
            note_of(row)
        })
        .await
    }
}

async fn find(tx: &DatabaseTransaction, id: &str) -> Result<incident::Model> {
    let row = incident::Entity::find_by_id(id).one(tx).await?;
    row.ok_or_else(|| StateError::not_found("incident", id))
}
