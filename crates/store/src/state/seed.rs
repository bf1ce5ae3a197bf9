//! Where in the journal the agents' events stand.
//!
//! The events themselves are in the journal, numbered from 1 in the order in which they were
//! accepted. A mark says where some of them stand, so that a reader can start near the one that
//! it looks for. Marks are a hint: without them reading takes longer and gives the same.

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use super::entity::seed_mark;
use super::rows::upsert;
use super::{Result, State};
use crate::journal::Position;

/// Where one of the agents' events stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SeedMark {
    /// Its number, from 1.
    pub number: u64,
    /// Its place in the journal.
    pub position: Position,
}

impl State {
    /// Keeps marks.
    pub async fn mark_seed_events(&self, marks: &[SeedMark]) -> Result<()> {
        let rows: Vec<_> = marks
            .iter()
            .map(|mark| seed_mark::ActiveModel {
                number: Set(mark.number as i64),
                position: Set(mark.position.0 as i64),
            })
            .collect();
        let replace = OnConflict::column(seed_mark::Column::Number)
            .update_column(seed_mark::Column::Position)
            .to_owned();
        self.write(async |tx| upsert(tx, rows, &replace).await.map(drop)).await
    }

    /// The last mark at or before event `number`, then the marks after it, at most `limit` in all.
    pub async fn seed_marks(&self, number: u64, limit: u64) -> Result<Vec<SeedMark>> {
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        self.read(async |db| {
            let before: Option<i64> = seed_mark::Entity::find()
                .select_only()
                .column(seed_mark::Column::Number)
                .filter(seed_mark::Column::Number.lte(number))
                .order_by_desc(seed_mark::Column::Number)
                .into_tuple()
                .one(db)
                .await?;
            let rows = seed_mark::Entity::find()
                .filter(seed_mark::Column::Number.gte(before.unwrap_or(0)))
                .order_by_asc(seed_mark::Column::Number)
                .limit(limit)
                .all(db)
                .await?;
            Ok(rows.iter().map(mark).collect())
        })
        .await
    }

    /// Forgets the marks before `oldest`: the journal no longer holds what they point at.
    pub async fn forget_seed_marks(&self, oldest: Position) -> Result<()> {
        self.write(async |tx| {
            seed_mark::Entity::delete_many()
                .filter(seed_mark::Column::Position.lt(oldest.0 as i64))
                .exec(tx)
                .await?;
            Ok(())
        })
        .await
    }
}

fn mark(row: &seed_mark::Model) -> SeedMark {
    SeedMark { number: row.number as u64, position: Position(row.position as u64) }
}
