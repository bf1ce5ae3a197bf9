//! `GET /api/v1/incidents` and `GET /api/v1/incidents/{id}`.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use vigie_event::wire;

use super::{Paging, list};
use crate::console::Console;
use crate::context::Context;
use crate::failure::Failure;
use crate::pages::incident::named;
use crate::pages::incidents::Filter;

/// `GET /api/v1/incidents`: filters as on the page (`text`, `severity`, `status`, `from`, `to`,
/// `rule`), each with its newest verdict.
pub(crate) async fn list_all(
    State(console): State<Console>,
    context: Context,
    Query(filter): Query<Filter>,
    Query(paging): Query<Paging>,
) -> Result<Response, Failure> {
    context.reader()?;
    let lang = context.t.lang();
    let (wanted, problem) = filter.resolve();
    if problem.is_some() {
        return Err(Failure::BadRequest);
    }
    let found = console.state.incidents(&wanted, &paging.request()).await?;
    let items = found.items.iter().map(|summary| {
        let mut item = wire::to_value(wire::incident(&summary.incident, lang));
        let verdict =
            summary.verdict.as_ref().map(|verdict| wire::to_value(wire::verdict(verdict, lang)));
        insert(&mut item, "verdict", verdict.unwrap_or_default());
        item
    });
    Ok(list(items.collect(), found.next))
}

/// `GET /api/v1/incidents/{id}`: the incident with its `alerts`, `verdicts`, `decisions`, `notes`
/// and `tickets` in full.
pub(crate) async fn show(
    State(console): State<Console>,
    context: Context,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    context.reader()?;
    let lang = context.t.lang();
    let detail = console.state.incident(named(&id)?).await?.ok_or(Failure::NotFound)?;
    let notes: Vec<Value> = detail
        .notes
        .iter()
        .map(|note| json!({ "@timestamp": note.time, "author": note.author, "text": note.text }))
        .collect();
    let all = |values: Vec<Value>| Value::Array(values);
    let mut item = wire::to_value(wire::incident(&detail.incident, lang));
    let alerts =
        detail.alerts.iter().map(|alert| wire::to_value(wire::alert(alert, lang))).collect();
    let verdicts = detail
        .verdicts
        .iter()
        .map(|verdict| wire::to_value(wire::verdict(verdict, lang)))
        .collect();
    let decisions = detail
        .decisions
        .iter()
        .map(|one| wire::to_value(wire::decision(&one.decision, lang)))
        .collect();
    let tickets = detail.tickets.iter().map(|one| super::lists::ticket(one, lang)).collect();
    // `alerts` of the incident itself holds ids; the objects stand beside it under a longer name.
    insert(&mut item, "alert_details", all(alerts));
    insert(&mut item, "verdicts", all(verdicts));
    insert(&mut item, "decisions", all(decisions));
    insert(&mut item, "tickets", all(tickets));
    insert(&mut item, "notes", all(notes));
    Ok(Json(item).into_response())
}

fn insert(object: &mut Value, key: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(key.to_owned(), value);
    }
}
