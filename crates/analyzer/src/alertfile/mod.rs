//! The batch assistant: files of alerts that other tools wrote, judged one by one and together.
//!
//! [`read`] takes a JSON array, one object a line, or an object around an array, in many dialects
//! of field names; what is wrong is told with line and column, and the rest is kept. [`Report`]
//! judges each alert, finds those that belong together, and counts.
//!
//! ```
//! use vigie_analyzer::alertfile::{Report, read};
//! use vigie_event::Severity;
//!
//! let report = Report::of(read(r#"[{"alert_type": "Port scan", "src_ip": "203.0.113.7"}]"#));
//! assert_eq!(report.alerts[0].criticality, Severity::Medium);
//! assert_eq!(report.alerts[0].attack[0].technique, "T1046");
//! ```

mod alert;
mod automation;
mod chain;
mod context;
mod encoded;
mod judge;
mod kind;
mod quantity;
mod read;
mod report;

pub use alert::ReadAlert;
pub use chain::{Chain, Link};
pub use judge::{Judged, judge};
pub use kind::Kind;
pub use read::{Problem, Reading, read};
pub use report::{Report, Statistics};
