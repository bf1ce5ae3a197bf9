//! `GET /live`: what happens right now, as server-sent events.
//!
//! A line is sent as `line`, totals as `counters`, and what was left out as `skipped` with its
//! number: the oldest where the browser is too slow, and plain events beyond what anybody can read
//! (news such as alerts are always sent).

use std::convert::Infallible;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};
use tokio::sync::{broadcast, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use crate::auth::session;
use crate::console::Console;
use crate::context::Context;
use crate::failure::Failure;
use crate::i18n::Text;
use crate::live::Live;
use crate::live_line::line;

/// What is gathered before it is sent together.
const BEAT: Duration = Duration::from_millis(250);
/// Plain events sent a beat at most.
const EVENTS_A_BEAT: usize = 15;
/// How often the session is looked at again, and how long a silent connection stays silent.
const CHECK: Duration = Duration::from_secs(15);
/// Messages on their way to one browser; what comes on top waits in the channel, and is lost
/// there, oldest first, when the browser stays too slow.
const ON_THE_WAY: usize = 64;

/// `GET /live`
pub(crate) async fn stream(
    State(console): State<Console>,
    context: Context,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    context.reader()?;
    let (sender, receiver) = mpsc::channel(ON_THE_WAY);
    let live = console.live.subscribe();
    tokio::spawn(forward(live, sender, context.t, console, headers));
    let beat = KeepAlive::new().interval(CHECK);
    Ok(Sse::new(ReceiverStream::new(receiver)).keep_alive(beat).into_response())
}

type Sender = mpsc::Sender<Result<Event, Infallible>>;

/// Passes on what comes until the browser goes, the session ends, or nothing more can come.
async fn forward(
    mut live: broadcast::Receiver<Live>,
    sender: Sender,
    t: Text,
    console: Console,
    headers: HeaderMap,
) {
    let mut check = tokio::time::interval(CHECK);
    check.tick().await;
    loop {
        let mut batch = Batch::default();
        tokio::select! {
            () = sender.closed() => return,
            _ = check.tick() => {
                if !matches!(session::find(&console, &headers).await, Ok(Some(_))) {
                    return;
                }
                continue;
            }
            first = live.recv() => match first {
                Ok(first) => batch.add(first),
                Err(RecvError::Lagged(missed)) => batch.skipped += missed,
                Err(RecvError::Closed) => return,
            },
        }
        tokio::time::sleep(BEAT).await;
        let open = batch.gather(&mut live);
        for event in batch.into_events(t) {
            if sender.send(Ok(event)).await.is_err() {
                return;
            }
        }
        if !open {
            return;
        }
    }
}

/// What came within a beat.
#[derive(Default)]
struct Batch {
    lines: Vec<Live>,
    events: usize,
    skipped: u64,
    counters: Option<Live>,
}

impl Batch {
    /// Takes all that waits; says whether more can come.
    fn gather(&mut self, live: &mut broadcast::Receiver<Live>) -> bool {
        loop {
            match live.try_recv() {
                Ok(next) => self.add(next),
                Err(TryRecvError::Lagged(missed)) => self.skipped += missed,
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Closed) => return false,
            }
        }
    }

    fn add(&mut self, next: Live) {
        match next {
            Live::Counters(_) => self.counters = Some(next),
            Live::Event(_) if self.events >= EVENTS_A_BEAT => self.skipped += 1,
            Live::Event(_) => {
                self.events += 1;
                self.lines.push(next);
            }
            _ => self.lines.push(next),
        }
    }

    fn into_events(self, t: Text) -> impl Iterator<Item = Event> {
        let lines = self.lines.into_iter().filter_map(move |live| {
            line(&live, t).and_then(|line| Event::default().event("line").json_data(line).ok())
        });
        let skipped = (self.skipped > 0).then(|| {
            let count = json!({ "count": self.skipped });
            Event::default().event("skipped").data(count.to_string())
        });
        let counters = match self.counters {
            Some(Live::Counters(counters)) => {
                Event::default().event("counters").json_data(counters).ok()
            }
            _ => None,
        };
        lines.chain(skipped).chain(counters)
    }
}

#[cfg(test)]
mod tests {
    use vigie_event::{IncidentId, Localized, Severity, Timestamp};

    use super::*;
    use crate::live::{Counters, LiveEvent};

    fn incident() -> Live {
        Live::Incident {
            time: Timestamp::default(),
            id: IncidentId::default(),
            title: Localized::new("a", "b"),
            severity: Severity::High,
        }
    }

    #[test]
    fn a_flood_of_events_hides_no_news() {
        let sender = broadcast::Sender::new(512);
        let mut receiver = sender.subscribe();
        for _ in 0..200 {
            sender.send(Live::Event(LiveEvent::default())).unwrap();
        }
        sender.send(incident()).unwrap();
        sender.send(Live::Counters(Counters::default())).unwrap();
        let mut batch = Batch::default();
        assert!(batch.gather(&mut receiver));
        assert_eq!(batch.events, EVENTS_A_BEAT);
        assert_eq!(batch.skipped, 200 - EVENTS_A_BEAT as u64);
        assert!(batch.lines.contains(&incident()));
        assert!(batch.counters.is_some());
    }

    #[test]
    fn a_slow_reader_is_told_how_much_it_missed() {
        let sender = broadcast::Sender::new(16);
        let mut receiver = sender.subscribe();
        for _ in 0..100 {
            sender.send(incident()).unwrap();
        }
        let mut batch = Batch::default();
        assert!(batch.gather(&mut receiver));
        assert_eq!(batch.lines.len() as u64 + batch.skipped, 100);
        assert!(batch.skipped >= 84);
    }
}
