//! What do people see and change?
//!
//! The console is a web service of pages that the server renders, a JSON interface under
//! `/api/v1`, and a live view by server-sent events, in English and French. It reads and changes
//! nothing but the state; whoever runs the pipeline publishes to its live channel.
//!
//! # Rules
//!
//! - Text out of logs and models passes through one type that makes it harmless, and is escaped
//!   by the templates; none of it becomes a link.
//! - No inline script or style, nothing from elsewhere; what a page needs is compiled in.
//! - Every page works without JavaScript; scripts add the live view, the chart and local times.
//! - Every change needs a session, a role that allows it, the console's own origin and the
//!   session's form token.
//!
//! ```
//! use std::sync::Arc;
//!
//! use vigie_console::{Console, Settings, first_sign_in_link, router};
//! use vigie_event::SystemClock;
//! use vigie_store::state::State;
//!
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let state = State::in_memory().await?;
//! if let Some(path) = first_sign_in_link(&state, &SystemClock).await? {
//!     println!("open http://127.0.0.1:6080{path} to make the first account");
//! }
//! let live = Console::live_channel();
//! let console = Console::new(state, Arc::new(SystemClock), live, Settings::default());
//! let app = router(console);
//! # let _ = app;
//! # Ok(())
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run()).unwrap();
//! ```

mod api;
mod assets;
mod auth;
mod console;
mod context;
mod failure;
mod guard;
mod i18n;
mod live;
mod live_line;
mod live_stream;
#[cfg(test)]
mod locale_tests;
mod metrics;
mod pages;
mod query;
mod router;
mod secret;
mod shell;
mod shown;
mod ui;
mod words;

pub use auth::first::{FIRST_LINK_S, FirstError, create_administrator, first_sign_in_link};
pub use auth::password::{
    HashingFailed, LEAST_CHARACTERS, MOST_BYTES, WeakPassword, check_strength,
};
pub use console::{Console, Settings};
pub use guard::headers::POLICY;
pub use live::{Counters, LIVE_CAPACITY, Live, LiveEvent};
pub use router::{router, serve};
pub use secret::NoRandomness;
