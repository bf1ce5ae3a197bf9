//! The signs that single actions give: answers to errors, payloads, credentials, words.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use vigie_event::{EventId, Lang, Timestamp};

use super::action::Action;
use super::activity::{Activity, Block};
use super::{Gates, Sign, Tally, rising};
use crate::text::duration;

/// Events cited with one sign.
const MOST_EVENTS: usize = 20;

/// Adds what the actions of `activity` show. Tells whether values of our answers came back, and
/// whether the actor declares himself a tool.
pub(super) fn add(tally: &mut Tally, activity: &Activity) -> Gates {
    let actions: Vec<&Action> = activity.actions().collect();
    answers_to_errors(tally, &actions);
    let reuse = reused_values(tally, &actions);
    unique_payloads(tally, &actions);
    credential_elsewhere(tally, &actions);
    coverage(tally, &actions);
    gates(tally, &activity.blocks, &actions);
    invented_credentials(tally, &actions);
    state_checks(tally, &actions);
    marks(tally, &actions);
    let declared = actions.iter().filter(|action| action.words.declared).count();
    let is_declared = !actions.is_empty() && declared * 5 >= actions.len() * 4;
    if is_declared {
        tally.against(tally.langs.fixed(
            "It says itself that it is a scanner, a crawler, a monitor or a deployment tool",
            "L’acteur se déclare lui-même scanner, robot d’indexation, supervision ou outil de déploiement",
        ));
    }
    Gates { reuse, declared: is_declared, trap: false }
}

/// Whether four of five payloads are the same: a script.
pub(super) fn is_repetitive(activity: &Activity) -> bool {
    let mut payloads: Vec<u32> = activity.actions().map(|action| action.payload).collect();
    payloads.sort_unstable();
    let most = payloads.chunk_by(|one, other| one == other).map(<[u32]>::len).max().unwrap_or(0);
    payloads.len() >= 5 && most * 5 >= payloads.len() * 4
}

fn seconds(from: Timestamp, to: Timestamp) -> f64 {
    to.since(from) as f64 / 1e9
}

fn cite<'a>(actions: impl Iterator<Item = &'a Action>) -> impl Iterator<Item = EventId> {
    actions.take(MOST_EVENTS).map(|action| action.event)
}

/// An error, and within 15 s something related but different: another try, thought over.
fn answers_to_errors(tally: &mut Tally, actions: &[&Action]) {
    let mut errors = 0_usize;
    let mut answered: Vec<&Action> = Vec::new();
    for (place, error) in actions.iter().enumerate().filter(|(_, action)| action.failed) {
        errors += 1;
        let next = actions.get(place + 1..).unwrap_or_default();
        let mut next = next.iter().take_while(|later| seconds(error.time, later.time) <= 15.0);
        let answer = next.find(|later| {
            later.target == error.target
                && later.stem != 0
                && later.stem == error.stem
                && later.payload != error.payload
        });
        answered.extend(answer.copied());
    }
    if errors < 5 {
        return;
    }
    let share = answered.len() as f64 / errors as f64;
    let sign = Sign {
        name: "adaptivity.errors",
        value: share,
        threshold: 0.5,
        most: 10.0,
        share: rising(share, 0.2, 0.5),
        events: cite(answered.iter().copied()),
    };
    tally.add(sign, |lang| {
        let number = answered.len();
        match lang {
            Lang::En => format!(
                "{number} of {errors} errors are followed within 15 s by a related but different action"
            ),
            Lang::Fr => format!(
                "{number} erreurs sur {errors} sont suivies en moins de 15 s d’une action voisine mais différente"
            ),
        }
    });
}

/// A value that stands in an answer of ours alone, used elsewhere within a minute of it. Tells
/// whether that happened twice.
fn reused_values(tally: &mut Tally, actions: &[&Action]) -> bool {
    let reused: Vec<&Action> = actions
        .iter()
        .enumerate()
        .filter(|(_, action)| action.used != 0)
        .filter(|(place, action)| {
            let before = actions.get(..*place).unwrap_or_default().iter().rev();
            let mut lately = before.take_while(|one| seconds(one.time, action.time) <= 60.0);
            lately.any(|one| one.served == action.used && one.target != action.target)
        })
        .map(|(_, action)| *action)
        .collect();
    let number = reused.len();
    let sign = Sign {
        name: "adaptivity.reuse",
        value: number as f64,
        threshold: 2.0,
        most: 10.0,
        share: rising(number as f64, 0.0, 2.0),
        events: cite(reused.into_iter()),
    };
    tally.add(sign, |lang| match lang {
        Lang::En if number == 1 => {
            "A value that stands in an answer of ours alone was used elsewhere within a minute".to_owned()
        }
        Lang::En => format!(
            "{number} times a value that stands in an answer of ours alone was used elsewhere within a minute"
        ),
        Lang::Fr if number == 1 => {
            "Une valeur présente uniquement dans une de nos réponses a servi ailleurs en moins d’une minute".to_owned()
        }
        Lang::Fr => format!(
            "{number} fois, une valeur présente uniquement dans une de nos réponses a servi ailleurs en moins d’une minute"
        ),
    });
    number >= 2
}

/// Payloads that hardly repeat and stand in no list's order.
fn unique_payloads(tally: &mut Tally, actions: &[&Action]) {
    let with_payload: Vec<&&Action> = actions.iter().filter(|action| action.order != 0).collect();
    if with_payload.len() < 20 {
        return;
    }
    let mut distinct: Vec<u32> = with_payload.iter().map(|action| action.payload).collect();
    distinct.sort_unstable();
    distinct.dedup();
    let unique = distinct.len() as f64 / with_payload.len() as f64;
    let pairs = with_payload.iter().zip(with_payload.iter().skip(1));
    let ascending = pairs.filter(|(one, next)| one.order <= next.order).count() as f64;
    let ascending = ascending / (with_payload.len() - 1) as f64;
    let unordered = if ascending > 0.75 { 0.0 } else { 1.0 };
    let sign = Sign {
        name: "adaptivity.payloads",
        value: unique,
        threshold: 0.6,
        most: 5.0,
        share: rising(unique, 0.4, 0.6) * unordered,
        events: cite(with_payload.iter().map(|action| **action)),
    };
    let percent = (unique * 100.0).round();
    tally.add(sign, |lang| match lang {
        Lang::En => format!("{percent} % of the payloads are unique and stand in no list’s order"),
        Lang::Fr => {
            format!("{percent} % des charges sont uniques et ne suivent l’ordre d’aucune liste")
        }
    });
}

/// One account logs in to a second service within a minute of the first.
fn credential_elsewhere(tally: &mut Tally, actions: &[&Action]) {
    let logins: Vec<&&Action> =
        actions.iter().filter(|action| action.login && action.user != 0).collect();
    let pair = logins.iter().enumerate().find_map(|(place, first)| {
        let next = logins.get(place + 1..)?.iter().find(|next| {
            next.user == first.user
                && next.target != first.target
                && seconds(first.time, next.time) <= 60.0
        })?;
        Some((**first, **next))
    });
    let Some((first, next)) = pair else { return };
    let sign = Sign {
        name: "phase.credential",
        value: seconds(first.time, next.time),
        threshold: 60.0,
        most: 5.0,
        share: 1.0,
        events: [first.event, next.event],
    };
    tally.add(sign, |lang| {
        lang.pick(
            "An account that worked on one machine is used on another within a minute",
            "Un compte accepté sur une machine sert sur une autre en moins d’une minute",
        )
        .to_owned()
    });
}

/// Ports of a range without leaving out.
fn coverage(tally: &mut Tally, actions: &[&Action]) {
    let ports: BTreeSet<u16> =
        actions.iter().map(|action| action.port).filter(|port| *port != 0).collect();
    let (Some(low), Some(high)) = (ports.first(), ports.last()) else { return };
    if ports.len() < 20 {
        return;
    }
    let share = ports.len() as f64 / (f64::from(high - low) + 1.0);
    let sign = Sign {
        name: "breadth.coverage",
        value: share,
        threshold: 0.8,
        most: 4.0,
        share: rising(share, 0.5, 0.8),
        events: cite(actions.iter().filter(|action| action.port != 0).copied()),
    };
    tally.add(sign, |lang| match lang {
        Lang::En => format!("{} ports between {low} and {high}, hardly one left out", ports.len()),
        Lang::Fr => format!("{} ports entre {low} et {high}, presque sans lacune", ports.len()),
    });
}

/// Blocks of hours, short pauses, and then something new: a person looks over the agent's shoulder.
fn gates(tally: &mut Tally, blocks: &[Block], actions: &[&Action]) {
    let mut before = 0_u64;
    let mut found = 0_usize;
    for (block, next) in blocks.iter().zip(blocks.iter().skip(1)) {
        before |= block.kinds;
        let length = seconds(block.first, block.last);
        let pause = seconds(block.last, next.first);
        let long = (3_600.0..=6.0 * 3_600.0).contains(&length);
        let short_pause = (120.0..=1_200.0).contains(&pause);
        found += usize::from(long && short_pause && next.kinds & !before != 0);
    }
    if found == 0 {
        return;
    }
    let sign = Sign {
        name: "endurance.gates",
        value: found as f64,
        threshold: 2.0,
        most: 5.0,
        share: rising(found as f64, 0.0, 2.0),
        events: cite(actions.iter().copied()),
    };
    tally.add(sign, |lang| match lang {
        Lang::En => format!(
            "{found} times hours of work, a pause of minutes, and then something of another kind"
        ),
        Lang::Fr => format!(
            "{found} fois des heures de travail, une pause de quelques minutes, puis autre chose"
        ),
    });
}

/// Names that do not exist, tried in a burst.
fn invented_credentials(tally: &mut Tally, actions: &[&Action]) {
    let invented: Vec<&&Action> = actions.iter().filter(|action| action.invented).collect();
    let mut most = 0_usize;
    let mut burst: BTreeMap<u32, usize> = BTreeMap::new();
    let mut first = invented.iter();
    for last in &invented {
        *burst.entry(last.user).or_default() += 1;
        while let Some(old) = first.as_slice().first()
            && seconds(old.time, last.time) > 60.0
        {
            first.next();
            if let Entry::Occupied(mut tries) = burst.entry(old.user) {
                *tries.get_mut() -= 1;
                if *tries.get() == 0 {
                    tries.remove();
                }
            }
        }
        most = most.max(burst.len());
    }
    let sign = Sign {
        name: "language.credentials",
        value: most as f64,
        threshold: 5.0,
        most: 4.0,
        share: rising(most as f64, 2.0, 5.0),
        events: cite(invented.iter().map(|action| **action)),
    };
    tally.add(sign, |lang| match lang {
        Lang::En => format!("{most} accounts that do not exist, tried within a minute"),
        Lang::Fr => format!("{most} comptes inexistants essayés en une minute"),
    });
}

/// Who am I, where am I: the first thing after getting in.
fn state_checks(tally: &mut Tally, actions: &[&Action]) {
    let mut best: Vec<&Action> = Vec::new();
    let mut first_block = actions.first().map(|action| action.time);
    for login in actions.iter().filter(|action| action.login) {
        first_block = None;
        let checks = actions.iter().filter(|action| {
            action.words.state && (0.0..=60.0).contains(&seconds(login.time, action.time))
        });
        let checks: Vec<&Action> = checks.copied().collect();
        if checks.len() > best.len() {
            best = checks;
        }
    }
    // Where commands are logged for the account alone, the work begins with its first command.
    if let Some(first) = first_block {
        let checks = actions
            .iter()
            .filter(|action| action.words.state && seconds(first, action.time) <= 60.0);
        best = checks.copied().collect();
    }
    let programs: BTreeSet<u32> = best.iter().map(|action| action.stem).collect();
    let sign = Sign {
        name: "language.state",
        value: programs.len() as f64,
        threshold: 3.0,
        most: 3.0,
        share: rising(programs.len() as f64, 1.0, 3.0),
        events: cite(best.iter().copied()),
    };
    tally.add(sign, |lang| match lang {
        Lang::En => format!(
            "{} commands that ask who and where one is, within a minute of getting in",
            programs.len()
        ),
        Lang::Fr => format!(
            "{} commandes demandant qui et où l’on est, dans la minute suivant l’entrée",
            programs.len()
        ),
    });
}

/// The name of a framework for agents.
fn marks(tally: &mut Tally, actions: &[&Action]) {
    let marked: Vec<&&Action> = actions.iter().filter(|action| action.words.agent).collect();
    let sign = Sign {
        name: "language.marks",
        value: marked.len() as f64,
        threshold: 1.0,
        most: 3.0,
        share: rising(marked.len() as f64, 0.0, 1.0),
        events: cite(marked.iter().map(|action| **action)),
    };
    tally.add(sign, |lang| match lang {
        Lang::En => format!(
            "{} actions name a framework for AI agents (anyone can write that)",
            marked.len()
        ),
        Lang::Fr => format!(
            "{} actions nomment un cadriciel d’agents IA (n’importe qui peut l’écrire)",
            marked.len()
        ),
    });
}

/// How long the work went on without a pause of 20 minutes at most, in hours, of all that is known.
pub(super) fn longest_run(blocks: &[Block]) -> f64 {
    let mut longest = 0.0_f64;
    let mut run: Option<(Timestamp, Timestamp)> = None;
    for block in blocks {
        run = match run {
            Some((first, last)) if seconds(last, block.first) < 1_200.0 => {
                Some((first, block.last))
            }
            _ => Some((block.first, block.last)),
        };
        if let Some((first, last)) = run {
            longest = longest.max(seconds(first, last) / 3_600.0);
        }
    }
    longest
}

/// A span for people.
pub(super) fn span(hours: f64, lang: Lang) -> String {
    duration((hours * 3_600.0) as u64, lang)
}
