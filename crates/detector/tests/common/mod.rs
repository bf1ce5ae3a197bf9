//! Events and rules for the detector's tests.
#![allow(dead_code, unreachable_pub, missing_docs)]

use std::fmt::Write as _;
use std::sync::Arc;

use vigie_detector::{Changes, Detector, Settings};
use vigie_event::{
    Alert, Event, FieldId, Incident, Logsource, RecordRef, Source, Timestamp, Value, field,
};
use vigie_sigma::{RuleSet, RuleText};

pub const START: i64 = 1_700_000_000;
static SSHD: [Logsource; 1] = [Logsource::service("linux", "sshd")];
static SUDO: [Logsource; 1] = [Logsource::service("linux", "sudo")];
static WEB: [Logsource; 1] = [Logsource::category("webserver")];

/// Rules over the events of [`Stream`].
pub const RULES: &str = "
title: Login failed
id: 00000000-0000-4000-8000-000000000001
name: failure
tags: [attack.t1110.001]
logsource: { product: linux, service: sshd }
detection: { it: { event.action: ssh_login, event.outcome: failure }, condition: it }
level: informational
---
title: Login succeeded
id: 00000000-0000-4000-8000-000000000002
name: success
logsource: { product: linux, service: sshd }
detection: { it: { event.action: ssh_login, event.outcome: success }, condition: it }
level: informational
---
title: SSH brute force
id: 00000000-0000-4000-8000-000000000003
name: brute_force
tags: [attack.credential-access, attack.t1110.001]
correlation:
  type: event_count
  rules: [failure]
  group-by: [source.ip]
  timespan: 2m
  condition: { gte: 5 }
level: high
vigie: { title: { fr: Force brute SSH } }
---
title: Login after failures
id: 00000000-0000-4000-8000-000000000004
name: login_after
tags: [attack.t1078, attack.t1110]
correlation:
  type: temporal
  rules: [failure, success]
  group-by: [source.ip]
  timespan: 10m
level: critical
vigie: { title: { fr: Connexion après échecs } }
---
title: Password spraying
id: 00000000-0000-4000-8000-000000000005
tags: [attack.t1110.003]
correlation:
  type: value_count
  rules: [failure]
  group-by: [source.ip]
  timespan: 10m
  condition: { field: user.name, gte: 4 }
level: medium
---
title: Probe for secrets
id: 00000000-0000-4000-8000-000000000006
tags: [attack.reconnaissance, attack.t1595.003]
logsource: { category: webserver }
detection: { it: { url.path|contains: .env }, condition: it }
level: medium
vigie: { title: { fr: Recherche de secrets } }
---
title: Injection
id: 00000000-0000-4000-8000-000000000007
tags: [attack.t1190]
logsource: { category: webserver }
detection: { it: { url.path|contains: select }, condition: it }
level: high
---
title: Shell through sudo
id: 00000000-0000-4000-8000-000000000008
tags: [attack.t1548.003]
logsource: { product: linux, service: sudo }
detection: { it: { process.command_line|endswith: bash }, condition: it }
level: high
---
title: User added
id: 00000000-0000-4000-8000-000000000009
tags: [attack.t1136]
logsource: { product: linux, service: sudo }
detection: { it: { event.action: user_created }, condition: it }
level: low
";

pub fn rules() -> Arc<RuleSet> {
    rules_of(RULES)
}

pub fn rules_of(text: &str) -> Arc<RuleSet> {
    let (rules, diagnostics) = RuleSet::load([RuleText { file: "test.yml", text }]);
    let errors: Vec<_> = diagnostics.iter().map(ToString::to_string).collect();
    assert!(!rules.rules().is_empty(), "{errors:?}");
    Arc::new(rules)
}

/// Makes events one after the other; times are seconds after [`START`].
pub struct Stream {
    source: Arc<Source>,
    offset: u64,
}

impl Default for Stream {
    fn default() -> Self {
        Self { source: Source::file("test.log", 7, None), offset: 0 }
    }
}

impl Stream {
    pub fn event(
        &mut self,
        at: i64,
        dataset: &'static str,
        logsources: &'static [Logsource],
        fields: &[(FieldId, &str)],
    ) -> Event {
        let mut raw = format!("{at} {dataset}");
        for (id, value) in fields {
            let _ = write!(raw, " {id:?}={value}");
        }
        let time = Timestamp::from_seconds(START + at);
        let mut event = Event::default();
        event.begin(&RecordRef {
            source: &self.source,
            offset: self.offset,
            observed: time,
            bytes: raw.as_bytes(),
        });
        self.offset += raw.len() as u64 + 1;
        event.dataset = dataset;
        event.logsources = logsources;
        let (_, mut slots) = event.fields_mut();
        for (id, text) in fields {
            let value = text.parse().map_or_else(|_| Value::Made((*text).into()), Value::Address);
            slots.value(*id, value);
        }
        event.finish(time);
        event
    }

    pub fn login(&mut self, at: i64, outcome: &str, ip: &str, user: &str) -> Event {
        self.login_on(at, outcome, ip, user, "web-1")
    }

    pub fn login_on(&mut self, at: i64, outcome: &str, ip: &str, user: &str, host: &str) -> Event {
        let fields = [
            (field::EVENT_ACTION, "ssh_login"),
            (field::EVENT_OUTCOME, outcome),
            (field::SOURCE_IP, ip),
            (field::USER_NAME, user),
            (field::HOST_NAME, host),
        ];
        self.event(at, "sshd", &SSHD, &fields)
    }

    pub fn request(&mut self, at: i64, ip: &str, path: &str) -> Event {
        let fields = [
            (field::EVENT_ACTION, "http_request"),
            (field::SOURCE_IP, ip),
            (field::URL_PATH, path),
        ];
        self.event(at, "nginx.access", &WEB, &fields)
    }

    /// A connection to the SSH server of `host`, which says at which address it was reached.
    pub fn reached(&mut self, at: i64, from: &str, host: &str, address: &str) -> Event {
        let fields = [
            (field::EVENT_ACTION, "ssh_connection"),
            (field::SOURCE_IP, from),
            (field::DESTINATION_IP, address),
            (field::HOST_NAME, host),
        ];
        self.event(at, "sshd", &SSHD, &fields)
    }

    pub fn sudo(&mut self, at: i64, user: &str, next: &str, command: &str) -> Event {
        self.sudo_on(at, user, next, command, "web-1")
    }

    pub fn sudo_on(&mut self, at: i64, user: &str, next: &str, command: &str, host: &str) -> Event {
        let fields = [
            (field::EVENT_ACTION, "sudo_command"),
            (field::EVENT_OUTCOME, "success"),
            (field::USER_NAME, user),
            (field::USER_EFFECTIVE_NAME, next),
            (field::PROCESS_COMMAND_LINE, command),
            (field::HOST_NAME, host),
        ];
        self.event(at, "sudo", &SUDO, &fields)
    }

    pub fn user_created(&mut self, at: i64, name: &str, host: &str) -> Event {
        let fields = [
            (field::EVENT_ACTION, "user_created"),
            (field::USER_TARGET_NAME, name),
            (field::HOST_NAME, host),
        ];
        self.event(at, "accounts", &SUDO, &fields)
    }
}

pub fn detector() -> Detector {
    Detector::new(rules(), Settings::default())
}

pub fn run(events: &[Event]) -> Changes {
    let mut detector = detector();
    for event in events {
        detector.observe(event);
    }
    detector.take_changes()
}

/// `title ×count [reason value]` of each alert, in the order of incidents; incidents apart by
/// their own line `# title: severity`.
pub fn summary(changes: &Changes) -> String {
    let mut text = String::new();
    for incident in &changes.incidents {
        let _ = writeln!(text, "# {}: {}", incident.title.en, incident.severity);
        for (alert, reason) in incident.alerts.iter().zip(&incident.reasons) {
            assert_eq!(*alert, reason.alert);
            let alert = alert_of(changes, incident, *alert);
            let _ = writeln!(
                text,
                "{} ×{} [{} {}]",
                alert.rule.title.en, alert.count, reason.reason, reason.value
            );
        }
    }
    text
}

fn alert_of<'c>(changes: &'c Changes, incident: &Incident, id: vigie_event::AlertId) -> &'c Alert {
    let alert = changes.alerts.iter().find(|alert| alert.id == id).expect("handed out");
    assert_eq!(alert.incident, Some(incident.id));
    alert
}
