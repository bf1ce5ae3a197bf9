//! Addresses and networks that must not be banned.

use sea_orm::entity::prelude::*;

#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "allow")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub target: String,
    pub reason: String,
    pub added_by: String,
    pub created: i64,
    pub expires: Option<i64>,
}

#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
