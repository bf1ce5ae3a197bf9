//! How bad is it and what should be done?
//!
//! The built-in analyst judges incidents from counted evidence alone: no I/O, no clock of its own,
//! no randomness, and no reading of what attackers wrote. Every part of a verdict can be traced to
//! a rule, a fact or an event.
//!
//! ```
//! use vigie_analyzer::{BuiltIn, Case};
//! use vigie_event::{
//!     Action, Actor, Alert, AlertId, Category, Entities, EventId, Guidance, Incident, IncidentId,
//!     IncidentStatus, Localized, RuleRef, Severity, Timestamp,
//! };
//!
//! let start = Timestamp::from_seconds(1_700_000_000);
//! let mut entities = Entities::default();
//! entities.add("source.ip", "203.0.113.7");
//! let alert = Alert {
//!     id: AlertId::from_u128(1),
//!     rule: RuleRef {
//!         id: "guessing".into(),
//!         title: Localized::new("SSH brute force", "Force brute SSH"),
//!         level: Severity::High,
//!         version: String::new(),
//!     }.into(),
//!     tags: vec!["attack.credential-access".into(), "attack.t1110.001".into()].into(),
//!     group: [("source.ip".to_owned(), "203.0.113.7".to_owned())].into(),
//!     entities: entities.clone(),
//!     first_seen: start,
//!     last_seen: start.plus_seconds(60),
//!     count: 40,
//!     events: vec![EventId::from_u128(1)],
//!     evidence: Vec::new(),
//!     incident: None,
//! };
//! let incident = Incident {
//!     id: IncidentId::from_u128(1),
//!     title: Localized::new("SSH brute force", "Force brute SSH"),
//!     status: IncidentStatus::Open,
//!     close_reason: None,
//!     owner: None,
//!     severity: Severity::High,
//!     first_seen: alert.first_seen,
//!     last_seen: alert.last_seen,
//!     actor: Actor { field: "source.ip".into(), value: "203.0.113.7".into() },
//!     entities,
//!     alerts: vec![alert.id],
//!     reasons: Vec::new(),
//!     revision: 1,
//! };
//! let guidance = Guidance {
//!     category: Some(Category::BruteForce),
//!     actions: vec![Action::BlockIp],
//!     ..Guidance::default()
//! };
//! let verdict = BuiltIn::new().judge(&Case {
//!     incident: &incident,
//!     alerts: std::slice::from_ref(&alert),
//!     guidance: &|_| Some(&guidance),
//!     now: start.plus_seconds(61),
//! });
//! assert_eq!(verdict.severity, Severity::High);
//! assert_eq!(verdict.recommendations[0].action, Action::BlockIp);
//! assert_eq!(verdict.recommendations[0].target.get("source.ip"), Some("203.0.113.7"));
//! ```

#![deny(missing_docs)]

mod advice;
pub mod alertfile;
pub mod attack;
pub mod autonomy;
mod builtin;
mod facts;
mod known;
pub mod learning;
pub mod model;
pub mod quick;
mod recommend;
mod score;
mod severity;
mod summary;
mod text;

use std::fmt;

use vigie_event::{Alert, Guidance, Incident, Past, Timestamp};

pub use builtin::{BuiltIn, NAME};
pub use known::{Known, Names};
pub use recommend::MOST_BANS;
pub use score::CONFIDENCE_BASE;

/// What the analyst is given to judge.
#[derive(Clone, Copy)]
pub struct Case<'c> {
    /// The incident.
    pub incident: &'c Incident,
    /// Its alerts, in any order.
    pub alerts: &'c [Alert],
    /// What the author of the rule with this id knows; `None` for rules no longer loaded.
    pub guidance: &'c dyn Fn(&str) -> Option<&'c Guidance>,
    /// The time of day, which signs the verdict.
    pub now: Timestamp,
}

impl fmt::Debug for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case")
            .field("incident", &self.incident.id)
            .field("alerts", &self.alerts.len())
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// What is known besides the evidence. Without it an incident is judged by its evidence alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct Background<'b> {
    /// What came before, and what people made of it.
    pub past: Option<&'b Past>,
    /// What the owner says of his machines and of others.
    pub known: Option<&'b Known>,
    /// What the incident's actor did, as far as it was watched.
    pub activity: Option<&'b autonomy::Activity>,
}
