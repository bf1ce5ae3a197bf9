//! What a run counted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Totals of a run over finished files, or of a running centre since its start.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// Records read.
    pub records: u64,
    /// Events that parsers understood.
    pub events: u64,
    /// Records that no parser knew.
    pub unparsed: u64,
    /// Alerts raised.
    pub alerts: u64,
    /// Incidents opened.
    pub incidents: u64,
    /// Wall-clock time, in seconds.
    pub seconds: f64,
    /// Events by `event.dataset`, `event.action` and `event.outcome` where they have them, joined
    /// with a space, such as `sshd ssh_login failure`.
    pub by_action: BTreeMap<String, u64>,
    /// Alerts by rule id.
    pub by_rule: BTreeMap<String, u64>,
    /// Incidents by severity of their verdict.
    pub by_severity: BTreeMap<String, u64>,
    /// What was lost, by reason. Empty is the rule.
    pub lost: BTreeMap<String, u64>,
}
