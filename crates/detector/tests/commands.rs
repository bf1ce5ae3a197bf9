//! What people change.
// Helpers of tests are test code.
#![allow(clippy::expect_used, clippy::indexing_slicing, clippy::unwrap_used)]

mod common;

use common::{Stream, detector, summary};
use vigie_detector::{Applied, Changes, Command, Detector};
use vigie_event::{CloseReason, Incident, IncidentId, IncidentStatus};

const ATTACKER: &str = "203.0.113.7";
const OTHER: &str = "198.51.100.9";

fn by() -> String {
    "alice".to_owned()
}

fn close(incident: IncidentId) -> Command {
    Command::Close { incident, reason: CloseReason::TruePositive, by: by() }
}

fn done(detector: &mut Detector, command: Command) -> Changes {
    assert_eq!(detector.apply(command), Applied::Done);
    detector.take_changes()
}

fn two_incidents() -> (Detector, Stream, Vec<Incident>) {
    let mut stream = Stream::default();
    let mut detector = detector();
    detector.observe(&stream.request(0, ATTACKER, "/.env"));
    detector.observe(&stream.request(1, OTHER, "/?q=select"));
    let incidents = detector.take_changes().incidents;
    assert_eq!(incidents.len(), 2);
    (detector, stream, incidents)
}

#[test]
fn after_closing_the_same_actor_is_a_new_incident() {
    let (mut detector, mut stream, incidents) = two_incidents();
    let closed = done(&mut detector, close(incidents[0].id));
    assert_eq!(closed.incidents[0].status, IncidentStatus::Closed);
    assert_eq!(closed.incidents[0].close_reason, Some(CloseReason::TruePositive));
    assert!(closed.incidents[0].revision > incidents[0].revision);
    detector.observe(&stream.request(2, ATTACKER, "/.env"));
    detector.observe(&stream.request(3, ATTACKER, "/.env"));
    let after = detector.take_changes();
    assert_eq!(after.incidents.len(), 1);
    assert_ne!(after.incidents[0].id, incidents[0].id);
    assert_eq!(after.alerts[0].count, 2);
}

#[test]
fn a_correlation_that_goes_on_after_closing_is_raised_anew() {
    let mut stream = Stream::default();
    let mut detector = detector();
    for n in 0..6 {
        detector.observe(&stream.login(n, "failure", ATTACKER, "root"));
    }
    let before = detector.take_changes();
    done(&mut detector, close(before.incidents[0].id));
    for n in 6..9 {
        detector.observe(&stream.login(n, "failure", ATTACKER, "root"));
    }
    let after = detector.take_changes();
    assert_eq!(
        summary(&after),
        "# SSH brute force from 203.0.113.7: high\nSSH brute force ×3 [first 203.0.113.7]\n"
    );
    assert_ne!(after.alerts[0].id, before.alerts[0].id);
    assert_eq!(after.alerts[0].group.get("source.ip"), Some(ATTACKER));
}

#[test]
fn a_reopened_incident_takes_its_actor_back() {
    let (mut detector, mut stream, incidents) = two_incidents();
    done(&mut detector, close(incidents[0].id));
    let reopened = done(&mut detector, Command::Reopen { incident: incidents[0].id, by: by() });
    assert_eq!(reopened.incidents[0].status, IncidentStatus::Open);
    assert_eq!(reopened.incidents[0].close_reason, None);
    detector.observe(&stream.request(2, ATTACKER, "/.env"));
    assert_eq!(detector.take_changes().incidents[0].id, incidents[0].id);
}

#[test]
fn an_owner_makes_it_work_in_progress() {
    let (mut detector, _, incidents) = two_incidents();
    let incident = incidents[0].id;
    let owner = Some("bob".to_owned());
    let assigned = done(&mut detector, Command::Assign { incident, owner, by: by() });
    assert_eq!(assigned.incidents[0].owner.as_deref(), Some("bob"));
    assert_eq!(assigned.incidents[0].status, IncidentStatus::InProgress);
    let freed = done(&mut detector, Command::Assign { incident, owner: None, by: by() });
    assert_eq!(freed.incidents[0].status, IncidentStatus::Open);
}

#[test]
fn merging_moves_alerts_and_their_future() {
    let (mut detector, mut stream, incidents) = two_incidents();
    let (into, from) = (incidents[0].id, incidents[1].id);
    let merged = done(&mut detector, Command::Merge { from, into, by: by() });
    let of = |id| merged.incidents.iter().find(|incident| incident.id == id).unwrap();
    assert_eq!(of(from).status, IncidentStatus::Closed);
    assert!(of(from).alerts.is_empty());
    assert_eq!(of(into).alerts.len(), 2);
    assert_eq!(of(into).severity, vigie_event::Severity::High);
    assert_eq!(of(into).reasons[1].sentence(vigie_event::Lang::En), "moved here by alice");
    assert_eq!(of(into).entities.values("source.ip"), [ATTACKER, OTHER]);
    assert_eq!(merged.moved, [(incidents[1].alerts[0], into)]);
    assert_eq!(merged.alerts[0].incident, Some(into));

    detector.observe(&stream.request(2, OTHER, "/?q=select"));
    detector.observe(&stream.request(3, OTHER, "/.env"));
    let after = detector.take_changes();
    assert_eq!(after.incidents.len(), 1);
    assert_eq!(after.incidents[0].id, into);
    assert!(after.alerts.iter().all(|alert| alert.incident == Some(into)));
}

#[test]
fn a_detached_alert_has_an_incident_of_its_own() {
    let mut stream = Stream::default();
    let mut detector = detector();
    detector.observe(&stream.request(0, ATTACKER, "/.env"));
    detector.observe(&stream.request(1, ATTACKER, "/?q=select"));
    let before = detector.take_changes();
    let injection = before.alerts.iter().find(|alert| alert.rule.title.en == "Injection").unwrap();
    let alert = injection.id;
    let after = done(&mut detector, Command::Detach { alert, by: by() });
    assert_eq!(
        summary(&run_out(&mut detector, &mut stream, &after)),
        "# Probe for secrets from 203.0.113.7: medium\n\
         Probe for secrets ×2 [first 203.0.113.7]\n\
         # Injection from 203.0.113.7: high\n\
         Injection ×2 [by_hand alice]\n"
    );
}

/// Lets both alerts grow, so that all is handed out.
fn run_out(detector: &mut Detector, stream: &mut Stream, detached: &Changes) -> Changes {
    assert_eq!(detached.incidents.len(), 2);
    assert_eq!(detached.moved.len(), 1);
    assert_ne!(detached.incidents[0].id, detached.incidents[1].id);
    detector.observe(&stream.request(2, ATTACKER, "/.env"));
    detector.observe(&stream.request(3, ATTACKER, "/?q=select"));
    detector.take_changes()
}

#[test]
fn what_is_not_in_memory_is_said() {
    let (mut detector, _, incidents) = two_incidents();
    let unknown = IncidentId::default();
    for command in [
        close(unknown),
        Command::Reopen { incident: unknown, by: by() },
        Command::Merge { from: unknown, into: incidents[0].id, by: by() },
        Command::Merge { from: incidents[0].id, into: incidents[0].id, by: by() },
        Command::Detach { alert: vigie_event::AlertId::default(), by: by() },
    ] {
        assert_eq!(detector.apply(command), Applied::NotInMemory);
    }
    assert!(detector.take_changes().is_empty());
}

#[test]
fn an_adopted_incident_is_back() {
    let (_, mut stream, incidents) = two_incidents();
    let mut detector = detector();
    let incident = Box::new(incidents[0].clone());
    detector.apply(Command::Adopt { incident });
    detector.observe(&stream.request(2, ATTACKER, "/?q=select"));
    let after = detector.take_changes();
    assert_eq!(after.incidents[0].id, incidents[0].id);
    assert_eq!(after.incidents[0].alerts.len(), 2);
    assert_eq!(after.incidents[0].title.en, "Injection from 203.0.113.7");
    let closed = done(&mut detector, close(incidents[0].id));
    assert_eq!(closed.incidents[0].reasons.len(), 2);
}
