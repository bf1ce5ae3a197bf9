//! Which text and which look belongs to each of the fixed words?

use vigie_event::{AutonomyBand, CloseReason, DecisionStatus, IncidentStatus, Severity};
use vigie_store::state::{BanStatus, Role, TicketStatus};

/// Severities, worst first.
pub(crate) const SEVERITIES_DOWN: [Severity; 5] =
    [Severity::Critical, Severity::High, Severity::Medium, Severity::Low, Severity::Informational];

/// Choices of the status filter with their texts.
pub(crate) const STATUS_CHOICES: [(&str, &str); 5] = [
    ("", "any-status"),
    ("unclosed", "status-unclosed"),
    ("open", "status-open"),
    ("in_progress", "status-in-progress"),
    ("closed", "status-closed"),
];

/// Choices of the close reason with their texts.
pub(crate) const CLOSE_CHOICES: [(&str, &str); 4] = [
    ("true_positive", "close-true-positive"),
    ("benign_true_positive", "close-benign-true-positive"),
    ("false_positive", "close-false-positive"),
    ("undetermined", "close-undetermined"),
];

pub(crate) const fn incident_status(status: IncidentStatus) -> &'static str {
    match status {
        IncidentStatus::Open => "status-open",
        IncidentStatus::InProgress => "status-in-progress",
        IncidentStatus::Closed => "status-closed",
    }
}

/// The status called `name`.
pub(crate) fn incident_status_named(name: &str) -> Option<IncidentStatus> {
    [IncidentStatus::Open, IncidentStatus::InProgress, IncidentStatus::Closed]
        .into_iter()
        .find(|status| status.name() == name)
}

pub(crate) const fn close_reason(reason: CloseReason) -> &'static str {
    match reason {
        CloseReason::TruePositive => "close-true-positive",
        CloseReason::BenignTruePositive => "close-benign-true-positive",
        CloseReason::FalsePositive => "close-false-positive",
        CloseReason::Undetermined => "close-undetermined",
    }
}

/// The close reason called `name`.
pub(crate) fn close_reason_named(name: &str) -> Option<CloseReason> {
    match name {
        "true_positive" => Some(CloseReason::TruePositive),
        "benign_true_positive" => Some(CloseReason::BenignTruePositive),
        "false_positive" => Some(CloseReason::FalsePositive),
        "undetermined" => Some(CloseReason::Undetermined),
        _ => None,
    }
}

/// The style of a decision's status: `good`, `waiting`, `bad` or `over`.
pub(crate) const fn decision_tone(status: DecisionStatus) -> &'static str {
    match status {
        DecisionStatus::Applied => "good",
        DecisionStatus::Pending | DecisionStatus::AwaitingApproval | DecisionStatus::Simulated => {
            "waiting"
        }
        DecisionStatus::Failed => "bad",
        DecisionStatus::Refused | DecisionStatus::Expired | DecisionStatus::Undone => "over",
    }
}

pub(crate) const fn autonomy_band(band: AutonomyBand) -> &'static str {
    match band {
        AutonomyBand::InsufficientData => "autonomy-insufficient",
        AutonomyBand::NoSign => "autonomy-no-sign",
        AutonomyBand::Automated => "autonomy-automated",
        AutonomyBand::ProbableAgent => "autonomy-probable",
        AutonomyBand::StrongEvidence => "autonomy-strong",
    }
}

pub(crate) const fn role(role: Role) -> &'static str {
    match role {
        Role::Admin => "role-admin",
        Role::Analyst => "role-analyst",
        Role::Viewer => "role-viewer",
    }
}

pub(crate) const fn role_explained(role: Role) -> &'static str {
    match role {
        Role::Admin => "role-admin-explained",
        Role::Analyst => "role-analyst-explained",
        Role::Viewer => "role-viewer-explained",
    }
}

pub(crate) const fn ban_status(status: BanStatus) -> &'static str {
    match status {
        BanStatus::Active => "ban-active",
        BanStatus::Expired => "ban-expired",
        BanStatus::Lifted => "ban-lifted",
    }
}

pub(crate) const fn ticket_status(status: TicketStatus) -> &'static str {
    match status {
        TicketStatus::Open => "ticket-open",
        TicketStatus::Closed => "ticket-closed",
    }
}

/// The text for an entity field such as `source.ip`, where there is one.
pub(crate) fn entity(field: &str) -> Option<&'static str> {
    Some(match field {
        "source.ip" => "entity-source-ip",
        "destination.ip" => "entity-destination-ip",
        "host.name" => "entity-host-name",
        "user.name" => "entity-user-name",
        "user.target.name" => "entity-user-target-name",
        "user.effective.name" => "entity-user-effective-name",
        "url.path" => "entity-url-path",
        "url.domain" => "entity-url-domain",
        "dns.question.name" => "entity-dns-question-name",
        "tls.client.server_name" => "entity-tls-client-server-name",
        "file.path" => "entity-file-path",
        "file.hash.md5" | "file.hash.sha1" | "file.hash.sha256" => "entity-file-hash",
        "process.command_line" => "entity-process-command-line",
        "destination.port" => "entity-destination-port",
        "user_agent.original" => "entity-user-agent-original",
        "sensor.id" => "entity-sensor-id",
        _ => return None,
    })
}

/// The text for the field of an incident's actor.
pub(crate) fn actor(field: &str) -> Option<&'static str> {
    match field {
        "source.ip" | "source.network" => Some("actor-address"),
        "user.name" => Some("actor-account"),
        "host.name" => Some("actor-host"),
        _ => None,
    }
}

/// `credential-access` as ATT&CK writes it: `Credential Access`.
pub(crate) fn tactic_title(name: &str) -> String {
    let words = name.split('-').map(|word| match word {
        "and" => "and".to_owned(),
        word => {
            let mut letters = word.chars();
            letters
                .next()
                .map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
        }
    });
    words.collect::<Vec<_>>().join(" ")
}
