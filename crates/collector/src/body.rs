//! Reading request bodies within bounds of size, time and memory.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
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
    _room: Option<OwnedSemaphorePermit>,
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
    let declared = headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<usize>().ok());
    if declared.is_some_and(|length| length > limit) {
        return Err(too_large(limit));
    }
    let room = match budget {
        Some(budget) => Some(room(budget, declared.unwrap_or(limit)).await?),
        None => None,
    };
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
        bytes.extend_from_slice(&piece);
    }
    Ok(Whole { bytes, _room: room })
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
