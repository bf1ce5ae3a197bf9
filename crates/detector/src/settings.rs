//! What can be set, and the bounds of memory.

/// How alerts grow and incidents gather, and how much is kept in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Alerts of one actor with no longer pause between them are one incident, in seconds.
    pub incident_gap_s: u32,
    /// Matches of a rule over single events with no longer pause between them are one alert, in
    /// seconds. Alerts of correlations stay open as long as their windows do.
    pub alert_gap_s: u32,
    /// Alerts that are open at once. Beyond it the ones that matter least are closed: their
    /// actor's next match raises a new alert.
    pub max_alerts: usize,
    /// Incidents in memory at once. Beyond it the ones that matter least leave memory: their
    /// actor's next alert opens a new incident.
    pub max_incidents: usize,
    /// Alerts of rules of level informational open incidents too. Sigma means such rules to enrich
    /// what others find and not to raise cases, so by default they only join.
    pub marks_open: bool,
}

impl Default for Settings {
    /// An hour, ten minutes, 10,000 alerts and 10,000 incidents, marks that only join.
    fn default() -> Self {
        Self {
            incident_gap_s: 3_600,
            alert_gap_s: 600,
            max_alerts: 10_000,
            max_incidents: 10_000,
            marks_open: false,
        }
    }
}

/// Bytes that all open alerts may weigh together, about.
pub(crate) const MAX_ALERT_BYTES: usize = 24 << 20;
/// Bytes that all incidents in memory may weigh together, about.
pub(crate) const MAX_INCIDENT_BYTES: usize = 16 << 20;
/// Bytes of entities kept of one alert; an attacker writes as many as he likes.
pub(crate) const ENTITY_BYTES_PER_ALERT: usize = 16 << 10;
/// Bytes of entities kept of one incident.
pub(crate) const ENTITY_BYTES_PER_INCIDENT: usize = 32 << 10;
/// Alerts that one incident takes in; the next opens another incident.
pub(crate) const ALERTS_PER_INCIDENT: usize = 500;
/// Keys under which one incident is found.
pub(crate) const KEYS_PER_INCIDENT: usize = 256;
