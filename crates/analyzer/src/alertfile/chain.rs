//! Which alerts of a file belong to one course of attack, and why.

use std::collections::BTreeMap;
use std::collections::HashMap;

use serde::Serialize;
use vigie_event::{Lang, Localized, Timestamp};

use super::judge::Judged;
use crate::facts::Phase;
use crate::text::{both, counted, duration, shown};

/// Alerts that follow each other with a gap up to this belong to one course, in seconds.
const GAP_S: i64 = 3_600;

/// Accounts that stand on every machine: sharing them tells nothing.
const EVERYWHERE: [&str; 12] = [
    "root",
    "admin",
    "administrator",
    "administrateur",
    "system",
    "user",
    "test",
    "guest",
    "ubuntu",
    "postgres",
    "oracle",
    "localhost",
];

/// Alerts that share a machine or an account, each within an hour of the one before. Two sources
/// that attack one target share nothing by that.
#[derive(Clone, Debug, Serialize)]
pub struct Chain {
    /// Places of its alerts in the report, oldest first.
    pub alerts: Vec<usize>,
    /// Time of the first; `None` where no alert of it has one.
    pub first: Option<Timestamp>,
    /// Time of the last.
    pub last: Option<Timestamp>,
    /// How many different stages of an intrusion it shows.
    pub stages: usize,
    /// Whether the attacker was inside at some stage after another.
    pub intrusion: bool,
    /// What it is, in a sentence.
    pub text: Localized,
    /// Why each alert belongs to it.
    pub links: Vec<Link>,
}

/// Why one alert belongs to the same course as an earlier one.
#[derive(Clone, Debug, Serialize)]
pub struct Link {
    /// Place of the earlier alert in the report.
    pub from: usize,
    /// Place of the alert that follows it.
    pub to: usize,
    /// What they share: an address, a machine or an account.
    pub value: String,
    /// Time between them, in seconds; `None` where one has no time.
    pub gap_s: Option<u64>,
    /// The reason in a sentence, without the alerts' numbers.
    pub text: Localized,
}

impl Chain {
    /// The higher, the sooner it is to be shown: intrusions, then what shows a stage of one, then the
    /// longest.
    pub fn rank(&self) -> (bool, bool, usize) {
        (self.intrusion, self.stages > 0, self.alerts.len())
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Source,
    Target,
    User,
}

/// The chains among `alerts`, oldest first. Alerts without a time join the chain that they share a
/// name with, after all others.
pub(super) fn find(alerts: &[Judged]) -> Vec<Chain> {
    let mut order: Vec<usize> = (0..alerts.len()).collect();
    let time = |place: usize| alerts.get(place).and_then(|judged| judged.alert.time);
    order.sort_by_key(|place| (time(*place).is_none(), time(*place), *place));

    // One pass in order of time. A name knows the last alert that carried it; who shares one within
    // the gap belongs together, and so does whoever belongs to those.
    let mut parents: Vec<usize> = (0..alerts.len()).collect();
    let mut carriers: HashMap<&str, (usize, Role)> = HashMap::new();
    let mut links: Vec<Link> = Vec::new();
    for place in order {
        let Some(judged) = alerts.get(place) else { continue };
        for (name, role) in names(judged) {
            if let Some((earlier, earlier_role)) = carriers.insert(name, (place, role)) {
                let gap = time(place).zip(time(earlier)).map(|(now, then)| now.since(then));
                let gap_s = gap.map(|gap| gap / 1_000_000_000);
                // Strangers who attack one machine have nothing to do with each other.
                let strangers = earlier_role == Role::Target && role == Role::Target && {
                    let source = alerts.get(earlier).and_then(|other| other.alert.source.as_ref());
                    source
                        .zip(judged.alert.source.as_ref())
                        .is_some_and(|(one, other)| one != other)
                };
                let near = gap_s.is_none_or(|gap| gap <= GAP_S) && !strangers;
                let (one, other) = (root(&mut parents, earlier), root(&mut parents, place));
                if !near || one == other {
                    continue;
                }
                if let Some(parent) = parents.get_mut(other) {
                    *parent = one;
                }
                let gap_s = gap_s.map(|gap| u64::try_from(gap).unwrap_or(0));
                links.push(Link {
                    from: earlier,
                    to: place,
                    value: name.to_owned(),
                    gap_s,
                    text: reason(name, earlier_role, role, gap_s),
                });
            }
        }
    }

    let mut groups: BTreeMap<usize, (Vec<usize>, Vec<Link>)> = BTreeMap::new();
    for link in links {
        let group = groups.entry(root(&mut parents, link.to)).or_default();
        group.1.push(link);
    }
    for place in 0..alerts.len() {
        if let Some(group) = groups.get_mut(&root(&mut parents, place)) {
            group.0.push(place);
        }
    }
    let mut chains: Vec<Chain> =
        groups.into_values().map(|(places, links)| chain(alerts, places, links)).collect();
    chains.sort_by_key(|chain| (chain.first.is_none(), chain.first));
    chains
}

/// The group of an alert; paths are halved on the way, so that they stay short.
fn root(parents: &mut [usize], mut place: usize) -> usize {
    while let Some(parent) = parents.get(place).copied() {
        if parent == place {
            break;
        }
        let above = parents.get(parent).copied().unwrap_or(parent);
        if let Some(own) = parents.get_mut(place) {
            *own = above;
        }
        place = above;
    }
    place
}

/// The names by which an alert may belong to others.
fn names(judged: &Judged) -> impl Iterator<Item = (&str, Role)> {
    let alert = &judged.alert;
    let named = [
        (alert.source.as_deref(), Role::Source),
        (alert.target.as_deref(), Role::Target),
        (alert.user.as_deref(), Role::User),
    ];
    named.into_iter().filter_map(|(name, role)| {
        let name = name?;
        let everywhere = EVERYWHERE.iter().any(|known| name.eq_ignore_ascii_case(known));
        let nowhere = name == "0.0.0.0" || name == "::" || name == "127.0.0.1" || name == "::1";
        (!everywhere && !nowhere).then_some((name, role))
    })
}

fn reason(name: &str, earlier: Role, later: Role, gap_s: Option<u64>) -> Localized {
    both(|lang| {
        let name = shown(name, lang);
        let what = match (earlier, later, lang) {
            (Role::Source, Role::Source, Lang::En) => format!("same source {name}"),
            (Role::Source, Role::Source, Lang::Fr) => format!("même source {name}"),
            (Role::Target, Role::Target, Lang::En) => format!("same target {name}"),
            (Role::Target, Role::Target, Lang::Fr) => format!("même cible {name}"),
            (Role::Target, Role::Source, Lang::En) => {
                format!("{name}, first the target, is now the source")
            }
            (Role::Target, Role::Source, Lang::Fr) => {
                format!("{name}, d’abord cible, est maintenant la source")
            }
            (Role::Source, Role::Target, Lang::En) => {
                format!("{name}, first the source, is now the target")
            }
            (Role::Source, Role::Target, Lang::Fr) => {
                format!("{name}, d’abord source, est maintenant la cible")
            }
            (_, _, Lang::En) => format!("same account {name}"),
            (_, _, Lang::Fr) => format!("même compte {name}"),
        };
        match (gap_s, lang) {
            (Some(0), Lang::En) => format!("{what}, in the same second"),
            (Some(0), Lang::Fr) => format!("{what}, dans la même seconde"),
            (Some(gap), Lang::En) => format!("{what}, {} later", duration(gap, lang)),
            (Some(gap), Lang::Fr) => format!("{what}, {} plus tard", duration(gap, lang)),
            (None, Lang::En) => format!("{what} (time unknown)"),
            (None, Lang::Fr) => format!("{what} (heure inconnue)"),
        }
    })
}

/// The course of the alerts at `places`, which `links` tie.
pub(super) fn chain(alerts: &[Judged], mut places: Vec<usize>, links: Vec<Link>) -> Chain {
    let of = |place: &usize| alerts.get(*place);
    let time = |place: &usize| of(place).and_then(|judged| judged.alert.time);
    places.sort_by_key(|place| (time(place).is_none(), time(place), *place));
    let mut phases: Vec<Phase> = places.iter().filter_map(|place| of(place)?.known.phase).collect();
    phases.sort_unstable();
    phases.dedup();
    let inside = phases.iter().any(|phase| phase.is_inside());
    let outside = phases.iter().any(|phase| !phase.is_inside());
    let first = places.iter().filter_map(time).min();
    let last = places.iter().filter_map(time).max();
    let span = first.zip(last).map(|(first, last)| last.since(first) / 1_000_000_000);
    let stages = phases.len();
    let text = both(|lang| {
        let number = places.len() as u64;
        let span = span.map(|span| duration(u64::try_from(span).unwrap_or(0), lang));
        match lang {
            Lang::En => {
                let over = span.map(|span| format!(" over {span}")).unwrap_or_default();
                if stages == 0 {
                    return format!("{number} alerts{over} that show no stage of an intrusion");
                }
                let stages = counted(stages as u64, "stage", "stages", lang);
                format!("{number} alerts{over}, {stages} of an intrusion")
            }
            Lang::Fr => {
                let over = span.map(|span| format!(" en {span}")).unwrap_or_default();
                if stages == 0 {
                    let none = "qui ne montrent aucune étape d’une intrusion";
                    return format!("{number} alertes{over} {none}");
                }
                let stages = counted(stages as u64, "étape", "étapes", lang);
                format!("{number} alertes{over}, {stages} d’une intrusion")
            }
        }
    });
    Chain { alerts: places, first, last, stages, intrusion: inside && outside, text, links }
}
