//! Incidents: the machine's columns and the people's.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "incident")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub revision: i64,
    pub judged_revision: Option<i64>,
    pub to_judge: bool,
    /// When the first verdict was given that a model has not been asked about.
    pub ask_since: Option<i64>,
    pub status: String,
    pub close_reason: Option<String>,
    pub owner: Option<String>,
    pub level: i32,
    pub severity: i32,
    pub first_seen: i64,
    pub last_seen: i64,
    pub actor_field: String,
    pub actor_value: String,
    pub alert_count: i32,
    pub search: String,
    pub body: String,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
