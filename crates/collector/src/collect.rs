//! The collector's interface: `POST /collect`, `POST /ingest`, `GET /events`, `GET /health`.

use axum::Router;
use axum::extract::{Query, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde::Deserialize;

use crate::answer::{Refusal, json, not_found, wrong_method};
use crate::auth::{self, Token};
use crate::body::{self, BODY_LIMIT, EVENT_LIMIT};
use crate::intake::Collector;
use crate::seed_log::SeedPage;
use crate::{event_text, raw};

/// Events that `GET /events` gives unless asked otherwise.
const EVENTS: u64 = 1_000;

/// The collector's interface (port 6001).
pub fn collect_router(token: Token, collector: Collector) -> Router {
    Router::new()
        .route("/collect", post(collect))
        .route("/ingest", post(raw::ingest))
        .route("/events", get(events))
        .layer(from_fn_with_state(token, auth::require))
        .route("/health", get(health))
        .method_not_allowed_fallback(wrong_method)
        .fallback(not_found)
        .with_state(collector)
}

async fn collect(
    State(collector): State<Collector>,
    request: Request,
) -> Result<Response, Refusal> {
    let lines = is_lines(&request);
    let whole = body::read(request, BODY_LIMIT, Some(collector.budget())).await?;
    let now = collector.clock().now().to_string();
    let several = lines || whole.bytes.trim_ascii_start().first() == Some(&b'[');
    let events = event_text::events(&whole.bytes, lines, &now, EVENT_LIMIT)?;
    let receipt = collector.collect(events).await?;
    let (total, accepted) = (receipt.total, receipt.accepted);
    let body = if several {
        format!(r#"{{"status": "collected", "total": {total}, "accepted": {accepted}}}"#)
    } else {
        format!(r#"{{"status": "collected", "total": {total}}}"#)
    };
    Ok(json(StatusCode::OK, body))
}

/// Whether the body says that it is one object a line.
fn is_lines(request: &Request) -> bool {
    let kind = request.headers().get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    matches!(
        kind.as_str(),
        "application/x-ndjson"
            | "application/ndjson"
            | "application/jsonl"
            | "application/x-jsonlines"
    )
}

#[derive(Deserialize)]
struct Wanted {
    limit: Option<u64>,
    after: Option<u64>,
}

/// The events in the order of their acceptance, as one array. `X-Total-Count` counts all events;
/// where there are more, `Link` leads on.
async fn events(
    State(collector): State<Collector>,
    wanted: Result<Query<Wanted>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    let Ok(Query(wanted)) = wanted else {
        return Err(Refusal::bad("`limit` and `after` are whole numbers"));
    };
    let limit = wanted.limit.unwrap_or(EVENTS);
    let page = collector.agents().page(wanted.after, limit).await.map_err(|error| {
        tracing::error!(%error, "the agents' events cannot be read back");
        Refusal::new(StatusCode::SERVICE_UNAVAILABLE, "events cannot be read at the moment")
    })?;
    let body = body::held(array(&page), collector.budget()).await?;
    let mut response = json(StatusCode::OK, body);
    let headers = response.headers_mut();
    headers.insert("x-total-count", collector.events_count().into());
    if let (Some(last), true) = (page.last, page.more) {
        let link = format!("</events?after={last}&limit={limit}>; rel=\"next\"");
        if let Ok(link) = HeaderValue::from_str(&link) {
            headers.insert(header::LINK, link);
        }
    }
    Ok(response)
}

fn array(page: &SeedPage) -> Vec<u8> {
    let size = page.events.iter().map(|event| event.len() + 1).sum::<usize>() + 2;
    let mut body = Vec::with_capacity(size);
    body.push(b'[');
    for event in &page.events {
        if body.len() > 1 {
            body.push(b',');
        }
        body.extend_from_slice(event);
    }
    body.push(b']');
    body
}

async fn health(State(collector): State<Collector>) -> impl IntoResponse {
    let count = collector.events_count();
    json(StatusCode::OK, format!(r#"{{"status": "ok", "events_count": {count}}}"#))
}
