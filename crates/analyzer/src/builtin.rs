//! The deterministic analyst.

use vigie_event::{Attack, Claim, EventId, Lang, Verdict};

use crate::facts::{Facts, Finding};
use crate::score::Score;
use crate::text::{both, counted, duration};
use crate::{Case, attack, recommend, severity, summary};

/// The name that the built-in analyst signs with.
pub const NAME: &str = "built-in";
/// Alerts that a verdict speaks of one by one.
const MOST_CLAIMS: usize = 10;
/// Events cited with one claim.
const MOST_EVENTS: usize = 20;

/// The deterministic analyst: the same case gives the same verdict, in well under a millisecond.
#[derive(Clone, Copy, Debug, Default)]
pub struct BuiltIn;

impl BuiltIn {
    /// The analyst; it keeps nothing between cases.
    pub const fn new() -> Self {
        Self
    }

    /// Judges an incident by its alerts and what their rules' authors know.
    ///
    /// Text from logs is counted and shown, never read: no wording changes a verdict.
    pub fn judge(&self, case: &Case<'_>) -> Verdict {
        let facts = Facts::of(case);
        let (severity, raised) = severity::judge(&facts);
        let score = Score::of(&facts);
        let category = facts.leading().map(|finding| finding.category).unwrap_or_default();

        let mut rationale: Vec<Claim> =
            facts.findings.iter().take(MOST_CLAIMS).map(finding_claim).collect();
        rationale.extend(raised);
        rationale.extend(score.parts.iter().map(crate::score::Part::claim));
        rationale.extend(injection_claim(&facts));
        for claim in &mut rationale {
            claim.events.truncate(MOST_EVENTS);
        }

        Verdict {
            incident: case.incident.id,
            revision: case.incident.revision,
            analyst: NAME.to_owned(),
            time: case.now,
            severity,
            category,
            confidence: score.confidence,
            false_positive: score.false_positive,
            attack: attacks(case),
            autonomy: crate::autonomy::of_incident(&facts),
            summary: summary::summary(case, &facts, category, severity),
            rationale,
            recommendations: recommend::actions(case, &facts, severity),
            advice: recommend::advice(&facts),
            open_questions: recommend::open_questions(case, &facts),
            model: None,
        }
    }
}

/// What one alert counted, over which time.
fn finding_claim(finding: &Finding<'_>) -> Claim {
    let alert = finding.alert;
    let seconds = u64::try_from(alert.last_seen.since(alert.first_seen) / 1_000_000_000);
    let seconds = seconds.unwrap_or(0);
    let claim = both(|lang| {
        let title = alert.rule.title.get(lang);
        let over = |word: &str| match seconds {
            0 => String::new(),
            _ => format!("{word}{}", duration(seconds, lang)),
        };
        match lang {
            Lang::En => {
                let events = counted(alert.count, "event", "events", lang);
                format!("{title}: {events}{}", over(" over "))
            }
            Lang::Fr => {
                let events = counted(alert.count, "événement", "événements", lang);
                format!("{title} : {events}{}", over(" en "))
            }
        }
    });
    Claim { claim, events: alert.events.iter().take(MOST_EVENTS).copied().collect() }
}

/// That somebody tried to talk to a model; without his words.
fn injection_claim(facts: &Facts<'_>) -> Option<Claim> {
    if facts.injections.is_empty() {
        return None;
    }
    let claim = vigie_event::Localized::new(
        "A log line carries instructions for an AI assistant; they were not followed and change nothing here",
        "Une ligne de journal porte des instructions pour un assistant IA ; elles n’ont pas été suivies et ne changent rien ici",
    );
    let events: Vec<EventId> =
        facts.injections.iter().flat_map(|alert| alert.events.iter().copied()).collect();
    Some(Claim { claim, events })
}

/// Tactics and techniques of all alerts, each once, sorted.
fn attacks(case: &Case<'_>) -> Vec<Attack> {
    let mut attacks: Vec<Attack> =
        case.alerts.iter().flat_map(|alert| attack::of_tags(&alert.tags)).collect();
    attacks.sort();
    attacks.dedup();
    // A tactic alone says less than the same tactic with a technique.
    let named: Vec<String> = attacks
        .iter()
        .filter(|attack| !attack.technique.is_empty())
        .map(|attack| attack.tactic.clone())
        .collect();
    attacks.retain(|attack| !attack.technique.is_empty() || !named.contains(&attack.tactic));
    attacks
}
