//! The console and its settings.

use std::sync::Arc;

use tokio::sync::{Mutex, broadcast, watch};
use vigie_event::{Clock, Mode};
use vigie_store::state::State;

use crate::auth::rate::SignInLimit;
use crate::live::{Counters, LIVE_CAPACITY, Live};

/// What can be set about the console.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Whether effects are real; shown on every page.
    pub mode: Mode,
    /// Names under which the console may be reached, besides loopback names and addresses.
    pub hosts: Vec<String>,
    /// Whether browsers reach it by TLS: the session cookie is then `Secure` and `__Host-`.
    pub tls: bool,
    /// A session without use ends after that many seconds.
    pub session_idle_s: i64,
    /// A session ends after that many seconds in any case.
    pub session_longest_s: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            mode: Mode::DryRun,
            hosts: Vec::new(),
            tls: false,
            session_idle_s: 12 * 3_600,
            session_longest_s: 7 * 86_400,
        }
    }
}

/// What people see and change. Clones share everything.
#[derive(Clone)]
pub struct Console {
    pub(crate) state: State,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) live: broadcast::Sender<Live>,
    pub(crate) counters: Option<watch::Receiver<Counters>>,
    pub(crate) settings: Arc<Settings>,
    pub(crate) sign_in_limit: Arc<SignInLimit>,
    /// Held while the first administrator is made, so that there is one first.
    pub(crate) first: Arc<Mutex<()>>,
}

impl Console {
    /// A console over `state`. What is published to `live` (see [`Console::live_channel`]) is
    /// shown to whoever watches.
    pub fn new(
        state: State,
        clock: Arc<dyn Clock>,
        live: broadcast::Sender<Live>,
        settings: Settings,
    ) -> Self {
        Self {
            state,
            clock,
            live,
            counters: None,
            settings: Arc::new(settings),
            sign_in_limit: Arc::default(),
            first: Arc::default(),
        }
    }

    /// The same, with the centre's totals, which `/metrics` tells.
    #[must_use]
    pub fn counting(mut self, counters: watch::Receiver<Counters>) -> Self {
        self.counters = Some(counters);
        self
    }

    /// A channel for the live view. Sending never waits: a browser that is too slow misses the
    /// oldest and is told how many. Without a receiver, sending fails harmlessly.
    pub fn live_channel() -> broadcast::Sender<Live> {
        broadcast::Sender::new(LIVE_CAPACITY)
    }
}
