//! One to three sentences on an incident.

use vigie_event::{Alert, Category, CompactString, Lang, Localized, Severity};

use crate::Case;
use crate::facts::{Facts, Phase};
use crate::text::{list, push_counted, push_duration, push_list, shown};

/// Who did what to whom, how it combined, and how bad it is.
pub fn summary<'c>(
    case: &Case<'c>,
    facts: &Facts<'c>,
    category: Category,
    severity: Severity,
) -> Localized {
    let deed = Deed::of(case, facts, category);
    facts.langs.text(|lang| {
        let title = facts.leading().map(|finding| finding.alert.rule.title.get(lang));
        let title = title.filter(|_| category == Category::SuspiciousActivity);
        let mut text = first_sentence(case, &deed, (category, title), lang);
        if !facts.got_in.is_empty() {
            let users = login_names(facts);
            let login = match (lang, users.is_empty()) {
                (Lang::En, true) => " Then a login worked".to_owned(),
                (Lang::Fr, true) => " Puis une connexion a réussi".to_owned(),
                (Lang::En, false) => format!(" Then it logged in as {}", list(&users, lang)),
                (Lang::Fr, false) => format!(" Puis connexion réussie avec {}", list(&users, lang)),
            };
            text += &login;
            let further = further_hosts(case, facts, &deed);
            if !further.is_empty() {
                let hosts = list(&further, lang);
                let spread = match lang {
                    Lang::En => "; the intrusion spread to ",
                    Lang::Fr => " ; l’intrusion s’est étendue à ",
                };
                text += spread;
                text += &hosts;
            }
            text.push('.');
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

/// What the incident is named for, by the alerts of its category alone: others may have happened
/// elsewhere and at other times.
struct Deed<'c> {
    hosts: Vec<&'c str>,
    events: u64,
    span_s: u64,
}

impl<'c> Deed<'c> {
    fn of(case: &Case<'c>, facts: &Facts<'c>, category: Category) -> Self {
        let of_category: Vec<&'c Alert> = facts
            .findings
            .iter()
            .filter(|finding| finding.category == category)
            .map(|finding| finding.alert)
            .collect();
        let entities = &case.incident.entities;
        let first = of_category.iter().map(|alert| alert.first_seen).min();
        let last = of_category.iter().map(|alert| alert.last_seen).max();
        let (Some(first), Some(last)) = (first, last) else {
            let hosts = [entities.values("host.name"), entities.values("destination.ip")];
            let hosts = hosts.into_iter().find(|hosts| !hosts.is_empty()).unwrap_or_default();
            let hosts = hosts.iter().map(CompactString::as_str).collect();
            return Self { hosts, events: facts.events, span_s: facts.span_s };
        };
        let values = |field| distinct(of_category.iter().flat_map(|it| it.entities.values(field)));
        let hosts = values("host.name");
        Self {
            hosts: if hosts.is_empty() { values("destination.ip") } else { hosts },
            events: of_category.iter().map(|alert| alert.count).max().unwrap_or(0),
            span_s: u64::try_from(last.since(first) / 1_000_000_000).unwrap_or(0),
        }
    }
}

/// The hosts besides those of the deed on which the actor was active once he was in.
fn further_hosts<'c>(case: &Case<'c>, facts: &Facts<'c>, deed: &Deed<'c>) -> Vec<&'c str> {
    let is_inside = |alert: &Alert| {
        let inside = ["taken_account", "same_host", "from_host"];
        case.incident
            .reasons
            .iter()
            .any(|why| why.alert == alert.id && inside.contains(&why.reason.as_str()))
    };
    let mut alerts: Vec<&'c Alert> = facts
        .findings
        .iter()
        .map(|finding| finding.alert)
        .filter(|alert| is_inside(alert))
        .collect();
    alerts.sort_by_key(|alert| (alert.first_seen, alert.id));
    let mut hosts = distinct(alerts.into_iter().flat_map(|it| it.entities.values("host.name")));
    hosts.retain(|host| !deed.hosts.contains(host));
    hosts
}

fn distinct<'v>(values: impl Iterator<Item = &'v CompactString>) -> Vec<&'v str> {
    let mut kept: Vec<&str> = Vec::new();
    for value in values {
        if !kept.contains(&value.as_str()) {
            kept.push(value);
        }
    }
    kept
}

/// Of what is not an attack of a known kind, the worst rule's title says what it was.
fn first_sentence(
    case: &Case<'_>,
    did: &Deed<'_>,
    (category, title): (Category, Option<&str>),
    lang: Lang,
) -> String {
    let incident = case.incident;
    let actor = match (incident.actor.field.as_str(), lang) {
        ("source.ip" | "destination.ip", Lang::En) => "The address ",
        ("source.ip" | "destination.ip", Lang::Fr) => "L’adresse ",
        ("user.name", Lang::En) => "The account ",
        ("user.name", Lang::Fr) => "Le compte ",
        ("host.name", Lang::En) => "The machine ",
        ("host.name", Lang::Fr) => "La machine ",
        (_, Lang::En) => "The actor ",
        (_, Lang::Fr) => "L’acteur ",
    };
    let (on, colon, one, many, within) = match lang {
        Lang::En => (" on ", ": ", "event", "events", " within "),
        Lang::Fr => (" sur ", " : ", "événement", "événements", " en "),
    };
    let mut text = String::with_capacity(256);
    text.push_str(actor);
    text.push_str(&shown(&incident.actor.value, lang));
    text.push(' ');
    text.push_str(deed(category, lang));
    if !did.hosts.is_empty() {
        text.push_str(on);
        push_list(&mut text, &did.hosts, lang);
    }
    if let Some(title) = title {
        let (open, close) = match lang {
            Lang::En => (" (“", "”)"),
            Lang::Fr => (" (« ", " »)"),
        };
        text.push_str(open);
        text.push_str(&shown(title, lang));
        text.push_str(close);
    }
    text.push_str(colon);
    push_counted(&mut text, did.events, one, many, lang);
    if did.span_s > 0 {
        text.push_str(within);
        push_duration(&mut text, did.span_s, lang);
    }
    text.push('.');
    text
}

/// The accounts of the login alerts.
fn login_names(facts: &Facts<'_>) -> Vec<String> {
    let logins = facts
        .findings
        .iter()
        .filter(|finding| finding.alert.events.iter().any(|event| facts.got_in.contains(event)));
    let single = logins.filter(|finding| finding.alert.entities.values("user.name").len() == 1);
    let mut names: Vec<String> = single
        .flat_map(|finding| {
            finding.alert.entities.values("user.name").iter().map(ToString::to_string)
        })
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
