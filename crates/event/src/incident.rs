//! The incident: the alerts of one actor.

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
    pub field: String,
    /// Its value.
    pub value: String,
}

/// Why an alert belongs to its incident.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct MergeReason {
    /// The alert.
    pub alert: AlertId,
    /// `first`, `same_address`, `same_network`, `same_account`, `taken_account`,
    /// `same_host`, `from_host`, `by_hand` …
    pub reason: String,
    /// The entity in common: its field name.
    pub field: String,
    /// The entity in common: its value.
    pub value: String,
}

impl MergeReason {
    /// The reason as a sentence.
    pub fn sentence(&self, lang: Lang) -> String {
        let value = &self.value;
        match (lang, self.reason.as_str()) {
            (Lang::En, "first") => format!("first alert about {value}"),
            (Lang::Fr, "first") => format!("première alerte sur {value}"),
            (Lang::En, "same_address") => format!("same address {value}"),
            (Lang::Fr, "same_address") => format!("même adresse {value}"),
            (Lang::En, "same_network") => format!("same network {value}"),
            (Lang::Fr, "same_network") => format!("même réseau {value}"),
            (Lang::En, "same_account") => format!("same account {value}"),
            (Lang::Fr, "same_account") => format!("même compte {value}"),
            (Lang::En, "taken_account") => {
                format!("account {value}, which the actor had taken over")
            }
            (Lang::Fr, "taken_account") => {
                format!("compte {value}, dont l’acteur s’était emparé")
            }
            (Lang::En, "same_host") => format!("on host {value}, where the actor had got in"),
            (Lang::Fr, "same_host") => format!("sur la machine {value}, où l’acteur était entré"),
            (Lang::En, "from_host") => format!("from host {value}, where the actor had got in"),
            (Lang::Fr, "from_host") => {
                format!("depuis la machine {value}, où l’acteur était entré")
            }
            (Lang::En, "by_hand") => format!("moved here by {value}"),
            (Lang::Fr, "by_hand") => format!("déplacée ici par {value}"),
            (_, other) => format!("{other} {value}"),
        }
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
