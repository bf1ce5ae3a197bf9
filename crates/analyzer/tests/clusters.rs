//! What is the work of one: an address and its network, a session, a planted value.

// Helpers of tests fail as tests do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use common::{Reader, incidents, shipped};
use vigie_analyzer::autonomy::{Activities, Activity, Planted};

fn watched(lines: &[String]) -> Activities {
    let (mut reader, mut activities) = (Reader::new(), Activities::default());
    for line in lines {
        reader.read(line, None, |event| activities.observe(event));
    }
    activities
}

fn total(activities: &Activities, address: &str) -> u64 {
    activities.of_address(address).map_or(0, Activity::total)
}

#[test]
fn one_network_of_64_bits_is_one_actor() {
    let mut reader = common::Reader::new();
    let mut activities = Activities::default();
    for number in 1..=9 {
        let line = format!(
            "2026-11-20T09:00:0{number}Z web-01 sshd[1]: Failed password for root from 2001:db8:1:2:{number}::5 port 4242 ssh2"
        );
        reader.read(&line, None, |event| activities.observe(event));
    }
    assert_eq!(activities.len(), 1);
    assert_eq!(activities.of_address("2001:db8:1:2::1").unwrap().total(), 9);
    assert!(activities.of_address("2001:db8:1:3::1").is_none());
}

/// Audit records of one machine, a second apart.
fn audit(records: &[&str]) -> Vec<String> {
    let stamped = records.iter().enumerate().map(|(number, record)| {
        let (kind, rest) = record.split_once(' ').unwrap();
        // What a call ran stands in a second record of the same number.
        let serial = if kind == "EXECVE" { number - 1 } else { number };
        format!(
            "node=web-01 type={kind} msg=audit({}.000:{serial}): {rest}",
            1_763_640_000 + serial
        )
    });
    stamped.collect()
}

#[test]
fn what_a_session_of_the_audit_log_does_is_the_work_of_who_began_it() {
    let start = "USER_START pid=9 uid=0 auid=1000 ses=7 msg='op=PAM:session_open acct=\"alice\" exe=\"/usr/sbin/sshd\" hostname=203.0.113.7 addr=203.0.113.7 terminal=ssh res=success'";
    let as_alice = "USER_CMD pid=95 uid=1000 auid=1000 ses=7 msg='cwd=\"/\" cmd=6964 exe=\"/usr/bin/sudo\" terminal=pts/0 res=success'";
    let call = "SYSCALL arch=c000003e syscall=59 success=yes exit=0 ppid=1 pid=96 auid=1000 uid=0 tty=pts0 ses=7 comm=\"cat\" exe=\"/usr/bin/cat\" key=(null)";
    let ran = "EXECVE argc=2 a0=\"cat\" a1=\"/etc/shadow\"";
    let nowhere = "USER_CMD pid=97 uid=0 auid=4294967295 ses=4294967295 msg='cwd=\"/\" cmd=6964 exe=\"/usr/bin/sudo\" terminal=? res=success'";
    let activities = watched(&audit(&[start, as_alice, call, ran, nowhere]));
    assert_eq!(total(&activities, "203.0.113.7"), 2);
    assert_eq!(activities.len(), 1);

    // After a start of the machine the number is another's, at its console.
    let again =
        "LOGIN pid=9 uid=0 old-auid=4294967295 auid=1001 tty=tty1 old-ses=4294967295 ses=7 res=1";
    let mut lines = vec![start, as_alice, again, as_alice];
    assert_eq!(total(&watched(&audit(&lines)), "203.0.113.7"), 1);
    lines.push(start);
    lines.push(as_alice);
    assert_eq!(total(&watched(&audit(&lines)), "203.0.113.7"), 2);
}

#[test]
fn what_a_windows_logon_does_is_the_work_of_who_logged_on() {
    let event = |second: u32, id: u32, data: &str| {
        format!(
            "{{\"Event\":{{\"System\":{{\"Provider\":{{\"#attributes\":{{\"Name\":\"Microsoft-Windows-Security-Auditing\"}}}},\"EventID\":{id},\"Channel\":\"Security\",\"Computer\":\"WS1\",\"TimeCreated\":{{\"#attributes\":{{\"SystemTime\":\"2026-11-20T09:00:{second:02}.000000Z\"}}}}}},\"EventData\":{{{data}}}}}}}"
        )
    };
    let logon = |second, from: &str, session: &str| {
        event(
            second,
            4_624,
            &format!(
                "\"SubjectLogonId\":\"0x3e7\",\"TargetUserName\":\"bob\",\"TargetLogonId\":\"{session}\",\"LogonType\":10,\"IpAddress\":\"{from}\",\"IpPort\":\"50000\""
            ),
        )
    };
    let process = |second, session: &str, command: &str| {
        event(
            second,
            4_688,
            &format!(
                "\"SubjectUserName\":\"bob\",\"SubjectLogonId\":\"{session}\",\"NewProcessName\":\"C:\\\\Windows\\\\System32\\\\cmd.exe\",\"CommandLine\":\"{command}\""
            ),
        )
    };
    let activities = watched(&[
        logon(0, "203.0.113.7", "0x1a2b"),
        logon(1, "203.0.113.8", "0x1a2c"),
        process(2, "0x1a2b", "whoami"),
        process(3, "0x1a2b", "net user"),
        process(4, "0x1a2c", "hostname"),
        // The system's own session is nobody's.
        process(5, "0x3e7", "svchost"),
    ]);
    assert_eq!(total(&activities, "203.0.113.7"), 3);
    assert_eq!(total(&activities, "203.0.113.8"), 2);
}

/// Somebody fetches a page, and from another address its planted account is guessed at.
fn decoy(readers: &[&str]) -> Vec<String> {
    let fetched = readers.iter().map(|reader| {
        format!("{reader} - - [20/Nov/2026:08:30:00 +0000] \"GET /notes/access.html HTTP/1.1\" 200 512 \"-\" \"curl/8.9.1\"")
    });
    let guessed = (0..6).map(|second| {
        format!("2026-11-20T09:00:0{second}Z web-01 sshd[1]: Failed password for invalid user svc-archive from 198.51.100.9 port 4242 ssh2")
    });
    fetched.chain(guessed).collect()
}

#[test]
fn who_fetched_a_page_and_who_uses_its_values_are_one() {
    let rules = shipped();
    let found = |readers: &[&str], restart: bool| {
        let planted = Planted::parse(&["/notes/access.html: svc-archive"]).unwrap();
        let mut activities = Activities::watching(planted.clone());
        let lines = decoy(readers);
        let each = lines.iter().map(|line| (line.as_str(), None));
        let incidents = incidents(&rules, each, Some(&mut activities), |_| {});
        if restart {
            let bytes = activities.to_bytes();
            activities = Activities::watching(planted);
            activities.remember(&bytes).unwrap();
        }
        let incident =
            incidents.iter().find(|(incident, ..)| incident.actor.value == "198.51.100.9");
        activities.of_incident(&incident.unwrap().0).unwrap().total()
    };
    let guesses = 6;
    for restart in [false, true] {
        assert_eq!(found(&[], restart), guesses);
        assert_eq!(found(&["203.0.113.7"], restart), guesses + 1);
        // The last of them.
        assert_eq!(found(&["203.0.113.7", "203.0.113.8"], restart), guesses + 1);
        // A page that everybody fetches tells nothing.
        let many: Vec<String> = (1..=6).map(|last| format!("203.0.113.{last}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert_eq!(found(&many, restart), guesses);
    }
}
