//! Files whole and broken, and where each is said to be wrong.

use vigie_event::Severity;

use super::*;

fn check(text: &str, names: &[&str], problems: &[(usize, usize)]) {
    let Reading { alerts, problems: found, .. } = read(text);
    let read: Vec<_> = alerts.iter().map(|a| a.name.as_deref().unwrap_or("?")).collect();
    assert_eq!(read, names, "{text}");
    let places: Vec<_> = found.iter().map(|p| (p.line, p.column)).collect();
    assert_eq!(places, problems, "{text}: {found:?}");
}

#[test]
fn reads_arrays_lines_and_wrappers() {
    check(r#"[{"type": "a"}, {"alert_type": "b"}]"#, &["a", "b"], &[]);
    check("{\"type\": \"a\"}\n\n{\"type\": \"b\"}\n", &["a", "b"], &[]);
    check("{\n  \"type\": \"a\"\n}\n{\n\"type\": \"b\"}", &["a", "b"], &[]);
    check(r#"{"alerts": [{"type": "a"}, {"x": 1}]}"#, &["a", "?"], &[]);
    check("\u{feff}[{\"x\": 1}]", &["?"], &[]);
}

#[test]
fn tells_where_it_is_wrong_and_keeps_the_rest() {
    check("", &[], &[(1, 1)]);
    check("[{\"type\": \"a\"},\n {\"type\": },\n {\"type\": \"c\"}]", &["a", "c"], &[(2, 11)]);
    check("{\"type\": \"a\"}\n{\"type\": \"b\n{\"type\": \"c\"}", &["a", "c"], &[(2, 12)]);
    check("[{\"type\": \"a\"}, 7, {\"type\": \"b\"}]", &["a", "b"], &[(1, 17)]);
    check("{\"type\": [[[", &[], &[(1, 1)]);
    check("{\"type\": \"a\"}\n{bad\n{\"type\": \"c\"}", &["a", "c"], &[(2, 1)]);
    check("[{\"type\": \"a\"}", &["a"], &[(1, 15)]);
    check("[42,null]", &[], &[(1, 2), (1, 5)]);
    check("{}", &[], &[(1, 1)]);
    check("{\"alerts\": []}", &[], &[(1, 1)]);
    check("{\"found\": [{\"type\": \"a\"}]}", &[], &[(1, 1)]);
    check("plain text\n{\"type\": \"b\"}", &["b"], &[(1, 1)]);
}

#[test]
fn understands_other_names() {
    let Reading { alerts, .. } = read(
        r#"[{"Alert_Type": "SSH", "Severity": "Élevé", "src": "192.0.2.1", "time": 1767607933,
                 "destination": {"ip": "192.0.2.2"}, "username": "root", "id": 7}]"#,
    );
    let alert = &alerts[0];
    assert_eq!(alert.name.as_deref(), Some("SSH"));
    assert_eq!(alert.severity, Some(Severity::High));
    assert_eq!(alert.source.as_deref(), Some("192.0.2.1"));
    assert_eq!(alert.target.as_deref(), Some("192.0.2.2"));
    assert_eq!(alert.id.as_deref(), Some("7"));
    assert_eq!(alert.time.unwrap().to_string(), "2026-01-05T10:12:13.000000Z");
}

#[test]
fn missing_is_unknown() {
    let Reading { alerts, problems, .. } =
        read(r#"[{"severity": 3, "time": "yesterday", "src": null}]"#);
    assert!(problems.is_empty());
    assert_eq!(alerts[0].severity, None);
    assert_eq!(alerts[0].time, None);
    assert_eq!(alerts[0].source, None);
}

#[test]
fn numbers_are_times_of_any_unit_or_none() {
    for (time, expected) in [
        ("1767607933", Some("2026-01-05T10:12:13.000000Z")),
        ("1767607933.9", Some("2026-01-05T10:12:13.000000Z")),
        ("1767607933123", Some("2026-01-05T10:12:13.000000Z")),
        ("1767607933123456", Some("2026-01-05T10:12:13.000000Z")),
        ("1767607933123456789", Some("2026-01-05T10:12:13.000000Z")),
        ("0", None),
        ("-5", None),
        ("50000000000000000", None),
        ("1e300", None),
    ] {
        let Reading { alerts, .. } =
            read(&format!(r#"[{{"severity": "high", "timestamp": {time}}}]"#));
        let read = alerts[0].time.map(|time| time.to_string());
        assert_eq!(read.as_deref(), expected, "{time}");
    }
}

#[test]
fn takes_the_alerts_of_eve_and_wazuh() {
    let reading = read(
        r#"{"timestamp": "2026-01-05T11:12:13.5+0100", "flow_id": 1, "event_type": "flow", "src_ip": "192.0.2.1"}
{"timestamp": "2026-01-05T11:12:13.5+0100", "flow_id": 1, "event_type": "alert", "src_ip": "203.0.113.7", "dest_ip": "192.0.2.1",
 "alert": {"signature": "SCAN potential SSH scan", "category": "Attempted Information Leak", "severity": 2, "metadata": {"mitre_technique_id": ["T1046"]}}}
{"timestamp": "2026-01-05T10:12:13.000+0000", "rule": {"level": 12, "description": "sshd: brute force", "mitre": {"id": ["T1110", "T9999"]}},
 "agent": {"name": "web-1"}, "data": {"srcip": "203.0.113.7", "dstuser": "unknown"}}"#,
    );
    assert_eq!((reading.passed_over, reading.problems.len()), (1, 0));
    let [eve, wazuh] = &reading.alerts[..] else { panic!("two alerts: {reading:?}") };
    assert_eq!(eve.name.as_deref(), Some("SCAN potential SSH scan"));
    assert_eq!(eve.severity, Some(Severity::Medium));
    assert_eq!(eve.time.unwrap().to_string(), "2026-01-05T10:12:13.500000Z");
    assert_eq!((eve.line, eve.techniques.as_slice()), (2, ["T1046"].as_slice()));
    assert_eq!(wazuh.severity, Some(Severity::High));
    assert_eq!((wazuh.target.as_deref(), wazuh.user.as_deref()), (Some("web-1"), None));
    assert_eq!((wazuh.line, wazuh.techniques.as_slice()), (4, ["T1110"].as_slice()));
}

#[test]
fn a_file_without_alerts_says_so() {
    let reading = read(r#"{"flow_id": 1, "event_type": "dns"}"#);
    assert!(reading.problems[0].sentence(Lang::En).contains("among the 1 events"));
}

#[test]
fn a_file_of_something_else_is_given_up_on() {
    let reading = read(&"x\n".repeat(5_000));
    assert_eq!(reading.problems.len(), MOST_PROBLEMS + 1);
    assert_eq!(reading.problems[999].line, 1_000);
}
