//! What people made of earlier incidents: how they closed them, by rule and by entity.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Alert, CloseReason, Timestamp};

/// The entities for which closings are remembered, besides the rule as a whole.
pub const PRECEDENT_FIELDS: [&str; 3] = ["source.ip", "host.name", "user.name"];
/// Values of one field that one alert is remembered under.
const MOST_VALUES: usize = 10;
/// What one incident is remembered under at most: what an attacker can invent is bounded.
const MOST_KEYS: usize = 500;

/// How often incidents were closed, by reason.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Closings {
    /// As attacks.
    pub true_positive: u32,
    /// As permitted activity.
    pub benign_true_positive: u32,
    /// As nothing that the rule looks for.
    pub false_positive: u32,
    /// As undetermined: counted and shown, and taken as proof of nothing.
    pub undetermined: u32,
}

impl Closings {
    /// Counts `number` closings more.
    pub const fn add(&mut self, reason: CloseReason, number: u32) {
        let count = match reason {
            CloseReason::TruePositive => &mut self.true_positive,
            CloseReason::BenignTruePositive => &mut self.benign_true_positive,
            CloseReason::FalsePositive => &mut self.false_positive,
            CloseReason::Undetermined => &mut self.undetermined,
        };
        *count = count.saturating_add(number);
    }

    /// Those that were no attack: permitted, or nothing at all.
    pub const fn harmless(&self) -> u32 {
        self.benign_true_positive.saturating_add(self.false_positive)
    }

    /// Those that say something: all but the undetermined ones.
    pub const fn decided(&self) -> u32 {
        self.harmless().saturating_add(self.true_positive)
    }

    /// All of them.
    pub const fn total(&self) -> u32 {
        self.decided().saturating_add(self.undetermined)
    }
}

/// Under what a closing is remembered: a rule, and an entity of its alerts or none.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PrecedentKey {
    /// The rule's id.
    pub rule: String,
    /// The entity's field, one of [`PRECEDENT_FIELDS`]; empty: the rule wherever it fired.
    pub field: String,
    /// The entity's value.
    pub value: String,
}

/// How incidents with this rule and this entity were closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Precedent {
    /// The rule and the entity.
    #[serde(flatten)]
    pub key: PrecedentKey,
    /// How often, by reason.
    pub closings: Closings,
}

/// Earlier incidents of one actor.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// How many there were, open ones included.
    pub incidents: u32,
    /// How those that are closed were closed.
    pub closings: Closings,
    /// When the newest of them ended.
    pub last: Option<Timestamp>,
}

/// What is known of the time before an incident.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Past {
    /// How incidents with the same rules and entities were closed.
    pub precedents: Vec<Precedent>,
    /// Earlier incidents of the same actor; `None` where nobody keeps any.
    pub earlier: Option<Earlier>,
}

/// Under what the closing of an incident with these alerts is remembered: each rule by itself, and
/// with each of the first entities that its alerts name.
pub fn precedent_keys(alerts: &[Alert]) -> BTreeSet<PrecedentKey> {
    let mut keys = BTreeSet::new();
    let mut add = |rule: &str, field: &str, value: &str| {
        if keys.len() < MOST_KEYS {
            let (rule, field, value) = (rule.to_owned(), field.to_owned(), value.to_owned());
            keys.insert(PrecedentKey { rule, field, value });
        }
    };
    for alert in alerts {
        add(&alert.rule.id, "", "");
    }
    for alert in alerts {
        for field in PRECEDENT_FIELDS {
            for value in alert.entities.values(field).iter().take(MOST_VALUES) {
                add(&alert.rule.id, field, value);
            }
        }
    }
    keys
}
