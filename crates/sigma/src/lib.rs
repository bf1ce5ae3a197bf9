//! Does this event, or this series of events, match a rule?

mod correlate;
mod diagnostic;
mod matcher;
mod rule;
mod set;
mod yaml;

pub use correlate::{Correlator, Firing, SnapshotError, WindowKey};
pub use diagnostic::{Diagnostic, DiagnosticLevel};
pub use matcher::Matcher;
pub use rule::{LogsourceSpec, Rule, RuleIndex, RuleKind, Status};
pub use set::{RuleSet, RuleText};
