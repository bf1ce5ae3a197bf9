//! What happens right now, as it is sent to the browsers that watch.

use serde::Serialize;
use vigie_event::{Action, Category, DecisionStatus, IncidentId, Localized, Severity, Timestamp};

/// Events that a browser may be behind before it misses the oldest.
pub const LIVE_CAPACITY: usize = 1_024;

/// One thing that happened, published by whoever runs the pipeline. Text in it may be hostile;
/// the console makes it harmless on the way out.
#[derive(Clone, Debug, PartialEq)]
pub enum Live {
    /// A line was read and understood.
    Event(LiveEvent),
    /// A rule fired.
    Alert {
        /// When.
        time: Timestamp,
        /// The rule's title.
        title: Localized,
        /// The rule's level.
        severity: Severity,
        /// The incident that it belongs to.
        incident: Option<IncidentId>,
        /// The address it speaks of, where it speaks of one.
        source_ip: Option<String>,
    },
    /// An incident was opened or changed.
    Incident {
        /// When it was last seen.
        time: Timestamp,
        /// Which.
        id: IncidentId,
        /// Its title.
        title: Localized,
        /// How bad.
        severity: Severity,
    },
    /// An incident was judged.
    Verdict {
        /// When.
        time: Timestamp,
        /// Which incident.
        incident: IncidentId,
        /// How bad.
        severity: Severity,
        /// Of what kind.
        category: Category,
        /// How sure, 0–100.
        confidence: u8,
    },
    /// Something was decided, or a decision changed its status.
    Decision {
        /// When.
        time: Timestamp,
        /// For which incident.
        incident: IncidentId,
        /// What is done.
        action: Action,
        /// To whom, such as `203.0.113.7`.
        target: String,
        /// Where it stands.
        status: DecisionStatus,
    },
    /// Totals, about once a second.
    Counters(Counters),
}

/// A line that was read and understood.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveEvent {
    /// When it happened.
    pub time: Timestamp,
    /// The parser, such as `sshd`.
    pub dataset: String,
    /// What happened, such as `ssh_login`.
    pub action: String,
    /// `success`, `failure` or empty.
    pub outcome: String,
    /// The line itself, or its gist.
    pub summary: String,
    /// Where from.
    pub source_ip: Option<String>,
    /// Which account.
    pub user: Option<String>,
    /// Which machine.
    pub host: Option<String>,
}

/// Totals of a running centre.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Counters {
    /// Events a second, over the last seconds.
    pub events_per_second: f64,
    /// Events since the start.
    pub events: u64,
    /// Records since the start that no parser knew.
    pub unparsed: u64,
    /// Alerts since the start.
    pub alerts: u64,
    /// Incidents since the start.
    pub incidents: u64,
    /// Records that were lost, for whatever reason. 0 is the rule.
    pub lost: u64,
    /// Records that are read and wait for detection.
    pub behind: u64,
}
