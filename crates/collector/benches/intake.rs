//! How fast events are taken: lines by the batch, and single posts, each durable when answered.
//!
//! `cargo bench -p vigie-collector --bench intake -- [DIRECTORY]`

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use tower::ServiceExt;
use vigie_collector::{Collector, Token, collect_router};
use vigie_event::SystemClock;
use vigie_store::journal::{Journal, JournalOptions};
use vigie_store::state::State;

const TIME: Duration = Duration::from_secs(3);
const LINE: &str =
    "Jan  5 10:12:13 web-1 sshd[4711]: Failed password for root from 203.0.113.7 port 4242 ssh2\n";
const EVENT: &str = r#"{"type": "ssh_failed", "src": "203.0.113.7", "dst": "192.0.2.10", "user": "root", "sensor_id": "SENSOR-01"}"#;

async fn post(router: Router, path: &str, body: String) {
    let request = Request::post(path).header("x-auth-token", "t").body(Body::from(body)).unwrap();
    let response = router.oneshot(request).await.unwrap();
    assert!(response.status().is_success());
}

/// `senders` post `body`, which holds `events`, again and again; gives events a second.
async fn measure(router: &Router, what: &str, senders: usize, path: &str, body: &str, events: u64) {
    let begun = Instant::now();
    let tasks: Vec<_> = (0..senders)
        .map(|_| {
            let (router, path, body) = (router.clone(), path.to_owned(), body.to_owned());
            tokio::spawn(async move {
                let (mut posts, mut slowest) = (0, Duration::ZERO);
                while begun.elapsed() < TIME {
                    let start = Instant::now();
                    post(router.clone(), &path, body.clone()).await;
                    slowest = slowest.max(start.elapsed());
                    posts += 1;
                }
                (posts, slowest)
            })
        })
        .collect();
    let (mut posts, mut slowest) = (0, Duration::ZERO);
    for task in tasks {
        let (more, slow) = task.await.unwrap();
        posts += more;
        slowest = slowest.max(slow);
    }
    let rate = (posts * events) as f64 / begun.elapsed().as_secs_f64();
    let each = TIME.as_secs_f64() * 1_000.0 * senders as f64 / posts as f64;
    println!(
        "{what}: {rate:.0} events/s, {each:.2} ms a post, slowest {:.1} ms",
        slowest.as_secs_f64() * 1_000.0
    );
}

#[tokio::main]
async fn main() {
    let place = std::env::args().nth(1).filter(|place| !place.starts_with('-'));
    let place = place.map_or_else(std::env::temp_dir, PathBuf::from);
    let folder = tempfile::tempdir_in(place).unwrap();
    let options = JournalOptions { reserve_bytes: 0, ..JournalOptions::default() };
    let (journal, _) = Journal::open(&folder.path().join("journal"), options).unwrap();
    let state = State::open(&folder.path().join("state.db")).await.unwrap();
    let collector = Collector::new(Arc::new(journal), state, Arc::new(SystemClock));
    let router = collect_router(Token::new("t"), collector);
    let lines = LINE.repeat(1_000);
    let events = format!("[{}]", vec![EVENT; 1_000].join(","));
    let path = "/ingest?as=sshd&source=web-1";
    measure(&router, "1 sender, 1,000 lines a post", 1, path, &lines, 1_000).await;
    measure(&router, "4 senders, 1,000 lines a post", 4, path, &lines, 1_000).await;
    measure(&router, "4 senders, arrays of 1,000 events", 4, "/collect", &events, 1_000).await;
    measure(&router, "1 sender, single events", 1, "/collect", EVENT, 1).await;
    measure(&router, "64 senders, single events", 64, "/collect", EVENT, 1).await;
}
