//! What are our words?
//!
//! Every other crate speaks in the terms that stand here: a [`Record`] is what a sensor read, an
//! [`Event`] is what a parser understood of it, an [`Alert`] is a rule's finding over events, an
//! [`Incident`] gathers the alerts of one actor, a [`Verdict`] judges an incident, and a
//! [`Decision`] says what is done about it.
//!
//! The crate does no I/O and knows no clock but the one it is handed ([`Clock`]).
//!
//! ```
//! use vigie_event::{Event, Format, RecordRef, Source, Timestamp, field};
//!
//! let source = Source::file("/var/log/auth.log", 7, Some(Format::Syslog));
//! let mut event = Event::default();
//! event.begin(&RecordRef {
//!     source: &source,
//!     offset: 0,
//!     observed: Timestamp::from_seconds(1_700_000_000),
//!     bytes: b"Failed password for root from 203.0.113.7",
//! });
//! let (text, mut fields) = event.fields_mut();
//! fields.text(field::USER_NAME, &text[20..24]);
//! assert_eq!(event.text_of(field::USER_NAME), Some("root"));
//! ```

mod alert;
mod civil;
mod clock;
mod decision;
mod entity;
mod event;
pub mod field;
mod field_values;
mod guidance;
mod id;
mod incident;
pub mod json;
mod lang;
mod logsource;
mod model;
mod precedent;
mod record;
mod room;
mod severity;
mod slots;
mod stats;
mod timestamp;
mod value;
mod verdict;
pub mod wire;
mod wording;

pub use alert::{Alert, EVENTS_PER_ALERT, EVIDENCE_PER_ALERT, Evidence, RuleRef};
pub use compact_str::CompactString;

pub use civil::{date_of, days_of};
pub use clock::{Clock, ManualClock, SystemClock};
pub use decision::{Action, Decision, DecisionStatus, Mode};
pub use entity::{ENTITY_FIELDS, Entities, VALUES_PER_ENTITY, network_of, unmapped};
pub use event::{Event, EventKind, Fields};
pub use field::FieldId;
pub use field_values::FieldValues;
pub use guidance::Guidance;
pub use id::{AlertId, DecisionId, EventId, IncidentId, fingerprint};
pub use incident::{Actor, CloseReason, Incident, IncidentStatus, MergeReason};
pub use lang::{Lang, Langs, Localized};
pub use logsource::{Logsource, Logsources};
pub use model::{ModelStatus, ModelTrace, Proposal};
pub use precedent::{
    Closings, Earlier, PRECEDENT_FIELDS, Past, Precedent, PrecedentKey, precedent_keys,
};
pub use record::{Batch, Cursor, Format, Record, RecordRef, Source, SourceKind};
pub use severity::Severity;
pub use slots::{Beside, Outline, Passage, Shape};
pub use stats::Stats;
pub use timestamp::Timestamp;
pub use value::{ListRef, Value, ValueRef, address_text, push_address};
pub use verdict::{
    Attack, Autonomy, AutonomyBand, Category, Claim, Indicator, Recommendation, Verdict,
};
pub use wording::{ByWording, Wording};
