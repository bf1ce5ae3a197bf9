//! One to three sentences on an incident.

use vigie_event::{Category, Lang, Localized, Severity};

use crate::Case;
use crate::facts::{Facts, Phase};
use crate::text::{both, counted, duration, list, shown};

/// Who did what to whom, how it combined, and how bad it is.
pub fn summary(
    case: &Case<'_>,
    facts: &Facts<'_>,
    category: Category,
    severity: Severity,
) -> Localized {
    both(|lang| {
        let mut text = first_sentence(case, facts, category, lang);
        if !facts.got_in.is_empty() {
            let users = login_names(facts);
            let login = match (lang, users.is_empty()) {
                (Lang::En, true) => " Then a login worked.".to_owned(),
                (Lang::Fr, true) => " Puis une connexion a réussi.".to_owned(),
                (Lang::En, false) => format!(" Then it logged in as {}.", list(&users, lang)),
                (Lang::Fr, false) => {
                    format!(" Puis connexion réussie avec {}.", list(&users, lang))
                }
            };
            text += &login;
        } else if facts.phases.len() > 1 {
            let phases: Vec<&str> =
                facts.phases.iter().map(|phase| phase_name(*phase, lang)).collect();
            let sentence = match lang {
                Lang::En => format!(" Stages seen: {}.", phases.join(", ")),
                Lang::Fr => format!(" Étapes observées : {}.", phases.join(", ")),
            };
            text += &sentence;
        }
        if severity > facts.level {
            let (from, to) = (facts.level.label(lang), severity.label(lang));
            let sentence = match lang {
                Lang::En => format!(
                    " Taken together this is {}, though no single rule says more than {}.",
                    to.to_lowercase(),
                    from.to_lowercase()
                ),
                Lang::Fr => format!(
                    " L’ensemble est jugé « {} », bien qu’aucune règle seule ne dise plus que « {} ».",
                    to.to_lowercase(),
                    from.to_lowercase()
                ),
            };
            text += &sentence;
        }
        text
    })
}

fn first_sentence(case: &Case<'_>, facts: &Facts<'_>, category: Category, lang: Lang) -> String {
    let incident = case.incident;
    let value = shown(&incident.actor.value, lang);
    let actor = match (incident.actor.field.as_str(), lang) {
        ("source.ip" | "destination.ip", Lang::En) => format!("The address {value}"),
        ("source.ip" | "destination.ip", Lang::Fr) => format!("L’adresse {value}"),
        ("user.name", Lang::En) => format!("The account {value}"),
        ("user.name", Lang::Fr) => format!("Le compte {value}"),
        ("host.name", Lang::En) => format!("The machine {value}"),
        ("host.name", Lang::Fr) => format!("La machine {value}"),
        (_, Lang::En) => format!("The actor {value}"),
        (_, Lang::Fr) => format!("L’acteur {value}"),
    };
    let deed = deed(category, lang);
    let hosts = incident.entities.values("host.name");
    let targets = if hosts.is_empty() { incident.entities.values("destination.ip") } else { hosts };
    let place = match (targets.is_empty(), lang) {
        (true, _) => String::new(),
        (false, Lang::En) => format!(" on {}", list(targets, lang)),
        (false, Lang::Fr) => format!(" sur {}", list(targets, lang)),
    };
    let span = duration(facts.span_s, lang);
    match lang {
        Lang::En => {
            let events = counted(facts.events, "event", "events", lang);
            let within = if facts.span_s == 0 { String::new() } else { format!(" within {span}") };
            format!("{actor} {deed}{place}: {events}{within}.")
        }
        Lang::Fr => {
            let events = counted(facts.events, "événement", "événements", lang);
            let within = if facts.span_s == 0 { String::new() } else { format!(" en {span}") };
            format!("{actor} {deed}{place} : {events}{within}.")
        }
    }
}

/// The accounts of the login alerts.
fn login_names(facts: &Facts<'_>) -> Vec<String> {
    let logins = facts
        .findings
        .iter()
        .filter(|finding| finding.alert.events.iter().any(|event| facts.got_in.contains(event)));
    let single = logins.filter(|finding| finding.alert.entities.values("user.name").len() == 1);
    let mut names: Vec<String> = single
        .flat_map(|finding| finding.alert.entities.values("user.name").iter().cloned())
        .collect();
    names.sort();
    names.dedup();
    names
}

fn deed(category: Category, lang: Lang) -> &'static str {
    match (category, lang) {
        (Category::BruteForce, Lang::En) => "guessed passwords",
        (Category::BruteForce, Lang::Fr) => "a essayé de deviner des mots de passe",
        (Category::PortScan, Lang::En) => "looked for open ports",
        (Category::PortScan, Lang::Fr) => "a cherché des ports ouverts",
        (Category::WebAttack, Lang::En) => "attacked a web application",
        (Category::WebAttack, Lang::Fr) => "a attaqué une application web",
        (Category::Malware, Lang::En) => "had to do with known malware",
        (Category::Malware, Lang::Fr) => "est lié à un logiciel malveillant connu",
        (Category::LateralMovement, Lang::En) => "moved from machine to machine",
        (Category::LateralMovement, Lang::Fr) => "s’est déplacé de machine en machine",
        (Category::Exfiltration, Lang::En) => "moved data out",
        (Category::Exfiltration, Lang::Fr) => "a fait sortir des données",
        (Category::CredentialAccess, Lang::En) => "reached for credentials",
        (Category::CredentialAccess, Lang::Fr) => "a cherché à prendre des identifiants",
        (Category::Execution, Lang::En) => "ran suspicious commands",
        (Category::Execution, Lang::Fr) => "a exécuté des commandes suspectes",
        (Category::Persistence, Lang::En) => "secured lasting access",
        (Category::Persistence, Lang::Fr) => "s’est ménagé un accès durable",
        (Category::PrivilegeEscalation, Lang::En) => "tried to gain rights",
        (Category::PrivilegeEscalation, Lang::Fr) => "a essayé d’obtenir des droits",
        (Category::DefenseEvasion, Lang::En) => "tried to hide or to mislead the defence",
        (Category::DefenseEvasion, Lang::Fr) => "a essayé de se cacher ou de tromper la défense",
        (Category::CommandAndControl, Lang::En) => "talked to suspicious servers",
        (Category::CommandAndControl, Lang::Fr) => "a communiqué avec des serveurs suspects",
        (Category::SuspiciousActivity | Category::Benign, Lang::En) => "did something unusual",
        (Category::SuspiciousActivity | Category::Benign, Lang::Fr) => {
            "a eu une activité inhabituelle"
        }
    }
}

fn phase_name(phase: Phase, lang: Lang) -> &'static str {
    match (phase, lang) {
        (Phase::Discovery, Lang::En) => "discovery",
        (Phase::Discovery, Lang::Fr) => "reconnaissance",
        (Phase::CredentialAccess, Lang::En) => "credential access",
        (Phase::CredentialAccess, Lang::Fr) => "accès aux identifiants",
        (Phase::InitialAccess, Lang::En) => "initial access",
        (Phase::InitialAccess, Lang::Fr) => "accès initial",
        (Phase::Execution, Lang::En) => "execution",
        (Phase::Execution, Lang::Fr) => "exécution",
        (Phase::Persistence, Lang::En) => "persistence",
        (Phase::Persistence, Lang::Fr) => "persistance",
        (Phase::PrivilegeEscalation, Lang::En) => "privilege escalation",
        (Phase::PrivilegeEscalation, Lang::Fr) => "élévation de privilèges",
        (Phase::DefenseEvasion, Lang::En) => "defence evasion",
        (Phase::DefenseEvasion, Lang::Fr) => "contournement des défenses",
        (Phase::LateralMovement, Lang::En) => "lateral movement",
        (Phase::LateralMovement, Lang::Fr) => "déplacement latéral",
        (Phase::Collection, Lang::En) => "collection",
        (Phase::Collection, Lang::Fr) => "collecte",
        (Phase::CommandAndControl, Lang::En) => "command and control",
        (Phase::CommandAndControl, Lang::Fr) => "commande et contrôle",
        (Phase::Exfiltration, _) => "exfiltration",
        (Phase::Impact, _) => "impact",
    }
}
