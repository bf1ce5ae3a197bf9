//! Does this event, or this series of events, match a rule?
//!
//! Rules are [Sigma](https://sigmahq.io) 2.1: [`RuleSet::load`] reads their YAML, a [`Matcher`]
//! tells which detections an event matches, and a [`Correlator`] watches series of these
//! matches. [`Pipelines`] and [`Placeholders`] say how fields and values are called here. The
//! crate does no I/O and knows no clock: time is the events' own.
//!
//! ```
//! use std::sync::Arc;
//! use vigie_event::{Event, Logsource, field};
//! use vigie_sigma::{Matcher, RuleSet, RuleText};
//!
//! let text = "
//! title: Root logged in by password
//! logsource: {product: linux, service: sshd}
//! detection:
//!     login: {event.action: ssh_login, event.outcome: success, user.name: root}
//!     condition: login
//! level: high
//! ";
//! let (rules, diagnostics) = RuleSet::load([RuleText { file: "root.yml", text }]);
//! assert!(diagnostics.is_empty());
//!
//! let mut matcher = Matcher::new(Arc::new(rules));
//! let mut event = Event::default();
//! event.logsources = const { &[Logsource::service("linux", "sshd")] };
//! let (_, mut fields) = event.fields_mut();
//! fields.fixed(field::EVENT_ACTION, "ssh_login");
//! fields.fixed(field::EVENT_OUTCOME, "success");
//! fields.fixed(field::USER_NAME, "Root");
//! assert_eq!(matcher.matches(&event).len(), 1);
//! ```

mod civil;
mod correlate;
mod diagnostic;
mod draft;
mod engine;
mod expr;
mod fold;
mod load;
mod matcher;
mod pattern;
mod pipeline;
mod predicate;
mod regular;
mod resolve;
mod rule;
mod set;
mod spec;
mod value;

pub use correlate::{Correlator, Firing, SnapshotError, WindowKey};
pub use diagnostic::{Diagnostic, DiagnosticLevel};
pub use matcher::Matcher;
pub use pipeline::{Pipelines, Placeholders};
pub use rule::{LogsourceSpec, Rule, RuleIndex, RuleKind, Status};
pub use set::{RuleSet, RuleSource, RuleText};
