//! Made-up records, the same ones for the same seed and start.
//!
//! Lines stand in the formats that real programs write, with times in UTC. All addresses and
//! names are from the ranges that are kept for documentation.

mod agents;
mod alerts;
mod cast;
mod intrusion;
mod operators;
mod play;
mod quiet;
mod random;
mod ssh;
mod story;
#[cfg(test)]
mod tests;
mod tools;
mod web;

use std::time::Duration;

use vigie_event::{Format, Lang, Timestamp};

use self::story::Story;

pub use play::{Pace, play};

/// One made-up record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Simulated {
    /// When it happened; the line says so too, as precisely as its format can.
    pub time: Timestamp,
    /// Time since the record before.
    pub pause: Duration,
    /// The log that it stands in, such as `auth.log`.
    pub source: &'static str,
    /// The line's format.
    pub format: Format,
    /// The line, without its end.
    pub line: String,
}

/// A scenario by its name.
#[derive(Clone, Copy, Debug)]
pub struct Scenario {
    /// The name on the command line.
    pub name: &'static str,
    en: &'static str,
    fr: &'static str,
    tell: fn(&mut Story),
}

impl Scenario {
    /// What happens in it, in one sentence without a full stop.
    pub fn description(&self, lang: Lang) -> &'static str {
        match lang {
            Lang::En => self.en,
            Lang::Fr => self.fr,
        }
    }
}

/// All scenarios.
pub const SCENARIOS: [Scenario; 24] = [
    Scenario {
        name: "demo",
        en: "an intrusion in eight steps amid everyday traffic, told in little more than a minute",
        fr: "une intrusion en huit étapes au milieu du trafic quotidien, racontée en un peu plus d’une minute",
        tell: |story| {
            quiet::tell(story, &quiet::MOMENT);
            intrusion::tell(story, &intrusion::SHORT);
        },
    },
    Scenario {
        name: "intrusion",
        en: "one intruder from the first port scan to 2.3 GB of stolen data, in eleven minutes",
        fr: "un intrus, du premier balayage de ports à 2,3 Go de données volées, en onze minutes",
        tell: |story| intrusion::tell(story, &intrusion::REAL),
    },
    Scenario {
        name: "quiet",
        en: "an ordinary day: logins by key, scheduled jobs, visitors, a few mistyped passwords",
        fr: "une journée ordinaire\u{202f}: connexions par clé, tâches planifiées, visiteurs, \
             quelques fautes de frappe dans les mots de passe",
        tell: |story| quiet::tell(story, &quiet::DAY),
    },
    Scenario {
        name: "ssh-brute-force",
        en: "passwords guessed over SSH until one fits, then a new privileged account",
        fr: "des mots de passe essayés par SSH jusqu’à ce que l’un d’eux convienne, puis un \
             nouveau compte privilégié",
        tell: ssh::tell_brute_force,
    },
    Scenario {
        name: "web-attack",
        en: "a web server scanned, traversed, injected with SQL, and run through a web shell",
        fr: "un serveur web sondé, parcouru par traversée de répertoires, soumis à des \
             injections SQL, puis commandé par un web shell",
        tell: web::tell_attack,
    },
    Scenario {
        name: "ssh_failed",
        en: "the agents’ events of failed SSH logins",
        fr: "les événements des agents pour des connexions SSH refusées",
        tell: |story| agents::tell(story, "ssh_failed"),
    },
    Scenario {
        name: "port_scan",
        en: "the agents’ events of port scans",
        fr: "les événements des agents pour des balayages de ports",
        tell: |story| agents::tell(story, "port_scan"),
    },
    Scenario {
        name: "http_anomaly",
        en: "the agents’ events of abnormal HTTP requests",
        fr: "les événements des agents pour des requêtes HTTP anormales",
        tell: |story| agents::tell(story, "http_anomaly"),
    },
    Scenario {
        name: "dns_query_suspicious",
        en: "the agents’ events of suspicious DNS queries",
        fr: "les événements des agents pour des requêtes DNS suspectes",
        tell: |story| agents::tell(story, "dns_query_suspicious"),
    },
    Scenario {
        name: "malware_hash_detected",
        en: "the agents’ events of files with a malware’s hash",
        fr: "les événements des agents pour des fichiers portant l’empreinte d’un logiciel \
             malveillant",
        tell: |story| agents::tell(story, "malware_hash_detected"),
    },
    Scenario {
        name: "login_success_unusual",
        en: "the agents’ events of unusual successful logins",
        fr: "les événements des agents pour des connexions réussies mais inhabituelles",
        tell: |story| agents::tell(story, "login_success_unusual"),
    },
    Scenario {
        name: "agents",
        en: "all six kinds of the agents’ events",
        fr: "les six types d’événements des agents",
        tell: |story| {
            for kind in [
                "ssh_failed",
                "port_scan",
                "http_anomaly",
                "dns_query_suspicious",
                "malware_hash_detected",
                "login_success_unusual",
            ] {
                agents::tell(story, kind);
            }
        },
    },
    Scenario {
        name: "alerts",
        en: "eight alerts of one intrusion, for `vigie analyze`",
        fr: "huit alertes d’une même intrusion, pour `vigie analyze`",
        tell: alerts::tell,
    },
    Scenario {
        name: "nmap",
        en: "a port scan at nmap’s pace over five machines",
        fr: "un balayage de ports au rythme de nmap sur cinq machines",
        tell: tools::tell_nmap,
    },
    Scenario {
        name: "hydra",
        en: "passwords guessed at hydra’s pace",
        fr: "des mots de passe essayés au rythme de hydra",
        tell: tools::tell_hydra,
    },
    Scenario {
        name: "ffuf",
        en: "paths of a word list at ffuf’s pace",
        fr: "les chemins d’une liste de mots au rythme de ffuf",
        tell: tools::tell_ffuf,
    },
    Scenario {
        name: "nuclei",
        en: "templates of known holes at nuclei’s pace",
        fr: "des modèles de failles connues au rythme de nuclei",
        tell: tools::tell_nuclei,
    },
    Scenario {
        name: "ansible",
        en: "a playbook of forty tasks on five machines",
        fr: "un playbook de quarante tâches sur cinq machines",
        tell: tools::tell_ansible,
    },
    Scenario {
        name: "monitor",
        en: "a monitoring probe every thirty seconds",
        fr: "une sonde de supervision toutes les trente secondes",
        tell: tools::tell_monitor,
    },
    Scenario {
        name: "crawler",
        en: "a search engine’s crawler",
        fr: "le robot d’un moteur de recherche",
        tell: tools::tell_crawler,
    },
    Scenario {
        name: "administrator",
        en: "an administrator at a shell",
        fr: "un administrateur dans un terminal",
        tell: operators::tell_administrator,
    },
    Scenario {
        name: "visitor",
        en: "a visitor of the web site",
        fr: "un visiteur du site web",
        tell: operators::tell_visitor,
    },
    Scenario {
        name: "ai-agent",
        en: "an AI agent from the first request to the third machine",
        fr: "un agent IA, de la première requête à la troisième machine",
        tell: operators::tell_agent,
    },
    Scenario {
        name: "ai-agent-sleeping",
        en: "the same agent, sleeping up to five seconds between its actions",
        fr: "le même agent, qui attend jusqu’à cinq secondes entre ses actions",
        tell: operators::tell_agent_with_sleep,
    },
];

/// The records of the scenario called `name`, beginning at `start`; `None` where there is no such
/// scenario.
pub fn scenario(
    name: &str,
    seed: u64,
    start: Timestamp,
) -> Option<Box<dyn Iterator<Item = Simulated> + Send>> {
    let scenario = SCENARIOS.iter().find(|scenario| scenario.name == name)?;
    let mut story = Story::new(seed);
    (scenario.tell)(&mut story);
    Some(Box::new(story.tell(start)))
}
