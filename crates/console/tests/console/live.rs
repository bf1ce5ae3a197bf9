//! The live view over a real socket: streams have no end that a test could wait for.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use vigie_console::{Counters, Live, LiveEvent, serve};
use vigie_event::{Localized, Severity};

use crate::client::Bench;

/// Reads until `wanted` has come.
async fn read_until(stream: &mut TcpStream, wanted: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 4_096];
    let read = async {
        while !text.contains(wanted) {
            let count = stream.read(&mut buffer).await.unwrap();
            assert!(count > 0, "stream ended before `{wanted}`: {text}");
            text.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
    };
    let read = tokio::time::timeout(Duration::from_secs(20), read).await;
    assert!(read.is_ok(), "no `{wanted}` in time");
    text
}

#[tokio::test]
async fn what_happens_is_streamed_and_the_server_stops_all_the_same() {
    let bench = Bench::ready().await;
    let browser = bench.signed_in().await;
    let session = browser.cookie("vigie_session").unwrap().to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async move {
        let _ = stopped.await;
    };
    let server = tokio::spawn(serve(listener, bench.app.clone(), shutdown));

    let mut stream = TcpStream::connect(address).await.unwrap();
    let request =
        format!("GET /live HTTP/1.1\r\nhost: {address}\r\ncookie: vigie_session={session}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let head = read_until(&mut stream, "\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(head.contains("text/event-stream"), "{head}");

    let event = LiveEvent {
        dataset: "sshd".into(),
        outcome: "failure".into(),
        summary: "\u{1b}[31m<script>alert(1)</script>\u{202E}\nevent: counters".into(),
        ..LiveEvent::default()
    };
    bench.live.send(Live::Event(event)).unwrap();
    bench
        .live
        .send(Live::Alert {
            time: bench.now(),
            title: Localized::new("SSH brute force", "Force brute SSH"),
            severity: Severity::High,
            incident: None,
            source_ip: Some("203.0.113.7".into()),
        })
        .unwrap();
    bench.live.send(Live::Counters(Counters { events: 42, ..Counters::default() })).unwrap();
    let text = read_until(&mut stream, "\"events\":42").await;
    assert!(
        text.contains("⟦ESC⟧[31m<script>alert(1)</script>⟦U+202E⟧⟦LF⟧event: counters"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}') && !text.contains('\u{202E}'));
    assert_eq!(text.matches("event: counters\n").count(), 1, "{text}");
    assert!(text.contains("SSH brute force · 203.0.113.7"), "{text}");

    for _ in 0..3_000 {
        bench.live.send(Live::Event(LiveEvent::default())).unwrap();
    }
    let text = read_until(&mut stream, "event: skipped").await;
    assert!(text.matches("event: line").count() <= 30, "{text}");

    stop.send(()).unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(20), server).await;
    assert!(ended.unwrap().unwrap().is_ok());
}
