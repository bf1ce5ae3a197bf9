//! Between rows and our words.

use std::str::FromStr;

use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveModelTrait, ConnectionTrait, EntityTrait, IntoActiveModel};
use serde::Serialize;
use serde::de::DeserializeOwned;
use vigie_event::{Severity, Timestamp};

use super::{Result, StateError};

/// Rows of one statement: well under SQLite's 32,766 variables at 16 columns a row.
const CHUNK: usize = 200;

/// The JSON text of a body.
pub fn to_body<T: Serialize>(what: &'static str, value: &T) -> Result<String> {
    serde_json::to_string(value)
        .map_err(|error| StateError::Body { what, problem: error.to_string() })
}

/// The value in a body.
pub fn from_body<T: DeserializeOwned>(what: &'static str, body: &str) -> Result<T> {
    serde_json::from_str(body)
        .map_err(|error| StateError::Body { what, problem: error.to_string() })
}

/// What was read of the row called `id`; `None` where it cannot be understood, which is logged. One
/// damaged row must not take the others with it.
pub fn readable<T>(id: &str, read: Result<T>) -> Result<Option<T>> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error @ StateError::Body { .. }) => {
            tracing::error!(id, %error, "a stored row is passed over");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The name under which `value` is serialised: for enums whose JSON is a plain text.
pub fn to_name<T: Serialize>(what: &'static str, value: &T) -> Result<String> {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(name)) => Ok(name),
        Ok(_) => Err(StateError::Body { what, problem: "not a name".to_owned() }),
        Err(error) => Err(StateError::Body { what, problem: error.to_string() }),
    }
}

/// The value that is serialised under `name`.
pub fn from_name<T: DeserializeOwned>(what: &'static str, name: &str) -> Result<T> {
    serde_json::from_value(serde_json::Value::String(name.to_owned()))
        .map_err(|error| StateError::Body { what, problem: error.to_string() })
}

/// The identifier in a column.
pub fn from_id<T>(what: &'static str, text: &str) -> Result<T>
where
    T: FromStr,
    T::Err: ToString,
{
    text.parse().map_err(|error: T::Err| StateError::Body { what, problem: error.to_string() })
}

/// The identifier in a column that may be empty.
pub fn from_id_opt<T>(what: &'static str, text: Option<&str>) -> Result<Option<T>>
where
    T: FromStr,
    T::Err: ToString,
{
    text.map(|text| from_id(what, text)).transpose()
}

/// 0 informational to 4 critical.
pub fn rank(severity: Severity) -> i32 {
    match severity {
        Severity::Informational => 0,
        Severity::Low => 1,
        Severity::Medium => 2,
        Severity::High => 3,
        Severity::Critical => 4,
    }
}

/// The severity of a rank; out of range, the nearest.
pub fn severity(rank: i32) -> Severity {
    match rank {
        i32::MIN..=0 => Severity::Informational,
        1 => Severity::Low,
        2 => Severity::Medium,
        3 => Severity::High,
        4.. => Severity::Critical,
    }
}

/// The time in a column.
pub fn time(nanos: i64) -> Timestamp {
    Timestamp::from_nanos(nanos)
}

/// The time in a column that may be empty.
pub fn time_opt(nanos: Option<i64>) -> Option<Timestamp> {
    nanos.map(Timestamp::from_nanos)
}

/// Inserts `rows`, a bounded number a statement. Returns how many were inserted or updated.
pub async fn upsert<C, A>(db: &C, rows: Vec<A>, conflict: &OnConflict) -> Result<u64>
where
    C: ConnectionTrait,
    A: ActiveModelTrait + Send,
    <A::Entity as EntityTrait>::Model: IntoActiveModel<A>,
{
    let mut changed = 0;
    let mut rows = rows.into_iter().peekable();
    while rows.peek().is_some() {
        let chunk: Vec<A> = rows.by_ref().take(CHUNK).collect();
        changed += A::Entity::insert_many(chunk)
            .on_conflict(conflict.clone())
            .exec_without_returning(db)
            .await?;
    }
    Ok(changed)
}
