//! The signs of automation in an incident: from the times of its events and from what its alerts
//! count, never from what attackers wrote.

use itoa::Buffer;
use vigie_event::{Autonomy, EventId, Lang, Timestamp, fingerprint};

use super::activity::Activity;
use super::{
    Gates, LEAST_ACTIONS, LEAST_SECONDS, OBEYED, PROSE, Sign, Tally, deeds, falling, plateau,
    rising,
};
use crate::facts::{Facts, Phase};
use crate::text::{duration, push_duration};

/// Events cited with one sign.
const MOST_EVENTS: usize = 20;
/// Pauses after which work is taken to have ended, in seconds.
const PAUSE_S: f64 = 20.0 * 60.0;

/// The score of an incident. With what its actor did, as far as that was watched, each action
/// counts; else the times of the alerts' events are all there is.
pub(crate) fn of_incident(
    facts: &Facts<'_>,
    activity: Option<&Activity>,
    declared: bool,
) -> Autonomy {
    let watched = activity.filter(|activity| activity.total() >= LEAST_ACTIONS);
    let work = watched.map_or_else(|| Work::of(facts), Work::of_activity);
    let mut tally = Tally::speaking(facts.langs);
    let trap = decoys(&mut tally, facts);
    let enough = work.actions >= LEAST_ACTIONS && work.span_s >= LEAST_SECONDS;
    if !enough && !trap {
        too_little(&mut tally, &work);
        return tally.finish(false, Gates::default());
    }
    tempo(&mut tally, facts, &work);
    if watched.is_none() && same_lines(facts) {
        repeats(&mut tally);
    }
    stages(&mut tally, facts);
    breadth(&mut tally, facts);
    let mut gates = Gates { reuse: false, trap, declared };
    if let Some(activity) = watched {
        let shown = of_actions(&mut tally, activity);
        gates = Gates { reuse: shown.reuse, trap, declared: declared || shown.declared };
    } else {
        endurance(&mut tally, facts, &work);
    }
    if declared {
        tally.against(tally.langs.fixed(
            "The configuration declares it a tool of your own",
            "La configuration le déclare comme un outil à vous",
        ));
    }
    if !trap && !gates.reuse {
        not_measured(&mut tally);
    }
    tally.finish(true, gates)
}

/// The score of an actor by what he did, whether or not a rule took notice.
pub fn of_activity(activity: &Activity) -> Autonomy {
    let work = Work::of_activity(activity);
    let mut tally = Tally::default();
    if work.actions < LEAST_ACTIONS || work.span_s < LEAST_SECONDS {
        too_little(&mut tally, &work);
        return tally.finish(false, Gates::default());
    }
    pace(&mut tally, &work, 2.0);
    let gates = of_actions(&mut tally, activity);
    if !gates.reuse {
        not_measured(&mut tally);
    }
    tally.finish(true, gates)
}

fn of_actions(tally: &mut Tally, activity: &Activity) -> Gates {
    let hours = deeds::longest_run(&activity.blocks);
    let sign = Sign {
        name: "endurance.length",
        value: hours,
        threshold: 6.0,
        most: 5.0,
        share: rising(hours, 2.0, 6.0),
        events: activity.actions().take(MOST_EVENTS).map(|action| action.event),
    };
    tally.add(sign, |lang| no_pause(&deeds::span(hours, lang), lang));
    if deeds::is_repetitive(activity) {
        repeats(tally);
    }
    deeds::add(tally, activity)
}

fn too_little(tally: &mut Tally, work: &Work) {
    tally.against(tally.langs.text(|lang| {
        let (too_little, over, least, in_all) = match lang {
            Lang::En => ("Too little to tell: ", " actions over ", "; it takes ", " over "),
            Lang::Fr => ("Trop peu pour se prononcer : ", " actions en ", " ; il en faut ", " en "),
        };
        let mut text = String::with_capacity(96);
        text.push_str(too_little);
        text.push_str(Buffer::new().format(work.actions));
        text.push_str(over);
        push_duration(&mut text, work.span_s, lang);
        text.push_str(least);
        text.push_str(Buffer::new().format(LEAST_ACTIONS));
        text.push_str(in_all);
        text.push_str(Buffer::new().format(LEAST_SECONDS));
        text.push_str(" s");
        text
    }));
}

fn not_measured(tally: &mut Tally) {
    tally.against(tally.langs.fixed(
        "No decoy was used and no answer of ours came back; without them the score ends at 59",
        "Aucun leurre utilisé, aucune de nos réponses réutilisée ; sans eux, le score s’arrête à 59",
    ));
}

fn repeats(tally: &mut Tally) {
    tally.scripted(tally.langs.fixed(
        "At least four of five actions are the same: a script",
        "Au moins quatre actions sur cinq sont identiques : un script",
    ));
}

/// Decoys that only a reader of prose finds, and instructions in them that were obeyed. Tells whether
/// there was one.
fn decoys(tally: &mut Tally, facts: &Facts<'_>) -> bool {
    let tagged = |tag: &str| -> Vec<EventId> {
        let alerts = facts.findings.iter().map(|finding| finding.alert);
        let tagged = alerts.filter(|alert| alert.tags.iter().any(|known| known == tag));
        tagged.flat_map(|alert| alert.events.iter().copied()).take(MOST_EVENTS).collect()
    };
    let (obeyed, read) = (tagged(OBEYED), tagged(PROSE));
    for (name, most, events, en, fr) in [
        (
            "language.obeyed",
            40.0,
            &obeyed,
            "It obeyed an instruction that stands in the prose of a decoy",
            "L’acteur a obéi à une consigne écrite en toutes lettres dans un leurre",
        ),
        (
            "language.decoy",
            30.0,
            &read,
            "It used a decoy that is only found by reading prose",
            "L’acteur a utilisé un leurre que seul un texte lu révèle",
        ),
    ] {
        let number = events.len() as f64;
        let share = rising(number, 0.0, 1.0);
        let events = events.iter().copied();
        let sign = Sign { name, value: number, threshold: 1.0, most, share, events };
        tally.add(sign, |lang| lang.pick(en, fr).to_owned());
    }
    !(obeyed.is_empty() && read.is_empty())
}

/// The actor's actions as far as their times are known.
struct Work {
    actions: u64,
    span_s: u64,
    /// Actions a second, where there are enough to tell.
    rate: Option<f64>,
    /// In order of their times, which ids begin with.
    events: Vec<EventId>,
    /// Seconds between one known event and the next.
    gaps: Vec<f64>,
    /// Whether the known events are all there were.
    whole: bool,
}

impl Work {
    fn of(facts: &Facts<'_>) -> Self {
        let named = facts.findings.iter().map(|finding| finding.alert.events.as_slice());
        let mut events = Vec::with_capacity(named.clone().map(<[_]>::len).sum());
        named.for_each(|named| events.extend(named.iter().map(|id| id.as_u128())));
        // Each alert names them nearly in order: the stable sort merges what is sorted already.
        #[allow(clippy::stable_sort_primitive)]
        events.sort();
        events.dedup();
        let events: Vec<EventId> = events.into_iter().map(EventId::from_u128).collect();
        let known = events.len() as u64;
        Self {
            actions: facts.events.max(known),
            span_s: facts.span_s,
            rate: facts.tempo(),
            whole: known >= facts.events,
            gaps: gaps(&events),
            events,
        }
    }

    fn of_activity(activity: &Activity) -> Self {
        let mut events: Vec<EventId> = activity.actions().map(|action| action.event).collect();
        // Nearly in order, as below.
        #[allow(clippy::stable_sort_primitive)]
        events.sort();
        let known = events.len() as u64;
        let first = activity.blocks.first().map(|block| block.first);
        let last = activity.blocks.last().map(|block| block.last);
        let seconds = first.zip(last).map_or(0, |(first, last)| last.since(first) / 1_000_000_000);
        let gaps = gaps(&events);
        let shown: f64 = gaps.iter().sum();
        Self {
            actions: activity.total(),
            span_s: u64::try_from(seconds).unwrap_or(0),
            rate: (gaps.len() >= 5 && shown > 0.0).then(|| gaps.len() as f64 / shown),
            whole: known >= activity.total(),
            gaps,
            events,
        }
    }

    fn cited(&self) -> impl Iterator<Item = EventId> {
        self.events.iter().take(MOST_EVENTS).copied()
    }
}

/// Seconds between events in the order of their times.
fn gaps(events: &[EventId]) -> Vec<f64> {
    let pairs = events.iter().zip(events.iter().skip(1));
    pairs.map(|(one, next)| next.time().since(one.time()) as f64 / 1e9).collect()
}

/// Median and coefficient of variation, without the longest twentieth: pauses are no tempo.
fn spread(gaps: &[f64]) -> Option<(f64, f64)> {
    let mut sorted = gaps.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted.truncate(sorted.len() - sorted.len() / 20);
    if sorted.len() < 10 {
        return None;
    }
    let median = *sorted.get(sorted.len() / 2)?;
    let mean = sorted.iter().sum::<f64>() / sorted.len() as f64;
    let variance = sorted.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / sorted.len() as f64;
    Some((median, if mean > 0.0 { variance.sqrt() / mean } else { 0.0 }))
}

fn tempo(tally: &mut Tally, facts: &Facts<'_>, work: &Work) {
    pace(tally, work, facts.phases.len().max(facts.rules) as f64);
}

/// The gap between actions and their rate, over so many techniques.
fn pace(tally: &mut Tally, work: &Work, techniques: f64) {
    if let Some((median, variation)) = spread(&work.gaps) {
        let text = |lang: Lang| match lang {
            Lang::En => format!(
                "{median:.1} s between actions (median), varying by {variation:.2}: slower than a script, steadier than a person"
            ),
            Lang::Fr => format!(
                "{median:.1} s entre les actions (médiane), variation {variation:.2} : plus lent qu’un script, plus régulier qu’une personne"
            ),
        };
        let share =
            plateau(median, 0.5, 1.0, 8.0, 16.0).min(plateau(variation, 0.1, 0.3, 1.5, 3.0));
        tally.add(
            Sign {
                name: "tempo.median_gap",
                value: median,
                threshold: 1.0,
                most: 8.0,
                share,
                events: work.cited(),
            },
            text,
        );
        if variation < 0.1 {
            tally.scripted(tally.langs.fixed(
                "The actions follow each other like clockwork: a script",
                "Les actions se suivent comme une horloge : un script",
            ));
        }
    }
    if let Some(rate) = work.rate
        && work.span_s >= LEAST_SECONDS
    {
        let text = |lang: Lang| match lang {
            Lang::En => format!("{rate:.1} actions a second over {}", duration(work.span_s, lang)),
            Lang::Fr => {
                format!("{rate:.1} actions par seconde pendant {}", duration(work.span_s, lang))
            }
        };
        tally.add(
            Sign {
                name: "tempo.rate",
                value: rate,
                threshold: 1.0,
                most: 7.0,
                share: rising(rate, 0.3, 1.0) * rising(techniques, 1.0, 2.0),
                events: work.cited(),
            },
            text,
        );
    }
}

/// Whether four of five of the lines kept as evidence are the same but for their digits.
fn same_lines(facts: &Facts<'_>) -> bool {
    let evidence = || facts.findings.iter().flat_map(|finding| &finding.alert.evidence);
    if evidence().nth(4).is_none() {
        return false;
    }
    let mut letters: Vec<u8> = Vec::with_capacity(512);
    let mut lines: Vec<u64> = evidence()
        .map(|line| {
            let cut = || line.raw.char_indices().nth(500).map_or(line.raw.len(), |(end, _)| end);
            let end = if line.raw.len() > 500 { cut() } else { line.raw.len() };
            letters.clear();
            letters.extend_from_slice(line.raw.as_bytes().get(..end).unwrap_or_default());
            letters.retain(|byte| !byte.is_ascii_digit());
            fingerprint(&letters)
        })
        .collect();
    lines.sort_unstable();
    let most = lines.chunk_by(u64::eq).map(<[_]>::len).max().unwrap_or(0);
    most * 5 >= lines.len() * 4
}

/// At least three stages of an intrusion within 15 minutes.
fn stages(tally: &mut Tally, facts: &Facts<'_>) {
    let mut firsts: Vec<(Timestamp, Phase, EventId)> = Vec::new();
    for finding in &facts.findings {
        let (Some(phase), Some(event)) = (finding.phase, finding.alert.events.first()) else {
            continue;
        };
        firsts.push((finding.alert.first_seen, phase, *event));
    }
    firsts.sort_unstable();
    let mut seen: Vec<Phase> = Vec::new();
    firsts.retain(|(_, phase, _)| {
        let new = !seen.contains(phase);
        if new {
            seen.push(*phase);
        }
        new
    });
    let windows = firsts.windows(3).filter_map(|three| match three {
        [first, .., last] => Some((last.0.since(first.0) as f64 / 1e9, three)),
        _ => None,
    });
    let Some((seconds, three)) = windows.min_by(|one, other| one.0.total_cmp(&other.0)) else {
        return;
    };
    tally.add(
        Sign {
            name: "phase.tactics",
            value: seconds,
            threshold: 900.0,
            most: 10.0,
            share: falling(seconds, 900.0, 3_600.0),
            events: three.iter().map(|(_, _, event)| *event),
        },
        |lang| quick_stages(firsts.len(), seconds, lang),
    );
}

/// That stages follow each other quickly.
pub(crate) fn quick_stages(stages: usize, seconds: f64, lang: Lang) -> String {
    let span = duration(seconds.max(0.0) as u64, lang);
    match lang {
        Lang::En => format!("Three of {stages} stages of an intrusion within {span}"),
        Lang::Fr => format!("Trois des {stages} étapes d’une intrusion en {span}"),
    }
}

fn breadth(tally: &mut Tally, facts: &Facts<'_>) {
    let span = facts.span_s.max(1) as f64;
    let (targets, users) = (facts.targets as f64, facts.users as f64);
    let each_five_minutes = targets / (span / 300.0).max(1.0);
    let firsts = facts.findings.iter().filter_map(|finding| finding.alert.events.first().copied());
    let proof = firsts.take(MOST_EVENTS);
    let text = |lang: Lang| match lang {
        Lang::En => format!("{} machines within {}", facts.targets, duration(facts.span_s, lang)),
        Lang::Fr => format!("{} machines en {}", facts.targets, duration(facts.span_s, lang)),
    };
    tally.add(
        Sign {
            name: "breadth.targets",
            value: each_five_minutes,
            threshold: 3.0,
            most: 6.0,
            share: rising(each_five_minutes, 1.0, 3.0),
            events: proof.clone(),
        },
        text,
    );
    let text = |lang: Lang| match lang {
        Lang::En => format!(
            "{} accounts tried on {} machines within {}",
            facts.users,
            facts.targets,
            duration(facts.span_s, lang)
        ),
        Lang::Fr => format!(
            "{} comptes essayés sur {} machines en {}",
            facts.users,
            facts.targets,
            duration(facts.span_s, lang)
        ),
    };
    tally.add(
        Sign {
            name: "breadth.credentials",
            value: targets,
            threshold: 3.0,
            most: 5.0,
            share: rising(users, 1.0, 2.0)
                * rising(targets, 1.0, 3.0)
                * falling(span, 600.0, 1_800.0),
            events: proof,
        },
        text,
    );
}

fn endurance(tally: &mut Tally, facts: &Facts<'_>, work: &Work) {
    // Pauses can only be told where all events are known.
    if !work.whole || work.gaps.is_empty() {
        return;
    }
    let longest = work.gaps.iter().copied().fold(0.0, f64::max);
    let hours = facts.span_s as f64 / 3_600.0;
    let text = |lang: Lang| no_pause(&duration(facts.span_s, lang), lang);
    tally.add(
        Sign {
            name: "endurance.length",
            value: hours,
            threshold: 6.0,
            most: 5.0,
            share: rising(hours, 2.0, 6.0) * falling(longest, PAUSE_S, 2.0 * PAUSE_S),
            events: work.cited(),
        },
        text,
    );
}

fn no_pause(span: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("{span} without a pause of 20 minutes"),
        Lang::Fr => format!("{span} sans pause de 20 minutes"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pause_is_no_tempo() {
        let mut gaps = vec![2.0; 40];
        gaps.extend([600.0, 900.0]);
        let (median, variation) = spread(&gaps).unwrap();
        assert!((median - 2.0).abs() < 1e-9 && variation < 0.1, "{median} {variation}");
        assert!(spread(&[1.0; 5]).is_none());
    }
}
