//! `POST /ingest`: records of any format, one a line.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use vigie_event::Format;

use crate::answer::{Refusal, json};
use crate::body::{self, BODY_LIMIT, EVENT_LIMIT, RECORDS_LIMIT};
use crate::intake::Collector;
use crate::seed_log::AGENTS;

/// The source's name unless the sender gives one.
const NAME: &str = "http";
/// Characters of a source's name at most.
const NAME_LENGTH: usize = 200;

#[derive(Deserialize)]
pub struct Told {
    /// The format; recognised from content where it is left out.
    #[serde(rename = "as")]
    format: Option<String>,
    /// The source's name.
    source: Option<String>,
}

/// Accepts the lines of the body as records, all or none.
pub async fn ingest(
    State(collector): State<Collector>,
    told: Result<Query<Told>, QueryRejection>,
    request: Request,
) -> Result<Response, Refusal> {
    let Ok(Query(told)) = told else {
        return Err(Refusal::bad("`as` names a format, `source` the source, each once"));
    };
    let format = format(told.format.as_deref())?;
    let name = name(told.source.as_deref())?;
    let whole = body::read(request, BODY_LIMIT, Some(collector.budget())).await?;
    let records = lines(&whole.bytes)?;
    let receipt = collector.ingest(name, format, records).await?;
    let (accepted, total, position) = (receipt.accepted, receipt.total, receipt.position.0);
    let body = format!(
        r#"{{"status": "accepted", "accepted": {accepted}, "total": {total}, "position": {position}}}"#
    );
    Ok(json(StatusCode::OK, body))
}

fn format(name: Option<&str>) -> Result<Option<Format>, Refusal> {
    let Some(name) = name else { return Ok(None) };
    match name.parse() {
        Ok(Format::Evtx) => {
            Err(Refusal::bad("`evtx` files are not made of lines; send `windows` events as JSON"))
        }
        Ok(format) => Ok(Some(format)),
        Err(error) => Err(Refusal::bad(format!("as: {error}"))),
    }
}

fn name(name: Option<&str>) -> Result<&str, Refusal> {
    let name = name.unwrap_or(NAME);
    let length = name.chars().count();
    if length == 0 || length > NAME_LENGTH || name.chars().any(char::is_control) {
        return Err(Refusal::bad(format!(
            "source: a name has 1 to {NAME_LENGTH} characters and no control characters"
        )));
    }
    if name == AGENTS {
        return Err(Refusal::bad(format!("source: `{AGENTS}` is kept for /collect")));
    }
    Ok(name)
}

/// The lines that hold anything, without their ends.
fn lines(body: &[u8]) -> Result<Vec<Vec<u8>>, Refusal> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body);
    let too_large = |error| Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, error);
    let mut records = Vec::new();
    for (index, line) in body.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if line.trim_ascii().is_empty() {
            continue;
        }
        if line.len() > EVENT_LIMIT {
            return Err(too_large(format!(
                "line {} is larger than {EVENT_LIMIT} bytes; nothing was accepted",
                index + 1
            )));
        }
        if records.len() == RECORDS_LIMIT {
            return Err(too_large(format!(
                "more than {RECORDS_LIMIT} lines in one request; nothing was accepted"
            )));
        }
        records.push(line.to_vec());
    }
    if records.is_empty() { Err(Refusal::no_data()) } else { Ok(records) }
}
