//! The allowlist: addresses and networks that must not be banned.

use ipnet::IpNet;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, EntityTrait, QueryOrder};
use serde::{Deserialize, Serialize};
use serde_json::json;
use vigie_event::Timestamp;

use super::audit::{self, Change};
use super::entity::allow;
use super::rows::{from_id, time, time_opt, upsert};
use super::{Result, State, StateError};

/// An address or network that must not be banned.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Allowed {
    /// Whom; one address is a /32 or a /128. Host bits are cleared when it is kept.
    pub target: IpNet,
    /// Why.
    pub reason: String,
    /// Who added it.
    pub added_by: String,
    /// When.
    pub created: Timestamp,
    /// Until when; `None`: for good.
    pub expires: Option<Timestamp>,
}

impl State {
    /// Adds to the allowlist, or replaces the entry of the same network.
    pub async fn allow(
        &self,
        target: IpNet,
        reason: &str,
        expires: Option<Timestamp>,
        by: &str,
        now: Timestamp,
    ) -> Result<()> {
        let target = target.trunc().to_string();
        self.write(async |tx| {
            let row = allow::ActiveModel {
                target: Set(target.clone()),
                reason: Set(reason.to_owned()),
                added_by: Set(by.to_owned()),
                created: Set(now.nanos()),
                expires: Set(expires.map(Timestamp::nanos)),
            };
            let replace = OnConflict::column(allow::Column::Target)
                .update_columns([
                    allow::Column::Reason,
                    allow::Column::AddedBy,
                    allow::Column::Created,
                    allow::Column::Expires,
                ])
                .to_owned();
            upsert(tx, vec![row], &replace).await?;
            let detail = json!({ "reason": reason, "expires": expires });
            audit::write(tx, &Change { by, action: "allow.add", target: &target, detail, now })
                .await
        })
        .await
    }

    /// Removes from the allowlist.
    ///
    /// # Errors
    /// The network is not on it.
    pub async fn disallow(&self, target: IpNet, by: &str, now: Timestamp) -> Result<()> {
        let target = target.trunc().to_string();
        self.write(async |tx| {
            let gone = allow::Entity::delete_by_id(&target).exec(tx).await?;
            if gone.rows_affected == 0 {
                return Err(StateError::not_found("allowlist entry", &target));
            }
            let change =
                Change { by, action: "allow.remove", target: &target, detail: json!({}), now };
            audit::write(tx, &change).await
        })
        .await
    }

    /// The allowlist as it holds at `now`, by address.
    pub async fn allowed(&self, now: Timestamp) -> Result<Vec<Allowed>> {
        self.read(async |db| {
            let rows = allow::Entity::find().order_by_asc(allow::Column::Target).all(db).await?;
            rows.iter()
                .filter(|row| row.expires.is_none_or(|expires| expires > now.nanos()))
                .map(stored)
                .collect()
        })
        .await
    }
}

fn stored(row: &allow::Model) -> Result<Allowed> {
    Ok(Allowed {
        target: from_id("allowlist entry", &row.target)?,
        reason: row.reason.clone(),
        added_by: row.added_by.clone(),
        created: time(row.created),
        expires: time_opt(row.expires),
    })
}
