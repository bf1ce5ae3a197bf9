//! `GET /api/v1/overview`: the dashboard's figures.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::console::Console;
use crate::context::Context;
use crate::failure::Failure;

/// `GET /api/v1/overview`
pub(crate) async fn show(
    State(console): State<Console>,
    context: Context,
) -> Result<Response, Failure> {
    context.reader()?;
    let now = console.clock.now();
    let from = now.plus_seconds(-86_400);
    let overview = console.state.overview(from, now).await?;
    let open: BTreeMap<&str, u64> =
        overview.open_incidents.iter().map(|(level, count)| (level.name(), *count)).collect();
    let hours: Vec<_> = overview
        .alerts_per_hour
        .iter()
        .map(|hour| json!({ "hour": hour.hour, "alerts": hour.alerts }))
        .collect();
    let rules: Vec<_> = overview
        .top_rules
        .iter()
        .map(|rule| {
            json!({
                "id": rule.id,
                "title": context.t.pick(&rule.title),
                "level": rule.level,
                "alerts": rule.alerts,
            })
        })
        .collect();
    let sources: Vec<_> = overview
        .top_sources
        .iter()
        .map(|source| {
            json!({
                "source.ip": source.address,
                "alerts": source.alerts,
                "last_seen": source.last_seen,
            })
        })
        .collect();
    Ok(Json(json!({
        "kind": "overview",
        "@timestamp": now,
        "from": from,
        "mode": console.settings.mode,
        "open_incidents": open,
        "alerts": overview.alerts,
        "alerts_per_hour": hours,
        "top_rules": rules,
        "top_sources": sources,
        "active_bans": overview.active_bans,
        "simulated_bans": overview.simulated_bans,
        "open_tickets": overview.open_tickets,
        "awaiting_approval": overview.awaiting_approval,
        "dead_letters": overview.dead_letters,
    }))
    .into_response())
}
