//! What an incident's evidence says, counted: the ground on which everything else is judged.

use std::net::IpAddr;

use smallvec::SmallVec;
use vigie_event::{
    Action, Alert, Category, CompactString, EventId, Guidance, Langs, Severity, unmapped,
};

use crate::Case;
use crate::attack;
use crate::model::INJECTION;

const HASHES: [&str; 3] = ["file.hash.sha256", "file.hash.sha1", "file.hash.md5"];

/// Stages of an intrusion, in the order in which they usually come. The named ATT&CK tactics with
/// reconnaissance, discovery and resource development as one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Looking around.
    Discovery,
    /// Taking or guessing credentials.
    CredentialAccess,
    /// Getting in.
    InitialAccess,
    /// Running commands.
    Execution,
    /// Staying.
    Persistence,
    /// Gaining rights.
    PrivilegeEscalation,
    /// Hiding.
    DefenseEvasion,
    /// Moving on.
    LateralMovement,
    /// Gathering.
    Collection,
    /// Talking to his own servers.
    CommandAndControl,
    /// Taking data out.
    Exfiltration,
    /// Breaking things.
    Impact,
}

impl Phase {
    /// Whether the attacker must be inside to get there.
    pub fn is_inside(self) -> bool {
        self >= Self::Execution
    }

    fn of_category(category: Category) -> Option<Self> {
        Some(match category {
            Category::PortScan => Self::Discovery,
            Category::BruteForce | Category::CredentialAccess => Self::CredentialAccess,
            Category::WebAttack => Self::InitialAccess,
            Category::Execution | Category::Malware => Self::Execution,
            Category::Persistence => Self::Persistence,
            Category::PrivilegeEscalation => Self::PrivilegeEscalation,
            Category::DefenseEvasion => Self::DefenseEvasion,
            Category::LateralMovement => Self::LateralMovement,
            Category::CommandAndControl => Self::CommandAndControl,
            Category::Exfiltration => Self::Exfiltration,
            Category::SuspiciousActivity | Category::Benign => return None,
        })
    }

    fn of_tactic(name: &str) -> Option<Self> {
        Some(match name {
            "reconnaissance" | "resource-development" | "discovery" => Self::Discovery,
            "credential-access" => Self::CredentialAccess,
            "initial-access" => Self::InitialAccess,
            "execution" => Self::Execution,
            "persistence" => Self::Persistence,
            "privilege-escalation" => Self::PrivilegeEscalation,
            "defense-evasion" => Self::DefenseEvasion,
            "lateral-movement" => Self::LateralMovement,
            "collection" => Self::Collection,
            "command-and-control" => Self::CommandAndControl,
            "exfiltration" => Self::Exfiltration,
            "impact" => Self::Impact,
            _ => return None,
        })
    }

    fn category(self) -> Category {
        match self {
            Self::Discovery => Category::PortScan,
            Self::CredentialAccess => Category::CredentialAccess,
            Self::InitialAccess => Category::SuspiciousActivity,
            Self::Execution => Category::Execution,
            Self::Persistence => Category::Persistence,
            Self::PrivilegeEscalation => Category::PrivilegeEscalation,
            Self::DefenseEvasion => Category::DefenseEvasion,
            Self::LateralMovement => Category::LateralMovement,
            Self::CommandAndControl => Category::CommandAndControl,
            Self::Collection | Self::Exfiltration => Category::Exfiltration,
            Self::Impact => Category::Malware,
        }
    }
}

/// One alert with what its rule's author knows about it.
#[derive(Clone, Copy, Debug)]
pub struct Finding<'c> {
    /// The alert.
    pub alert: &'c Alert,
    /// What the rule's author says; `None` for a rule that is no longer loaded.
    pub guidance: Option<&'c Guidance>,
    /// The stage of an intrusion that it shows.
    pub phase: Option<Phase>,
    /// What kind of attack it shows.
    pub category: Category,
}

impl<'c> Finding<'c> {
    fn of(alert: &'c Alert, guidance: Option<&'c Guidance>) -> Self {
        let stated = guidance.and_then(|guidance| guidance.category);
        let tagged = || {
            let named = alert.tags.iter().filter_map(|tag| tag.strip_prefix("attack."));
            named.filter_map(attack::tactic).find_map(|tactic| Phase::of_tactic(tactic.name))
        };
        let phase = stated.and_then(Phase::of_category).or_else(tagged);
        let category = stated.or(phase.map(Phase::category)).unwrap_or_default();
        Self { alert, guidance, phase, category }
    }

    /// The actions that the rule's author advises, most urgent first.
    pub fn actions(&self) -> &'c [Action] {
        self.guidance.map_or(&[], |guidance| guidance.actions.as_slice())
    }

    /// The addresses that this alert accuses: the one it is grouped by, else those of its events.
    pub fn sources(&self) -> impl Iterator<Item = &'c str> {
        let grouped = self.alert.group.get("source.ip");
        let others = if grouped.is_some() { &[] } else { self.alert.entities.values("source.ip") };
        grouped.into_iter().chain(others.iter().map(CompactString::as_str))
    }

    fn has_technique(&self, id: &str) -> bool {
        self.alert.tags.iter().any(|tag| {
            let name = tag.strip_prefix("attack.").and_then(|name| name.split_at_checked(id.len()));
            name.is_some_and(|(main, rest)| {
                main.eq_ignore_ascii_case(id) && (rest.is_empty() || rest.starts_with('.'))
            })
        })
    }
}

/// Different stages of an intrusion, in order.
pub type Phases = SmallVec<[Phase; 8]>;

/// What an incident's evidence says, counted. Most of what is judged is small, and stands in place.
#[derive(Clone, Debug)]
pub struct Facts<'c> {
    /// The languages in which it is spoken of.
    pub langs: Langs,
    /// The alerts that are judged, most serious first.
    pub findings: SmallVec<[Finding<'c>; 4]>,
    /// Alerts about text that speaks to language models. They are shown, but they weigh nothing
    /// beside other alerts: nobody may earn or lose severity by what he writes.
    pub injections: SmallVec<[&'c Alert; 2]>,
    /// The worst level among the findings.
    pub level: Severity,
    /// Events counted: at least this many, since alerts may share events.
    pub events: u64,
    /// Different rules.
    pub rules: usize,
    /// Different stages of an intrusion, in order.
    pub phases: Phases,
    /// Those shown by alerts of medium level or worse.
    pub sure_phases: Phases,
    /// Seconds from the first event to the last.
    pub span_s: u64,
    /// Different accounts, at most 100.
    pub users: usize,
    /// Different hosts or destination addresses, at most 100.
    pub targets: usize,
    /// Different web paths, at most 100.
    pub paths: usize,
    /// Different destination ports, at most 100.
    pub ports: usize,
    /// Events of the alerts that show a login that worked for an address that had been guessing.
    pub got_in: Vec<EventId>,
    /// Whether the actor has an address of a private network (RFC 1918, RFC 4193).
    pub internal: bool,
    /// Whether the hash of a file is part of the proof.
    pub by_hash: bool,
}

impl<'c> Facts<'c> {
    /// Counts what `case` holds.
    pub fn of(case: &Case<'c>, langs: Langs) -> Self {
        let injected = |alert: &Alert| alert.tags.iter().any(|tag| tag == INJECTION);
        let injections: SmallVec<[&Alert; 2]> =
            case.alerts.iter().filter(|alert| injected(alert)).collect();
        let speaks_only = injections.len() == case.alerts.len();
        let mut findings: SmallVec<[Finding<'c>; 4]> = case
            .alerts
            .iter()
            .filter(|alert| speaks_only || !injected(alert))
            .map(|alert| Finding::of(alert, (case.guidance)(&alert.rule.id)))
            .collect();
        findings.sort_by(|a, b| {
            (b.alert.rule.level, b.phase, b.alert.count, a.alert.id).cmp(&(
                a.alert.rule.level,
                a.phase,
                a.alert.count,
                b.alert.id,
            ))
        });

        let level = findings.first().map_or(case.incident.severity, |first| first.alert.rule.level);
        let first = findings.iter().map(|finding| finding.alert.first_seen).min();
        let last = findings.iter().map(|finding| finding.alert.last_seen).max();
        let span = first.zip(last).map_or(0, |(first, last)| last.since(first));
        let mut rules: SmallVec<[&str; 8]> =
            findings.iter().map(|f| f.alert.rule.id.as_str()).collect();
        rules.sort_unstable();
        rules.dedup();
        let phases = distinct(findings.iter().filter_map(|finding| finding.phase));
        let sure = findings.iter().filter(|finding| finding.alert.rule.level >= Severity::Medium);
        let sure_phases = distinct(sure.filter_map(|finding| finding.phase));

        let entities = &case.incident.entities;
        let count = |name: &str| entities.values(name).len();
        let actor: Option<IpAddr> = case.incident.actor.value.parse().ok();
        let got_in = got_in(&findings);
        Self {
            langs,
            level,
            events: findings.iter().map(|finding| finding.alert.count).max().unwrap_or(0),
            rules: rules.len(),
            span_s: u64::try_from(span / 1_000_000_000).unwrap_or(0),
            users: count("user.name"),
            targets: count("host.name").max(count("destination.ip")),
            paths: count("url.path"),
            ports: count("destination.port"),
            internal: actor.is_some_and(is_internal),
            by_hash: findings.iter().any(|finding| finding.category == Category::Malware)
                && HASHES.iter().any(|name| count(name) > 0),
            findings,
            injections,
            phases,
            sure_phases,
            got_in,
        }
    }

    /// The most serious alert.
    pub fn leading(&self) -> Option<&Finding<'c>> {
        self.findings.first()
    }

    /// Events a second over the whole span, where there are enough to tell.
    pub fn tempo(&self) -> Option<f64> {
        (self.events >= 5 && self.span_s > 0).then(|| self.events as f64 / self.span_s as f64)
    }
}

fn distinct(phases: impl Iterator<Item = Phase>) -> Phases {
    let mut phases: Phases = phases.collect();
    phases.sort_unstable();
    phases.dedup();
    phases
}

/// Events that show a success after failures: a rule that says so itself (guessing and valid
/// account in its tags), or guessing and a valid account by one address, the login not earlier.
fn got_in(findings: &[Finding<'_>]) -> Vec<EventId> {
    let guessed = |finding: &&Finding<'_>| finding.has_technique("t1110");
    let entered = |finding: &&Finding<'_>| {
        finding.has_technique("t1078") && finding.alert.tags.iter().any(is_initial_access)
    };
    let mut events = Vec::new();
    for login in findings.iter().filter(entered) {
        let itself = guessed(&login);
        let follows = findings.iter().filter(guessed).any(|guess| {
            login.alert.last_seen >= guess.alert.first_seen
                && login.sources().any(|source| guess.sources().any(|other| other == source))
        });
        if itself || follows {
            events.extend(login.alert.events.iter().rev().take(5));
        }
    }
    events.sort_unstable();
    events.dedup();
    events
}

fn is_initial_access(tag: &String) -> bool {
    tag == "attack.initial-access" || tag == "attack.initial_access"
}

/// Whether the address belongs to a private network.
pub fn is_internal(address: IpAddr) -> bool {
    match unmapped(address) {
        IpAddr::V4(v4) => v4.is_private(),
        IpAddr::V6(v6) => v6.is_unique_local(),
    }
}
