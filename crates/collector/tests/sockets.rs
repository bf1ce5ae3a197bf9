//! The collector behind a real listener: a program of old, slow clients, shutdown.

// Helpers of tests fail as tests do.
#![allow(clippy::expect_used, clippy::unwrap_used)]

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use vigie_collector::{Collector, ServeLimits, Token, collect_router, serve_with};
use vigie_event::SystemClock;
use vigie_store::journal::{Journal, JournalOptions};
use vigie_store::state::State;

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
    _folder: TempDir,
}

async fn run(limits: ServeLimits) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let options = JournalOptions { reserve_bytes: 0, ..JournalOptions::default() };
    let (journal, _) = Journal::open(folder.path(), options).unwrap();
    let state = State::in_memory().await.unwrap();
    let collector = Collector::new(Arc::new(journal), state, Arc::new(SystemClock));
    let router = collect_router(Token::new("t"), collector);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel();
    let served = tokio::spawn(serve_with(listener, router, limits, async {
        let _ = stopped.await;
    }));
    Running { address, stop, served, _folder: folder }
}

fn limits() -> ServeLimits {
    ServeLimits {
        connections: 2,
        head: Duration::from_millis(300),
        idle: Duration::from_millis(600),
        grace: Duration::from_secs(5),
    }
}

/// Until the server closes; the bytes that came.
async fn rest(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = timeout(Duration::from_secs(10), stream.read_to_end(&mut bytes)).await;
    // A reset is a close too.
    let _ = read.expect("the server closes");
    bytes
}

const SENSOR: &str = r#"
import json, sys, urllib.request, urllib.error
def call(path, body=None, token="t"):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(sys.argv[1] + path, data, {"X-Auth-Token": token, "Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request, timeout=5))
event = {"type": "ssh_failed", "src": "192.0.2.7", "dst": "192.0.2.1", "user": "root", "sensor_id": "SENSOR-01"}
answers = [call("/collect", event), call("/collect", dict(event, user="admin"))]
try: call("/collect", event, "wrong")
except urllib.error.HTTPError as error: answers.append([error.code, json.load(error)])
answers += [[e["user"] for e in call("/events") if e["collected_at"].endswith("Z")], call("/health")]
print(json.dumps(answers))
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_program_that_speaks_the_interface_is_served() {
    let running = run(ServeLimits::default()).await;
    #[allow(clippy::disallowed_methods, reason = "the test plays the program on the other side")]
    let sensor = std::process::Command::new("python3")
        .args(["-c", SENSOR, &format!("http://{}", running.address)])
        .output();
    let output = match sensor {
        Ok(output) => output,
        Err(error) => {
            println!("skipped: python3 cannot be started: {error}");
            return;
        }
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let expected = serde_json::json!([
        { "status": "collected", "total": 1 },
        { "status": "collected", "total": 2 },
        [401, { "error": "Unauthorized" }],
        ["root", "admin"],
        { "status": "ok", "events_count": 2 },
    ]);
    assert_eq!(answers, expected);
}

#[tokio::test]
async fn slow_clients_are_cut_off_and_give_their_place_to_others() {
    let running = run(limits()).await;
    let begun = Instant::now();
    let mut silent = TcpStream::connect(running.address).await.unwrap();
    let mut dripping = TcpStream::connect(running.address).await.unwrap();
    dripping.write_all(b"GET /health HTTP/1.1\r\nX-").await.unwrap();
    // Both places are taken: the third waits until one is free.
    let mut third = TcpStream::connect(running.address).await.unwrap();
    third.write_all(b"GET /health HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    let answer = rest(&mut third).await;
    assert!(answer.starts_with(b"HTTP/1.1 200 OK"), "{}", String::from_utf8_lossy(&answer));
    assert!(begun.elapsed() >= Duration::from_millis(250), "it had to wait");
    rest(&mut silent).await;
    rest(&mut dripping).await;
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_connection_that_is_kept_open_for_nothing_is_closed() {
    let running = run(limits()).await;
    let mut kept = TcpStream::connect(running.address).await.unwrap();
    kept.write_all(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let answer = rest(&mut kept).await;
    assert!(answer.starts_with(b"HTTP/1.1 200 OK"), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn a_body_that_never_comes_does_not_hold_a_connection() {
    let running = run(limits()).await;
    let mut stuck = TcpStream::connect(running.address).await.unwrap();
    let head =
        b"POST /collect HTTP/1.1\r\nHost: a\r\nX-Auth-Token: t\r\nContent-Length: 9\r\n\r\n{";
    stuck.write_all(head).await.unwrap();
    rest(&mut stuck).await;
}

#[tokio::test]
async fn shutdown_finishes_what_is_under_way() {
    let running = run(ServeLimits::default()).await;
    let mut client = TcpStream::connect(running.address).await.unwrap();
    let head =
        b"POST /collect HTTP/1.1\r\nHost: a\r\nX-Auth-Token: t\r\nContent-Length: 7\r\n\r\n{\"a\"";
    client.write_all(head).await.unwrap();
    let mut idle = TcpStream::connect(running.address).await.unwrap();
    idle.write_all(b"GET /health HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut start = [0; 15];
    idle.read_exact(&mut start).await.unwrap();
    running.stop.send(()).unwrap();
    client.write_all(b":1}").await.unwrap();
    let answer = String::from_utf8(rest(&mut client).await).unwrap();
    assert!(answer.ends_with(r#"{"status": "collected", "total": 1}"#), "{answer}");
    rest(&mut idle).await;
    timeout(Duration::from_secs(10), running.served).await.unwrap().unwrap().unwrap();
    assert!(TcpStream::connect(running.address).await.is_err());
}
