//! The schema's steps. A released step is never changed; a new one is added at the end.

mod m0001_initial;
mod m0002_closing;
mod m0003_second_verdict;

use sea_orm::{ConnectionTrait, DbErr, QuerySelect};
use sea_orm_migration::seaql_migrations;
use sea_orm_migration::{MigrationTrait, MigratorTrait};

use crate::state::StateError;
use sea_orm::EntityTrait;

pub struct Migrator;

#[sea_orm_migration::async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_initial::Migration),
            Box::new(m0002_closing::Migration),
            Box::new(m0003_second_verdict::Migration),
        ]
    }
}

/// Brings the schema up to date; refuses one that holds steps unknown to this version.
pub async fn run(db: &sea_orm::DatabaseConnection) -> Result<(), StateError> {
    Migrator::install(db).await?;
    if let Some(step) = unknown_step(db).await? {
        return Err(StateError::NewerSchema { path: String::new(), step });
    }
    Migrator::up(db, None).await?;
    Ok(())
}

async fn unknown_step<C: ConnectionTrait>(db: &C) -> Result<Option<String>, DbErr> {
    let applied: Vec<String> = seaql_migrations::Entity::find()
        .select_only()
        .column(seaql_migrations::Column::Version)
        .into_tuple()
        .all(db)
        .await?;
    let known: Vec<String> =
        Migrator::migrations().iter().map(|step| step.name().to_owned()).collect();
    Ok(applied.into_iter().find(|step| !known.contains(step)))
}
