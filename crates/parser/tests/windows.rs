//! Windows events, whoever wrote them down.

// Tests may panic; the lints know it only inside `#[test]` functions.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod common;

use common::{Bench, data};
use vigie_event::{Event, EventKind, FieldId, ValueRef, field};

const DUMP: &str = r##"{"Event":{"#attributes":{"xmlns":"http://schemas.microsoft.com/win/2004/08/events/event"},"System":{"Provider":{"#attributes":{"Name":"Microsoft-Windows-Sysmon"}},"EventID":1,"TimeCreated":{"#attributes":{"SystemTime":"2026-01-05T10:12:13.5Z"}},"EventRecordID":7,"Channel":"Microsoft-Windows-Sysmon/Operational","Computer":"pc-1.example.com"},"EventData":{"Image":"C:\\Windows\\System32\\whoami.exe","CommandLine":"whoami /all","User":"EXAMPLE\\alice","ProcessId":4711,"Hashes":"MD5=00,SHA256=ABCD"}}}"##;
const WINLOGBEAT: &str = r#"{"@timestamp":"2026-01-05T10:12:13.5Z","winlog":{"provider_name":"Microsoft-Windows-Sysmon","event_id":"1","channel":"Microsoft-Windows-Sysmon/Operational","computer_name":"pc-1.example.com","record_id":7,"event_data":{"Image":"C:\\Windows\\System32\\whoami.exe","CommandLine":"whoami /all","User":"EXAMPLE\\alice","ProcessId":"4711","Hashes":"MD5=00,SHA256=ABCD"}},"event":{"code":"1","action":"Process Create (rule: ProcessCreate)"}}"#;
const WAZUH: &str = r#"{"timestamp":"2026-01-05T10:12:13.500+0000","data":{"win":{"system":{"providerName":"Microsoft-Windows-Sysmon","eventID":"1","eventRecordID":"7","channel":"Microsoft-Windows-Sysmon/Operational","computer":"pc-1.example.com","systemTime":"2026-01-05T10:12:13.5Z"},"eventdata":{"image":"C:\\Windows\\System32\\whoami.exe","commandLine":"whoami /all","user":"EXAMPLE\\alice","processId":"4711","hashes":"MD5=00,SHA256=ABCD"}}}}"#;
const FLAT: &str = r#"{"EventTime":"2026-01-05 10:12:13.5","Hostname":"pc-1.example.com","EventID":1,"SourceName":"Microsoft-Windows-Sysmon","Channel":"Microsoft-Windows-Sysmon/Operational","RecordNumber":7,"Image":"C:\\Windows\\System32\\whoami.exe","CommandLine":"whoami /all","User":"EXAMPLE\\alice","ProcessId":"4711","Hashes":"MD5=00,SHA256=ABCD"}"#;

fn parse(line: &str) -> Event {
    Bench::new("UTC", "2026-01-06T00:00:00Z", None).parse(line.as_bytes())
}

fn text(event: &Event, name: &str) -> String {
    FieldId::find(name).and_then(|id| event.render(id)).unwrap_or_default().into_owned()
}

#[test]
fn whoever_wrote_it_the_fields_are_the_same() {
    for line in [DUMP, WINLOGBEAT, WAZUH, FLAT] {
        let event = parse(line);
        for (name, expected) in [
            ("EventID", "1"),
            ("Channel", "Microsoft-Windows-Sysmon/Operational"),
            ("Provider_Name", "Microsoft-Windows-Sysmon"),
            ("Computer", "pc-1.example.com"),
            ("EventRecordID", "7"),
            ("Image", "C:\\Windows\\System32\\whoami.exe"),
            ("CommandLine", "whoami /all"),
            ("event.action", "process_started"),
            ("event.code", "1"),
            ("host.name", "pc-1.example.com"),
            ("user.name", "alice"),
            ("process.name", "whoami.exe"),
            ("process.pid", "4711"),
            ("process.command_line", "whoami /all"),
            ("file.hash.sha256", "abcd"),
        ] {
            assert_eq!(text(&event, name), expected, "{name} of {line}");
        }
        assert_eq!(event.kind, EventKind::Event);
        assert_eq!(event.dataset, "windows.sysmon");
        assert_eq!(event.time.to_string(), "2026-01-05T10:12:13.500000Z", "{line}");
        let applies =
            |category| event.logsources.iter().any(|one| one.fits(category, Some("windows"), None));
        assert!(applies(None) && applies(Some("process_creation")));
        assert!(!applies(Some("image_load")));
    }
}

#[test]
fn security_4688_creates_a_process_as_sysmon_1_does() {
    let event = parse(
        r#"{"EventID":4688,"Channel":"Security","Computer":"pc-1","SubjectUserName":"alice","SubjectDomainName":"EXAMPLE","NewProcessId":"0x10","ProcessId":"0x8","NewProcessName":"C:\\a\\b.exe","ParentProcessName":"C:\\a\\c.exe","CommandLine":"b.exe -x"}"#,
    );
    for (name, expected) in [
        ("Image", "C:\\a\\b.exe"),
        ("ParentImage", "C:\\a\\c.exe"),
        ("ProcessId", "16"),
        ("ParentProcessId", "8"),
        ("User", "EXAMPLE\\alice"),
        ("user.name", "alice"),
        ("process.name", "b.exe"),
    ] {
        assert_eq!(text(&event, name), expected, "{name}");
    }
    assert!(event.logsources.iter().any(|one| one.fits(Some("process_creation"), None, None)));
}

#[test]
fn a_failed_logon_names_address_and_account() {
    let event = parse(
        r#"{"EventID":4625,"Channel":"Security","TargetUserName":"bob","IpAddress":"::ffff:192.0.2.7","IpPort":"50123","LogonType":"3","Status":"0xc000006d"}"#,
    );
    for (name, expected) in [
        ("event.action", "windows_logon"),
        ("event.outcome", "failure"),
        ("source.ip", "192.0.2.7"),
        ("source.port", "50123"),
        ("user.name", "bob"),
    ] {
        assert_eq!(text(&event, name), expected, "{name}");
    }
    let local =
        parse(r#"{"EventID":4624,"Channel":"Security","IpAddress":"-","TargetUserName":"x"}"#);
    assert!(local.get(field::SOURCE_IP).is_none() && local.get(field::SOURCE_ADDRESS).is_none());
}

#[test]
fn a_program_that_logs_what_it_was_sent_forges_no_windows_event() {
    let body = r#"{"EventID":4625,"Channel":"Security","IpAddress":"192.0.2.7"}"#;
    let forged = parse(&format!("Jan  5 10:12:13 web app[1]: {body}"));
    assert_eq!(text(&forged, "event.action"), "");
    let real = parse(&format!("Jan  5 10:12:13 pc Microsoft-Windows-Security-Auditing[1]: {body}"));
    assert_eq!(text(&real, "event.action"), "windows_logon");
}

#[test]
fn real_events_are_all_read() {
    let Some(path) = data("sigma-crossmatch/events-mitre.jsonl") else { return };
    let mut bench = Bench::new("UTC", "2026-01-06T00:00:00Z", None);
    let mut event = Event::default();
    let id = FieldId::intern("EventID").unwrap();
    let created = FieldId::intern("TimeCreated").unwrap();
    let mut count = 0;
    for line in std::fs::read_to_string(path).unwrap().lines() {
        bench.parse_into(line.as_bytes(), &mut event);
        assert!(event.dataset.starts_with("windows"), "{line}");
        assert!(matches!(event.get(id), Some(ValueRef::Integer(_))), "{line}");
        let written = event.text_of(created).unwrap();
        assert_eq!(event.time, vigie_event::Timestamp::parse(written).unwrap(), "{line}");
        assert!(event.get(field::HOST_NAME).is_some(), "{line}");
        count += 1;
    }
    assert!(count > 3_000);
}
