//! Which alerts of a file belong together in time.

use serde::Serialize;
use vigie_event::{Lang, Localized, Timestamp};

use super::judge::Judged;
use crate::facts::Phase;
use crate::text::{both, duration};

/// Alerts that follow each other with a gap under this belong to one intrusion, in seconds.
const GAP_S: i64 = 3_600;

/// Alerts that share a machine or an account, each within an hour of the one before.
#[derive(Clone, Debug, Serialize)]
pub struct Chain {
    /// Places of its alerts in the report, oldest first.
    pub alerts: Vec<usize>,
    /// Time of the first.
    pub first: Timestamp,
    /// Time of the last.
    pub last: Timestamp,
    /// How many different stages of an intrusion it shows.
    pub stages: usize,
    /// Whether the attacker was inside at some stage after another.
    pub intrusion: bool,
    /// What it is, in a sentence.
    pub text: Localized,
}

/// The chains among `alerts`, oldest first. Alerts without a time belong to none.
pub(super) fn find(alerts: &[Judged]) -> Vec<Chain> {
    let mut order: Vec<(Timestamp, usize)> = alerts
        .iter()
        .enumerate()
        .filter_map(|(place, judged)| Some((judged.alert.time?, place)))
        .collect();
    order.sort_unstable();

    // One pass in order of time; what a chain knows decides who joins it.
    let mut open: Vec<Links<'_>> = Vec::new();
    for (time, place) in order {
        let Some(judged) = alerts.get(place) else { continue };
        let names = [&judged.alert.source, &judged.alert.target, &judged.alert.user];
        let names: Vec<&str> = names.into_iter().flatten().map(String::as_str).collect();
        let (mut joined, rest): (Vec<_>, Vec<_>) = open.into_iter().partition(|links| {
            let near = time.since(links.last) <= GAP_S * 1_000_000_000;
            near && names.iter().any(|name| links.names.contains(name))
        });
        open = rest;
        let mut links = Links { names, places: vec![place], first: time, last: time };
        for other in joined.drain(..) {
            links.first = links.first.min(other.first);
            links.names.extend(other.names);
            links.places.extend(other.places);
        }
        links.names.sort_unstable();
        links.names.dedup();
        open.push(links);
    }
    let mut chains: Vec<Chain> = open
        .into_iter()
        .filter(|links| links.places.len() > 1)
        .map(|links| links.chain(alerts))
        .collect();
    chains.sort_by_key(|chain| chain.first);
    chains
}

struct Links<'a> {
    names: Vec<&'a str>,
    places: Vec<usize>,
    first: Timestamp,
    last: Timestamp,
}

impl Links<'_> {
    fn chain(mut self, alerts: &[Judged]) -> Chain {
        let time = |place: &usize| alerts.get(*place).and_then(|judged| judged.alert.time);
        self.places.sort_by_key(|place| (time(place), *place));
        let phase = |place: &usize| alerts.get(*place).and_then(|judged| judged.known.phase);
        let mut phases: Vec<Phase> = self.places.iter().filter_map(phase).collect();
        phases.sort_unstable();
        phases.dedup();
        let inside = phases.iter().any(|phase| phase.is_inside());
        let outside = phases.iter().any(|phase| !phase.is_inside());
        let seconds = u64::try_from(self.last.since(self.first) / 1_000_000_000).unwrap_or(0);
        let (number, stages) = (self.places.len(), phases.len());
        let text = both(|lang| {
            let span = duration(seconds, lang);
            match lang {
                Lang::En => format!("{number} alerts over {span}, {stages} stages of an intrusion"),
                Lang::Fr => format!("{number} alertes en {span}, {stages} étapes d’une intrusion"),
            }
        });
        Chain {
            alerts: self.places,
            first: self.first,
            last: self.last,
            stages,
            intrusion: inside && outside,
            text,
        }
    }
}
