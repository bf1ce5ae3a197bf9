//! What people's closings say about the next incident of the same kind.
//!
//! For each rule of an incident the likelihood of a false positive is a Beta distribution. Its prior
//! is what the evidence alone gives, worth `PRIOR` closings; each closing of an incident with the
//! same rule and the same entity counts one, those of the rule elsewhere together `ELSEWHERE` at
//! most. The mean of the posterior is
//!
//! ```text
//! (PRIOR × prior + harmless closings) / (PRIOR + decided closings)
//! ```
//!
//! An incident is as harmless as the least harmless of its rules, so a rule that nobody has closed
//! yet keeps its own estimate whatever is known of the others. Where the source of an attack has
//! never been seen, what is known of the host or the account counts half: a scanner of one's own
//! must not vouch for a stranger.
//!
//! **Invariant:** severity and recommended actions come from the evidence alone. An incident of high
//! or critical severity loses no confidence by closings, and they never lift its likelihood of a false
//! positive above [`MOST_FOR_HIGH`]: harmless closings change no decision of the shipped policy on
//! it. Closings as attacks can make it ban.

use vigie_event::{Claim, Closings, Lang, Past, Precedent, Severity};

use crate::facts::{Facts, Finding};
use crate::score::Score;
use crate::text::{counted, shown};

/// Closings that the evidence itself is worth.
const PRIOR: f64 = 4.0;
/// Closings that those of the rule on other entities are worth at most, all together.
const ELSEWHERE: f64 = 2.0;
/// What one of those is worth.
const ELSEWHERE_EACH: f64 = 0.25;
/// What closings about the host or the account are worth while the source is a stranger.
const STRANGER: f64 = 0.5;
/// Points of confidence that closings as attacks give at most.
const SURER: f64 = 10.0;
/// Points of confidence that closings as harmless take at most.
const LESS_SURE: f64 = 15.0;
/// The likelihood of a false positive up to which closings may lift that of a high or critical
/// incident. The shipped policy bans up to here.
pub const MOST_FOR_HIGH: u8 = 40;

/// The likelihood of a false positive after closings: `prior` before them, `here` those of the same
/// rule and entity, each worth `share` of one, `elsewhere` those of the rule on other entities. All
/// within 0–1.
pub fn posterior(prior: f64, here: Closings, share: f64, elsewhere: Closings) -> f64 {
    let others = f64::from(elsewhere.decided());
    let each = if others > 0.0 { (ELSEWHERE / others).min(ELSEWHERE_EACH) } else { 0.0 };
    let harmless = share * f64::from(here.harmless()) + each * f64::from(elsewhere.harmless());
    let decided = share * f64::from(here.decided()) + each * others;
    (PRIOR * prior.clamp(0.0, 1.0) + harmless) / (PRIOR + decided)
}

/// What closings say of one rule.
struct Lesson<'p> {
    /// After them, 0–1.
    false_positive: f64,
    told: &'p Precedent,
    share: f64,
    title: &'p vigie_event::Localized,
}

/// Moves `score` by what people made of earlier incidents; returns the claims that explain it.
pub(crate) fn apply(
    facts: &Facts<'_>,
    past: &Past,
    severity: Severity,
    score: &mut Score,
) -> Vec<Claim> {
    if past.precedents.is_empty() {
        return Vec::new();
    }
    let prior = f64::from(score.false_positive) / 100.0;
    let mut seen: Vec<&str> = Vec::new();
    let mut lessons: Vec<Lesson<'_>> = Vec::new();
    let mut unknown = false;
    for finding in &facts.findings {
        let rule = finding.alert.rule.id.as_str();
        if seen.contains(&rule) {
            continue;
        }
        seen.push(rule);
        match lesson(finding, facts, past, prior) {
            Some(lesson) => lessons.push(lesson),
            None => unknown = true,
        }
    }
    lessons.sort_by(|one, other| one.false_positive.total_cmp(&other.false_positive));
    let Some(first) = lessons.first() else { return Vec::new() };
    // A rule without closings stays where the evidence puts it.
    let learned = if unknown { first.false_positive.min(prior) } else { first.false_positive };
    let decided = f64::from(first.told.closings.decided()) * first.share;
    let weight = decided / (decided + PRIOR);

    let high = severity >= Severity::High;
    let before = (score.confidence, score.false_positive);
    let percent = (learned * 100.0).round().clamp(1.0, 95.0) as u8;
    score.false_positive = if high { percent.min(before.1.max(MOST_FOR_HIGH)) } else { percent };
    let change = if learned < prior {
        (SURER * weight).round()
    } else if learned > prior && !high {
        -(LESS_SURE * weight).round()
    } else {
        0.0
    };
    score.confidence = (f64::from(before.0) + change).clamp(5.0, 99.0) as u8;
    let sure = i32::from(score.confidence) - i32::from(before.0);
    let wrong = i32::from(score.false_positive) - i32::from(before.1);

    let mut claims: Vec<Claim> = Vec::new();
    for (place, lesson) in lessons.iter().take(5).enumerate() {
        let claim = facts.langs.text(|lang| {
            let told = sentence(lesson, lang);
            if place > 0 {
                return told;
            }
            let held = if high && percent != score.false_positive {
                lang.pick(
                    "; what is high stays high, whatever was closed",
                    " ; ce qui est élevé le reste, quelles que soient les clôtures",
                )
            } else {
                ""
            };
            match lang {
                Lang::En => format!("{told} (confidence {sure:+}, false positive {wrong:+}){held}"),
                Lang::Fr => format!("{told} (confiance {sure:+}, faux positif {wrong:+}){held}"),
            }
        });
        claims.push(Claim { claim, events: Vec::new() });
    }
    claims
}

/// What closings say of the rule of `finding`: those of the entity with the most of them, else those
/// of the rule anywhere.
fn lesson<'p>(
    finding: &'p Finding<'_>,
    facts: &'p Facts<'_>,
    past: &'p Past,
    prior: f64,
) -> Option<Lesson<'p>> {
    let rule = finding.alert.rule.id.as_str();
    let of_rule = || past.precedents.iter().filter(|known| known.key.rule == rule);
    let decided = |known: &&Precedent| known.closings.decided() > 0;
    let anywhere = of_rule().find(|known| known.key.field.is_empty());
    let mine = |known: &&Precedent| {
        let values = |other: &Finding<'_>| {
            other.alert.rule.id == rule
                && other.alert.entities.has(&known.key.field, &known.key.value)
        };
        !known.key.field.is_empty() && facts.findings.iter().any(values)
    };
    let names_source = !finding.alert.entities.values("source.ip").is_empty();
    let source_known = of_rule().filter(mine).any(|known| known.key.field == "source.ip");
    let share = |known: &Precedent| {
        if names_source && !source_known && known.key.field != "source.ip" { STRANGER } else { 1.0 }
    };
    let title = &finding.alert.rule.title;
    // On a tie the first of the fields: the source, the host, the account.
    let place = |known: &Precedent| {
        vigie_event::PRECEDENT_FIELDS.iter().position(|field| *field == known.key.field)
    };
    let here = of_rule()
        .filter(mine)
        .filter(decided)
        .max_by_key(|known| (known.closings.decided(), std::cmp::Reverse(place(known))));
    if let Some(told) = here {
        let elsewhere =
            anywhere.map_or(Closings::default(), |all| less(all.closings, told.closings));
        let share = share(told);
        let false_positive = posterior(prior, told.closings, share, elsewhere);
        return Some(Lesson { false_positive, told, share, title });
    }
    let told = anywhere.filter(decided)?;
    let false_positive = posterior(prior, Closings::default(), 0.0, told.closings);
    Some(Lesson { false_positive, told, share: ELSEWHERE_EACH, title })
}

const fn less(all: Closings, part: Closings) -> Closings {
    Closings {
        true_positive: all.true_positive.saturating_sub(part.true_positive),
        benign_true_positive: all.benign_true_positive.saturating_sub(part.benign_true_positive),
        false_positive: all.false_positive.saturating_sub(part.false_positive),
        undetermined: all.undetermined.saturating_sub(part.undetermined),
    }
}

fn sentence(lesson: &Lesson<'_>, lang: Lang) -> String {
    let closings = lesson.told.closings;
    let key = &lesson.told.key;
    let value = shown(&key.value, lang);
    let place = match (key.field.as_str(), lang) {
        ("source.ip", Lang::En) => format!("for this address ({value})"),
        ("source.ip", Lang::Fr) => format!("pour cette adresse ({value})"),
        ("host.name", Lang::En) => format!("on this host ({value})"),
        ("host.name", Lang::Fr) => format!("sur cette machine ({value})"),
        ("user.name", Lang::En) => format!("for this account ({value})"),
        ("user.name", Lang::Fr) => format!("pour ce compte ({value})"),
        (_, Lang::En) => "elsewhere".to_owned(),
        (_, Lang::Fr) => "ailleurs".to_owned(),
    };
    let harmless = closings.harmless() >= closings.true_positive;
    let number = if harmless { closings.harmless() } else { closings.true_positive };
    let decided = closings.decided();
    let title = lesson.title.get(lang);
    let mut text = match lang {
        Lang::En => {
            let how = if harmless { "benign" } else { "an attack" };
            let times = if number == 1 { "time" } else { "times" };
            format!("{title}: closed as {how} {number} {times} of {decided} {place}")
        }
        Lang::Fr => {
            let how = if harmless { "bénin" } else { "une attaque" };
            format!("{title} : clos comme {how} {number} fois sur {decided} {place}")
        }
    };
    if closings.undetermined > 0 {
        let besides = match lang {
            Lang::En => format!(", {} undetermined besides", closings.undetermined),
            Lang::Fr => {
                let number = u64::from(closings.undetermined);
                format!(", {} en plus", counted(number, "indéterminé", "indéterminés", lang))
            }
        };
        text += &besides;
    }
    if (lesson.share - STRANGER).abs() < f64::EPSILON {
        text += lang.pick(
            ", never for this address, so it counts half",
            ", jamais pour cette adresse, donc compté pour moitié",
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn closings(attack: u32, benign: u32, wrong: u32, unknown: u32) -> Closings {
        Closings {
            true_positive: attack,
            benign_true_positive: benign,
            false_positive: wrong,
            undetermined: unknown,
        }
    }

    prop_compose! {
        fn any_closings()(a in 0_u32..500, b in 0_u32..500, c in 0_u32..500, d in 0_u32..500)
            -> Closings { closings(a, b, c, d) }
    }

    proptest! {
        #[test]
        fn it_is_a_probability(
            prior in 0.0..=1.0_f64, here in any_closings(), other in any_closings(),
            share in 0.0..=1.0_f64,
        ) {
            let found = posterior(prior, here, share, other);
            prop_assert!((0.0..=1.0).contains(&found));
        }

        #[test]
        fn a_closing_moves_it_its_own_way(
            prior in 0.0..=1.0_f64, here in any_closings(), other in any_closings(),
        ) {
            let before = posterior(prior, here, 1.0, other);
            for (reason, expected) in [
                (vigie_event::CloseReason::TruePositive, -1.0),
                (vigie_event::CloseReason::BenignTruePositive, 1.0),
                (vigie_event::CloseReason::FalsePositive, 1.0),
                (vigie_event::CloseReason::Undetermined, 0.0),
            ] {
                let mut more = here;
                more.add(reason, 1);
                let moved = posterior(prior, more, 1.0, other) - before;
                prop_assert!(moved * expected >= -1e-12 && (expected != 0.0 || moved == 0.0));
            }
        }

        #[test]
        fn without_closings_the_evidence_stands(prior in 0.0..=1.0_f64, unknown in 0_u32..99) {
            let none = closings(0, 0, 0, unknown);
            prop_assert!((posterior(prior, none, 1.0, none) - prior).abs() < 1e-12);
        }

        #[test]
        fn elsewhere_counts_no_more_than_its_bound(
            prior in 0.0..=1.0_f64, other in any_closings(),
        ) {
            let none = Closings::default();
            let moved = (posterior(prior, none, 1.0, other) - prior).abs();
            prop_assert!(moved <= ELSEWHERE / (PRIOR + ELSEWHERE) + 1e-12);
        }
    }

    #[test]
    fn fourteen_of_fifteen_is_nearly_sure() {
        let found = posterior(0.2, closings(1, 14, 0, 0), 1.0, Closings::default());
        assert!((found - (0.8 + 14.0) / 19.0).abs() < 1e-12, "{found}");
    }
}
