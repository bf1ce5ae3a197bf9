//! All of SigmaHQ over real Windows events, against the matches of an independent engine.

// Tests may panic; the lints know it only inside `#[test]` functions.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::panic, clippy::unwrap_used)]

mod support;

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use support::event_of;
use vigie_event::{Event, Logsource, Logsources, Value};
use vigie_sigma::{Matcher, Placeholders, Rule, RuleSet, RuleText};

const DATA: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");

/// Categories of Sysmon's events, by their id.
const SYSMON: [(&str, &[&str]); 25] = [
    ("1", &["process_creation"]),
    ("2", &["file_change"]),
    ("3", &["network_connection"]),
    ("4", &["sysmon_status"]),
    ("5", &["process_termination"]),
    ("6", &["driver_load"]),
    ("7", &["image_load"]),
    ("8", &["create_remote_thread"]),
    ("9", &["raw_access_thread"]),
    ("10", &["process_access"]),
    ("11", &["file_event"]),
    ("12", &["registry_event", "registry_add", "registry_delete"]),
    ("13", &["registry_event", "registry_set"]),
    ("14", &["registry_event", "registry_rename"]),
    ("15", &["create_stream_hash"]),
    ("16", &["sysmon_status"]),
    ("17", &["pipe_created"]),
    ("18", &["pipe_created"]),
    ("19", &["wmi_event"]),
    ("20", &["wmi_event"]),
    ("21", &["wmi_event"]),
    ("22", &["dns_query"]),
    ("23", &["file_delete"]),
    ("26", &["file_delete"]),
    ("255", &["sysmon_error"]),
];

/// Sigma's services by channel.
const SERVICES: [(&str, &str); 16] = [
    ("Security", "security"),
    ("System", "system"),
    ("Application", "application"),
    ("Microsoft-Windows-Sysmon/Operational", "sysmon"),
    ("Microsoft-Windows-PowerShell/Operational", "powershell"),
    ("Windows PowerShell", "powershell-classic"),
    ("Microsoft-Windows-Windows Defender/Operational", "windefend"),
    ("Microsoft-Windows-TaskScheduler/Operational", "taskscheduler"),
    ("Microsoft-Windows-Bits-Client/Operational", "bits-client"),
    ("Microsoft-Windows-WMI-Activity/Operational", "wmi"),
    ("Microsoft-Windows-NTLM/Operational", "ntlm"),
    ("Microsoft-Windows-DriverFrameworks-UserMode/Operational", "driver-framework"),
    (
        "Microsoft-Windows-TerminalServices-LocalSessionManager/Operational",
        "terminalservices-localsessionmanager",
    ),
    ("Microsoft-Windows-CAPI2/Operational", "capi2"),
    ("DNS Server", "dns-server"),
    ("Microsoft-Windows-Windows Firewall With Advanced Security/Firewall", "firewall-as"),
];

fn logsources(channel: &str, id: &str) -> Logsources {
    let windows = |category, service| Logsource { category, product: Some("windows"), service };
    let service = SERVICES.iter().find(|(name, _)| *name == channel).map(|(_, service)| *service);
    let categories: &[&str] = match (service, id) {
        (Some("sysmon"), id) => {
            SYSMON.iter().find(|(known, _)| *known == id).map_or(&[], |(_, categories)| categories)
        }
        (Some("powershell"), "4104") => &["ps_script"],
        (Some("powershell"), "4103") => &["ps_module"],
        (Some("powershell-classic"), "400") => &["ps_classic_start"],
        (Some("powershell-classic"), "600") => &["ps_classic_provider_start"],
        (Some("powershell-classic"), "800") => &["ps_classic_script"],
        _ => &[],
    };
    let mut all = vec![windows(None, service)];
    all.extend(categories.iter().map(|category| windows(Some(*category), service)));
    all.leak()
}

/// Text of a JSON value, `#text` of an element.
fn text(json: &Json) -> Option<Value> {
    Some(match json {
        Json::String(text) => Value::Made(text.as_str().into()),
        Json::Number(number) => Value::Integer(number.as_i64()?),
        Json::Bool(truth) => Value::Boolean(*truth),
        Json::Null => Value::Fixed(""),
        Json::Array(members) => Value::List(members.iter().filter_map(text).collect()),
        Json::Object(members) => text(members.get("#text")?)?,
    })
}

fn fields(event: &Json) -> Vec<(String, Value)> {
    let mut fields = Vec::new();
    let system = &event["System"];
    for name in ["EventID", "Channel", "Computer", "Level", "EventRecordID"] {
        fields.extend(text(&system[name]).map(|value| (name.to_owned(), value)));
    }
    let provider = &system["Provider"]["#attributes"]["Name"];
    fields.extend(text(provider).map(|value| ("Provider_Name".to_owned(), value)));
    let user_data = event["UserData"].as_object().into_iter().flat_map(|data| data.values());
    for data in std::iter::once(&event["EventData"]).chain(user_data) {
        for (name, json) in data.as_object().into_iter().flatten() {
            fields.extend(text(json).map(|value| (name.replace(' ', ""), value)));
        }
    }
    fields
}

fn rule_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            rule_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "yml") {
            found.push(path);
        }
    }
}

/// What a rule matched: file, index of the event, rule id.
type Pair = (String, u64, String);

/// Matches all of SigmaHQ under `pipelines` against all events as `make` makes them; gives the
/// expected pairs that were missed, and those found beyond.
fn compare(
    pipelines: &[&str],
    wanted: fn(&Rule) -> bool,
    mut make: impl FnMut(&Json) -> Event,
) -> Option<(Vec<Pair>, Vec<Pair>)> {
    let folder = Path::new(DATA).join("sigma-crossmatch");
    if !folder.is_dir() {
        println!("skipped: the events are not on this machine");
        return None;
    }
    let mut files = Vec::new();
    rule_files(&Path::new(DATA).join("sigma-rules"), &mut files);
    files.sort();
    let texts: Vec<(String, String)> = files
        .iter()
        .map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap()))
        .collect();
    let (pipelines, findings) = support::pipelines(pipelines);
    assert!(findings.is_empty(), "{findings:?}");
    let (rules, _) = RuleSet::load_with(
        texts.iter().map(|(file, text)| RuleText { file, text }),
        &pipelines,
        &Placeholders::new(),
    );
    let rules = std::sync::Arc::new(rules);
    let mut matcher = Matcher::new(rules.clone());

    let mut expected = BTreeSet::new();
    for line in fs::read_to_string(folder.join("cases.jsonl")).unwrap().lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        for pair in case["expect"]["pairs"].as_array().unwrap() {
            let rule = pair[2].as_str().unwrap();
            if case["set"] == "mitre" && rules.by_id(rule).is_some() {
                let file = case["file"].as_str().unwrap().to_owned();
                expected.insert((file, pair[1].as_u64().unwrap(), rule.to_owned()));
            }
        }
    }

    let mut found = BTreeSet::new();
    let mut events = 0;
    for line in fs::read_to_string(folder.join("events-mitre.jsonl")).unwrap().lines() {
        let json: Json = serde_json::from_str(line).unwrap();
        let event = make(&json);
        events += 1;
        for rule in matcher.matches(&event) {
            let rule = rules.rule(*rule).unwrap();
            if wanted(rule) {
                let file = json["_file"].as_str().unwrap().to_owned();
                let index = json["_index"].as_u64().unwrap();
                found.insert((file, index, rule.reference.id.clone()));
            }
        }
    }
    let missed: Vec<_> = expected.difference(&found).cloned().collect();
    let more: Vec<_> = found.difference(&expected).cloned().collect();
    println!(
        "{events} events, {} expected pairs, {} missed, {} more",
        expected.len(),
        missed.len(),
        more.len()
    );
    for (kind, pairs) in [("missed", &missed), ("more", &more)] {
        for (file, index, rule) in pairs.iter().take(50) {
            let file_of = rules.by_id(rule).map(|rule| rule.file.rsplit('/').next().unwrap());
            println!("{kind} {file} {index} {file_of:?}");
        }
    }
    Some((missed, more))
}

/// Channel and id of an event.
fn kind_of(json: &Json) -> (String, String) {
    let system = &json["Event"]["System"];
    let id = match &system["EventID"] {
        Json::Object(id) => id["#text"].to_string(),
        id => id.to_string(),
    };
    let channel = system["Channel"].as_str().unwrap_or_default();
    (channel.to_owned(), id.trim_matches('"').to_owned())
}

#[test]
fn matches_of_real_events_are_those_of_an_independent_engine() {
    let mut routes: HashMap<(String, String), Logsources> = HashMap::new();
    let compared = compare(
        &[],
        |_| true,
        |json| {
            let fields = fields(&json["Event"]);
            let named = fields.iter().map(|(name, value)| (name.as_str(), value.clone()));
            let mut event = event_of(&json["Event"].to_string(), named);
            let (channel, id) = kind_of(json);
            event.logsources = routes
                .entry((channel.clone(), id.clone()))
                .or_insert_with(|| logsources(&channel, &id));
            event
        },
    );
    assert!(compared.is_none_or(|(missed, more)| missed.is_empty() && more.is_empty()));
}

/// Rules of other products are tried too where nothing is known of an event.
fn is_windows(rule: &Rule) -> bool {
    rule.logsource.product.as_deref() == Some("windows")
}

#[test]
fn the_windows_pipeline_finds_the_same_where_nothing_is_known_of_an_event() {
    let mut process_starts = BTreeSet::new();
    let compared = compare(&["windows"], is_windows, |json| {
        let fields = fields(&json["Event"]);
        let named = fields.iter().map(|(name, value)| (name.as_str(), value.clone()));
        let mut event = event_of(&json["Event"].to_string(), named);
        event.logsources = &[];
        if kind_of(json) == ("Security".to_owned(), "4688".to_owned()) {
            let file = json["_file"].as_str().unwrap().to_owned();
            process_starts.insert((file, json["_index"].as_u64().unwrap()));
        }
        event
    });
    // The independent engine does not take Security's event 4688 for the start of a process.
    let Some((missed, mut more)) = compared else { return };
    more.retain(|(file, index, _)| !process_starts.contains(&(file.clone(), *index)));
    assert!(missed.is_empty() && more.is_empty());
}

/// The names that collectors give the fields of Windows events.
fn collected(name: &str, system: &[(&str, &str)], prefix: &str) -> String {
    let known = system.iter().find(|(own, _)| *own == name);
    known.map_or_else(|| format!("{prefix}{name}"), |(_, other)| (*other).to_owned())
}

#[test]
fn the_pipelines_of_collectors_find_the_same() {
    type Names = &'static [(&'static str, &'static str)];
    const WINLOGBEAT: Names = &[
        ("Channel", "winlog.channel"),
        ("Computer", "winlog.computer_name"),
        ("EventID", "winlog.event_id"),
        ("Provider_Name", "winlog.provider_name"),
    ];
    const EVTX: Names = &[
        ("Channel", "Event.System.Channel"),
        ("Computer", "Event.System.Computer"),
        ("EventID", "Event.System.EventID"),
        ("Provider_Name", "Event.System.Provider.#attributes.Name"),
    ];
    const NXLOG: Names = &[("Computer", "Hostname"), ("Provider_Name", "SourceName")];
    for (pipeline, system, prefix) in [
        ("winlogbeat", WINLOGBEAT, "winlog.event_data."),
        ("evtx_json", EVTX, "Event.EventData."),
        ("nxlog", NXLOG, ""),
    ] {
        let compared = compare(&["windows", pipeline], is_windows, |json| {
            let fields: Vec<(String, Value)> = fields(&json["Event"])
                .into_iter()
                .map(|(name, value)| (collected(&name, system, prefix), value))
                .collect();
            let named = fields.iter().map(|(name, value)| (name.as_str(), value.clone()));
            let mut event = event_of(&json["Event"].to_string(), named);
            event.logsources = &[];
            event
        });
        assert!(compared.is_none_or(|(missed, _)| missed.is_empty()), "{pipeline}");
    }
}
