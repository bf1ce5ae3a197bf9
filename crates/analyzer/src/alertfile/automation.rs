//! The signs of automation in one alert of a file, and in the course that it belongs to.

use vigie_event::{Autonomy, Lang, Localized, Timestamp};

use super::judge::Judged;
use super::quantity::{Quantity, What};
use crate::autonomy::{Gates, Sign, Tally, falling, plateau, quick_stages, rising};
use crate::facts::Phase;
use crate::text::duration;

/// Tools whose names an alert may carry: they prove a program, and rather a script than an agent.
const TOOLS: [&str; 16] = [
    "nmap",
    "masscan",
    "zmap",
    "hydra",
    "medusa",
    "ncrack",
    "sqlmap",
    "nikto",
    "ffuf",
    "gobuster",
    "dirbuster",
    "nuclei",
    "wpscan",
    "python-requests",
    "curl/",
    "go-http-client",
];

/// What an alert shows by itself, before it is seen among the others.
#[derive(Clone, Debug, Default)]
pub(super) struct Signs {
    pub quantities: Vec<Quantity>,
    /// The tool that it names.
    pub tool: Option<&'static str>,
}

impl Signs {
    /// Reads an alert's own signs. Its text is only compared with names of tools.
    pub fn of(alert: &super::ReadAlert) -> Self {
        let quantities = super::quantity::all(&alert.fields);
        let texts = alert.fields.values().filter_map(serde_json::Value::as_str);
        let tool = texts.take(60).find_map(|text| {
            let text = text.get(..text.floor_char_boundary(300)).unwrap_or(text);
            let lower = text.to_ascii_lowercase();
            TOOLS.into_iter().find(|tool| has_word(&lower, tool))
        });
        Self { quantities, tool }
    }

    /// Actions a second, of the fastest kind.
    fn fastest(&self) -> Option<(What, f64)> {
        let actions = self.quantities.iter().filter(|quantity| quantity.what != What::Bytes);
        let paces = actions.filter_map(|quantity| Some((quantity.what, quantity.per_second?)));
        paces.max_by(|one, other| one.1.total_cmp(&other.1))
    }
}

/// Whether `word` stands in `text` as a word of its own.
fn has_word(text: &str, word: &str) -> bool {
    text.match_indices(word).any(|(at, _)| {
        let before = text.get(..at).and_then(|front| front.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|rest| rest.chars().next());
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

/// The score of one alert by itself: without a measured pace or a tool there is too little to tell.
pub(super) fn alone(judged: &Judged) -> Autonomy {
    let mut tally = Tally::default();
    own(&mut tally, judged);
    let enough = judged.signs.fastest().is_some() || judged.signs.tool.is_some();
    caveats(&mut tally, enough);
    tally.finish(enough, Gates::default())
}

/// The score of an alert as part of a course: its own signs and those of the course.
pub(super) fn together(judged: &Judged, course: &Course) -> Autonomy {
    let mut tally = Tally::default();
    own(&mut tally, judged);
    course.add(&mut tally);
    let enough = course.measured || judged.signs.fastest().is_some();
    caveats(&mut tally, enough);
    tally.finish(enough, Gates::default())
}

fn caveats(tally: &mut Tally, enough: bool) {
    tally.against(if enough {
        Localized::new(
            "Alerts alone tell a program from a person, not an AI agent from a script: the score ends at 59",
            "Des alertes seules distinguent un programme d’une personne, pas un agent IA d’un script : le score s’arrête à 59",
        )
    } else {
        Localized::new(
            "No pace, no tool and no quick succession of stages are known of it",
            "On n’en connaît ni rythme, ni outil, ni enchaînement rapide d’étapes",
        )
    });
}

fn own(tally: &mut Tally, judged: &Judged) {
    for quantity in &judged.signs.quantities {
        let (what, Some(pace)) = (quantity.what, quantity.per_second) else { continue };
        let Some(people) = what.beyond_people() else { continue };
        let text = |lang: Lang| paced(what, pace, lang);
        if pace > people {
            tally.automated();
        }
        let gap = 1.0 / pace;
        // Between a person and a script: what was seen of language-model agents.
        let gap_sign = Sign {
            name: "tempo.median_gap",
            value: gap,
            threshold: 1.0,
            most: 8.0,
            share: plateau(gap, 0.5, 1.0, 8.0, 16.0),
            events: Vec::new(),
        };
        if gap_sign.share > 0.0 {
            tally.automated();
        }
        tally.add(gap_sign, |lang| match lang {
            Lang::En => format!(
                "{}: one every {gap:.1} s on average, between a script’s pace and a person’s",
                text(lang)
            ),
            Lang::Fr => format!(
                "{} : une toutes les {} en moyenne, entre le rythme d’un script et celui d’une personne",
                text(lang),
                format!("{gap:.1} s").replace('.', ",")
            ),
        });
        tally.add(
            Sign {
                name: "tempo.rate",
                value: pace,
                threshold: people,
                most: 7.0,
                share: rising(pace, people / 2.0, people * 3.0),
                events: Vec::new(),
            },
            |lang| match lang {
                Lang::En => format!("{}: faster than people work", text(lang)),
                Lang::Fr => format!("{} : plus vite que ne travaille une personne", text(lang)),
            },
        );
        if what == What::Ports {
            tally.add(
                Sign {
                    name: "breadth.coverage",
                    value: pace,
                    threshold: 10.0,
                    most: 4.0,
                    share: rising(pace, 1.0, 10.0),
                    events: Vec::new(),
                },
                |lang| match lang {
                    Lang::En => "It goes through a range of ports without leaving out".to_owned(),
                    Lang::Fr => "Une plage de ports est parcourue systématiquement".to_owned(),
                },
            );
        }
    }
    for quantity in judged.signs.quantities.iter().filter(|one| one.what == What::Bytes) {
        let Some(bytes) = quantity.amount else { continue };
        tally.add(
            Sign {
                name: "breadth.volume",
                value: bytes / 1e9,
                threshold: 1.0,
                most: 2.0,
                share: rising(bytes, 1e8, 1e9),
                events: Vec::new(),
            },
            |lang| match lang {
                Lang::En => {
                    format!("{} GB moved in one go: a program’s work", short(bytes / 1e9, lang))
                }
                Lang::Fr => {
                    format!(
                        "{} Go transférés d’un coup : l’œuvre d’un programme",
                        short(bytes / 1e9, lang)
                    )
                }
            },
        );
    }
    if let Some(tool) = judged.signs.tool {
        tally.automated();
        tally.against(Localized::new(
            format!("It names a known tool ({tool}), which people and scripts use just as well"),
            format!("Elle nomme un outil connu ({tool}), qu’emploient aussi personnes et scripts"),
        ));
    }
}

/// `47 ports a second`, `12 commands a minute`.
fn paced(what: What, pace: f64, lang: Lang) -> String {
    let (number, en, fr) = if pace >= 1.0 {
        (pace, "a second", "par seconde")
    } else {
        (pace * 60.0, "a minute", "par minute")
    };
    let noun = match what {
        What::Ports => lang.pick("ports", "ports"),
        What::Attempts => lang.pick("attempts", "tentatives"),
        What::Commands => lang.pick("commands", "commandes"),
        What::Requests => lang.pick("requests", "requêtes"),
        What::Hosts => lang.pick("machines", "machines"),
        What::Bytes => lang.pick("bytes", "octets"),
        What::Events => lang.pick("events", "événements"),
    };
    format!("{} {noun} {}", short(number, lang), lang.pick(en, fr))
}

/// A number with one decimal where it has one.
fn short(number: f64, lang: Lang) -> String {
    let text = format!("{number:.1}");
    let text = text.strip_suffix(".0").unwrap_or(&text);
    match lang {
        Lang::En => text.to_owned(),
        Lang::Fr => text.replace('.', ","),
    }
}

/// What a course of attack shows that no alert of it shows alone.
#[derive(Clone, Debug, Default)]
pub(super) struct Course {
    /// Stages and the shortest time in which three of them came, in seconds.
    stages: Option<(usize, f64)>,
    machines: usize,
    seconds: f64,
    fast: usize,
    alerts: usize,
    /// Whether there is enough to tell.
    measured: bool,
}

impl Course {
    pub fn of(members: &[&Judged]) -> Self {
        let mut firsts: Vec<(Timestamp, Phase)> = Vec::new();
        let mut timed: Vec<(Timestamp, Phase)> = members
            .iter()
            .filter_map(|judged| Some((judged.alert.time?, judged.known.phase?)))
            .collect();
        timed.sort_unstable();
        for (time, phase) in timed {
            if !firsts.iter().any(|(_, known)| *known == phase) {
                firsts.push((time, phase));
            }
        }
        let three = firsts.windows(3).filter_map(|window| match window {
            [first, .., last] => Some(last.0.since(first.0) as f64 / 1e9),
            _ => None,
        });
        let stages = three.min_by(f64::total_cmp).map(|seconds| (firsts.len(), seconds));
        let mut machines: Vec<&str> =
            members.iter().filter_map(|judged| judged.alert.target.as_deref()).collect();
        machines.sort_unstable();
        machines.dedup();
        let moments = || members.iter().filter_map(|judged| judged.alert.time);
        let span =
            moments().max().zip(moments().min()).map_or(0, |(last, first)| last.since(first));
        let fast = members.iter().filter(|judged| judged.signs.fastest().is_some()).count();
        Self {
            stages,
            machines: machines.len(),
            seconds: span as f64 / 1e9,
            fast,
            alerts: members.len(),
            measured: fast > 0 || stages.is_some_and(|(_, seconds)| seconds <= 3_600.0),
        }
    }

    fn add(&self, tally: &mut Tally) {
        if self.fast > 0 {
            tally.automated();
            tally.add(
                Sign {
                    name: "tempo.course",
                    value: self.fast as f64,
                    threshold: 2.0,
                    most: 4.0,
                    share: rising(self.fast as f64, 0.0, 2.0),
                    events: Vec::new(),
                },
                |lang| match lang {
                    Lang::En => format!(
                        "{} of the {} alerts of this attack have a measured machine pace",
                        self.fast, self.alerts
                    ),
                    Lang::Fr => format!(
                        "{} des {} alertes de cette attaque ont un rythme de machine mesuré",
                        self.fast, self.alerts
                    ),
                },
            );
        }
        if let Some((stages, seconds)) = self.stages {
            tally.add(
                Sign {
                    name: "phase.tactics",
                    value: seconds,
                    threshold: 900.0,
                    most: 10.0,
                    share: falling(seconds, 900.0, 3_600.0),
                    events: Vec::new(),
                },
                |lang| quick_stages(stages, seconds, lang),
            );
        }
        let each_five_minutes = self.machines as f64 / (self.seconds / 300.0).max(1.0);
        tally.add(
            Sign {
                name: "breadth.targets",
                value: each_five_minutes,
                threshold: 3.0,
                most: 6.0,
                share: rising(each_five_minutes, 0.5, 3.0) * rising(self.machines as f64, 1.0, 3.0),
                events: Vec::new(),
            },
            |lang| {
                let span = duration(self.seconds as u64, lang);
                match lang {
                    Lang::En => format!("{} machines within {span}", self.machines),
                    Lang::Fr => format!("{} machines en {span}", self.machines),
                }
            },
        );
    }
}
