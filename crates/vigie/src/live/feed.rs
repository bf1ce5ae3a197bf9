//! What the console's live stream gets to see.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{broadcast, watch};
use vigie_console::{Counters, LIVE_CAPACITY, Live, LiveEvent};
use vigie_event::{Alert, Decision, Event, EventKind, Incident, Verdict, field};
use vigie_store::journal::{Journal, Position};

/// Events a second that are shown one by one; a person reads fewer, a browser bears more.
const SHOWN_PER_SECOND: u32 = 50;
/// Bytes of a line that are shown.
const SUMMARY_BYTES: usize = 400;

/// Totals since the start, counted by the detector's thread.
#[derive(Debug, Default)]
pub struct Totals {
    pub events: AtomicU64,
    pub unparsed: AtomicU64,
    pub alerts: AtomicU64,
    pub incidents: AtomicU64,
    pub lost: AtomicU64,
    /// The position that detection has reached.
    pub detected: AtomicU64,
}

/// Publishes to everybody who watches. Costs nothing while nobody does.
#[derive(Clone)]
pub struct Feed {
    live: broadcast::Sender<Live>,
    counters: watch::Sender<Counters>,
    pub totals: Arc<Totals>,
}

impl Feed {
    pub fn new() -> Self {
        let (live, _) = broadcast::channel(LIVE_CAPACITY);
        Self { live, counters: watch::Sender::default(), totals: Arc::default() }
    }

    /// What the console subscribes to.
    pub fn sender(&self) -> broadcast::Sender<Live> {
        self.live.clone()
    }

    /// The totals, as they are once a second.
    pub fn counters(&self) -> watch::Receiver<Counters> {
        self.counters.subscribe()
    }

    fn publish(&self, make: impl FnOnce() -> Live) {
        if self.live.receiver_count() > 0 {
            // An error means that the last watcher has just gone.
            let _ = self.live.send(make());
        }
    }

    pub fn alert(&self, alert: &Alert) {
        self.publish(|| Live::Alert {
            time: alert.last_seen,
            title: alert.rule.title.clone(),
            severity: alert.rule.level,
            incident: alert.incident,
            source_ip: alert.entities.values("source.ip").first().map(ToString::to_string),
        });
    }

    pub fn incident(&self, incident: &Incident) {
        self.publish(|| Live::Incident {
            time: incident.last_seen,
            id: incident.id,
            title: incident.title.clone(),
            severity: incident.severity,
        });
    }

    pub fn verdict(&self, verdict: &Verdict) {
        self.publish(|| Live::Verdict {
            time: verdict.time,
            incident: verdict.incident,
            severity: verdict.severity,
            category: verdict.category,
            confidence: verdict.confidence,
        });
    }

    pub fn decision(&self, decision: &Decision) {
        self.publish(|| Live::Decision {
            time: decision.created,
            incident: decision.incident,
            action: decision.action,
            target: decision.target.values().next().unwrap_or_default().to_owned(),
            status: decision.status,
        });
    }

    /// Publishes the totals once a second for as long as it is polled.
    pub async fn count(self, journal: Journal) {
        let mut before = self.totals.events.load(Ordering::Relaxed);
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        loop {
            tick.tick().await;
            let totals = &self.totals;
            let events = totals.events.load(Ordering::Relaxed);
            let detected = Position(totals.detected.load(Ordering::Relaxed));
            let counters = Counters {
                events_per_second: events.saturating_sub(before) as f64,
                events,
                unparsed: totals.unparsed.load(Ordering::Relaxed),
                alerts: totals.alerts.load(Ordering::Relaxed),
                incidents: totals.incidents.load(Ordering::Relaxed),
                lost: totals.lost.load(Ordering::Relaxed),
                behind: journal.end().0.saturating_sub(detected.0),
            };
            self.counters.send_replace(counters);
            self.publish(|| Live::Counters(counters));
            before = events;
        }
    }
}

/// Shows single events, at most some a second.
pub struct Ticker {
    feed: Feed,
    second: Instant,
    shown: u32,
}

impl Ticker {
    pub fn new(feed: Feed) -> Self {
        Self { feed, second: Instant::now(), shown: 0 }
    }

    /// Counts `event` and shows it if there is room this second.
    pub fn event(&mut self, event: &Event) {
        let totals = &self.feed.totals;
        totals.events.fetch_add(1, Ordering::Relaxed);
        if event.kind == EventKind::Unparsed {
            totals.unparsed.fetch_add(1, Ordering::Relaxed);
        }
        if self.feed.live.receiver_count() == 0 {
            return;
        }
        if self.second.elapsed() >= Duration::from_secs(1) {
            self.second = Instant::now();
            self.shown = 0;
        }
        if self.shown < SHOWN_PER_SECOND {
            self.shown += 1;
            self.feed.publish(|| Live::Event(live_event(event)));
        }
    }
}

fn live_event(event: &Event) -> LiveEvent {
    let text = event.text();
    let end = text.floor_char_boundary(SUMMARY_BYTES.min(text.len()));
    let owned = |field| event.render(field).map(std::borrow::Cow::into_owned);
    LiveEvent {
        time: event.time,
        dataset: event.dataset.to_owned(),
        action: owned(field::EVENT_ACTION).unwrap_or_default(),
        outcome: owned(field::EVENT_OUTCOME).unwrap_or_default(),
        summary: text.get(..end).unwrap_or_default().to_owned(),
        source_ip: owned(field::SOURCE_IP),
        user: owned(field::USER_NAME),
        host: owned(field::HOST_NAME),
    }
}
