//! The decision: what is done about an incident.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{CompactString, DecisionId, FieldValues, IncidentId, Lang, Localized, Timestamp};

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal, $en:literal, $fr:literal;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant,)* }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name in every machine-readable output.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The name for people.
            pub const fn label(self, lang: Lang) -> &'static str {
                match self { $(Self::$variant => lang.pick($en, $fr),)* }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.name())
            }
        }

        impl FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, String> {
                Self::ALL.iter().copied().find(|known| known.name() == text).ok_or_else(|| {
                    let known: Vec<_> = Self::ALL.iter().map(|known| known.name()).collect();
                    let text: String = text.chars().take(40).collect();
                    format!("`{text}` is none of {}", known.join(", "))
                })
            }
        }
    };
}

named! {
    /// Everything that Vigie can do about an incident. There is no other action.
    Action {
        /// Ban an address for a time.
        BlockIp = "block_ip", "Ban the address", "Bannir l’adresse";
        /// Open a ticket.
        CreateTicket = "create_ticket", "Open a ticket", "Ouvrir un ticket";
        /// Open a ticket and call people at once.
        Escalate = "escalate", "Escalate", "Escalader";
        /// Watch.
        Monitor = "monitor", "Watch", "Surveiller";
        /// Do nothing.
        Ignore = "ignore", "Do nothing", "Ne rien faire";
        /// Send mail or a chat message.
        Notify = "notify", "Notify", "Prévenir";
        /// Call a webhook.
        Webhook = "webhook", "Call a webhook", "Appeler un webhook";
        /// Run an Ansible playbook.
        RunPlaybook = "run_playbook", "Run a playbook", "Lancer un playbook";
        /// Run a script from the allowed list.
        RunCommand = "run_command", "Run a script", "Lancer un script";
    }
}

named! {
    /// Whether effects are real.
    Mode {
        /// Everything is decided, nothing outside is changed.
        DryRun = "dry_run", "dry run", "essai à blanc";
        /// Effects are carried out.
        Enforce = "enforce", "live", "réel";
    }
}

named! {
    /// Where a decision stands.
    DecisionStatus {
        /// Waits to be carried out.
        Pending = "pending", "Waiting", "En attente";
        /// Waits for somebody's approval.
        AwaitingApproval = "awaiting_approval", "Awaiting approval", "En attente d’approbation";
        /// Went the whole way but the last call: dry run.
        Simulated = "simulated", "Simulated", "Simulée";
        /// Carried out.
        Applied = "applied", "Applied", "Appliquée";
        /// Must not be carried out; the reason says why.
        Refused = "refused", "Refused", "Refusée";
        /// Could not be carried out.
        Failed = "failed", "Failed", "Échouée";
        /// Its time is over.
        Expired = "expired", "Expired", "Expirée";
        /// Taken back.
        Undone = "undone", "Undone", "Annulée";
    }
}

/// What is done about an incident, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// A function of incident, action, target, policy and mode.
    pub id: DecisionId,
    /// The incident.
    pub incident: IncidentId,
    /// What is done.
    pub action: Action,
    /// To whom: entity field name → value, such as `source.ip` → `203.0.113.7`.
    pub target: FieldValues,
    /// How long it holds, in seconds; `None`: no end of its own.
    pub duration_s: Option<u64>,
    /// Whether it is real.
    pub mode: Mode,
    /// Where it stands.
    pub status: DecisionStatus,
    /// Name of the policy rule that decided.
    pub policy: CompactString,
    /// Why, in a sentence.
    pub reason: Localized,
    /// When it was decided.
    pub created: Timestamp,
    /// When it ends, where it does.
    pub expires: Option<Timestamp>,
}
