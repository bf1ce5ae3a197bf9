//! Reading request bodies within bounds of size, time and memory.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::{StatusCode, header};
use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_stream::StreamExt;

use crate::answer::Refusal;

/// Bytes of a request body at most: 16 MiB.
pub const BODY_LIMIT: usize = 16 << 20;
/// Bytes of one event at most: 1 MiB.
pub const EVENT_LIMIT: usize = 1 << 20;
/// Records of one request at most.
pub const RECORDS_LIMIT: usize = 100_000;
/// Room that a body takes whose length is not told, until it outgrows it.
const UNDECLARED: usize = 256 << 10;
/// Bytes of a piece of a long answer.
const PIECE_BYTES: usize = 64 << 10;
/// Between two pieces of a body.
const PIECE_TIME: Duration = Duration::from_secs(10);
/// For the whole of a body.
const BODY_TIME: Duration = Duration::from_mins(2);
/// For room in memory, when many large bodies come at once.
const ROOM_TIME: Duration = Duration::from_secs(10);

/// A body that has been read, and its share of the memory that bodies may take.
#[derive(Debug)]
pub struct Whole {
    pub bytes: Vec<u8>,
    _rooms: Vec<OwnedSemaphorePermit>,
}

/// Reads the whole body of `request`, at most `limit` bytes, within `budget` (permits of 1 KiB).
pub async fn read(
    request: Request,
    limit: usize,
    budget: Option<&Arc<Semaphore>>,
) -> Result<Whole, Refusal> {
    let headers = request.headers();
    if let Some(encoding) = headers.get(header::CONTENT_ENCODING)
        && encoding.as_bytes() != b"identity"
    {
        return Err(Refusal::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "compressed bodies are not taken; send it uncompressed",
        ));
    }
    let declared = request.body().size_hint().exact();
    let declared = declared.map(|length| usize::try_from(length).unwrap_or(usize::MAX));
    if declared.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let mut rooms = Vec::new();
    if let Some(budget) = budget {
        rooms.push(room(budget, declared.unwrap_or(UNDECLARED)).await?);
    }
    let late = || Refusal::new(StatusCode::REQUEST_TIMEOUT, "the body came too slowly");
    let end = Instant::now() + BODY_TIME;
    let mut bytes = Vec::with_capacity(declared.unwrap_or(0));
    let mut pieces = request.into_body().into_data_stream();
    loop {
        let by = end.min(Instant::now() + PIECE_TIME);
        let Some(piece) = timeout_at(by, pieces.next()).await.map_err(|_| late())? else { break };
        let piece = piece.map_err(|_| Refusal::bad("the body broke off"))?;
        if bytes.len() + piece.len() > limit {
            return Err(too_large(limit));
        }
        let outgrown = declared.is_none() && bytes.len() + piece.len() > UNDECLARED;
        if let (true, 1, Some(budget)) = (outgrown, rooms.len(), budget) {
            rooms.push(room(budget, limit.saturating_sub(UNDECLARED)).await?);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(Whole { bytes, _rooms: rooms })
}

async fn room(budget: &Arc<Semaphore>, bytes: usize) -> Result<OwnedSemaphorePermit, Refusal> {
    let permits = u32::try_from(bytes / 1_024 + 1).unwrap_or(u32::MAX);
    let waiting = Arc::clone(budget).acquire_many_owned(permits);
    match timeout(ROOM_TIME, waiting).await {
        Ok(Ok(permit)) => Ok(permit),
        _ => Err(Refusal::busy()),
    }
}

/// A body to be sent in pieces, which gives its share of the memory back when the last piece has
/// been taken over for sending.
pub async fn held(bytes: Vec<u8>, budget: &Arc<Semaphore>) -> Result<Body, Refusal> {
    let room = room(budget, bytes.len()).await?;
    let mut rest = Bytes::from(bytes);
    let pieces = std::iter::from_fn(move || {
        let _held = &room;
        let piece = rest.split_to(rest.len().min(PIECE_BYTES));
        (!piece.is_empty()).then_some(Ok::<_, Infallible>(piece))
    });
    Ok(Body::from_stream(tokio_stream::iter(pieces)))
}

fn too_large(limit: usize) -> Refusal {
    let error = format!("the body is larger than {} MiB; send several", limit >> 20);
    Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, error)
}
