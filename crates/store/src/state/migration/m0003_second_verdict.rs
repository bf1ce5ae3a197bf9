//! Second verdicts: which incidents wait for one, and whether they agree with the first.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer_null, boolean_null};

pub struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &'static str {
        "m0003_second_verdict"
    }
}

// The trait is declared without the lifetime, and the implementation must read as it does.
#[allow(elided_lifetimes_in_paths)]
#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One column a statement: SQLite takes no more.
        let columns =
            [("incident", big_integer_null("ask_since")), ("verdict", boolean_null("agrees"))];
        for (table, mut column) in columns {
            let alter = Table::alter().table(table).add_column(&mut column).to_owned();
            manager.alter_table(alter).await?;
        }
        let index = Index::create()
            .name("incident_by_ask_since")
            .table("incident")
            .col("ask_since")
            .to_owned();
        manager.create_index(index).await
    }

    fn use_transaction(&self) -> Option<bool> {
        Some(true)
    }
}
