//! Serves the console over an invented day in memory, to look at and to try:
//!
//! ```text
//! cargo run -p vigie-console --example preview -- 127.0.0.1:6080
//! ```
//!
//! With `hostile` behind the address, incidents that an attacker would write are among them.
//! Sign in as `camille` with `quatre mouettes au large`, or open `/welcome/…` of a second, empty
//! console on the next port.

#[path = "../tests/sample/mod.rs"]
mod sample;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::broadcast;
use vigie_console::{
    Console, Counters, Live, LiveEvent, Settings, create_administrator, first_sign_in_link, router,
    serve,
};
use vigie_event::{Clock, Localized, Severity, SystemClock};
use vigie_store::state::State;

type Failed = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> Result<(), Failed> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:6080".to_owned());
    let listener = TcpListener::bind(&address).await?;
    let empty = TcpListener::bind((listener.local_addr()?.ip(), listener.local_addr()?.port() + 1));
    let empty = empty.await?;

    let state = State::in_memory().await?;
    create_administrator(&state, &SystemClock, "camille", "quatre mouettes au large").await?;
    let intrusion = sample::fill(&state, SystemClock.now()).await;
    sample::flood(SystemClock.now(), 230).save(&state).await;
    if std::env::args().nth(2).as_deref() == Some("hostile") {
        let text = "\"><img src=x onerror=alert(1)><script>alert(1)</script>\u{1b}[31m\u{202E}gpj";
        sample::hostile(SystemClock.now(), text).save(&state).await;
        let long = format!("{}\u{2066}", "A".repeat(2_048));
        sample::hostile(SystemClock.now().plus_seconds(-30), &long).save(&state).await;
    }
    let live = Console::live_channel();
    let filled = Console::new(state, Arc::new(SystemClock), live.clone(), Settings::default());

    let nothing = State::in_memory().await?;
    let link = first_sign_in_link(&nothing, &SystemClock).await?.unwrap_or_default();
    let first =
        Console::new(nothing, Arc::new(SystemClock), Console::live_channel(), Settings::default());

    println!("http://{}/incidents/{intrusion}", listener.local_addr()?);
    println!("http://{}{link}", empty.local_addr()?);
    tokio::spawn(chatter(live));
    tokio::spawn(serve(empty, router(first), std::future::pending()));
    serve(listener, router(filled), async {
        // Without a signal handler the preview would not end on Ctrl-C inside a container.
        let _ = tokio::signal::ctrl_c().await;
    })
    .await?;
    Ok(())
}

/// Something to look at in the live view.
async fn chatter(live: broadcast::Sender<Live>) {
    let mut counters = Counters::default();
    let mut beat = tokio::time::interval(Duration::from_millis(400));
    loop {
        beat.tick().await;
        counters.events += 3;
        counters.events_per_second = 7.5;
        let number = counters.events;
        let (dataset, outcome, summary) = match number % 4 {
            0 => (
                "sshd",
                "failure",
                format!("Failed password for root from 203.0.113.7 port {} ssh2", 40_000 + number),
            ),
            1 => (
                "nginx.access",
                "",
                format!("198.51.100.23 \"GET /page/{number} HTTP/1.1\" 404 162"),
            ),
            2 => (
                "sshd",
                "success",
                "Accepted publickey for camille from 192.0.2.10 port 51022 ssh2".to_owned(),
            ),
            _ => {
                ("iptables", "", "IN=eth0 SRC=192.0.2.66 DST=192.0.2.1 PROTO=TCP DPT=23".to_owned())
            }
        };
        let event = LiveEvent {
            time: SystemClock.now(),
            dataset: dataset.to_owned(),
            outcome: outcome.to_owned(),
            summary,
            ..LiveEvent::default()
        };
        // Nobody may be watching.
        let _ = live.send(Live::Event(event));
        if number % 8 == 0 {
            counters.alerts += 1;
            let _ = live.send(Live::Alert {
                time: SystemClock.now(),
                title: Localized::new("SSH brute force", "Force brute SSH"),
                severity: Severity::High,
                incident: None,
                source_ip: Some("203.0.113.7".to_owned()),
            });
        }
        let _ = live.send(Live::Counters(counters));
    }
}
