//! How bad: the worst level among the alerts, raised where the evidence combines.
//!
//! Nothing lowers it: what a rule's author calls high stays high.

use vigie_event::{Claim, EventId, Localized, Severity};

use crate::facts::Facts;

/// Targets from which on a medium incident is high: it is not about one machine any more.
const MANY_TARGETS: usize = 5;

/// The severity, and a claim for each reason to raise it.
pub fn judge(facts: &Facts<'_>) -> (Severity, Vec<Claim>) {
    let mut severity = facts.level;
    let mut reasons = Vec::new();
    let mut raise = |to: Severity, reason: Localized, events: Vec<EventId>| {
        if to > severity {
            severity = to;
            reasons.push(Claim { claim: reason, events });
        }
    };

    if !facts.got_in.is_empty() {
        let reason = facts.langs.fixed(
            "Guessing ended with a login, so the severity is critical",
            "Les tentatives ont abouti à une connexion, la gravité est donc critique",
        );
        raise(Severity::Critical, reason, facts.got_in.clone());
    }
    let phases = &facts.sure_phases;
    let inside = phases.iter().any(|phase| phase.is_inside());
    let outside = phases.iter().any(|phase| !phase.is_inside());
    if inside && outside {
        let reason = facts.langs.fixed(
            "An attack from outside is followed by activity inside, which raises the severity",
            "Une attaque de l’extérieur est suivie d’une activité à l’intérieur, ce qui élève la gravité",
        );
        raise(next(facts.level).max(Severity::High), reason, each_phase(facts));
    }
    if phases.len() >= 3 && !inside {
        let reason = facts.langs.fixed(
            "One actor goes through several stages of an attack, which raises the severity",
            "Un même acteur enchaîne plusieurs étapes d’une attaque, ce qui élève la gravité",
        );
        raise(next(facts.level).min(Severity::High), reason, each_phase(facts));
    }
    if facts.level == Severity::Medium && facts.targets >= MANY_TARGETS {
        let reason = facts.langs.fixed(
            "Many machines are concerned, which raises the severity",
            "De nombreuses machines sont concernées, ce qui élève la gravité",
        );
        raise(Severity::High, reason, each_phase(facts));
    }
    (severity, reasons)
}

fn next(severity: Severity) -> Severity {
    match severity {
        Severity::Informational => Severity::Low,
        Severity::Low => Severity::Medium,
        Severity::Medium => Severity::High,
        Severity::High | Severity::Critical => Severity::Critical,
    }
}

/// One event of the most serious alert of each stage.
fn each_phase(facts: &Facts<'_>) -> Vec<EventId> {
    let of = |phase| facts.findings.iter().find(|finding| finding.phase == Some(phase));
    facts.phases.iter().filter_map(|phase| of(*phase)?.alert.events.first().copied()).collect()
}
