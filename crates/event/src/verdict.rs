//! The verdict: how bad an incident is and what should be done.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{
    Action, CompactString, EventId, FieldValues, IncidentId, Lang, Localized, ModelTrace, Severity,
    Timestamp,
};

/// What kind of attack an incident is.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Category {
    /// Guessing passwords.
    BruteForce,
    /// Looking for open ports and services.
    PortScan,
    /// Attacking a web application.
    WebAttack,
    /// Known bad code.
    Malware,
    /// Moving from host to host.
    LateralMovement,
    /// Data leaving.
    Exfiltration,
    /// Taking credentials.
    CredentialAccess,
    /// Running commands.
    Execution,
    /// Staying.
    Persistence,
    /// Gaining rights.
    PrivilegeEscalation,
    /// Hiding, or blinding the defence.
    DefenseEvasion,
    /// Talking to the attacker's own servers.
    CommandAndControl,
    /// Unusual, of no other kind.
    #[default]
    SuspiciousActivity,
    /// Permitted.
    Benign,
}

impl Category {
    /// All categories.
    pub const ALL: [Self; 14] = [
        Self::BruteForce,
        Self::PortScan,
        Self::WebAttack,
        Self::Malware,
        Self::LateralMovement,
        Self::Exfiltration,
        Self::CredentialAccess,
        Self::Execution,
        Self::Persistence,
        Self::PrivilegeEscalation,
        Self::DefenseEvasion,
        Self::CommandAndControl,
        Self::SuspiciousActivity,
        Self::Benign,
    ];

    /// The name in every machine-readable output.
    pub const fn name(self) -> &'static str {
        match self {
            Self::BruteForce => "brute_force",
            Self::PortScan => "port_scan",
            Self::WebAttack => "web_attack",
            Self::Malware => "malware",
            Self::LateralMovement => "lateral_movement",
            Self::Exfiltration => "exfiltration",
            Self::CredentialAccess => "credential_access",
            Self::Execution => "execution",
            Self::Persistence => "persistence",
            Self::PrivilegeEscalation => "privilege_escalation",
            Self::DefenseEvasion => "defense_evasion",
            Self::CommandAndControl => "command_and_control",
            Self::SuspiciousActivity => "suspicious_activity",
            Self::Benign => "benign",
        }
    }

    /// The name for people.
    pub const fn label(self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => match self {
                Self::BruteForce => "Brute force",
                Self::PortScan => "Port scan",
                Self::WebAttack => "Web attack",
                Self::Malware => "Malware",
                Self::LateralMovement => "Lateral movement",
                Self::Exfiltration => "Exfiltration",
                Self::CredentialAccess => "Credential access",
                Self::Execution => "Execution",
                Self::Persistence => "Persistence",
                Self::PrivilegeEscalation => "Privilege escalation",
                Self::DefenseEvasion => "Defence evasion",
                Self::CommandAndControl => "Command and control",
                Self::SuspiciousActivity => "Suspicious activity",
                Self::Benign => "Benign",
            },
            Lang::Fr => match self {
                Self::BruteForce => "Force brute",
                Self::PortScan => "Balayage de ports",
                Self::WebAttack => "Attaque web",
                Self::Malware => "Logiciel malveillant",
                Self::LateralMovement => "Déplacement latéral",
                Self::Exfiltration => "Exfiltration",
                Self::CredentialAccess => "Vol d’identifiants",
                Self::Execution => "Exécution",
                Self::Persistence => "Persistance",
                Self::PrivilegeEscalation => "Élévation de privilèges",
                Self::DefenseEvasion => "Contournement des défenses",
                Self::CommandAndControl => "Commande et contrôle",
                Self::SuspiciousActivity => "Activité suspecte",
                Self::Benign => "Bénin",
            },
        }
    }
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A technique of MITRE ATT&CK with one of its tactics, by id and official name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Attack {
    /// `TA0006`.
    pub tactic: Cow<'static, str>,
    /// `credential-access`.
    pub tactic_name: Cow<'static, str>,
    /// `T1110.001`; empty where only the tactic is known.
    pub technique: Cow<'static, str>,
    /// `Password Guessing`.
    pub technique_name: Cow<'static, str>,
}

/// How much speaks for an AI agent at work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AutonomyBand {
    /// Too few actions to tell.
    #[default]
    InsufficientData,
    /// 0–24.
    NoSign,
    /// 25–59: automated, origin unknown.
    Automated,
    /// 60–84: probably a language-model agent.
    ProbableAgent,
    /// 85–100.
    StrongEvidence,
}

/// One sign for or against automation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Indicator {
    /// Short name, such as `tempo.median_gap`.
    pub name: String,
    /// What was measured, for people.
    pub text: Localized,
    /// The measured value, in the unit that the text names.
    pub value: f64,
    /// The value at which the indicator counts in full.
    pub threshold: f64,
    /// Points given, 0 up to the indicator's maximum.
    pub points: f64,
    /// The events that it rests on.
    pub events: Vec<EventId>,
}

/// The autonomy score (0–100) with its reasons.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Autonomy {
    /// 0–100; `None` where there is too little to tell.
    pub score: Option<u8>,
    /// The score in words.
    pub band: AutonomyBand,
    /// 0–100.
    pub confidence: u8,
    /// What it rests on.
    pub indicators: Vec<Indicator>,
    /// What speaks against it.
    pub counter_evidence: Vec<Localized>,
}

/// A claim with the events that prove it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// What is claimed.
    pub claim: Localized,
    /// The events that show it.
    pub events: Vec<EventId>,
}

/// An action from the fixed list with a target from the evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recommendation {
    /// What to do.
    pub action: Action,
    /// To whom: entity field name → value, such as `source.ip` → `203.0.113.7`.
    pub target: FieldValues,
    /// Why, for people.
    pub reason: Localized,
}

/// How bad an incident is and what should be done, by one analyst.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The incident judged.
    pub incident: IncidentId,
    /// The incident's revision that was judged.
    pub revision: u64,
    /// `built-in`, or the model's name and version.
    pub analyst: CompactString,
    /// When it was given.
    pub time: Timestamp,
    /// How bad.
    pub severity: Severity,
    /// Of what kind.
    pub category: Category,
    /// How sure, 0–100.
    pub confidence: u8,
    /// Likelihood of a false positive, 0–100.
    pub false_positive: u8,
    /// Tactics and techniques seen.
    pub attack: Vec<Attack>,
    /// Whether an AI agent is at work.
    pub autonomy: Autonomy,
    /// One to three sentences.
    pub summary: Localized,
    /// Each claim with its proof.
    pub rationale: Vec<Claim>,
    /// What to do, most urgent first.
    pub recommendations: Vec<Recommendation>,
    /// What people should do besides, from the rules that fired.
    pub advice: Vec<Localized>,
    /// What the evidence does not answer.
    pub open_questions: Vec<Localized>,
    /// How a language model came to it; `None` for the built-in analyst.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelTrace>,
}
