//! What a model may pick from: facts, actions with their targets, and questions, all computed.

use vigie_event::{Action, Claim, FieldValues, Localized, Recommendation, Verdict};

use crate::Case;
use crate::recommend::is_bannable;
use crate::text::both;

/// Facts offered; one is one line of the prompt.
const FACTS: usize = 14;
/// Addresses whose ban is offered.
const ADDRESSES: usize = 6;

/// The choices. A model names them by their place; nothing else of what it says has a meaning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    facts: Vec<Claim>,
    actions: Vec<Recommendation>,
    questions: Vec<Localized>,
}

impl Offer {
    /// What is offered about `case`, which `first` has judged.
    pub fn of(case: &Case<'_>, first: &Verdict) -> Self {
        let mut actions: Vec<Recommendation> = Vec::new();
        let mut add = |action: Action, target: FieldValues| {
            let known = actions.iter().any(|one| one.action == action && one.target == target);
            if !known {
                let reason = Localized::new("The model advises it", "Le modèle le conseille");
                actions.push(Recommendation { action, target, reason });
            }
        };
        for recommendation in &first.recommendations {
            add(recommendation.action, recommendation.target.clone());
        }
        let sources = case.incident.entities.values("source.ip").iter();
        let bannable = sources.filter(|source| source.parse().is_ok_and(is_bannable));
        for source in bannable.take(ADDRESSES) {
            add(Action::BlockIp, FieldValues::one("source.ip", source));
        }
        let actor = &case.incident.actor;
        let known = case.incident.entities.has(actor.field.as_str(), actor.value.as_str());
        let about: FieldValues =
            known.then_some((actor.field.as_str(), actor.value.as_str())).into_iter().collect();
        for action in [Action::CreateTicket, Action::Escalate, Action::Monitor] {
            add(action, about.clone());
        }

        let mut questions = first.open_questions.clone();
        questions.extend(standing_questions());
        Self { facts: first.rationale.iter().take(FACTS).cloned().collect(), actions, questions }
    }

    /// Claims with their proof, from the first verdict.
    pub fn facts(&self) -> &[Claim] {
        &self.facts
    }

    /// Actions with targets from the incident's entities. Each only advises: nothing acts on a
    /// second verdict.
    pub fn actions(&self) -> &[Recommendation] {
        &self.actions
    }

    /// Questions that people could look into.
    pub fn questions(&self) -> &[Localized] {
        &self.questions
    }
}

/// What may be asked about any incident.
fn standing_questions() -> [Localized; 4] {
    let pairs = [
        (
            "Is this planned work or a test of one’s own?",
            "S’agit-il de travaux ou d’un test prévus ?",
        ),
        (
            "Do machines whose logs are not collected here show the same actor?",
            "Des machines dont les journaux ne sont pas collectés ici montrent-elles le même acteur ?",
        ),
        (
            "Does the owner of the account know of this activity?",
            "Le titulaire du compte a-t-il connaissance de cette activité ?",
        ),
        (
            "What did the actor do after the last event seen here?",
            "Qu’a fait l’acteur après le dernier événement vu ici ?",
        ),
    ];
    pairs.map(|(en, fr)| both(|lang| lang.pick(en, fr).to_owned()))
}
