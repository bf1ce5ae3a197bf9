//! What senders are told when the journal cannot keep their events.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used)]

use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::{Body, to_bytes};
use axum::http::Request;
use tower::ServiceExt;
use vigie_collector::{BoxFuture, Collector, Ingest, Token, collect_router};
use vigie_event::{Batch, Cursor, ManualClock, RecordRef, Source};
use vigie_store::journal::{JournalError, Position};
use vigie_store::state::State;

/// A log that refuses while `full`.
struct Fickle {
    full: AtomicBool,
    count: std::sync::Mutex<u64>,
}

impl Ingest for Fickle {
    fn append(&self, batch: Batch) -> BoxFuture<'_, Result<Position, JournalError>> {
        Box::pin(async move {
            if self.full.load(Ordering::SeqCst) {
                return Err(JournalError::Full { path: "/secret/place".into() });
            }
            let mut count = self.count.lock().unwrap();
            *count += batch.records.len() as u64;
            Ok(Position(*count))
        })
    }

    fn cursors(&self) -> Vec<(Arc<Source>, Cursor)> {
        Vec::new()
    }

    fn read(
        &self,
        _: Position,
        _: &mut dyn FnMut(Position, RecordRef<'_>) -> ControlFlow<()>,
    ) -> Result<(), JournalError> {
        Ok(())
    }
}

#[tokio::test]
async fn a_full_disk_is_told_and_costs_no_number() {
    let log = Arc::new(Fickle { full: AtomicBool::new(false), count: 0.into() });
    let state = State::in_memory().await.unwrap();
    let collector = Collector::new(log.clone(), state, Arc::new(ManualClock::default()));
    let router = collect_router(Token::new("t"), collector);
    let send = async || {
        let request =
            Request::post("/collect").header("x-auth-token", "t").body(Body::from("{\"a\":1}"));
        let response = router.clone().oneshot(request.unwrap()).await.unwrap();
        let status = response.status().as_u16();
        let body = to_bytes(response.into_body(), 1_000).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    };
    assert_eq!(send().await, (200, r#"{"status": "collected", "total": 1}"#.to_owned()));
    log.full.store(true, Ordering::SeqCst);
    let (status, body) = send().await;
    assert_eq!(status, 507);
    assert!(body.contains("no room left") && !body.contains("secret"), "{body}");
    log.full.store(false, Ordering::SeqCst);
    assert_eq!(send().await, (200, r#"{"status": "collected", "total": 2}"#.to_owned()));
}
