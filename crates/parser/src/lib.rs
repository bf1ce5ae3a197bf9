//! What does this line say?
//!
//! A [`Parser`] turns the raw bytes that a sensor read into a typed
//! [`Event`](vigie_event::Event). It never fails: what no parser knows stays as an event of kind
//! `unparsed`, with its text in `message`.
//!
//! Everything that is read here was written by whoever writes logs, attackers included. So a
//! message's verdict is decided by how the message *starts*, the address by how it *ends*, and
//! what stands between is the user name, whatever it says (see [`sshd`]).
//!
//! ```
//! use jiff::tz::TimeZone;
//! use vigie_event::{Event, RecordRef, Source, Timestamp, field};
//! use vigie_parser::{Options, Parser, Reference};
//!
//! let mut parser = Parser::new(Options { timezone: TimeZone::UTC, reference: Reference::Observed });
//! let source = Source::file("/var/log/auth.log", 7, None);
//! let mut event = Event::default();
//! parser.parse(
//!     &RecordRef {
//!         source: &source,
//!         offset: 0,
//!         observed: Timestamp::parse("2026-01-05T12:00:00Z").unwrap(),
//!         bytes: b"Jan  5 10:12:13 web sshd[7]: Failed password for root from 203.0.113.7 port 22 ssh2",
//!     },
//!     &mut event,
//! );
//! assert_eq!(event.text_of(field::EVENT_ACTION), Some("ssh_login"));
//! assert_eq!(event.text_of(field::EVENT_OUTCOME), Some("failure"));
//! assert_eq!(event.time.to_string(), "2026-01-05T10:12:13.000000Z");
//! ```
#![deny(missing_docs)]

mod access;
mod accounts;
mod apache_error;
mod application;
mod auditd;
mod cef;
mod cron;
mod iptables;
mod json;
mod line;
mod login;
mod logind;
mod logsources;
mod modsecurity;
mod nginx_error;
mod pam;
mod parser;
mod program;
mod said;
pub mod sshd;
mod su;
mod sudo;
mod syslog;
mod text;
mod time;
mod url;
mod windows;
mod zeek;

pub use logsources::delivered;
pub use parser::{Options, Parser, Reference};
pub use url::decode as decode_url;
