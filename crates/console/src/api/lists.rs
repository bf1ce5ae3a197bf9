//! `GET /api/v1/alerts`, `/bans` and `/tickets`.

use axum::extract::{Query, State};
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};
use vigie_event::{Lang, wire};
use vigie_store::state::{
    AlertFilter, Ban, BanFilter, BanStatus, Ticket, TicketFilter, TicketStatus,
};

use super::{Paging, list};
use crate::console::Console;
use crate::context::Context;
use crate::failure::Failure;
use crate::pages::incident::named;

/// Which alerts.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Alerts {
    incident: Option<String>,
    rule: Option<String>,
    severity: Option<String>,
    source: Option<String>,
    text: Option<String>,
}

/// `GET /api/v1/alerts`
pub(crate) async fn alerts(
    State(console): State<Console>,
    context: Context,
    Query(wanted): Query<Alerts>,
    Query(paging): Query<Paging>,
) -> Result<Response, Failure> {
    context.reader()?;
    let level = wanted.severity.map(|level| level.parse()).transpose();
    let filter = AlertFilter {
        incident: wanted.incident.map(|id| named(&id)).transpose()?,
        rule: wanted.rule,
        min_severity: level.map_err(|_| Failure::BadRequest)?,
        source: wanted.source,
        text: wanted.text,
        ..AlertFilter::default()
    };
    let found = console.state.alerts(&filter, &paging.request()).await?;
    let lang = context.t.lang();
    Ok(list(
        found.items.iter().map(|alert| wire::to_value(wire::alert(alert, lang))).collect(),
        found.next,
    ))
}

/// Which bans or tickets: `active`, `expired`, `lifted`; `open`, `closed`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Standing {
    status: Option<String>,
}

/// `GET /api/v1/bans`
pub(crate) async fn bans(
    State(console): State<Console>,
    context: Context,
    Query(wanted): Query<Standing>,
    Query(paging): Query<Paging>,
) -> Result<Response, Failure> {
    context.reader()?;
    let status = match wanted.status.as_deref() {
        None => Vec::new(),
        Some("active") => vec![BanStatus::Active],
        Some("expired") => vec![BanStatus::Expired],
        Some("lifted") => vec![BanStatus::Lifted],
        Some(_) => return Err(Failure::BadRequest),
    };
    let filter = BanFilter { status, ..BanFilter::default() };
    let found = console.state.bans(&filter, &paging.request()).await?;
    let lang = context.t.lang();
    Ok(list(found.items.iter().map(|one| ban(one, lang)).collect(), found.next))
}

/// `GET /api/v1/tickets`
pub(crate) async fn tickets(
    State(console): State<Console>,
    context: Context,
    Query(wanted): Query<Standing>,
    Query(paging): Query<Paging>,
) -> Result<Response, Failure> {
    context.reader()?;
    let status = match wanted.status.as_deref() {
        None => None,
        Some(name) if name.eq_ignore_ascii_case("open") => Some(TicketStatus::Open),
        Some(name) if name.eq_ignore_ascii_case("closed") => Some(TicketStatus::Closed),
        Some(_) => return Err(Failure::BadRequest),
    };
    let filter = TicketFilter { status, ..TicketFilter::default() };
    let found = console.state.tickets(&filter, &paging.request()).await?;
    let lang = context.t.lang();
    Ok(list(found.items.iter().map(|one| ticket(one, lang)).collect(), found.next))
}

fn ban(ban: &Ban, lang: Lang) -> Value {
    json!({
        "kind": "ban",
        "id": ban.id,
        "target": ban.target.to_string(),
        "reason": ban.reason.get(lang),
        "incident": ban.incident,
        "decision": ban.decision,
        "@timestamp": ban.created,
        "expires": ban.expires,
        "mode": ban.mode,
        "status": ban.status,
        "ended": ban.ended,
        "ended_by": ban.ended_by,
    })
}

/// `{"kind": "ticket", …}`
pub(super) fn ticket(ticket: &Ticket, lang: Lang) -> Value {
    json!({
        "kind": "ticket",
        "id": ticket.id,
        "incident": ticket.about.incident,
        "severity": ticket.about.severity,
        "category": ticket.about.category,
        "title": ticket.about.title.get(lang),
        "explanation": ticket.about.explanation.get(lang),
        "status": ticket.status,
        "@timestamp": ticket.about.created,
        "closed": ticket.closed,
    })
}
