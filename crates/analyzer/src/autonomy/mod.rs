//! How much speaks for an AI agent at work, 0–100, and why.
//!
//! The score is context for people: it raises attention and never bans. Signs are ramps, so that a
//! little more or less of anything never moves the score far; they add up by group, each group has
//! a maximum, and gates cap the whole:
//!
//! | group | maximum | signs read here |
//! |---|---|---|
//! | `tempo` | 15 | the gap between actions; their rate |
//! | `adaptivity` | 25 | other tries after errors; values of our answers used elsewhere; payloads that hardly repeat |
//! | `phase` | 15 | stages of an intrusion in quick succession; an account used elsewhere within a minute |
//! | `breadth` | 15 | machines, accounts, ports reached in little time |
//! | `endurance` | 10 | hours without a pause; blocks of work with short pauses |
//! | `language` | 40 | decoys found by reading, invented accounts, looks at where one is, names of frameworks |
//!
//! Single actions are known as far as they were watched ([`Activities`]); else the times of the
//! alerts' events are. Without a value reused from our answers and without a decoy nothing passes 59:
//! automated, of unknown origin. That is the honest answer to logs alone. Logs do not hold what we
//! answered, so the values of our answers are those that the configuration plants in a decoy page
//! ([`Planted`]). Decoys are rules tagged [`PROSE`] or [`OBEYED`], one of which the configuration makes of
//! its list. Who calls himself a scanner, a crawler or a monitor, and what the configuration declares,
//! ends at 24. What could not be measured is said beside the score.
//!
//! Sources: the bounds of tempo, phases, endurance and breadth follow Anthropic's report on
//! GTG-1002 (November 2025) and Palisade's honeypot for language-model agents (arXiv 2410.13919).

mod action;
mod activity;
mod deeds;
mod incident;
mod memory;
mod planted;
mod ramp;
mod ties;
mod words;

use vigie_event::{Autonomy, AutonomyBand, EventId, Indicator, Lang, Langs, Localized};

pub use action::Action;
pub use activity::{Activities, Activity, MOST_ACTIONS, MOST_ACTORS};
pub use incident::of_activity;
pub(crate) use incident::{of_incident, quick_stages};
pub use memory::MemoryError;
pub use planted::{Planted, PlantedError};
pub(crate) use ramp::{falling, plateau, rising};

/// The tag of rules that fire when somebody uses a decoy that only a reader of prose finds.
pub const PROSE: &str = "decoy.prose";
/// The tag of rules that fire when somebody does what the prose of a decoy asks for.
pub const OBEYED: &str = "decoy.obeyed";
/// Actions below which nothing is said.
pub const LEAST_ACTIONS: u64 = 20;
/// Seconds below which nothing is said.
pub const LEAST_SECONDS: u64 = 60;
/// What a measured pace beyond people's proves: a program.
pub const AUTOMATED: u8 = 25;

const GROUPS: [(&str, f64); 6] = [
    ("tempo", 15.0),
    ("adaptivity", 25.0),
    ("phase", 15.0),
    ("breadth", 15.0),
    ("endurance", 10.0),
    ("language", 40.0),
];

/// What caps a score.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gates {
    /// A value from our own answers came back elsewhere.
    pub reuse: bool,
    /// A decoy that only a reader of prose finds was used.
    pub trap: bool,
    /// The actor is a declared scanner, monitor or deployment tool.
    pub declared: bool,
}

impl Gates {
    /// The highest score that these gates let through.
    pub const fn cap(self) -> u8 {
        match self {
            Self { declared: true, .. } => 24,
            Self { trap: true, .. } => 100,
            Self { reuse: true, .. } => 84,
            Self { .. } => 59,
        }
    }
}

/// The band of a score.
pub const fn band(score: Option<u8>) -> AutonomyBand {
    match score {
        None => AutonomyBand::InsufficientData,
        Some(0..=24) => AutonomyBand::NoSign,
        Some(25..=59) => AutonomyBand::Automated,
        Some(60..=84) => AutonomyBand::ProbableAgent,
        Some(_) => AutonomyBand::StrongEvidence,
    }
}

/// A band in words.
pub const fn band_label(band: AutonomyBand, lang: Lang) -> &'static str {
    match band {
        AutonomyBand::InsufficientData => lang.pick("too little data", "données insuffisantes"),
        AutonomyBand::NoSign => lang.pick("no sign of automation", "aucun signe d’automatisation"),
        AutonomyBand::Automated => {
            lang.pick("automated, origin unknown", "automatisé, origine inconnue")
        }
        AutonomyBand::ProbableAgent => {
            lang.pick("probably an AI agent", "probablement un agent IA")
        }
        AutonomyBand::StrongEvidence => {
            lang.pick("strong evidence of an AI agent", "indices forts d’un agent IA")
        }
    }
}

/// A sign before it is weighed: `share` (0–1) of `most` points. Its events are only gathered where
/// it has points and somebody reads it.
#[derive(Debug)]
pub(crate) struct Sign<E> {
    pub name: &'static str,
    pub value: f64,
    pub threshold: f64,
    pub most: f64,
    pub share: f64,
    pub events: E,
}

/// Signs and counter-evidence as they are found.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    langs: Langs,
    indicators: Vec<Indicator>,
    against: Vec<Localized>,
    scripted: bool,
    floor: u8,
}

impl Tally {
    /// A tally that speaks in `langs`.
    pub fn speaking(langs: Langs) -> Self {
        Self { langs, ..Self::default() }
    }

    /// Takes a sign with its words; one without points is none.
    pub fn add(
        &mut self,
        sign: Sign<impl IntoIterator<Item = EventId>>,
        text: impl Fn(Lang) -> String,
    ) {
        let points = (sign.most * sign.share.clamp(0.0, 1.0) * 10.0).round() / 10.0;
        if points > 0.0 && !self.indicators.iter().any(|known| known.name == sign.name) {
            self.indicators.push(Indicator {
                name: sign.name.to_owned(),
                text: self.langs.text(text),
                value: sign.value,
                threshold: sign.threshold,
                points,
                events: if self.langs.any() {
                    sign.events.into_iter().collect()
                } else {
                    Vec::new()
                },
            });
        }
    }

    /// Takes what speaks against an agent.
    pub fn against(&mut self, why: Localized) {
        if !self.against.contains(&why) {
            self.against.push(why);
        }
    }

    /// The actions repeat like clockwork: the tempo is a script's and says nothing of an agent.
    pub fn scripted(&mut self, why: Localized) {
        self.scripted = true;
        self.against(why);
    }

    /// Automation itself is proven, whatever the signs add up to.
    pub fn automated(&mut self) {
        self.floor = AUTOMATED;
    }

    /// Adds up; with too little data there is no score, but what was found stays to be seen.
    pub fn finish(mut self, enough: bool, gates: Gates) -> Autonomy {
        if self.scripted {
            for sign in &mut self.indicators {
                if sign.name.starts_with("tempo.") {
                    sign.points = 0.0;
                }
            }
        }
        let group = |name: &str| {
            let of_group = self
                .indicators
                .iter()
                .filter(|sign| sign.name.split_once('.').is_some_and(|(group, _)| group == name));
            of_group.map(|sign| sign.points).sum::<f64>()
        };
        let mut total = 0.0;
        let mut groups = 0_u8;
        for (name, most) in GROUPS {
            let points = group(name);
            groups += u8::from(points > 0.0);
            total += points.min(most);
        }
        if enough && total < f64::from(self.floor) {
            self.indicators.push(Indicator {
                name: "automated".to_owned(),
                text: self.langs.text(|lang| match lang {
                    Lang::En => format!("A measured pace beyond people’s proves a program: at least {} points", self.floor),
                    Lang::Fr => format!("Un rythme mesuré hors de portée d’une personne prouve un programme : au moins {} points", self.floor),
                }),
                value: total,
                threshold: f64::from(self.floor),
                points: f64::from(self.floor) - total,
                events: Vec::new(),
            });
        }
        let score = (total.round() as u8).max(self.floor).min(gates.cap());
        let score = enough.then_some(score);
        self.indicators.sort_by(|one, other| other.points.total_cmp(&one.points));
        // Each further group of signs makes it surer, each piece of counter-evidence less so.
        let against = u8::try_from(self.against.len()).unwrap_or(u8::MAX).min(3);
        let confidence = (30 + 12 * groups).saturating_sub(5 * against).clamp(5, 90);
        Autonomy {
            score,
            band: band(score),
            confidence: if enough { confidence } else { 0 },
            indicators: self.indicators,
            counter_evidence: self.against,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sign(name: &'static str, most: f64, share: f64) -> Sign<Vec<EventId>> {
        Sign { name, value: 1.0, threshold: 1.0, most, share, events: Vec::new() }
    }

    fn check(signs: &[(&'static str, f64)], gates: Gates, expected: u8) {
        let mut tally = Tally::default();
        for (name, most) in signs {
            tally.add(sign(name, *most, 1.0), |_| "x".to_owned());
        }
        assert_eq!(tally.finish(true, gates).score, Some(expected), "{signs:?} {gates:?}");
    }

    #[test]
    fn groups_have_a_maximum_and_gates_cap() {
        let none = Gates::default();
        check(&[], none, 0);
        check(&[("tempo.a", 8.0), ("tempo.b", 70.0)], none, 15);
        let all = GROUPS.map(|(name, most)| match name {
            "tempo" => ("tempo.x", most),
            "adaptivity" => ("adaptivity.x", most),
            "phase" => ("phase.x", most),
            "breadth" => ("breadth.x", most),
            "endurance" => ("endurance.x", most),
            _ => ("language.x", most),
        });
        check(&all, none, 59);
        check(&all, Gates { reuse: true, ..none }, 84);
        check(&all, Gates { trap: true, ..none }, 100);
        check(&all, Gates { trap: true, declared: true, ..none }, 24);
    }

    #[test]
    fn clockwork_takes_the_tempo_away() {
        let mut tally = Tally::default();
        tally.add(sign("tempo.a", 8.0, 1.0), |_| "x".to_owned());
        tally.add(sign("phase.a", 10.0, 1.0), |_| "x".to_owned());
        tally.scripted(Localized::new("scripted", "scripté"));
        let autonomy = tally.finish(true, Gates::default());
        assert_eq!(autonomy.score, Some(10));
        assert_eq!(autonomy.counter_evidence.len(), 1);
    }

    #[test]
    fn bands_meet_without_a_gap() {
        for (score, expected) in [
            (None, AutonomyBand::InsufficientData),
            (Some(24), AutonomyBand::NoSign),
            (Some(25), AutonomyBand::Automated),
            (Some(59), AutonomyBand::Automated),
            (Some(60), AutonomyBand::ProbableAgent),
            (Some(85), AutonomyBand::StrongEvidence),
            (Some(100), AutonomyBand::StrongEvidence),
        ] {
            assert_eq!(band(score), expected, "{score:?}");
        }
    }
}
