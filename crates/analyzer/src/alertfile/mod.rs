//! The batch assistant: files of alerts that other tools wrote, judged one by one and together.
//!
//! [`read`] takes a JSON array, one object a line, or an object around an array, in many dialects
//! of field names; what is wrong is told with line and column, and the rest is kept. [`Report`]
//! judges each alert, finds those that belong together, and counts.
//!
//! ```
//! use vigie_analyzer::alertfile::{Report, read};
//! use vigie_event::{Lang, Severity};
//!
//! let (alerts, problems) = read(r#"[{"alert_type": "Port scan", "src_ip": "203.0.113.7"}]"#);
//! let report = Report::of(alerts, problems);
//! assert_eq!(report.alerts[0].criticality, Severity::Medium);
//! assert!(report.render(Lang::En).contains("T1046"));
//! ```

mod chain;
mod judge;
mod kind;
mod read;
mod report;

pub use chain::Chain;
pub use judge::{Judged, judge};
pub use kind::Kind;
pub use read::{Problem, ReadAlert, read};
pub use report::{Report, Statistics};
