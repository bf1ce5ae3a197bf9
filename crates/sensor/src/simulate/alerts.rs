//! The eight alerts of one intrusion, as a file for the batch assistant.

use serde_json::{Value, json};

use super::cast::{ATTACKER, DATABASE, FILES, VICTIM, WEB};
use super::story::Story;

/// One alert every few minutes, in the course of the intrusion.
pub(super) fn tell(story: &mut Story) {
    let number = story.random.between(100, 900);
    let drop = "198.51.100.80";
    let alerts: [(f64, Value); 8] = [
        (
            0.0,
            json!({ "alert_type": "port_scan", "severity": "medium", "source_ip": ATTACKER,
            "destination_ip": WEB.1, "description": "Sequential scan of 1,024 ports at 47 ports/s",
            "ports_per_second": 47 }),
        ),
        (
            180.0,
            json!({ "alert_type": "ssh_brute_force", "severity": "high", "source_ip": ATTACKER,
            "destination_ip": WEB.1, "user": "root",
            "description": "156 failed SSH logins in 2 min", "attempts": 156,
            "duration_minutes": 2 }),
        ),
        (
            280.0,
            json!({ "alert_type": "sql_injection", "severity": "high", "source_ip": ATTACKER,
            "destination_ip": WEB.1,
            "path": "/products?id=1%20UNION%20SELECT%20login,password%20FROM%20users" }),
        ),
        (
            520.0,
            json!({ "alert_type": "lateral_movement", "severity": "critical",
            "source_ip": WEB.1, "destination_ip": DATABASE.1, "user": VICTIM,
            "description": "SSH from the web server to the database server with a stolen key" }),
        ),
        (
            690.0,
            json!({ "alert_type": "command_execution", "severity": "high", "source_ip": WEB.1,
            "destination_ip": DATABASE.1, "user": VICTIM,
            "description": "12 commands/min in one session", "commands_per_minute": 12 }),
        ),
        (
            830.0,
            json!({ "alert_type": "anomalous_api_activity", "severity": "medium",
            "source_ip": DATABASE.1, "destination_ip": FILES.1,
            "description": "45 requests/s on /api/v1/customers, usually 2",
            "requests_per_second": 45 }),
        ),
        (
            1_000.0,
            json!({ "alert_type": "credential_harvesting", "severity": "high",
            "source_ip": DATABASE.1, "destination_ip": FILES.1, "user": VICTIM,
            "description": "Reading of configuration files and of the password store" }),
        ),
        (
            1_270.0,
            json!({ "alert_type": "data_exfiltration", "severity": "critical",
            "source_ip": DATABASE.1, "destination_ip": drop,
            "description": "2.3 GB sent to an unknown server", "bytes_out": 2_300_000_000_u64 }),
        ),
    ];
    for (place, (seconds, mut alert)) in alerts.into_iter().enumerate() {
        if let Some(object) = alert.as_object_mut() {
            object.insert("id".into(), format!("A-{number}-{}", place + 1).into());
        }
        story.agent_event(seconds, alert);
    }
}
