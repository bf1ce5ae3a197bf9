//! The three interfaces as services, without sockets.

// Helpers of tests fail as tests do.
#![allow(clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tower::ServiceExt;
use vigie_collector::{
    Analyse, BoxFuture, Collector, Ingest, Respond, RespondError, Token, analyze_router,
    collect_router, respond_router,
};
use vigie_event::{Format, ManualClock, Timestamp};
use vigie_store::journal::{Journal, JournalError, JournalOptions, Position};
use vigie_store::state::State;

const TOKEN: &str = "correct horse battery staple";
const NOW: &str = "2026-01-05T10:12:13.123456Z";

struct Place {
    journal: Journal,
    state: State,
    folder: TempDir,
}

impl Place {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = open(&folder).unwrap();
        Self { journal, state: State::in_memory().await.unwrap(), folder }
    }

    fn collector(&self) -> Collector {
        let clock = ManualClock::at(Timestamp::parse(NOW).unwrap());
        Collector::new(Arc::new(self.journal.clone()), self.state.clone(), Arc::new(clock))
    }

    fn router(&self) -> Router {
        collect_router(Token::new(TOKEN), self.collector())
    }

    /// The same place after a restart. Whatever else holds the journal has to let go first.
    async fn again(self) -> Self {
        let Self { journal, state, folder } = self;
        drop(journal);
        for _ in 0..500 {
            match open(&folder) {
                Ok(journal) => return Self { journal, state, folder },
                Err(JournalError::Locked { .. }) => {
                    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
        panic!("the journal is still open");
    }
}

fn open(folder: &TempDir) -> Result<Journal, JournalError> {
    let options = JournalOptions { reserve_bytes: 0, ..JournalOptions::default() };
    Journal::open(folder.path(), options).map(|(journal, _)| journal)
}

fn post(path: &str, body: impl Into<Body>) -> Request<Body> {
    Request::post(path).header("X-Auth-Token", TOKEN).body(body.into()).unwrap()
}

fn get(path: &str) -> Request<Body> {
    Request::get(path).header("X-Auth-Token", TOKEN).body(Body::empty()).unwrap()
}

async fn send(router: &Router, request: Request<Body>) -> (StatusCode, String) {
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status();
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap())
}

async fn check(router: &Router, request: Request<Body>, status: u16, body: &str) {
    let (got, text) = send(router, request).await;
    assert_eq!((got.as_u16(), text.as_str()), (status, body));
}

async fn events(router: &Router, path: &str) -> Vec<Value> {
    let (status, body) = send(router, get(path)).await;
    assert_eq!(status, StatusCode::OK, "{body}");
    serde_json::from_str(&body).unwrap()
}

/// All records as (source, format, offset, text).
fn records(journal: &Journal) -> Vec<(String, Option<Format>, u64, String)> {
    let mut found = Vec::new();
    Ingest::read(journal, Position(0), &mut |_, record| {
        found.push((
            record.source.name.clone(),
            record.source.format,
            record.offset,
            String::from_utf8_lossy(record.bytes).into_owned(),
        ));
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    found
}

#[tokio::test]
async fn nobody_without_the_token_gets_further_than_health() {
    let place = Place::new().await;
    let collect = place.router();
    let analyze = analyze_router(Token::new(TOKEN), Arc::new(Echo));
    let respond = respond_router(Token::new(TOKEN), Arc::new(Desk));
    for (router, method, path) in [
        (&collect, "POST", "/collect"),
        (&collect, "POST", "/ingest"),
        (&collect, "GET", "/events"),
        (&analyze, "POST", "/analyze"),
        (&respond, "POST", "/respond"),
        (&respond, "GET", "/status"),
    ] {
        for token in [None, Some(""), Some("wrong"), Some("correct horse battery stapl")] {
            let mut request = Request::builder().method(method).uri(path);
            if let Some(token) = token {
                request = request.header("X-Auth-Token", token);
            }
            let request = request.body(Body::from("{\"a\":1}")).unwrap();
            check(router, request, 401, r#"{"error": "Unauthorized"}"#).await;
        }
    }
    let health = || Request::get("/health").body(Body::empty()).unwrap();
    check(&collect, health(), 200, r#"{"status": "ok", "events_count": 0}"#).await;
    check(&analyze, health(), 200, r#"{"status": "ok"}"#).await;
    check(&respond, health(), 200, r#"{"status": "ok"}"#).await;
    assert_eq!(records(&place.journal), []);
    let locked = collect_router(Token::new(""), place.collector());
    let empty = Request::get("/events").header("X-Auth-Token", "").body(Body::empty()).unwrap();
    check(&locked, empty, 401, r#"{"error": "Unauthorized"}"#).await;
}

#[tokio::test]
async fn an_event_is_kept_as_it_came_and_counted() {
    let place = Place::new().await;
    let router = place.router();
    let event =
        r#"{"type": "ssh_failed", "src": "192.0.2.7", "n": 1.50, "extra": {"b": 1, "a": 2}}"#;
    check(&router, post("/collect", event), 200, r#"{"status": "collected", "total": 1}"#).await;
    check(&router, post("/collect", event), 200, r#"{"status": "collected", "total": 2}"#).await;
    let text = concat!(
        r#"{"type":"ssh_failed","src":"192.0.2.7","n":1.50,"extra":{"b":1,"a":2},"#,
        r#""collected_at":"2026-01-05T10:12:13.123456Z"}"#
    );
    let expected = |offset| ("agents".to_owned(), Some(Format::Seed), offset, text.to_owned());
    assert_eq!(records(&place.journal), [expected(1), expected(2)]);
    check(&router, get("/events"), 200, &format!("[{text},{text}]")).await;
    check(&router, get("/health"), 200, r#"{"status": "ok", "events_count": 2}"#).await;
}

#[tokio::test]
async fn arrays_and_lines_are_taken_whole_or_not_at_all() {
    let place = Place::new().await;
    let router = place.router();
    let array = r#"[{"n":1},{"n":2}]"#;
    check(
        &router,
        post("/collect", array),
        200,
        r#"{"status": "collected", "total": 2, "accepted": 2}"#,
    )
    .await;
    let ndjson = |body: &'static str| {
        Request::post("/collect")
            .header("X-Auth-Token", TOKEN)
            .header("Content-Type", "application/x-ndjson; charset=utf-8")
            .body(Body::from(body))
            .unwrap()
    };
    check(
        &router,
        ndjson("{\"n\":3}\n{\"n\":4}\n"),
        200,
        r#"{"status": "collected", "total": 4, "accepted": 2}"#,
    )
    .await;
    check(
        &router,
        ndjson("{\"n\":5}\n{\"n\":}\n"),
        400,
        r#"{"error": "invalid JSON in line 2: expected value at line 1 column 6"}"#,
    )
    .await;
    check(
        &router,
        post("/collect", r#"[{"n":5},6]"#),
        400,
        r#"{"error": "event 2 is no JSON object"}"#,
    )
    .await;
    let numbers: Vec<Value> = events(&router, "/events").await;
    let numbers: Vec<&Value> = numbers.iter().map(|event| &event["n"]).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let place = Place::new().await;
    let router = place.router();
    for (body, expected) in [
        ("", r#"{"error": "No data"}"#),
        ("{}", r#"{"error": "No data"}"#),
        ("null", r#"{"error": "No data"}"#),
        ("{\"a\":", r#"{"error": "invalid JSON: EOF while parsing a value at line 1 column 5"}"#),
    ] {
        check(&router, post("/collect", body), 400, expected).await;
    }
    let big = "x".repeat((1 << 20) + 1);
    for (path, body, part) in [
        ("/collect", format!("{{\"a\":\"{big}\"}}"), "event 1 is larger than 1048576 bytes"),
        ("/ingest", format!("a\n{big}"), "line 2 is larger than 1048576 bytes"),
        ("/ingest", "a\n".repeat(100_001), "more than 100000 lines"),
        ("/collect", " ".repeat((16 << 20) + 1), "the body is larger than 16 MiB"),
    ] {
        let (status, text) = send(&router, post(path, body)).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{text}");
        assert!(text.contains(part), "{text}");
    }
    // The same without a declared length.
    let pieces = (0..17).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1 << 20]));
    let streamed = Body::from_stream(tokio_stream::iter(pieces));
    assert_eq!(send(&router, post("/collect", streamed)).await.0, StatusCode::PAYLOAD_TOO_LARGE);
    for (path, part) in [
        ("/ingest?as=sylog", "`sylog` is no format"),
        ("/ingest?as=evtx", "not made of lines"),
        ("/ingest?source=agents", "kept for /collect"),
        ("/ingest?source=", "1 to 200 characters"),
        ("/ingest?source=a%0Ab", "no control characters"),
        ("/events", "Method not allowed"),
        ("/nowhere", "Not found"),
    ] {
        let (status, text) = send(&router, post(path, "a line")).await;
        assert!(status.is_client_error() && text.contains(part), "{path}: {status} {text}");
    }
    let packed = Request::post("/ingest")
        .header("X-Auth-Token", TOKEN)
        .header("Content-Encoding", "gzip")
        .body(Body::from("\x1f\u{8b}"))
        .unwrap();
    assert_eq!(send(&router, packed).await.0, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(records(&place.journal), []);
}

#[tokio::test]
async fn lines_of_any_format_are_numbered_by_source() {
    let place = Place::new().await;
    let router = place.router();
    for (path, body, accepted, total) in [
        ("/ingest?as=sshd&source=web-1", "one\r\n\ntwo", 2, 2),
        ("/ingest?source=web-1", "three\n", 1, 3),
        ("/ingest", "four", 1, 1),
    ] {
        let (status, text) = send(&router, post(path, body)).await;
        assert_eq!(status, StatusCode::OK);
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["accepted"], accepted, "{text}");
        assert_eq!(answer["total"], total, "{text}");
    }
    let expected = [
        ("web-1", Some(Format::Sshd), 1, "one"),
        ("web-1", Some(Format::Sshd), 2, "two"),
        ("web-1", None, 3, "three"),
        ("http", None, 1, "four"),
    ];
    let expected =
        expected.map(|(name, format, n, text)| (name.to_owned(), format, n, text.to_owned()));
    assert_eq!(records(&place.journal), expected);

    drop(router);
    let place = place.again().await;
    let (_, text) = send(&place.router(), post("/ingest?as=sshd&source=web-1", "five")).await;
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["total"], 4, "counting goes on after a restart");
}

#[tokio::test]
async fn concurrent_posts_each_get_a_number_of_their_own() {
    let place = Place::new().await;
    let router = place.router();
    let posts = (0..200).map(|n| {
        let router = router.clone();
        tokio::spawn(async move {
            let (status, text) = send(&router, post("/collect", format!("{{\"n\":{n}}}"))).await;
            assert_eq!(status, StatusCode::OK);
            let answer: Value = serde_json::from_str(&text).unwrap();
            (answer["total"].as_u64().unwrap(), n)
        })
    });
    let mut given = Vec::new();
    for post in posts.collect::<Vec<_>>() {
        given.push(post.await.unwrap());
    }
    given.sort_unstable();
    let stored = records(&place.journal);
    assert_eq!(stored.len(), 200);
    for ((total, n), (expected, (_, _, offset, text))) in given.iter().zip((1..).zip(&stored)) {
        assert_eq!((*total, *offset), (expected, expected));
        assert!(text.starts_with(&format!("{{\"n\":{n},")), "number {total} answers for {text}");
    }
}

#[tokio::test]
async fn a_post_whose_sender_has_gone_is_kept_all_the_same() {
    let place = Place::new().await;
    let collector = place.collector();
    {
        let mut posting = Box::pin(collector.collect(vec![b"{\"n\":1}".to_vec()]));
        assert!(
            std::future::poll_fn(|context| {
                std::task::Poll::Ready(posting.as_mut().poll(context).is_pending())
            })
            .await
        );
    }
    let receipt = collector.collect(vec![b"{\"n\":2}".to_vec()]).await.unwrap();
    assert_eq!(receipt.total, 2);
    assert_eq!(records(&place.journal).len(), 2);
}

#[tokio::test]
async fn events_are_read_back_between_those_of_others_and_after_a_restart() {
    let place = Place::new().await;
    let router = place.router();
    let noise = "noise\n".repeat(5_000);
    for n in 1..=20 {
        let (status, _) = send(&router, post("/collect", format!("{{\"n\":{n}}}"))).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(send(&router, post("/ingest", noise.clone())).await.0, StatusCode::OK);
    }
    // Marks are written a little later; without them reading gives the same.
    let unmarked = numbers(&router, "/events").await;
    assert_eq!(unmarked, (1..=20).collect::<Vec<_>>());
    for _ in 0..100 {
        if place.state.seed_marks(20, 1).await.unwrap().first().is_some_and(|m| m.number == 20) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    let marks = place.state.seed_marks(0, 100).await.unwrap();
    assert_eq!(marks.len(), 20, "each event stands further than a mark reaches");

    drop(router);
    let place = place.again().await;
    let router = place.router();
    for (path, expected) in [
        ("/events", 1..=20),
        ("/events?limit=3", 18..=20),
        ("/events?after=4&limit=5", 5..=9),
        ("/events?after=19", 20..=20),
    ] {
        assert_eq!(numbers(&router, path).await, expected.collect::<Vec<_>>(), "{path}");
    }
    assert_eq!(numbers(&router, "/events?after=20").await, Vec::<u64>::new());
    let (status, _) = send(&router, get("/events?after=x")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);

    let response = router.clone().oneshot(get("/events?after=0&limit=7")).await.unwrap();
    assert_eq!(response.headers()["x-total-count"], "20");
    assert_eq!(response.headers()["link"], "</events?after=7&limit=7>; rel=\"next\"");
    let (_, text) = send(&router, post("/collect", "{\"n\":21}")).await;
    assert_eq!(text, r#"{"status": "collected", "total": 21}"#);
}

async fn numbers(router: &Router, path: &str) -> Vec<u64> {
    events(router, path).await.iter().map(|event| event["n"].as_u64().unwrap()).collect()
}

struct Echo;

impl Analyse for Echo {
    fn analyse(&self, event: Value) -> Value {
        json!({ "original_event": event })
    }
}

struct Desk;

impl Respond for Desk {
    fn respond(&self, result: Value) -> BoxFuture<'_, Result<Value, RespondError>> {
        Box::pin(async move {
            match result["recommended_action"].as_str() {
                Some("monitor") => Ok(json!({ "status": "watching" })),
                Some("fail") => Err(RespondError::Unavailable("/secret/path is full".to_owned())),
                _ => Err(RespondError::Invalid("unknown action".to_owned())),
            }
        })
    }

    fn status(&self) -> BoxFuture<'_, Result<Value, RespondError>> {
        Box::pin(async { Ok(json!({ "blocked_ips": [] })) })
    }
}

#[tokio::test]
async fn analyzer_and_responder_hand_on_and_answer() {
    let analyze = analyze_router(Token::new(TOKEN), Arc::new(Echo));
    check(
        &analyze,
        post("/analyze", r#"{"type": "é"}"#),
        200,
        r#"{"status": "analyzed", "result": {"original_event":{"type":"é"}}}"#,
    )
    .await;
    check(&analyze, post("/analyze", ""), 400, r#"{"error": "No data"}"#).await;
    check(&analyze, post("/analyze", "[1]"), 400, r#"{"error": "the body is no JSON object"}"#)
        .await;
    check(
        &analyze,
        post("/analyze", "{"),
        400,
        r#"{"error": "invalid JSON: EOF while parsing an object at line 1 column 1"}"#,
    )
    .await;

    let respond = respond_router(Token::new(TOKEN), Arc::new(Desk));
    for (action, status, body) in [
        ("monitor", 200, r#"{"status":"watching"}"#),
        ("other", 400, r#"{"error": "unknown action"}"#),
        (
            "fail",
            503,
            r#"{"error": "the responder cannot answer at the moment; send it again later"}"#,
        ),
    ] {
        let result = format!(r#"{{"recommended_action": "{action}"}}"#);
        check(&respond, post("/respond", result), status, body).await;
    }
    check(&respond, get("/status"), 200, r#"{"blocked_ips":[]}"#).await;
}

#[tokio::test]
async fn large_events_come_back_by_parts() {
    let place = Place::new().await;
    let router = place.router();
    let filler = "x".repeat(1_000_000);
    for n in 1..=20 {
        let event = format!(r#"{{"n":{n},"filler":"{filler}"}}"#);
        assert_eq!(send(&router, post("/collect", event)).await.0, StatusCode::OK);
    }
    let response = router.clone().oneshot(get("/events?after=0")).await.unwrap();
    assert_eq!(response.headers()["link"], "</events?after=17&limit=1000>; rel=\"next\"");
    let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
    let events: Vec<Value> = serde_json::from_slice(&body).unwrap();
    let numbers_of =
        |events: &[Value]| events.iter().map(|event| event["n"].clone()).collect::<Vec<_>>();
    assert_eq!(numbers_of(&events), (1..=17).map(Value::from).collect::<Vec<_>>());
    assert!(events.iter().all(|event| event["filler"] == filler.as_str()));
    assert_eq!(numbers(&router, "/events?after=17&limit=1000").await, [18, 19, 20]);
}
