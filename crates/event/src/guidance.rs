//! What a rule's author knows about its alerts, beyond the condition.

use serde::{Deserialize, Serialize};

use crate::{Action, Category, Localized};

/// What a rule's author tells the people who get its alerts. Stands in a Sigma file under the
/// custom key `vigie` (the specification allows keys of one's own).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Guidance {
    /// What it means when the rule fires.
    #[serde(default)]
    pub explanation: Localized,
    /// What people should do, most urgent first.
    #[serde(default)]
    pub recommendations: Vec<Localized>,
    /// When it fires without an attack.
    #[serde(default)]
    pub false_positives: Vec<Localized>,
    /// What kind of attack it is.
    #[serde(default)]
    pub category: Option<Category>,
    /// Actions that may answer it, most urgent first.
    #[serde(default)]
    pub actions: Vec<Action>,
}
