//! The six kinds of event of the agents' interface.

use serde_json::{Value, json};

use super::cast::{ATTACKER, DATABASE, WEB};
use super::story::Story;

const SENSOR: &str = "SENSOR-01";
/// Events of one scenario.
const COUNT: u32 = 12;

/// Tells of events of the type `kind`, one every two seconds.
pub(super) fn tell(story: &mut Story, kind: &'static str) {
    for number in 0..COUNT {
        let mut event = body(story, kind);
        if let Some(object) = event.as_object_mut() {
            object.insert("type".into(), kind.into());
            object.insert("sensor_id".into(), SENSOR.into());
        }
        story.agent_event(f64::from(number) * 2.0, event);
    }
}

fn body(story: &mut Story, kind: &str) -> Value {
    let random = &mut story.random;
    match kind {
        "ssh_failed" => {
            let user = random.pick(&["root", "admin", "test", "oracle", "postgres", "deploy"]);
            json!({ "src": ATTACKER, "dst": WEB.1, "user": user })
        }
        "port_scan" => {
            let dst = random.pick(&[WEB.1, DATABASE.1, "192.0.2.0/24"]);
            let ports = random.pick(&["1-1024", "22,80,443", "1-65535", "3306,5432,6379"]);
            json!({ "src": ATTACKER, "dst": dst, "ports": ports })
        }
        "http_anomaly" => {
            let path = random.pick(&[
                "/../../etc/passwd",
                "/index.php?id=1%27%20OR%20%271%27=%271",
                "/wp-login.php",
                "/.env",
                "/cgi-bin/test.cgi?cmd=id",
            ]);
            json!({ "src": ATTACKER, "dst": WEB.1, "path": path })
        }
        "dns_query_suspicious" => {
            let domain = format!("{}.tunnel.example.com", random.hex(32));
            json!({ "src": WEB.1, "domain": domain })
        }
        "malware_hash_detected" => json!({ "src": WEB.1, "hash": random.hex(64) }),
        _ => {
            let user = random.pick(&["alice", "bruno", "chloe"]);
            json!({ "src": ATTACKER, "dst": WEB.1, "user": user })
        }
    }
}
