//! How do events arrive from elsewhere?
//!
//! Three small HTTP interfaces, one a port, as programs that speak to a collector, an analyzer or
//! a responder expect them: [`collect_router`], [`analyze_router`] and [`respond_router`]. They
//! are plain services; [`serve`] puts one behind a listener with the limits that a listener needs.
//!
//! What `/collect` and `/ingest` accept is in the journal, synced to disk, before the answer
//! leaves; nothing else is written on that way. Posts that arrive while the disk is busy go into
//! the next batch together.
//!
//! ```
//! use std::sync::Arc;
//! use vigie_collector::{Analyse, Token, analyze_router};
//!
//! struct Calm;
//! impl Analyse for Calm {
//!     fn analyse(&self, event: serde_json::Value) -> serde_json::Value {
//!         serde_json::json!({ "severity": "Faible", "original_event": event })
//!     }
//! }
//!
//! let router = analyze_router(Token::new("a long random text"), Arc::new(Calm));
//! # let _ = router;
//! ```

#![deny(missing_docs)]

mod analyze;
mod answer;
mod auth;
mod body;
mod collect;
mod event_text;
mod idle;
mod ingest;
mod intake;
mod lane;
mod raw;
mod respond;
mod seed_log;
mod serve;

pub use analyze::{Analyse, analyze_router};
pub use auth::Token;
pub use body::{BODY_LIMIT, EVENT_LIMIT};
pub use collect::collect_router;
pub use ingest::{BoxFuture, Ingest};
pub use intake::{Collector, IntakeError, Receipt};
pub use respond::{Respond, RespondError, respond_router};
pub use seed_log::{AGENTS, EVENTS_LIMIT};
pub use serve::{ServeLimits, serve, serve_with};
