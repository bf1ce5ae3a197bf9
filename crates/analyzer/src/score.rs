//! How sure, and how likely a false positive: two sums whose parts can be read.
//!
//! Confidence starts at [`CONFIDENCE_BASE`], the likelihood of a false positive at a value by the
//! worst level among the alerts; each fact below adds or takes away fixed points, and the results
//! are kept within 5–99 and 1–95, since evidence from logs is never certain.
//!
//! | fact | confidence | false positive |
//! |---|---|---|
//! | worst level informational / low / medium / high / critical | 0 / 5 / 10 / 20 / 30 | starts at 70 / 55 / 35 / 20 / 10 |
//! | 5 / 20 / 100 events or more | 5 / 10 / 15 | 0 / −5 / −10 |
//! | a single event, no file hash | −10 | +10 |
//! | one event a 10 s or faster, at least 5 | 5 | 0 |
//! | 3 accounts, 3 targets, 10 paths or 15 ports: one / several of these | 5 / 10 | −5 / −10 |
//! | 2 / 3 or more different rules | 5 / 10 | −5 / −10 |
//! | 2 / 3 or more stages of an intrusion | 5 / 10 | −5 / −10 |
//! | a login after guessing | 15 | 0 |
//! | the same, with one account and under 10 events: perhaps its owner | −10 | +15 |
//! | the hash of a known file | 15 | −5 |
//! | the actor has a private address, and no stage needs one inside | −10 | +15 |
//!
//! The weights are judgement, not measurement; what people closed corrects them ([`crate::learning`]).

use itoa::Buffer;
use vigie_event::{Claim, EventId, Lang, Langs, Localized, Severity};

use crate::facts::Facts;
use crate::text::counted;

/// What confidence starts from: a rule has fired.
pub const CONFIDENCE_BASE: i32 = 30;

/// One line of the two sums.
#[derive(Clone, Debug)]
pub struct Part {
    /// The fact.
    pub fact: Localized,
    /// Points of confidence.
    pub confidence: i32,
    /// Points of likelihood of a false positive.
    pub false_positive: i32,
    /// The events that show it.
    pub events: Vec<EventId>,
}

impl Part {
    /// The part as a claim: the fact and its points.
    pub fn into_claim(self, langs: Langs) -> Claim {
        let claim = langs.text(|lang| {
            let (sure, wrong) = match lang {
                Lang::En => (" (confidence ", ", false positive "),
                Lang::Fr => (" (confiance ", ", faux positif "),
            };
            [
                self.fact.get(lang),
                sure,
                sign(self.confidence),
                Buffer::new().format(self.confidence),
                wrong,
                sign(self.false_positive),
                Buffer::new().format(self.false_positive),
                ")",
            ]
            .concat()
        });
        Claim { claim, events: self.events }
    }
}

/// What stands before a number that is shown with its sign.
const fn sign(number: i32) -> &'static str {
    if number < 0 { "" } else { "+" }
}

/// Both sums with their parts.
#[derive(Clone, Debug)]
pub struct Score {
    /// 5–99.
    pub confidence: u8,
    /// 1–95.
    pub false_positive: u8,
    /// What they are made of, in order of the table above.
    pub parts: Vec<Part>,
}

impl Score {
    /// Adds up what `facts` are worth.
    pub fn of(facts: &Facts<'_>) -> Self {
        let parts = parts(facts);
        let total = |points: fn(&Part) -> i32| parts.iter().map(points).sum::<i32>();
        let confidence = CONFIDENCE_BASE + total(|part| part.confidence);
        let false_positive = total(|part| part.false_positive);
        Self {
            confidence: confidence.clamp(5, 99) as u8,
            false_positive: false_positive.clamp(1, 95) as u8,
            parts,
        }
    }
}

/// Events of the most serious alerts, for claims about the whole.
pub(crate) fn proof(facts: &Facts<'_>) -> Vec<EventId> {
    let mut events: Vec<EventId> = Vec::new();
    for finding in facts.findings.iter().take(5) {
        for event in finding.alert.events.iter().take(2) {
            if !events.contains(event) {
                events.push(*event);
            }
        }
    }
    events
}

fn parts(facts: &Facts<'_>) -> Vec<Part> {
    let told = facts.langs.any();
    let proof = if told { proof(facts) } else { Vec::new() };
    let mut parts = Vec::with_capacity(8);
    let mut part = |confidence, false_positive, fact: Localized, events: &[EventId]| {
        let events = if told { events.to_vec() } else { Vec::new() };
        parts.push(Part { fact, confidence, false_positive, events });
    };

    let (sure, wrong) = match facts.level {
        Severity::Informational => (0, 70),
        Severity::Low => (5, 55),
        Severity::Medium => (10, 35),
        Severity::High => (20, 20),
        Severity::Critical => (30, 10),
    };
    let leading = facts.leading().map_or(&[] as &[EventId], |finding| &finding.alert.events);
    let leading = leading.get(..leading.len().min(5)).unwrap_or(leading);
    let level = |lang| {
        let (is, end) = match lang {
            Lang::En => ("The worst level of a rule is ", ""),
            Lang::Fr => ("Le pire niveau d’une règle est « ", " »"),
        };
        [is, &facts.level.label(lang).to_lowercase(), end].concat()
    };
    part(sure, wrong, facts.langs.text(level), leading);

    let volume = match facts.events {
        0..=4 => (0, 0),
        5..=19 => (5, 0),
        20..=99 => (10, -5),
        _ => (15, -10),
    };
    if volume.0 > 0 {
        let fact = facts.langs.text(|lang| {
            let (counted, events) = match lang {
                Lang::En => ("One rule alone counted ", " events"),
                Lang::Fr => ("Une seule règle a compté ", " événements"),
            };
            [counted, Buffer::new().format(facts.events), events].concat()
        });
        part(volume.0, volume.1, fact, &proof);
    }
    if facts.events == 1 && facts.findings.len() == 1 && !facts.by_hash {
        part(
            -10,
            10,
            facts.langs.fixed("It rests on one event", "Tout repose sur un événement"),
            &proof,
        );
    }
    if facts.tempo().is_some_and(|tempo| tempo >= 0.1) {
        let fact = facts.langs.fixed(
            "The pace is that of a program, not of a person",
            "Le rythme est celui d’un programme, pas d’une personne",
        );
        part(5, 0, fact, &proof);
    }

    let breadth = [
        (facts.users >= 3).then_some((facts.users, "accounts", "comptes")),
        (facts.targets >= 3).then_some((facts.targets, "targets", "cibles")),
        (facts.paths >= 10).then_some((facts.paths, "paths", "chemins")),
        (facts.ports >= 15).then_some((facts.ports, "ports", "ports")),
    ];
    let wide: Vec<_> = breadth.into_iter().flatten().collect();
    if !wide.is_empty() {
        let points = if wide.len() > 1 { 10 } else { 5 };
        let fact = facts.langs.text(|lang| {
            let reach: Vec<String> = wide
                .iter()
                .map(|(number, en, fr)| {
                    format!("{number} {}", if lang == Lang::En { en } else { fr })
                })
                .collect();
            match lang {
                Lang::En => format!("It reaches over {}", reach.join(", ")),
                Lang::Fr => format!("Cela touche {}", reach.join(", ")),
            }
        });
        part(points, -points, fact, &proof);
    }
    if facts.rules > 1 {
        let points = if facts.rules > 2 { 10 } else { 5 };
        let fact = facts.langs.text(|lang| match lang {
            Lang::En => format!("{} different rules agree", facts.rules),
            Lang::Fr => format!("{} règles différentes concordent", facts.rules),
        });
        part(points, -points, fact, &proof);
    }
    if facts.phases.len() > 1 {
        let points = if facts.phases.len() > 2 { 10 } else { 5 };
        let stages = facts.phases.len() as u64;
        let fact = facts.langs.text(|lang| match lang {
            Lang::En => format!("{stages} stages of an intrusion were seen"),
            Lang::Fr => format!("{stages} étapes d’une intrusion ont été observées"),
        });
        part(points, -points, fact, &proof);
    }
    if !facts.got_in.is_empty() {
        let fact = facts.langs.fixed(
            "A login worked for an address that had been guessing passwords",
            "Une connexion a réussi pour une adresse qui devinait des mots de passe",
        );
        part(15, 0, fact, &facts.got_in);
        if facts.users <= 1 && facts.events < 10 {
            let fact = facts.langs.text(|lang| {
                let number = counted(facts.events, "event", "events", Lang::En);
                match lang {
                    Lang::En => format!("Only one account and {number}: perhaps its owner"),
                    Lang::Fr => {
                        let number = counted(facts.events, "événement", "événements", lang);
                        format!("Un seul compte et {number} : peut-être son titulaire")
                    }
                }
            });
            part(-10, 15, fact, &facts.got_in);
        }
    }
    if facts.by_hash {
        let fact = facts.langs.fixed(
            "The hash of a file is part of the proof",
            "L’empreinte d’un fichier fait partie des preuves",
        );
        part(15, -5, fact, &proof);
    }
    if facts.internal && !facts.phases.iter().any(|phase| phase.is_inside()) {
        let fact = facts.langs.fixed(
            "The actor has a private address; tools and scripts of one’s own look like this too",
            "L’acteur a une adresse privée ; vos propres outils et scripts y ressemblent aussi",
        );
        part(-10, 15, fact, &proof);
    }
    parts
}
