//! The pipelines that are shipped: they load without a finding, and let Sigma's rules find what
//! the parsers' events say.

// Tests may panic; the lints know it only inside `#[test]` functions.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use std::sync::Arc;

use support::{event, pipelines};
use vigie_event::{Logsource, Logsources};
use vigie_sigma::{Matcher, Placeholders, RuleSet, RuleText};

const DEFAULT: [&str; 6] = [
    "default/auditd",
    "default/linux",
    "default/network",
    "default/suricata",
    "default/web",
    "default/zeek",
];

#[test]
fn shipped_pipelines_load_without_findings() {
    for names in [&DEFAULT[..], &["windows"], &["winlogbeat"], &["nxlog"], &["evtx_json"]] {
        let (pipelines, findings) = pipelines(names);
        assert!(findings.is_empty(), "{findings:#?}");
        assert_eq!(pipelines.names().count(), names.len());
    }
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../pipelines");
    let count = |folder: &str| {
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        files.filter(|path| path.is_file()).count()
    };
    assert_eq!((count(folder), count(&format!("{folder}/default"))), (4, DEFAULT.len()));
}

/// Whether a rule of this logsource and search matches an event of these fields.
fn check(logsource: &str, search: &str, of: Logsources, fields: &[(&str, &str)], expected: bool) {
    let text = format!(
        "title: t\nid: r\nlogsource: {{{logsource}}}\ndetection:\n    s: {search}\n    condition: s\n"
    );
    let names: Vec<&str> = DEFAULT.iter().copied().chain(["windows"]).collect();
    let (pipelines, _) = pipelines(&names);
    let rule = RuleText { file: "test.yml", text: &text };
    let (rules, findings) = RuleSet::load_with([rule], &pipelines, &Placeholders::new());
    assert!(findings.is_empty(), "{findings:?}");
    let mut matcher = Matcher::new(Arc::new(rules));
    let mut event = event(fields);
    event.logsources = of;
    assert_eq!(matcher.matches(&event).len(), usize::from(expected), "{search} on {fields:?}");
}

#[test]
fn sigmas_names_find_the_parsers_fields() {
    static FIREWALL: Logsources = &[Logsource::category("firewall")];
    static DNS: Logsources = &[Logsource::category("dns")];
    static SUDO: Logsources = &[Logsource::service("linux", "sudo")];
    static PROCESS: Logsources =
        &[Logsource { category: Some("process_creation"), product: Some("linux"), service: None }];
    static WINDOWS: Logsources = &[Logsource::product("windows")];
    let web = "category: webserver";
    let request = [
        ("http.request.method", "GET"),
        ("url.original", "/a/b.php?q=%27%20or%201=1"),
        ("url.path", "/a/b.php"),
        ("url.query", "q=%27%20or%201=1"),
        ("url.decoded", "/a/b.php?q=' or 1=1"),
        ("user_agent.original", "sqlmap/1.7"),
        ("http.response.status_code", "404"),
    ];
    for (search, expected) in [
        ("{cs-method: GET, sc-status: 404}", true),
        ("{cs-uri-query|contains: \"' or 1\"}", true),
        ("{cs-uri-query|contains: '%27%20or'}", true),
        ("{cs-uri-query|startswith: q=}", true),
        ("{cs-uri-stem|endswith: b.php}", true),
        ("{cs-user-agent|contains: sqlmap}", true),
        ("{c-uri|contains: /a/}", true),
        ("{cs-method: POST}", false),
    ] {
        check(web, search, support::WEB, &request, expected);
    }
    check(
        "category: firewall",
        "{action: denied, dst_port: 22}",
        FIREWALL,
        &[("event.action", "blocked"), ("destination.port", "22")],
        true,
    );
    check(
        "category: dns",
        "{query|endswith: .example.com}",
        DNS,
        &[("dns.question.name", "a.example.com")],
        true,
    );
    check(
        "product: linux, service: sudo",
        "{USER: '#-1'}",
        SUDO,
        &[("user.effective.name", "#-1")],
        true,
    );
    let process = "category: process_creation, product: linux";
    check(
        process,
        "{Image|endswith: /nc, CommandLine|contains: ' -e '}",
        PROCESS,
        &[("process.executable", "/bin/nc"), ("process.command_line", "nc -e sh")],
        true,
    );
    check(process, "{Image|endswith: /nc}", PROCESS, &[("Image", "/bin/nc")], true);
    let windows = "category: process_creation, product: windows";
    let start = |id: &'static str, channel: &'static str, field: &'static str| {
        [("EventID", id), ("Channel", channel), (field, r"C:\cmd.exe")]
    };
    let search = r"{Image|endswith: \cmd.exe}";
    check(windows, search, &[], &start("1", "Microsoft-Windows-Sysmon/Operational", "Image"), true);
    check(windows, search, &[], &start("4688", "Security", "NewProcessName"), true);
    check(
        windows,
        search,
        &[],
        &start("5", "Microsoft-Windows-Sysmon/Operational", "Image"),
        false,
    );
    check(
        "service: security, product: windows",
        "{EventID: 4625}",
        WINDOWS,
        &[("EventID", "4625"), ("Channel", "Security")],
        false,
    );
    check(
        "service: security, product: windows",
        "{EventID: 4625}",
        &[],
        &[("EventID", "4625"), ("Channel", "Security")],
        true,
    );
    check(
        "service: security, product: windows",
        "{EventID: 4625}",
        &[],
        &[("EventID", "4625"), ("Channel", "System")],
        false,
    );
}
