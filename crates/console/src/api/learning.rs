//! `GET /api/v1/learning`: what was learnt from closings, for export.

use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use vigie_event::Precedent;

use super::{Paging, list};
use crate::console::Console;
use crate::context::Context;
use crate::failure::Failure;

/// Of which rule; of all where none is named.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Wanted {
    rule: Option<String>,
}

/// `GET /api/v1/learning`
pub(crate) async fn show(
    State(console): State<Console>,
    context: Context,
    Query(wanted): Query<Wanted>,
    Query(paging): Query<Paging>,
) -> Result<Response, Failure> {
    context.reader()?;
    let found = console.state.precedents(wanted.rule.as_deref(), &paging.request()).await?;
    Ok(list(found.items.iter().map(precedent).collect(), found.next))
}

fn precedent(precedent: &Precedent) -> Value {
    json!({
        "kind": "precedent",
        "rule": precedent.key.rule,
        "field": precedent.key.field,
        "value": precedent.key.value,
        "closings": precedent.closings,
    })
}
