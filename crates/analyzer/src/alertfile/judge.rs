//! One alert of a file → its criticality, techniques, actions and how sure that is.

use std::net::IpAddr;

use serde::Serialize;
use vigie_event::{
    Action, Attack, Autonomy, Category, FieldValues, Localized, Recommendation, Severity,
};

use super::alert::ReadAlert;
use super::automation::{self, Signs};
use super::context;
use super::kind::{self, Kind};
use crate::attack;
use crate::facts::is_internal;
use crate::recommend::is_bannable;

/// One alert of a file with its judgement.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// The alert as read.
    pub alert: ReadAlert,
    /// Short name of its kind, such as `port_scan`; `other` where it is of no known one.
    pub kind: &'static str,
    /// What kind of attack it is.
    pub category: Category,
    /// How bad: what the file says, else what is usual of its kind; raised by a chain.
    pub criticality: Severity,
    /// Tactic and techniques, checked against the table.
    pub attack: Vec<Attack>,
    /// How sure, 0–100.
    pub confidence: u8,
    /// Likelihood of a false positive, 0–100.
    pub false_positive: u8,
    /// Whether it is rather a false positive than an attack: its likelihood is 50 or more.
    pub is_false_positive: bool,
    /// Signs that a program, perhaps an AI agent, is at work.
    pub autonomy: Autonomy,
    /// What to do at once, most urgent first, with targets from the alert.
    pub actions: Vec<Recommendation>,
    /// What people should do, most urgent first.
    pub advice: Vec<Localized>,
    /// Whether a text of it speaks to language models. Nothing else depends on it.
    pub speaks_to_models: bool,
    /// Each part of the two likelihoods: what, points of confidence, points of false positive.
    pub reasons: Vec<(Localized, i32, i32)>,
    #[serde(skip)]
    pub(super) known: &'static Kind,
    #[serde(skip)]
    pub(super) signs: Signs,
}

/// Judges one alert by its kind and by what it tells.
///
/// Confidence starts at 30: +20 for a known kind, +10 each for a stated severity and a source
/// address, +5 each for a target and a time, +10 for a measured quantity. The likelihood of a
/// false positive starts at what is usual of the kind: −5 for a measured quantity, +10 for a
/// private source of an attack that comes from outside; then what the circumstances are worth
/// (`context.rs`). [`Report`](super::Report) adds what alerts
/// are worth together.
pub fn judge(alert: ReadAlert) -> Judged {
    let by_name = alert.name.as_deref().and_then(kind::of);
    let by_text = || alert.description.as_deref().and_then(kind::of);
    let known = by_name.or_else(by_text).unwrap_or(&kind::OTHER);
    let criticality = alert.severity.unwrap_or(known.severity);
    let mut judged = Judged {
        kind: known.name,
        category: known.category,
        criticality,
        attack: attacks(&alert, known),
        confidence: 0,
        false_positive: 0,
        is_false_positive: false,
        autonomy: Autonomy::default(),
        actions: Vec::new(),
        advice: known.advice.iter().map(|(en, fr)| Localized::new(*en, *fr)).collect(),
        speaks_to_models: false,
        reasons: Vec::new(),
        known,
        signs: Signs::of(&alert),
        alert,
    };
    judged.reasons = reasons(&judged.alert, &judged.signs, known);
    judged.autonomy = automation::alone(&judged);
    judged.add_up();
    judged.act();
    judged
}

impl Judged {
    /// Adds a fact that came to light later, such as a chain.
    pub(super) fn add(&mut self, fact: Localized, confidence: i32, false_positive: i32) {
        self.reasons.push((fact, confidence, false_positive));
        self.add_up();
    }

    /// Notes that a text of the alert speaks to language models: its readers are warned of it.
    pub fn note_injection(&mut self) {
        self.speaks_to_models = true;
        self.advice.insert(
            0,
            Localized::new(
                "A text of this alert speaks to an AI assistant: do nothing that it says, and show it to no model that acts by itself.",
                "Un texte de cette alerte s’adresse à un assistant IA : ne rien faire de ce qu’il demande, et ne le montrer à aucun modèle qui agit de lui-même.",
            ),
        );
    }

    fn add_up(&mut self) {
        let confidence: i32 = self.reasons.iter().map(|(_, points, _)| points).sum();
        let false_positive: i32 = self.reasons.iter().map(|(_, _, points)| points).sum();
        self.confidence = confidence.clamp(5, 99) as u8;
        self.false_positive = false_positive.clamp(1, 95) as u8;
        self.is_false_positive = self.false_positive >= 50;
    }

    /// Chooses actions for the criticality as it stands.
    pub(super) fn act(&mut self) {
        let foreign = |address: &IpAddr| is_bannable(*address) && !is_internal(*address);
        // What leaves the house is stopped at its receiver, not at one's own machine.
        let receiver =
            matches!(self.category, Category::Exfiltration | Category::CommandAndControl)
                .then(|| self.alert.target.clone())
                .flatten()
                .filter(|target| target.parse().is_ok_and(|address| foreign(&address)));
        let outward = receiver.is_some();
        let banned = receiver.or_else(|| self.alert.source.clone());
        let banned =
            banned.filter(|name| name.parse().is_ok_and(|address: IpAddr| is_bannable(address)));
        let own = banned.as_ref().and_then(|name| name.parse().ok()).is_some_and(is_internal);
        let about = |name: &str, value: &Option<String>| {
            value.iter().map(|value| (name, value.as_str())).collect::<FieldValues>()
        };
        let mut actions: Vec<Action> = self.known.actions.to_vec();
        if self.criticality == Severity::Critical && !actions.contains(&Action::Escalate) {
            actions.push(Action::Escalate);
        }
        if self.criticality >= Severity::High {
            actions.retain(|action| *action != Action::Monitor);
            if actions.is_empty() {
                actions.push(Action::CreateTicket);
            }
        } else {
            actions.retain(|action| *action != Action::Escalate);
        }
        if actions.contains(&Action::Escalate) {
            actions.retain(|action| *action != Action::CreateTicket);
        }
        self.actions = actions
            .into_iter()
            .filter(|action| {
                *action != Action::BlockIp
                    || (banned.is_some() && self.criticality >= Severity::Medium)
            })
            .map(|action| Recommendation {
                action,
                target: match action {
                    Action::BlockIp if outward => about("destination.ip", &banned),
                    Action::BlockIp => about("source.ip", &banned),
                    // People look after the machine of their own that the data leaves.
                    _ if outward => about("source", &self.alert.source),
                    _ if self.alert.target.is_some() => about("target", &self.alert.target),
                    _ => about("source", &self.alert.source),
                },
                reason: match action {
                    Action::BlockIp if outward => {
                        Localized::new("It receives the data", "Elle reçoit les données")
                    }
                    Action::BlockIp if own => Localized::new(
                        "It is an address of your own network: find out first what machine it is",
                        "C’est une adresse de votre propre réseau : chercher d’abord de quelle machine il s’agit",
                    ),
                    _ => reason(action),
                },
            })
            .collect();
        if self.actions.is_empty() {
            self.actions.push(Recommendation {
                action: Action::Monitor,
                target: about("source", &self.alert.source),
                reason: reason(Action::Monitor),
            });
        }
    }
}

fn reason(action: Action) -> Localized {
    match action {
        Action::BlockIp => Localized::new("It stops the source", "Cela arrête la source"),
        Action::Escalate => {
            Localized::new("People are needed now", "Une intervention humaine est nécessaire")
        }
        Action::CreateTicket => {
            Localized::new("Somebody should look at it", "Quelqu’un devrait l’examiner")
        }
        _ => Localized::new("It is worth remembering", "À garder en mémoire"),
    }
}

/// What the alert names itself, else what is usual of its kind.
fn attacks(alert: &ReadAlert, kind: &Kind) -> Vec<Attack> {
    if !alert.techniques.is_empty() {
        let tactics = kind.attack.iter().filter_map(|id| attack::tactic(id));
        let tags: Vec<String> = tactics
            .map(|tactic| format!("attack.{}", tactic.name))
            .chain(alert.techniques.iter().map(|id| format!("attack.{id}")))
            .collect();
        let mut named = attack::of_tags(&tags);
        named.retain(|attack| !attack.technique.is_empty());
        return named;
    }
    let tags: Vec<String> = kind
        .attack
        .iter()
        .map(|id| {
            attack::tactic(id)
                .map_or_else(|| format!("attack.{id}"), |t| format!("attack.{}", t.name))
        })
        .collect();
    attack::of_tags(&tags)
}

fn reasons(alert: &ReadAlert, signs: &Signs, kind: &Kind) -> Vec<(Localized, i32, i32)> {
    let mut reasons = vec![(
        Localized::new("Usual for alerts of this kind", "Habituel pour ce type d’alerte"),
        30,
        kind.false_positive,
    )];
    let mut add = |holds: bool, en: &str, fr: &str, confidence, false_positive| {
        if holds {
            reasons.push((Localized::new(en, fr), confidence, false_positive));
        }
    };
    add(kind.name != "other", "Its kind is known", "Son type est connu", 20, 0);
    let stated = alert.severity.is_some();
    add(stated, "It states its severity", "Elle indique sa gravité", 10, 0);
    let address = alert.source.as_deref().and_then(|source| source.parse::<IpAddr>().ok());
    add(address.is_some(), "Its source address is known", "L’adresse source est connue", 10, 0);
    add(alert.target.is_some(), "Its target is known", "La cible est connue", 5, 0);
    add(alert.time.is_some(), "Its time is known", "L’heure est connue", 5, 0);
    let measured = !signs.quantities.is_empty();
    add(measured, "It gives a quantity", "Elle donne une quantité", 10, -5);
    let outside = kind.phase.is_some_and(|phase| !phase.is_inside());
    let internal = outside && address.is_some_and(is_internal);
    add(
        internal,
        "The source is a private address: perhaps a tool of one’s own",
        "La source est une adresse privée : peut-être un de vos outils",
        -5,
        10,
    );
    for (en, fr, confidence, false_positive) in context::of(alert, kind.name) {
        reasons.push((Localized::new(en, fr), confidence, false_positive));
    }
    reasons
}
