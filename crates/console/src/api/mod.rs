//! The JSON interface under `/api/v1`: the shapes of `vigie_event::wire`, lists by cursor,
//! failures as problem documents. The session cookie signs in.

pub(crate) mod incidents;
pub(crate) mod learning;
pub(crate) mod lists;
pub(crate) mod model;
pub(crate) mod overview;

use axum::Json;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use vigie_store::state::{PAGE_LIMIT, PageRequest};

use crate::failure::Failure;

/// Which page of a list.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Paging {
    limit: Option<u64>,
    after: Option<String>,
}

impl Paging {
    fn request(&self) -> PageRequest {
        PageRequest {
            limit: self.limit.unwrap_or(PAGE_LIMIT),
            after: self.after.clone().filter(|after| !after.is_empty()),
        }
    }
}

/// `{"items": […], "next": cursor or null}`
fn list(items: Vec<Value>, next: Option<String>) -> Response {
    let next = next.map_or(Value::Null, Value::String);
    Json(json!({ "items": Value::Array(items), "next": next })).into_response()
}

/// Anything else under `/api/`.
pub(crate) async fn unknown() -> Failure {
    Failure::NotFound
}
