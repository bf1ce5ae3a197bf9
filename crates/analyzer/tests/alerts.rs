//! The batch assistant over the reference alerts and over files from elsewhere.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use vigie_analyzer::alertfile::{Judged, Report, read};
use vigie_event::{Action, AutonomyBand, Severity};

const REFERENCE: &str = include_str!("../../../docs/examples/alerts.json");

fn reference() -> Report {
    Report::of(read(REFERENCE))
}

fn kind<'r>(report: &'r Report, kind: &str) -> &'r Judged {
    report.alerts.iter().find(|judged| judged.kind == kind).unwrap()
}

#[test]
fn each_reference_alert_is_judged_in_full() {
    let report = reference();
    assert_eq!(report.statistics.alerts, 8);
    for (name, technique) in [
        ("port_scan", "T1046"),
        ("brute_force", "T1110.001"),
        ("lateral_movement", "T1021"),
        ("exfiltration", "T1048"),
        ("sql_injection", "T1190"),
        ("execution", "T1059"),
        ("api_abuse", "T1119"),
        ("credential_access", "T1003"),
    ] {
        let judged = kind(&report, name);
        assert!(judged.attack.iter().any(|attack| attack.technique == technique), "{name}");
        assert!(judged.criticality >= Severity::High, "{name}");
        assert!(!judged.actions.is_empty() && !judged.advice.is_empty(), "{name}");
        assert!(!judged.is_false_positive && judged.confidence >= 60, "{name}");
    }
    assert_eq!(kind(&report, "brute_force").actions[0].action, Action::BlockIp);
}

#[test]
fn the_reference_alerts_are_automated_of_unknown_origin_and_say_why() {
    let report = reference();
    for judged in &report.alerts {
        let autonomy = &judged.autonomy;
        let score = autonomy.score.unwrap();
        assert!((25..=59).contains(&score), "{}: {autonomy:?}", judged.kind);
        assert_eq!(autonomy.band, AutonomyBand::Automated);
        assert!(!autonomy.indicators.is_empty() && !autonomy.counter_evidence.is_empty());
        for sign in &autonomy.indicators {
            assert!(sign.points > 0.0 && !sign.text.en.is_empty() && !sign.text.fr.is_empty());
            assert_ne!(sign.text.en, sign.text.fr);
        }
    }
    let scan = &kind(&report, "port_scan").autonomy.indicators;
    assert!(scan.iter().any(|sign| sign.text.en.starts_with("47 ports a second")), "{scan:?}");
    let commands = &kind(&report, "execution").autonomy.indicators;
    assert!(commands.iter().any(|sign| sign.text.fr.starts_with("12 commandes par minute")));
}

#[test]
fn each_reference_alert_with_a_pace_is_automated_by_itself() {
    let alerts: Vec<serde_json::Value> = serde_json::from_str(REFERENCE).unwrap();
    for alert in alerts {
        let report = Report::of(read(&alert.to_string()));
        let score = report.alerts[0].autonomy.score;
        assert!(score.is_none_or(|score| (25..=59).contains(&score)), "{alert}: {score:?}");
        let paced = ["ports_per_second", "attempts", "commands_per_minute", "requests_per_second"];
        let paced = paced.iter().any(|name| alert.get(name).is_some());
        assert_eq!(score.is_some(), paced, "{alert}");
    }
}

#[test]
fn the_reference_alerts_are_one_course_with_reasons() {
    let report = reference();
    assert_eq!(report.chains.len(), 1);
    let course = &report.chains[0];
    assert_eq!(course.alerts, [0, 1, 4, 2, 5, 6, 7, 3]);
    assert_eq!(course.links.len(), 7, "each alert but the first has its reason");
    assert!(course.intrusion && course.stages >= 5);
    let moved = course.links.iter().find(|link| link.to == 2).unwrap();
    assert_eq!(moved.text.en, "192.0.2.10, first the target, is now the source, 4 min later");
    assert!(moved.text.fr.contains("d’abord cible"));
}

#[test]
fn strangers_and_hours_apart_are_not_one_course() {
    let alert = |source: &str, user: &str, time: &str| {
        format!(
            r#"{{"type": "port_scan", "src": "{source}", "user": "{user}", "timestamp": "{time}"}}"#
        )
    };
    let check = |alerts: &[String], chains: usize| {
        let report = Report::of(read(&alerts.join("\n")));
        assert_eq!(report.chains.len(), chains, "{alerts:?}");
    };
    let first = alert("203.0.113.7", "alice", "2026-01-05T10:00:00Z");
    check(&[first.clone(), alert("203.0.113.7", "bob", "2026-01-05T10:59:00Z")], 1);
    check(&[first.clone(), alert("203.0.113.7", "bob", "2026-01-05T11:01:00Z")], 0);
    check(&[first.clone(), alert("203.0.113.8", "alice", "2026-01-05T10:10:00Z")], 1);
    check(&[first.clone(), alert("203.0.113.8", "bob", "2026-01-05T10:10:00Z")], 0);
    let root = alert("203.0.113.9", "root", "2026-01-05T10:00:00Z");
    check(&[root, alert("203.0.113.8", "root", "2026-01-05T10:10:00Z")], 0);
    check(&[first, alert("203.0.113.7", "bob", "sometime")], 1);
    let aimed = |source: &str| format!(r#"{{"type": "port_scan", {source} "dst": "192.0.2.10"}}"#);
    check(&[aimed(r#""src": "203.0.113.7","#), aimed(r#""src": "203.0.113.8","#)], 0);
    check(&[aimed(r#""src": "203.0.113.7","#), aimed("")], 1);
}

#[test]
fn tools_of_attack_stay_below_an_agents_score() {
    for (kind, text) in [
        ("port_scan", "nmap -T5: 900 ports/s"),
        ("ssh_brute_force", "hydra: 5000 attempts in 1 min"),
        ("web_attack", "ffuf: 300 requests/s"),
        ("web_attack", "nuclei: 150 requests/s"),
        ("config_run", "Ansible: 40 commands in 10 s"),
        ("health_check", "monitoring: 1 request/s"),
        ("crawler", "search crawler: 5 requests per second"),
    ] {
        let alert = serde_json::json!({"type": kind, "description": text, "src": "203.0.113.7"});
        let report = Report::of(read(&alert.to_string()));
        assert!(report.alerts[0].autonomy.score.is_none_or(|score| score < 60), "{text}");
    }
}

#[test]
fn ten_thousand_alerts_take_no_square_of_time() {
    let mut file = String::from("[");
    for n in 0..10_000 {
        let alert = serde_json::json!({
            "id": n, "type": "ssh_brute_force", "src": format!("2001:db8::{:x}", n % 500), "dst": format!("192.0.2.{}", n % 200),
            "timestamp": format!("2026-01-05T{:02}:{:02}:{:02}Z", n / 3_600, n / 60 % 60, n % 60),
            "description": "156 failed logins in 2 min",
        });
        file.push_str(if n == 0 { "" } else { "," });
        file.push_str(&alert.to_string());
        file.push('\n');
    }
    file.push(']');
    let reading = read(&file);
    assert_eq!(reading.alerts[9_999].line, 10_000);
    let report = Report::of(reading);
    assert_eq!((report.alerts.len(), report.problems.len()), (10_000, 0));
    assert_eq!(report.chains.iter().map(|chain| chain.alerts.len()).sum::<usize>(), 10_000);
}

#[test]
fn hostile_files_do_no_harm() {
    for text in [
        "{".repeat(100_000),
        "[".repeat(100_000),
        format!("[{}]", "{},".repeat(10_000)),
        r#"[{"type": {"a": [1]}, "src": ["x"], "timestamp": 1e300, "attempts": -1e308}]"#
            .to_owned(),
        "[{\"src\": \"\u{202e}\u{0}\", \"description\": \"9999999999999999999999 ports/s\"}]"
            .to_owned(),
    ] {
        let report = Report::of(read(&text));
        assert!(serde_json::to_string(&report).is_ok());
    }
}
