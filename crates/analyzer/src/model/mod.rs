//! The second analyst: a language model that is asked small closed questions about an incident.
//!
//! Logs are written by attackers, and so, in the end, is what a model says about them. Therefore a
//! model writes no command, target or number here: it picks, by index, from an [`Offer`] that was
//! computed from the evidence. What cannot be picked does not exist: there is no action to close,
//! to lift a ban or to allow an address, and [`Raised`] is a severity that can only rise. What a
//! model would lower or close becomes a [`vigie_event::Proposal`], which only people can follow.
//!
//! [`Analyst`] holds the parts together; all but [`http`] work without I/O, and time and chance are
//! handed in.

mod analyst;
mod answer;
mod ask;
mod backoff;
mod breaker;
mod budget;
mod cache;
mod fault;
mod fence;
mod form;
pub mod http;
mod offer;
mod probe;
mod prompt;
mod queue;
mod raised;
mod schema;
mod second;

pub use analyst::{Analyst, Limits, Next, Outcome};
pub use answer::{Answer, Flaw};
pub use ask::{Asked, Failed, Model, ask};
pub use backoff::delay_s;
pub use breaker::Breaker;
pub use budget::{Budget, Pace};
pub use cache::Cache;
pub use fault::Fault;
pub use fence::fenced;
pub use form::{Form, Message, Reply, body, read_reply};
pub use offer::Offer;
pub use probe::{Found, probe};
pub use prompt::{Prompt, prompt_id};
pub use queue::{Job, Queue};
pub use raised::Raised;
pub use schema::schema;
pub use second::{INJECTION, second};

use std::time::Duration;

/// Sends one request to a model's server and waits for the answer.
///
/// The server's address and key belong to the transport: nothing that is asked can change where it
/// goes.
pub trait Transport: Send + Sync {
    /// Sends `body` to `{base}/chat/completions` and gives the answer's body.
    ///
    /// # Errors
    /// No answer came, or none that says success.
    fn complete(&self, body: &str, timeout: Duration) -> Result<Vec<u8>, Fault>;
}
