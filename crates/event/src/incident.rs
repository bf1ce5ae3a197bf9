//! The incident: the alerts of one actor.

use compact_str::CompactString;
use serde::{Deserialize, Serialize};

use crate::{AlertId, Entities, IncidentId, Lang, Localized, Severity, Timestamp};

/// Where an incident stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentStatus {
    /// Nobody has taken it.
    #[default]
    Open,
    /// Somebody works on it.
    InProgress,
    /// Done, with a reason.
    Closed,
}

impl IncidentStatus {
    /// The name in every machine-readable output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::InProgress => "in_progress",
            Self::Closed => "closed",
        }
    }
}

/// Why an incident was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseReason {
    /// An attack.
    TruePositive,
    /// What the rule looks for, but permitted.
    BenignTruePositive,
    /// Not what the rule looks for.
    FalsePositive,
    /// Nobody knows.
    Undetermined,
}

/// Whom the alerts of an incident have in common.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Actor {
    /// The entity's field name: `source.ip`, `user.name`, `host.name`.
    #[serde(rename = "type")]
    pub field: CompactString,
    /// Its value.
    pub value: CompactString,
}

/// Why an alert belongs to its incident.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MergeReason {
    /// The alert.
    pub alert: AlertId,
    /// `first`, `same_address`, `same_network`, `same_account`, `taken_account`,
    /// `same_host`, `from_host`, `by_hand` …
    pub reason: CompactString,
    /// The entity in common: its field name.
    pub field: CompactString,
    /// The entity in common: its value.
    pub value: CompactString,
}

impl MergeReason {
    /// The reason as a sentence.
    pub fn sentence(&self, lang: Lang) -> String {
        let (before, after) = match (lang, self.reason.as_str()) {
            (Lang::En, "first") => ("first alert about ", ""),
            (Lang::Fr, "first") => ("première alerte sur ", ""),
            (Lang::En, "same_address") => ("same address ", ""),
            (Lang::Fr, "same_address") => ("même adresse ", ""),
            (Lang::En, "same_network") => ("same network ", ""),
            (Lang::Fr, "same_network") => ("même réseau ", ""),
            (Lang::En, "same_account") => ("same account ", ""),
            (Lang::Fr, "same_account") => ("même compte ", ""),
            (Lang::En, "taken_account") => ("account ", ", which the actor had taken over"),
            (Lang::Fr, "taken_account") => ("compte ", ", dont l’acteur s’était emparé"),
            (Lang::En, "same_host") => ("on host ", ", where the actor had got in"),
            (Lang::Fr, "same_host") => ("sur la machine ", ", où l’acteur était entré"),
            (Lang::En, "from_host") => ("from host ", ", where the actor had got in"),
            (Lang::Fr, "from_host") => ("depuis la machine ", ", où l’acteur était entré"),
            (Lang::En, "by_hand") => ("moved here by ", ""),
            (Lang::Fr, "by_hand") => ("déplacée ici par ", ""),
            (_, other) => return [other, " ", &self.value].concat(),
        };
        [before, &self.value, after].concat()
    }
}

/// The alerts of one actor within an inactivity gap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// A function of its first alert.
    pub id: IncidentId,
    /// What happened, in a line.
    pub title: Localized,
    /// Where it stands.
    pub status: IncidentStatus,
    /// Why it was closed, once it is.
    pub close_reason: Option<CloseReason>,
    /// The user who works on it.
    pub owner: Option<String>,
    /// The worst level of its alerts, until a verdict says otherwise.
    pub severity: Severity,
    /// Time of the first event.
    pub first_seen: Timestamp,
    /// Time of the last event.
    pub last_seen: Timestamp,
    /// Whom the alerts have in common.
    pub actor: Actor,
    /// Who and what its alerts speak of.
    pub entities: Entities,
    /// Its alerts, oldest first.
    pub alerts: Vec<AlertId>,
    /// Why each alert belongs to it.
    pub reasons: Vec<MergeReason>,
    /// Rises with every change, so that a reader can tell an old copy from a new one.
    pub revision: u64,
}
