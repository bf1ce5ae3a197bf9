//! Effects to be carried out, each once.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub dedup_key: String,
    pub kind: String,
    pub mode: String,
    pub incident_id: Option<String>,
    pub decision_id: Option<String>,
    pub status: String,
    pub attempts: i32,
    pub next_try: i64,
    pub created: i64,
    pub last_error: Option<String>,
    pub payload: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
