//! What to do: actions from the fixed list, with targets from the evidence.

use std::net::IpAddr;

use smallvec::SmallVec;
use vigie_event::{Action, FieldValues, Localized, Recommendation, Severity, unmapped};

use crate::Case;
use crate::facts::Facts;
use crate::text::shown;
use crate::{advice, attack};

/// Addresses that one verdict may ask to ban.
pub const MOST_BANS: usize = 20;
/// Pieces of advice that one verdict gives.
const MOST_ADVICE: usize = 8;

/// The actions for an incident of `severity`, most urgent first.
///
/// The rules' authors say which actions may answer their alerts. On top of that: a ban needs a
/// medium incident at least, a call to people a high one; critical incidents always call people,
/// high ones always leave a ticket; a call includes the ticket; watching is for what asks for
/// nothing else.
pub fn actions(case: &Case<'_>, facts: &Facts<'_>, severity: Severity) -> Vec<Recommendation> {
    let mut wanted: SmallVec<[Action; 8]> = SmallVec::new();
    for finding in &facts.findings {
        for action in finding.actions() {
            if !wanted.contains(action) {
                wanted.push(*action);
            }
        }
    }
    let mut list = Vec::new();
    let mut calls = severity == Severity::Critical;
    let mut ticket = severity == Severity::High;
    for action in wanted {
        match action {
            Action::BlockIp if severity >= Severity::Medium => add_bans(facts, &mut list),
            Action::Escalate if severity >= Severity::High => calls = true,
            Action::Escalate | Action::CreateTicket => ticket |= severity >= Severity::Medium,
            // Monitoring is decided at the end; a ban for less than medium is none; the rest
            // runs things of the user's own, which his policy asks for, not a rule.
            _ => {}
        }
    }
    if calls {
        let reason = if severity == Severity::Critical {
            facts.langs.fixed(
                "A critical incident wants people now",
                "Un incident critique demande une intervention immédiate",
            )
        } else {
            facts.langs.fixed(
                "Only people can tell how far this went",
                "Seules des personnes peuvent dire jusqu’où c’est allé",
            )
        };
        list.push(about_actor(case, Action::Escalate, reason));
    } else if ticket {
        let reason = facts.langs.fixed(
            "Somebody should look at the evidence",
            "Quelqu’un devrait examiner les preuves",
        );
        list.push(about_actor(case, Action::CreateTicket, reason));
    }
    if list.is_empty() {
        let reason = facts.langs.fixed(
            "It is worth remembering if more follows",
            "À garder en mémoire si la suite le confirme",
        );
        list.push(about_actor(case, Action::Monitor, reason));
    }
    list
}

/// Adds a ban for each address that alerts with a ban among their actions accuse.
fn add_bans(facts: &Facts<'_>, list: &mut Vec<Recommendation>) {
    let mut accused: SmallVec<[&str; 4]> = SmallVec::new();
    for finding in &facts.findings {
        if !finding.actions().contains(&Action::BlockIp) {
            continue;
        }
        for source in finding.sources() {
            let bannable = source.parse().is_ok_and(is_bannable);
            if bannable && accused.len() < MOST_BANS && !accused.contains(&source) {
                accused.push(source);
            }
        }
    }
    let ban = |source: &str| Recommendation {
        action: Action::BlockIp,
        target: FieldValues::one("source.ip", source),
        reason: facts.langs.text(|lang| match lang {
            vigie_event::Lang::En => [source, " is where the attack comes from"].concat(),
            vigie_event::Lang::Fr => ["L’attaque vient de ", source].concat(),
        }),
    };
    list.extend(accused.into_iter().map(ban));
}

/// Whether a ban of the address could mean anything: it is that of one machine elsewhere.
pub fn is_bannable(address: IpAddr) -> bool {
    let address = unmapped(address);
    let local = match address {
        IpAddr::V4(v4) => v4.is_link_local() || v4.is_broadcast(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    };
    !(local || address.is_loopback() || address.is_unspecified() || address.is_multicast())
}

/// An action about the incident's actor, where the actor stands in the evidence.
fn about_actor(case: &Case<'_>, action: Action, reason: Localized) -> Recommendation {
    let actor = &case.incident.actor;
    let known = case.incident.entities.has(&actor.field, &actor.value);
    let target =
        if known { FieldValues::one(&actor.field, &actor.value) } else { FieldValues::default() };
    Recommendation { action, target, reason }
}

/// What the rules' authors advise, most serious rule first, each piece once; where an author says
/// nothing, what is advised for his rule's techniques.
pub fn advice(facts: &Facts<'_>) -> Vec<Localized> {
    let mut advice: Vec<Localized> = Vec::new();
    let mut add = |piece: Localized| {
        if advice.len() < MOST_ADVICE && !advice.contains(&piece) {
            advice.push(piece);
        }
    };
    for finding in &facts.findings {
        let told = finding.guidance.map_or(&[][..], |guidance| &guidance.recommendations);
        for piece in told {
            add(facts.langs.copy(piece));
        }
        if told.is_empty() {
            for attack in attack::of_tags(&finding.alert.tags) {
                if let Some((en, fr)) = advice::of(&attack.technique, &attack.tactic) {
                    add(facts.langs.fixed(en, fr));
                }
            }
        }
    }
    advice
}

/// The account that a login after guessing was on, where it is known: guessed names stand beside it.
fn account_used<'c>(case: &'c Case<'_>, facts: &'c Facts<'_>) -> Option<&'c str> {
    let taken = case.incident.reasons.iter().filter(|why| why.reason == "taken_account");
    let taken = taken.map(|why| why.value.as_str());
    let shows = |events: &[vigie_event::EventId]| events.iter().any(|id| facts.got_in.contains(id));
    let logins = facts.findings.iter().filter(|finding| shows(&finding.alert.events));
    let alone = logins.filter_map(|finding| match finding.alert.entities.values("user.name") {
        [user] => Some(user.as_str()),
        _ => None,
    });
    let mut accounts: Vec<&str> = taken.chain(alone).collect();
    accounts.sort_unstable();
    accounts.dedup();
    match accounts[..] {
        [account] => Some(account),
        _ => None,
    }
}

/// What the evidence leaves open.
pub fn open_questions(case: &Case<'_>, facts: &Facts<'_>) -> Vec<Localized> {
    use vigie_event::{Category, Lang};
    let mut open = Vec::new();
    let has = |category| facts.findings.iter().any(|finding| finding.category == category);
    if !facts.got_in.is_empty() {
        let account = account_used(case, facts);
        open.push(facts.langs.text(|lang| {
            let user = account.map(|user| format!(" {}", shown(user, lang))).unwrap_or_default();
            match lang {
                Lang::En => format!("Was the login by the owner of the account{user}?"),
                Lang::Fr => {
                    format!("La connexion est-elle le fait du titulaire du compte{user} ?")
                }
            }
        }));
        open.push(
            facts.langs.fixed("What has the session done since?", "Qu’a fait la session depuis ?"),
        );
    } else if has(Category::BruteForce) {
        open.push(facts.langs.fixed(
            "Did an attempt succeed on a machine whose logs are not collected here?",
            "Une tentative a-t-elle réussi sur une machine dont les journaux ne sont pas collectés ici ?",
        ));
    }
    if has(Category::WebAttack) {
        open.push(facts.langs.fixed(
            "What did the server answer, and is the application open to this attack?",
            "Qu’a répondu le serveur, et l’application est-elle vulnérable à cette attaque ?",
        ));
    }
    if facts.internal {
        open.push(facts.langs.text(|lang| {
            let actor = shown(&case.incident.actor.value, lang);
            match lang {
                Lang::En => {
                    format!("Which machine has the address {actor}, and who answers for it?")
                }
                Lang::Fr => format!("Quelle machine a l’adresse {actor}, et qui en répond ?"),
            }
        }));
    }
    if has(Category::Exfiltration) {
        open.push(facts.langs.fixed("Which data left?", "Quelles données sont sorties ?"));
    }
    if !facts.injections.is_empty() {
        open.push(facts.langs.fixed(
            "Does another tool hand these lines to a language model?",
            "Un autre outil transmet-il ces lignes à un modèle de langage ?",
        ));
    }
    open
}
