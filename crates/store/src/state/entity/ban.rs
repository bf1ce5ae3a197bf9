//! Bans, those in force and those that were.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "ban")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub target: String,
    pub incident_id: Option<String>,
    pub decision_id: Option<String>,
    pub status: String,
    pub mode: String,
    pub reason: String,
    pub created: i64,
    pub expires: Option<i64>,
    pub ended: Option<i64>,
    pub ended_by: Option<String>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
