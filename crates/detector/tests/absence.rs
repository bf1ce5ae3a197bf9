//! An alert that something did not come is about its group, not about the event at hand.
// Helpers of tests are test code.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{Stream, rules_of};
use vigie_detector::{Detector, Settings};

const RULES: &str = "
title: Login
name: login
logsource: { service: sshd }
detection: { it: { event.action: ssh_login }, condition: it }
---
title: No login
id: 00000000-0000-4000-8000-000000000101
correlation: { type: absence, rules: login, group-by: [source.ip], timespan: 10m }
level: medium
";

#[test]
fn an_absence_is_about_its_group() {
    let mut stream = Stream::default();
    let rules = rules_of(RULES);
    let mut detector = Detector::new(Arc::clone(&rules), Settings::default());
    detector.observe(&stream.login(0, "success", "203.0.113.7", "ada"));
    detector.observe(&stream.request(3_600, "198.51.100.9", "/"));
    let changes = detector.take_changes();
    let alert = &changes.alerts[0];
    assert_eq!(alert.group.get("source.ip"), Some("203.0.113.7"));
    assert_eq!(alert.entities.values("source.ip"), ["203.0.113.7"]);
    assert_eq!(alert.events.len(), 1);
    assert!(alert.evidence[0].raw.contains("ada"), "{:?}", alert.evidence);
    assert_eq!(changes.incidents[0].title.en, "No login from 203.0.113.7");
}
