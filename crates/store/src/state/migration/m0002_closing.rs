//! What people's closings are remembered under.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::text;

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0002_closing"
    }
}

// The trait is declared without the lifetime, and the implementation must read as it does.
#[allow(elided_lifetimes_in_paths)]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut key = Index::create();
        for column in ["incident_id", "rule_id", "field", "value"] {
            key.col(column);
        }
        let closing = Table::create()
            .table("closing")
            .col(text("incident_id"))
            .col(text("rule_id"))
            .col(text("field"))
            .col(text("value"))
            .col(text("reason"))
            .primary_key(&mut key)
            .to_owned();
        manager.create_table(closing).await?;
        let mut index = Index::create();
        index.name("closing_by_rule_id_field_value").table("closing");
        for column in ["rule_id", "field", "value", "reason"] {
            index.col(column);
        }
        manager.create_index(index).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
