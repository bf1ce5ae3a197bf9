//! Settings by key.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, DatabaseTransaction, EntityTrait};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;
use vigie_event::Timestamp;

use super::audit::{self, Change};
use super::entity::setting;
use super::rows::{from_body, to_body, upsert};
use super::{Result, State};

impl State {
    /// The setting under `key`; `None` where it was never set.
    ///
    /// # Errors
    /// What is stored does not read as `T`.
    pub async fn setting<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>> {
        self.read(async |db| {
            let row = setting::Entity::find_by_id(key).one(db).await?;
            row.map(|row| from_body("setting", &row.value)).transpose()
        })
        .await
    }

    /// Sets `key`, as somebody asked. The audit row names the key alone: values can be secret.
    pub async fn set_setting<T: Serialize>(
        &self,
        key: &str,
        value: &T,
        by: &str,
        now: Timestamp,
    ) -> Result<()> {
        let value = to_body("setting", value)?;
        self.write(async |tx| {
            put(tx, key, value).await?;
            let change = Change { by, action: "setting.set", target: key, detail: json!({}), now };
            audit::write(tx, &change).await
        })
        .await
    }

    /// Sets `key` to what Vigie itself wants to remember; no audit row.
    pub async fn remember<T: Serialize>(&self, key: &str, value: &T) -> Result<()> {
        let value = to_body("setting", value)?;
        self.write(async |tx| put(tx, key, value).await).await
    }
}

async fn put(tx: &DatabaseTransaction, key: &str, value: String) -> Result<()> {
    let row = setting::ActiveModel { key: Set(key.to_owned()), value: Set(value) };
    let replace =
        OnConflict::column(setting::Column::Key).update_column(setting::Column::Value).to_owned();
    upsert(tx, vec![row], &replace).await.map(drop)
}
