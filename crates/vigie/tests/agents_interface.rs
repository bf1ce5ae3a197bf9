//! Programs that already speak the agents' interface are served unchanged.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::process::Stdio;

use common::{Centre, TOKEN};
use serde_json::{Value, json};

const NO_SOURCES: &str = "[sources]\nfiles = []\njournald = \"never\"\n";

/// A sensor, as such programs are: it knows the address, the token and nothing of Vigie.
const SENSOR: &str = r#"
import json, sys, urllib.request
collect, analyze, respond, token = sys.argv[1:]
def call(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"X-Auth-Token": token, "Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request, timeout=10))
event = {"type": "ssh_failed", "src": "203.0.113.9", "dst": "192.0.2.10", "user": "root", "timestamp": "2026-01-05T10:12:13.123456Z", "sensor_id": "SENSOR-01"}
collected = call(collect + "/collect", event)
result = call(analyze + "/analyze", event)["result"]
print(json.dumps([collected, result, call(respond + "/respond", result), call(respond + "/status"), call(collect + "/events")]))
"#;

#[test]
fn a_python_program_of_ten_lines_is_served() {
    let dir = tempfile::tempdir().unwrap();
    let centre = Centre::start(dir.path(), NO_SOURCES, &[]);
    let [collect, analyze, respond] = &centre.agents[..] else { panic!("three parts") };
    // The test plays the part of that program's user.
    #[allow(clippy::disallowed_methods)]
    let run = std::process::Command::new("python3")
        .args(["-c", SENSOR, collect, analyze, respond, TOKEN])
        .stdin(Stdio::null())
        .output();
    let output = match run {
        Ok(output) => output,
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "python3: {error}");
            println!("skipped: python3: {error}");
            return;
        }
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answers: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answers[0], json!({"status": "collected", "total": 1}));
    assert_eq!(answers[1]["severity"], "Élevé");
    assert_eq!(answers[1]["category"], "brute_force");
    assert_eq!(answers[1]["recommended_action"], "block_ip");
    assert_eq!(answers[1]["original_event"]["sensor_id"], "SENSOR-01");
    assert_eq!(answers[2]["action"], "block_ip");
    assert_eq!(answers[2]["status"], "simulated");
    assert_eq!(answers[2]["ip"], "203.0.113.9");
    assert_eq!(answers[3]["blocked_ips"], json!(["203.0.113.9"]));
    assert_eq!(answers[4][0]["user"], "root");
    assert!(answers[4][0]["collected_at"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn the_small_print_of_the_interface_holds() {
    let dir = tempfile::tempdir().unwrap();
    let centre = Centre::start(dir.path(), NO_SOURCES, &[]);
    assert_eq!(centre.post(0, "/collect", ""), (400, json!({"error": "No data"})));
    let result = json!({"severity": "Moyen", "category": "port_scan", "recommended_action": "create_ticket",
        "explanation": "…", "original_event": {"type": "port_scan", "src": "203.0.113.5"}});
    let (status, ticket) = centre.post(2, "/respond", &result.to_string());
    assert_eq!(
        (status, &ticket["ticket_id"], &ticket["status"]),
        (200, &json!("TKT-0001"), &json!("created"))
    );
    let protected = json!({"severity": "Critique", "category": "malware", "recommended_action": "block_ip",
        "explanation": "…", "original_event": {"src": "127.0.0.1"}});
    let (_, refused) = centre.post(2, "/respond", &protected.to_string());
    assert_eq!(refused["status"], "refused");
    let unauthorised = ureq::post(format!("{}/collect", centre.agents[0]))
        .config()
        .http_status_as_error(false)
        .build()
        .send("{}")
        .unwrap();
    assert_eq!(unauthorised.status().as_u16(), 401);
    centre.stop();
}

#[test]
fn events_survive_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let event = json!({"type": "port_scan", "src": "203.0.113.5", "ports": "22,80"}).to_string();
    let centre = Centre::start(dir.path(), NO_SOURCES, &[]);
    assert_eq!(centre.post(0, "/collect", &event).1["total"], 1);
    centre.kill();
    let centre = Centre::start(dir.path(), NO_SOURCES, &[]);
    assert_eq!(centre.post(0, "/collect", &format!("[{event},{event}]")).1["total"], 3);
}
